//! Streams: two pipes of octets between two nodes of the core. A pipe has room for so many octets, and gives
//! them on in pieces; what the reader does not take stays, and then the writer has no room.
//!
//! Nodes are asked rather than told: a stream takes from a node's output what there is room for, whenever
//! something has happened to the node or to the stream.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use world::Instant;

use crate::nodes::NodeId;

/// A stream; its number is never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct StreamId(u64);

impl StreamId {
    /// The one after it.
    pub(super) fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stream {}", self.0)
    }
}

/// How a stream ends for a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The other side sends nothing more.
    Closed,
    /// Whatever was on its way is lost.
    Reset,
    /// There never was one.
    Refused,
}

/// Which of the two ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    /// Who has dialled.
    Dialler,
    /// Who has accepted.
    Listener,
}

impl Side {
    /// The other one.
    pub(super) fn other(self) -> Self {
        match self {
            Self::Dialler => Self::Listener,
            Self::Listener => Self::Dialler,
        }
    }
}

/// A stream that is open.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) dialler: End,
    pub(super) listener: End,
    /// Octets that are on their way in one direction at most.
    pub(super) room: usize,
    /// Nothing moves before.
    pub(super) stalled_until: Option<Instant>,
}

/// One end, and what is on its way to it.
#[derive(Debug)]
pub(super) struct End {
    pub(super) node: NodeId,
    pub(super) coming: VecDeque<u8>,
    /// A delivery to this end is on its way.
    pub(super) is_due: bool,
    /// This end writes nothing more.
    pub(super) has_closed: bool,
    /// This end has been told that nothing more comes.
    pub(super) has_ended: bool,
    /// Nobody reads at this end any more either: what comes now breaks the stream.
    pub(super) is_gone: bool,
}

/// Octets on their way in one direction: more than most answers here.
pub(super) const ROOM: usize = 256 * 1024;

impl End {
    pub(super) fn of(node: NodeId) -> Self {
        Self {
            node,
            coming: VecDeque::new(),
            is_due: false,
            has_closed: false,
            has_ended: false,
            is_gone: false,
        }
    }
}

impl Stream {
    pub(super) fn end(&mut self, side: Side) -> &mut End {
        match side {
            Side::Dialler => &mut self.dialler,
            Side::Listener => &mut self.listener,
        }
    }

    /// Nothing is in its way any more.
    pub(super) fn calm(&mut self) {
        (self.room, self.stalled_until) = (ROOM, None);
    }

    /// Which end a node has.
    pub(super) fn side_of(&self, node: NodeId) -> Option<Side> {
        match node {
            node if node == self.dialler.node => Some(Side::Dialler),
            node if node == self.listener.node => Some(Side::Listener),
            _ => None,
        }
    }

    /// Both ends have said all they want to say, it has arrived, and each knows that nothing more comes.
    pub(super) fn is_over(&self) -> bool {
        [&self.dialler, &self.listener]
            .into_iter()
            .all(|end| end.has_closed && end.has_ended && end.coming.is_empty())
    }
}

/// Every stream that is open.
pub(super) type Streams = BTreeMap<StreamId, Stream>;
