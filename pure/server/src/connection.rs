//! A TCP connection of a requestor (RFC 5460 §7).
//!
//! Octets come in by [`Connection::receive`] and leave by [`Connection::fill`], which appends while
//! there is room. In between, [`Connection::begin`] takes as many queries out of what has come in
//! as may be in work at once; the rest waits, and while it waits nothing more is read
//! ([`Connection::wants_octets`]). So what a connection holds is bounded: one frame coming in, a
//! place for each query in work, and one buffer going out.

use std::collections::VecDeque;
use std::net::Ipv6Addr;

use wire::{ClientMessage, FrameBuffer, MessageType, OptionCode, StatusCode};
use world::{Deadline, Instant, Now};

use crate::answer::{self, Head};
use crate::counters::{Counters, add};
use crate::feed::{Feed, Finished, frame};
use crate::limits::{ADMISSION_RETRY, MAX_OUTPUT_OCTETS, MAX_WAITING_OCTETS};
use crate::query::{Asked, Transport};
use crate::{Admission, Discard, Holdings, Policy, Refusal};

/// Why a connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Close {
    /// The requestor has closed its end, and everything was answered.
    PeerDone,
    /// Everything was answered, and the operator wants it so.
    Answered,
    /// The requestor has sent what it must not.
    Fault(Discard),
    /// The stream is not one of frames.
    Framing,
    /// A limit of time ran out.
    TimedOut(Waiting),
    /// The server stops, or somebody stopped the query.
    Terminated,
    /// An answer that ends the connection: active leasequery is not served.
    Refused,
}

/// What a connection waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// The rest of a frame.
    Frame,
    /// Room to send.
    Room,
    /// Something to do.
    Work,
    /// A place among the requestor's queries: not a fault, only a reason to look again.
    Admission,
}

/// The server's side of a connection.
#[derive(Debug)]
pub struct Connection {
    requestor: Ipv6Addr,
    input: FrameBuffer,
    feeds: VecDeque<Feed>,
    answers: Vec<u8>,
    finished: Vec<Finished>,
    ended: usize,
    peer_closed: bool,
    closing: Option<Close>,
    frame_since: Option<Instant>,
    sending_since: Option<Instant>,
    idle_since: Instant,
    waits_for_admission: bool,
}

impl Connection {
    /// A connection that has just been accepted.
    pub fn new(requestor: Ipv6Addr, now: Now) -> Self {
        Self {
            requestor,
            input: FrameBuffer::default(),
            feeds: VecDeque::new(),
            answers: Vec::new(),
            finished: Vec::new(),
            ended: 0,
            peer_closed: false,
            closing: None,
            frame_since: None,
            sending_since: None,
            idle_since: now.instant,
            waits_for_admission: false,
        }
    }

    /// Whether the socket should be read: not while more has come in than may be in work.
    pub fn wants_octets(&self) -> bool {
        let room = !self.waits_for_admission && self.input.waiting() < MAX_WAITING_OCTETS;
        room && !self.peer_closed && self.closing.is_none()
    }

    /// Takes octets as they come.
    pub fn receive(&mut self, octets: &[u8], now: Now) {
        self.input.extend(octets);
        self.frame_since.get_or_insert(now.instant);
    }

    /// The requestor will send no more. What it has asked is answered all the same (RFC 5460 §7.4).
    pub fn peer_closed(&mut self) {
        self.peer_closed = true;
    }

    /// Takes queries out of what has come in, as many as may be in work.
    pub fn begin(
        &mut self,
        policy: &Policy,
        holdings: &Holdings,
        admission: &mut Admission,
        counters: &Counters,
        now: Now,
    ) {
        admission.end(self.requestor, std::mem::take(&mut self.ended));
        self.waits_for_admission = false;
        while self.closing.is_none() && self.answers.len() < MAX_OUTPUT_OCTETS {
            if self.feeds.len() >= policy.bulk.max_queries_per_connection {
                self.waits_for_admission = true;
                break;
            }
            if !self.begin_next(policy, holdings, admission, counters, now) {
                break;
            }
        }
        self.note_waiting(policy, now);
    }

    /// Takes one message; `false` if there is none that can be taken now.
    fn begin_next(
        &mut self,
        policy: &Policy,
        holdings: &Holdings,
        admission: &mut Admission,
        counters: &Counters,
        now: Now,
    ) -> bool {
        if self.input.peek().is_ok_and(|next| next.is_some())
            && !admission.begin(self.requestor, &policy.bulk)
        {
            self.waits_for_admission = true;
            return false;
        }
        let started = match self.input.next_message() {
            Ok(None) => return false,
            Ok(Some(octets)) => match judge(octets, self.requestor, policy, holdings) {
                Ok(step) => self.take(step, policy, counters, now),
                Err(discard) => {
                    counters.discard(discard);
                    self.closing = Some(Close::Fault(discard));
                    false
                }
            },
            Err(_) => {
                counters.discard(Discard::Malformed);
                self.closing = Some(Close::Framing);
                return false;
            }
        };
        self.frame_since = Some(now.instant);
        if !started {
            admission.end(self.requestor, 1);
        }
        true
    }

    /// Does what a message asks for; `true` if a query is in work now.
    fn take(&mut self, step: Step, policy: &Policy, counters: &Counters, now: Now) -> bool {
        match step {
            Step::Query(asked) => self.start(*asked, policy, counters, now),
            Step::RefuseActive(asked) => {
                self.refuse(&asked, Refusal::NotSupported, policy, counters, now);
                self.closing = Some(Close::Refused);
                false
            }
            Step::RefuseTls(transaction_id) => {
                frame(&mut self.answers, |w| {
                    ClientMessage::write(w, MessageType::Reply, transaction_id, |w| {
                        w.raw_option(OptionCode::SERVERID, policy.server_id.octets());
                        answer::status(w, StatusCode::TLS_CONNECTION_REFUSED, "");
                    });
                });
                false
            }
        }
    }

    fn start(&mut self, asked: Asked, policy: &Policy, counters: &Counters, now: Now) -> bool {
        if self.feeds.iter().any(|feed| feed.transaction_id() == asked.transaction_id) {
            add(&counters.duplicate_transaction_ids, 1);
            return false;
        }
        match &asked.query {
            Ok(query) => {
                self.feeds.push_back(Feed::new(&asked, query.clone(), now));
                true
            }
            Err(refusal) => {
                self.refuse(&asked, *refusal, policy, counters, now);
                false
            }
        }
    }

    fn refuse(&mut self, asked: &Asked, refusal: Refusal, policy: &Policy, counters: &Counters, now: Now) {
        let before = self.answers.len();
        frame(&mut self.answers, |w| {
            let status = |w: &mut wire::Writer<'_>| answer::status(w, refusal.status(), refusal.message());
            Head::of(asked).reply(w, policy, now, status);
        });
        let finished = Finished {
            transaction_id: asked.transaction_id,
            query_type: asked.query_type,
            sought: String::new(),
            status: refusal.status(),
            clients: 0,
            leases: 0,
            octets: (self.answers.len() - before) as u64,
            took: std::time::Duration::ZERO,
        };
        count(&finished, counters);
        self.finished.push(finished);
    }

    /// Appends messages while there is room, the queries in work taking turns. What is appended is
    /// to be sent before the next call.
    pub fn fill(
        &mut self,
        policy: &Policy,
        holdings: &Holdings,
        counters: &Counters,
        now: Now,
        out: &mut Vec<u8>,
    ) {
        out.append(&mut self.answers);
        let turns = self.feeds.len();
        for _ in 0..turns {
            if out.len() >= MAX_OUTPUT_OCTETS {
                break;
            }
            let Some(mut feed) = self.feeds.pop_front() else { break };
            match feed.fill(holdings, policy, now, out) {
                None => self.feeds.push_back(feed),
                Some(finished) => self.finish(finished, counters),
            }
        }
        if !out.is_empty() {
            self.sending_since = Some(now.instant);
        }
        self.note_waiting(policy, now);
    }

    /// Some of what was appended has been sent; `all` if nothing waits any more.
    pub fn sent(&mut self, all: bool, now: Now) {
        self.sending_since = if all { None } else { Some(now.instant) };
        self.idle_since = now.instant;
    }

    /// Ends every query in work with QueryTerminated, then the connection (RFC 5460 §5.5, §7.4).
    pub fn terminate(
        &mut self,
        because: &str,
        policy: &Policy,
        counters: &Counters,
        now: Now,
        out: &mut Vec<u8>,
    ) {
        while let Some(feed) = self.feeds.pop_front() {
            let finished = feed.terminate(because, policy, now, out);
            self.finish(finished, counters);
        }
        self.closing.get_or_insert(Close::Terminated);
    }

    /// The connection is gone: gives its queries' places back.
    pub fn abandon(&mut self, admission: &mut Admission) {
        self.ended += self.feeds.len();
        self.feeds.clear();
        admission.end(self.requestor, std::mem::take(&mut self.ended));
    }

    /// Queries that have ended since the last call.
    pub fn take_finished(&mut self) -> Vec<Finished> {
        std::mem::take(&mut self.finished)
    }

    /// Whether a query is in work, or could be taken at once.
    pub fn has_work(&self) -> bool {
        !self.feeds.is_empty() || !self.answers.is_empty()
    }

    /// Why the connection is to be closed, once everything appended has been sent.
    pub fn close(&self) -> Option<Close> {
        if self.has_work() && !matches!(self.closing, Some(Close::TimedOut(_))) {
            return None;
        }
        let done = self.peer_closed && !self.waits_for_admission;
        self.closing.or(done.then_some(Close::PeerDone))
    }

    /// When to look again, and what will have happened then.
    pub fn next_deadline(&self, policy: &Policy) -> Deadline<Waiting> {
        let data_timeout = policy.bulk.data_timeout;
        if let Some(since) = self.sending_since {
            return Deadline { at: since + data_timeout, why: Waiting::Room };
        }
        if self.waits_for_admission && self.feeds.is_empty() {
            return Deadline { at: self.idle_since + ADMISSION_RETRY, why: Waiting::Admission };
        }
        match self.frame_since {
            Some(since) => Deadline { at: since + data_timeout, why: Waiting::Frame },
            None => Deadline { at: self.idle_since + policy.bulk.idle_timeout, why: Waiting::Work },
        }
    }

    /// Sees whether a deadline has passed.
    pub fn tick(&mut self, policy: &Policy, counters: &Counters, now: Now) {
        let deadline = self.next_deadline(policy);
        if now.instant < deadline.at || self.closing.is_some() {
            return;
        }
        if deadline.why == Waiting::Admission {
            self.idle_since = now.instant;
            return;
        }
        let only_waits = deadline.why != Waiting::Room && self.has_work();
        if !only_waits {
            add(&counters.connections_timed_out, 1);
            self.closing = Some(Close::TimedOut(deadline.why));
        }
    }

    fn finish(&mut self, finished: Finished, counters: &Counters) {
        count(&finished, counters);
        self.finished.push(finished);
        self.ended += 1;
    }

    /// Whole frames that wait for their turn are nobody's delay; a part of one is.
    fn note_waiting(&mut self, policy: &Policy, now: Now) {
        if self.input.waiting() == 0 || self.waits_for_admission {
            self.frame_since = None;
        }
        if self.has_work() {
            self.idle_since = now.instant;
        } else if policy.bulk.close_after_reply && !self.finished.is_empty() && self.input.waiting() == 0 {
            self.closing.get_or_insert(Close::Answered);
        }
    }
}

/// What a message asks for.
enum Step {
    Query(Box<Asked>),
    RefuseActive(Box<Asked>),
    RefuseTls(wire::TransactionId),
}

fn judge(octets: &[u8], requestor: Ipv6Addr, policy: &Policy, holdings: &Holdings) -> Result<Step, Discard> {
    let message = ClientMessage::decode(octets).map_err(|_| Discard::Malformed)?;
    match message.message_type {
        MessageType::LeaseQuery => {
            let asked = Asked::judge(&message, requestor, Transport::Tcp, policy, holdings)?;
            Ok(Step::Query(Box::new(asked)))
        }
        MessageType::ActiveLeaseQuery => {
            Asked::active(&message).map(|asked| Step::RefuseActive(Box::new(asked)))
        }
        MessageType::StartTls => Ok(Step::RefuseTls(message.transaction_id)),
        _ => Err(Discard::UnexpectedType),
    }
}

fn count(finished: &Finished, counters: &Counters) {
    add(&counters.bulk_queries, 1);
    add(&counters.clients_sent, finished.clients);
    add(&counters.leases_sent, finished.leases);
    add(&counters.bulk_octets, finished.octets);
    counters.status(finished.status);
}
