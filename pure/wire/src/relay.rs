//! Relay-forwards inside one another, as a list.
//!
//! [`RelayChain`] is the chain as received, outermost first. From it come the path that a server
//! remembers ([`RelayChain::encode_path`]: the same octets without the client's message, RFC 5007
//! §4.1.2.4) and the Relay-reply that goes back the same way ([`RelayChain::encode_reply`]).

use std::net::Ipv6Addr;

use crate::limits::MAX_RELAY_DEPTH;
use crate::{DecodeError, MessageType, OptionCode, Reader, RelayMessage, TooLong, Writer};

/// The levels of a nested Relay-forward, outermost first; at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayChain<'a> {
    hops: Vec<RelayMessage<'a>>,
}

impl<'a> RelayChain<'a> {
    /// Unwraps a Relay-forward as it arrives: the chain, and the message of the client inside.
    pub fn decode(octets: &'a [u8]) -> Result<(Self, &'a [u8]), DecodeError> {
        let (chain, message) = Self::unwrap(octets)?;
        Ok((chain, message.ok_or(DecodeError::MissingRelayMessage)?))
    }

    /// Unwraps the path inside LQ_RELAY_DATA: its innermost level relays nothing.
    pub fn decode_path(octets: &'a [u8]) -> Result<Self, DecodeError> {
        match Self::unwrap(octets)? {
            (chain, None) => Ok(chain),
            (_, Some(_)) => Err(DecodeError::NotRelayed),
        }
    }

    fn unwrap(octets: &'a [u8]) -> Result<(Self, Option<&'a [u8]>), DecodeError> {
        let mut hops = Vec::new();
        let mut inside = octets;
        loop {
            let hop = RelayMessage::decode(inside)?;
            if hop.message_type != MessageType::RelayForward {
                return Err(DecodeError::NotRelayed);
            }
            if hops.len() == MAX_RELAY_DEPTH {
                return Err(DecodeError::TooManyRelays);
            }
            hops.push(hop);
            match hop.relayed()? {
                Some(message) if message.first() == Some(&(MessageType::RelayForward as u8)) => {
                    inside = message;
                }
                message => return Ok((Self { hops }, message)),
            }
        }
    }

    /// The levels, outermost (nearest the server) first.
    pub fn hops(&self) -> &[RelayMessage<'a>] {
        &self.hops
    }

    /// The level of the relay nearest to the client.
    pub fn innermost(&self) -> &RelayMessage<'a> {
        self.hops.last().expect("a chain has at least one level")
    }

    /// Appends the chain without the client's message, option header and all; every other option
    /// keeps its octets and its place, and the enclosing lengths shrink (RFC 5007 §4.1.2.4).
    pub fn encode_path(&self, out: &mut Vec<u8>) -> Result<(), TooLong> {
        let mut writer = Writer::new(out);
        write_path(&self.hops, &mut writer);
        writer.finish()
    }

    /// Appends the Relay-reply that takes `reply` back along the same relays: hop-count,
    /// link-address and peer-address copied, Interface-ID and Relay Source Port echoed at the level
    /// they came from (RFC 8415 §19.3, RFC 8357 §5.2).
    pub fn encode_reply(&self, reply: &[u8], out: &mut Vec<u8>) -> Result<(), TooLong> {
        let mut writer = Writer::new(out);
        write_reply(&self.hops, reply, &mut writer);
        writer.finish()
    }
}

fn write_path(hops: &[RelayMessage<'_>], writer: &mut Writer<'_>) {
    let Some((outermost, inner)) = hops.split_first() else { return };
    outermost.encode_header(writer);
    for option in outermost.options.iter() {
        if option.code != OptionCode::RELAY_MSG {
            option.encode(writer);
        } else if !inner.is_empty() {
            writer.option(OptionCode::RELAY_MSG, |w| write_path(inner, w));
        }
    }
}

fn write_reply(hops: &[RelayMessage<'_>], reply: &[u8], writer: &mut Writer<'_>) {
    let Some((outermost, inner)) = hops.split_first() else { return writer.bytes(reply) };
    RelayMessage { message_type: MessageType::RelayReply, ..*outermost }.encode_header(writer);
    for code in [OptionCode::INTERFACE_ID, OptionCode::RELAY_PORT] {
        if let Some(data) = outermost.options.first(code) {
            writer.raw_option(code, data);
        }
    }
    writer.option(OptionCode::RELAY_MSG, |w| write_reply(inner, reply, w));
}

/// The inside of LQ_RELAY_DATA (RFC 5007 §4.1.2.4). The path is not judged here: deployed servers
/// send it with wrong lengths, and the leases beside it are good all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RelayData<'a> {
    /// From where the server received the relayed message.
    pub peer_address: Ipv6Addr,
    /// A Relay-forward chain without the client's message.
    pub path: &'a [u8],
}

/// Octets of a Relay-forward without options.
const RELAY_HEADER_OCTETS: usize = 34;

impl<'a> RelayData<'a> {
    pub(crate) fn decode(data: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(data);
        let peer_address = reader.address()?;
        let path = reader.rest();
        if path.len() < RELAY_HEADER_OCTETS {
            return Err(DecodeError::BadLength(OptionCode::LQ_RELAY_DATA));
        }
        Ok(Self { peer_address, path })
    }

    /// The path, level by level.
    pub fn chain(self) -> Result<RelayChain<'a>, DecodeError> {
        RelayChain::decode_path(self.path)
    }

    /// Appends the data of the option.
    pub fn encode_data(self, w: &mut Writer<'_>) {
        let Self { peer_address, path } = self;
        w.address(peer_address);
        w.bytes(path);
    }
}

/// The identifiers that relays put beside a message: one level's options.
impl<'a> RelayMessage<'a> {
    /// The DUID by which the relay of this level names itself; one that is none is ignored.
    pub fn relay_id(&self) -> Option<crate::DuidRef<'a>> {
        self.options.relay_id().ok().flatten()
    }

    /// The Remote-ID of this level, enterprise number and value as one opaque string (RFC 4649 §5).
    /// One without a value, or a second one, is ignored.
    pub fn remote_id(&self) -> Option<&'a [u8]> {
        self.options.only(OptionCode::REMOTE_ID).ok().flatten().filter(|data| data.len() > 4)
    }

    /// The Interface-ID of this level.
    pub fn interface_id(&self) -> Option<&'a [u8]> {
        self.options.first(OptionCode::INTERFACE_ID)
    }
}
