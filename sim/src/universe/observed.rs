//! What happens where somebody can see it. Properties look at this and at the nodes, and judge.

use std::fmt;
use std::net::Ipv6Addr;
use std::rc::Rc;

use lease::AfterImage;
use relay::Change;
use requestor::{Lease, Outcome, Question};
use server::leasequery::Close;
use wire::{Duid, TransactionId};

use super::network::{Datagram, Segment};
use super::stream::StreamId;
use crate::faults::Fault;
use crate::nodes::NodeId;
use crate::nodes::relay::Place;

/// How a question and its answer go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Via {
    /// On a stream.
    Stream(StreamId),
    /// In datagrams between a server and this port of a requestor.
    Datagram(NodeId, u16),
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream(stream) => stream.fmt(f),
            Self::Datagram(requestor, port) => write!(f, "datagram of {requestor}, port {port}"),
        }
    }
}

/// What a requestor has understood of one client in one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// The client.
    pub client: Duid,
    /// Seconds since the server has heard it.
    pub last_heard_secs: Option<u32>,
    /// What it holds.
    pub leases: Vec<Lease>,
    /// Where the innermost relay on its path has heard it: link-address and peer-address.
    pub innermost: Option<(Ipv6Addr, Ipv6Addr)>,
}

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
    /// Somebody else has a route there now, in the kernel of a relay, in whose place ever.
    StrangerCame(NodeId, Place),
    /// Somebody else's route is there no longer, by nobody's doing who is judged.
    StrangerLeft(NodeId, Place),
    /// A relay is in sync with its servers.
    Recovered(NodeId),
    /// A server's table has changed, and this is to become durable.
    Changed(NodeId, Rc<[AfterImage]>),
    /// So many of those images have become durable at a server, the oldest first.
    Committed(NodeId, usize),
    /// A server has made an answer to queries, or a part of one; it leaves when it may.
    Made(NodeId, Via, Rc<[u8]>),
    /// A server has closed a stream without a word: as soon as it was there, or because somebody else got its place.
    TurnedAway(NodeId, StreamId),
    /// A server leaves a stream, for this reason.
    Left(NodeId, StreamId, Close),
    /// A requestor asks a server.
    Asked(NodeId, NodeId, Via, TransactionId, Rc<Question>),
    /// A requestor has understood what it was told of a client.
    Understood(NodeId, Via, TransactionId, Rc<Heard>),
    /// A question of a requestor has ended.
    QuestionEnded(NodeId, Via, TransactionId, Outcome),
    /// A requestor does not want to know any more.
    QuestionDropped(NodeId, Via, TransactionId),
    /// Something has gone wrong.
    Befell(Fault, Option<NodeId>),
    /// Nothing goes wrong any more from now on.
    Calm,
}
