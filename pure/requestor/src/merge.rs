//! What several servers say, in several messages each, as one list (RFC 5007 §4.3.4).
//!
//! The unit is the lease of a client: one server may tell of a client in many messages, and two
//! may know different leases of it. For one lease, whoever heard the client last is believed, by
//! CLT_TIME counted back from the receipt; and of one server, the later message. Everybody who
//! told of a lease is remembered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use wire::Duid;
use world::Instant;

use crate::record::{ClientRecord, LeaseRecord, RelayRecord};

/// Which server, by whatever number the caller gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceId(pub usize);

/// The united word of all servers.
#[derive(Debug, Clone, Default)]
pub struct Merged {
    /// The leases of a client in order of what is leased: few, so a list and not a tree.
    clients: BTreeMap<Duid, Vec<MergedLease>>,
    split: BTreeSet<SourceId>,
}

/// A lease, by the word of the server believed.
#[derive(Debug, Clone)]
pub struct MergedLease {
    /// The lease.
    pub lease: LeaseRecord,
    /// What the message said beside it.
    pub told: Arc<Told>,
    /// Every server that told of it, in the order in which they did.
    pub told_by: Vec<SourceId>,
}

/// One message's word, without its leases.
#[derive(Debug, PartialEq, Eq)]
pub struct Told {
    /// Which server's.
    pub source: SourceId,
    /// When the message was received.
    pub received: Instant,
    /// Seconds between the client's last word to the server and the receipt; `None` is unknown.
    pub last_heard_secs: Option<u32>,
    /// The relays through which the server heard the client.
    pub relay: Option<RelayRecord>,
}

impl Told {
    /// When the client was last heard, for comparison: `None`, unknown, is before all else.
    fn heard_at_millis(&self) -> Option<i128> {
        let received = self.received.since(Instant::default()).as_millis();
        let age = Duration::from_secs(self.last_heard_secs?.into()).as_millis();
        Some(received as i128 - age as i128)
    }

    /// Whether this is believed rather than `other`.
    fn beats(&self, other: &Self) -> bool {
        let (mine, theirs) = (self.heard_at_millis(), other.heard_at_millis());
        if self.source == other.source { mine >= theirs } else { mine > theirs }
    }

    /// Seconds since the client was last heard; `None` is unknown.
    pub fn silent_secs(&self, now: Instant) -> Option<u64> {
        Some(u64::from(self.last_heard_secs?) + now.since(self.received).as_secs())
    }
}

impl MergedLease {
    fn new(lease: LeaseRecord, told: Arc<Told>) -> Self {
        Self { lease, told_by: vec![told.source], told }
    }

    fn hear(&mut self, lease: LeaseRecord, told: &Arc<Told>) {
        if !self.told_by.contains(&told.source) {
            self.told_by.push(told.source);
        }
        if told.beats(&self.told) {
            self.lease = lease;
            self.told = told.clone();
        }
    }
}

impl Merged {
    /// Adds one message's word.
    pub fn add(&mut self, source: SourceId, record: ClientRecord) {
        let ClientRecord { client_id, received, last_heard_secs, relay, leases } = record;
        let told = Arc::new(Told { source, received, last_heard_secs, relay });
        let known = self.clients.entry(client_id).or_default();
        if known.iter().any(|lease| lease.told_by.contains(&source)) {
            self.split.insert(source);
        }
        known.reserve_exact(leases.len());
        for lease in leases {
            match known.binary_search_by_key(&lease.resource, |known| known.lease.resource) {
                Ok(at) => known[at].hear(lease, &told),
                Err(at) => known.insert(at, MergedLease::new(lease, told.clone())),
            }
        }
    }

    /// The clients in order, each with its leases in order.
    pub fn clients(&self) -> impl Iterator<Item = (&Duid, impl Iterator<Item = &MergedLease>)> {
        self.clients.iter().map(|(client, leases)| (client, leases.iter()))
    }

    /// How many clients there are.
    pub fn client_count(&self) -> usize {
        self.clients.len()
    }

    /// Which servers told of a client in more than one message.
    pub fn split_sources(&self) -> impl Iterator<Item = SourceId> {
        self.split.iter().copied()
    }
}
