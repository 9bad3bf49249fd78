//! Two network namespaces and a pair of interfaces between them, for as long as the value lives.
//!
//! ```text
//! clients and relays: cli0  fe80::c:1, ...  2001:db8::f:1, ...  ======  srv0  2001:db8:ffff::1 :server
//! ```

use std::net::Ipv6Addr;

use anyhow::Result;

use crate::bench::namespace::Namespace;

/// The server's interface.
pub(super) const SERVER_INTERFACE: &str = "srv0";
/// The interface that clients and relays share.
pub(super) const CLIENT_INTERFACE: &str = "cli0";
/// The server's address.
pub(super) const SERVER: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 1);
/// How many addresses of each kind the clients' side has: more threads than that do not send.
pub(in crate::bench) const MAX_SENDERS: u16 = 16;

/// Both namespaces.
pub(super) struct Network {
    pub(super) server: Namespace,
    pub(super) client: Namespace,
}

impl Network {
    /// Makes the namespaces, the interfaces and the addresses.
    pub(super) fn make() -> Result<Self> {
        let network = Self { server: Namespace::make()?, client: Namespace::make()? };
        let Self { server, client } = &network;
        let theirs = client.path();
        server.ip(&format!(
            "link add {SERVER_INTERFACE} type veth peer name {CLIENT_INTERFACE} netns {theirs}"
        ))?;
        server.ip(&format!("address add {SERVER}/64 dev {SERVER_INTERFACE} nodad"))?;
        server.ip(&format!("link set {SERVER_INTERFACE} up"))?;
        for sender in 0..MAX_SENDERS {
            for address in [client_address(sender), relay_address(sender)] {
                client.ip(&format!("address add {address}/64 dev {CLIENT_INTERFACE} nodad"))?;
            }
        }
        client.ip(&format!("link set {CLIENT_INTERFACE} up"))?;
        client.ip(&format!("route add {SERVER} dev {CLIENT_INTERFACE}"))?;
        server.ip(&format!("route add {}/64 dev {SERVER_INTERFACE}", relay_address(0)))?;
        Ok(network)
    }
}

/// The link-local address of a sender of clients' messages.
pub(super) fn client_address(sender: u16) -> Ipv6Addr {
    Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0xc, sender + 1)
}

/// The address of a relay: on the clients' link, so that it names the link too.
pub(super) fn relay_address(sender: u16) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0xf, sender + 1)
}
