//! Links and their pools: `[[link]]`.
//!
//! A link is read alone, and then held against those before it ([`Earlier`]): no two may share a
//! number, a name or a prefix, and no two pools an address, for else a lease would have two owners.
//! Prefixes of different links may cover one another, and relays may share an address; a query
//! that names several links is answered for all of them (RFC 5460 §7.2).

use std::collections::BTreeMap;
use std::net::Ipv6Addr;

use lease::{AddressPool, DelegationPool, Link, LinkId};
use wire::{Prefix, PrefixError};

use super::faults::Collector;
use super::toml_tree::{Item, Place, Table};

/// Bits of a delegated prefix. A pool may be delegated whole: then it holds one prefix.
const DELEGATED_LENGTHS: std::ops::RangeInclusive<u8> = 1..=128;

/// Reads all links.
pub(super) fn read(item: &Item<'_>, faults: &mut Collector) -> Option<Vec<Link>> {
    let mut earlier = Earlier::default();
    let links = item.list_of(faults, |item, faults| link(item.table(faults)?, &mut earlier, faults));
    earlier.report_overlapping_pools(faults);
    links
}

fn link(mut table: Table<'_>, earlier: &mut Earlier, faults: &mut Collector) -> Option<Link> {
    let id = table.require("id", "1, or another number that no link has", faults, |item, faults| {
        let id = item.number(1..=u32::MAX, faults)?;
        earlier.note_id(id, item.place(), faults);
        Some(id)
    });
    let name = table.require("name", "\"bng-1\", or what you call it", faults, |item, faults| {
        name(item, earlier, faults)
    });
    let mut prefixes = Some(Vec::new());
    let mut relay_addresses = Vec::new();
    let mut address_pools = Vec::new();
    let mut delegation_pools = Vec::new();
    table.read_into(&mut prefixes, "prefixes", faults, |list, faults| {
        Some(list.list_of(faults, |item, faults| link_prefix(item, earlier, faults)))
    });
    table.read_into(&mut relay_addresses, "relay-addresses", faults, |list, faults| {
        list.list_of(faults, address)
    });
    table.read_into(&mut address_pools, "address-pools", faults, |list, faults| {
        list.list_of(faults, |item, faults| address_pool(item, prefixes.as_deref(), earlier, faults))
    });
    table.read_into(&mut delegation_pools, "delegation-pools", faults, |list, faults| {
        list.list_of(faults, |item, faults| delegation_pool(item, earlier, faults))
    });
    table.finish(faults);
    Some(Link {
        id: LinkId(id?),
        name: name?,
        prefixes: prefixes?,
        relay_addresses,
        interface_ids: Vec::new(),
        relay_ids: Vec::new(),
        interfaces: Vec::new(),
        address_pools,
        delegation_pools,
    })
}

fn name(item: &Item<'_>, earlier: &mut Earlier, faults: &mut Collector) -> Option<String> {
    let name = item.string(faults)?;
    if name.is_empty() || name.contains(char::is_control) {
        faults.fault(item.place(), "is empty or cannot be printed", "write what you call the link");
        return None;
    }
    earlier.note_name(name, item.place(), faults);
    Some(name.to_owned())
}

fn link_prefix(item: &Item<'_>, earlier: &mut Earlier, faults: &mut Collector) -> Option<Prefix> {
    let prefix = prefix(item, faults)?;
    earlier.note_prefix(prefix, item.place(), faults);
    Some(prefix)
}

/// A prefix without host bits.
pub(super) fn prefix(item: &Item<'_>, faults: &mut Collector) -> Option<Prefix> {
    let text = item.string(faults)?;
    let remedy = match meant_prefix(text) {
        Some(meant) => format!("write \"{meant}\""),
        None => "write an address, a slash and a length, such as \"2001:db8::/32\"".to_owned(),
    };
    item.parse(faults, &remedy, |text| {
        text.parse::<Prefix>().map_err(|error| match error {
            PrefixError::HostBits => format!("{text:?} has bits set behind its length"),
            PrefixError::Length(length) => format!("{text:?} has {length} bits, more than 128"),
            PrefixError::NotPrefix => format!("{text:?} is not a prefix"),
        })
    })
}

/// What a text with host bits would be without them.
fn meant_prefix(text: &str) -> Option<Prefix> {
    let (address, length) = text.split_once('/')?;
    Prefix::new(address.parse().ok()?, length.parse().ok()?).ok()
}

fn address(item: &Item<'_>, faults: &mut Collector) -> Option<Ipv6Addr> {
    item.parse(faults, "write an IPv6 address, such as \"fe80::1\"", |text| {
        text.parse().map_err(|_| format!("{text:?} is not an IPv6 address"))
    })
}

/// Reads a pool and holds it against the link's prefixes, unless those are at fault themselves.
fn address_pool(
    item: &Item<'_>,
    prefixes: Option<&[Prefix]>,
    earlier: &mut Earlier,
    faults: &mut Collector,
) -> Option<AddressPool> {
    let pool = if item.string(faults)?.contains('/') {
        let prefix = prefix(item, faults)?;
        AddressPool { first: prefix.address(), last: prefix.last_address() }
    } else {
        address_range(item, faults)?
    };
    earlier.note_pool(pool.first, pool.last, item.place());
    let inside = |prefix: &Prefix| prefix.contains(pool.first) && prefix.contains(pool.last);
    if prefixes.is_some_and(|prefixes| !prefixes.iter().any(inside)) {
        report_outside(item, prefixes.unwrap_or_default(), faults);
    }
    Some(pool)
}

fn address_range(item: &Item<'_>, faults: &mut Collector) -> Option<AddressPool> {
    let remedy = "write the lowest address, a hyphen and the highest, or a prefix";
    item.parse(faults, remedy, |text| {
        let range = text.split_once('-').and_then(|(first, last)| {
            Some(AddressPool { first: first.trim().parse().ok()?, last: last.trim().parse().ok()? })
        });
        match range {
            Some(pool) if pool.first > pool.last => Err(format!("{text:?} ends before it starts")),
            Some(pool) => Ok(pool),
            None => Err(format!("{text:?} is not a range of addresses")),
        }
    })
}

fn report_outside(item: &Item<'_>, prefixes: &[Prefix], faults: &mut Collector) {
    let listed: Vec<String> = prefixes.iter().map(Prefix::to_string).collect();
    let remedy = match listed.as_slice() {
        [] => "give the link the prefix around it: it has none".to_owned(),
        _ => format!("choose addresses in {}, or give the link another prefix", listed.join(" or ")),
    };
    faults.fault(item.place(), "lies outside the link's prefixes", remedy);
}

fn delegation_pool(item: &Item<'_>, earlier: &mut Earlier, faults: &mut Collector) -> Option<DelegationPool> {
    let mut table = item.table(faults)?;
    let from = table.require("prefix", "\"2001:db8:f000::/40\"", faults, prefix_with_place);
    let length = table.require("delegated-length", "56", faults, |item, faults| {
        delegated_length(item, from.as_ref(), faults)
    });
    let excluded = table
        .read("excluded-prefix", faults, |item, faults| excluded_prefix(item, from.as_ref(), length, faults));
    table.finish(faults);
    let (prefix, place) = from?;
    earlier.note_pool(prefix.address(), prefix.last_address(), &place);
    Some(DelegationPool { prefix, delegated_length: length?, excluded })
}

fn prefix_with_place(item: &Item<'_>, faults: &mut Collector) -> Option<(Prefix, Place)> {
    Some((prefix(item, faults)?, item.place().clone()))
}

fn delegated_length(item: &Item<'_>, from: Option<&(Prefix, Place)>, faults: &mut Collector) -> Option<u8> {
    let length = item.number(DELEGATED_LENGTHS, faults)?;
    match from {
        Some((prefix, place)) if length < prefix.length() => {
            let problem = format!("{length} is shorter than the pool {prefix} of line {}", place.line);
            faults.fault(item.place(), problem, format!("write a number from {} to 128", prefix.length()));
            None
        }
        _ => Some(length),
    }
}

/// What is excluded is a part of a delegated prefix, and smaller than it (RFC 6603 §4.2).
fn excluded_prefix(
    item: &Item<'_>,
    from: Option<&(Prefix, Place)>,
    delegated_length: Option<u8>,
    faults: &mut Collector,
) -> Option<Prefix> {
    let excluded = prefix(item, faults)?;
    let ((from, place), delegated_length) = (from?, delegated_length?);
    if !from.covers(excluded) {
        let problem = format!("{excluded} is not inside the pool {from} of line {}", place.line);
        faults.fault(item.place(), problem, format!("write a part of {from}"));
    } else if excluded.length() <= delegated_length {
        let problem = format!("{excluded} is not smaller than what is delegated, {delegated_length} bits");
        faults.fault(item.place(), problem, "write a longer prefix");
    }
    Some(excluded)
}

/// What the links so far have taken, and in which line.
#[derive(Default)]
struct Earlier {
    ids: BTreeMap<u32, usize>,
    names: BTreeMap<String, usize>,
    prefixes: BTreeMap<Prefix, usize>,
    pools: Vec<(Ipv6Addr, Ipv6Addr, Place)>,
}

impl Earlier {
    fn note_id(&mut self, id: u32, place: &Place, faults: &mut Collector) {
        if let Some(line) = self.ids.get(&id) {
            let problem = format!("{id} is the number of the link of line {line} already");
            let free = self.ids.last_key_value().and_then(|(highest, _)| highest.checked_add(1));
            let remedy =
                free.map_or("choose another".to_owned(), |free| format!("choose another, such as {free}"));
            faults.fault(place, problem, remedy);
        }
        self.ids.entry(id).or_insert(place.line);
    }

    fn note_name(&mut self, name: &str, place: &Place, faults: &mut Collector) {
        if let Some(line) = self.names.get(name) {
            let problem = format!("{name:?} is the name in line {line} already");
            faults.fault(place, problem, "choose another");
        }
        self.names.entry(name.to_owned()).or_insert(place.line);
    }

    fn note_prefix(&mut self, prefix: Prefix, place: &Place, faults: &mut Collector) {
        if let Some(line) = self.prefixes.get(&prefix) {
            let problem = format!("{prefix} is a link's prefix in line {line} already");
            faults.fault(place, problem, "leave one of them out, or make one link of both");
        }
        self.prefixes.entry(prefix).or_insert(place.line);
    }

    fn note_pool(&mut self, first: Ipv6Addr, last: Ipv6Addr, place: &Place) {
        self.pools.push((first, last, place.clone()));
    }

    /// Goes through the pools by first address with the one that reaches furthest so far.
    fn report_overlapping_pools(mut self, faults: &mut Collector) {
        self.pools.sort_by_key(|(first, last, place)| (*first, *last, place.line));
        let mut pools = self.pools.iter();
        let Some(mut furthest) = pools.next() else { return };
        for pool in pools {
            if pool.0 <= furthest.1 {
                report_overlap(furthest, pool, faults);
            }
            if pool.1 > furthest.1 {
                furthest = pool;
            }
        }
    }
}

/// Reports at the pool that stands later in the file.
fn report_overlap(a: &(Ipv6Addr, Ipv6Addr, Place), b: &(Ipv6Addr, Ipv6Addr, Place), faults: &mut Collector) {
    let (before, after) = if a.2.line <= b.2.line { (a, b) } else { (b, a) };
    let (first, last) = (a.0.max(b.0), a.1.min(b.1));
    let problem = format!("has {first} to {last} in common with the pool of line {}", before.2.line);
    faults.fault(&after.2, problem, "give each address to one pool");
}
