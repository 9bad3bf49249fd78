//! One question over UDP (RFC 5007 §4.3).
//!
//! The question is sent again and again until an answer comes or patience ends. If the answer is a
//! list of links on which the client holds leases, the question is asked once for each of them, one
//! after the other, and all that comes is the answer to the one question asked.

use std::collections::VecDeque;
use std::fmt;
use std::net::Ipv6Addr;

use wire::{ClientMessage, MessageType, OptionCode, TransactionId, Writer};
use world::{Chance, Deadline, Instant};

use crate::answer::Answer;
use crate::bulk::Counters;
use crate::event::{Event, Gap, Outcome, Refusal};
use crate::limits::{MAX_CLIENT_LINKS, MAX_QUESTIONS};
use crate::question::{Asker, Question};
use crate::retransmit::{Attempts, Retransmission};
use crate::warning::{Warning, Warnings};

/// Why a question cannot be asked over UDP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatagramError {
    /// Questions by relay, link and Remote-ID are for TCP alone (RFC 5460 §3).
    OnlyOverTcp,
    /// The question does not fit into a message.
    TooLong,
}

impl fmt::Display for DatagramError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OnlyOverTcp => "only questions by address and by client can be asked over UDP",
            Self::TooLong => "the question does not fit into a message",
        })
    }
}

impl std::error::Error for DatagramError {}

/// The state of one question.
#[derive(Debug)]
pub struct DatagramQuery {
    asker: Asker,
    question: Question,
    chance: Chance,
    first: TransactionId,
    exchange: Option<Exchange>,
    links: VecDeque<Ipv6Addr>,
    asking_links: bool,
    gathered: Gathered,
    warnings: Warnings,
    counters: Counters,
}

/// One LEASEQUERY and its retransmissions.
#[derive(Debug)]
struct Exchange {
    id: TransactionId,
    octets: Vec<u8>,
    attempts: Attempts,
}

/// What the exchanges so far have come to.
#[derive(Debug, Default)]
struct Gathered {
    any_client: bool,
    trouble: Option<Outcome>,
}

impl DatagramQuery {
    /// A question to be asked, beginning now.
    pub fn new(
        question: Question,
        asker: Asker,
        mut chance: Chance,
        now: Instant,
    ) -> Result<Self, DatagramError> {
        if question.query_type().is_bulk_only() {
            return Err(DatagramError::OnlyOverTcp);
        }
        let exchange = Exchange::new(&question, &asker, &mut chance, now)?;
        Ok(Self {
            asker,
            question,
            chance,
            first: exchange.id,
            exchange: Some(exchange),
            links: VecDeque::new(),
            asking_links: false,
            gathered: Gathered::default(),
            warnings: Warnings::default(),
            counters: Counters::default(),
        })
    }

    /// The number by which events name the question.
    pub fn id(&self) -> TransactionId {
        self.first
    }

    /// When to call [`Self::tick`]; `None` once the question has been answered or given up.
    pub fn next_deadline(&self) -> Option<Deadline<Gap>> {
        self.exchange.as_ref().map(|exchange| Deadline { at: exchange.attempts.next(), why: Gap::Silent })
    }

    /// The datagram that is to be sent now, if one is; tells `sink` when patience ends.
    pub fn tick(&mut self, now: Instant, sink: &mut impl FnMut(Event<'_>)) -> Option<&[u8]> {
        let due = |exchange: &Exchange| exchange.attempts.next() <= now;
        if !self.exchange.as_ref().is_some_and(due) {
            return None;
        }
        if self.exchange.as_mut()?.attempts.send(now, &mut self.chance) {
            return self.exchange.as_ref().map(|exchange| exchange.octets.as_slice());
        }
        self.conclude(Some(Outcome::Incomplete(Gap::Silent)), now, sink);
        None
    }

    /// Takes a datagram that came from the server.
    pub fn receive(&mut self, octets: &[u8], now: Instant, sink: &mut impl FnMut(Event<'_>)) {
        self.counters.octets += octets.len() as u64;
        self.counters.messages += 1;
        match ClientMessage::decode(octets) {
            Ok(message) if message.message_type == MessageType::LeaseQueryReply => {
                self.reply(&message, now, sink);
            }
            Ok(message) if message.message_type == MessageType::LeaseQuery => {
                self.warnings.add(Warning::QueryReceived);
            }
            _ => self.warnings.add(Warning::Undecodable),
        }
    }

    fn reply(&mut self, message: &ClientMessage<'_>, now: Instant, sink: &mut impl FnMut(Event<'_>)) {
        let answer = Answer::gather(message.options);
        let is_ours = |exchange: &Exchange| exchange.id == message.transaction_id;
        if let Some(reason) = answer.reason_to_discard(&self.asker) {
            return self.warnings.add(reason);
        }
        if !self.exchange.as_ref().is_some_and(is_ours) {
            return self.warnings.add(Warning::ReplyToNoQuestion);
        }
        if let Some(status) = answer.error(&mut self.warnings) {
            return self.conclude(Some(Outcome::Refused(Refusal::new(status))), now, sink);
        }
        if answer.has_client() {
            self.clients(&answer, sink);
        }
        if answer.client_links.is_some() {
            self.note_links(message);
        }
        self.conclude(None, now, sink);
    }

    fn clients(&mut self, answer: &Answer<'_>, sink: &mut impl FnMut(Event<'_>)) {
        let asked = self.question.requests(OptionCode::LQ_RELAY_DATA);
        let Self { first, gathered, counters, warnings, .. } = self;
        gathered.any_client = true;
        answer.for_each_client(asked, warnings, |client| {
            counters.clients += 1;
            counters.bindings += client.lease_count as u64;
            sink(Event::Client { query: *first, client });
        });
    }

    /// The client is on these links; a server that names links when asked about one is ignored.
    fn note_links(&mut self, message: &ClientMessage<'_>) {
        let links = message.options.client_links().ok().flatten();
        let Some(links) = links.filter(|_| !self.asking_links) else {
            return self.warnings.add(Warning::ClientLinkIgnored);
        };
        self.asking_links = true;
        for link in links.iter() {
            if self.links.contains(&link) {
                continue;
            }
            if self.links.len() == MAX_CLIENT_LINKS {
                self.gathered.trouble.get_or_insert(Outcome::Incomplete(Gap::TooManyLinks));
                return self.warnings.add(Warning::TooManyClientLinks);
            }
            self.links.push_back(link);
        }
    }

    /// One exchange is over: asks about the next link, or tells how it all went.
    fn conclude(&mut self, trouble: Option<Outcome>, now: Instant, sink: &mut impl FnMut(Event<'_>)) {
        if let Some(trouble) = trouble {
            self.gathered.trouble.get_or_insert(trouble);
        }
        self.exchange = self.next_link(now);
        if self.exchange.is_none() {
            let outcome = self.gathered.outcome();
            sink(Event::Finished { query: self.first, outcome });
        }
    }

    fn next_link(&mut self, now: Instant) -> Option<Exchange> {
        while let Some(link) = self.links.pop_front() {
            if let Ok(question) = self.question.clone().on_link(link) {
                return Exchange::new(&question, &self.asker, &mut self.chance, now).ok();
            }
        }
        None
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

impl Exchange {
    fn new(
        question: &Question,
        asker: &Asker,
        chance: &mut Chance,
        now: Instant,
    ) -> Result<Self, DatagramError> {
        let id = TransactionId::from_number(chance.below(MAX_QUESTIONS.into()) as u32);
        let mut octets = Vec::new();
        let mut writer = Writer::new(&mut octets);
        question.write(&mut writer, id, asker);
        writer.finish().map_err(|_| DatagramError::TooLong)?;
        Ok(Self { id, octets, attempts: Attempts::new(Retransmission::LEASEQUERY, now) })
    }
}

impl Gathered {
    fn outcome(&mut self) -> Outcome {
        match (self.trouble.take(), self.any_client) {
            (Some(Outcome::Refused(refusal)), true) => Outcome::Partial(refusal),
            (Some(trouble), _) => trouble,
            (None, true) => Outcome::Done,
            (None, false) => Outcome::Empty,
        }
    }
}
