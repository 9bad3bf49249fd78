//! What a client gives back is over at the relay that forwards its Release: at once, and no answer to a question that the
//! relay asked before brings it back.
//!
//! What a Reply grants afterwards is another lease. So is, as far as the relay can know, what a server tells when it
//! is asked afterwards: it may never have got the Release. What a vandal gives back is not asked about: it need not be
//! a Release that anybody has to understand.

use std::collections::BTreeMap;

use wire::{MessageType, OptionCode, Prefix, RelayMessage};

use super::Property;
use super::places::{granted, link_of, whole};
use crate::nodes::{NodeId, Relay};
use crate::plan::LinkNumber;
use crate::reading::Said;
use crate::universe::{Observed, Universe};

/// What each relay knows to be over.
#[derive(Debug, Default)]
pub(super) struct GivenBack {
    over: BTreeMap<(usize, Prefix), Holder>,
    /// Whether what a relay has heard last is a vandal's.
    is_vandals: bool,
    exercised: u64,
}

/// Who has given it back.
#[derive(Debug)]
struct Holder {
    client: Vec<u8>,
    link: LinkNumber,
}

impl Property for GivenBack {
    fn name(&self) -> &'static str {
        "given-back"
    }

    fn observe(&mut self, observed: &Observed, universe: &Universe) -> Result<(), String> {
        match observed {
            Observed::Sent(datagram) => {
                if let NodeId::Relay(number) = datagram.sender
                    && !self.is_vandals
                {
                    self.give_back(number, &datagram.octets, universe);
                }
            }
            Observed::Arriving(NodeId::Relay(number), datagram) => {
                self.is_vandals = matches!(datagram.sender, NodeId::Vandal(_));
                let granted = granted(&universe.nodes.relays[*number], &datagram.octets);
                let leases = granted.into_iter().flat_map(|granted| granted.leases);
                leases.for_each(|(prefix, ..)| _ = self.over.remove(&(*number, prefix)));
            }
            Observed::Wrote(NodeId::Relay(number), ..) | Observed::Killed(NodeId::Relay(number)) => {
                self.over.retain(|(relay, _), _| relay != number);
            }
            _ => {}
        }
        Ok(())
    }

    fn step(&mut self, universe: &Universe) -> Result<(), String> {
        let again = self
            .over
            .iter()
            .find(|((number, prefix), holder)| holds(&universe.nodes.relays[*number], *prefix, holder));
        match again {
            None => Ok(()),
            Some(((number, prefix), holder)) => {
                Err(format!("relay {number} holds {prefix}, which has been given back by {holder:?}"))
            }
        }
    }

    fn exercised(&self) -> u64 {
        self.exercised
    }
}

impl GivenBack {
    fn give_back(&mut self, number: usize, octets: &[u8], universe: &Universe) {
        let Some(said) = Said::read_if(octets, &[MessageType::Release]) else { return };
        let (Some(client), Some(_)) = (said.client, said.server) else { return };
        let Some(link) = link_before(&universe.nodes.relays[number], octets) else { return };
        for lease in said.leases() {
            self.exercised += 1;
            self.over.insert((number, whole(lease.resource)), Holder { client: client.to_vec(), link });
        }
    }
}

/// The link from which a relay forwards this: by the outermost hop, which is its own.
fn link_before(relay: &Relay, octets: &[u8]) -> Option<LinkNumber> {
    let hop = RelayMessage::decode(octets).ok()?;
    let interface_id = hop.options.first(OptionCode::INTERFACE_ID)?;
    let ports = &relay.planned().ports;
    ports.iter().find(|(_, port)| *port.interface_id == *interface_id).map(|(link, _)| *link)
}

fn holds(relay: &Relay, prefix: Prefix, holder: &Holder) -> bool {
    let Some(agent) = relay.agent() else { return false };
    agent.delegations().get(prefix).is_some_and(|held| {
        let port = agent.ports().present(held.port);
        let link = port.and_then(|port| link_of(relay, port.index));
        held.client.octets() == holder.client && link == Some(holder.link)
    })
}
