//! What servers told of and no port is known for: kept to be shown, and not without limit.

use std::collections::BTreeMap;

use wire::{Duid, IaKind, Prefix};

use super::place::NoPlace;
use crate::delegations::ServerId;

/// A lease that no route can be made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unplaced {
    /// The prefix, or an address as a prefix of 128 bits.
    pub prefix: Prefix,
    /// Which of the two.
    pub kind: IaKind,
    /// Whose it is.
    pub client: Duid,
    /// Which server told of it.
    pub server: ServerId,
    /// What is missing.
    pub why: NoPlace,
}

/// Those of one server. A prefix stands here once, however often it is told.
#[derive(Debug, Default)]
pub(super) struct UnplacedLeases {
    by_prefix: BTreeMap<Prefix, Unplaced>,
    /// How often there was no room.
    more: u64,
}

impl UnplacedLeases {
    /// Keeps it if there is `room` for one more.
    pub(super) fn add(&mut self, unplaced: Unplaced, room: bool) {
        if room || self.by_prefix.contains_key(&unplaced.prefix) {
            self.by_prefix.insert(unplaced.prefix, unplaced);
        } else {
            self.more += 1;
        }
    }

    /// A place was found after all.
    pub(super) fn remove(&mut self, prefix: Prefix) {
        self.by_prefix.remove(&prefix);
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn kept(&self) -> usize {
        self.by_prefix.len()
    }

    pub(super) fn count(&self) -> u64 {
        self.by_prefix.len() as u64 + self.more
    }

    /// Whether this prefix may be among them.
    pub(super) fn may_hold(&self, prefix: Prefix) -> bool {
        self.more > 0 || self.by_prefix.contains_key(&prefix)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Unplaced> {
        self.by_prefix.values()
    }
}
