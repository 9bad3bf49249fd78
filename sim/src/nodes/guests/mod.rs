//! Guests: whoever takes part in a transcript and is not one of the nodes that seeds have.

mod asker;
mod bridge;
mod peer;

pub use asker::{Asker, Learnt, Way};
pub use bridge::{Bridge, FACING_NETWORK};
pub use peer::{Peer, PeerStream};

use super::Node;

/// One of them.
#[derive(Debug)]
pub enum Guest {
    /// Somebody whose every word is written down.
    Peer(Peer),
    /// A requestor that asks what it is told to ask.
    Asker(Box<Asker>),
    /// A bridge with a lightweight relay.
    Bridge(Box<Bridge>),
}

impl Guest {
    /// What the universe does with it.
    pub fn node(&self) -> &dyn Node {
        match self {
            Self::Peer(peer) => peer,
            Self::Asker(asker) => &**asker,
            Self::Bridge(bridge) => &**bridge,
        }
    }

    /// The same, to do something.
    pub fn node_mut(&mut self) -> &mut dyn Node {
        match self {
            Self::Peer(peer) => peer,
            Self::Asker(asker) => &mut **asker,
            Self::Bridge(bridge) => &mut **bridge,
        }
    }

    /// The peer that it is.
    pub fn peer(&mut self) -> Option<&mut Peer> {
        match self {
            Self::Peer(peer) => Some(peer),
            Self::Asker(_) | Self::Bridge(_) => None,
        }
    }

    /// The requestor that it is.
    pub fn asker(&mut self) -> Option<&mut Asker> {
        match self {
            Self::Asker(asker) => Some(asker),
            Self::Peer(_) | Self::Bridge(_) => None,
        }
    }
}
