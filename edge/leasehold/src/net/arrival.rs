//! How a datagram came in, and how its answer goes out.
//!
//! An answer goes to the address that the datagram came from, at the port of its role (RFC 9915 §7.2), whatever
//! port the sender used. Its source is the address that was asked, unless that was a group: then the kernel
//! chooses one of the interface.

use std::net::{Ipv6Addr, SocketAddrV6};

/// How a datagram came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// Who sent it; a link-local address carries its interface as scope.
    pub source: SocketAddrV6,
    /// The address that it was sent to: one of the host, or a group.
    pub destination: Ipv6Addr,
    /// The interface that it came in by.
    pub interface_index: u32,
}

/// A datagram to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// What it holds.
    pub octets: Vec<u8>,
    /// Where it goes.
    pub to: SocketAddrV6,
    /// Where it comes from; unspecified leaves the choice to the kernel.
    pub source: Ipv6Addr,
    /// The interface that it leaves by; 0 leaves the choice to the kernel's routes.
    pub interface_index: u32,
}

impl Arrival {
    /// The answer to a client heard directly: by the interface on which it was heard, always
    /// (RFC 9915 §18.3.10).
    pub fn answer_client(&self, octets: Vec<u8>, port: u16) -> Outgoing {
        self.answer(octets, port, self.interface_index)
    }

    /// The answer to a relay: its address says the way, and its route may be another than the one that the
    /// question took. Only a link-local address means nothing without its interface.
    pub fn answer_relay(&self, octets: Vec<u8>, port: u16) -> Outgoing {
        let on_link = self.source.ip().is_unicast_link_local() || self.destination.is_unicast_link_local();
        self.answer(octets, port, if on_link { self.interface_index } else { 0 })
    }

    fn answer(&self, octets: Vec<u8>, port: u16, interface_index: u32) -> Outgoing {
        let to = SocketAddrV6::new(*self.source.ip(), port, 0, self.source.scope_id());
        let asked_a_group = self.destination.is_multicast();
        let source = if asked_a_group { Ipv6Addr::UNSPECIFIED } else { self.destination };
        Outgoing { octets, to, source, interface_index }
    }
}
