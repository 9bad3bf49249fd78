//! Everybody of a plan takes their place: nodes, and the segments that they are attached to.

use std::time::Duration;

use super::{Client, NodeId, Relay, Requestor, Server, Vandal, client, relay, vandal};
use crate::plan::{addresses, between, chance};
use crate::universe::{Attachment, Outbox, Segment, StreamId, Universe};

/// The interface by which a server or requestor is in the core.
pub(super) const IN_CORE: u32 = 100;

/// Puts everybody in their places and starts servers and relays.
pub fn settle(universe: &mut Universe) {
    servers(universe);
    relays(universe);
    clients(universe);
    requestors(universe);
    vandals(universe);
}

fn servers(universe: &mut Universe) {
    let (topology, now) = (universe.plan.topology.clone(), universe.now());
    for (number, plan) in topology.servers.iter().enumerate() {
        let mut server = Server::new(number, plan, &topology, now);
        let node = server.id();
        server.start(now);
        universe.nodes.servers.push(server);
        attach(universe, Segment::CORE, node, IN_CORE, addresses::server(number).into());
        for link in &plan.direct_links {
            attach(universe, Segment(*link), node, u32::from(*link), None);
        }
    }
}

fn relays(universe: &mut Universe) {
    let (topology, now) = (universe.plan.topology.clone(), universe.now());
    for (number, plan) in topology.relays.iter().enumerate() {
        let mut relay = Relay::new(number, plan, &topology, now);
        let node = relay.id();
        // It sends and dials nothing before it is woken.
        relay.start(now, &mut Outbox::new(StreamId::default()));
        universe.nodes.relays.push(relay);
        attach(universe, Segment::CORE, node, relay::UPSTREAM, addresses::relay(number).into());
        for link in &plan.links {
            let address = addresses::on_link(*link, number);
            attach(universe, Segment(*link), node, relay::first_index(*link), address.into());
        }
    }
}

fn clients(universe: &mut Universe) {
    let (plan, now) = (universe.plan.clone(), universe.now());
    let mut arrivals = chance(plan.seed, "arrivals");
    for number in 0..plan.topology.clients.len() {
        let millis = between(&mut arrivals, 0, plan.load.arrival.as_millis() as u64);
        let on_at = now + Duration::from_millis(millis);
        let client = Client::new(number, &plan, now, on_at);
        attach(universe, Segment(client.link), client.id(), client::INTERFACE, None);
        universe.nodes.clients.push(client);
    }
}

fn requestors(universe: &mut Universe) {
    let (plan, now) = (universe.plan.clone(), universe.now());
    for (number, requestor) in plan.topology.requestors.iter().enumerate() {
        let own = chance(plan.seed, &format!("requestor {number}"));
        let requestor = Requestor::new(number, requestor, &plan.topology, own, now);
        attach(universe, Segment::CORE, requestor.id(), IN_CORE, addresses::requestor(number).into());
        universe.nodes.requestors.push(requestor);
    }
}

fn vandals(universe: &mut Universe) {
    let (plan, end) = (universe.plan.clone(), universe.now() + universe.plan.safety);
    for (number, vandal) in plan.topology.vandals.iter().enumerate() {
        let own = chance(plan.seed, &format!("vandal {number}"));
        let segment = Segment(vandal.link);
        let vandal = Vandal::new(number, vandal, plan.topology.servers.len(), own, end);
        attach(universe, segment, vandal.id(), vandal::INTERFACE, None);
        universe.nodes.vandals.push(vandal);
    }
}

fn attach(
    universe: &mut Universe,
    segment: Segment,
    node: NodeId,
    interface: u32,
    global: Option<std::net::Ipv6Addr>,
) {
    let (kind, number) = match node {
        NodeId::Server(number) => (5, number),
        NodeId::Relay(number) => (6, number),
        NodeId::Requestor(number) => (7, number),
        NodeId::Client(number) => (0xc, number),
        NodeId::Vandal(number) => (0xd, number),
        NodeId::Guest(number) => (8, number),
    };
    let link_local = addresses::link_local(kind, number, segment.0);
    let listens = matches!(node, NodeId::Server(_) | NodeId::Relay(_) | NodeId::Vandal(_));
    let hears_clients = listens && segment != Segment::CORE;
    let addresses = [link_local].into_iter().chain(global).collect();
    universe.network.attach(segment, Attachment { node, interface, addresses, hears_clients, is_up: true });
}
