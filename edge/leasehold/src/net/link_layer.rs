//! The link-layer addresses of those who send to us, as their frames had them.
//!
//! A relay tells servers the link-layer address that a client's frame came from (RFC 6939), and UDP does not say
//! it. So a packet socket takes a glance at each such frame, before UDP gets the datagram: whoever *first*
//! receives datagrams and *then* drains the tap finds the sender of each of them, for 1.2 µs a datagram, most of
//! it the kernel's. What two frames say differently of one source in a short time is not told at all, since nobody
//! could say whose datagram is whose.

use std::collections::HashMap;
use std::io;
use std::net::Ipv6Addr;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use nix::libc::PACKET_OTHERHOST;
use nix::sys::socket::LinkAddr;
use socket2::{SockFilter, Socket, Type};

use super::packet::{self, Beginning};

/// Octets of an IPv6 header up to the end of the source address: more is never looked at.
const SOURCE_END: usize = 24;
/// Octets of the longest link-layer address that the kernel tells of a sender.
const MAX_ADDRESS_OCTETS: usize = 8;
/// For how long a source is remembered at least, and not twice as long: longer than a datagram waits to be
/// received, and shorter than it takes to give an address to other hardware.
const REMEMBERED: Duration = Duration::from_secs(1);
/// Sources that are learnt in that time: what a relay forwards in a second, and some 8 MiB. Of more it is not told.
const MAX_SOURCES: usize = 65_536;
/// Frames that are drained at once, so that a flood cannot keep anybody here. All that the socket has room for.
const MAX_DRAINED: usize = 32_768;
/// The kernel's hardware types from here on are its own; below they are those of ARP, as option 79 has them.
const FIRST_OWN_HARDWARE_TYPE: u16 = 256;

/// What is for others never becomes a datagram of ours.
const FILTER: [SockFilter; 18] =
    packet::to_server_port(Beginning::Packet, PACKET_OTHERHOST, SOURCE_END as u32);

/// Learns who sends DHCPv6 to this host.
#[derive(Debug)]
pub struct LinkLayerTap {
    socket: Socket,
    learnt: Learnt,
}

/// A link-layer address and its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkLayer {
    /// As ARP numbers them: 1 is Ethernet.
    pub hardware_type: u16,
    octets: [u8; MAX_ADDRESS_OCTETS],
    length: u8,
}

impl LinkLayerTap {
    /// Listens on every interface of this thread's network namespace. It takes `CAP_NET_RAW`.
    pub fn open() -> io::Result<Self> {
        let socket = packet::open(Type::DGRAM, &FILTER)?;
        Ok(Self { socket, learnt: Learnt::new(Instant::now()) })
    }

    /// Learns from the frames that have come. To be called after each batch of datagrams has been received, and
    /// before anything is looked up for them.
    pub fn drain(&mut self) -> io::Result<()> {
        self.learnt.age(Instant::now());
        let mut header = [0; SOURCE_END];
        for _ in 0..MAX_DRAINED {
            let Some((length, from)) = packet::receive(&self.socket, &mut header)? else { break };
            if let (SOURCE_END, Some(from)) = (length, from) {
                self.learnt.learn(from.ifindex(), source(&header), LinkLayer::of(&from));
            }
        }
        Ok(())
    }

    /// The link-layer address of who has sent from this source on this interface just now. Nothing if the link has
    /// no such addresses, if it is not certain, or if no frame was seen.
    pub fn lookup(&self, interface_index: u32, source: Ipv6Addr) -> Option<LinkLayer> {
        self.learnt.lookup(interface_index, source)
    }
}

impl AsFd for LinkLayerTap {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl LinkLayer {
    /// Its octets, at least one.
    pub fn address(&self) -> &[u8] {
        &self.octets[..usize::from(self.length)]
    }

    /// Nothing if the kernel cannot say all of it, or if there is none.
    fn of(from: &LinkAddr) -> Option<Self> {
        let raw = from.as_ref();
        let length = usize::from(raw.sll_halen);
        let is_known = raw.sll_hatype < FIRST_OWN_HARDWARE_TYPE && (1..=MAX_ADDRESS_OCTETS).contains(&length);
        is_known.then_some(Self {
            hardware_type: raw.sll_hatype,
            octets: raw.sll_addr,
            length: raw.sll_halen,
        })
    }
}

fn source(header: &[u8; SOURCE_END]) -> Ipv6Addr {
    let octets: [u8; 16] = header[8..].try_into().expect("16 of 24 octets are left");
    octets.into()
}

type Sender = (u32, Ipv6Addr);

/// What was learnt, in two portions: when the younger is old enough, the older is forgotten.
#[derive(Debug)]
struct Learnt {
    begun: Instant,
    /// Nothing where frames differ.
    younger: HashMap<Sender, Option<LinkLayer>>,
    older: HashMap<Sender, Option<LinkLayer>>,
}

impl Learnt {
    fn new(now: Instant) -> Self {
        Self { begun: now, younger: HashMap::new(), older: HashMap::new() }
    }

    fn age(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.begun);
        if elapsed < REMEMBERED {
            return;
        }
        self.older.clear();
        if elapsed < 2 * REMEMBERED {
            std::mem::swap(&mut self.younger, &mut self.older);
        } else {
            self.younger.clear();
        }
        self.begun = now;
    }

    fn learn(&mut self, interface_index: usize, source: Ipv6Addr, link_layer: Option<LinkLayer>) {
        let Ok(interface_index) = u32::try_from(interface_index) else { return };
        let sender = (interface_index, source);
        if let Some(known) = self.younger.get_mut(&sender) {
            *known = known.filter(|_| *known == link_layer);
        } else if self.younger.len() < MAX_SOURCES {
            self.younger.insert(sender, link_layer);
        }
    }

    fn lookup(&self, interface_index: u32, source: Ipv6Addr) -> Option<LinkLayer> {
        let sender = (interface_index, source);
        match (self.younger.get(&sender), self.older.get(&sender)) {
            (Some(younger), Some(older)) => younger.filter(|_| younger == older),
            (Some(known), None) | (None, Some(known)) => *known,
            (None, None) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ethernet(last: u8) -> Option<LinkLayer> {
        Some(LinkLayer { hardware_type: 1, octets: [2, 0, 0, 0, 0, last, 0, 0], length: 6 })
    }

    const CLIENT: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);

    #[test]
    fn a_sender_is_known_by_interface_and_source_for_a_while() {
        let start = Instant::now();
        let mut learnt = Learnt::new(start);
        learnt.learn(3, CLIENT, ethernet(1));
        learnt.learn(4, CLIENT, ethernet(2));
        let at = |learnt: &mut Learnt, millis| {
            learnt.age(start + Duration::from_millis(millis));
            (learnt.lookup(3, CLIENT), learnt.lookup(4, CLIENT), learnt.lookup(5, CLIENT))
        };
        assert_eq!(at(&mut learnt, 999), (ethernet(1), ethernet(2), None));
        assert_eq!(at(&mut learnt, 1999), (ethernet(1), ethernet(2), None));
        assert_eq!(at(&mut learnt, 2999), (None, None, None));
        learnt.learn(3, CLIENT, ethernet(3));
        assert_eq!(at(&mut learnt, 5000), (None, None, None));
    }

    #[test]
    fn of_frames_that_differ_nothing_is_told() {
        let start = Instant::now();
        let mut learnt = Learnt::new(start);
        learnt.learn(3, CLIENT, ethernet(1));
        learnt.learn(3, CLIENT, ethernet(2));
        learnt.learn(3, CLIENT, ethernet(2));
        assert_eq!(learnt.lookup(3, CLIENT), None);
        learnt.age(start + REMEMBERED);
        learnt.learn(3, CLIENT, ethernet(2));
        assert_eq!(learnt.lookup(3, CLIENT), None, "it is not long ago");
        learnt.age(start + 2 * REMEMBERED);
        assert_eq!(learnt.lookup(3, CLIENT), ethernet(2));
    }

    #[test]
    fn a_flood_of_sources_is_not_remembered_without_end() {
        let mut learnt = Learnt::new(Instant::now());
        for number in 0..100_000 {
            learnt.learn(3, Ipv6Addr::from_bits(number), ethernet(1));
        }
        assert_eq!(learnt.younger.len(), MAX_SOURCES);
    }
}
