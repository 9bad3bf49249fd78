//! A peer: it keeps what comes, and says what it is made to say. It may play a client, a relay, a requestor or a
//! server, and knows nothing of the protocol.

use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv6Addr;

use world::Instant;

use crate::nodes::Node;
use crate::universe::{Datagram, Ending, Outbox, StreamId};

/// Somebody whose every word is written down.
#[derive(Debug, Default)]
pub struct Peer {
    /// What has come and nobody has looked at.
    pub letters: VecDeque<Datagram>,
    /// Its streams, also those that are over.
    pub streams: BTreeMap<StreamId, PeerStream>,
    /// Streams of others that nobody has looked at.
    pub accepted: VecDeque<StreamId>,
    /// Whether it lets nobody connect.
    pub refuses: bool,
}

/// A stream of it.
#[derive(Debug)]
pub struct PeerStream {
    /// What has come and nobody has looked at.
    pub input: VecDeque<u8>,
    /// What it says next.
    pub output: Vec<u8>,
    /// Whether there is, or was, a connection.
    pub is_connected: bool,
    /// Whether it takes what comes.
    pub is_reading: bool,
    /// Whether it says nothing more.
    pub has_said_all: bool,
    /// Whether it is done with it.
    pub is_done: bool,
    /// How it has ended.
    pub ending: Option<Ending>,
}

impl PeerStream {
    fn new(is_connected: bool) -> Self {
        Self {
            input: VecDeque::new(),
            output: Vec::new(),
            is_connected,
            is_reading: true,
            has_said_all: false,
            is_done: false,
            ending: None,
        }
    }
}

impl Peer {
    /// It has dialled.
    pub fn dialled(&mut self, stream: StreamId) {
        self.streams.insert(stream, PeerStream::new(false));
    }
}

impl Node for Peer {
    fn receive(&mut self, _interface: u32, datagram: &Datagram, _now: Instant, _out: &mut Outbox) {
        self.letters.push_back(datagram.clone());
    }

    fn wake(&mut self, _now: Instant, _out: &mut Outbox) {}

    fn deadline(&self) -> Option<Instant> {
        None
    }

    fn accept(&mut self, stream: StreamId, _from: Ipv6Addr, _now: Instant, _out: &mut Outbox) -> bool {
        if !self.refuses {
            self.streams.insert(stream, PeerStream::new(true));
            self.accepted.push_back(stream);
        }
        !self.refuses
    }

    fn connected(&mut self, stream: StreamId, _now: Instant, _out: &mut Outbox) {
        if let Some(stream) = self.streams.get_mut(&stream) {
            stream.is_connected = true;
        }
    }

    fn wants_octets(&self, stream: StreamId) -> bool {
        self.streams.get(&stream).is_some_and(|stream| stream.is_reading && !stream.is_done)
    }

    fn hear(&mut self, stream: StreamId, octets: &[u8], _now: Instant, _out: &mut Outbox) {
        if let Some(stream) = self.streams.get_mut(&stream) {
            stream.input.extend(octets);
        }
    }

    fn ended(&mut self, stream: StreamId, ending: Ending, _now: Instant, _out: &mut Outbox) {
        if let Some(stream) = self.streams.get_mut(&stream) {
            stream.ending.get_or_insert(ending);
        }
    }

    fn output(&self, stream: StreamId) -> &[u8] {
        self.streams.get(&stream).map_or(&[], |stream| &stream.output)
    }

    fn wrote(&mut self, stream: StreamId, octets: usize, _now: Instant, _out: &mut Outbox) {
        if let Some(stream) = self.streams.get_mut(&stream) {
            stream.output.drain(..octets);
        }
    }

    fn wants_half_close(&self, stream: StreamId) -> bool {
        self.streams.get(&stream).is_some_and(|stream| stream.has_said_all && stream.output.is_empty())
    }

    fn wants_close(&self, stream: StreamId) -> bool {
        self.streams.get(&stream).is_none_or(|stream| stream.is_done && stream.output.is_empty())
    }
}
