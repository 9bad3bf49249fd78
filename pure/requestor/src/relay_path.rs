//! The relays through which a server heard a client, read where they lie.
//!
//! The path is walked once to prove it, and again whenever somebody asks for a level: nothing is
//! allocated. It is all or nothing. Deployed servers send paths with wrong lengths, and half a
//! path could give a wrong next hop, which is worse than none.

use std::net::Ipv6Addr;

use wire::limits::MAX_RELAY_DEPTH;
use wire::{DecodeError, MessageType, RelayData, RelayMessage};

/// A path that decodes.
#[derive(Debug, Clone, Copy)]
pub struct RelayPath<'a> {
    data: RelayData<'a>,
    innermost: RelayMessage<'a>,
}

impl<'a> RelayPath<'a> {
    /// Proves the inside of LQ_RELAY_DATA (RFC 5007 §4.1.2.4).
    pub fn new(data: RelayData<'a>) -> Result<Self, DecodeError> {
        let mut innermost = Err(DecodeError::NotRelayed);
        for hop in Walk::new(data.path) {
            innermost = Ok(hop?);
        }
        Ok(Self { data, innermost: innermost? })
    }

    /// From where the server says it received the relayed message; some fill in something else.
    pub fn source_address(self) -> Ipv6Addr {
        self.data.peer_address
    }

    /// The level of the relay nearest to the client.
    pub fn innermost(&self) -> &RelayMessage<'a> {
        &self.innermost
    }

    /// All levels, the relay nearest to the server first.
    pub fn hops(self) -> impl Iterator<Item = RelayMessage<'a>> {
        Walk::new(self.data.path).flatten()
    }
}

struct Walk<'a> {
    inside: Option<&'a [u8]>,
    depth: usize,
}

impl<'a> Walk<'a> {
    fn new(path: &'a [u8]) -> Self {
        Self { inside: Some(path), depth: 0 }
    }

    fn level(&mut self, octets: &'a [u8]) -> Result<RelayMessage<'a>, DecodeError> {
        self.depth += 1;
        if self.depth > MAX_RELAY_DEPTH {
            return Err(DecodeError::TooManyRelays);
        }
        let hop = RelayMessage::decode(octets)?;
        if hop.message_type != MessageType::RelayForward {
            return Err(DecodeError::NotRelayed);
        }
        self.inside = hop.relayed()?;
        Ok(hop)
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Result<RelayMessage<'a>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let octets = self.inside.take()?;
        Some(self.level(octets))
    }
}
