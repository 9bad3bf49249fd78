//! Towards the clients: what is inside a Relay-reply, to whom its header says, by the port that it
//! names.
//!
//! What is inside is none of our business: it goes on as it is, whatever it is (RFC 9915 §19.2).

use std::net::Ipv6Addr;

use wire::{MessageType, OptionCode, RelayMessage};

use super::forward::{names_one_host, only_servers_say};
use crate::{Arrival, Discard, Peer, Port, PortId, Ports, Terms};

/// What goes to a client, or to a relay behind us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery<'a> {
    /// The port that it leaves by.
    pub port: PortId,
    /// The number of that port's interface; 0 leaves the choice to the kernel's routes, because the
    /// relay may be more than one hop away.
    pub interface_index: u32,
    /// A client, or a relay.
    pub towards: Peer,
    /// Its address.
    pub to: Ipv6Addr,
    /// Its UDP port.
    pub to_port: u16,
    /// The message.
    pub octets: &'a [u8],
}

/// Unwraps a Relay-reply that has arrived from upstream.
pub fn deliver<'a>(
    terms: &Terms,
    ports: &Ports,
    arrival: &Arrival<'_>,
    octets: &'a [u8],
) -> Result<Delivery<'a>, Discard> {
    let reply = relay_reply(octets)?;
    if !terms.accepted_servers.is_empty() && !terms.accepted_servers.contains(&arrival.source) {
        return Err(Discard::UnknownServer);
    }
    let message = reply.relayed().map_err(|_| Discard::Malformed)?.unwrap_or_default();
    let first = *message.first().ok_or(Discard::NothingInside)?;
    if !names_one_host(reply.peer_address) {
        return Err(Discard::Malformed);
    }
    let (id, port) = named_port(ports, &reply).ok_or(Discard::NoPort)?;
    let is_for_relay = first == MessageType::RelayReply as u8;
    // It would come back to us, once for each level of it.
    if is_for_relay && (reply.peer_address.is_loopback() || ports.have_address(reply.peer_address)) {
        return Err(Discard::Malformed);
    }
    let needs_interface = !is_for_relay || reply.peer_address.is_unicast_link_local();
    Ok(Delivery {
        port: id,
        interface_index: if needs_interface { port.index } else { 0 },
        towards: if is_for_relay { Peer::Relay } else { Peer::Client },
        to: reply.peer_address,
        to_port: if is_for_relay { port_of_relay(terms, &reply) } else { terms.client_port },
        octets: message,
    })
}

/// Nothing else is for a relay to take from upstream.
pub(crate) fn relay_reply(octets: &[u8]) -> Result<RelayMessage<'_>, Discard> {
    let first = *octets.first().ok_or(Discard::Malformed)?;
    match MessageType::try_from(first) {
        Ok(MessageType::RelayReply) => RelayMessage::decode(octets).map_err(|_| Discard::Malformed),
        Ok(known) if only_servers_say(known) => Err(Discard::FromServer),
        _ => Err(Discard::NotServed),
    }
}

/// The port that Interface-ID names; only without one, that of the link-address (RFC 9915 §19.2).
fn named_port<'p>(ports: &'p Ports, reply: &RelayMessage<'_>) -> Option<(PortId, &'p Port)> {
    let id = match reply.interface_id() {
        Some(interface_id) => ports.with_interface_id(interface_id)?,
        None if reply.link_address.is_unspecified() => return None,
        None => ports.with_address(reply.link_address)?,
    };
    Some((id, ports.present(id)?))
}

/// The port from which the relay sent, if that is what we told the server (RFC 8357 §5.2).
pub(crate) fn port_of_relay(terms: &Terms, reply: &RelayMessage<'_>) -> u16 {
    match reply.options.first(OptionCode::RELAY_PORT).map(<[u8; 2]>::try_from) {
        Some(Ok(port)) if port != [0, 0] => u16::from_be_bytes(port),
        _ => terms.relay_port,
    }
}
