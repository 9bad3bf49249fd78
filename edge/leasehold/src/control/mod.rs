//! What an operator's commands and a server or relay say to each other on the control socket.
//!
//! One connection, one request. Both sides write JSON, an object a line: the client one [`Request`],
//! the program any number of items and then its last word ([`Line`]). Without the last word the
//! answer has broken off. Items are read and printed one at a time, so a long answer costs neither
//! side memory.

mod client;
mod counters;
mod delegations;
pub(crate) mod door;
mod filter;
mod incoming;
mod items;
mod routes;
mod servers;
mod status;
mod telling;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use client::{Answers, Failure, PARTIAL, Place, ask};
pub use counters::{Bulk, Counters, Leasequeries, Messages, SocketCounters};
pub use delegations::{Clearing, Delegation, DelegationFilter, ToldBy, Unplaced};
pub use filter::{Filter, State};
pub use incoming::Incoming;
pub use items::{Client, Connection, Ended, InWork, Lease, Leased, Link, Pool, PoolRange, Query};
pub use routes::{Route, RouteFilter, RouteKind, RouteState};
pub use servers::{Server, ServerState};
pub use status::{Delegated, Progress, RelayCounters, RelayMessages, RelayState, RelayStatus, RouteCounts};
pub use telling::{Announcement, Outcome, Telling, Told};

/// Octets of a request: a filter with the longest identifiers that are in use anywhere.
pub const MAX_REQUEST_OCTETS: usize = 16 * 1024;

/// What is asked for: of a server or of a relay, and the other one refuses it. Whoever does not know a
/// part of it refuses all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Each [`Client`] with leases that are meant.
    Bindings(Filter),
    /// Each [`Link`].
    Links,
    /// Each [`Query`], and each connection.
    Queries,
    /// One [`Counters`].
    Counters,
    /// To release the active leases that are meant: each [`Client`] with them, as they were before.
    Release(Filter),
    /// What that would release.
    WouldRelease(Filter),
    /// To have clients told to speak up: each that is meant, as [`Told`].
    Reconfigure(Telling),
    /// Of a relay: one [`RelayStatus`].
    Relay,
    /// Of a relay: each [`Delegation`] that is meant.
    Delegations(DelegationFilter),
    /// Of a relay: each [`Unplaced`] lease that is meant.
    Unplaced(DelegationFilter),
    /// Of a relay: each [`Route`] that is meant.
    Routes(RouteFilter),
    /// Of a relay: each [`Server`].
    Servers,
    /// Of a relay, to forget delegations: each [`Delegation`] that is meant, as it was before.
    Clear(Clearing),
    /// Of a relay, to ask all servers again: its [`RelayStatus`], and if it is waited for, another one
    /// whenever there is news, until every server has answered or one cannot.
    Refresh {
        /// Say how it goes on, and how it ends.
        wait: bool,
    },
}

/// Why a server refuses what only a relay can do.
pub const IS_A_SERVER: &str = "this is a server: ask its relay";
/// Why a relay refuses what only a server can do.
pub const IS_A_RELAY: &str = "this is a relay: ask its server";

/// A line of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line<T> {
    /// One of many.
    Item(T),
    /// Nothing comes behind it.
    End(End),
}

/// How an answer ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// That was all.
    Complete,
    /// The request makes no sense here.
    Refused(String),
    /// Something has gone wrong in between.
    Failed(String),
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bindings(filter) => write!(f, "bindings {filter}"),
            Self::Links => f.write_str("links"),
            Self::Queries => f.write_str("queries"),
            Self::Counters => f.write_str("counters"),
            Self::Release(filter) => write!(f, "release {filter}"),
            Self::WouldRelease(filter) => write!(f, "release --dry-run {filter}"),
            Self::Reconfigure(telling) => write!(f, "reconfigure {telling}"),
            Self::Relay => f.write_str("relay"),
            Self::Delegations(filter) => write!(f, "delegations {filter}"),
            Self::Unplaced(filter) => write!(f, "delegations --unplaced {filter}"),
            Self::Routes(filter) => write!(f, "routes {filter}"),
            Self::Servers => f.write_str("servers"),
            Self::Clear(clearing) => write!(f, "clear delegation {clearing}"),
            Self::Refresh { wait } => write!(f, "refresh{}", if *wait { " --wait" } else { "" }),
        }
    }
}
