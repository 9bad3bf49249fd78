//! What a server says in a Reply is in its store when it leaves: every lease with a lifetime, with at least
//! that lifetime and for that client.

use lease::{LeaseState, Resource};
use wire::{ClientMessage, IaKind, MessageType};

use super::Property;
use crate::nodes::{NodeId, Server};
use crate::reading::innermost;
use crate::universe::{Datagram, Observed, Universe};

/// Looks at every Reply that a server sends.
#[derive(Debug, Default)]
pub(super) struct Durable {
    exercised: u64,
}

/// A lease as told.
struct Told {
    client: Vec<u8>,
    resource: Resource,
    valid_secs: u32,
}

impl Property for Durable {
    fn name(&self) -> &'static str {
        "durable"
    }

    fn observe(&mut self, observed: &Observed, universe: &Universe) -> Result<(), String> {
        let Observed::Sent(datagram @ Datagram { sender: NodeId::Server(number), .. }) = observed else {
            return Ok(());
        };
        let server = &universe.nodes.servers[*number];
        for told in told(&datagram.octets) {
            self.exercised += 1;
            if !is_kept(server, &told, universe) {
                let Told { resource, valid_secs, .. } = told;
                return Err(format!(
                    "{} has told {resource} for {valid_secs} s and does not keep it",
                    server.id()
                ));
            }
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.exercised
    }
}

fn is_kept(server: &Server, told: &Told, universe: &Universe) -> bool {
    let until = server.now(universe.now()).unix_secs + u64::from(told.valid_secs);
    let mut is_kept = false;
    server.durable(|client| {
        let is_its = client.duid.octets() == told.client;
        is_kept |= is_its
            && client.leases().any(|held| {
                let is_long = held.lease.until_unix_secs().is_none_or(|end| end + 1 >= until);
                held.lease.resource == told.resource && held.lease.state == LeaseState::Active && is_long
            });
    });
    is_kept
}

/// The leases that a Reply gives.
fn told(octets: &[u8]) -> Vec<Told> {
    let Ok(message) = ClientMessage::decode(innermost(octets).0) else { return Vec::new() };
    if message.message_type != MessageType::Reply {
        return Vec::new();
    }
    let Ok(Some(client)) = message.options.client_id() else { return Vec::new() };
    let mut told = Vec::new();
    for (kind, ia) in message.options.ias().filter_map(Result::ok) {
        let leases: Vec<(Resource, u32)> = match kind {
            IaKind::Address => {
                let addresses = ia.options.ia_addresses().filter_map(Result::ok);
                addresses.map(|held| (Resource::Address(held.address), held.valid_secs)).collect()
            }
            IaKind::Prefix => {
                let prefixes = ia.options.ia_prefixes().filter_map(Result::ok);
                prefixes.map(|held| (Resource::Prefix(held.prefix), held.valid_secs)).collect()
            }
        };
        let given = leases.into_iter().filter(|(_, valid_secs)| *valid_secs > 0);
        told.extend(given.map(|(resource, valid_secs)| Told {
            client: client.octets().to_vec(),
            resource,
            valid_secs,
        }));
    }
    told
}
