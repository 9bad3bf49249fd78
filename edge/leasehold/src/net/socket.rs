//! The socket of a DHCPv6 server or relay: UDP over IPv6 alone, never blocking.
//!
//! Bound to `::` it hears unicast on every address of the host, and every group that an interface is in; which
//! of those count, `Membership` says. One thread receives, and any other one may send at the same time.

use std::io;
use std::net::SocketAddrV6;
use std::os::fd::{AsFd, BorrowedFd};

use nix::sys::socket::{setsockopt, sockopt};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::arrival::Outgoing;
use super::batch::Batch;
use super::counters::Counters;
use super::send;

/// Octets that may wait in the kernel to be received. The kernel doubles it and counts 750 to 2,300 octets for a
/// usual message: so 7,000 messages at least, what a thousand clients a second send while a disk hesitates.
pub const RECEIVE_BUFFER_OCTETS: usize = 8 << 20;

/// Routers that a message to a group of servers may pass (RFC 9915 §19).
const MULTICAST_HOPS: u32 = 8;

/// A bound socket.
#[derive(Debug)]
pub struct ServerSocket {
    socket: Socket,
    counters: Counters,
}

impl ServerSocket {
    /// Binds; port 0 lets the system choose one. The port is never shared with another process, which would
    /// take half of the messages away.
    pub fn bind(at: SocketAddrV6) -> io::Result<Self> {
        let socket = Socket::new(Domain::IPV6, Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_only_v6(true)?;
        socket.set_nonblocking(true)?;
        socket.set_multicast_loop_v6(false)?;
        socket.set_multicast_hops_v6(MULTICAST_HOPS)?;
        // The memberships are held by other sockets.
        socket.set_multicast_all_v6(true)?;
        // Before a datagram can come in, so that there is none without it.
        setsockopt(&socket, sockopt::Ipv6RecvPacketInfo, &true)?;
        if setsockopt(&socket, sockopt::RcvBufForce, &RECEIVE_BUFFER_OCTETS).is_err() {
            // Not root: as much as the system lets everybody have.
            socket.set_recv_buffer_size(RECEIVE_BUFFER_OCTETS)?;
        }
        socket.bind(&SockAddr::from(at))?;
        Ok(Self { socket, counters: Counters::default() })
    }

    /// Where it is bound.
    pub fn local_address(&self) -> io::Result<SocketAddrV6> {
        let address = self.socket.local_addr()?.as_socket_ipv6();
        address.ok_or_else(|| io::Error::other("a socket without an IPv6 address"))
    }

    /// Octets that may wait to be received, as the kernel counts: it may grant less than
    /// `RECEIVE_BUFFER_OCTETS`, and says twice what was asked for.
    pub fn receive_buffer_octets(&self) -> io::Result<usize> {
        self.socket.recv_buffer_size()
    }

    /// What has happened here.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Takes up to `BATCH` datagrams that wait, and says how many that was, those counted as cut included.
    pub fn receive(&self, batch: &mut Batch) -> io::Result<usize> {
        batch.fill(self.as_fd(), &self.counters)
    }

    /// Sends what can be sent, and says how many that was. A datagram that the kernel refuses is counted, and
    /// the others go; when there is no room in the socket, this waits a little.
    pub fn send(&self, outgoing: &[Outgoing]) -> usize {
        send::send(self.as_fd(), outgoing, &self.counters)
    }
}

impl AsFd for ServerSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
