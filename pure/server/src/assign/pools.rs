//! All pools, found by link and by address.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;

use lease::{IaKind, Link, LinkId, Links};

use super::pool::Pool;

#[derive(Debug, Default)]
pub(super) struct Pools {
    /// As configured, link by link.
    all: Vec<Pool>,
    by_link: BTreeMap<LinkId, Vec<usize>>,
    /// By their lowest address, each with the highest address of it and all before it: pools may
    /// overlap.
    by_first: Vec<(Ipv6Addr, Ipv6Addr, usize)>,
}

impl Pools {
    pub(super) fn new(links: &Links) -> Self {
        let mut pools = Self::default();
        for link in links.iter() {
            for pool in of_link(link) {
                pools.by_link.entry(link.id).or_default().push(pools.all.len());
                pools.all.push(pool);
            }
        }
        let firsts = pools.all.iter().enumerate().map(|(place, pool)| (pool.first(), pool.last(), place));
        let mut by_first: Vec<_> = firsts.collect();
        by_first.sort_unstable();
        let mut highest = Ipv6Addr::UNSPECIFIED;
        for (_, last, _) in &mut by_first {
            highest = highest.max(*last);
            *last = highest;
        }
        pools.by_first = by_first;
        pools
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Pool> {
        self.all.iter_mut()
    }

    /// The pools of a link, in the order configured.
    pub(super) fn of_link(&self, link: LinkId, kind: IaKind) -> impl Iterator<Item = &Pool> {
        let places = self.by_link.get(&link).into_iter().flatten();
        places.map(|place| &self.all[*place]).filter(move |pool| pool.kind() == kind)
    }

    /// Does something with every pool that has an address between two.
    pub(super) fn visit(&mut self, first: Ipv6Addr, last: Ipv6Addr, mut work: impl FnMut(&mut Pool)) {
        let end = self.by_first.partition_point(|(begin, _, _)| *begin <= last);
        let near = self.by_first[..end].iter().rev().take_while(|(_, highest, _)| *highest >= first);
        for (_, _, place) in near {
            let pool = &mut self.all[*place];
            if pool.last() >= first {
                work(pool);
            }
        }
    }
}

fn of_link(link: &Link) -> impl Iterator<Item = Pool> {
    let addresses = link.address_pools.iter().filter_map(Pool::of_addresses);
    addresses.chain(link.delegation_pools.iter().filter_map(Pool::of_prefixes))
}
