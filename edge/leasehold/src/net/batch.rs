//! The room for one batch of datagrams, filled by one call to the kernel.
//!
//! A `Batch` is made once and used for ever: its buffers hold the largest datagram that there is, so nothing
//! is ever cut, and pages of them that were never needed cost no memory. It belongs to the thread that
//! receives (it holds pointers for the kernel, and cannot be sent to another one).

use std::array;
use std::io::{self, IoSliceMut};
use std::net::SocketAddrV6;
use std::os::fd::{AsRawFd, BorrowedFd};

use nix::cmsg_space;
use nix::errno::Errno;
use nix::libc::in6_pktinfo;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, MultiHeaders, RecvMsg, SockaddrIn6, recvmmsg};

use super::arrival::Arrival;
use super::counters::{Counters, add};

/// Datagrams that one call to the kernel receives at most: enough to make the call cheap for each of them (16
/// would be), and more of them share one commit.
pub const BATCH: usize = 64;
/// Octets of the largest datagram, headers included.
const MAX_DATAGRAM: usize = 65_535;

/// Room for `BATCH` datagrams, and what was received last.
pub struct Batch {
    headers: MultiHeaders<SockaddrIn6>,
    buffers: [Box<[u8]>; BATCH],
    filled: Vec<Filled>,
}

/// Where a datagram lies, and how it came in.
struct Filled {
    buffer: usize,
    length: usize,
    arrival: Arrival,
}

/// A datagram received.
#[derive(Debug, Clone, Copy)]
pub struct Received<'a> {
    /// What it holds.
    pub octets: &'a [u8],
    /// How it came in.
    pub arrival: Arrival,
}

impl Batch {
    /// An empty batch.
    pub fn new() -> Self {
        let buffers = array::from_fn(|_| vec![0; MAX_DATAGRAM].into_boxed_slice());
        Self { headers: headers(), buffers, filled: Vec::with_capacity(BATCH) }
    }

    /// What was received last, in the order in which it came.
    pub fn received(&self) -> impl Iterator<Item = Received<'_>> {
        self.filled.iter().map(|filled| Received {
            octets: &self.buffers[filled.buffer][..filled.length],
            arrival: filled.arrival,
        })
    }

    /// Forgets what was there, takes what waits at the socket, and says how many datagrams that was.
    pub(super) fn fill(&mut self, socket: BorrowedFd<'_>, counters: &Counters) -> io::Result<usize> {
        self.filled.clear();
        let mut slices = self.buffers.each_mut().map(|buffer| [IoSliceMut::new(buffer)]);
        let flags = MsgFlags::MSG_DONTWAIT;
        let results = match recvmmsg(socket.as_raw_fd(), &mut self.headers, &mut slices, flags, None) {
            Ok(results) => results,
            Err(Errno::EAGAIN | Errno::EINTR) => return Ok(0),
            Err(errno) => return Err(errno.into()),
        };
        let mut cut = 0;
        for (buffer, message) in results.enumerate() {
            match arrival(&message) {
                Some(arrival) => self.filled.push(Filled { buffer, length: message.bytes, arrival }),
                None => cut += 1,
            }
        }
        if cut > 0 {
            // The room for what the kernel says shrinks to what it said last; fresh headers have all of it.
            self.headers = headers();
        }
        add(&counters.received, self.filled.len());
        add(&counters.cut, cut);
        Ok(self.filled.len() + cut)
    }
}

impl Default for Batch {
    fn default() -> Self {
        Self::new()
    }
}

fn headers() -> MultiHeaders<SockaddrIn6> {
    MultiHeaders::preallocate(BATCH, Some(cmsg_space!(in6_pktinfo)))
}

/// Nothing if anything of it is missing.
fn arrival(message: &RecvMsg<'_, '_, SockaddrIn6>) -> Option<Arrival> {
    if message.flags.intersects(MsgFlags::MSG_TRUNC | MsgFlags::MSG_CTRUNC) {
        return None;
    }
    let source = SocketAddrV6::from(message.address?);
    message.cmsgs().ok()?.find_map(|control| match control {
        ControlMessageOwned::Ipv6PacketInfo(info) => Some(Arrival {
            source,
            destination: info.ipi6_addr.s6_addr.into(),
            interface_index: info.ipi6_ifindex,
        }),
        _ => None,
    })
}
