//! The ways to the servers: each gets a copy of what clients say.
//!
//! A way has the number of its interface, so it is found anew whenever interfaces change. A group
//! without an interface of its own is sent to on each upstream interface that is there, or wherever
//! the kernel thinks right if none is configured (RFC 9915 §19).

use std::net::{Ipv6Addr, SocketAddrV6};

use relay::ServerId;

use crate::config::relay::Server;
use crate::net::Outgoing;

/// A way to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Way {
    /// Whose it is.
    pub(super) server: ServerId,
    to: SocketAddrV6,
    interface_index: u32,
}

impl Way {
    /// A datagram that goes this way.
    pub(super) fn carry(&self, octets: Vec<u8>) -> Outgoing {
        let Self { server: _, to, interface_index } = *self;
        Outgoing { octets, to, source: Ipv6Addr::UNSPECIFIED, interface_index }
    }
}

/// The ways to all servers that are there. `index_of` gives the number of an interface, and `upstream`
/// are those of the upstream interfaces.
pub(super) fn ways(servers: &[Server], index_of: impl Fn(&str) -> Option<u32>, upstream: &[u32]) -> Vec<Way> {
    let mut ways = Vec::new();
    for (id, server) in (0..).map(ServerId).zip(servers).filter(|(_, server)| server.forwards) {
        let address = *server.address.ip();
        let needs_interface = address.is_multicast() || address.is_unicast_link_local();
        let indices = match &server.interface {
            Some(name) => index_of(name).into_iter().collect(),
            None if needs_interface && !upstream.is_empty() => upstream.to_vec(),
            None => vec![0],
        };
        ways.extend(indices.into_iter().map(|interface_index| Way {
            server: id,
            to: SocketAddrV6::new(
                address,
                server.address.port(),
                0,
                if needs_interface { interface_index } else { 0 },
            ),
            interface_index: if needs_interface { interface_index } else { 0 },
        }));
    }
    ways
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(address: &str, interface: Option<&str>) -> Server {
        let address = SocketAddrV6::new(address.parse().unwrap(), 547, 0, 0);
        Server { interface: interface.map(str::to_owned), ..Server::at(address) }
    }

    fn index_of(name: &str) -> Option<u32> {
        (name == "up0").then_some(7)
    }

    #[test]
    fn a_unicast_server_is_reached_by_the_kernel_s_routes() {
        // REL-04
        let servers = [server("2001:db8::1", None), server("2001:db8::2", None)];
        let indices: Vec<u32> =
            ways(&servers, index_of, &[7]).iter().map(|way| way.interface_index).collect();
        assert_eq!(indices, [0, 0]);
    }

    #[test]
    fn a_group_is_sent_to_on_its_interface_or_on_every_one_upstream() {
        // REL-05, REL-06
        let indices = |servers: &[Server], upstream: &[u32]| -> Vec<u32> {
            ways(servers, index_of, upstream).iter().map(|way| way.interface_index).collect()
        };
        assert_eq!(indices(&[server("ff05::1:3", Some("up0"))], &[8, 9]), [7]);
        assert_eq!(indices(&[server("ff05::1:3", None)], &[8, 9]), [8, 9]);
        assert_eq!(indices(&[server("ff05::1:3", None)], &[]), [0]);
        assert_eq!(indices(&[server("fe80::1", Some("gone"))], &[]), Vec::<u32>::new());
    }

    #[test]
    fn who_is_only_asked_is_sent_nothing() {
        let asked = Server { forwards: false, ..server("2001:db8::1", None) };
        assert_eq!(ways(&[asked], index_of, &[]), []);
    }
}
