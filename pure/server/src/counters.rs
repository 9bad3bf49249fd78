//! What has happened, as numbers that only grow.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use wire::{MessageType, StatusCode};

use crate::Discard;

/// Counters of one server. Reading and counting need no lock.
#[derive(Debug, Default)]
pub struct Counters {
    /// Connections taken.
    pub connections_opened: AtomicU64,
    /// Connections closed at once: too many, or not permitted.
    pub connections_refused: AtomicU64,
    /// Connections closed because somebody else got their place.
    pub connections_displaced: AtomicU64,
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
    received: PerType,
    sent: PerType,
    discards: [AtomicU64; Discard::ALL.len()],
    statuses: [AtomicU64; 16],
}

impl Counters {
    /// Counts a message that has arrived over UDP, by its type without relays around it.
    pub fn received(&self, message_type: MessageType) {
        self.received.count(message_type);
    }

    /// Counts an answer to a client, likewise.
    pub fn sent(&self, message_type: MessageType) {
        self.sent.count(message_type);
    }

    /// Messages received and sent, for each type of which there were any.
    pub fn messages(&self) -> impl Iterator<Item = (MessageType, u64, u64)> {
        let all = MessageType::ALL.iter().map(|kind| (*kind, self.received.of(*kind), self.sent.of(*kind)));
        all.filter(|(_, received, sent)| received + sent > 0)
    }

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

/// A counter for each type of message.
#[derive(Debug)]
struct PerType([AtomicU64; MessageType::ALL.len() + 1]);

impl PerType {
    fn count(&self, message_type: MessageType) {
        add(&self.0[message_type as usize], 1);
    }

    fn of(&self, message_type: MessageType) -> u64 {
        self.0[message_type as usize].load(Relaxed)
    }
}

impl Default for PerType {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

/// Adds to a counter.
pub fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_which_there_were_none_are_not_listed() {
        let counters = Counters::default();
        counters.received(MessageType::Solicit);
        counters.received(MessageType::Solicit);
        counters.sent(MessageType::Reply);
        let listed: Vec<_> = counters.messages().collect();
        assert_eq!(listed, [(MessageType::Solicit, 2, 0), (MessageType::Reply, 0, 1)]);
    }
}
