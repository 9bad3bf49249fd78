//! Who takes part, put into a universe.

use std::net::Ipv6Addr;

use store::Change;
use world::Instant;

use super::relaying::{BridgeSite, RelaySite};
use super::serving::ServerSite;
use super::site::{GuestSite, IN_CORE, OF_CLIENT, Role, Site};
use crate::nodes::guests::{Asker, Bridge, FACING_NETWORK, Guest, Peer};
use crate::nodes::relay::UPSTREAM;
use crate::nodes::{Client, NodeId, Relay, Server};
use crate::plan::{ClientPlan, Habits, Plan, addresses};
use crate::universe::{Attachment, Outbox, Segment, StreamId, Universe};

impl Site {
    /// Puts everybody in their places and starts them.
    pub(super) fn settle(self) -> Universe {
        let Self { servers, relays, guests, clients, server_count, .. } = self;
        let mut universe = Universe::empty(quiet(clients));
        let now = universe.now();
        servers.into_iter().enumerate().for_each(|(number, site)| server(&mut universe, number, site, now));
        for (number, site) in relays.into_iter().enumerate() {
            relay(&mut universe, number, site, server_count, now);
        }
        let on_segments: Vec<(Segment, Ipv6Addr)> =
            guests.iter().map(|site| (site.segment, site.address)).collect();
        for (number, site) in guests.into_iter().enumerate() {
            guest(&mut universe, number, site, &on_segments, now);
        }
        let plan = universe.plan.clone();
        for (number, client) in plan.topology.clients.iter().enumerate() {
            universe.nodes.clients.push(Client::new(number, &plan, now, now));
            attach(&mut universe, Segment(client.link), NodeId::Client(number), OF_CLIENT, 0xc, None);
        }
        let everybody: Vec<NodeId> = universe.nodes.ids().collect();
        everybody.into_iter().for_each(|node| universe.with(node, |_, _, _| {}));
        universe
    }
}

fn server(universe: &mut Universe, number: usize, site: ServerSite, now: Instant) {
    let mut server = Server::with_setup(number, site.setup, now);
    let changes: Vec<Change<'_>> =
        site.held.iter().map(|(key, image)| Change { key, image: Some(image) }).collect();
    server.disk.commit(&changes).expect("an empty disk has room");
    server.start(now);
    universe.nodes.servers.push(server);
    let node = NodeId::Server(number);
    attach(universe, Segment::CORE, node, IN_CORE, 5, addresses::server(number).into());
    for (interface, segment) in site.interfaces {
        attach(universe, Segment(segment), node, interface, 5, None);
    }
}

fn relay(universe: &mut Universe, number: usize, site: RelaySite, servers: usize, now: Instant) {
    let mut relay = Relay::with_setup(number, site.with_servers(servers), now);
    relay.start(now, &mut Outbox::new(StreamId::default()));
    universe.nodes.relays.push(relay);
    let node = NodeId::Relay(number);
    attach(universe, Segment::CORE, node, UPSTREAM, 6, addresses::relay(number).into());
    for (port, segment) in site.ports {
        let global = port.addresses.iter().find(|address| !address.is_unicast_link_local()).copied();
        attach(universe, Segment(segment), node, port.index, 6, global);
    }
}

fn guest(
    universe: &mut Universe,
    number: usize,
    site: GuestSite,
    on_segments: &[(Segment, Ipv6Addr)],
    now: Instant,
) {
    let node = NodeId::Guest(number);
    let GuestSite { segment, address, other, role } = site;
    let (guest, hears_clients) = match role {
        Role::Peer { hears_clients } => (Guest::Peer(Peer::default()), hears_clients),
        Role::Asker(duid) => (Guest::Asker(Box::new(Asker::new(duid, now))), false),
        Role::Bridge(site) => return bridge(universe, node, site, on_segments, now),
    };
    universe.nodes.guests.push(guest);
    let interface = if segment == Segment::CORE { IN_CORE } else { OF_CLIENT };
    if address.is_unicast_link_local() {
        let addresses = [address].into_iter().chain(other).collect();
        let attachment = Attachment { node, interface, addresses, hears_clients, is_up: true };
        universe.network.attach(segment, attachment);
    } else {
        attach(universe, segment, node, interface, 8, address.into());
    }
}

/// On the side of the network it hears what is for the clients behind it.
fn bridge(
    universe: &mut Universe,
    node: NodeId,
    site: BridgeSite,
    on_segments: &[(Segment, Ipv6Addr)],
    now: Instant,
) {
    let BridgeSite { network, terms, ports } = site;
    let mut behind = Vec::new();
    for (paced, segment) in &ports {
        let its = on_segments.iter().filter(|(other, _)| *other == Segment(*segment));
        behind.extend(its.map(|(_, address)| *address));
        attach(universe, Segment(*segment), node, paced.port.index, 8, None);
        universe.network.change(node, paced.port.index, |_, attachment| attachment.hears_clients = true);
    }
    let interface = FACING_NETWORK;
    let attachment = Attachment { node, interface, addresses: behind, hears_clients: false, is_up: true };
    universe.network.attach(Segment(network), attachment);
    let ports = ports.into_iter().map(|(paced, _)| paced).collect();
    universe.nodes.guests.push(Guest::Bridge(Box::new(Bridge::new(terms, ports, now))));
}

/// A plan in which nobody does anything that the standard does not have them do, and nothing goes wrong.
fn quiet(clients: Vec<ClientPlan>) -> Plan {
    let mut plan = Plan::draw(0);
    plan.topology.clients = clients;
    plan.load.habits = Habits { releases: None, declines: None, forgets: None, moves: None, informs: None };
    plan.faults = crate::faults::Mix::default();
    plan
}

fn attach(
    universe: &mut Universe,
    segment: Segment,
    node: NodeId,
    interface: u32,
    kind: u16,
    global: Option<Ipv6Addr>,
) {
    let number = match node {
        NodeId::Server(number)
        | NodeId::Relay(number)
        | NodeId::Client(number)
        | NodeId::Requestor(number)
        | NodeId::Vandal(number)
        | NodeId::Guest(number) => number,
    };
    let link_local = addresses::link_local(kind, number, segment.0);
    let hears_clients = matches!(node, NodeId::Server(_) | NodeId::Relay(_)) && segment != Segment::CORE;
    let addresses = [link_local].into_iter().chain(global).collect();
    universe.network.attach(segment, Attachment { node, interface, addresses, hears_clients, is_up: true });
}
