//! The octets of the test vectors, and a scripted conversation to feed them into.
#![allow(dead_code, reason = "every test file takes what it needs")]

use std::time::Duration;

use requestor::{Asker, BulkConnection, ClientRecord, Event, Outcome, Question};
use wire::{ClientMessage, Duid, MessageType, OptionCode, TransactionId, Writer};
use world::{Chance, Instant};

pub(crate) const V1_MIN: &str = "00350e00 a0010001 000a0003 00010200 0000aa01 002c001f 03000000 00000000
    00000000 00000000 00003500 0a000300 01020000 00aa01";
pub(crate) const V2: &str = "00770f00 a0010001 000a0003 00010200 0000aa01 0002000e 00020000 7ed90cc0
    84d30300 0912002d 004f0001 000a0003 00010200 00000101 00050018 20010db8
    00010000 00000000 00000100 000004b0 00000708 001a0019 000004b0 00000708
    3820010d b8f00001 00000000 00000000 00002e00 04000002 58";
pub(crate) const V3: &str = "00991100 a001002d 00910001 000a0003 00010200 00000102 001a0019 00000000
    0000012c 3820010d b8f00002 00000000 00000000 00002e00 0400000c e4002f00
    5a20010d b8ffff00 00000000 00000000 010c0020 010db800 01000000 00000000
    000001fe 80000000 00000002 0000fffe 00010200 12000867 652d302f 302f3700
    25000a00 007ed970 6f72742d 37003500 0a000300 01020000 00aa01";
pub(crate) const V4: &str = "00041000 a001";
pub(crate) const V5: &str =
    "00240f00 a0020001 000a0003 00010200 0000aa01 0002000e 00020000 7ed90cc0 84d30300 0912";
pub(crate) const V6: &str = "00360f00 a0030001 000a0003 00010200 0000aa01 0002000e 00020000 7ed90cc0
    84d30300 0912000d 000e0009 6e6f2073 75636820 6c696e6b";
pub(crate) const V7: &str = "00171000 a001000d 000f000b 73687574 74696e67 20646f77 6e";
pub(crate) const V8: &str = "00430e00 a0040001 000a0003 00010200 0000aa01 002c002d 01000000 00000000
    00000000 00000000 00000500 1820010d b8f00001 23000000 00000000 05000000 00000000 00";
pub(crate) const V9: &str = "00350e00 a0050001 000a0003 00010200 0000aa01 002c001f 0520010d b8000100
    00000000 00000000 01002500 0a00007e d9706f72 742d37";
pub(crate) const V10: &str = "00270e00 a0060001 000a0003 00010200 0000aa01 002c0011 0420010d b8000100
    00000000 00000000 01";
pub(crate) const V11: &str = "0f00a007 0001000a 00030001 02000000 aa010002 000e0002 00007ed9 0cc084d3
    03000912 00300020 20010db8 00010000 00000000 00000000 20010db8 00020000 00000000 00000000";

pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

/// The frame with another transaction id.
pub(crate) fn frame(text: &str, id: TransactionId) -> Vec<u8> {
    let mut octets = hex(text);
    octets[3..6].copy_from_slice(&id.octets());
    octets
}

/// The datagram with another transaction id.
pub(crate) fn datagram(text: &str, id: TransactionId) -> Vec<u8> {
    let mut octets = hex(text);
    octets[1..4].copy_from_slice(&id.octets());
    octets
}

pub(crate) fn duid(text: &str) -> Duid {
    text.parse().unwrap()
}

pub(crate) fn relay() -> Duid {
    duid("0003000102000000aa01")
}

pub(crate) fn client(number: u8) -> Duid {
    Duid::new(&[0, 3, 0, 1, 2, 0, 0, 0, 1, number]).unwrap()
}

pub(crate) fn asker() -> Asker {
    Asker { client_id: relay(), server_id: None }
}

pub(crate) fn server_id() -> Duid {
    duid("000200007ed90cc084d303000912")
}

pub(crate) fn at(secs: u64) -> Instant {
    Instant::since_start(Duration::from_secs(secs))
}

/// A framed message of this type with these options.
pub(crate) fn message(
    kind: MessageType,
    id: TransactionId,
    options: impl FnOnce(&mut Writer<'_>),
) -> Vec<u8> {
    let mut out = Vec::new();
    wire::write_frame(&mut out, |w| ClientMessage::write(w, kind, id, options)).unwrap();
    out
}

/// A framed LEASEQUERY-REPLY to us with these options.
pub(crate) fn reply(id: TransactionId, options: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    message(MessageType::LeaseQueryReply, id, |w| {
        w.raw_option(OptionCode::CLIENTID, relay().octets());
        w.raw_option(OptionCode::SERVERID, server_id().octets());
        options(w);
    })
}

pub(crate) fn data(id: TransactionId, options: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    message(MessageType::LeaseQueryData, id, options)
}

pub(crate) fn done(id: TransactionId) -> Vec<u8> {
    message(MessageType::LeaseQueryDone, id, |_| ())
}

pub(crate) fn status(w: &mut Writer<'_>, code: u16) {
    w.option(OptionCode::STATUS_CODE, |w| w.u16(code));
}

/// A CLIENT_DATA with this client, this CLT_TIME and whatever else.
pub(crate) fn client_data(w: &mut Writer<'_>, number: u8, clt: u32, more: impl FnOnce(&mut Writer<'_>)) {
    w.option(OptionCode::CLIENT_DATA, |w| {
        w.raw_option(OptionCode::CLIENTID, client(number).octets());
        w.option(OptionCode::CLT_TIME, |w| w.u32(clt));
        more(w);
    });
}

/// An address that ends in this number.
pub(crate) fn address(number: u16) -> std::net::Ipv6Addr {
    std::net::Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, number)
}

/// What a conversation brought, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seen {
    Client(TransactionId, ClientRecord),
    Finished(TransactionId, Outcome),
}

impl Seen {
    fn record(&self) -> Option<&ClientRecord> {
        match self {
            Self::Client(_, record) => Some(record),
            Self::Finished(..) => None,
        }
    }

    fn outcome(&self) -> Option<&Outcome> {
        match self {
            Self::Finished(_, outcome) => Some(outcome),
            Self::Client(..) => None,
        }
    }
}

/// Keeps events with the time at which they were received.
pub(crate) fn keep(log: &mut Vec<Seen>, now: Instant) -> impl FnMut(Event<'_>) {
    move |event| {
        log.push(match event {
            Event::Client { query, client } => Seen::Client(query, ClientRecord::new(client, now)),
            Event::Finished { query, outcome } => Seen::Finished(query, outcome),
        });
    }
}

/// A connection and what it brought.
pub(crate) struct Talk {
    pub(crate) connection: BulkConnection,
    pub(crate) log: Vec<Seen>,
}

impl Talk {
    pub(crate) fn begin() -> Self {
        let connection = BulkConnection::new(asker(), &mut Chance::from_seed(1), at(0));
        Self { connection, log: Vec::new() }
    }

    /// A connection on which one question has been asked and sent.
    pub(crate) fn asked() -> (Self, TransactionId) {
        let mut talk = Self::begin();
        let id = talk.ask();
        (talk, id)
    }

    pub(crate) fn ask(&mut self) -> TransactionId {
        let id = self.connection.ask(&Question::by_relay(relay()), at(0)).unwrap();
        self.connection.wrote(self.connection.output().len(), at(0));
        id
    }

    pub(crate) fn hear(&mut self, octets: &[u8]) -> &mut Self {
        self.hear_at(octets, at(0))
    }

    pub(crate) fn hear_at(&mut self, octets: &[u8], now: Instant) -> &mut Self {
        self.connection.receive(octets, now, &mut keep(&mut self.log, now));
        self
    }

    pub(crate) fn close(&mut self) -> &mut Self {
        self.connection.peer_closed(&mut keep(&mut self.log, at(0)));
        self
    }

    pub(crate) fn tick(&mut self, now: Instant) -> &mut Self {
        self.connection.tick(now, &mut keep(&mut self.log, now));
        self
    }

    pub(crate) fn clients(&self) -> Vec<&ClientRecord> {
        self.log.iter().filter_map(Seen::record).collect()
    }

    pub(crate) fn leases(&self) -> usize {
        self.clients().iter().map(|client| client.leases.len()).sum()
    }

    pub(crate) fn outcomes(&self) -> Vec<&Outcome> {
        self.log.iter().filter_map(Seen::outcome).collect()
    }
}
