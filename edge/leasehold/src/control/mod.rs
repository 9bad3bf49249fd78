//! What an operator's commands and the server say to each other on the control socket.
//!
//! One connection, one request. Both sides write JSON, an object a line: the client one [`Request`],
//! the server any number of items and then its last word ([`Line`]). Without the last word the
//! answer has broken off. Items are read and printed one at a time, so a long answer costs neither
//! side memory.

mod client;
mod counters;
pub(crate) mod door;
mod filter;
mod items;
mod telling;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use client::{Answers, Failure, PARTIAL, Place, ask};
pub use counters::{Bulk, Counters, Leasequeries, Messages, SocketCounters};
pub use filter::{Filter, State};
pub use items::{Client, Connection, Ended, InWork, Lease, Leased, Link, Pool, PoolRange, Query};
pub use telling::{Announcement, Outcome, Telling, Told};

/// Octets of a request: a filter with the longest identifiers that are in use anywhere.
pub const MAX_REQUEST_OCTETS: usize = 16 * 1024;

/// What is asked for. A server that does not know a part of it refuses all of it.
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
}

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
        }
    }
}
