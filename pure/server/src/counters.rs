//! What has happened, as numbers that only grow.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use wire::StatusCode;

use crate::Discard;

/// Counters of one server. Reading and counting need no lock.
#[derive(Debug, Default)]
pub struct Counters {
    /// Connections taken.
    pub connections_opened: AtomicU64,
    /// Connections closed at once: too many, or not permitted.
    pub connections_refused: AtomicU64,
    /// Connections closed because a limit of time ran out.
    pub connections_timed_out: AtomicU64,
    /// Queries answered over UDP, whatever the status.
    pub datagrams_answered: AtomicU64,
    /// Queries answered over TCP, whatever the status.
    pub bulk_queries: AtomicU64,
    /// Queries whose transaction id was in work already (RFC 5460 §6.5).
    pub duplicate_transaction_ids: AtomicU64,
    /// Clients sent.
    pub clients_sent: AtomicU64,
    /// Leases sent.
    pub leases_sent: AtomicU64,
    /// Octets of messages made for TCP, frames included.
    pub bulk_octets: AtomicU64,
    discards: [AtomicU64; Discard::ALL.len()],
    statuses: [AtomicU64; 16],
}

impl Counters {
    /// Counts a message dropped.
    pub fn discard(&self, reason: Discard) {
        add(&self.discards[reason as usize], 1);
    }

    /// Messages dropped for this reason.
    pub fn discarded(&self, reason: Discard) -> u64 {
        self.discards[reason as usize].load(Relaxed)
    }

    /// Counts an answer by its status.
    pub fn status(&self, code: StatusCode) {
        if let Some(counter) = self.statuses.get(usize::from(code.0)) {
            add(counter, 1);
        }
    }

    /// Answers with this status.
    pub fn answered(&self, code: StatusCode) -> u64 {
        self.statuses.get(usize::from(code.0)).map_or(0, |counter| counter.load(Relaxed))
    }
}

/// Adds to a counter.
pub fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Relaxed);
}
