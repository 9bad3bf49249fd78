//! What a server says in a Reply is in its store when it leaves: every lease with a lifetime, with at least
//! that lifetime and for that client.
//!
//! A lifetime counts from when the server heard the client: the commit that the Reply had to wait for may have
//! taken seconds. What the client has given back in the meantime may be anybody's.
//! A server whose time of day has just stepped may have seen a lease end while its Reply waited; and one
//! that has just read other lifetimes may have promised less to a client that has repeated itself.

use std::collections::BTreeMap;
use std::time::Duration;

use lease::{ClientView, LeaseState, Resource};
use wire::{DuidRef, MessageType};
use world::Instant;

use super::{Property, WAITING};
use crate::faults::Fault;
use crate::nodes::{NodeId, Server};
use crate::reading::{Named, Transaction, innermost, named};
use crate::universe::{Datagram, Observed, Universe};

/// Looks at every Reply that a server sends.
#[derive(Debug, Default)]
pub(super) struct Durable {
    /// When each server's time of day, or its configuration, was another one last.
    changed: BTreeMap<NodeId, Instant>,
    /// When a server heard a client's transaction lately, and what time it was for it.
    heard: BTreeMap<(NodeId, Transaction), Vec<(Instant, u64)>>,
    /// When a server heard last that a client gives something back.
    given_back: BTreeMap<(NodeId, Vec<u8>, Resource), Instant>,
    exercised: u64,
}

impl Property for Durable {
    fn name(&self) -> &'static str {
        "durable"
    }

    fn observe(&mut self, observed: &Observed, universe: &Universe) -> Result<(), String> {
        if let Observed::Befell(Fault::ClockSteps | Fault::ReloadServer, Some(node)) = observed {
            self.changed.insert(*node, universe.now());
        }
        match observed {
            Observed::Arriving(server @ NodeId::Server(_), datagram) => {
                self.hear(*server, &datagram.octets, universe);
                Ok(())
            }
            Observed::Sent(datagram @ Datagram { sender: NodeId::Server(number), .. }) => {
                self.judge(&universe.nodes.servers[*number], &datagram.octets, universe.now())
            }
            _ => Ok(()),
        }
    }

    fn exercised(&self) -> u64 {
        self.exercised
    }
}

impl Durable {
    fn hear(&mut self, server: NodeId, octets: &[u8], universe: &Universe) {
        let now = universe.now();
        if let (Some(transaction), NodeId::Server(number)) = (Transaction::of(octets), server) {
            let unix_secs = universe.nodes.servers[number].now(now).unix_secs;
            let times = self.heard.entry((server, transaction)).or_default();
            times.retain(|(at, _)| now.since(*at) < WAITING);
            times.push((now, unix_secs));
        }
        let named = named(octets, &[MessageType::Release, MessageType::Decline]);
        self.given_back.extend(named.map(|named| ((server, named.client, named.resource), now)));
    }

    fn judge(&mut self, server: &Server, octets: &[u8], now: Instant) -> Result<(), String> {
        let is_recent = |at: &Instant| now.since(*at) < WAITING;
        if self.changed.get(&server.id()).is_some_and(is_recent) {
            return Ok(());
        }
        if innermost(octets).0.first() != Some(&(MessageType::Reply as u8)) {
            return Ok(());
        }
        let transaction = Transaction::of(octets);
        let heard = transaction.and_then(|transaction| self.heard.get(&(server.id(), transaction)));
        let mut lately = heard.into_iter().flatten().filter(|(at, _)| is_recent(at));
        let Some((_, heard_unix_secs)) = lately.next().copied() else { return Ok(()) };
        let mut kept_of: Option<Vec<ClientView<'_>>> = None;
        // What runs out sooner may have run out while the Reply waited.
        let lasts = |told: &Named| Duration::from_secs(told.valid_secs.into()) > WAITING;
        for told in named(octets, &[MessageType::Reply]).filter(lasts) {
            self.exercised += 1;
            let given_back = self.given_back.get(&(server.id(), told.client.clone(), told.resource));
            let kept = kept_of.get_or_insert_with(|| kept(server, &told.client));
            if !given_back.is_some_and(is_recent) && !is_kept(kept, &told, heard_unix_secs) {
                let Named { client, resource, valid_secs } = told;
                let client = DuidRef::new(&client).expect("it was read as one");
                return Err(format!(
                    "{} does not keep {resource}, told to {client} for {valid_secs} s; of that client it keeps {:?}",
                    server.id(),
                    kept.iter().flat_map(ClientView::leases).collect::<Vec<_>>()
                ));
            }
        }
        Ok(())
    }
}

fn is_kept(kept: &[ClientView<'_>], told: &Named, heard_unix_secs: u64) -> bool {
    kept.iter().any(|client| {
        let until = heard_unix_secs + u64::from(told.valid_secs);
        let its = client.leases().filter(|held| held.lease.resource == told.resource);
        let mut active = its.map(|held| held.lease).filter(|lease| lease.state == LeaseState::Active);
        active.any(|lease| lease.until_unix_secs().is_none_or(|end| end >= until))
    })
}

/// What is durable of a client, on every link.
fn kept<'a>(server: &'a Server, client: &[u8]) -> Vec<ClientView<'a>> {
    let duid = DuidRef::new(client).expect("it was read as one");
    server.setup.links.iter().filter_map(|link| server.kept(link.id, duid)).collect()
}
