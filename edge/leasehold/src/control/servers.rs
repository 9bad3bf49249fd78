//! What a relay knows of a server: where it is, and how asking it goes.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A server, or a group of them, as configured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// What it is called; its address, if it has no name.
    pub name: String,
    /// Where it is sent what clients say.
    pub address: String,
    /// Where it is asked for what it knows.
    pub leasequery_address: Option<String>,
    /// How asking it goes.
    pub state: ServerState,
    /// Seconds since that is so.
    pub since_secs: u64,
    /// What it is being asked by: `relay-id`, `link-address` or `remote-id`.
    pub method: Option<String>,
    /// How often in a row asking it has failed.
    pub failed_attempts: u64,
    /// Seconds until it is tried again.
    pub next_attempt_secs: Option<u64>,
    /// What is wrong.
    pub last_error: Option<String>,
    /// Seconds since it last told all it knows.
    pub last_success_secs: Option<u64>,
    /// Clients it has told of in this recovery, or in the latest one.
    pub clients: u64,
    /// Leases it has told of.
    pub leases: u64,
    /// Messages of clients that were sent to it.
    pub forwarded: u64,
    /// Answers for clients that have come from it.
    pub replies: u64,
}

/// How asking a server goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServerState {
    /// It is about to be asked, after a while if that has failed.
    Waiting,
    /// It is being asked.
    Asking,
    /// It has told all it knows.
    Done,
    /// It does not answer such questions of this relay, and is tried again.
    Refused,
    /// It is not asked.
    NotAsked,
}

impl fmt::Display for ServerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Waiting => "waiting",
            Self::Asking => "asking",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::NotAsked => "not asked",
        })
    }
}
