//! Datagrams by the batch: one call to the kernel for many.
//!
//! An [`Inbox`] and an [`Outbox`] each have room for [`BATCH`] datagrams and use it again and again. A [`Train`] is an outbox for
//! datagrams of one length to one destination: the kernel takes it through most of its layers as one, and whoever receives
//! gets them one by one.

use std::io::{IoSlice, IoSliceMut};
use std::net::UdpSocket;
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

use anyhow::Result;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::socket::{ControlMessage, MsgFlags, MultiHeaders, SockaddrIn6};
use nix::sys::socket::{recvmmsg, sendmmsg, sendmsg, setsockopt, sockopt};
use nix::sys::time::TimeSpec;

/// Datagrams in a batch: enough to make the call cheap, few enough not to come as a flood.
pub(super) const BATCH: usize = 64;
/// Octets of a datagram at most: what fits into a frame.
const DATAGRAM_OCTETS: usize = 1500;
/// Octets that the kernel keeps for a socket of ours: a tenth of a second at any rate seen here.
const KERNEL_OCTETS: usize = 16 << 20;

/// Gives a socket room for batches.
pub(super) fn prepare(socket: &UdpSocket) -> Result<()> {
    Ok(setsockopt(socket, sockopt::RcvBufForce, &KERNEL_OCTETS)?)
}

/// Waits until there is something to receive, at most so long; says whether there is.
pub(super) fn wait(socket: &UdpSocket, at_most: Duration) -> Result<bool> {
    let mut watched = [PollFd::new(socket.as_fd(), PollFlags::POLLIN)];
    match ppoll(&mut watched, Some(TimeSpec::from_duration(at_most)), None) {
        Ok(ready) => Ok(ready > 0),
        Err(Errno::EINTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

type Buffer = [u8; DATAGRAM_OCTETS];

/// What was received.
pub(super) struct Inbox {
    buffers: Vec<Buffer>,
    headers: MultiHeaders<SockaddrIn6>,
    received: Vec<(usize, Option<SockaddrIn6>)>,
}

impl Inbox {
    pub(super) fn new() -> Self {
        Self {
            buffers: vec![[0; DATAGRAM_OCTETS]; BATCH],
            headers: MultiHeaders::preallocate(BATCH, None),
            received: Vec::with_capacity(BATCH),
        }
    }

    /// Takes what is there, up to a batch; says how many.
    pub(super) fn receive(&mut self, socket: &UdpSocket) -> Result<usize> {
        self.receive_with(socket, MsgFlags::MSG_DONTWAIT)
    }

    /// Waits until there is something, and takes it.
    pub(super) fn await_some(&mut self, socket: &UdpSocket) -> Result<usize> {
        self.receive_with(socket, MsgFlags::MSG_WAITFORONE)
    }

    fn receive_with(&mut self, socket: &UdpSocket, flags: MsgFlags) -> Result<usize> {
        self.received.clear();
        let mut slices: Vec<_> = self.buffers.iter_mut().map(|buffer| [IoSliceMut::new(buffer)]).collect();
        let from = socket.as_raw_fd();
        match recvmmsg(from, &mut self.headers, slices.iter_mut(), flags, None) {
            Ok(messages) => {
                self.received.extend(messages.map(|message| (message.bytes, message.address)));
                Ok(self.received.len())
            }
            Err(Errno::EAGAIN | Errno::EINTR | Errno::ECONNREFUSED) => Ok(0),
            Err(error) => Err(error.into()),
        }
    }

    /// What the last call took, and from whom.
    pub(super) fn datagrams(&self) -> impl Iterator<Item = (&[u8], Option<SockaddrIn6>)> {
        let filled = self.buffers.iter().zip(&self.received);
        filled.map(|(buffer, (length, from))| (&buffer[..*length], *from))
    }
}

/// What is to be sent.
pub(super) struct Outbox {
    buffers: Vec<Buffer>,
    lengths: Vec<usize>,
    to: Vec<Option<SockaddrIn6>>,
    headers: MultiHeaders<SockaddrIn6>,
}

impl Outbox {
    pub(super) fn new() -> Self {
        Self {
            buffers: vec![[0; DATAGRAM_OCTETS]; BATCH],
            lengths: Vec::with_capacity(BATCH),
            to: Vec::with_capacity(BATCH),
            headers: MultiHeaders::preallocate(BATCH, None),
        }
    }

    /// Adds a datagram of this length, which `write` writes.
    pub(super) fn add(&mut self, to: SockaddrIn6, length: usize, write: impl FnOnce(&mut [u8])) {
        write(&mut self.buffers[self.lengths.len()][..length]);
        self.lengths.push(length);
        self.to.push(Some(to));
    }

    /// Sends everything. A datagram that the kernel has no room for is gone, as on any network.
    pub(super) fn send(&mut self, socket: &UdpSocket) -> Result<()> {
        let mut sent = 0;
        while sent < self.lengths.len() {
            let filled = self.buffers[sent..].iter().zip(&self.lengths[sent..]);
            let slices: Vec<_> = filled.map(|(buffer, length)| [IoSlice::new(&buffer[..*length])]).collect();
            let to = &self.to[sent..];
            let by = socket.as_raw_fd();
            sent += match sendmmsg(by, &mut self.headers, &slices, to, [], MsgFlags::MSG_DONTWAIT) {
                Ok(results) => results.count(),
                Err(Errno::EINTR) => 0,
                Err(Errno::EAGAIN | Errno::ENOBUFS) => 1,
                Err(error) => return Err(error.into()),
            };
        }
        self.lengths.clear();
        self.to.clear();
        Ok(())
    }
}

/// What is to be sent to one destination, all of it of one length.
pub(super) struct Train {
    octets: Vec<u8>,
    /// Of a datagram.
    length: usize,
}

impl Train {
    pub(super) fn new(length: usize) -> Self {
        Self { octets: Vec::with_capacity(BATCH * length), length }
    }

    /// Whether nothing more fits before it is sent.
    pub(super) fn is_full(&self) -> bool {
        self.octets.len() == BATCH * self.length
    }

    /// Adds a datagram, which `write` writes.
    pub(super) fn add(&mut self, write: impl FnOnce(&mut [u8])) {
        let begin = self.octets.len();
        self.octets.resize(begin + self.length, 0);
        write(&mut self.octets[begin..]);
    }

    /// Sends everything by a socket that is connected. What the kernel has no room for is gone, as on any network, and so is
    /// what comes before the server listens.
    pub(super) fn send(&mut self, socket: &UdpSocket) -> Result<()> {
        if self.octets.is_empty() {
            return Ok(());
        }
        let length = self.length as u16;
        let segments = [ControlMessage::UdpGsoSegments(&length)];
        let slices = [IoSlice::new(&self.octets)];
        let sent = loop {
            match sendmsg::<SockaddrIn6>(socket.as_raw_fd(), &slices, &segments, MsgFlags::MSG_DONTWAIT, None)
            {
                Err(Errno::EINTR) => {}
                sent => break sent,
            }
        };
        self.octets.clear();
        match sent {
            Ok(_) | Err(Errno::EAGAIN | Errno::ENOBUFS | Errno::ECONNREFUSED) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
