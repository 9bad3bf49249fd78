//! One stream of a requestor: what the task of a connection does in the program.

use std::net::Ipv6Addr;

use lease::Seq;
use server::leasequery::{Admission, Close, Connection, Place, Policy};
use server::{Counters, Holdings};
use world::{Instant, Now};

/// A connection, and the octets that wait to be taken.
#[derive(Debug)]
pub(super) struct Talk {
    place: Place,
    connection: Connection,
    out: Vec<u8>,
    written: usize,
    /// The latest change that `out` can speak of.
    told: Seq,
}

impl Talk {
    pub(super) fn new(place: Place, from: Ipv6Addr, now: Now) -> Self {
        let connection = Connection::new(from, now);
        Self { place, connection, out: Vec::new(), written: 0, told: Seq::default() }
    }

    pub(super) fn place(&self) -> Place {
        self.place
    }

    pub(super) fn wants_octets(&self) -> bool {
        self.connection.wants_octets()
    }

    pub(super) fn hear(&mut self, octets: &[u8], now: Now) {
        self.connection.receive(octets, now);
    }

    pub(super) fn peer_closed(&mut self) {
        self.connection.peer_closed();
    }

    /// Takes queries and fills the buffer, once that is empty.
    pub(super) fn work(
        &mut self,
        policy: &Policy,
        holdings: &Holdings,
        admission: &mut Admission,
        counters: &Counters,
        now: Now,
    ) {
        self.connection.tick(policy, counters, now);
        while self.out.is_empty() {
            self.connection.begin(policy, holdings, admission, counters, now);
            admission.rest(self.place, self.connection.rests_since());
            self.connection.fill(policy, holdings, counters, now, &mut self.out);
            self.told = holdings.table.last_seq();
            self.connection.take_finished();
            if !self.connection.has_work() {
                return;
            }
        }
    }

    /// What may be sent, if everything up to a change is durable.
    pub(super) fn output(&self, durable: Seq) -> &[u8] {
        if self.told <= durable { &self.out[self.written..] } else { &[] }
    }

    pub(super) fn wrote(&mut self, octets: usize, now: Now) {
        self.written += octets;
        let is_all = self.written == self.out.len();
        self.connection.sent(is_all, now);
        if is_all {
            self.out.clear();
            self.written = 0;
        }
    }

    /// When to look again.
    pub(super) fn deadline(&self, policy: &Policy) -> Instant {
        self.connection.next_deadline(policy).at
    }

    /// Whether the stream is to be closed.
    pub(super) fn is_over(&self) -> bool {
        self.connection
            .close()
            .is_some_and(|close| self.out.is_empty() || matches!(close, Close::TimedOut(_)))
    }

    /// Gives its places back.
    pub(super) fn end(mut self, admission: &mut Admission) {
        self.connection.abandon(admission);
        admission.close(self.place);
    }
}
