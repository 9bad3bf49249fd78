//! A datagram as it arrives: unwrapped from its relays, and the link that its client is on.

use std::net::Ipv6Addr;

use lease::{Link, Links};
use wire::{ClientMessage, DecodeError, Message, MessageType, RelayChain};

use crate::Discard;

/// What a socket knows about a datagram.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    /// The datagram.
    pub octets: &'a [u8],
    /// From whom: a client, or the last relay.
    pub source: Ipv6Addr,
    /// To which of our addresses, or to which group.
    pub destination: Ipv6Addr,
    /// The name of the interface that it came in on.
    pub interface: Option<&'a str>,
}

impl Arrival<'_> {
    /// Whether the sender is on the link of the interface.
    fn is_from_neighbour(&self) -> bool {
        self.source.is_unicast_link_local() || self.destination.is_multicast()
    }
}

/// A client's message without its relays.
#[derive(Debug)]
pub struct Unwrapped<'a> {
    /// The relays it came through, if any.
    pub relays: Option<RelayChain<'a>>,
    /// The message.
    pub message: ClientMessage<'a>,
}

impl<'a> Unwrapped<'a> {
    /// Takes a datagram out of its Relay-forwards.
    pub fn decode(octets: &'a [u8]) -> Result<Self, Discard> {
        match Message::decode(octets).map_err(undecodable)? {
            Message::Client(message) => Ok(Self { relays: None, message }),
            Message::Relay(relay) if relay.message_type == MessageType::RelayForward => {
                let (relays, inside) = RelayChain::decode(octets).map_err(undecodable)?;
                let message = ClientMessage::decode(inside).map_err(undecodable)?;
                Ok(Self { relays: Some(relays), message })
            }
            Message::Relay(_) => Err(Discard::UnexpectedType),
        }
    }

    /// The link that the client is on. Of one that has sent directly, that of the interface, unless it
    /// has sent from elsewhere: then that of its address. Behind relays, the innermost link-address
    /// that means one, else a relay's identifier, else the interface, if no relay has named any link
    /// (RFC 9915 §13.1, RFC 6221 §7.1).
    pub(super) fn link<'l>(&self, links: &'l Links, arrival: &Arrival<'_>) -> Option<&'l Link> {
        let on_interface = || links.on_interface(arrival.interface?);
        let Some(relays) = &self.relays else {
            return if arrival.is_from_neighbour() {
                on_interface()
            } else {
                links.meant_by(arrival.source, None)
            };
        };
        let from_client = || relays.hops().iter().rev();
        let by_address = from_client().find_map(|hop| links.meant_by(hop.link_address, hop.interface_id()));
        let by_relay = || from_client().find_map(|hop| links.behind_relay(hop.relay_id()?));
        let nameless = from_client().all(|hop| hop.link_address.is_unspecified());
        by_address.or_else(by_relay).or_else(|| on_interface().filter(|_| nameless))
    }
}

fn undecodable(error: DecodeError) -> Discard {
    match error {
        DecodeError::UnknownMessageType(_) => Discard::UnexpectedType,
        _ => Discard::Malformed,
    }
}
