//! Servers: `[[relay.server]]`.

use std::net::SocketAddrV6;

use wire::SERVER_PORT;

use crate::net::ALL_SERVERS;

/// A server, or a group of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// What it is called in what is shown; without it, by its address.
    pub name: Option<String>,
    /// Where it is: an address or a multicast group, and the port.
    pub address: SocketAddrV6,
    /// By which interface; a link-local address has one.
    pub interface: Option<String>,
    /// Whether it is sent what clients say. If not, it is only asked.
    pub forwards: bool,
    /// Where it is asked for what it knows, by bulk leasequery; `None` if it is not asked. The
    /// interface is the same.
    pub leasequery: Option<SocketAddrV6>,
    /// The address of ours that it is asked from; without it, the kernel chooses one.
    pub from: Option<std::net::Ipv6Addr>,
}

impl Default for Server {
    /// All_DHCP_Servers (RFC 9915 §19).
    fn default() -> Self {
        Self::at(SocketAddrV6::new(ALL_SERVERS, SERVER_PORT, 0, 0))
    }
}

impl Server {
    /// A server of which nothing but the address is said: a single one is asked at that address, too.
    pub fn at(address: SocketAddrV6) -> Self {
        let leasequery = (!address.ip().is_multicast()).then_some(address);
        Self { name: None, address, interface: None, forwards: true, leasequery, from: None }
    }
}
