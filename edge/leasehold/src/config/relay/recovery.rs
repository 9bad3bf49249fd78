//! How delegations come back after a restart: `[relay.recovery]`.

use std::time::Duration;

use wire::leasequery::QueryType;

use crate::config::DEFAULT_DATA_TIMEOUT;

/// BULK_LQ_MAX_RETRY of the draft that became RFC 5460.
const DEFAULT_RETRY_MAX: Duration = Duration::from_secs(60);

/// How servers are asked, and what is kept here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// What is asked by, in this order, until a server knows it: relay-id, link, remote-id. Never
    /// empty, and nothing twice.
    pub ask_by: Vec<QueryType>,
    /// After how long everything is asked for again; `None` is never.
    pub refresh: Option<Duration>,
    /// How long a connection may be silent while an answer is under way.
    pub data_timeout: Duration,
    /// The longest wait before a server that cannot be reached is tried again.
    pub retry_max: Duration,
    /// Whether delegations are kept in the state folder, too.
    pub remembers: bool,
}

impl Default for Recovery {
    fn default() -> Self {
        Self {
            ask_by: vec![QueryType::BY_RELAY_ID],
            refresh: None,
            data_timeout: DEFAULT_DATA_TIMEOUT,
            retry_max: DEFAULT_RETRY_MAX,
            remembers: true,
        }
    }
}
