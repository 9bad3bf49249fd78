//! A datagram as it arrives: unwrapped from its relays, and the link that its client is on.

use std::net::Ipv6Addr;

use lease::{Link, Links};
use wire::{ClientMessage, DecodeError, Message, MessageType, RelayChain};

use crate::Discard;
use crate::limits::MAX_DATAGRAM_OCTETS;

/// A client's or requestor's message, without the relays that it came through.
#[derive(Debug)]
pub struct Arrived<'a> {
    /// From whom: the sender itself, or the last relay.
    pub source: Ipv6Addr,
    /// To which of our addresses, or to which group.
    pub destination: Ipv6Addr,
    /// The name of the interface that it came in on.
    pub interface: Option<&'a str>,
    /// The relays, if any.
    pub relays: Option<RelayChain<'a>>,
    /// The message.
    pub message: ClientMessage<'a>,
}

impl<'a> Arrived<'a> {
    /// Takes a datagram out of its Relay-forwards.
    pub fn decode(
        octets: &'a [u8],
        source: Ipv6Addr,
        destination: Ipv6Addr,
        interface: Option<&'a str>,
    ) -> Result<Self, Discard> {
        let (relays, message) = match Message::decode(octets).map_err(undecodable)? {
            Message::Client(message) => (None, message),
            Message::Relay(relay) if relay.message_type == MessageType::RelayForward => {
                let (relays, inside) = RelayChain::decode(octets).map_err(undecodable)?;
                (Some(relays), ClientMessage::decode(inside).map_err(undecodable)?)
            }
            Message::Relay(_) => return Err(Discard::UnexpectedType),
        };
        Ok(Self { source, destination, interface, relays, message })
    }

    /// Whether the sender is on the link of the interface.
    fn is_from_neighbour(&self) -> bool {
        self.source.is_unicast_link_local() || self.destination.is_multicast()
    }

    /// How many relays it came through.
    pub(crate) fn hops(&self) -> usize {
        self.relays.as_ref().map_or(0, |relays| relays.hops().len())
    }

    /// The link that the client is on. Of one that has sent directly, that of the interface, unless it
    /// has sent from elsewhere: then that of its address. Behind relays, the innermost link-address
    /// that means one, else a relay's identifier, else the interface, if no relay has named any link
    /// (RFC 9915 §13.1, RFC 6221 §7.1).
    pub(crate) fn link<'l>(&self, links: &'l Links) -> Option<&'l Link> {
        let on_interface = || links.on_interface(self.interface?);
        let Some(relays) = &self.relays else {
            return if self.is_from_neighbour() { on_interface() } else { links.meant_by(self.source, None) };
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

/// Appends an answer, wrapped for the way back.
pub(crate) fn wrap(relays: Option<&RelayChain<'_>>, answer: &[u8], out: &mut Vec<u8>) -> Result<(), Discard> {
    let start = out.len();
    match relays {
        None => out.extend(answer),
        Some(relays) => relays.encode_reply(answer, out).map_err(|_| Discard::TooLong)?,
    }
    if out.len() - start > MAX_DATAGRAM_OCTETS {
        out.truncate(start);
        return Err(Discard::TooLong);
    }
    Ok(())
}
