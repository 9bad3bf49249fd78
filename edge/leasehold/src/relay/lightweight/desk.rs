//! What a lightweight relay answers to an operator's commands: how it is. It learns nothing (RFC 6221), so there
//! is nothing else to ask.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use relay::Counters;
use tokio::net::unix::UCred;
use wire::Duid;

use crate::clock::Clock;
use crate::control::door::{Desk, Reply, Stop};
use crate::control::{Delegated, IS_A_RELAY, Progress, RelayState, RelayStatus, Request, RouteCounts};
use crate::relay::desk::counted;

/// Why it refuses what only a relay that learns can do.
const LEARNS_NOTHING: &str =
    "this relay is a lightweight one: it knows of no delegations, makes no routes and asks no servers";

/// Where commands are answered.
#[derive(Debug)]
pub(super) struct BridgeDesk {
    pub(super) relay_id: Duid,
    pub(super) clock: Clock,
    pub(super) counters: Arc<Counters>,
    pub(super) ports: Arc<AtomicUsize>,
}

impl Desk for BridgeDesk {
    async fn answer(&self, request: Request, _: &UCred, reply: &mut Reply) -> Result<(), Stop> {
        let why = match request {
            Request::Relay => {
                reply.item(&self.status());
                return reply.send().await;
            }
            Request::Delegations(_)
            | Request::Unplaced(_)
            | Request::Routes(_)
            | Request::Servers
            | Request::Clear(_)
            | Request::Refresh { .. } => LEARNS_NOTHING,
            Request::Bindings(_)
            | Request::Links
            | Request::Queries
            | Request::Counters
            | Request::Release(_)
            | Request::WouldRelease(_)
            | Request::Reconfigure(_) => IS_A_RELAY,
        };
        Err(Stop::Refused(why.to_owned()))
    }
}

impl BridgeDesk {
    fn status(&self) -> RelayStatus {
        let uptime_secs = self.clock.now().instant.since(world::Instant::default()).as_secs();
        RelayStatus {
            relay_id: self.relay_id.to_string(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_secs,
            state: RelayState::NotAsking,
            since_secs: uptime_secs,
            why: None,
            recovery: Progress::default(),
            delegations: Delegated::default(),
            routes: RouteCounts::default(),
            ports: self.ports.load(Relaxed) as u64,
            counters: counted(&self.counters),
        }
    }
}
