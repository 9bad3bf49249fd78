//! What goes to each server and comes back, counted. Reading and counting need no lock.

use std::net::Ipv6Addr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use relay::ServerId;

use super::desk::Traffic;
use crate::config::relay::Server;

/// A counter for each server, in the order of their [`ServerId`]s.
#[derive(Debug)]
pub(super) struct Tallies(Vec<Tally>);

#[derive(Debug)]
struct Tally {
    address: Ipv6Addr,
    forwarded: AtomicU64,
    replies: AtomicU64,
}

impl Tallies {
    /// Nothing has gone yet.
    pub(super) fn new(servers: &[Server]) -> Self {
        let tally = |server: &Server| Tally {
            address: *server.address.ip(),
            forwarded: AtomicU64::new(0),
            replies: AtomicU64::new(0),
        };
        Self(servers.iter().map(tally).collect())
    }

    /// Counts a message of a client on its way to a server.
    pub(super) fn forwarded(&self, server: ServerId) {
        if let Some(tally) = self.0.get(usize::from(server.0)) {
            tally.forwarded.fetch_add(1, Relaxed);
        }
    }

    /// Counts an answer by who has sent it: the server with that address, else the only group that
    /// somebody may belong to.
    pub(super) fn replied(&self, source: Ipv6Addr) {
        let by_address = self.0.iter().find(|tally| tally.address == source);
        let in_group = || self.0.iter().find(|tally| tally.address.is_multicast());
        if let Some(tally) = by_address.or_else(in_group) {
            tally.replies.fetch_add(1, Relaxed);
        }
    }

    /// What was counted for a server.
    pub(super) fn of(&self, server: ServerId) -> Traffic {
        let of = |tally: &Tally| Traffic {
            forwarded: tally.forwarded.load(Relaxed),
            replies: tally.replies.load(Relaxed),
        };
        self.0.get(usize::from(server.0)).map(of).unwrap_or_default()
    }
}
