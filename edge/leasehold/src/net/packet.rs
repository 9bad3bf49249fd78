//! Frames as they are on the wire, of which the kernel lets through only those that may be DHCPv6.
//!
//! A packet socket gets a copy of every frame that any interface of its network namespace receives, before the
//! rest of the kernel does: before a bridge, a packet filter or UDP takes it. What is not wanted is dropped in the
//! kernel by a classic BPF program, 150 ns a frame on a slow machine; what the host itself sends never gets here.

use std::io;
use std::os::fd::AsRawFd;

use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::{LinkAddr, recvfrom, setsockopt, sockopt};
use nix::{setsockopt_impl, sockopt_impl};
use socket2::{Domain, Protocol, SockFilter, Socket, Type};
use wire::SERVER_PORT;

use super::RECEIVE_BUFFER_OCTETS;

sockopt_impl!(
    /// Whether what the host sends is kept from this socket; otherwise every datagram that leaves would be copied
    /// before the filter is asked.
    IgnoreOutgoing,
    SetOnly,
    libc::SOL_PACKET,
    libc::PACKET_IGNORE_OUTGOING,
    bool
);

/// Opens a socket that hears all interfaces, those that are yet to come included, from now on: `DGRAM` from the IPv6
/// header on, and `RAW` whole frames. It takes `CAP_NET_RAW`.
pub(super) fn open(kind: Type, filter: &[SockFilter]) -> io::Result<Socket> {
    // Only who asks for every protocol is asked before UDP is.
    let every_protocol = Protocol::from(i32::from((libc::ETH_P_ALL as u16).to_be()));
    let socket = Socket::new(Domain::PACKET, kind, Some(every_protocol))?;
    socket.set_nonblocking(true)?;
    setsockopt(&socket, IgnoreOutgoing, &true)?;
    if setsockopt(&socket, sockopt::RcvBufForce, &RECEIVE_BUFFER_OCTETS).is_err() {
        socket.set_recv_buffer_size(RECEIVE_BUFFER_OCTETS)?;
    }
    // What came before there was a filter has not passed it.
    socket.attach_filter(&[NOTHING])?;
    while receive(&socket, &mut [])?.is_some() {}
    socket.attach_filter(filter)?;
    Ok(socket)
}

/// The next packet, as much of it as there is room for; nothing if none waits.
pub(super) fn receive(socket: &Socket, room: &mut [u8]) -> io::Result<Option<(usize, Option<LinkAddr>)>> {
    loop {
        match recvfrom::<LinkAddr>(socket.as_raw_fd(), room) {
            Ok(received) => return Ok(Some(received)),
            // An interface went down: that is the business of others.
            Err(Errno::EINTR | Errno::ENETDOWN) => {}
            Err(Errno::EAGAIN) => return Ok(None),
            Err(errno) => return Err(errno.into()),
        }
    }
}

// Instructions of classic BPF.
const LOAD_OCTET: u16 = (libc::BPF_LD | libc::BPF_B | libc::BPF_ABS) as u16;
const LOAD_PAIR: u16 = (libc::BPF_LD | libc::BPF_H | libc::BPF_ABS) as u16;
const KEEP_BITS: u16 = (libc::BPF_ALU | libc::BPF_AND | libc::BPF_K) as u16;
const IF_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

const NOTHING: SockFilter = SockFilter::new(RETURN, 0, 0, 0);

/// What the kernel knows of a frame beside its octets.
const PROTOCOL: u32 = (libc::SKF_AD_OFF + libc::SKF_AD_PROTOCOL) as u32;
const PACKET_TYPE: u32 = (libc::SKF_AD_OFF + libc::SKF_AD_PKTTYPE) as u32;

/// Where an IPv6 header begins in what a socket receives.
#[derive(Debug, Clone, Copy)]
pub(super) enum Beginning {
    /// Of a `DGRAM` socket: at once.
    Packet = 0,
    /// Of a `RAW` one: behind an Ethernet header. Tags of IEEE 802.1Q are taken out before.
    Frame = 14,
}

/// Lets through the first octets of IPv6 packets with UDP to the servers' and relays' port, unless the frame is of
/// this type: for another host, or from this one. A datagram in fragments shows in the first of them; other extension
/// headers have no place in DHCPv6.
pub(super) const fn to_server_port(beginning: Beginning, not: u8, octets: u32) -> [SockFilter; 18] {
    const IPV6: u32 = libc::ETH_P_IPV6 as u32;
    const FRAGMENT: u32 = libc::IPPROTO_FRAGMENT as u32;
    const UDP: u32 = libc::IPPROTO_UDP as u32;
    const PORT: u32 = SERVER_PORT as u32;
    let at = beginning as u32;
    [
        SockFilter::new(LOAD_PAIR, 0, 0, PROTOCOL),
        SockFilter::new(IF_EQUAL, 0, 15, IPV6),
        SockFilter::new(LOAD_OCTET, 0, 0, at + 6),
        SockFilter::new(IF_EQUAL, 8, 0, UDP),
        SockFilter::new(IF_EQUAL, 0, 12, FRAGMENT),
        // A fragment: of UDP, the first, to the port.
        SockFilter::new(LOAD_OCTET, 0, 0, at + 40),
        SockFilter::new(IF_EQUAL, 0, 10, UDP),
        SockFilter::new(LOAD_PAIR, 0, 0, at + 42),
        SockFilter::new(KEEP_BITS, 0, 0, 0xfff8),
        SockFilter::new(IF_EQUAL, 0, 7, 0),
        SockFilter::new(LOAD_PAIR, 0, 0, at + 50),
        SockFilter::new(IF_EQUAL, 2, 5, PORT),
        // A whole datagram: to the port.
        SockFilter::new(LOAD_PAIR, 0, 0, at + 42),
        SockFilter::new(IF_EQUAL, 0, 3, PORT),
        SockFilter::new(LOAD_OCTET, 0, 0, PACKET_TYPE),
        SockFilter::new(IF_EQUAL, 1, 0, not as u32),
        SockFilter::new(RETURN, 0, 0, octets),
        NOTHING,
    ]
}
