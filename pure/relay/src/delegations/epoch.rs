//! Epochs: one recovery, from the first question to the last server's DONE.
//!
//! What is spoken of in an epoch, by a Reply or by a server, is confirmed. When every server has
//! answered completely, what was not confirmed is swept. Where that does not come to pass, nothing is:
//! silence never ends a delegation.
//!
//! While an epoch runs, what ends leaves a *grave*: who held it, and when it ended. An answer that was
//! on its way meanwhile and speaks of a time before does not bring it back. Graves are forgotten with
//! the epoch, for answers to later questions know of the end.
//!
//! There is room for `MAX_GRAVES`. When it is used up, further ends are remembered by one moment, that
//! of the last of them: from then on, answers about what is not held are *withheld* if they are older
//! than that. So nothing is resurrected, nothing that is held suffers, and who is withheld comes back
//! with the next epoch, which should follow at once.

use std::collections::BTreeMap;

use wire::Prefix;

use super::held::{DelegationRef, Holder};
use super::{Delegations, Verdict};
use crate::limits::MAX_GRAVES;
use crate::moment::Moment;

/// How an epoch has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochEnd {
    /// Delegations that nobody has spoken of, and that are dropped.
    pub swept: usize,
    /// Words of servers that could not be believed because too much had ended meanwhile. If there are
    /// any, the servers are to be asked again.
    pub withheld: usize,
}

#[derive(Debug, Default)]
pub(super) struct Epoch {
    is_running: bool,
    graves: BTreeMap<Prefix, Grave>,
    /// When the last one ended for which there was no grave.
    unburied: Option<Moment>,
    withheld: usize,
}

#[derive(Debug)]
struct Grave {
    holder: Holder,
    ended: Moment,
}

impl Epoch {
    /// Remembers the end of what was held.
    pub(super) fn bury(&mut self, prefix: Prefix, holder: &Holder, ended: Moment) {
        if !self.is_running {
            return;
        }
        if self.graves.len() < MAX_GRAVES || self.graves.contains_key(&prefix) {
            self.graves.insert(prefix, Grave { holder: holder.clone(), ended });
        } else {
            self.unburied = self.unburied.max(Some(ended));
        }
    }

    /// Remembers the end of what is not held, or not by whom it was said of: it may come with an answer.
    /// Anybody can say so of any prefix. So it costs nobody else their grave, and at most half the room.
    pub(super) fn bury_unknown(&mut self, prefix: Prefix, holder: Holder, ended: Moment) {
        if self.is_running && self.graves.len() < MAX_GRAVES / 2 {
            self.graves.entry(prefix).or_insert(Grave { holder, ended });
        }
    }

    pub(super) fn unbury(&mut self, prefix: Prefix) {
        self.graves.remove(&prefix);
    }

    /// What is to be said to a word that was heard so long ago, if it is not to be believed.
    pub(super) fn refuses(
        &mut self,
        prefix: Prefix,
        holder: &Holder,
        heard: Moment,
        is_held: bool,
    ) -> Option<Verdict> {
        let grave = self.graves.get(&prefix).filter(|grave| grave.holder == *holder);
        if grave.is_some_and(|grave| heard <= grave.ended) {
            return Some(Verdict::Stale);
        }
        if !is_held && self.unburied.is_some_and(|ended| heard <= ended) {
            self.withheld += 1;
            return Some(Verdict::Withheld);
        }
        None
    }
}

impl Delegations {
    /// Begins an epoch: to be called before the first server is asked. One that is running begins
    /// again, with what has ended in it still remembered.
    pub fn begin_epoch(&mut self) {
        self.table.doubt_all();
        self.epoch.is_running = true;
        self.epoch.unburied = None;
        self.epoch.withheld = 0;
    }

    /// Ends the epoch after every server has answered completely, and drops what was not confirmed,
    /// where `may_go` says that the servers' silence is evidence.
    ///
    /// # Panics
    ///
    /// When none is running: what nobody was asked about must not be swept.
    pub fn end_epoch(&mut self, may_go: impl Fn(DelegationRef<'_>) -> bool) -> EpochEnd {
        assert!(self.epoch.is_running, "an epoch ends that has not begun");
        let withheld = std::mem::take(&mut self.epoch).withheld;
        let unconfirmed = self.table.all_after(None).filter(|(_, held)| !held.confirmed);
        let over = unconfirmed.filter(|(prefix, held)| may_go(held.view(*prefix)));
        let swept: Vec<Prefix> = over.map(|(prefix, _)| prefix).collect();
        for prefix in &swept {
            self.table.remove(*prefix);
            self.changes.note_way(*prefix);
        }
        EpochEnd { swept: swept.len(), withheld }
    }

    /// Ends the epoch without an answer from every server: nothing is dropped.
    pub fn abandon_epoch(&mut self) {
        self.epoch = Epoch::default();
    }

    /// Whether an epoch is running.
    pub fn epoch_is_running(&self) -> bool {
        self.epoch.is_running
    }
}
