//! How many connections are open and how many queries are in work, over all connections.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;

use super::BulkLimits;

/// The counts that limits are held against. What it holds is bounded by the limits themselves.
#[derive(Debug, Default)]
pub struct Admission {
    connections: usize,
    running: BTreeMap<Ipv6Addr, usize>,
}

impl Admission {
    /// Counts a connection in; `false` if there is no room, and then it is not counted
    /// (RFC 5460 §7.1).
    pub fn open(&mut self, limits: &BulkLimits) -> bool {
        let room = self.connections < limits.max_connections;
        self.connections += usize::from(room);
        room
    }

    /// Counts a connection out.
    pub fn close(&mut self) {
        self.connections = self.connections.checked_sub(1).expect("only open connections close");
    }

    /// Connections open now.
    pub fn connections(&self) -> usize {
        self.connections
    }

    /// Counts a requestor's query in; `false` if it has too many in work already (RFC 5460 §7.3).
    pub fn begin(&mut self, requestor: Ipv6Addr, limits: &BulkLimits) -> bool {
        let running = self.running.entry(requestor).or_default();
        let room = *running < limits.max_queries_per_requestor;
        *running += usize::from(room);
        room
    }

    /// Counts a requestor's queries out.
    pub fn end(&mut self, requestor: Ipv6Addr, queries: usize) {
        if let Some(running) = self.running.get_mut(&requestor) {
            *running = running.checked_sub(queries).expect("only queries in work end");
            if *running == 0 {
                self.running.remove(&requestor);
            }
        }
    }
}
