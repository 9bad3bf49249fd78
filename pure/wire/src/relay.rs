//! Relay-forwards inside one another, as a list.
//!
//! [`RelayChain`] is the chain as received, outermost first. From it come the path that a server
//! remembers ([`RelayChain::encode_path`]: the same octets without the client's message, RFC 5007
//! §4.1.2.4) and the Relay-reply that goes back the same way ([`RelayChain::encode_reply`]).

use std::net::Ipv6Addr;

use crate::limits::{MAX_RELAY_DEPTH, MAX_RELAY_FORWARDS};
use crate::{
    DecodeError, LinkLayerAddress, MessageType, OptionCode, Options, RawOption, Reader, RelayMessage,
    TooLong, Writer,
};

/// The levels of a nested Relay-forward, outermost first; at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayChain<'a> {
    hops: Vec<RelayMessage<'a>>,
}

impl<'a> RelayChain<'a> {
    /// Unwraps a Relay-forward as it arrives, at most [`MAX_RELAY_FORWARDS`] levels: the chain, and
    /// the message of the client inside.
    pub fn decode(octets: &'a [u8]) -> Result<(Self, &'a [u8]), DecodeError> {
        let (chain, message) = Self::unwrap(octets, MAX_RELAY_FORWARDS)?;
        Ok((chain, message.ok_or(DecodeError::MissingRelayMessage)?))
    }

    /// Unwraps the path inside LQ_RELAY_DATA, at most [`MAX_RELAY_DEPTH`] levels: its innermost
    /// level relays nothing.
    pub fn decode_path(octets: &'a [u8]) -> Result<Self, DecodeError> {
        match Self::unwrap(octets, MAX_RELAY_DEPTH)? {
            (chain, None) => Ok(chain),
            (_, Some(_)) => Err(DecodeError::NotRelayed),
        }
    }

    fn unwrap(octets: &'a [u8], most: usize) -> Result<(Self, Option<&'a [u8]>), DecodeError> {
        let mut hops = Vec::new();
        let mut inside = octets;
        loop {
            let hop = RelayMessage::decode(inside)?;
            if hop.message_type != MessageType::RelayForward {
                return Err(DecodeError::NotRelayed);
            }
            if hops.len() == most {
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

    /// The level of the relay nearest to the server.
    pub fn outermost(&self) -> &RelayMessage<'a> {
        self.hops.first().expect("a chain has at least one level")
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
    /// they came from (RFC 8415 §19.3, RFC 8357 §5.2), and there too whatever that level's ERO asks
    /// for (RFC 4994 §5).
    pub fn encode_reply(&self, reply: &[u8], out: &mut Vec<u8>) -> Result<(), TooLong> {
        let mut writer = Writer::new(out);
        write_reply(&self.hops, reply, &mut writer);
        writer.finish()
    }

    /// Whether the Relay-reply goes to the UDP port that the datagram came from, and not to 547:
    /// the outermost level has RELAY_PORT, whatever its value (RFC 8357 §5.2).
    pub fn wants_source_port(&self) -> bool {
        self.outermost().options.has(OptionCode::RELAY_PORT)
    }

    /// The link-layer address of the client, as seen by the relay nearest to it. Only that relay
    /// has seen it: what others say is ignored (RFC 6939 §5).
    pub fn client_link_layer_address(&self) -> Option<LinkLayerAddress<'a>> {
        self.innermost().client_link_layer_address()
    }

    /// The options that relays supply for the client, those of the innermost relay first. Which of
    /// them a relay may supply is the server's to judge (RFC 6422 §6).
    pub fn supplied_options(&self) -> impl Iterator<Item = RawOption<'a>> {
        self.hops.iter().rev().flat_map(|hop| hop.supplied_options().iter())
    }

    /// The data of the option that relays supply for the client: of several, the innermost relay's
    /// first one (RFC 6422 §6).
    pub fn supplied(&self, code: OptionCode) -> Option<&'a [u8]> {
        self.supplied_options().find(|option| option.code == code).map(|option| option.data)
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
    for code in ECHOED {
        if let Some(data) = outermost.options.first(code) {
            writer.raw_option(code, data);
        }
    }
    write_requested(outermost.options, writer);
    writer.option(OptionCode::RELAY_MSG, |w| write_reply(inner, reply, w));
}

/// What a relay gets back without asking.
const ECHOED: [OptionCode; 2] = [OptionCode::INTERFACE_ID, OptionCode::RELAY_PORT];

/// What the ERO of a level asks for, verbatim and in the order received, every instance. Not what is
/// there anyway, nor the ERO itself, which only a Relay-forward has (RFC 4994 §5). One walk over the
/// options, however long the list: who writes both must not make us compare each with each.
fn write_requested(received: Options<'_>, writer: &mut Writer<'_>) {
    let mut requested: Vec<OptionCode> = received.echo_request().collect();
    requested.retain(|code| !ECHOED.contains(code) && !NEVER_ECHOED.contains(code));
    requested.sort_unstable();
    for option in received.iter().filter(|option| requested.binary_search(&option.code).is_ok()) {
        option.encode(writer);
    }
}

/// The Relay-reply has a RELAY_MSG of its own, and no ERO.
const NEVER_ECHOED: [OptionCode; 2] = [OptionCode::RELAY_MSG, OptionCode::ERO];

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

/// What relays put beside a message: one level's options.
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

    /// The link-layer address from which this relay heard the client (RFC 6939 §4); one that is
    /// malformed is ignored.
    pub fn client_link_layer_address(&self) -> Option<LinkLayerAddress<'a>> {
        LinkLayerAddress::decode(self.options.first(OptionCode::CLIENT_LINKLAYER_ADDR)?).ok()
    }

    /// The options that this relay supplies for the client (RFC 6422 §4); none if the RSOO is
    /// malformed.
    pub fn supplied_options(&self) -> Options<'a> {
        self.options.first(OptionCode::RSOO).and_then(|data| Options::new(data).ok()).unwrap_or_default()
    }
}
