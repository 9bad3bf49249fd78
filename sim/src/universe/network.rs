//! Segments, and who is attached to them: where a datagram goes, if nothing befalls it.
//!
//! The core is a segment on which servers, relays and requestors have global addresses; each link of clients
//! is one more. A multicast datagram reaches everybody else on the segment that has joined the group, a
//! unicast one whoever has the address there.

use std::net::Ipv6Addr;
use std::rc::Rc;

use crate::nodes::NodeId;

/// All relays and servers on a link (RFC 9915 §7.1).
pub const ALL_RELAYS_AND_SERVERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2);

/// A segment: 0 is the core, the others are links by their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Segment(pub u16);

impl Segment {
    /// Where servers, relays and requestors meet.
    pub const CORE: Self = Self(0);
}

/// An interface of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Whose.
    pub node: NodeId,
    /// Its number in the node's kernel; another one after it was gone.
    pub interface: u32,
    /// Its addresses, one of them link-local.
    pub addresses: Vec<Ipv6Addr>,
    /// Whether it hears what is said to all relays and servers.
    pub hears_clients: bool,
    /// Whether anything goes in or out.
    pub is_up: bool,
}

/// What a node has sent, with all that the network has made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Datagram {
    /// On which segment.
    pub segment: Segment,
    /// Who has sent it.
    pub sender: NodeId,
    /// From where.
    pub source: Ipv6Addr,
    /// From which port.
    pub source_port: u16,
    /// To where.
    pub destination: Ipv6Addr,
    /// To which port.
    pub destination_port: u16,
    /// The payload.
    pub octets: Rc<[u8]>,
}

/// What a node would have sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// By which of its interfaces.
    pub interface: u32,
    /// From which port.
    pub source_port: u16,
    /// To where.
    pub destination: Ipv6Addr,
    /// To which port.
    pub destination_port: u16,
    /// The payload.
    pub octets: Vec<u8>,
}

/// Every segment.
#[derive(Debug, Default)]
pub struct Network {
    attachments: Vec<(Segment, Attachment)>,
}

impl Network {
    /// Attaches an interface.
    pub fn attach(&mut self, segment: Segment, attachment: Attachment) {
        self.attachments.push((segment, attachment));
    }

    /// Every interface of a node, and where it is attached.
    pub fn of(&self, node: NodeId) -> impl Iterator<Item = &(Segment, Attachment)> {
        self.attachments.iter().filter(move |(_, attachment)| attachment.node == node)
    }

    /// Whether a node has this interface on this segment and anything goes in or out.
    pub fn is_up(&self, node: NodeId, interface: u32, segment: Segment) -> bool {
        self.of(node)
            .any(|(on, attachment)| *on == segment && attachment.interface == interface && attachment.is_up)
    }

    /// Changes an interface of a node, or where it is attached.
    pub fn change(
        &mut self,
        node: NodeId,
        interface: u32,
        change: impl FnOnce(&mut Segment, &mut Attachment),
    ) {
        let mut its = self.attachments.iter_mut().filter(|(_, attachment)| attachment.node == node);
        if let Some((segment, attachment)) = its.find(|(_, attachment)| attachment.interface == interface) {
            change(segment, attachment);
        }
    }

    /// The datagram that goes out, if the interface is there: to a global address from a global one.
    pub fn datagram(&self, node: NodeId, outgoing: Outgoing) -> Option<Datagram> {
        let Outgoing { interface, source_port, destination, destination_port, octets } = outgoing;
        let mut its = self.of(node).filter(|(_, attachment)| attachment.is_up);
        let (segment, attachment) = its.find(|(_, attachment)| attachment.interface == interface)?;
        let is_local = destination.is_unicast_link_local() || destination.is_multicast();
        let mut sources = attachment.addresses.iter();
        let source = sources.find(|address| address.is_unicast_link_local() == is_local);
        // Who has no global address sends from the other one.
        let source = source.or(attachment.addresses.first().filter(|_| !is_local));
        Some(Datagram {
            segment: *segment,
            sender: node,
            source: *source?,
            source_port,
            destination,
            destination_port,
            octets: octets.into(),
        })
    }

    /// Who would receive it, and by which interface.
    pub fn receivers(&self, datagram: &Datagram) -> Vec<(NodeId, u32)> {
        let on_segment = self.attachments.iter().filter(|(segment, _)| *segment == datagram.segment);
        let others = on_segment.map(|(_, attachment)| attachment);
        let others = others.filter(|attachment| attachment.is_up && attachment.node != datagram.sender);
        let hear = others.filter(|attachment| match datagram.destination {
            ALL_RELAYS_AND_SERVERS => attachment.hears_clients,
            destination => attachment.addresses.contains(&destination),
        });
        hear.map(|attachment| (attachment.node, attachment.interface)).collect()
    }

    /// Who has an address in the core.
    pub fn in_core(&self, address: Ipv6Addr) -> Option<NodeId> {
        let mut core = self.attachments.iter().filter(|(segment, _)| *segment == Segment::CORE);
        let found = core.find(|(_, attachment)| attachment.is_up && attachment.addresses.contains(&address));
        found.map(|(_, attachment)| attachment.node)
    }
}
