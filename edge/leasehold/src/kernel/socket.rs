//! A netlink socket: requests out, messages in.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use netlink_packet_core::{
    DoneBuffer, Emitable, ErrorBuffer, NLM_F_ACK, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST, NLMSG_DONE,
    NLMSG_ERROR, NetlinkBuffer, NetlinkHeader,
};
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};
use nix::libc::{MSG_DONTWAIT, MSG_TRUNC};
use nix::sys::socket::{setsockopt, sockopt};

/// Room for one datagram: the kernel fills 32 KiB at most when it dumps.
const DATAGRAM_OCTETS: usize = 64 * 1024;
/// Room for what the kernel says to one request.
const ACKNOWLEDGEMENT_OCTETS: usize = 16 * 1024;

/// A socket that is connected to the kernel.
#[derive(Debug)]
pub(super) struct NetlinkSocket {
    socket: Socket,
    port: u32,
    sequence: u32,
    buffer: Vec<u8>,
}

/// What a dump has brought.
pub(super) struct Dump<T> {
    pub(super) all: Vec<T>,
    /// Whether nothing has changed meanwhile, every time it was tried: else something may be missing.
    pub(super) is_whole: bool,
}

/// A message as it lies in the buffer.
pub(super) struct Message<'a> {
    pub(super) message_type: u16,
    pub(super) flags: u16,
    pub(super) sequence: u32,
    pub(super) payload: &'a [u8],
}

impl NetlinkSocket {
    /// Opens one, with so much room for what the kernel says.
    pub(super) fn open(receive_octets: usize) -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        let port = socket.bind_auto()?.port_number();
        socket.connect(&SocketAddr::new(0, 0))?;
        socket.set_netlink_get_strict_chk(true)?;
        socket.set_cap_ack(true)?;
        let socket = Self { socket, port, sequence: 0, buffer: Vec::with_capacity(DATAGRAM_OCTETS) };
        // Beyond the system's limit only with CAP_NET_ADMIN of the first user namespace; as much as may be, else.
        if setsockopt(&socket, sockopt::RcvBufForce, &receive_octets).is_err() {
            setsockopt(&socket, sockopt::RcvBuf, &receive_octets)?;
        }
        Ok(socket)
    }

    /// By which number the kernel tells this socket's changes from those of others.
    pub(super) fn port(&self) -> u32 {
        self.port
    }

    pub(super) fn inner(&mut self) -> &mut Socket {
        &mut self.socket
    }

    pub(super) fn next_sequence(&mut self) -> u32 {
        self.sequence = self.sequence.wrapping_add(1);
        self.sequence
    }

    pub(super) fn send(&self, octets: &[u8]) -> io::Result<()> {
        retry_interrupted(|| self.socket.send(octets, 0)).map(drop)
    }

    /// Hands over the messages of the next datagram; waits for it unless told otherwise.
    pub(super) fn receive(&mut self, wait: bool, mut each: impl FnMut(&Message<'_>)) -> io::Result<()> {
        let flags = MSG_TRUNC | if wait { 0 } else { MSG_DONTWAIT };
        self.buffer.clear();
        let (socket, buffer) = (&self.socket, &mut self.buffer);
        let length = retry_interrupted(|| socket.recv(buffer, flags))?;
        if length > self.buffer.len() {
            return Err(invalid("a netlink datagram is longer than any should be"));
        }
        let mut rest = &self.buffer[..];
        while !rest.is_empty() {
            let message = NetlinkBuffer::new_checked(rest).map_err(invalid)?;
            each(&Message {
                message_type: message.message_type(),
                flags: message.flags(),
                sequence: message.sequence_number(),
                payload: message.payload(),
            });
            let aligned = (message.length() as usize).next_multiple_of(4);
            rest = rest.get(aligned..).unwrap_or_default();
        }
        Ok(())
    }

    /// Has the kernel do something, and waits until it has.
    fn ask(&mut self, message_type: u16, flags: u16, request: &impl Emitable) -> io::Result<()> {
        let sequence = self.next_sequence();
        let mut octets = Vec::new();
        append(&mut octets, message_type, NLM_F_REQUEST | NLM_F_ACK | flags, sequence, request);
        self.send(&octets)?;
        let mut end = None;
        while end.is_none() {
            self.receive(true, |message| {
                if message.sequence == sequence && message.message_type == NLMSG_ERROR {
                    end = Some(outcome(message));
                }
            })?;
        }
        end.expect("the loop ends with it")
    }

    /// Asks for a dump and collects what comes, once more from the beginning if it changed meanwhile, so many
    /// times at most.
    pub(super) fn dump<T>(
        &mut self,
        attempts: usize,
        message_type: u16,
        request: &impl Emitable,
        each: impl Fn(&mut Vec<T>, &Message<'_>),
    ) -> io::Result<Dump<T>> {
        for attempt in 1.. {
            let mut all = Vec::new();
            let is_whole = self.dump_once(message_type, request, |message| each(&mut all, message))?;
            if is_whole || attempt == attempts {
                return Ok(Dump { all, is_whole });
            }
        }
        unreachable!("the last attempt is returned, whole or not")
    }

    fn dump_once(
        &mut self,
        message_type: u16,
        request: &impl Emitable,
        mut each: impl FnMut(&Message<'_>),
    ) -> io::Result<bool> {
        let sequence = self.next_sequence();
        let mut octets = Vec::new();
        append(&mut octets, message_type, NLM_F_REQUEST | NLM_F_DUMP, sequence, request);
        self.send(&octets)?;
        let mut is_whole = true;
        let mut end = None;
        while end.is_none() {
            self.receive(true, |message| {
                if message.sequence != sequence {
                    return;
                }
                is_whole &= message.flags & NLM_F_DUMP_INTR == 0;
                match message.message_type {
                    NLMSG_DONE | NLMSG_ERROR => end = Some(outcome(message)),
                    _ => each(message),
                }
            })?;
        }
        end.expect("the loop ends with it").map(|()| is_whole)
    }
}

impl AsFd for NetlinkSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Has the kernel of this thread's network namespace do something.
pub(crate) fn ask(message_type: u16, flags: u16, request: &impl Emitable) -> io::Result<()> {
    NetlinkSocket::open(ACKNOWLEDGEMENT_OCTETS)?.ask(message_type, flags, request)
}

/// Appends a request to a buffer.
pub(super) fn append(out: &mut Vec<u8>, message_type: u16, flags: u16, sequence: u32, body: &impl Emitable) {
    let mut header = NetlinkHeader::default();
    let at = out.len();
    let body_at = header.buffer_len();
    let length = body_at + body.buffer_len();
    out.resize(at + length.next_multiple_of(4), 0);
    header.length = u32::try_from(length).expect("a request is short");
    header.message_type = message_type;
    header.flags = flags;
    header.sequence_number = sequence;
    header.emit(&mut out[at..]);
    body.emit(&mut out[at + body_at..at + length]);
}

/// What an acknowledgement or the end of a dump says.
pub(super) fn outcome(message: &Message<'_>) -> io::Result<()> {
    let code = match message.message_type {
        NLMSG_DONE => DoneBuffer::new_checked(message.payload).map_err(invalid)?.code(),
        _ => ErrorBuffer::new_checked(message.payload).map_err(invalid)?.code().map_or(0, |code| code.get()),
    };
    if code == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(code.saturating_abs())) }
}

fn invalid(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

fn retry_interrupted<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
