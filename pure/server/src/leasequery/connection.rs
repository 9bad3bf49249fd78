//! A TCP connection of a requestor (RFC 5460 §7).
//!
//! Octets come in by [`Connection::receive`] and leave by [`Connection::fill`], which appends while
//! there is room. In between, [`Connection::begin`] takes as many queries out of what has come in
//! as may be in work at once; the rest waits, and while it waits nothing more is read
//! ([`Connection::wants_octets`]). So what a connection holds is bounded: one frame coming in, a
//! place for each query in work, and one buffer going out.

use std::collections::VecDeque;
use std::net::Ipv6Addr;

use wire::{ClientMessage, FrameBuffer, MessageType, OptionCode, Status, StatusCode, TransactionId};
use world::{Deadline, Instant, Now};

use super::answer::Head;
use super::feed::{Feed, Finished, InWork, frame};
use super::query::{Asked, Transport};
use super::{Admission, Policy, Refusal};
use crate::counters::{Counters, add};
use crate::limits::{ADMISSION_RETRY, MAX_OUTPUT_OCTETS, MAX_WAITING_OCTETS};
use crate::{Discard, Holdings};

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
    intake: Intake,
    feeds: VecDeque<Feed>,
    answers: Vec<u8>,
    finished: Vec<Finished>,
    ended: usize,
    has_answered: bool,
    peer_closed: bool,
    closing: Option<Close>,
    frame_since: Option<Instant>,
    sending_since: Option<Instant>,
    idle_since: Instant,
}

/// Whether another query can be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Intake {
    /// As soon as it has come.
    Open,
    /// When one that is in work here has ended.
    Full,
    /// When one that is in work on another connection of the requestor has ended.
    Queued,
}

impl Connection {
    /// A connection that has just been accepted.
    pub fn new(requestor: Ipv6Addr, now: Now) -> Self {
        Self {
            requestor,
            input: FrameBuffer::default(),
            intake: Intake::Open,
            feeds: VecDeque::new(),
            answers: Vec::new(),
            finished: Vec::new(),
            ended: 0,
            has_answered: false,
            peer_closed: false,
            closing: None,
            frame_since: None,
            sending_since: None,
            idle_since: now.instant,
        }
    }

    /// Whether the socket should be read: not while more has come in than may be in work.
    pub fn wants_octets(&self) -> bool {
        let room = self.intake == Intake::Open && self.input.waiting() < MAX_WAITING_OCTETS;
        room && !self.peer_closed && self.closing.is_none()
    }

    /// Takes octets as they come. How long a frame takes is counted from its first octet.
    pub fn receive(&mut self, octets: &[u8], now: Now) {
        self.input.extend(octets);
        self.frame_since.get_or_insert(now.instant);
    }

    /// The requestor will send no more. What it has asked is answered all the same (RFC 5460 §7.4).
    pub fn peer_closed(&mut self) {
        self.peer_closed = true;
    }

    /// Takes queries out of what has come in, as many as may be in work, and gives back the places
    /// of those that have ended.
    pub fn begin(
        &mut self,
        policy: &Policy,
        holdings: &Holdings,
        admission: &mut Admission,
        counters: &Counters,
        now: Now,
    ) {
        admission.end(self.requestor, std::mem::take(&mut self.ended));
        self.intake = self.take_messages(policy, holdings, admission, counters, now);
        self.input.release();
        let rest = self.input.waiting() > 0 && !self.has_whole_frame();
        if self.peer_closed && rest && self.closing.is_none() {
            self.fault(Close::Framing, Discard::Malformed, counters);
        }
        self.note_waiting(policy, now);
    }

    /// Takes one message after the other, until something is in the way or nothing is left.
    fn take_messages(
        &mut self,
        policy: &Policy,
        holdings: &Holdings,
        admission: &mut Admission,
        counters: &Counters,
        now: Now,
    ) -> Intake {
        while self.closing.is_none() && self.answers.len() < MAX_OUTPUT_OCTETS && self.has_whole_frame() {
            if self.feeds.len() >= policy.bulk.max_queries_per_connection {
                return Intake::Full;
            }
            if !admission.begin(self.requestor, &policy.bulk) {
                return Intake::Queued;
            }
            if !self.take_message(policy, holdings, counters, now) {
                admission.end(self.requestor, 1);
            }
        }
        let is_full = self.feeds.len() >= policy.bulk.max_queries_per_connection;
        if is_full { Intake::Full } else { Intake::Open }
    }

    /// Takes the message that is there; `true` if a query is in work now.
    fn take_message(&mut self, policy: &Policy, holdings: &Holdings, counters: &Counters, now: Now) -> bool {
        self.frame_since = None;
        match self.input.next_message() {
            Ok(None) => false,
            Ok(Some(octets)) => match judge(octets, self.requestor, policy, holdings, now) {
                Ok(step) => self.take(step, policy, counters, now),
                Err(discard) => self.fault(Close::Fault(discard), discard, counters),
            },
            Err(_) => self.fault(Close::Framing, Discard::Malformed, counters),
        }
    }

    /// Does what a message asks for; `true` if a query is in work now. One with the id of a query that is in work is
    /// not answered: the requestor could not tell the answers apart.
    fn take(&mut self, step: Step, policy: &Policy, counters: &Counters, now: Now) -> bool {
        if self.is_in_work(step.transaction_id()) {
            add(&counters.duplicate_transaction_ids, 1);
            return false;
        }
        match step {
            Step::Query(asked) => return self.start(*asked, policy, counters, now),
            Step::RefuseActive(asked) => {
                self.refuse(&asked, Refusal::NotSupported.told(), policy, counters, now);
                self.closing = Some(Close::Refused);
            }
            Step::RefuseTls(transaction_id) => frame(&mut self.answers, |w| {
                ClientMessage::write(w, MessageType::Reply, transaction_id, |w| {
                    w.raw_option(OptionCode::SERVERID, policy.server_id.octets());
                    w.status(StatusCode::TLS_CONNECTION_REFUSED, "");
                });
            }),
        }
        false
    }

    fn start(&mut self, asked: Asked, policy: &Policy, counters: &Counters, now: Now) -> bool {
        match &asked.query {
            Ok(query) => {
                self.feeds.push_back(Feed::new(&asked, query.clone(), now));
                true
            }
            Err(refusal) => {
                self.refuse(&asked, refusal.told(), policy, counters, now);
                false
            }
        }
    }

    fn is_in_work(&self, transaction_id: TransactionId) -> bool {
        self.feeds.iter().any(|feed| feed.transaction_id() == transaction_id)
    }

    fn refuse(&mut self, asked: &Asked, why: Status<'_>, policy: &Policy, counters: &Counters, now: Now) {
        let before = self.answers.len();
        frame(&mut self.answers, |w| {
            Head::of(asked).reply(w, policy, now, |w| w.status(why.code, why.message));
        });
        let finished = Finished {
            transaction_id: asked.transaction_id,
            query_type: asked.query_type,
            sought: String::new(),
            status: why.code,
            clients: 0,
            leases: 0,
            octets: (self.answers.len() - before) as u64,
            took: std::time::Duration::ZERO,
        };
        self.note_finished(finished, counters);
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
        self.note_sending(out, now);
        self.note_waiting(policy, now);
    }

    /// Some of what was appended has been sent; `all` if nothing waits any more.
    pub fn sent(&mut self, all: bool, now: Now) {
        self.sending_since = if all { None } else { Some(now.instant) };
        self.idle_since = now.instant;
    }

    /// Ends every query with QueryTerminated, those that still wait included, and then the
    /// connection (RFC 5460 §5.5, §7.4).
    pub fn terminate(
        &mut self,
        because: &str,
        policy: &Policy,
        counters: &Counters,
        now: Now,
        out: &mut Vec<u8>,
    ) {
        if self.closing.is_none() {
            self.refuse_waiting(because, policy, counters, now);
        }
        out.append(&mut self.answers);
        while let Some(feed) = self.feeds.pop_front() {
            let finished = feed.terminate(because, policy, now, out);
            self.finish(finished, counters);
        }
        self.closing.get_or_insert(Close::Terminated);
        self.note_sending(out, now);
    }

    /// Refuses the queries that have come whole and were not taken.
    fn refuse_waiting(&mut self, because: &str, policy: &Policy, counters: &Counters, now: Now) {
        let why = Status { code: Refusal::Terminated.status(), message: because.as_bytes() };
        while let Ok(Some(octets)) = self.input.next_message() {
            let Ok(message) = ClientMessage::decode(octets) else { return };
            if message.message_type != MessageType::LeaseQuery {
                return;
            }
            let Ok(asked) = Asked::refused(&message, Refusal::Terminated, policy) else { return };
            if !self.is_in_work(asked.transaction_id) {
                self.refuse(&asked, why, policy, counters, now);
            }
        }
    }

    /// The connection is gone: gives its queries' places back.
    pub fn abandon(&mut self, admission: &mut Admission) {
        self.drop_work();
        admission.end(self.requestor, std::mem::take(&mut self.ended));
    }

    /// Queries that have ended since the last call.
    pub fn take_finished(&mut self) -> Vec<Finished> {
        std::mem::take(&mut self.finished)
    }

    /// The queries that are being answered.
    pub fn in_work(&self) -> impl Iterator<Item = InWork> {
        self.feeds.iter().map(Feed::in_work)
    }

    /// Since when nothing is being answered; `None` while something is, or is on its way.
    pub fn rests_since(&self) -> Option<Instant> {
        let is_busy = self.is_answering() || self.sending_since.is_some();
        (!is_busy).then_some(self.idle_since)
    }

    /// Whether there is something to do at once: to begin, or to fill.
    pub fn has_work(&self) -> bool {
        let can_begin = self.ended > 0 || self.intake != Intake::Queued && self.has_whole_frame();
        self.is_answering() || self.closing.is_none() && can_begin
    }

    /// Why the connection is to be closed: once everything appended has been sent, or at once if
    /// time ran out.
    pub fn close(&self) -> Option<Close> {
        if self.is_answering() {
            return None;
        }
        let done = self.peer_closed && self.input.waiting() == 0;
        self.closing.or(done.then_some(Close::PeerDone))
    }

    /// When to look again, and what will have happened then.
    pub fn next_deadline(&self, policy: &Policy) -> Deadline<Waiting> {
        let data_timeout = policy.bulk.data_timeout;
        if let Some(since) = self.sending_since {
            return Deadline { at: since + data_timeout, why: Waiting::Room };
        }
        if self.intake == Intake::Queued && self.feeds.is_empty() {
            return Deadline { at: self.idle_since + ADMISSION_RETRY, why: Waiting::Admission };
        }
        match self.frame_since {
            Some(since) => Deadline { at: since + data_timeout, why: Waiting::Frame },
            None => Deadline { at: self.idle_since + policy.bulk.idle_timeout, why: Waiting::Work },
        }
    }

    /// Sees whether a deadline has passed. An answer under way is never cut off because of what
    /// comes in, only because nobody takes it.
    pub fn tick(&mut self, policy: &Policy, counters: &Counters, now: Now) {
        let Deadline { at, why } = self.next_deadline(policy);
        if now.instant < at || matches!(self.closing, Some(Close::TimedOut(_))) {
            return;
        }
        let runs_out = match why {
            Waiting::Room => true,
            Waiting::Frame | Waiting::Work => self.closing.is_none() && !self.has_work(),
            Waiting::Admission => {
                self.idle_since = now.instant;
                false
            }
        };
        if runs_out {
            add(&counters.connections_timed_out, 1);
            self.drop_work();
            self.closing = Some(Close::TimedOut(why));
        }
    }

    /// Nothing more is sent to a requestor that breaks the rules. Returns that no query was begun.
    fn fault(&mut self, close: Close, discard: Discard, counters: &Counters) -> bool {
        counters.discard(discard);
        self.drop_work();
        self.closing = Some(close);
        false
    }

    fn drop_work(&mut self) {
        self.ended += self.feeds.len();
        self.feeds.clear();
        self.answers.clear();
    }

    fn finish(&mut self, finished: Finished, counters: &Counters) {
        self.note_finished(finished, counters);
        self.ended += 1;
    }

    fn note_finished(&mut self, finished: Finished, counters: &Counters) {
        count(&finished, counters);
        self.finished.push(finished);
        self.has_answered = true;
    }

    fn note_sending(&mut self, out: &[u8], now: Now) {
        if !out.is_empty() {
            self.sending_since.get_or_insert(now.instant);
        }
    }

    /// Whole frames that wait for their turn are nobody's delay; a part of one is.
    fn note_waiting(&mut self, policy: &Policy, now: Now) {
        if self.intake != Intake::Open || self.input.waiting() == 0 || self.has_whole_frame() {
            self.frame_since = None;
        } else {
            self.frame_since.get_or_insert(now.instant);
        }
        if self.is_answering() {
            self.idle_since = now.instant;
        } else if policy.bulk.close_after_reply && self.has_answered && self.input.waiting() == 0 {
            self.closing.get_or_insert(Close::Answered);
        }
    }

    fn is_answering(&self) -> bool {
        !self.feeds.is_empty() || !self.answers.is_empty()
    }

    /// Whether a frame is there to be taken, or what can never become one.
    fn has_whole_frame(&self) -> bool {
        !matches!(self.input.peek(), Ok(None))
    }
}

/// What a message asks for.
enum Step {
    Query(Box<Asked>),
    RefuseActive(Box<Asked>),
    RefuseTls(TransactionId),
}

impl Step {
    fn transaction_id(&self) -> TransactionId {
        match self {
            Self::Query(asked) | Self::RefuseActive(asked) => asked.transaction_id,
            Self::RefuseTls(transaction_id) => *transaction_id,
        }
    }
}

fn judge(
    octets: &[u8],
    requestor: Ipv6Addr,
    policy: &Policy,
    holdings: &Holdings,
    now: Now,
) -> Result<Step, Discard> {
    let message = ClientMessage::decode(octets).map_err(|_| Discard::Malformed)?;
    match message.message_type {
        MessageType::LeaseQuery => {
            let asked = Asked::judge(&message, requestor, Transport::Tcp, policy, holdings, now)?;
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
