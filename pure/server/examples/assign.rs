//! What finding something to give costs, however full the pool is, and what the assigner costs in
//! memory.
//!
//! `cargo run --release -p server --example assign [full | uplinks | memory]`
//!
//! `full`: a pool of 2^24 prefixes is filled in random order; nanoseconds to find a free one for a
//! client that nobody knows, and to note anew one that is taken. `uplinks`: the same with 2^22 prefixes,
//! each of which leaves out a /64 on which an address is held from the beginning. `memory`: a million clients, each with
//! one address somewhere in a /64 and one of 2^20 prefixes; the octets that the assigner adds to what
//! the table takes, from `/proc/self/statm`. Times are those of the processor, from
//! `/proc/thread-self/schedstat`: what else the machine does counts little.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "measuring needs somewhere to print"
)]

use std::net::Ipv6Addr;
use std::time::Duration;

use lease::{
    AddressPool, Binding, Client, ClientKey, DelegationPool, Heard, IaKind, Lease, LeaseState, Link, LinkId,
    Links, Resource, Table,
};
use server::assign::{Assigner, Identity, Seeker};
use wire::{Duid, Iaid, Prefix};
use world::{Chance, Instant, Now};

const PARTS: u32 = 1 << 24;
const PARTS_WITH_UPLINKS: u32 = 1 << 22;
const LEASES_OF_ONE_CLIENT: usize = 256;
const SEARCHES: u32 = 1_000_000;
const MILLION: u32 = 1_000_000;
const NOW: Now = Now { instant: Instant::since_start(Duration::ZERO), unix_secs: 1_704_067_200 };

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("memory") => memory(),
        Some("uplinks") => full(PARTS_WITH_UPLINKS, link("2001:d00::/34", Some("2001:d00:0:1::/64"))),
        _ => full(PARTS, link("2001:d00::/32", None)),
    }
}

fn full(parts: u32, link: Link) {
    let excludes = link.delegation_pools[0].excluded.is_some();
    let links = Links::new([link]);
    let mut table = Table::default();
    if excludes {
        hold_uplink_addresses(&mut table, parts);
    }
    let mut assigner = Assigner::new(&links, Vec::new(), Duration::from_secs(30), [1, 2], &table);
    let order = shuffled(parts);
    let part = |thousandths: u64| (u64::from(parts) * thousandths / 100_000) as u32;
    let mut held = 0;
    for (name, until) in
        [("0 %", 0), ("50 %", parts / 2), ("99 %", part(99_000)), ("99.9 %", part(99_900)), ("100 %", parts)]
    {
        fill(&mut table, &mut assigner, &order[held..until as usize], held, &links);
        held = until as usize;
        let find_ns = search(&mut assigner, &links, &table, excludes);
        let note_ns = note_again(&mut assigner, &table, &order[..held.min(SEARCHES as usize)]);
        let begun = processor_nanos();
        let fresh = Assigner::new(&links, Vec::new(), Duration::from_secs(30), [1, 2], &table);
        let survey_secs = (processor_nanos() - begun) / 1e9;
        println!("{name}: find {find_ns:.0} ns; note {note_ns:.0} ns; surveyed anew in {survey_secs:.2} s");
        drop(fresh);
    }
}

fn fill(table: &mut Table, assigner: &mut Assigner, parts: &[u32], client: usize, links: &Links) {
    let pool = links.iter().next().expect("there is one link").delegation_pools[0];
    for (number, parts) in parts.chunks(LEASES_OF_ONE_CLIENT).enumerate() {
        let prefixes: Vec<Resource> = parts.iter().map(|part| prefix(0x2001_0d00, *part)).collect();
        let mut record = record((client + number) as u32, &[], &prefixes);
        for lease in record.bindings.iter_mut().flat_map(|binding| &mut binding.leases) {
            lease.excluded = lease.resource.prefix().and_then(|prefix| pool.excluded_from(prefix));
        }
        table.put(&record).expect("every part is held once");
        table.take_batch();
        prefixes.iter().for_each(|prefix| assigner.note(*prefix, table));
    }
}

/// Has an address held on the uplink of every part.
fn hold_uplink_addresses(table: &mut Table, parts: u32) {
    let of_part = |part: u32| (0x2001_0d00 << 96) | (u128::from(part) << 72) | (1 << 64) | 1;
    let numbers: Vec<u32> = (0..parts).collect();
    for (number, parts) in numbers.chunks(LEASES_OF_ONE_CLIENT).enumerate() {
        let addresses: Vec<Resource> =
            parts.iter().map(|part| Resource::Address(Ipv6Addr::from_bits(of_part(*part)))).collect();
        table.put(&record(0x4000_0000 + number as u32, &addresses, &[])).expect("every address is held once");
        table.take_batch();
    }
}

/// Nanoseconds for each note.
fn note_again(assigner: &mut Assigner, table: &Table, parts: &[u32]) -> f64 {
    let begun = processor_nanos();
    parts.iter().for_each(|part| assigner.note(prefix(0x2001_0d00, *part), table));
    (processor_nanos() - begun) / parts.len().max(1) as f64
}

/// Nanoseconds for each search.
fn search(assigner: &mut Assigner, links: &Links, table: &Table, takes_exclusion: bool) -> f64 {
    let link = links.by_id(LinkId(1)).expect("there is one link");
    let duids: Vec<Duid> = (0..SEARCHES).map(|number| duid(0x8000_0000 + number)).collect();
    let begun = processor_nanos();
    let mut found = 0;
    for duid in &duids {
        let identity = Identity { duid, relays: None };
        let seeker = Seeker { takes_exclusion, ..seeker(link, &identity) };
        found += usize::from(assigner.find(&seeker, table, NOW).is_some());
    }
    assert!(found == 0 || found == SEARCHES as usize);
    (processor_nanos() - begun) / f64::from(SEARCHES)
}

fn seeker<'a>(link: &'a Link, identity: &'a Identity<'a>) -> Seeker<'a> {
    Seeker {
        link,
        identity,
        kind: IaKind::Prefix,
        iaid: Iaid(1),
        hint: None,
        length_hint: None,
        remembered: &[],
        taken: &[],
        takes_exclusion: false,
    }
}

fn memory() {
    let links = Links::new([link("2001:d00::/36", None)]);
    let mut chance = Chance::from_seed(4);
    let mut table = Table::default();
    for (number, part) in shuffled(1 << 20).into_iter().take(MILLION as usize).enumerate() {
        let address =
            Resource::Address(Ipv6Addr::from_bits((0x2001_0db8 << 96) | u128::from(chance.next_u64())));
        let prefixes = [prefix(0x2001_0d00, part)];
        table.put(&record(number as u32, &[address], &prefixes)).expect("every part is held once");
        table.take_batch();
    }
    let (before, begun) = (resident_octets(), processor_nanos());
    let mut assigner = Assigner::new(&links, Vec::new(), Duration::from_secs(30), [1, 2], &table);
    let (secs, octets) = ((processor_nanos() - begun) / 1e9, resident_octets().saturating_sub(before));
    let find_ns = search(&mut assigner, &links, &table, false);
    println!(
        "a million clients: {octets} octets ({:.2} a client), surveyed in {secs:.2} s; find {find_ns:.0} ns",
        octets as f64 / f64::from(MILLION)
    );
}

fn link(delegated_from: &str, excluded: Option<&str>) -> Link {
    Link {
        id: LinkId(1),
        prefixes: vec!["2001:db8::/64".parse().expect("a prefix")],
        address_pools: vec![AddressPool {
            first: "2001:db8::".parse().expect("an address"),
            last: "2001:db8::ffff:ffff:ffff:ffff".parse().expect("an address"),
        }],
        delegation_pools: vec![DelegationPool {
            prefix: delegated_from.parse().expect("a prefix"),
            delegated_length: 56,
            excluded: excluded.map(|part| part.parse().expect("a prefix")),
        }],
        ..Link::default()
    }
}

fn prefix(high: u128, part: u32) -> Resource {
    let address = Ipv6Addr::from_bits((high << 96) | (u128::from(part) << 72));
    Resource::Prefix(Prefix::new(address, 56).expect("56 bits are not too many"))
}

fn record(number: u32, addresses: &[Resource], prefixes: &[Resource]) -> Client {
    let lease = |resource: &Resource| Lease {
        resource: *resource,
        state: LeaseState::Active,
        granted_unix_secs: NOW.unix_secs,
        preferred_secs: 3600,
        valid_secs: 7200,
        excluded: None,
    };
    let binding = |kind, resources: &[Resource]| Binding {
        kind,
        iaid: Iaid(1),
        leases: resources.iter().map(lease).collect(),
    };
    Client {
        key: ClientKey { link: LinkId(1), duid: duid(number) },
        heard: Heard { at_unix_secs: NOW.unix_secs, path: None },
        options: Vec::new(),
        reconfigure: None,
        bindings: vec![binding(IaKind::Address, addresses), binding(IaKind::Prefix, prefixes)],
    }
}

fn duid(number: u32) -> Duid {
    Duid::new(&[&[0, 3, 0, 1, 2, 0], number.to_be_bytes().as_slice()].concat()).expect("ten octets")
}

/// Every number below `count`, in an order that is the same each time.
fn shuffled(count: u32) -> Vec<u32> {
    let mut chance = Chance::from_seed(1);
    let mut numbers: Vec<u32> = (0..count).collect();
    for last in (1..numbers.len()).rev() {
        numbers.swap(last, chance.below(last as u64 + 1) as usize);
    }
    numbers
}

fn resident_octets() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("this is Linux");
    let pages = statm.split(' ').nth(1).and_then(|text| text.parse::<u64>().ok());
    pages.expect("the second number is resident pages") * 4096
}

/// For how long this thread has run.
fn processor_nanos() -> f64 {
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("this is Linux");
    let nanos = schedstat.split(' ').next().and_then(|text| text.parse::<u64>().ok());
    nanos.expect("the first number is nanoseconds") as f64
}
