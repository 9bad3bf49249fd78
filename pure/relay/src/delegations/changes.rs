//! The log of what has changed: a set of prefixes, so that however often one changes between two
//! looks, it is looked at once. What it is now, the table says; if it has none, it has ended.

use std::collections::BTreeMap;

use wire::Prefix;

use super::Delegations;

/// A prefix of which something has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changed {
    /// Which.
    pub prefix: Prefix,
    /// Whether it has come, gone, or has another holder or next hop, so that routes and filters
    /// follow. Otherwise only its times have changed, which is for whoever writes them down.
    pub way: bool,
}

#[derive(Debug, Default)]
pub(super) struct Changes(BTreeMap<Prefix, bool>);

impl Changes {
    pub(super) fn note_way(&mut self, prefix: Prefix) {
        self.0.insert(prefix, true);
    }

    pub(super) fn note_times(&mut self, prefix: Prefix) {
        self.0.entry(prefix).or_insert(false);
    }
}

impl Delegations {
    /// The next changes, at most so many, in the order of the prefixes; they are not given again. The
    /// one caller hands them to all who follow.
    pub fn take_changed(&mut self, most: usize) -> Vec<Changed> {
        let changes = &mut self.changes.0;
        let next = std::iter::from_fn(|| changes.pop_first()).take(most);
        next.map(|(prefix, way)| Changed { prefix, way }).collect()
    }

    /// Whether there are changes to be taken.
    pub fn has_changed(&self) -> bool {
        !self.changes.0.is_empty()
    }
}
