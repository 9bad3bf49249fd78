//! What is measured in quiet, and what under attack.

use std::time::Duration;

use serde_json::Value;

use crate::crowd::Crowd;
use crate::figures::median;
use crate::legitimate::{Clients, Requestor};
use crate::server::{Resources, Server};
use crate::{MOST_QUERIES, QUERIES};

/// How long it takes to be served.
pub(crate) struct Served {
    pub(crate) queries: Vec<Duration>,
    pub(crate) exchanges: Vec<Duration>,
}

impl Served {
    /// Asks [`QUERIES`] times, and more often as long as the one in the middle took longer than expected: others may be using
    /// this machine as well.
    pub(crate) fn measure(requestor: &Requestor, clients: &Clients, expected: Duration) -> Self {
        clients.took();
        let mut queries = Vec::new();
        while queries.len() < QUERIES || queries.len() < MOST_QUERIES && median(&queries) > expected {
            queries.push(requestor.ask_for_everything());
        }
        Self { queries, exchanges: clients.took() }
    }
}

/// What an attack did.
pub(crate) struct Attacked {
    /// How long the crowd took to come.
    pub(crate) gathered: Duration,
    /// How long a query took that was asked while the server had its hands full with their first words.
    pub(crate) at_first: Duration,
    pub(crate) served: Served,
    /// Connections that were there at once.
    pub(crate) connections: usize,
    pub(crate) resources: Resources,
    /// Lines that the server has logged of connections and queries.
    pub(crate) told: usize,
    pub(crate) counters: Value,
}

impl Attacked {
    /// Measures while the crowd is there, and sends it away.
    pub(crate) fn measure(
        crowd: Crowd,
        server: &Server,
        requestor: &Requestor,
        clients: &Clients,
        expected: Duration,
    ) -> Self {
        let at_first = requestor.ask_for_everything();
        let lines = server.lines_about_connections();
        let attacked = Self {
            gathered: crowd.gathered,
            at_first,
            served: Served::measure(requestor, clients, expected),
            connections: server.connections(),
            resources: server.resources(),
            told: server.lines_about_connections() - lines,
            counters: server.counters(),
        };
        crowd.end();
        server.until_nobody_is_connected();
        attacked
    }
}
