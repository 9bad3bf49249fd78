//! Who is there: for each the pure crate that decides, and around it what its program does with it, as plain
//! steps instead of threads and sockets.

pub mod client;
pub mod disk;
pub mod guests;
pub mod relay;
pub mod requestor;
pub mod server;
mod settling;
pub mod vandal;

use std::fmt;
use std::net::Ipv6Addr;

use world::Instant;

use crate::universe::{Datagram, Ending, Outbox, StreamId};

pub use client::Client;
pub use guests::Guest;
pub use relay::Relay;
pub use requestor::Requestor;
pub use server::Server;
pub use settling::settle;
pub use vandal::Vandal;

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeId {
    /// A server.
    Server(usize),
    /// A relay.
    Relay(usize),
    /// A client.
    Client(usize),
    /// A requestor.
    Requestor(usize),
    /// A vandal.
    Vandal(usize),
    /// Somebody who takes part in a transcript.
    Guest(usize),
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(number) => write!(f, "server {number}"),
            Self::Relay(number) => write!(f, "relay {number}"),
            Self::Client(number) => write!(f, "client {number}"),
            Self::Requestor(number) => write!(f, "requestor {number}"),
            Self::Vandal(number) => write!(f, "vandal {number}"),
            Self::Guest(number) => write!(f, "guest {number}"),
        }
    }
}

/// What the universe does with a node. All times are the universe's; a node has clocks of its own.
pub trait Node {
    /// A datagram has come by one of its interfaces.
    fn receive(&mut self, interface: u32, datagram: &Datagram, now: Instant, out: &mut Outbox);

    /// Its deadline may have come.
    fn wake(&mut self, now: Instant, out: &mut Outbox);

    /// When it wants to be woken at the latest.
    fn deadline(&self) -> Option<Instant>;

    /// Whether it takes a stream from this address. One that does not refuses it.
    fn accept(&mut self, _stream: StreamId, _from: Ipv6Addr, _now: Instant, _out: &mut Outbox) -> bool {
        false
    }

    /// A stream that it has dialled is connected.
    fn connected(&mut self, _stream: StreamId, _now: Instant, _out: &mut Outbox) {}

    /// Whether it would read from a stream now.
    fn wants_octets(&self, _stream: StreamId) -> bool {
        false
    }

    /// Octets have come on a stream.
    fn hear(&mut self, _stream: StreamId, _octets: &[u8], _now: Instant, _out: &mut Outbox) {}

    /// The other side sends nothing more, or the stream is no more.
    fn ended(&mut self, _stream: StreamId, _ending: Ending, _now: Instant, _out: &mut Outbox) {}

    /// What it would write to a stream now.
    fn output(&self, _stream: StreamId) -> &[u8] {
        &[]
    }

    /// So many octets of that have been taken.
    fn wrote(&mut self, _stream: StreamId, _octets: usize, _now: Instant, _out: &mut Outbox) {}

    /// Whether it has said all on a stream and still reads.
    fn wants_half_close(&self, _stream: StreamId) -> bool {
        false
    }

    /// Whether it wants a stream closed; what is left of its output is not sent any more.
    fn wants_close(&self, _stream: StreamId) -> bool {
        true
    }
}

/// Everybody.
#[derive(Debug, Default)]
pub struct Nodes {
    /// The servers.
    pub servers: Vec<Server>,
    /// The relays.
    pub relays: Vec<Relay>,
    /// The clients.
    pub clients: Vec<Client>,
    /// The requestors.
    pub requestors: Vec<Requestor>,
    /// The vandals.
    pub vandals: Vec<Vandal>,
    /// Whoever else takes part.
    pub guests: Vec<Guest>,
}

impl Nodes {
    /// One of them.
    pub fn get(&self, id: NodeId) -> &dyn Node {
        match id {
            NodeId::Server(number) => &self.servers[number],
            NodeId::Relay(number) => &self.relays[number],
            NodeId::Client(number) => &self.clients[number],
            NodeId::Requestor(number) => &self.requestors[number],
            NodeId::Vandal(number) => &self.vandals[number],
            NodeId::Guest(number) => self.guests[number].node(),
        }
    }

    /// The same, to do something.
    pub fn get_mut(&mut self, id: NodeId) -> &mut dyn Node {
        match id {
            NodeId::Server(number) => &mut self.servers[number],
            NodeId::Relay(number) => &mut self.relays[number],
            NodeId::Client(number) => &mut self.clients[number],
            NodeId::Requestor(number) => &mut self.requestors[number],
            NodeId::Vandal(number) => &mut self.vandals[number],
            NodeId::Guest(number) => self.guests[number].node_mut(),
        }
    }

    /// All of them.
    pub fn ids(&self) -> impl Iterator<Item = NodeId> {
        let servers = (0..self.servers.len()).map(NodeId::Server);
        let relays = (0..self.relays.len()).map(NodeId::Relay);
        let clients = (0..self.clients.len()).map(NodeId::Client);
        let requestors = (0..self.requestors.len()).map(NodeId::Requestor);
        let vandals = (0..self.vandals.len()).map(NodeId::Vandal);
        let guests = (0..self.guests.len()).map(NodeId::Guest);
        servers.chain(relays).chain(clients).chain(requestors).chain(vandals).chain(guests)
    }
}
