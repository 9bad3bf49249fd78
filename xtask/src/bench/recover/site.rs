//! Where a relay recovers: clients on four interfaces, the relay, and a server that knows what was delegated.
//!
//! ```text
//! clients: cli1 ==== acc1 \
//!          ...             :relay: 2001:db8:ff1::2 up1 ==== srv0 2001:db8:ff1::1 :servers  (asked)
//!          cli4 ==== acc4 /                                      2001:db8:ff1::5           (forwarded to)
//! ```

use std::net::{Ipv6Addr, SocketAddrV6, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use wire::{CLIENT_PORT, SERVER_PORT};

use crate::bench::datagrams;
use crate::bench::namespace::Namespace;

/// The relay's interfaces with clients.
pub(super) const ACCESS: [&str; 4] = ["acc1", "acc2", "acc3", "acc4"];
/// The server that is asked.
pub(super) const SERVER: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xff1, 0, 0, 0, 0, 1);
/// Where what clients say is forwarded to, so that it is measured without a server's work.
pub(super) const SINK: SocketAddrV6 =
    SocketAddrV6::new(Ipv6Addr::new(0x2001, 0xdb8, 0xff1, 0, 0, 0, 0, 5), 1547, 0, 0);

const ALL_RELAYS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2);
/// From which the clients that are measured speak.
const CLIENT: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0xc, 1);
/// For a cable to carry after it was plugged; it takes milliseconds.
const CABLE: Duration = Duration::from_secs(10);
/// How often that is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// The namespaces, with their interfaces up.
pub(super) struct Site {
    clients: Namespace,
    pub(super) relay: Namespace,
    pub(super) servers: Namespace,
}

impl Site {
    pub(super) fn make() -> Result<Self> {
        let site =
            Self { clients: Namespace::make()?, relay: Namespace::make()?, servers: Namespace::make()? };
        let Self { clients, relay, servers } = &site;
        for (number, access) in (1..).zip(ACCESS) {
            let there = clients.path();
            relay.ip(&format!("link add {access} type veth peer name cli{number} netns {there}"))?;
            relay.ip(&format!("link set {access} up"))?;
            relay.ip(&format!("address add 2001:db8:{number}::1/64 dev {access} nodad"))?;
            clients.ip(&format!("link set cli{number} up"))?;
        }
        clients.ip(&format!("address add {CLIENT}/64 dev cli1 nodad"))?;
        relay.ip(&format!("link add up1 type veth peer name srv0 netns {}", servers.path()))?;
        relay.ip("link set up1 up")?;
        relay.ip("address add 2001:db8:ff1::2/64 dev up1 nodad")?;
        servers.ip("link set srv0 up")?;
        for address in [SERVER, *SINK.ip()] {
            servers.ip(&format!("address add {address}/64 dev srv0 nodad"))?;
        }
        Ok(site)
    }

    /// A client's socket, and the one where what it says arrives.
    pub(super) fn sockets(&self) -> Result<(UdpSocket, UdpSocket)> {
        let interface = self.clients.interface_number("cli1")?;
        let client = self.clients.within(|| {
            let socket = UdpSocket::bind(SocketAddrV6::new(CLIENT, CLIENT_PORT, 0, interface))?;
            let to = SocketAddrV6::new(ALL_RELAYS, SERVER_PORT, 0, interface);
            let begun = Instant::now();
            while let Err(error) = socket.connect(to) {
                ensure!(begun.elapsed() < CABLE, "cli1 carries nothing: {error}");
                thread::sleep(LOOK_AGAIN);
            }
            Ok(socket)
        })?;
        let sink = self.servers.within(|| Ok(UdpSocket::bind(SINK)?))?;
        datagrams::prepare(&sink)?;
        Ok((client, sink))
    }
}
