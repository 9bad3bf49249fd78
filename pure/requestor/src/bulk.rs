//! One TCP connection on which questions are asked, as many at a time as one likes (RFC 5460 §6).
//!
//! Every question has its own transaction id, which this connection never uses again, and is in one
//! of two phases: `Sent` until its LEASEQUERY-REPLY comes, then `Streaming` until its
//! LEASEQUERY-DONE. Answers to different questions may be interleaved in any way. What cannot be
//! matched to a phase means that the two sides disagree about the conversation, and ends it: the
//! questions still open are then incomplete, and what they brought stays good.
//!
//! The caller owns the socket: it writes what [`BulkConnection::output`] holds, hands in what it
//! reads, and closes when [`BulkConnection::ended`] says so.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use wire::{ClientMessage, DecodeError, FrameBuffer, FrameError, MessageType, OptionCode, TransactionId};
use world::{Chance, Deadline, Instant};

use crate::answer::Answer;
use crate::event::{Event, Gap, Outcome, Refusal};
use crate::limits::{DATA_TIMEOUT, MAX_QUESTIONS};
use crate::question::{Asker, Question};
use crate::warning::{Warning, Warnings};

/// The state of one connection.
#[derive(Debug)]
pub struct BulkConnection {
    asker: Asker,
    data_timeout: Duration,
    output: Vec<u8>,
    written: usize,
    input: FrameBuffer,
    queries: BTreeMap<TransactionId, Query>,
    first_id: u32,
    asked: u32,
    last_heard: Instant,
    last_written: Instant,
    ended: Option<Gap>,
    warnings: Warnings,
    counters: Counters,
}

/// How much has come in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Octets, frames and all.
    pub octets: u64,
    /// Whole messages.
    pub messages: u64,
    /// Clients told of; one that comes in several messages counts as often.
    pub clients: u64,
    /// Leases told of.
    pub bindings: u64,
}

#[derive(Debug)]
struct Query {
    phase: Phase,
    asks_relay_data: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Sent,
    Streaming,
}

/// How a server can break the protocol beyond repair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The stream is not one of frames.
    Frame(FrameError),
    /// A message does not decode.
    Message(DecodeError),
    /// A message that has no place on such a connection.
    Unexpected(MessageType),
    /// LEASEQUERY-DATA or -DONE for no outstanding question.
    ForeignTransaction(MessageType),
    /// LEASEQUERY-DATA or -DONE before the LEASEQUERY-REPLY, or a second one of those.
    OutOfOrder(MessageType),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Frame(error) => error.fmt(f),
            Self::Message(error) => error.fmt(f),
            Self::Unexpected(kind) => write!(f, "{kind} has no place on this connection"),
            Self::ForeignTransaction(kind) => write!(f, "{kind} for a question that is not outstanding"),
            Self::OutOfOrder(kind) => write!(f, "{kind} out of order"),
        }
    }
}

/// Why a question cannot be asked here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskError {
    /// The connection has ended: ask on a new one.
    Ended,
    /// Every transaction id has been used once: ask on a new one.
    IdsUsedUp,
    /// The question does not fit into a message.
    TooLong,
}

impl fmt::Display for AskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ended => "the connection has ended",
            Self::IdsUsedUp => "the connection has used every transaction id",
            Self::TooLong => "the question does not fit into a message",
        })
    }
}

impl std::error::Error for AskError {}

impl BulkConnection {
    /// The state of a connection that has just been made.
    pub fn new(asker: Asker, chance: &mut Chance, now: Instant) -> Self {
        Self {
            asker,
            data_timeout: DATA_TIMEOUT,
            output: Vec::new(),
            written: 0,
            input: FrameBuffer::default(),
            queries: BTreeMap::new(),
            first_id: chance.below(MAX_QUESTIONS.into()) as u32,
            asked: 0,
            last_heard: now,
            last_written: now,
            ended: None,
            warnings: Warnings::default(),
            counters: Counters::default(),
        }
    }

    /// Gives up after this long a silence instead of [`DATA_TIMEOUT`].
    pub fn with_data_timeout(self, data_timeout: Duration) -> Self {
        Self { data_timeout, ..self }
    }

    /// Queues a question behind what waits to be sent.
    pub fn ask(&mut self, question: &Question, now: Instant) -> Result<TransactionId, AskError> {
        if self.ended.is_some() {
            return Err(AskError::Ended);
        }
        if self.asked == MAX_QUESTIONS {
            return Err(AskError::IdsUsedUp);
        }
        let id = TransactionId::from_number(self.first_id.wrapping_add(self.asked));
        self.queue(question, id, now)?;
        if self.queries.is_empty() {
            self.last_heard = now;
        }
        self.asked += 1;
        let asks_relay_data = question.requests(OptionCode::LQ_RELAY_DATA);
        self.queries.insert(id, Query { phase: Phase::Sent, asks_relay_data });
        Ok(id)
    }

    fn queue(&mut self, question: &Question, id: TransactionId, now: Instant) -> Result<(), AskError> {
        if self.output().is_empty() {
            self.last_written = now;
        }
        let mut frame = Vec::new();
        wire::write_frame(&mut frame, |w| question.write(w, id, &self.asker))
            .map_err(|_| AskError::TooLong)?;
        self.output.extend_from_slice(&frame);
        Ok(())
    }

    /// What waits to be sent.
    pub fn output(&self) -> &[u8] {
        &self.output[self.written..]
    }

    /// So many octets of the output have been sent.
    pub fn wrote(&mut self, octets: usize, now: Instant) {
        self.written += octets;
        self.last_written = now;
        if self.output().is_empty() {
            self.output.clear();
            self.written = 0;
        }
    }

    /// Takes octets as they came, cut anywhere, and tells `sink` what they say.
    pub fn receive(&mut self, octets: &[u8], now: Instant, sink: &mut impl FnMut(Event<'_>)) {
        if self.ended.is_some() {
            return;
        }
        self.counters.octets += octets.len() as u64;
        self.input.extend(octets);
        if let Err(fault) = self.take_messages(now, sink) {
            self.end(Gap::Fault(fault), sink);
        }
    }

    fn take_messages(&mut self, now: Instant, sink: &mut impl FnMut(Event<'_>)) -> Result<(), Fault> {
        let Self { asker, input, queries, warnings, counters, .. } = self;
        while let Some(octets) = input.next_message().map_err(Fault::Frame)? {
            counters.messages += 1;
            self.last_heard = now;
            let message = ClientMessage::decode(octets).map_err(Fault::Message)?;
            let mut conversation = Conversation { asker, queries, warnings, counters };
            match message.message_type {
                MessageType::LeaseQueryReply => conversation.reply(&message, sink)?,
                MessageType::LeaseQueryData => conversation.data(&message, sink)?,
                MessageType::LeaseQueryDone => conversation.done(&message, sink)?,
                MessageType::LeaseQuery => warnings.add(Warning::QueryReceived),
                other => return Err(Fault::Unexpected(other)),
            }
        }
        Ok(())
    }

    /// The server will send nothing more.
    pub fn peer_closed(&mut self, sink: &mut impl FnMut(Event<'_>)) {
        self.end(Gap::Closed, sink);
    }

    /// When to call [`Self::tick`] if nothing happens before, and what will be wrong then.
    pub fn next_deadline(&self) -> Option<Deadline<Gap>> {
        if self.ended.is_some() {
            return None;
        }
        let blocked = (!self.output().is_empty())
            .then(|| Deadline { at: self.last_written + self.data_timeout, why: Gap::Blocked });
        let silent = (!self.queries.is_empty())
            .then(|| Deadline { at: self.last_heard + self.data_timeout, why: Gap::Silent });
        blocked.into_iter().chain(silent).min_by_key(|deadline| deadline.at)
    }

    /// Ends the connection if it has been silent or blocked for too long.
    pub fn tick(&mut self, now: Instant, sink: &mut impl FnMut(Event<'_>)) {
        if let Some(deadline) = self.next_deadline().filter(|deadline| deadline.at <= now) {
            self.end(deadline.why, sink);
        }
    }

    fn end(&mut self, gap: Gap, sink: &mut impl FnMut(Event<'_>)) {
        self.ended.get_or_insert(gap);
        for query in std::mem::take(&mut self.queries).into_keys() {
            sink(Event::Finished { query, outcome: Outcome::Incomplete(gap) });
        }
    }

    /// Why the connection is to be closed, if it is.
    pub fn ended(&self) -> Option<Gap> {
        self.ended
    }

    /// Whether no question is open: the connection may be closed or used again.
    pub fn is_idle(&self) -> bool {
        self.queries.is_empty()
    }

    /// What was odd.
    pub fn warnings(&self) -> &Warnings {
        &self.warnings
    }

    /// How much has come in.
    pub fn counters(&self) -> Counters {
        self.counters
    }
}

/// The questions that are open, while one message is worked on.
struct Conversation<'c> {
    asker: &'c Asker,
    queries: &'c mut BTreeMap<TransactionId, Query>,
    warnings: &'c mut Warnings,
    counters: &'c mut Counters,
}

impl Conversation<'_> {
    fn reply(&mut self, message: &ClientMessage<'_>, sink: &mut impl FnMut(Event<'_>)) -> Result<(), Fault> {
        let id = message.transaction_id;
        let answer = Answer::gather(message.options);
        if let Some(reason) = answer.reason_to_discard(self.asker) {
            self.warnings.add(reason);
            return Ok(());
        }
        let Some(query) = self.queries.get_mut(&id) else {
            self.warnings.add(Warning::ReplyToNoQuestion);
            return Ok(());
        };
        if query.phase != Phase::Sent {
            return Err(Fault::OutOfOrder(message.message_type));
        }
        query.phase = Phase::Streaming;
        if answer.client_links.is_some() {
            self.warnings.add(Warning::ClientLinkIgnored);
        }
        if let Some(status) = answer.error(self.warnings) {
            self.finish(id, Outcome::Refused(Refusal::new(status)), sink);
        } else if answer.has_client() {
            self.clients(id, &answer, sink);
        } else {
            self.finish(id, Outcome::Empty, sink);
        }
        Ok(())
    }

    fn data(&mut self, message: &ClientMessage<'_>, sink: &mut impl FnMut(Event<'_>)) -> Result<(), Fault> {
        self.streaming(message)?;
        let answer = Answer::gather(message.options);
        if answer.has_client() {
            self.clients(message.transaction_id, &answer, sink);
        } else {
            self.warnings.add(Warning::DataWithoutClient);
        }
        Ok(())
    }

    fn done(&mut self, message: &ClientMessage<'_>, sink: &mut impl FnMut(Event<'_>)) -> Result<(), Fault> {
        self.streaming(message)?;
        let outcome = match Answer::gather(message.options).error(self.warnings) {
            Some(status) => Outcome::Partial(Refusal::new(status)),
            None => Outcome::Done,
        };
        self.finish(message.transaction_id, outcome, sink);
        Ok(())
    }

    /// Insists that the message belongs to a question whose reply has come.
    fn streaming(&self, message: &ClientMessage<'_>) -> Result<(), Fault> {
        match self.queries.get(&message.transaction_id) {
            None => Err(Fault::ForeignTransaction(message.message_type)),
            Some(Query { phase: Phase::Sent, .. }) => Err(Fault::OutOfOrder(message.message_type)),
            Some(Query { phase: Phase::Streaming, .. }) => Ok(()),
        }
    }

    fn clients(&mut self, id: TransactionId, answer: &Answer<'_>, sink: &mut impl FnMut(Event<'_>)) {
        let asked = self.queries.get(&id).is_some_and(|query| query.asks_relay_data);
        answer.for_each_client(asked, self.warnings, |client| {
            self.counters.clients += 1;
            self.counters.bindings += client.lease_count as u64;
            sink(Event::Client { query: id, client });
        });
    }

    fn finish(&mut self, id: TransactionId, outcome: Outcome, sink: &mut impl FnMut(Event<'_>)) {
        self.queries.remove(&id);
        sink(Event::Finished { query: id, outcome });
    }
}
