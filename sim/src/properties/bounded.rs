//! Everything that others can make large stays within its named limit: connections, queries and buffers of a
//! server, leases of a client in its record, delegations of a client and of a port in a relay, events to come.
//!
//! A limit that is lowered while more is there is not broken by what is there, only by what comes in addition. A
//! relay holds what its servers and its own memory tell of ports that are not there without a limit: nobody on
//! such a port can have it grow. So what a Reply brings about at a port is judged, not what is recovered.

use std::collections::BTreeMap;

use lease::{AfterImage, ClientView, LeaseState};
use relay::PortId;
use server::limits::{MAX_DECLINED_PER_CLIENT, MAX_OUTPUT_OCTETS, MAX_REMEMBERED_PER_CLIENT};
use wire::limits::MAX_MESSAGE_OCTETS;
use wire::{Duid, IaKind};

use super::Property;
use crate::nodes::server::Burden;
use crate::nodes::{NodeId, Relay, Server};
use crate::universe::{Observed, Universe};

/// Events to come at most: of each node and stream a few, and what faults have delayed.
const MAX_PENDING: usize = 20_000;

/// Looks at whoever something has happened to.
#[derive(Debug, Default)]
pub(super) struct Bounded {
    connections: BTreeMap<NodeId, usize>,
    delegations: BTreeMap<NodeId, Delegations>,
    exercised: u64,
}

/// How many delegations there are of each client and kind on each port.
type Delegations = BTreeMap<(PortId, IaKind, Duid), usize>;

impl Property for Bounded {
    fn name(&self) -> &'static str {
        "bounded"
    }

    fn observe(&mut self, observed: &Observed, universe: &Universe) -> Result<(), String> {
        match observed {
            Observed::Opened(.., NodeId::Server(number))
            | Observed::Read(NodeId::Server(number), ..)
            | Observed::Wrote(NodeId::Server(number), ..) => {
                self.judge_server(&universe.nodes.servers[*number])
            }
            Observed::Changed(server, images) => {
                images.iter().try_for_each(|image| self.judge_client(*server, image))
            }
            Observed::Arriving(NodeId::Relay(number), _) => {
                self.judge_relay(&universe.nodes.relays[*number], true)
            }
            Observed::Read(NodeId::Relay(number), ..) | Observed::Started(NodeId::Relay(number)) => {
                self.judge_relay(&universe.nodes.relays[*number], false)
            }
            _ => Ok(()),
        }
    }

    fn step(&mut self, universe: &Universe) -> Result<(), String> {
        // What was remembered or has run out since is nobody's doing.
        for relay in &universe.nodes.relays {
            let total = relay.agent().map(|agent| agent.delegations().counts().total());
            let known = self.delegations.get(&relay.id()).map(|known| known.values().sum::<usize>());
            if total != known {
                self.judge_relay(relay, false)?;
            }
        }
        let pending = universe.pending();
        if pending > MAX_PENDING { Err(format!("{pending} events are to come")) } else { Ok(()) }
    }

    fn exercised(&self) -> u64 {
        self.exercised
    }
}

impl Bounded {
    fn judge_server(&mut self, server: &Server) -> Result<(), String> {
        let Some(Burden { limits, connections, queries, output_octets }) = server.burden() else {
            self.connections.remove(&server.id());
            return Ok(());
        };
        self.exercised += 1;
        let before = self.connections.insert(server.id(), connections).unwrap_or_default();
        let too_many = |what: &str, count: usize| Err(format!("{} has {count} {what}", server.id()));
        if connections > limits.max_connections.max(before) {
            return too_many("connections", connections);
        }
        let most_octets = MAX_OUTPUT_OCTETS + 2 * MAX_MESSAGE_OCTETS;
        match (queries > limits.max_queries_per_connection, output_octets > most_octets) {
            (true, _) => too_many("queries in work on a connection that has taken octets", queries),
            (_, true) => too_many("octets in a buffer", output_octets),
            _ => Ok(()),
        }
    }

    fn judge_client(&mut self, server: NodeId, after: &AfterImage) -> Result<(), String> {
        let Some(image) = &after.image else { return Ok(()) };
        let client = ClientView::decode(image).map_err(|error| error.to_string())?;
        self.exercised += 1;
        let count =
            |states: &[LeaseState]| client.leases().filter(|held| states.contains(&held.lease.state)).count();
        let remembered = count(&[LeaseState::Released, LeaseState::Expired]);
        let declined = count(&[LeaseState::Declined]);
        if remembered > MAX_REMEMBERED_PER_CLIENT || declined > MAX_DECLINED_PER_CLIENT {
            let duid = client.duid;
            return Err(format!("{server} keeps {remembered} old and {declined} declined leases of {duid}"));
        }
        Ok(())
    }

    /// `is_reply`: what has grown has done so by what clients and servers have sent through the relay.
    fn judge_relay(&mut self, relay: &Relay, is_reply: bool) -> Result<(), String> {
        let Some(agent) = relay.agent() else {
            self.delegations.remove(&relay.id());
            return Ok(());
        };
        let mut now = Delegations::new();
        for held in agent.delegations().all(None) {
            *now.entry((held.port, held.kind, held.client.to_duid())).or_default() += 1;
        }
        let before = self.delegations.insert(relay.id(), now).unwrap_or_default();
        let now = &self.delegations[&relay.id()];
        for (its, count) in now.iter().filter(|_| is_reply) {
            let (port, kind, client) = its;
            let Some(there) = agent.ports().present(*port) else { continue };
            let had = before.get(its).copied().unwrap_or_default();
            let on_port = |all: &Delegations| -> usize {
                all.iter().filter(|((its, of, _), _)| (its, of) == (port, kind)).map(|(_, count)| count).sum()
            };
            self.exercised += 1;
            let rules = there.rules;
            let is_too_many = *count > had
                && (*count > rules.max_delegations_per_client
                    || on_port(now) > rules.max_delegations.max(on_port(&before)));
            if is_too_many {
                return Err(format!("{} holds {count} of {client} on {}", relay.id(), there.name));
            }
        }
        Ok(())
    }
}
