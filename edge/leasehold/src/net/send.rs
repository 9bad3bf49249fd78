//! Sending datagrams, each its own way.
//!
//! One call to the kernel for each: what sending costs is the kernel's work on a datagram, and `sendmmsg`
//! saves three in a hundred of it (DECISIONS.md, "Sockets"). A datagram that the kernel refuses is skipped and
//! the rest goes on.

use std::io::IoSlice;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::libc::{in6_addr, in6_pktinfo};
use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::socket::{ControlMessage, MsgFlags, SockaddrIn6, sendmsg};
use tracing::debug;

use super::arrival::Outgoing;
use super::counters::{Counters, add};
use super::poller::timeout;

/// How long one call of `send` waits for room in the socket, all in all. A link that takes nothing for so long
/// is not worth keeping the others waiting; what is dropped will be asked for again.
const PATIENCE: Duration = Duration::from_millis(100);

/// Sends what can be sent, and says how many that was.
pub(super) fn send(socket: BorrowedFd<'_>, outgoing: &[Outgoing], counters: &Counters) -> usize {
    let (mut sent, mut stalled, mut refused) = (0, 0, 0);
    let mut patience = Patience { until: None };
    for datagram in outgoing {
        match send_one(socket, datagram, &mut patience) {
            Ok(()) => sent += 1,
            Err(Errno::EAGAIN) => stalled += 1,
            Err(errno) => {
                refused += 1;
                debug!(to = %datagram.to, interface = datagram.interface_index, "cannot send: {errno}");
            }
        }
    }
    add(&counters.sent, sent);
    add(&counters.stalled, stalled);
    add(&counters.refused, refused);
    sent
}

fn send_one(socket: BorrowedFd<'_>, datagram: &Outgoing, patience: &mut Patience) -> Result<(), Errno> {
    let to = SockaddrIn6::from(datagram.to);
    let octets = [IoSlice::new(&datagram.octets)];
    let way = in6_pktinfo {
        ipi6_addr: in6_addr { s6_addr: datagram.source.octets() },
        ipi6_ifindex: datagram.interface_index,
    };
    let way = [ControlMessage::Ipv6PacketInfo(&way)];
    loop {
        match sendmsg(socket.as_raw_fd(), &octets, &way, MsgFlags::MSG_DONTWAIT, Some(&to)) {
            Ok(_) => return Ok(()),
            Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN) if patience.wait(socket) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// The waiting of one call of `send`; its time starts when it first has to wait.
struct Patience {
    until: Option<Instant>,
}

impl Patience {
    /// Whether there may be room again.
    fn wait(&mut self, socket: BorrowedFd<'_>) -> bool {
        let until = *self.until.get_or_insert_with(|| Instant::now() + PATIENCE);
        let mut waiting = [PollFd::new(socket, PollFlags::POLLOUT)];
        // A false promise of room must not make it spin for ever.
        Instant::now() < until && poll(&mut waiting, timeout(Some(until))) != Ok(0)
    }
}
