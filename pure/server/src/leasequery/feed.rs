//! One query being answered on a connection.
//!
//! A feed is a place: which search, and how far. It is filled while there is room, and between two
//! fillings the table may change as it likes. Its grammar is that of RFC 5460 §5.2: the first
//! client in LEASEQUERY-REPLY, every further one in LEASEQUERY-DATA, then LEASEQUERY-DONE; where
//! there is none, LEASEQUERY-REPLY alone.

use std::time::Duration;

use lease::{ClientView, Cursor, HeldLease};
use wire::leasequery::QueryType;
use wire::{MessageType, Status, StatusCode, TransactionId, Writer};
use world::{Instant, Now};

use super::answer::{self, Head};
use super::query::{Asked, Query, Wanted};
use super::{Policy, Refusal};
use crate::Holdings;
use crate::limits::{EARLY_OCTETS, EARLY_TURN_OCTETS, MAX_LEASES_IN_MESSAGE, TURN_CLIENTS, TURN_OCTETS};

/// A query in work.
#[derive(Debug)]
pub(super) struct Feed {
    head: Head,
    query_type: QueryType,
    query: Query,
    search: usize,
    cursor: Cursor,
    begun: Instant,
    told: Told,
}

/// What a feed has told so far.
#[derive(Debug, Clone, Copy, Default)]
struct Told {
    clients: u64,
    leases: u64,
    octets: u64,
}

/// What became of a query: one line in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Its number on the connection.
    pub transaction_id: TransactionId,
    /// What was asked by.
    pub query_type: QueryType,
    /// What was sought; empty if it was refused.
    pub sought: String,
    /// How it ended.
    pub status: StatusCode,
    /// Clients sent.
    pub clients: u64,
    /// Leases sent.
    pub leases: u64,
    /// Octets made, frames included.
    pub octets: u64,
    /// From the query's arrival until the last message was made.
    pub took: Duration,
}

/// How far a query has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InWork {
    /// Its number on the connection.
    pub transaction_id: TransactionId,
    /// What is asked by.
    pub query_type: QueryType,
    /// What is sought.
    pub sought: String,
    /// Clients told so far.
    pub clients: u64,
    /// Leases told so far.
    pub leases: u64,
    /// Octets made so far, frames included.
    pub octets: u64,
    /// When it came.
    pub begun: Instant,
}

impl Feed {
    /// Begins to answer a query.
    pub(crate) fn new(asked: &Asked, query: Query, now: Now) -> Self {
        Self {
            head: Head::of(asked),
            query_type: asked.query_type,
            query,
            search: 0,
            cursor: Cursor::START,
            begun: now.instant,
            told: Told::default(),
        }
    }

    /// What it is known by.
    pub(crate) fn transaction_id(&self) -> TransactionId {
        self.head.transaction_id
    }

    /// How far it has come.
    pub(crate) fn in_work(&self) -> InWork {
        let Told { clients, leases, octets } = self.told;
        InWork {
            transaction_id: self.head.transaction_id,
            query_type: self.query_type,
            sought: self.query.sought.clone(),
            clients,
            leases,
            octets,
            begun: self.begun,
        }
    }

    /// Goes on for one turn. `Some` when the last message has been made.
    pub(crate) fn fill(
        &mut self,
        holdings: &Holdings,
        policy: &Policy,
        now: Now,
        out: &mut Vec<u8>,
    ) -> Option<Finished> {
        let before = out.len();
        let at_end = self.turn(holdings, policy, now, out);
        if at_end {
            self.end(None, policy, now, out);
        }
        self.told.octets += (out.len() - before) as u64;
        at_end.then(|| self.finished(StatusCode::SUCCESS, now))
    }

    /// Ends in the middle, with a status (RFC 5460 §7.2, §7.4).
    pub(crate) fn terminate(
        mut self,
        because: &str,
        policy: &Policy,
        now: Now,
        out: &mut Vec<u8>,
    ) -> Finished {
        let before = out.len();
        let status = Status { code: Refusal::Terminated.status(), message: because.as_bytes() };
        self.end(Some(status), policy, now, out);
        self.told.octets += (out.len() - before) as u64;
        self.finished(status.code, now)
    }

    /// Tells of clients for one turn; `true` if there are no more.
    fn turn(&mut self, holdings: &Holdings, policy: &Policy, now: Now, out: &mut Vec<u8>) -> bool {
        let Self { head, query, search, cursor, told, .. } = self;
        let teller = Teller { head, wanted: &query.wanted, policy, now };
        let room = if told.octets < EARLY_OCTETS { EARLY_TURN_OCTETS } else { TURN_OCTETS };
        let until = out.len() + room;
        let mut looked_at = 0;
        while let Some(place) = query.searches.get(*search) {
            for (behind, client) in holdings.table.look(place, *cursor) {
                if out.len() >= until || looked_at >= TURN_CLIENTS {
                    return false;
                }
                looked_at += 1;
                *cursor = behind;
                if let Some(client) = client {
                    teller.tell(&client, told, out);
                }
            }
            *search += 1;
            *cursor = Cursor::START;
        }
        true
    }

    /// Data were sent: DONE. None were: REPLY alone (RFC 5460 §6.3).
    fn end(&self, status: Option<Status<'_>>, policy: &Policy, now: Now, out: &mut Vec<u8>) {
        let status = |w: &mut Writer<'_>| {
            if let Some(status) = status {
                w.status(status.code, status.message);
            }
        };
        frame(out, |w| match self.told.clients {
            0 => self.head.reply(w, policy, now, status),
            _ => self.head.message(w, MessageType::LeaseQueryDone, now, status),
        });
    }

    fn finished(&self, status: StatusCode, now: Now) -> Finished {
        Finished {
            transaction_id: self.head.transaction_id,
            query_type: self.query_type,
            sought: self.query.sought.clone(),
            status,
            clients: self.told.clients,
            leases: self.told.leases,
            octets: self.told.octets,
            took: now.instant.since(self.begun),
        }
    }
}

/// What all messages of a turn have in common.
struct Teller<'a> {
    head: &'a Head,
    wanted: &'a Wanted,
    policy: &'a Policy,
    now: Now,
}

impl Teller<'_> {
    /// One client, in as many messages as its leases need; none if it has nothing to tell.
    #[inline]
    fn tell(&self, client: &ClientView<'_>, told: &mut Told, out: &mut Vec<u8>) {
        let first = told.clients == 0;
        let count = answer::told(client, self.now).count();
        match count {
            0 => return,
            1..=MAX_LEASES_IN_MESSAGE => {
                self.message(first, client, answer::told(client, self.now), out);
            }
            _ => {
                for (index, portion) in answer::portions(client, self.now).iter().enumerate() {
                    self.message(first && index == 0, client, portion.iter().copied(), out);
                }
            }
        }
        told.clients += 1;
        told.leases += count as u64;
    }

    #[inline]
    fn message(
        &self,
        first: bool,
        client: &ClientView<'_>,
        leases: impl Iterator<Item = HeldLease>,
        out: &mut Vec<u8>,
    ) {
        let data = |w: &mut Writer<'_>| answer::client_data(w, client, leases, self.wanted, self.now);
        frame(out, |w| match first {
            true => self.head.reply(w, self.policy, self.now, data),
            false => self.head.message(w, MessageType::LeaseQueryData, self.now, data),
        });
    }
}

/// Portions and options are chosen so that a message always fits its frame.
pub(crate) fn frame(out: &mut Vec<u8>, message: impl FnOnce(&mut Writer<'_>)) {
    wire::write_frame(out, message).expect("a message is made to fit its frame");
}
