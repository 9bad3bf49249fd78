//! One query being answered on a connection.
//!
//! A feed is a place: which search, and how far. It is filled while there is room, and between two
//! fillings the table may change as it likes. Its grammar is that of RFC 5460 §5.2: the first
//! client in LEASEQUERY-REPLY, every further one in LEASEQUERY-DATA, then LEASEQUERY-DONE; where
//! there is none, LEASEQUERY-REPLY alone.

use std::time::Duration;

use lease::{ClientView, Cursor};
use wire::leasequery::QueryType;
use wire::{MessageType, StatusCode, TransactionId, Writer};
use world::{Instant, Now};

use crate::answer::{self, Head};
use crate::limits::{MAX_LEASES_IN_MESSAGE, TURN_CLIENTS, TURN_OCTETS};
use crate::query::{Asked, Query};
use crate::{Holdings, Policy, Refusal};

/// A query in work.
#[derive(Debug)]
pub struct Feed {
    head: Head,
    query_type: QueryType,
    query: Query,
    search: usize,
    cursor: Cursor,
    begun: Instant,
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
            clients: 0,
            leases: 0,
            octets: 0,
        }
    }

    /// What it is known by.
    pub(crate) fn transaction_id(&self) -> TransactionId {
        self.head.transaction_id
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
        let mut looked_at = 0;
        while let Some(search) = self.query.searches.get(self.search) {
            for (behind, client) in holdings.table.search(search, self.cursor) {
                if out.len() - before >= TURN_OCTETS || looked_at >= TURN_CLIENTS {
                    self.octets += (out.len() - before) as u64;
                    return None;
                }
                looked_at += 1;
                self.cursor = behind;
                tell(&self.head, &self.query, &mut self.clients, &mut self.leases, &client, policy, now, out);
            }
            self.search += 1;
            self.cursor = Cursor::START;
        }
        self.end(policy, now, out);
        self.octets += (out.len() - before) as u64;
        Some(self.finished(StatusCode::SUCCESS, now))
    }

    /// Data were sent: DONE. None were: REPLY alone (RFC 5460 §6.3).
    fn end(&self, policy: &Policy, now: Now, out: &mut Vec<u8>) {
        if self.clients > 0 {
            frame(out, |w| self.head.message(w, MessageType::LeaseQueryDone, now, |_| {}));
        } else {
            frame(out, |w| self.head.reply(w, policy, now, |_| {}));
        }
    }

    /// Ends in the middle: DONE with a status if data were sent, REPLY with one if not
    /// (RFC 5460 §7.2, §7.4).
    pub(crate) fn terminate(
        mut self,
        because: &str,
        policy: &Policy,
        now: Now,
        out: &mut Vec<u8>,
    ) -> Finished {
        let before = out.len();
        let code = Refusal::Terminated.status();
        if self.clients > 0 {
            let status = |w: &mut Writer<'_>| answer::status(w, code, because);
            frame(out, |w| self.head.message(w, MessageType::LeaseQueryDone, now, status));
        } else {
            frame(out, |w| self.head.reply(w, policy, now, |w| answer::status(w, code, because)));
        }
        self.octets += (out.len() - before) as u64;
        self.finished(code, now)
    }

    fn finished(&self, status: StatusCode, now: Now) -> Finished {
        Finished {
            transaction_id: self.head.transaction_id,
            query_type: self.query_type,
            sought: self.query.sought.clone(),
            status,
            clients: self.clients,
            leases: self.leases,
            octets: self.octets,
            took: now.instant.since(self.begun),
        }
    }
}

/// One client, in as many messages as its leases need; none if it has nothing to tell.
#[allow(clippy::too_many_arguments, reason = "the parts of a feed that the search does not borrow")]
#[inline]
fn tell(
    head: &Head,
    query: &Query,
    clients: &mut u64,
    leases: &mut u64,
    client: &ClientView<'_>,
    policy: &Policy,
    now: Now,
    out: &mut Vec<u8>,
) {
    let count = answer::told(client, now).count();
    let mut message = |first: bool, data: &mut dyn FnMut(&mut Writer<'_>)| {
        frame(out, |w| {
            if first {
                head.reply(w, policy, now, data);
            } else {
                head.message(w, MessageType::LeaseQueryData, now, data);
            }
        });
    };
    match count {
        0 => return,
        1..=MAX_LEASES_IN_MESSAGE => message(*clients == 0, &mut |w| {
            answer::client_data(w, client, answer::told(client, now), &query.wanted, now);
        }),
        _ => {
            for (index, portion) in answer::portions(client, now).iter().enumerate() {
                message(*clients == 0 && index == 0, &mut |w| {
                    answer::client_data(w, client, portion.iter().copied(), &query.wanted, now);
                });
            }
        }
    }
    *clients += 1;
    *leases += count as u64;
}

/// Portions and options are chosen so that a message always fits its frame.
pub(crate) fn frame(out: &mut Vec<u8>, message: impl FnOnce(&mut Writer<'_>)) {
    wire::write_frame(out, message).expect("a message is made to fit its frame");
}
