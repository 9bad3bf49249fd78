//! The lightweight relay: a bridge that puts the port into what clients say (RFC 6221).
//!
//! It has no address. What clients send to the group of relays and servers is taken out of the bridge, and a
//! Relay-forward goes on in its stead, from and to the same addresses; what comes back for a client's link-local
//! address is taken out likewise, and what was inside goes to the client, on the port that Interface-ID names and
//! on no other. The caller says of each datagram what its packet said, and gives the new one a packet with the
//! same addresses, of the link as of IP, whose octets this neither sees nor changes.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;

use wire::limits::HOP_COUNT_LIMIT;
use wire::{MessageType, RelayMessage};
use world::Instant;

use crate::forwarding::{
    Level, RELAY_HEADER_OCTETS, downstream_port, only_servers_say, port_of_relay, relay_reply,
};
use crate::pace::Pace;
use crate::{Arrival, Delivery, Discard, Forwarded, Peer, Port, PortId, Ports, Terms};

/// The group that clients send to (RFC 9915 §7.1).
const ALL_RELAY_AGENTS_AND_SERVERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2);

/// A port that faces clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PacedPort {
    /// The port; its addresses mean nothing here.
    pub port: Port,
    /// Messages that it may send in a second, on the average; any number, if `None` (RFC 6221 §9).
    pub messages_per_second: Option<u32>,
}

/// A lightweight relay with its ports, each of which may send so much and no more.
#[derive(Debug)]
pub struct Lightweight {
    terms: Terms,
    ports: Ports,
    paces: BTreeMap<PortId, Pace>,
}

impl Lightweight {
    /// One without ports.
    pub fn new(terms: Terms) -> Self {
        Self { terms, ports: Ports::default(), paces: BTreeMap::new() }
    }

    /// Has these ports present from now on, and no others. Gives those that have come, gone or changed.
    pub fn update(&mut self, present: Vec<PacedPort>) -> Vec<PortId> {
        let rates: BTreeMap<u32, Option<u32>> =
            present.iter().map(|paced| (paced.port.index, paced.messages_per_second)).collect();
        let changed = self.ports.update(present.into_iter().map(|paced| paced.port).collect());
        let mut paces = BTreeMap::new();
        for (id, port) in self.ports.all_present() {
            if let Some(per_second) = rates.get(&port.index).copied().flatten() {
                let mut pace = self.paces.remove(&id).unwrap_or_default();
                pace.set(per_second);
                paces.insert(id, pace);
            }
        }
        self.paces = paces;
        changed
    }

    /// Goes on with other terms.
    pub fn agree(&mut self, terms: Terms) {
        self.terms = terms;
    }

    /// What goes for it as a whole.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The ports that face clients.
    pub fn ports(&self) -> &Ports {
        &self.ports
    }

    /// Whether a datagram to port 547 from where clients are is to be taken out of the bridge.
    pub fn takes_from_clients(destination: Ipv6Addr) -> bool {
        destination == ALL_RELAY_AGENTS_AND_SERVERS
    }

    /// Whether a datagram to port 547 from where the network is is to be taken out of the bridge.
    pub fn takes_from_network(source: Ipv6Addr, destination: Ipv6Addr) -> bool {
        source.is_unicast_link_local() && destination.is_unicast_link_local()
    }

    /// Appends the Relay-forward around what was taken from where clients are. It goes to every interface that
    /// faces the network. If it goes no further, nothing is appended.
    pub fn forward(
        &mut self,
        arrival: &Arrival<'_>,
        octets: &[u8],
        now: Instant,
        out: &mut Vec<u8>,
    ) -> Result<Forwarded, Discard> {
        let id = self.ports.with_index(arrival.interface_index).ok_or(Discard::NotServed)?;
        if self.paces.get_mut(&id).is_some_and(|pace| !pace.allows_one_more(now)) {
            return Err(Discard::TooFast);
        }
        let port = self.ports.present(id).ok_or(Discard::NotServed)?;
        // Nobody else could ever be answered: we look for answers to link-local addresses.
        if !arrival.source.is_unicast_link_local() {
            return Err(Discard::Malformed);
        }
        let first = *octets.first().ok_or(Discard::Malformed)?;
        let (from, hop_count) = match MessageType::try_from(first) {
            Ok(MessageType::RelayForward) => (Peer::Relay, hop_count_behind_relay(port, octets)?),
            Ok(MessageType::RelayReply) => return Err(Discard::RelayReplyFromClient),
            Ok(MessageType::LeaseQuery) if !port.rules.accepts_leasequery => return Err(Discard::LeaseQuery),
            Ok(known) if only_servers_say(known) => return Err(Discard::FromServer),
            _ => (Peer::Client, 0),
        };
        let level = Level {
            hop_count,
            link_address: Ipv6Addr::UNSPECIFIED,
            peer_address: arrival.source,
            client_link_layer: arrival.link_layer.filter(|_| from == Peer::Client),
            downstream_port: (from == Peer::Relay)
                .then(|| downstream_port(&self.terms, arrival.source_port))
                .flatten(),
        };
        level.write(&self.terms, port, octets, out)?;
        Ok(Forwarded { port: id, from })
    }

    /// Unwraps a Relay-reply that was taken from where the network is; anything else goes no further.
    pub fn deliver<'a>(&self, arrival: &Arrival<'_>, octets: &'a [u8]) -> Result<Delivery<'a>, Discard> {
        let reply = relay_reply(octets)?;
        check_addresses(arrival, &reply)?;
        let message = reply.relayed().map_err(|_| Discard::Malformed)?.unwrap_or_default();
        let first = *message.first().ok_or(Discard::NothingInside)?;
        let named = reply.interface_id().and_then(|interface_id| self.ports.with_interface_id(interface_id));
        let id = named.ok_or(Discard::NoPort)?;
        let port = self.ports.present(id).ok_or(Discard::NoPort)?;
        let is_for_relay = first == MessageType::RelayReply as u8;
        Ok(Delivery {
            port: id,
            interface_index: port.index,
            towards: if is_for_relay { Peer::Relay } else { Peer::Client },
            to: reply.peer_address,
            to_port: if is_for_relay { port_of_relay(&self.terms, &reply) } else { self.terms.client_port },
            octets: message,
        })
    }
}

/// What is inside is none of our business, its options least of all (RFC 6221 §6.1.1).
fn hop_count_behind_relay(port: &Port, octets: &[u8]) -> Result<u8, Discard> {
    if !port.rules.accepts_relays {
        return Err(Discard::RelayNotAccepted);
    }
    if octets.len() < RELAY_HEADER_OCTETS {
        return Err(Discard::Malformed);
    }
    let hop_count = octets[1];
    if usize::from(hop_count) >= HOP_COUNT_LIMIT { Err(Discard::HopLimit) } else { Ok(hop_count + 1) }
}

/// A reply to something that we have sent is for the client whose address we used, and names no link, since
/// we did not (RFC 6221 §6.2).
fn check_addresses(arrival: &Arrival<'_>, reply: &RelayMessage<'_>) -> Result<(), Discard> {
    let is_for_our_client =
        reply.peer_address == arrival.destination && reply.peer_address.is_unicast_link_local();
    if is_for_our_client && reply.link_address.is_unspecified() { Ok(()) } else { Err(Discard::NotOurs) }
}
