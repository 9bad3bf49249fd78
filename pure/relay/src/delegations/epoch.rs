//! Epochs: one recovery, from the first question to the last server's DONE.
//!
//! What is spoken of in an epoch, by a Reply or by a server, is confirmed. When the servers have
//! answered completely, what was not confirmed is swept. Where that does not come to pass, nothing is:
//! silence never ends a delegation. While an epoch runs, what ends leaves a grave (`graves`).

use wire::Prefix;
use world::Instant;

use super::Delegations;
use super::graves::Graves;
use super::held::{DelegationRef, Holder};
use crate::moment::Moment;

/// The graves of the epoch that is running.
pub(super) type Epoch = Option<Graves>;

/// How an epoch has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochEnd {
    /// Delegations that nobody has spoken of, and that are dropped.
    pub swept: usize,
    /// Words of servers that could not be believed because too much had ended meanwhile. If there are
    /// any, the servers are to be asked again.
    pub withheld: usize,
}

impl Delegations {
    /// Begins an epoch: to be called before the first server is asked. One that is running begins
    /// again, with what has ended in it still remembered.
    pub fn begin_epoch(&mut self) {
        self.table.doubt_all();
        self.epoch.get_or_insert_default().forgive();
    }

    /// Ends the epoch after every server has answered completely, and drops what nobody has spoken of,
    /// where `may_go` says that the servers' silence is evidence.
    ///
    /// # Panics
    ///
    /// When none is running: what nobody was asked about must not be swept.
    pub fn end_epoch(&mut self, may_go: impl Fn(DelegationRef<'_>) -> bool) -> EpochEnd {
        let graves = self.epoch.take().expect("an epoch that ends has begun");
        let unconfirmed = self.table.all_after(None).filter(|(_, held)| !held.confirmed);
        let over = unconfirmed.filter(|(prefix, held)| may_go(held.view(*prefix)));
        let swept: Vec<Prefix> = over.map(|(prefix, _)| prefix).collect();
        for prefix in &swept {
            self.table.remove(*prefix);
            self.changes.note_way(*prefix);
        }
        EpochEnd { swept: swept.len(), withheld: graves.withheld() }
    }

    /// Ends the epoch without an answer from every server: nothing is dropped.
    pub fn abandon_epoch(&mut self) {
        self.epoch = None;
    }

    /// Whether an epoch is running.
    pub fn epoch_is_running(&self) -> bool {
        self.epoch.is_some()
    }

    /// Remembers that somebody said of a prefix that it was theirs and is over, though it is not known
    /// to be.
    pub(super) fn bury_unknown(&mut self, prefix: Prefix, holder: Holder, ended: Moment, now: Instant) {
        if let Some(graves) = &mut self.epoch {
            graves.bury_unknown(prefix, holder, ended, now);
        }
    }
}
