//! One attempt: one connection with one server, and the questions asked on it.
//!
//! A few questions are under way at a time, the next ones follow as answers end. What each came to is
//! written down here; clients are told of as they come. After the attempt
//! [`super::Recovery::finished`] draws the conclusions, and whatever was not answered is asked again by
//! the next one.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use requestor::{AskError, Asker, BulkConnection, ClientData, Counters, Event, Gap, Outcome, Refusal};
use wire::TransactionId;
use world::{Chance, Deadline, Instant};

use super::questions::{About, Inquiry, Method};
use crate::delegations::ServerId;
use crate::limits::QUESTIONS_AT_ONCE;

/// An attempt to hear all that a server knows.
#[derive(Debug)]
pub struct Attempt {
    pub(super) server: ServerId,
    pub(super) method: Method,
    /// In which epoch it began.
    pub(super) epoch: u64,
    pub(super) began: Instant,
    connection: BulkConnection,
    waiting: VecDeque<Inquiry>,
    pub(super) course: Course,
}

/// What has become of the questions.
#[derive(Debug, Default)]
pub(super) struct Course {
    open: BTreeMap<TransactionId, Inquiry>,
    pub(super) answered: Vec<About>,
    /// What the server will not answer, whenever it is asked.
    pub(super) declined: Vec<(About, Refusal)>,
    pub(super) trouble: Option<Why>,
}

/// Why a server has not told all that it knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// There is no connection to it; in the words of the system.
    Unreachable(String),
    /// It stopped before the end, or could not begin.
    Stopped(Refusal),
    /// Its answer broke off.
    Incomplete(Gap),
    /// It does not answer such questions.
    Refused(Refusal),
    /// A question cannot be asked.
    Unaskable(AskError),
    /// No port has anything by which to ask.
    NothingToAsk,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(why) => write!(f, "unreachable: {why}"),
            Self::Stopped(refusal) => write!(f, "stopped: {refusal}"),
            Self::Incomplete(gap) => write!(f, "answer incomplete: {gap}"),
            Self::Refused(refusal) => write!(f, "refused: {refusal}"),
            Self::Unaskable(error) => error.fmt(f),
            Self::NothingToAsk => f.write_str("no port has a link-address or Remote-ID to ask by"),
        }
    }
}

/// Whom to ask what, and in which epoch.
pub(super) struct Plan {
    pub(super) server: ServerId,
    pub(super) method: Method,
    pub(super) inquiries: Vec<Inquiry>,
    pub(super) epoch: u64,
    pub(super) asker: Asker,
    pub(super) data_timeout: std::time::Duration,
}

impl Attempt {
    pub(super) fn new(plan: Plan, chance: &mut Chance, now: Instant) -> Self {
        let Plan { server, method, inquiries, epoch, asker, data_timeout } = plan;
        Self {
            server,
            method,
            epoch,
            began: now,
            connection: BulkConnection::new(asker, chance, now).with_data_timeout(data_timeout),
            waiting: inquiries.into(),
            course: Course::default(),
        }
    }

    /// Which server.
    pub fn server(&self) -> ServerId {
        self.server
    }

    /// There is a connection: ask.
    pub fn connected(&mut self, now: Instant) {
        self.ask_more(now);
    }

    /// There is none.
    pub fn unreachable(&mut self, why: String) {
        self.course.trouble.get_or_insert(Why::Unreachable(why));
    }

    /// What waits to be sent.
    pub fn output(&self) -> &[u8] {
        self.connection.output()
    }

    /// So many octets of the output have been sent.
    pub fn wrote(&mut self, octets: usize, now: Instant) {
        self.connection.wrote(octets, now);
    }

    /// Takes octets as they came, cut anywhere, and has every client `heard` that they tell of.
    pub fn receive(&mut self, octets: &[u8], now: Instant, heard: &mut impl FnMut(&ClientData<'_>)) {
        let Self { connection, course, .. } = self;
        connection.receive(octets, now, &mut |event| course.note(event, &mut *heard));
        self.ask_more(now);
    }

    /// The server will send nothing more.
    pub fn peer_closed(&mut self) {
        let Self { connection, course, .. } = self;
        connection.peer_closed(&mut |event| course.note(event, |_| ()));
        self.ask_no_more(Why::Incomplete(Gap::Closed));
    }

    /// When to call [`Self::tick`] if nothing happens before.
    pub fn next_deadline(&self) -> Option<Deadline<Gap>> {
        self.connection.next_deadline()
    }

    /// Gives up if the server has been silent or blocked for too long.
    pub fn tick(&mut self, now: Instant) {
        let Self { connection, course, .. } = self;
        connection.tick(now, &mut |event| course.note(event, |_| ()));
    }

    /// Whether it is over: the connection is to be closed, and the attempt handed back.
    pub fn is_over(&self) -> bool {
        let no_more = self.waiting.is_empty() || self.course.trouble.is_some();
        self.connection.ended().is_some() || (self.course.open.is_empty() && no_more)
    }

    /// How much has come in.
    pub fn counters(&self) -> Counters {
        self.connection.counters()
    }

    /// Whether the server closed, but not before it had settled some question: then the others follow
    /// on a new connection at once.
    pub(super) fn made_progress_until_closed(&self) -> bool {
        let settled = !(self.course.answered.is_empty() && self.course.declined.is_empty());
        settled && self.course.trouble == Some(Why::Incomplete(Gap::Closed))
    }

    fn ask_more(&mut self, now: Instant) {
        if let Some(gap) = self.connection.ended() {
            return self.ask_no_more(Why::Incomplete(gap));
        }
        while self.course.trouble.is_none() && self.course.open.len() < QUESTIONS_AT_ONCE {
            let Some(inquiry) = self.waiting.pop_front() else { return };
            match self.connection.ask(&inquiry.question, now) {
                Ok(id) => drop(self.course.open.insert(id, inquiry)),
                Err(error) => self.course.trouble = Some(Why::Unaskable(error)),
            }
        }
    }

    /// What still waits will not be asked here.
    fn ask_no_more(&mut self, why: Why) {
        if !self.waiting.is_empty() {
            self.course.trouble.get_or_insert(why);
        }
    }
}

impl Course {
    fn note(&mut self, event: Event<'_>, mut heard: impl FnMut(&ClientData<'_>)) {
        match event {
            Event::Client { client, .. } => heard(client),
            Event::Finished { query, outcome } => {
                if let Some(inquiry) = self.open.remove(&query) {
                    self.settle(inquiry.about, outcome);
                }
            }
        }
    }

    fn settle(&mut self, about: About, outcome: Outcome) {
        let trouble = match outcome {
            Outcome::Done | Outcome::Empty => return self.answered.push(about),
            Outcome::Refused(refusal) if is_final(&refusal) => return self.declined.push((about, refusal)),
            Outcome::Refused(refusal) | Outcome::Partial(refusal) => Why::Stopped(refusal),
            Outcome::Incomplete(gap) => Why::Incomplete(gap),
        };
        self.trouble.get_or_insert(trouble);
    }
}

/// Whether asking the same once more would bring the same (RFC 5007 §4.3.3).
fn is_final(refusal: &Refusal) -> bool {
    refusal.suggests_another_server() || refusal.blames_the_question()
}
