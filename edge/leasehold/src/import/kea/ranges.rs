//! Addresses that may be claimed once, and the pools of all links in the order of addresses.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;

use lease::Link;

/// Ranges of which no two have an address in common, and who claimed each.
#[derive(Debug, Default)]
pub(super) struct Ranges {
    by_first: BTreeMap<Ipv6Addr, (Ipv6Addr, String)>,
}

impl Ranges {
    /// Claims from the first to the last, both included; or says who has claimed a part of it.
    pub(super) fn claim(&mut self, first: Ipv6Addr, last: Ipv6Addr, path: &str) -> Result<(), &str> {
        let overlapping = self.by_first.range(..=last).next_back().filter(|(_, (end, _))| *end >= first);
        if let Some(claimed) = overlapping.map(|(claimed, _)| *claimed) {
            return Err(self.by_first.get(&claimed).map_or("", |(_, path)| path));
        }
        self.by_first.insert(first, (last, path.to_owned()));
        Ok(())
    }
}

/// The pools of all links, of which no two have an address in common.
#[derive(Debug)]
pub(super) struct Pools {
    by_first: Vec<Pool>,
}

/// A pool, of addresses or prefixes.
#[derive(Debug)]
pub(super) struct Pool {
    first: Ipv6Addr,
    last: Ipv6Addr,
    /// Where its link is among the links.
    pub(super) link: usize,
}

impl Pools {
    pub(super) fn of(links: &[Link]) -> Self {
        let mut by_first: Vec<Pool> =
            links.iter().enumerate().flat_map(|(link, of)| pools(link, of)).collect();
        by_first.sort_unstable_by_key(|pool| pool.first);
        Self { by_first }
    }

    /// Those that have an address from the first to the last, both included.
    pub(super) fn overlapping(&self, first: Ipv6Addr, last: Ipv6Addr) -> impl Iterator<Item = &Pool> {
        let start = self.by_first.partition_point(|pool| pool.last < first);
        self.by_first[start..].iter().take_while(move |pool| pool.first <= last)
    }
}

fn pools(link: usize, of: &Link) -> impl Iterator<Item = Pool> {
    let addresses = of.address_pools.iter().map(|pool| (pool.first, pool.last));
    let prefixes = of.delegation_pools.iter().map(|pool| (pool.prefix.address(), pool.prefix.last_address()));
    addresses.chain(prefixes).map(move |(first, last)| Pool { first, last, link })
}
