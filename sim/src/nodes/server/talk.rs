//! One stream of a requestor: what the task of a connection does in the program.
//!
//! It goes round: let the connection take queries and fill the buffer, send the buffer once all that it speaks of is
//! durable, look whether more has come. When there is a reason to close, the half that is written to is closed,
//! and what the requestor still sends is read for a while and thrown away.

use std::net::Ipv6Addr;
use std::rc::Rc;
use std::time::Duration;

use lease::Seq;
use server::leasequery::{Admission, Close, Connection, Place, Policy};
use server::{Counters, Holdings};
use world::{Instant, Now};

/// How long a closed connection waits for the requestor to close too, as the program does.
const LINGER: Duration = Duration::from_millis(500);

/// A connection, and the octets that wait to be taken.
#[derive(Debug)]
pub(super) struct Talk {
    place: Place,
    connection: Connection,
    out: Vec<u8>,
    written: usize,
    /// The latest change that `out` can speak of.
    told: Seq,
    /// Since when the buffer may leave.
    free_since: Option<Instant>,
    lingers_until: Option<Instant>,
    is_over: bool,
}

/// What a talk works with.
pub(super) struct Desk<'a> {
    pub(super) policy: &'a Policy,
    pub(super) holdings: &'a Holdings,
    pub(super) admission: &'a mut Admission,
    pub(super) counters: &'a Counters,
    pub(super) durable: Seq,
    pub(super) is_stopping: bool,
    pub(super) now: Now,
}

impl Talk {
    pub(super) fn new(place: Place, from: Ipv6Addr, now: Now) -> Self {
        Self {
            place,
            connection: Connection::new(from, now),
            out: Vec::new(),
            written: 0,
            told: Seq::default(),
            free_since: None,
            lingers_until: None,
            is_over: false,
        }
    }

    pub(super) fn place(&self) -> Place {
        self.place
    }

    pub(super) fn wants_octets(&self) -> bool {
        self.lingers_until.is_some() || self.connection.wants_octets()
    }

    pub(super) fn hear(&mut self, octets: &[u8], now: Now) {
        if self.lingers_until.is_none() {
            self.connection.receive(octets, now);
        }
    }

    pub(super) fn peer_closed(&mut self) {
        self.connection.peer_closed();
        self.is_over |= self.lingers_until.is_some();
    }

    /// Does what can be done now. Gives what it has made, and why it leaves if it does now.
    pub(super) fn work(&mut self, desk: &mut Desk<'_>) -> (Option<Rc<[u8]>>, Option<Close>) {
        if let Some(until) = self.lingers_until {
            self.is_over |= until <= desk.now.instant;
            return (None, None);
        }
        self.note_time(desk);
        let made = if self.out.is_empty() { self.fill(desk) } else { None };
        (made, self.leave(desk))
    }

    fn note_time(&mut self, desk: &Desk<'_>) {
        let Desk { policy, counters, durable, now, .. } = *desk;
        if !self.out.is_empty() && self.told <= durable {
            let since = *self.free_since.get_or_insert(now.instant);
            // In the moment in which it may leave, sending is tried first.
            if since < now.instant {
                self.connection.tick(policy, counters, now);
            }
        } else if self.out.is_empty() && !self.connection.has_work() {
            self.connection.tick(policy, counters, now);
        }
    }

    fn fill(&mut self, desk: &mut Desk<'_>) -> Option<Rc<[u8]>> {
        let Desk { policy, holdings, admission, counters, is_stopping, now, .. } = desk;
        loop {
            self.connection.begin(policy, holdings, admission, counters, *now);
            admission.rest(self.place, self.connection.rests_since());
            self.connection.fill(policy, holdings, counters, *now, &mut self.out);
            if *is_stopping {
                self.connection.terminate(
                    "the server is shutting down",
                    policy,
                    counters,
                    *now,
                    &mut self.out,
                );
            }
            self.told = holdings.table.last_seq();
            self.connection.take_finished();
            if !self.out.is_empty() {
                self.free_since = None;
                return Some(self.out.as_slice().into());
            }
            if !self.connection.has_work() {
                return None;
            }
        }
    }

    /// Leaves if there is a reason to: at once if time has run out, else when everything has been sent.
    fn leave(&mut self, desk: &mut Desk<'_>) -> Option<Close> {
        let close = self.connection.close()?;
        let has_timed_out = matches!(close, Close::TimedOut(_));
        if !(self.out.is_empty() || has_timed_out) {
            return None;
        }
        self.connection.abandon(desk.admission);
        desk.admission.leave(self.place);
        self.out.clear();
        self.written = 0;
        self.lingers_until = Some(desk.now.instant + LINGER);
        self.is_over = has_timed_out;
        Some(close)
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

    /// When to look again, unless a commit is waited for.
    pub(super) fn deadline(&self, policy: &Policy, durable: Seq) -> Option<Instant> {
        if self.lingers_until.is_some() {
            return self.lingers_until;
        }
        let waits = !self.out.is_empty() && self.told > durable;
        (!waits).then(|| self.connection.next_deadline(policy).at)
    }

    /// Queries in work.
    pub(super) fn queries(&self) -> usize {
        self.connection.in_work().count()
    }

    /// Octets that wait to be taken.
    pub(super) fn output_octets(&self) -> usize {
        self.out.len()
    }

    /// Whether everything has been said and the rest is thrown away.
    pub(super) fn lingers(&self) -> bool {
        self.lingers_until.is_some()
    }

    /// Whether the stream is to be forgotten.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// The stream is no more: gives its place back.
    pub(super) fn end(mut self, admission: &mut Admission) {
        self.connection.abandon(admission);
        admission.close(self.place);
    }
}
