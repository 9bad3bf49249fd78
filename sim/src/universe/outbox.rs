//! What a node wants of the universe while it handles something.

use std::net::Ipv6Addr;

use world::Chance;

use super::network::{Outgoing, Segment};
use super::observed::Observed;
use super::stream::StreamId;
use crate::faults::{Fault, Faults};

/// Gathers what one node wants.
#[derive(Debug)]
pub struct Outbox {
    /// Each from an address of the node, or from another one.
    pub(super) sent: Vec<(Option<Ipv6Addr>, Outgoing)>,
    pub(super) dialled: Vec<Dial>,
    pub(super) observed: Vec<Observed>,
    pub(super) next_stream: StreamId,
    pub(super) relocated: Option<(u32, Segment)>,
    pub(super) has_failed: bool,
    /// What goes wrong meanwhile, lent by the universe.
    pub(super) faults: Faults,
}

/// A stream that a node would open.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dial {
    pub(super) stream: StreamId,
    pub(super) from: Ipv6Addr,
    pub(super) to: Ipv6Addr,
}

impl Outbox {
    /// An empty one; the first stream that is dialled has this number.
    pub fn new(next_stream: StreamId) -> Self {
        Self {
            sent: Vec::new(),
            dialled: Vec::new(),
            observed: Vec::new(),
            next_stream,
            relocated: None,
            has_failed: false,
            faults: Faults::default(),
        }
    }

    /// Whether something that the node has its machine do is befallen; then it is counted.
    pub fn strikes(&mut self, fault: Fault) -> bool {
        self.faults.strikes(fault)
    }

    /// What decides the particulars of a fault that has struck.
    pub fn chance(&mut self, fault: Fault) -> &mut Chance {
        self.faults.chance(fault)
    }

    /// Sends a datagram.
    pub fn send(&mut self, outgoing: Outgoing) {
        self.sent.push((None, outgoing));
    }

    /// Sends a datagram from somebody else's address, as bridges do.
    pub fn send_as(&mut self, source: Ipv6Addr, outgoing: Outgoing) {
        self.sent.push((Some(source), outgoing));
    }

    /// Opens a stream between two addresses in the core. The node will hear whether it is connected.
    pub fn dial(&mut self, from: Ipv6Addr, to: Ipv6Addr) -> StreamId {
        let stream = self.next_stream;
        self.next_stream = stream.next();
        self.dialled.push(Dial { stream, from, to });
        stream
    }

    /// Lets those who judge see something.
    pub fn observe(&mut self, observed: Observed) {
        self.observed.push(observed);
    }

    /// An interface of the node is on another segment now, before anything is sent.
    pub fn relocate(&mut self, interface: u32, segment: Segment) {
        self.relocated = Some((interface, segment));
    }

    /// The node's program has ended because it could not go on.
    pub fn fail(&mut self) {
        self.has_failed = true;
    }
}
