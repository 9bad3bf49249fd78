//! A requestor that keeps to nothing: wrong messages, wrong frames, half of one and then silence; it reads slowly, or
//! not at all, and leaves when it likes. It has one connection at a time.

use std::time::Duration;

use requestor::Asker;
use wire::leasequery::QueryType;
use wire::{ClientMessage, MessageType, OptionCode, SERVER_PORT, TransactionId, Writer};
use world::{Chance, Instant};

use super::curiosity::Curiosity;
use super::{INTERFACE, server_address};
use crate::plan::{RequestorPlan, addresses, between, happens, one_of};
use crate::universe::{Datagram, Ending, Outbox, Outgoing, StreamId};

/// How long it stays at most: longer than anybody's patience with it.
const STAY_SECS: [u64; 4] = [1, 10, 60, 400];
/// From where it asks over UDP.
const PORT: u16 = 10_000;
/// Message types that a server does not expect on a stream.
const WRONG_TYPES: [MessageType; 5] = [
    MessageType::LeaseQueryReply,
    MessageType::LeaseQueryData,
    MessageType::LeaseQueryDone,
    MessageType::Solicit,
    MessageType::RelayForward,
];

/// What it does.
#[derive(Debug)]
pub(super) struct Odd {
    number: usize,
    pause: Duration,
    questions: u64,
    curiosity: Curiosity,
    chance: Chance,
    talk: Option<Talk>,
    act_at: Instant,
}

/// The connection that it has.
#[derive(Debug)]
struct Talk {
    stream: StreamId,
    out: Vec<u8>,
    written: usize,
    reading: Reading,
    reads: bool,
    looks_at: Option<Instant>,
    half_closes: bool,
    leaves_at: Instant,
}

/// How it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    Always,
    Now,
    Never,
}

impl Odd {
    pub(super) fn new(
        number: usize,
        plan: &RequestorPlan,
        curiosity: Curiosity,
        chance: Chance,
        now: Instant,
    ) -> Self {
        let (pause, questions) = (plan.pause, plan.questions_at_once);
        Self { number, pause, questions, curiosity, chance, talk: None, act_at: now + pause }
    }

    fn act(&mut self, now: Instant, out: &mut Outbox) {
        let server = server_address(self.chance.below(self.curiosity.servers as u64) as usize);
        if self.talk.is_some() || happens(&mut self.chance, 1, 3) {
            let destination = server;
            let (source_port, destination_port) = (PORT, SERVER_PORT);
            let octets = self.datagram();
            return out.send(Outgoing {
                interface: INTERFACE,
                source_port,
                destination,
                destination_port,
                octets,
            });
        }
        let stream = out.dial(addresses::requestor(self.number), server);
        let stay = Duration::from_secs(one_of(&mut self.chance, &STAY_SECS));
        self.talk = Some(Talk {
            stream,
            out: self.octets(),
            written: 0,
            reading: one_of(&mut self.chance, &[Reading::Always, Reading::Now, Reading::Never]),
            reads: true,
            looks_at: None,
            half_closes: happens(&mut self.chance, 1, 4),
            leaves_at: now + stay,
        });
    }

    fn datagram(&mut self) -> Vec<u8> {
        let message = self.message();
        match self.chance.below(6) {
            0 => framed(&message),
            1 => relayed(&message, addresses::requestor(self.number)),
            _ => message,
        }
    }

    /// All that it says on a connection.
    fn octets(&mut self) -> Vec<u8> {
        let mut octets = Vec::new();
        for _ in 0..between(&mut self.chance, 0, self.questions) {
            let frame = self.frame();
            octets.extend(frame);
        }
        octets
    }

    fn frame(&mut self) -> Vec<u8> {
        let message = self.message();
        let mut frame = framed(&message);
        match self.chance.below(16) {
            // Half of a frame.
            0 => frame.truncate(between(&mut self.chance, 0, frame.len() as u64) as usize),
            // A size that no message has.
            1 => frame[..2].copy_from_slice(&[0, self.chance.below(4) as u8]),
            // One octet that is another.
            2 => {
                let at = self.chance.below(frame.len() as u64) as usize;
                frame[at] ^= 1 << self.chance.below(8);
            }
            _ => {}
        }
        frame
    }

    fn message(&mut self) -> Vec<u8> {
        let id = self.transaction_id();
        match self.chance.below(20) {
            0 => (0..between(&mut self.chance, 4, 60)).map(|_| self.chance.below(256) as u8).collect(),
            1 => self.bare(MessageType::ActiveLeaseQuery, id),
            2 => self.bare(MessageType::StartTls, id),
            3 => {
                let kind = one_of(&mut self.chance, &WRONG_TYPES);
                self.bare(kind, id)
            }
            4..=8 => self.malformed(id),
            _ => self.question(id),
        }
    }

    /// Few different ones: they meet.
    fn transaction_id(&mut self) -> TransactionId {
        let number =
            if happens(&mut self.chance, 1, 2) { self.chance.below(2) } else { self.chance.below(1 << 24) };
        TransactionId::from_number(number as u32)
    }

    /// A question as good as anybody's, perhaps as large as a message can be.
    fn question(&mut self, id: TransactionId) -> Vec<u8> {
        let question = self.curiosity.question(&mut self.chance);
        let server_id = addresses::server_id(0);
        let server_id = happens(&mut self.chance, 1, 4).then_some(server_id);
        let asker = Asker { client_id: addresses::requestor_id(self.number), server_id };
        let is_large = happens(&mut self.chance, 1, 10);
        written(|w| {
            question.write(w, id, &asker);
            if is_large {
                let rest = wire::limits::MAX_MESSAGE_OCTETS - w.len() - 4;
                w.raw_option(OptionCode(65_000), &vec![0; rest]);
            }
        })
    }

    fn bare(&self, kind: MessageType, id: TransactionId) -> Vec<u8> {
        let requestor = addresses::requestor_id(self.number);
        written(|w| {
            ClientMessage::write(w, kind, id, |w| w.raw_option(OptionCode::CLIENTID, requestor.octets()))
        })
    }

    /// A LEASEQUERY that lacks something, has it twice, or names what there is not.
    fn malformed(&mut self, id: TransactionId) -> Vec<u8> {
        let requestor = addresses::requestor_id(self.number);
        let query_type = QueryType(self.chance.below(8) as u8);
        let defects = self.chance.next_u64();
        let has = |bit: u32| defects >> bit & 1 == 1;
        let duid = addresses::client_id(0);
        let query = |w: &mut Writer<'_>| {
            w.option(OptionCode::LQ_QUERY, |w| {
                w.u8(query_type.0);
                if has(0) && has(1) {
                    return;
                }
                w.address(std::net::Ipv6Addr::UNSPECIFIED);
                let times = if has(2) { 1 } else { 2 };
                for _ in 0..times {
                    match defects >> 8 & 7 {
                        0 => w.raw_option(OptionCode::CLIENTID, duid.octets()),
                        1 => w.raw_option(OptionCode::CLIENTID, &[0]),
                        2 => w.raw_option(OptionCode::IAADDR, &[0; 10]),
                        3 => w.raw_option(OptionCode::RELAY_ID, duid.octets()),
                        4 => w.raw_option(OptionCode::REMOTE_ID, &[0, 0, 0, 9]),
                        5 => w.raw_option(OptionCode::ORO, &[0]),
                        6 => w.bytes(&[0, 1, 0]),
                        _ => {}
                    }
                }
            });
        };
        written(|w| {
            ClientMessage::write(w, MessageType::LeaseQuery, id, |w| {
                if has(3) || has(4) {
                    w.raw_option(OptionCode::CLIENTID, requestor.octets());
                }
                if has(5) && has(6) {
                    w.raw_option(OptionCode::SERVERID, requestor.octets());
                }
                if has(16) || has(17) {
                    query(w);
                }
                if has(18) && has(19) {
                    query(w);
                }
            });
        })
    }
}

/// What the universe does with it.
impl Odd {
    pub(super) fn receive(&mut self, _datagram: &Datagram, _now: Instant, _out: &mut Outbox) {}

    pub(super) fn wake(&mut self, now: Instant, out: &mut Outbox) {
        if self.talk.as_ref().is_some_and(|talk| talk.leaves_at <= now) {
            self.talk = None;
        }
        if let Some(talk) = self.talk.as_mut().filter(|talk| talk.looks_at.is_some_and(|at| at <= now)) {
            (talk.looks_at, talk.reads) = (None, true);
        }
        if self.act_at <= now {
            self.act_at = now + self.pause;
            self.act(now, out);
        }
    }

    pub(super) fn deadline(&self) -> Instant {
        let of_talk = self.talk.iter().flat_map(|talk| [Some(talk.leaves_at), talk.looks_at]).flatten();
        of_talk.fold(self.act_at, Instant::min)
    }

    pub(super) fn connected(&mut self, _stream: StreamId, _now: Instant, _out: &mut Outbox) {}

    pub(super) fn wants_octets(&self, stream: StreamId) -> bool {
        self.its(stream).is_some_and(|talk| talk.reads && talk.reading != Reading::Never)
    }

    pub(super) fn hear(&mut self, stream: StreamId, _octets: &[u8], now: Instant, _out: &mut Outbox) {
        let pause = Duration::from_millis(between(&mut self.chance, 1, 20_000));
        if let Some(talk) = self.talk.as_mut().filter(|talk| talk.stream == stream)
            && talk.reading == Reading::Now
        {
            (talk.reads, talk.looks_at) = (false, Some(now + pause));
        }
    }

    pub(super) fn ended(&mut self, stream: StreamId, ending: Ending, _now: Instant, _out: &mut Outbox) {
        let stays = ending == Ending::Closed && happens(&mut self.chance, 1, 2);
        if !stays && self.its(stream).is_some() {
            self.talk = None;
        }
    }

    pub(super) fn output(&self, stream: StreamId) -> &[u8] {
        self.its(stream).map_or(&[], |talk| &talk.out[talk.written..])
    }

    pub(super) fn wrote(&mut self, stream: StreamId, octets: usize, _now: Instant) {
        if let Some(talk) = self.talk.as_mut().filter(|talk| talk.stream == stream) {
            talk.written += octets;
        }
    }

    pub(super) fn wants_half_close(&self, stream: StreamId) -> bool {
        self.its(stream).is_some_and(|talk| talk.half_closes && talk.written == talk.out.len())
    }

    pub(super) fn wants_close(&self, stream: StreamId) -> bool {
        self.its(stream).is_none()
    }

    fn its(&self, stream: StreamId) -> Option<&Talk> {
        self.talk.as_ref().filter(|talk| talk.stream == stream)
    }
}

fn written(write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut writer = Writer::new(&mut octets);
    write(&mut writer);
    writer.finish().expect("no longer than a message can be");
    octets
}

fn framed(message: &[u8]) -> Vec<u8> {
    let size = u16::try_from(message.len()).expect("no longer than a message can be");
    [&size.to_be_bytes(), message].concat()
}

fn relayed(message: &[u8], link_address: std::net::Ipv6Addr) -> Vec<u8> {
    let message = &message[..message.len().min(1_000)];
    written(|w| {
        w.u8(MessageType::RelayForward as u8);
        w.u8(0);
        w.address(link_address);
        w.address(link_address);
        w.raw_option(OptionCode::RELAY_MSG, message);
    })
}
