//! Where a client is that a server has told of: at which port of ours, and by which neighbour.
//!
//! Only our own hop in the relay path says it, and it says both or nothing: the port by Interface-ID, or
//! by a link-address that is one port's alone; the next hop by the peer-address beside it. What other
//! relays wrote is about their ports. Nothing is guessed.

use std::fmt;
use std::net::Ipv6Addr;

use requestor::RelayPath;
use wire::{DuidRef, RelayMessage};

use crate::limits::MAX_IDENTIFIER_OCTETS;
use crate::ports::{PortId, Ports};

/// Where a client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// The port, which need not be present.
    pub port: PortId,
    /// The client's address there, or that of a relay behind which it is.
    pub next_hop: Ipv6Addr,
}

/// Why it is not known where a client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoPlace {
    /// The server did not tell through which relays it heard the client, or not legibly.
    NoRelayData,
    /// None of the relays is this one.
    NotOurs,
    /// Our hop bears no Interface-ID that could be one of ours, and its link-address is not that of
    /// exactly one port.
    NoPort,
    /// The client's address at our hop is none that a packet could be sent to.
    NoNextHop,
    /// There are as many ports as can be kept.
    TooManyPorts,
}

impl fmt::Display for NoPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoRelayData => "the server does not tell through which relays it heard the client",
            Self::NotOurs => "the client was heard through other relays than this one",
            Self::NoPort => "neither Interface-ID nor link-address tells on which port the client is",
            Self::NoNextHop => "the client's address is none that can be sent to",
            Self::TooManyPorts => "there are too many ports",
        })
    }
}

/// Finds our hop, the innermost that bears the Relay-ID `own`, and failing that the outermost that
/// speaks of the link of a port of ours, and reads from it where the client is. What bears our Relay-ID is
/// ours: we forward nothing that has it inside. But a link-address can be written by whoever is behind us.
pub fn place(path: Option<RelayPath<'_>>, own: DuidRef<'_>, ports: &mut Ports) -> Result<Placed, NoPlace> {
    let path = path.ok_or(NoPlace::NoRelayData)?;
    let (mut by_relay_id, mut by_link) = (None, None);
    for hop in path.hops() {
        if hop.relay_id() == Some(own) {
            by_relay_id = Some(hop);
        } else if by_link.is_none()
            && let Some(port) = port_of_link(&hop, ports)
        {
            by_link = Some(Placed { port, next_hop: hop.peer_address });
        }
    }
    let placed = match by_relay_id {
        Some(hop) => Placed { port: own_port(&hop, ports)?, next_hop: hop.peer_address },
        None => by_link.ok_or(NoPlace::NotOurs)?,
    };
    if can_be_sent_to(placed.next_hop) { Ok(placed) } else { Err(NoPlace::NoNextHop) }
}

/// The port of a hop that is certainly ours. One with an Interface-ID never heard of may yet come.
fn own_port(hop: &RelayMessage<'_>, ports: &mut Ports) -> Result<PortId, NoPlace> {
    match interface_id(hop) {
        Some(id) if id.len() > MAX_IDENTIFIER_OCTETS => Err(NoPlace::NoPort),
        Some(id) => ports.intern(id).ok_or(NoPlace::TooManyPorts),
        None => port_of_link(hop, ports).ok_or(NoPlace::NoPort),
    }
}

/// The port that has the link-address of this hop, and its Interface-ID if it bears one.
fn port_of_link(hop: &RelayMessage<'_>, ports: &Ports) -> Option<PortId> {
    if !names_a_link(hop.link_address) {
        return None;
    }
    let Some(interface_id) = interface_id(hop) else { return ports.with_address(hop.link_address) };
    let id = ports.with_interface_id(interface_id)?;
    ports.present(id)?.addresses.contains(&hop.link_address).then_some(id)
}

fn interface_id<'a>(hop: &RelayMessage<'a>) -> Option<&'a [u8]> {
    hop.interface_id().filter(|id| !id.is_empty())
}

/// Whether an address tells one link from all others: relays everywhere are fe80::1 or have none.
pub(super) fn names_a_link(address: Ipv6Addr) -> bool {
    !(address.is_unicast_link_local() || is_nobodys(address))
}

fn can_be_sent_to(address: Ipv6Addr) -> bool {
    !is_nobodys(address)
}

fn is_nobodys(address: Ipv6Addr) -> bool {
    address.is_unspecified() || address.is_loopback() || address.is_multicast()
}
