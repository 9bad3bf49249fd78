//! A relay: the pure agent, and around it what its program does with sockets, sessions, routes and memory.

use relay::recovery;
use relay::{Agent, Arrival, Counters, Passed, Port, PortRules, RouteRules, Setup, Terms};
use wire::{CLIENT_PORT, MessageType, SERVER_PORT};
use world::{Chance, Instant};

use super::{Node, NodeId};
use crate::plan::{LinkNumber, RelayPlan, Topology, addresses};
use crate::universe::{Clock, Datagram, Outbox, Outgoing};

/// The interface that servers are on.
pub const UPSTREAM: u32 = 1;
/// The first number of an interface that clients are on.
const FIRST_PORT: u32 = 10;

/// A relay, running or not.
#[derive(Debug)]
pub struct Relay {
    number: usize,
    /// What it goes by.
    pub setup: Setup,
    /// The ports that there are now.
    pub ports: Vec<Port>,
    /// Its clocks.
    pub clock: Clock,
    servers: usize,
    agent: Option<Agent>,
    counters: Counters,
    starts: u64,
}

/// The number of the port on a link, at first.
pub fn first_index(link: LinkNumber) -> u32 {
    FIRST_PORT + u32::from(link)
}

fn port(number: usize, link: LinkNumber) -> Port {
    let link_address = addresses::on_link(link, number);
    Port {
        index: first_index(link),
        name: format!("port{link}"),
        interface_id: format!("port{link}").into_bytes().into(),
        link_address,
        addresses: vec![link_address],
        remote_id: None,
        subscriber_id: None,
        rules: PortRules::default(),
    }
}

fn setup(number: usize, plan: &RelayPlan, servers: usize) -> Setup {
    let relay_id = addresses::relay_id(number);
    let territory = recovery::Territory { prefixes: vec![addresses::all_delegated()], addresses: None };
    Setup {
        terms: Terms { relay_id: Some(relay_id.clone()), ..Terms::default() },
        recovery: recovery::Terms { territory, ..recovery::Terms::new(relay_id, vec![true; servers]) },
        routes: Some(RouteRules::default()),
        host_routes: plan.host_routes,
        unique_clients: false,
        remembers: plan.remembers,
    }
}

impl Relay {
    /// One that has never run.
    pub fn new(number: usize, plan: &RelayPlan, topology: &Topology, now: Instant) -> Self {
        let servers = topology.servers.len();
        Self {
            number,
            setup: setup(number, plan, servers),
            ports: plan.links.iter().map(|link| port(number, *link)).collect(),
            clock: Clock::new(now),
            servers,
            agent: None,
            counters: Counters::default(),
            starts: 0,
        }
    }

    /// Who it is.
    pub fn id(&self) -> NodeId {
        NodeId::Relay(self.number)
    }

    /// Starts it.
    pub fn start(&mut self, now: Instant) {
        self.starts += 1;
        self.clock.restart(now);
        let now = self.clock.now(now).instant;
        let chance = Chance::from_seed(self.starts << 8 | self.number as u64);
        let mut agent = Agent::new(self.setup.clone(), chance, now);
        agent.set_upstream([UPSTREAM].into());
        agent.set_ports(self.ports.clone(), now);
        self.agent = Some(agent);
    }

    /// Kills it.
    pub fn kill(&mut self) {
        self.agent = None;
    }

    /// Whether it runs.
    pub fn is_running(&self) -> bool {
        self.agent.is_some()
    }

    /// By which way a prefix is routed, if it is.
    pub fn route_to(&self, prefix: wire::Prefix) -> Option<relay::Target> {
        self.agent.as_ref()?.routes().find(prefix)?.wanted
    }

    /// What it knows, if it runs.
    pub fn agent(&self) -> Option<&Agent> {
        self.agent.as_ref()
    }
}

impl Node for Relay {
    fn receive(&mut self, interface: u32, datagram: &Datagram, now: Instant, out: &mut Outbox) {
        let now = self.clock.now(now).instant;
        let Some(agent) = &mut self.agent else { return };
        let arrival = Arrival {
            source: datagram.source,
            source_port: datagram.source_port,
            destination: datagram.destination,
            interface_index: interface,
            link_layer: None,
        };
        let mut forwarded = Vec::new();
        match agent.take(&arrival, &datagram.octets, now, &self.counters, &mut forwarded) {
            Ok(Passed::ToServers) => {
                for server in 0..self.servers {
                    out.send(Outgoing {
                        interface: UPSTREAM,
                        source_port: SERVER_PORT,
                        destination: addresses::server(server),
                        destination_port: SERVER_PORT,
                        octets: forwarded.clone(),
                    });
                }
            }
            Ok(Passed::ToClient(delivery)) => {
                let Some(port) = agent.ports().present(delivery.port) else { return };
                let is_relay = delivery.octets.first() == Some(&(MessageType::RelayReply as u8));
                out.send(Outgoing {
                    interface: port.index,
                    source_port: SERVER_PORT,
                    destination: delivery.to,
                    destination_port: if is_relay { delivery.to_port } else { CLIENT_PORT },
                    octets: delivery.octets.to_vec(),
                });
            }
            Err(_) => {}
        }
    }

    fn wake(&mut self, now: Instant, _out: &mut Outbox) {
        let now = self.clock.now(now).instant;
        if let Some(agent) = &mut self.agent {
            agent.tick(now);
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let deadline = self.agent.as_ref()?.deadline()?;
        Some(self.clock.when(deadline))
    }
}
