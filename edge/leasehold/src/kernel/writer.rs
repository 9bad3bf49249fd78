//! Puts routes into the kernel and takes them out, many with one call.
//!
//! A batch is one buffer of requests and, at its end, one that asks for nothing but to be acknowledged. The kernel
//! works it off in order while we send, and answers only where it would not; when the acknowledgement has
//! come, every request without an answer has been done. So 64,000 routes take some hundred system calls and
//! as many answers.

use std::io;

use netlink_packet_core::{NLM_F_ACK, NLM_F_REQUEST, NLMSG_ERROR, NLMSG_NOOP};
use netlink_packet_route::route::RouteAttribute;
use nix::errno::Errno;
use relay::{Change, Failure};

use super::RouteSettings;
use super::route::request;
use super::socket::{NetlinkSocket, append, outcome};

/// Changes sent with one call. More gain nothing; and what the kernel has to say of so many, if it did none of them,
/// fits into `ANSWER_OCTETS`.
pub const BATCH: usize = 512;
/// Room for answers: each takes less than 1 KiB of the kernel's, and twice that is counted.
const ANSWER_OCTETS: usize = 2 * 1024 * BATCH;

/// Writes routes with one protocol number, into one table, with one metric.
#[derive(Debug)]
pub struct RouteWriter {
    socket: NetlinkSocket,
    settings: RouteSettings,
    requests: Vec<u8>,
}

impl RouteWriter {
    /// Opens a way to the kernel of this thread's network namespace.
    pub fn open(settings: RouteSettings) -> io::Result<Self> {
        Ok(Self { socket: NetlinkSocket::open(ANSWER_OCTETS)?, settings, requests: Vec::new() })
    }

    /// By which number notifications name changes that were made here.
    pub fn port(&self) -> u32 {
        self.socket.port()
    }

    /// Has the kernel make these changes, in this order, and gives what became of each.
    ///
    /// An error means that it is not known which were made.
    pub fn apply(&mut self, changes: &[Change]) -> io::Result<Vec<Result<(), Failure>>> {
        let mut outcomes = vec![Ok(()); changes.len()];
        for (changes, outcomes) in changes.chunks(BATCH).zip(outcomes.chunks_mut(BATCH)) {
            self.apply_batch(changes, outcomes)?;
        }
        Ok(outcomes)
    }

    fn apply_batch(&mut self, changes: &[Change], outcomes: &mut [Result<(), Failure>]) -> io::Result<()> {
        let first = self.write_requests(changes);
        let last = self.write_end();
        self.socket.send(&self.requests)?;
        let mut end = None;
        while end.is_none() {
            self.socket.receive(true, |message| {
                let place = message.sequence.wrapping_sub(first) as usize;
                if message.message_type != NLMSG_ERROR {
                } else if message.sequence == last {
                    end = Some(outcome(message));
                } else if let (Some(change), Err(error)) = (changes.get(place), outcome(message)) {
                    outcomes[place] = Err(failure(change, &error));
                }
            })?;
        }
        end.expect("the loop ends with it")
    }

    /// Gives the number of the first one; the others follow.
    fn write_requests(&mut self, changes: &[Change]) -> u32 {
        self.requests.clear();
        let mut first = None;
        for change in changes {
            let sequence = self.socket.next_sequence();
            first.get_or_insert(sequence);
            let (message_type, flags, message) = request(&self.settings, change);
            append(&mut self.requests, message_type, flags, sequence, &message);
        }
        first.unwrap_or_default()
    }

    fn write_end(&mut self) -> u32 {
        let sequence = self.socket.next_sequence();
        let nothing: &[RouteAttribute] = &[];
        append(&mut self.requests, NLMSG_NOOP, NLM_F_REQUEST | NLM_F_ACK, sequence, &nothing);
        sequence
    }
}

/// What an error means for a change.
fn failure(change: &Change, error: &io::Error) -> Failure {
    let errno = error.raw_os_error().unwrap_or(0);
    match (change, Errno::from_raw(errno)) {
        (Change::Add(_), Errno::EEXIST) => Failure::Taken,
        (Change::Delete(_) | Change::Replace { .. }, Errno::ESRCH | Errno::ENOENT) => Failure::Missing,
        (Change::Delete(_), Errno::ENODEV) => Failure::Missing,
        (_, Errno::ENODEV | Errno::ENETDOWN | Errno::ENETUNREACH | Errno::EHOSTUNREACH) => Failure::NoWay,
        _ => Failure::Other(errno),
    }
}
