//! How a relay is, in one look: whether it has all its delegations back, how many there are, and
//! what it has forwarded.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A relay, as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelayStatus {
    /// Its DUID.
    pub relay_id: String,
    /// The program's version.
    pub version: String,
    /// Seconds since it was started.
    pub uptime_secs: u64,
    /// How far its knowledge can be trusted.
    pub state: RelayState,
    /// Seconds since that is so.
    pub since_secs: u64,
    /// Why it is degraded: which server, and what is wrong there.
    pub why: Option<String>,
    /// What the servers have told in this recovery, or in the latest one.
    pub recovery: Progress,
    /// What is delegated through it.
    pub delegations: Delegated,
    /// Its routes, by what has become of them.
    pub routes: RouteCounts,
    /// Interfaces towards clients that are there.
    pub ports: u64,
    /// Messages and discards since it was started.
    pub counters: RelayCounters,
}

/// How far a relay's knowledge can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RelayState {
    /// Servers are being asked: there may be more than is known.
    Recovering,
    /// Every server has told all it knows.
    InSync,
    /// A server has not told all it knows, and is tried again: there may be more than is known.
    Degraded,
    /// No server is asked: what is known is what has passed, and what was written down.
    NotAsking,
}

impl fmt::Display for RelayState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Recovering => "recovering",
            Self::InSync => "in sync",
            Self::Degraded => "degraded",
            Self::NotAsking => "not asking",
        })
    }
}

/// How far a recovery has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Servers that are asked.
    pub servers: u64,
    /// Those that have told all they know.
    pub servers_done: u64,
    /// Clients told of.
    pub clients: u64,
    /// Leases told of.
    pub leases: u64,
    /// Leases told of whose place here is not known.
    pub unplaced: u64,
}

/// As in a line of progress.
impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { servers, servers_done, clients, leases, unplaced } = self;
        write!(f, "{servers_done} of {servers} servers done, {clients} clients, {leases} leases")?;
        if *unplaced > 0 {
            write!(f, ", {unplaced} of them unplaced")?;
        }
        Ok(())
    }
}

/// How much is delegated.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delegated {
    /// Prefixes.
    pub prefixes: u64,
    /// Addresses.
    pub addresses: u64,
}

/// Routes, by what has become of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteCounts {
    /// There shall be so many; those that are refused do not count.
    pub wanted: u64,
    /// In the kernel, as they shall be.
    pub installed: u64,
    /// On their way to the kernel.
    pub pending: u64,
    /// Waiting for their interface.
    pub waiting: u64,
    /// In the kernel, with nothing known yet that wants them.
    pub unproven: u64,
    /// Not in the kernel because somebody else's route stands there.
    pub conflicts: u64,
    /// Not allowed by the configuration or by what is connected.
    pub refused: u64,
    /// Not taken by the kernel.
    pub failed: u64,
    /// On their way out of the kernel.
    pub leaving: u64,
}

/// What a relay counts. All of it only grows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelayCounters {
    /// By the type of what clients and servers say to each other, relays taken off.
    pub messages: BTreeMap<String, RelayMessages>,
    /// What was dropped, by reason.
    pub discards: BTreeMap<String, u64>,
}

/// Messages of one type.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelayMessages {
    /// Taken in.
    pub received: u64,
    /// Sent to servers; once, however many there are.
    pub forwarded: u64,
    /// Sent to clients, or to relays before them.
    pub delivered: u64,
}
