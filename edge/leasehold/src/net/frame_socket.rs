//! Whole frames with DHCPv6, in and out by any interface, past whatever the kernel would do with them.

use std::collections::BTreeMap;
use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use nix::errno::Errno;
use nix::ifaddrs::getifaddrs;
use nix::libc::{self, tpacket_auxdata};
use nix::sys::socket::{ControlMessageOwned, LinkAddr, MsgFlags, recvmsg, sendto, setsockopt};
use nix::{cmsg_space, setsockopt_impl, sockopt_impl};
use socket2::{SockFilter, Socket, Type};

use super::frame::Beside;
use super::packet::{self, Beginning};

/// Octets of the largest frame: an IPv6 packet that needs no jumbo header, and Ethernet before it.
const MAX_FRAME_OCTETS: usize = 14 + 40 + 65_535;
/// Inside a bridge everything is for others.
const FILTER: [SockFilter; 18] =
    packet::to_server_port(Beginning::Frame, libc::PACKET_OUTGOING, MAX_FRAME_OCTETS as u32);

sockopt_impl!(
    /// Whether the kernel says of each frame what it knows beside its octets.
    SayWhatIsBeside,
    SetOnly,
    libc::SOL_PACKET,
    libc::PACKET_AUXDATA,
    bool
);

/// Receives every frame to the port of servers and relays that comes in by any interface.
#[derive(Debug)]
pub struct FrameSocket {
    socket: Socket,
    room: Box<[u8]>,
    /// The interfaces by their number, as the kernel wants them named.
    ways: BTreeMap<u32, LinkAddr>,
}

/// A frame received.
#[derive(Debug, Clone, Copy)]
pub struct Caught<'a> {
    /// The interface that it came in by.
    pub interface_index: u32,
    /// From Ethernet's header on; a tag of IEEE 802.1Q has been taken out.
    pub octets: &'a [u8],
    /// What else is known of it.
    pub beside: Beside,
}

impl FrameSocket {
    /// Listens on every interface of this thread's network namespace. It takes `CAP_NET_RAW`.
    pub fn open() -> io::Result<Self> {
        let socket = packet::open(Type::RAW, &FILTER)?;
        setsockopt(&socket, SayWhatIsBeside, &true)?;
        let mut opened =
            Self { socket, room: vec![0; MAX_FRAME_OCTETS].into_boxed_slice(), ways: BTreeMap::new() };
        opened.look_around()?;
        Ok(opened)
    }

    /// Finds the interfaces by which frames can leave from now on.
    pub fn look_around(&mut self) -> io::Result<()> {
        let link = |address: nix::ifaddrs::InterfaceAddress| address.address?.as_link_addr().copied();
        let links = getifaddrs()?.filter_map(link);
        self.ways = links.filter_map(|link| Some((u32::try_from(link.ifindex()).ok()?, link))).collect();
        Ok(())
    }

    /// The next frame that waits, if there is one.
    pub fn receive(&mut self) -> io::Result<Option<Caught<'_>>> {
        let mut control = cmsg_space!(tpacket_auxdata);
        let (length, from, beside) = loop {
            let mut slices = [IoSliceMut::new(&mut self.room)];
            let fd = self.socket.as_raw_fd();
            match recvmsg::<LinkAddr>(fd, &mut slices, Some(&mut control), MsgFlags::empty()) {
                Ok(message) => {
                    let beside = message.cmsgs().ok().and_then(|mut controls| controls.find_map(beside));
                    break (message.bytes, message.address, beside.unwrap_or_default());
                }
                Err(Errno::EINTR | Errno::ENETDOWN) => {}
                Err(Errno::EAGAIN) => return Ok(None),
                Err(errno) => return Err(errno.into()),
            }
        };
        let index = from.and_then(|from| u32::try_from(from.ifindex()).ok()).unwrap_or(0);
        Ok(Some(Caught { interface_index: index, octets: &self.room[..length], beside }))
    }

    /// Sends a frame by an interface. What is longer than that has an MTU for is refused with `EMSGSIZE`.
    pub fn send(&self, interface_index: u32, octets: &[u8]) -> Result<(), Errno> {
        let way = self.ways.get(&interface_index).ok_or(Errno::ENODEV)?;
        loop {
            match sendto(self.socket.as_raw_fd(), octets, way, MsgFlags::empty()) {
                Ok(_) => return Ok(()),
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno),
            }
        }
    }
}

impl AsFd for FrameSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Reads a `tpacket_auxdata`: status, two lengths and two offsets, and the tag in two halves.
fn beside(control: ControlMessageOwned) -> Option<Beside> {
    const TAG_AT: usize = 16;
    let ControlMessageOwned::Unknown(unknown) = control else { return None };
    let is_ours = (unknown.cmsg_header.cmsg_level, unknown.cmsg_header.cmsg_type);
    if is_ours != (libc::SOL_PACKET, libc::PACKET_AUXDATA) {
        return None;
    }
    let (status, _) = unknown.data_bytes.split_first_chunk()?;
    let status = u32::from_ne_bytes(*status);
    let half = |at: usize| {
        let octets = unknown.data_bytes.get(at..at + 2)?.try_into().ok()?;
        Some(u16::from_ne_bytes(octets).to_be_bytes())
    };
    let tag = if status & libc::TP_STATUS_VLAN_VALID != 0 {
        let ([a, b], [c, d]) = (half(TAG_AT + 2)?, half(TAG_AT)?);
        Some([a, b, c, d])
    } else {
        None
    };
    let good = libc::TP_STATUS_CSUM_VALID | libc::TP_STATUS_CSUMNOTREADY;
    Some(Beside { tag, checksum_is_good: status & good != 0 })
}
