//! What a million clients cost: resident octets for each, and seconds.
//!
//! `cargo run --release -p lease --example memory [clients [load | put]]`
//!
//! Each client holds one address and one /56, and came through one relay that names itself, the
//! interface and the line. The table is either loaded at once, or put client by client in random
//! order: one of the two in each run, so that neither leaves memory to the other. Resident memory is
//! what Linux says in `/proc/self/statm`; it includes everything.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "measuring needs a clock, threads and somewhere to print"
)]

use std::net::Ipv6Addr;
use std::time::Instant;

use lease::{
    Binding, Client, ClientKey, Cursor, Heard, IaKind, Identifier, Join, Lease, LeaseState, LinkId, Records,
    RelayPath, Resource, Search, Table, Together, image,
};
use wire::{Duid, Iaid, OptionCode, Prefix, Writer};

const LINKS: u32 = 16;
const RELAYS: u32 = 100;
const NOW_UNIX_SECS: u64 = 1_704_067_200;

fn main() {
    let count = std::env::args().nth(1).map_or(1_000_000, |text| text.parse().expect("a number of clients"));
    let mode = std::env::args().nth(2).unwrap_or_default();
    println!("{count} clients, {} octets of image each", image::encode(&client(0)).len());
    let empty = resident_octets();
    let table = if mode == "put" { put(count) } else { load(count) };
    println!("resident: {:.0} octets a client", (resident_octets() - empty) as f64 / f64::from(count));
    search(&table);
}

/// As at the start: images come from the store in its order, that of keys.
fn load(count: u32) -> Table {
    let records = timed("records pushed", count, || {
        let mut records = Records::default();
        (0..count).for_each(|number| records.push(&image::encode(&client(number))).expect("an image"));
        records
    });
    let octets = timed("encoding alone, to be subtracted", count, || {
        (0..count).map(|number| image::encode(&client(number)).len()).sum::<usize>()
    });
    assert!(octets > 0);
    timed("table loaded", count, || Table::load(records, &Threads).expect("nothing is held twice"))
}

/// As while running: one by one, in an order that nobody chose.
fn put(count: u32) -> Table {
    let order = shuffled(count);
    timed("clients put", count, || {
        let mut table = Table::default();
        for number in order {
            table.put(&client(number)).expect("nothing is held twice");
            if number % 1000 == 0 {
                table.take_batch();
            }
        }
        table.take_batch();
        table
    })
}

/// Whole searches, every lease read, and single look-ups.
fn search(table: &Table) {
    let count = table.len() as u32;
    let on_links: Vec<Search> = (0..LINKS).map(|link| Search::on_link(LinkId(link))).collect();
    let relays = (0..RELAYS).map(|relay| Search::everywhere(Identifier::Relay(relay_id(relay))));
    let relays: Vec<Search> = relays.collect();
    timed("searched by link", count, || read(table, &on_links));
    timed("searched by relay", count, || read(table, &relays));
    let order = shuffled(count);
    timed("found by address", count, || {
        order.iter().for_each(|n| assert!(table.holder_of_address(address(*n)).is_some()));
    });
    let remotes = order.iter().map(|n| Search::everywhere(Identifier::Remote(remote_id(*n).into())));
    let remotes: Vec<Search> = remotes.collect();
    timed("found by Remote-ID", count, || read(table, &remotes));
}

fn read(table: &Table, searches: &[Search]) {
    let (mut clients, mut remaining_secs) = (0, 0_u64);
    for (_, client) in searches.iter().flat_map(|search| table.search(search, Cursor::START)) {
        clients += 1;
        let leases = client.leases().map(|held| held.lease.valid_remaining_secs(NOW_UNIX_SECS + 60));
        remaining_secs += leases.map(u64::from).sum::<u64>();
    }
    assert_eq!(clients, table.len());
    assert_eq!(remaining_secs, clients as u64 * 2 * 7140);
}

fn client(number: u32) -> Client {
    let lease = |resource| Lease {
        resource,
        state: LeaseState::Active,
        granted_unix_secs: NOW_UNIX_SECS,
        preferred_secs: 3600,
        valid_secs: 7200,
        excluded: None,
    };
    let binding = |kind, resource| Binding { kind, iaid: Iaid(1), leases: vec![lease(resource)] };
    let delegated = Ipv6Addr::from_bits((0x2001_0db9 << 96) | (u128::from(number) << 72));
    let delegated = Prefix::new(delegated, 56).expect("56 bits are not too many");
    Client {
        key: ClientKey { link: LinkId(number % LINKS), duid: duid(3, number) },
        heard: Heard { at_unix_secs: NOW_UNIX_SECS, path: Some(path(number)) },
        options: Vec::new(),
        reconfigure: None,
        bindings: vec![
            binding(IaKind::Address, Resource::Address(address(number))),
            binding(IaKind::Prefix, Resource::Prefix(delegated)),
        ],
    }
}

fn address(number: u32) -> Ipv6Addr {
    Ipv6Addr::from_bits((0x2001_0db8 << 96) | (u128::from(number % LINKS) << 64) | u128::from(number))
}

fn duid(kind: u8, number: u32) -> Duid {
    Duid::new(&[&[0, kind, 0, 1, 2, 0], number.to_be_bytes().as_slice()].concat()).expect("ten octets")
}

fn relay_id(relay: u32) -> Duid {
    duid(2, relay)
}

fn remote_id(number: u32) -> [u8; 20] {
    let mut octets = *b"\0\0\0\x09line 0000000000.";
    octets[15..19].copy_from_slice(&number.to_be_bytes());
    octets
}

fn path(number: u32) -> RelayPath {
    let mut octets = Vec::new();
    let mut w = Writer::new(&mut octets);
    w.bytes(&[12, 0]);
    w.address(address(number % LINKS));
    w.address("fe80::1".parse().expect("an address"));
    w.raw_option(OptionCode::INTERFACE_ID, b"ge-0/0/1.100");
    w.raw_option(OptionCode::REMOTE_ID, &remote_id(number));
    w.raw_option(OptionCode::RELAY_ID, relay_id(number % RELAYS).octets());
    w.finish().expect("a short path");
    RelayPath::new("2001:db8::547".parse().expect("an address"), &octets).expect("a path")
}

/// Every number below `count`, in an order that is the same each time.
fn shuffled(count: u32) -> Vec<u32> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut numbers: Vec<u32> = (0..count).collect();
    for last in (1..numbers.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        numbers.swap(last, (state >> 33) as usize % (last + 1));
    }
    numbers
}

fn timed<T>(what: &str, count: u32, work: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let result = work();
    let secs = begun.elapsed().as_secs_f64();
    println!("{what}: {secs:.3} s, {:.0} ns a client", secs * 1e9 / f64::from(count));
    result
}

fn resident_octets() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("this is Linux");
    let pages = statm.split(' ').nth(1).and_then(|text| text.parse::<u64>().ok());
    pages.expect("the second number is resident pages") * 4096
}

/// Side by side.
struct Threads;

impl Join for Threads {
    fn join<A: Send, B: Send>(
        &self,
        a: impl FnOnce() -> A + Send,
        b: impl FnOnce() -> B + Send,
    ) -> Together<A, B> {
        std::thread::scope(|scope| {
            let a = scope.spawn(a);
            let b = b();
            (a.join().expect("no work panics"), b)
        })
    }
}
