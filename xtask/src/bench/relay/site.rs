//! Where a relay is measured: three network namespaces in a row.
//!
//! ```text
//! clients: cli0 fe80::c:1 ==== down0 2001:db8:1::1 :relay: 2001:db8:ffff::2 up0 ==== srv0 2001:db8:ffff::1 :servers
//! ```

use std::net::{Ipv6Addr, SocketAddrV6, UdpSocket};
use std::os::fd::AsRawFd;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrIn6, bind, setsockopt, socket, sockopt};
use wire::{CLIENT_PORT, SERVER_PORT};

use crate::bench::datagrams;
use crate::bench::namespace::Namespace;

/// The relay's interface where clients are.
pub(super) const LOWER: &str = "down0";
/// The relay's interface where the server is.
pub(super) const UPPER: &str = "up0";
/// The server's address, to which the relay sends.
pub(super) const SERVER: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 1);
/// The relay's address where the server is.
pub(super) const RELAY: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 2);
/// The relay's address where clients are.
pub(super) const LINK: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 1);
/// From which all clients speak.
pub(super) const CLIENT: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0xc, 1);
/// All_DHCP_Relay_Agents_and_Servers (RFC 9915 §7.1).
pub(super) const ALL_RELAYS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2);

const CLIENT_INTERFACE: &str = "cli0";
/// For a cable to carry after it was plugged; it takes milliseconds.
const CABLE: Duration = Duration::from_secs(10);
/// How often that is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// The namespaces, with their interfaces up.
pub(super) struct Site {
    clients: Namespace,
    pub(super) relay: Namespace,
    servers: Namespace,
}

impl Site {
    pub(super) fn make() -> Result<Self> {
        let site =
            Self { clients: Namespace::make()?, relay: Namespace::make()?, servers: Namespace::make()? };
        let Self { clients, relay, servers } = &site;
        for (there, theirs, ours) in [(clients, CLIENT_INTERFACE, LOWER), (servers, "srv0", UPPER)] {
            relay.ip(&format!("link add {ours} type veth peer name {theirs} netns {}", there.path()))?;
            relay.ip(&format!("link set {ours} up"))?;
        }
        relay.ip(&format!("address add {LINK}/64 dev {LOWER} nodad"))?;
        relay.ip(&format!("address add {RELAY}/64 dev {UPPER} nodad"))?;
        servers.ip(&format!("address add {SERVER}/64 dev srv0 nodad"))?;
        servers.ip("link set srv0 up")?;
        // An answer may be sent to the address by which the relay names the link.
        servers.ip(&format!("route add {LINK}/64 via {RELAY}"))?;
        clients.ip(&format!("address add {CLIENT}/64 dev {CLIENT_INTERFACE} nodad"))?;
        clients.ip(&format!("link set {CLIENT_INTERFACE} up"))?;
        Ok(site)
    }

    /// The clients' sockets: one that is connected and sends, and one that receives.
    pub(super) fn client_sockets(&self) -> Result<(UdpSocket, UdpSocket)> {
        let interface = self.clients.interface_number(CLIENT_INTERFACE)?;
        self.clients.within(|| {
            let at = SocketAddrV6::new(CLIENT, CLIENT_PORT, 0, interface);
            let (sends, receives) = (open(at)?, open(at)?);
            let to = SocketAddrV6::new(ALL_RELAYS, SERVER_PORT, 0, interface);
            let begun = Instant::now();
            while let Err(error) = sends.connect(to) {
                ensure!(begun.elapsed() < CABLE, "{CLIENT_INTERFACE} carries nothing: {error}");
                thread::sleep(LOOK_AGAIN);
            }
            Ok((sends, receives))
        })
    }

    /// The server's socket.
    pub(super) fn server_socket(&self) -> Result<UdpSocket> {
        self.servers.within(|| open(SocketAddrV6::new(SERVER, SERVER_PORT, 0, 0)))
    }
}

/// A socket that may share its place with another, with room for batches.
pub(super) fn open(at: SocketAddrV6) -> Result<UdpSocket> {
    let socket = socket(AddressFamily::Inet6, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)?;
    setsockopt(&socket, sockopt::ReusePort, &true)?;
    bind(socket.as_raw_fd(), &SockaddrIn6::from(at)).with_context(|| format!("cannot bind {at}"))?;
    let socket = UdpSocket::from(socket);
    datagrams::prepare(&socket)?;
    Ok(socket)
}
