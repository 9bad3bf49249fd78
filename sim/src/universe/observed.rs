//! What happens where somebody can see it. Properties look at this and at the nodes, and judge.

use std::rc::Rc;

use relay::Change;

use super::network::{Datagram, Segment};
use super::stream::StreamId;
use crate::faults::Fault;
use crate::nodes::NodeId;

/// Something that has happened.
#[derive(Debug, Clone)]
pub enum Observed {
    /// A node has sent a datagram; nothing has befallen it yet.
    Sent(Datagram),
    /// A datagram has arrived at a node that is running, before the node has looked at it.
    Arriving(NodeId, Datagram),
    /// A node has written octets to a stream.
    Wrote(NodeId, StreamId, Rc<[u8]>),
    /// A node has read octets from a stream.
    Read(NodeId, StreamId, Rc<[u8]>),
    /// A stream has been opened, from the first to the second.
    Opened(StreamId, NodeId, NodeId),
    /// A stream is over, in whatever way.
    Over(StreamId),
    /// A server or relay has been killed.
    Killed(NodeId),
    /// It has started.
    Started(NodeId),
    /// The kernel of a relay has done what the relay wanted.
    RouteChanged(NodeId, Change),
    /// A node has been carried to another segment, or to the same again.
    Moved(NodeId, Segment),
    /// A relay is in sync with its servers.
    Recovered(NodeId),
    /// A question of a requestor has ended, in its own words.
    QuestionEnded(NodeId, StreamId, wire::TransactionId, String),
    /// Something has gone wrong.
    Befell(Fault, Option<NodeId>),
    /// Nothing goes wrong any more from now on.
    Calm,
}
