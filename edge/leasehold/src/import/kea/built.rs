//! Links as they are made, and what has to be known of them when reservations are read.

use std::collections::BTreeMap;

use lease::{DelegationPool, Link};
use server::exchange::LinkTerms;
use wire::Prefix;

use super::scope::Scope;
use super::setting::Setting;

/// A subnet, as far as reservations need to know it.
#[derive(Debug)]
pub(super) struct Site<'v> {
    pub(super) at: Scope<'v>,
    /// Where its link is in [`Built::links`].
    pub(super) link: usize,
    pub(super) setting: Setting<'v>,
    /// Whether its options are those of its pools, because its link has others.
    pub(super) is_shared: bool,
}

/// What has been made so far.
#[derive(Debug, Default)]
pub(super) struct Built<'v> {
    pub(super) links: Vec<Link>,
    /// The terms of each link.
    pub(super) terms: Vec<LinkTerms>,
    /// The numbers of the subnets on each link.
    pub(super) subnets: Vec<Vec<u32>>,
    pub(super) sites: Vec<Site<'v>>,
    /// The prefixes of all links, and where they stand.
    pub(super) prefixes: BTreeMap<Prefix, String>,
}

impl Built<'_> {
    /// A prefix on a link that is in the way of delegating this one: one that lies in it or around it, unless
    /// it lies in the part that is excluded from what a pool delegates.
    pub(super) fn on_link(&self, delegated: Prefix, pool: Option<&DelegationPool>) -> Option<(Prefix, &str)> {
        let around =
            (0..delegated.length()).filter_map(|length| Prefix::new(delegated.address(), length).ok());
        let around = around.filter_map(|around| self.prefixes.get_key_value(&around));
        let inside = self.prefixes.range(delegated..).take_while(|(other, _)| delegated.covers(**other));
        let mut all = around.chain(inside);
        let found = all.find(|(on_link, _)| !pool.is_some_and(|pool| pool.leaves_out(**on_link)));
        found.map(|(prefix, path)| (*prefix, path.as_str()))
    }
}
