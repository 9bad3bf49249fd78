//! Pools of a link: addresses to assign, prefixes to delegate from, and options for either.

use std::net::Ipv6Addr;

use lease::{AddressPool, DelegationPool};
use server::exchange::{OfferedOptions, PoolTerms};
use wire::Prefix;

use super::addresses::prefix;
use super::faults::Collector;
use super::options;
use super::taken::Taken;
use super::toml_tree::{Item, Place};

/// Bits of a delegated prefix. A pool may be delegated whole: then it holds one prefix.
const DELEGATED_LENGTHS: std::ops::RangeInclusive<u8> = 1..=128;

/// Reads a pool and holds it against the link's prefixes, unless those are at fault themselves. It is
/// a range or a prefix alone, or in a table with its options.
pub(super) fn address_pool(
    item: &Item<'_>,
    prefixes: Option<&[Prefix]>,
    terms: &mut Vec<PoolTerms>,
    taken: &mut Taken,
    faults: &mut Collector,
) -> Option<AddressPool> {
    if item.is_text() {
        return addresses(item, prefixes, taken, faults);
    }
    let mut table = item.table(faults)?;
    let pool = table.require("range", "\"2001:db8:1::1000 - 2001:db8:1::1fff\"", faults, |item, faults| {
        addresses(item, prefixes, taken, faults)
    });
    let options = table.read("options", faults, options::read);
    table.finish(faults);
    let AddressPool { first, last } = pool?;
    note_options(terms, first, last, options);
    pool
}

fn note_options(
    terms: &mut Vec<PoolTerms>,
    first: Ipv6Addr,
    last: Ipv6Addr,
    options: Option<OfferedOptions>,
) {
    let options = options.filter(|options| !options.is_empty());
    terms.extend(options.map(|options| PoolTerms { first, last, options }));
}

fn addresses(
    item: &Item<'_>,
    prefixes: Option<&[Prefix]>,
    taken: &mut Taken,
    faults: &mut Collector,
) -> Option<AddressPool> {
    let pool = if item.string(faults)?.contains('/') {
        let prefix = prefix(item, faults)?;
        AddressPool { first: prefix.address(), last: prefix.last_address() }
    } else {
        address_range(item, faults)?
    };
    taken.note_address_pool(&pool, item.place());
    check_on_link(item, pool.first, pool.last, prefixes, faults);
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

/// Addresses are assigned on the link alone.
pub(super) fn check_on_link(
    item: &Item<'_>,
    first: Ipv6Addr,
    last: Ipv6Addr,
    prefixes: Option<&[Prefix]>,
    faults: &mut Collector,
) {
    let Some(prefixes) = prefixes else { return };
    if prefixes.iter().any(|prefix| prefix.contains(first) && prefix.contains(last)) {
        return;
    }
    let listed: Vec<String> = prefixes.iter().map(Prefix::to_string).collect();
    let remedy = match listed.as_slice() {
        [] => "give the link the prefix around it: it has none".to_owned(),
        _ => format!("choose addresses in {}, or give the link another prefix", listed.join(" or ")),
    };
    faults.fault(item.place(), "lies outside the link's prefixes", remedy);
}

/// Reads a pool of prefixes.
pub(super) fn delegation_pool(
    item: &Item<'_>,
    terms: &mut Vec<PoolTerms>,
    taken: &mut Taken,
    faults: &mut Collector,
) -> Option<DelegationPool> {
    let mut table = item.table(faults)?;
    let from = table.require("prefix", "\"2001:db8:f000::/40\"", faults, |item, faults| {
        Some((prefix(item, faults)?, item.place().clone()))
    });
    let length = table.require("delegated-length", "56", faults, |item, faults| {
        delegated_length(item, from.as_ref(), faults)
    });
    let excluded = table
        .read("excluded-prefix", faults, |item, faults| excluded_prefix(item, from.as_ref(), length, faults));
    let options = table.read("options", faults, options::read);
    table.finish(faults);
    let ((prefix, place), delegated_length) = (from?, length?);
    let pool = DelegationPool { prefix, delegated_length, excluded };
    taken.note_delegation_pool(&pool, &place);
    note_options(terms, prefix.address(), prefix.last_address(), options);
    Some(pool)
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
