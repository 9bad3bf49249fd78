//! What an answer is made of. The keys are those of `leasehold query --format json` where they mean
//! the same; they are only ever added to.

use std::net::Ipv6Addr;

use serde::{Deserialize, Serialize};

use super::State;
use crate::relays::Hop;

/// A client on a link, with those of its leases that are meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// Its identifier.
    pub duid: String,
    /// The number of the link.
    pub link: u32,
    /// What the operator calls the link; `None` if it is not configured any more.
    pub link_name: Option<String>,
    /// Seconds since it was last heard; `None` is unknown.
    pub last_transaction_secs: Option<u64>,
    /// Of the relay nearest to the client.
    pub link_address: Option<Ipv6Addr>,
    /// The relay nearest to the server first.
    pub relay_path: Vec<Hop>,
    /// At least one.
    pub leases: Vec<Lease>,
}

/// One lease; 4294967295 seconds are for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// What is leased.
    #[serde(flatten)]
    pub leased: Leased,
    /// The client's number for the identity association.
    pub iaid: u32,
    /// What became of it.
    pub state: State,
    /// Seconds that remain of the preferred lifetime.
    pub preferred_secs: u32,
    /// Seconds that remain of the valid lifetime.
    pub valid_secs: u32,
    /// Seconds for which a lease that is not active is still remembered, or rests.
    pub kept_secs: Option<u32>,
}

/// An address, or a delegated prefix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Leased {
    /// In an IA_NA.
    Address {
        /// The address.
        address: String,
    },
    /// In an IA_PD.
    Prefix {
        /// The prefix.
        prefix: String,
    },
}

impl Leased {
    /// The address or prefix.
    pub fn text(&self) -> &str {
        match self {
            Self::Address { address } => address,
            Self::Prefix { prefix } => prefix,
        }
    }
}

/// A link as configured, and what is held of its pools.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Its number.
    pub link: u32,
    /// What the operator calls it.
    pub name: String,
    /// Prefixes that are on it.
    pub prefixes: Vec<String>,
    /// Interfaces of the server that are on it.
    pub interfaces: Vec<String>,
    /// What it gives from.
    pub pools: Vec<Pool>,
}

/// A pool, and how much of it is held, by clients of whatever link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// From where to where.
    #[serde(flatten)]
    pub range: PoolRange,
    /// How many addresses or prefixes there are; 18446744073709551615 is so many or more.
    pub size: u64,
    /// How many are a client's.
    pub assigned: u64,
    /// How many rest because a client has declined them.
    pub declined: u64,
}

/// From where to where a pool goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PoolRange {
    /// Addresses.
    Address {
        /// The lowest.
        first: Ipv6Addr,
        /// The highest.
        last: Ipv6Addr,
    },
    /// Prefixes.
    Prefix {
        /// What is delegated from.
        prefix: String,
        /// Bits of each part.
        delegated_length: u8,
    },
}

/// What is being asked, and what was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Query {
    /// An open connection.
    Connection(Connection),
    /// A query that was answered.
    Ended(Ended),
}

/// A connection of bulk leasequery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// Its address and port.
    pub requestor: String,
    /// Seconds since it was opened.
    pub open_secs: u64,
    /// What is being answered on it.
    pub in_work: Vec<InWork>,
}

/// A query that is being answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InWork {
    /// Its number on the connection.
    pub transaction_id: String,
    /// What is asked by.
    pub query_type: String,
    /// What is sought.
    pub sought: String,
    /// Clients told so far.
    pub clients: u64,
    /// Leases told so far.
    pub leases: u64,
    /// Octets made so far.
    pub octets: u64,
    /// Seconds since it came.
    pub running_secs: u64,
}

/// A query that was answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ended {
    /// `udp` or `tcp`.
    pub transport: String,
    /// Its address and port.
    pub requestor: String,
    /// Its number.
    pub transaction_id: String,
    /// What was asked by.
    pub query_type: String,
    /// What was sought; empty if it was refused.
    pub sought: String,
    /// How it ended.
    pub status: String,
    /// Clients sent; over UDP, nobody counts.
    pub clients: Option<u64>,
    /// Leases sent.
    pub leases: u64,
    /// Octets made.
    pub octets: u64,
    /// How long that took.
    pub seconds: f64,
    /// Seconds since it ended.
    pub ended_secs: u64,
}
