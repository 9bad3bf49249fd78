//! What has happened, as numbers that only grow.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use wire::MessageType;

use crate::Discard;

/// With whom a relay speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Peer {
    /// A client.
    Client,
    /// A relay nearer to the clients.
    Relay,
    /// A server, or a relay nearer to the servers.
    Server,
}

/// Counters of one relay. Reading and counting need no lock.
#[derive(Debug, Default)]
pub struct Counters {
    received: [PerType; 3],
    forwarded: PerType,
    delivered: PerType,
    discards: [AtomicU64; Discard::ALL.len()],
}

/// How often there was one type of message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Messages {
    /// Which type; `None` stands for all that are not known.
    pub message_type: Option<MessageType>,
    /// Received from clients.
    pub from_clients: u64,
    /// Received from relays nearer to the clients.
    pub from_relays: u64,
    /// Received from upstream.
    pub from_servers: u64,
    /// Wrapped for the servers; once, however many servers there are.
    pub forwarded: u64,
    /// Unwrapped for clients and relays.
    pub delivered: u64,
}

impl Counters {
    /// Counts a message that has arrived.
    pub fn received(&self, from: Peer, octets: &[u8]) {
        self.received[from as usize].count(octets);
    }

    /// Counts a message that has been wrapped, by what is inside.
    pub fn forwarded(&self, octets: &[u8]) {
        self.forwarded.count(octets);
    }

    /// Counts a message that has been unwrapped, likewise.
    pub fn delivered(&self, octets: &[u8]) {
        self.delivered.count(octets);
    }

    /// Counts a message dropped.
    pub fn discard(&self, reason: Discard) {
        self.discards[reason as usize].fetch_add(1, Relaxed);
    }

    /// Messages dropped for this reason.
    pub fn discarded(&self, reason: Discard) -> u64 {
        self.discards[reason as usize].load(Relaxed)
    }

    /// Each type of which there were any; the unknown ones last.
    pub fn messages(&self) -> impl Iterator<Item = Messages> {
        let types = MessageType::ALL.iter().copied().map(Some).chain([None]);
        types.map(|message_type| self.of(message_type)).filter(Messages::were_any)
    }

    fn of(&self, message_type: Option<MessageType>) -> Messages {
        let received = |from: Peer| self.received[from as usize].of(message_type);
        Messages {
            message_type,
            from_clients: received(Peer::Client),
            from_relays: received(Peer::Relay),
            from_servers: received(Peer::Server),
            forwarded: self.forwarded.of(message_type),
            delivered: self.delivered.of(message_type),
        }
    }
}

impl Messages {
    fn were_any(&self) -> bool {
        let Self { message_type: _, from_clients, from_relays, from_servers, forwarded, delivered } = self;
        [from_clients, from_relays, from_servers, forwarded, delivered].into_iter().any(|count| *count > 0)
    }
}

/// A counter for each type of message, by its number; the first one is for unknown types.
#[derive(Debug)]
struct PerType([AtomicU64; MessageType::ALL.len() + 1]);

impl PerType {
    fn count(&self, octets: &[u8]) {
        let known = octets.first().and_then(|number| MessageType::try_from(*number).ok());
        self.0[place(known)].fetch_add(1, Relaxed);
    }

    fn of(&self, message_type: Option<MessageType>) -> u64 {
        self.0[place(message_type)].load(Relaxed)
    }
}

impl Default for PerType {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

fn place(message_type: Option<MessageType>) -> usize {
    message_type.map_or(0, |known| known as usize)
}
