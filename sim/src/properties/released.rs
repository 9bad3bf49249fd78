//! What a client has released, and was told so, is not its own any more: in the store when the Reply leaves.
//!
//! A Reply without any association says that nothing was wrong with the Release. A lease that was granted since
//! then is another one, even of the same resource; so is one of which only a clock that steps says when it was
//! granted. Of a client that is known on several links, only what it holds on one of them was meant.
//! Vandals use one transaction for several messages, their own or a client's, and a Reply may be to any of those.

use std::collections::{BTreeMap, BTreeSet};

use lease::{LeaseState, Resource};
use wire::{DuidRef, IaKind, Iaid, MessageType};
use world::Instant;

use super::{Property, WAITING};
use crate::faults::Fault;
use crate::nodes::{NodeId, Server};
use crate::reading::{Association, Said, Transaction};
use crate::universe::{Datagram, Observed, Universe};

/// Looks at every Reply to a Release.
#[derive(Debug, Default)]
pub(super) struct Released {
    heard: BTreeMap<(NodeId, Transaction), Release>,
    /// Transactions that vandals have used.
    forged: BTreeSet<Transaction>,
    exercised: u64,
}

/// A Release that a server has heard.
#[derive(Debug)]
struct Release {
    at: Instant,
    /// What time it was for the server.
    unix_secs: u64,
    leases: Vec<(IaKind, Iaid, Resource)>,
}

impl Property for Released {
    fn name(&self) -> &'static str {
        "released"
    }

    fn observe(&mut self, observed: &Observed, universe: &Universe) -> Result<(), String> {
        match observed {
            Observed::Befell(Fault::ClockSteps, Some(node)) => {
                self.heard.retain(|(server, _), _| server != node);
                Ok(())
            }
            Observed::Arriving(NodeId::Server(number), datagram) => {
                self.hear(&universe.nodes.servers[*number], &datagram.octets, universe.now());
                Ok(())
            }
            Observed::Sent(datagram @ Datagram { sender: NodeId::Vandal(_), .. }) => {
                self.forged.extend(Transaction::of(&datagram.octets));
                Ok(())
            }
            Observed::Sent(datagram @ Datagram { sender: NodeId::Server(number), .. }) => {
                self.judge(&universe.nodes.servers[*number], &datagram.octets, universe)
            }
            _ => Ok(()),
        }
    }

    fn exercised(&self) -> u64 {
        self.exercised
    }
}

impl Released {
    fn hear(&mut self, server: &Server, octets: &[u8], now: Instant) {
        let Some(said) = Said::read_if(octets, &[MessageType::Release]) else { return };
        let Some(transaction) = Transaction::of(octets) else { return };
        let of_association = |association: &Association| {
            let (kind, iaid) = (association.kind, association.iaid);
            association.leases.iter().map(|lease| (kind, iaid, lease.resource)).collect::<Vec<_>>()
        };
        let leases = said.associations.iter().flat_map(of_association).collect();
        let unix_secs = server.now(now).unix_secs;
        let release = Release { at: now, unix_secs, leases };
        let key = (server.id(), transaction);
        // The Reply may be to the first of several that were alike.
        if self.heard.get(&key).is_none_or(|known| now.since(known.at) >= WAITING) {
            self.heard.insert(key, release);
        }
    }

    fn judge(&mut self, server: &Server, octets: &[u8], universe: &Universe) -> Result<(), String> {
        let now = universe.now();
        let Some(said) = Said::read_if(octets, &[MessageType::Reply]) else { return Ok(()) };
        let (Some(client), Some(transaction)) = (said.client, Transaction::of(octets)) else { return Ok(()) };
        let is_forged = self.forged.contains(&transaction);
        let heard = self.heard.get(&(server.id(), transaction));
        let heard = heard.filter(|release| now.since(release.at) < WAITING);
        let Some(release) = heard.filter(|_| said.associations.is_empty()) else { return Ok(()) };
        let Ok(duid) = DuidRef::new(client) else { return Ok(()) };
        let kept = server.setup.links.iter().filter_map(|link| server.kept(link.id, duid));
        let kept: Vec<_> = kept.collect();
        if kept.len() > 1 || is_forged {
            return Ok(());
        }
        self.exercised += 1;
        let active = kept.iter().flat_map(|client| client.leases().collect::<Vec<_>>());
        let mut active = active.filter(|held| held.lease.state == LeaseState::Active);
        let stays = active.find(|held| {
            let is_old = held.lease.granted_unix_secs < release.unix_secs;
            is_old && release.leases.contains(&(held.kind, held.iaid, held.lease.resource))
        });
        match stays {
            None => Ok(()),
            Some(held) => Err(format!(
                "{} has told {duid} that {} is released, and keeps it",
                server.id(),
                held.lease.resource
            )),
        }
    }
}
