//! The server's counters, as they are shown. All but ages and sizes only grow.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// All of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Seconds since the server has started.
    pub uptime_secs: u64,
    /// Clients in the table.
    pub clients: u64,
    /// The number of the latest change.
    pub changed_seq: u64,
    /// The number of the latest change that is durable.
    pub durable_seq: u64,
    /// Over UDP, by type, relays taken off.
    pub messages: BTreeMap<String, Messages>,
    /// What was dropped, by reason.
    pub discards: BTreeMap<String, u64>,
    /// Leasequeries over UDP and TCP.
    pub leasequeries: Leasequeries,
    /// Connections of bulk leasequery.
    pub bulk: Bulk,
    /// The sockets for datagrams, by address.
    pub sockets: BTreeMap<String, SocketCounters>,
}

/// Messages of one type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Messages {
    /// Taken in.
    pub received: u64,
    /// Sent.
    pub sent: u64,
}

/// Leasequeries over UDP and TCP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leasequeries {
    /// Answered over UDP.
    pub udp: u64,
    /// Answered over TCP.
    pub tcp: u64,
    /// Dropped because the transaction id was in work already.
    pub duplicate_transaction_ids: u64,
    /// Answers by status.
    pub statuses: BTreeMap<String, u64>,
}

/// Connections of bulk leasequery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bulk {
    /// Open now.
    pub connections: u64,
    /// Taken.
    pub opened: u64,
    /// Closed at once.
    pub refused: u64,
    /// Closed because somebody else got their place.
    pub displaced: u64,
    /// Closed because a limit of time ran out.
    pub timed_out: u64,
    /// Clients sent.
    pub clients: u64,
    /// Leases sent.
    pub leases: u64,
    /// Octets made.
    pub octets: u64,
}

/// A socket for datagrams.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SocketCounters {
    /// Received whole.
    pub received: u64,
    /// Came in cut, and were dropped.
    pub cut: u64,
    /// Handed to the kernel.
    pub sent: u64,
    /// Refused by the kernel.
    pub refused: u64,
    /// Dropped because the socket stayed full.
    pub stalled: u64,
    /// Attempts to join a group that failed.
    pub join_failures: u64,
}
