//! What the operator has decided, as far as queries are concerned.

use std::collections::BTreeSet;
use std::time::Duration;

use wire::{Duid, OptionCode};

use super::Access;

/// Settings that do not change while the server runs.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The server's own identifier.
    pub server_id: Duid,
    /// Who may ask what.
    pub access: Access,
    /// Over UDP, stay silent where NotAllowed would be said.
    pub refuse_silently: bool,
    /// Options never given out, whoever asks (RFC 5007 §4.4.2).
    pub sensitive_options: BTreeSet<OptionCode>,
    /// Whether Relay-IDs and Remote-IDs can be asked by.
    pub track_relays: bool,
    /// Relays that a LEASEQUERY over UDP may have passed; 0 refuses relayed ones (RFC 5007 §5).
    pub relayed_hops: u8,
    /// Limits of TCP connections.
    pub bulk: BulkLimits,
}

/// Limits of TCP connections (RFC 5460 §5.6, §7, §8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkLimits {
    /// Connections open at once.
    pub max_connections: usize,
    /// Connections that one requestor has open at once; `None` bounds them by the others' wish to
    /// connect alone.
    pub max_connections_per_requestor: Option<usize>,
    /// Queries that one connection has in work at once.
    pub max_queries_per_connection: usize,
    /// Queries that one requestor has in work at once, over all its connections.
    pub max_queries_per_requestor: usize,
    /// How long a frame may take to arrive whole, and how long sending may be blocked.
    pub data_timeout: Duration,
    /// How long a connection may have nothing to do.
    pub idle_timeout: Duration,
    /// Whether to close when the last query in work has been answered.
    pub close_after_reply: bool,
}

impl Default for BulkLimits {
    /// The standard's own values where it has them (RFC 5460 §5.6).
    fn default() -> Self {
        Self {
            max_connections: 10,
            max_connections_per_requestor: None,
            max_queries_per_connection: 4,
            max_queries_per_requestor: 8,
            data_timeout: Duration::from_secs(300),
            idle_timeout: Duration::from_secs(300),
            close_after_reply: false,
        }
    }
}
