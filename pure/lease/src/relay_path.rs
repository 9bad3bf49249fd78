//! The way a client's message came: what LQ_RELAY_DATA gives back (RFC 5007 §4.1.2.4).

use std::fmt;
use std::net::Ipv6Addr;

use wire::{DecodeError, DuidRef, MessageType, RelayChain, RelayMessage, TooLong};

use crate::limits::MAX_RELAY_PATH_OCTETS;

/// A Relay-forward chain without the client's message, its octets as the relays sent them.
#[derive(Clone, PartialEq, Eq)]
pub struct RelayPath {
    peer_address: Ipv6Addr,
    octets: Box<[u8]>,
}

/// Why octets are not kept as a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelayPathError {
    /// They are no Relay-forward chain without the client's message.
    NotPath(DecodeError),
    /// They could never be sent in an answer.
    TooLong,
}

impl fmt::Display for RelayPathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotPath(error) => write!(f, "not a relay path: {error}"),
            Self::TooLong => write!(f, "a relay path over {MAX_RELAY_PATH_OCTETS} octets"),
        }
    }
}

impl std::error::Error for RelayPathError {}

impl RelayPath {
    /// Takes the octets of a path. `peer_address` is from where the server received the datagram;
    /// unspecified if nobody remembers.
    pub fn new(peer_address: Ipv6Addr, octets: &[u8]) -> Result<Self, RelayPathError> {
        Self::check(octets)?;
        Ok(Self { peer_address, octets: octets.into() })
    }

    /// Whether the octets are a path that is kept.
    pub(crate) fn check(octets: &[u8]) -> Result<(), RelayPathError> {
        RelayChain::decode_path(octets).map_err(RelayPathError::NotPath)?;
        if octets.len() > MAX_RELAY_PATH_OCTETS { Err(RelayPathError::TooLong) } else { Ok(()) }
    }

    /// The path of a chain that has just been received.
    pub fn of_chain(peer_address: Ipv6Addr, chain: &RelayChain<'_>) -> Result<Self, RelayPathError> {
        let mut octets = Vec::new();
        chain.encode_path(&mut octets).map_err(|TooLong| RelayPathError::TooLong)?;
        Self::new(peer_address, &octets)
    }

    /// From where the server received the datagram.
    pub fn peer_address(&self) -> Ipv6Addr {
        self.peer_address
    }

    /// The chain.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }
}

impl fmt::Debug for RelayPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RelayPath(from {}, {:02x?})", self.peer_address, self.octets)
    }
}

/// The levels of a path, outermost first, without allocating.
pub(crate) fn levels(path: &[u8]) -> impl Iterator<Item = RelayMessage<'_>> {
    let mut inside = Some(path);
    std::iter::from_fn(move || {
        let level = RelayMessage::decode(inside.take()?).ok()?;
        let relayed = level.relayed().ok().flatten();
        inside = relayed.filter(|message| message.first() == Some(&(MessageType::RelayForward as u8)));
        Some(level)
    })
}

/// The Relay-IDs of every level (RFC 5460 §5.4.1).
pub(crate) fn relay_ids(path: &[u8]) -> impl Iterator<Item = DuidRef<'_>> {
    levels(path).filter_map(|level| level.relay_id())
}

/// The Remote-IDs of every level, enterprise number included (RFC 4649 §3).
pub(crate) fn remote_ids(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    levels(path).filter_map(|level| level.remote_id())
}
