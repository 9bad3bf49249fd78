//! What stays with the delegating side of each prefix that is delegated (RFC 6603).
//!
//! No exclusion is written down by itself: a pool says what it is for each of its parts, and the pool
//! is found by the addresses it spans. A prefix is a part of one pool at most, because a configuration
//! gives each address to one.

use lease::{DelegationPool, Links};
use wire::Prefix;

use super::spans::Spans;

/// The pools that leave something out.
#[derive(Debug, Default)]
pub(super) struct Exclusions {
    by_span: Spans<Vec<DelegationPool>>,
}

impl Exclusions {
    pub(super) fn new(links: &Links) -> Self {
        let mut by_span: Spans<Vec<DelegationPool>> = Spans::default();
        let pools = links.iter().flat_map(|link| &link.delegation_pools);
        for pool in pools.filter(|pool| pool.excluded.is_some()) {
            match by_span.get_mut(pool.prefix) {
                Some(pools) => pools.push(*pool),
                None => _ = by_span.insert(pool.prefix, vec![*pool]),
            }
        }
        Self { by_span }
    }

    /// What stays with the delegating side when this prefix is delegated.
    pub(super) fn excluded_from(&self, prefix: Prefix) -> Option<Prefix> {
        self.pools_around(prefix).find_map(|pool| pool.excluded_from(prefix))
    }

    /// Whether all of this stays with the delegating side, whoever is delegated the prefix around it.
    pub(super) fn leave_out(&self, prefix: Prefix) -> bool {
        self.pools_around(prefix).any(|pool| pool.leaves_out(prefix))
    }

    /// Whether two resources cannot be given both, going by what they span. An address may lie in what
    /// a delegation excludes; a prefix may not.
    pub(super) fn keep_apart(&self, a: Prefix, b: Prefix) -> bool {
        let (outer, inner) = if a.length() <= b.length() { (a, b) } else { (b, a) };
        let is_left_out =
            || inner.length() == 128 && self.excluded_from(outer).is_some_and(|part| part.covers(inner));
        outer.covers(inner) && !is_left_out()
    }

    fn pools_around(&self, prefix: Prefix) -> impl Iterator<Item = &DelegationPool> {
        let near = self.by_span.between(prefix.address(), prefix.address());
        near.flat_map(|(_, pools)| pools).filter(move |pool| pool.prefix.covers(prefix))
    }
}
