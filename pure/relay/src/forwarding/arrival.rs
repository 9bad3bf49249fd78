//! How a datagram has arrived.

use std::net::Ipv6Addr;

use wire::LinkLayerAddress;

/// Where a datagram comes from, and which way it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival<'a> {
    /// Who sent it.
    pub source: Ipv6Addr,
    /// From which UDP port.
    pub source_port: u16,
    /// The address that it was sent to: one of the host, or a group.
    pub destination: Ipv6Addr,
    /// The number of the interface that it came in by.
    pub interface_index: u32,
    /// The link-layer address of the neighbour who sent it, if that is known.
    pub link_layer: Option<LinkLayerAddress<'a>>,
}
