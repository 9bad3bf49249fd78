//! A relay with two ports that asks servers which say what a scenario has them say.

use std::net::Ipv6Addr;
use std::time::Duration;

use relay::recovery::{Attempt, Next, Phase, Recovery, Source, Summary, Terms, Unplaced};
use relay::{Delegation, Port, PortRules, Ports, RemoteId, ServerId};
use wire::{ClientMessage, Duid, MessageType, OptionCode, TransactionId, Writer};
use world::{Chance, Instant};

pub(super) const A: ServerId = ServerId(0);
pub(super) const B: ServerId = ServerId(1);

/// Statuses that servers refuse with.
pub(super) const UNSPEC_FAIL: u16 = 1;
pub(super) const UNKNOWN_QUERY_TYPE: u16 = 7;
pub(super) const NOT_CONFIGURED: u16 = 9;
pub(super) const NOT_ALLOWED: u16 = 10;
pub(super) const QUERY_TERMINATED: u16 = 11;

pub(super) fn own_duid() -> Duid {
    "00:03:00:01:02:00:00:00:aa:01".parse().unwrap()
}

pub(super) fn other_duid() -> Duid {
    "00:03:00:01:02:00:00:00:aa:02".parse().unwrap()
}

pub(super) fn address(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

pub(super) fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

pub(super) fn port(number: u16) -> Port {
    let link_address = Ipv6Addr::new(0x2001, 0xdb8, number, 0, 0, 0, 0, 1);
    Port {
        index: number.into(),
        name: format!("eth{number}"),
        interface_id: format!("ge-0/0/{number}").into_bytes().into(),
        link_address,
        addresses: vec![link_address, address("fe80::1")],
        remote_id: Some(RemoteId { enterprise: 32_473, value: format!("port-{number}").as_bytes().into() }),
        subscriber_id: None,
        rules: PortRules::default(),
    }
}

pub(super) fn usual_ports() -> Ports {
    let mut ports = Ports::default();
    ports.update(vec![port(7), port(8)]);
    ports
}

pub(super) fn usual_terms() -> Terms {
    Terms::new(own_duid(), vec![true, true])
}

/// A level of a relay path. Without an Interface-ID or Relay-ID if they are empty.
#[derive(Debug)]
pub(super) struct Hop {
    pub(super) link: &'static str,
    pub(super) peer: &'static str,
    pub(super) interface_id: &'static str,
    pub(super) relay_id: Option<Duid>,
}

/// What this relay wrote for a client on the port `ge-0/0/7`.
pub(super) fn own_hop() -> Hop {
    Hop { link: "2001:db8:7::1", peer: "fe80::c", interface_id: "ge-0/0/7", relay_id: Some(own_duid()) }
}

fn write_path(w: &mut Writer<'_>, hops: &[Hop]) {
    let (hop, inside) = hops.split_first().unwrap();
    w.u8(12);
    w.u8(inside.len() as u8);
    w.address(address(hop.link));
    w.address(address(hop.peer));
    if !hop.interface_id.is_empty() {
        w.raw_option(OptionCode::INTERFACE_ID, hop.interface_id.as_bytes());
    }
    if let Some(relay_id) = &hop.relay_id {
        w.raw_option(OptionCode::RELAY_ID, relay_id.octets());
    }
    if !inside.is_empty() {
        w.option(OptionCode::RELAY_MSG, |w| write_path(w, inside));
    }
}

/// CLIENT_DATA: heard 10 s ago along this path, the relay nearest to the server first, and with these
/// leases.
pub(super) fn client_data(
    w: &mut Writer<'_>,
    number: u16,
    path: &[Hop],
    leases: impl FnOnce(&mut Writer<'_>),
) {
    client_data_of_age(w, 10, number, path, leases);
}

/// The same, with another CLT_TIME.
pub(super) fn client_data_of_age(
    w: &mut Writer<'_>,
    clt_time: u32,
    number: u16,
    path: &[Hop],
    leases: impl FnOnce(&mut Writer<'_>),
) {
    w.option(OptionCode::CLIENT_DATA, |w| {
        w.option(OptionCode::CLIENTID, |w| {
            w.bytes(&[0, 3, 0, 1, 2, 0, 0, 0]);
            w.u16(number);
        });
        w.option(OptionCode::CLT_TIME, |w| w.u32(clt_time));
        leases(w);
        if !path.is_empty() {
            w.option(OptionCode::LQ_RELAY_DATA, |w| {
                w.address(address("2001:db8:ffff::9"));
                write_path(w, path);
            });
        }
    });
}

/// 3fff:NUMBER::/48, for 300 s.
pub(super) fn lease(w: &mut Writer<'_>, number: u16) {
    w.option(OptionCode::IAPREFIX, |w| {
        w.u32(200);
        w.u32(300);
        w.u8(48);
        w.address(Ipv6Addr::new(0x3fff, number, 0, 0, 0, 0, 0, 0));
    });
}

pub(super) fn prefix(number: u16) -> wire::Prefix {
    format!("3fff:{number:x}::/48").parse().unwrap()
}

pub(super) fn message(
    kind: MessageType,
    id: TransactionId,
    options: impl FnOnce(&mut Writer<'_>),
) -> Vec<u8> {
    let mut out = Vec::new();
    wire::write_frame(&mut out, |w| ClientMessage::write(w, kind, id, options)).unwrap();
    out
}

/// LEASEQUERY-REPLY to us with these options.
pub(super) fn reply(id: TransactionId, options: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    message(MessageType::LeaseQueryReply, id, |w| {
        w.raw_option(OptionCode::CLIENTID, own_duid().octets());
        w.raw_option(OptionCode::SERVERID, &[0, 2, 0, 0, 0x7e, 0xd9, 1]);
        options(w);
    })
}

pub(super) fn empty(id: TransactionId) -> Vec<u8> {
    reply(id, |_| ())
}

pub(super) fn refusal(id: TransactionId, code: u16) -> Vec<u8> {
    reply(id, |w| w.option(OptionCode::STATUS_CODE, |w| w.u16(code)))
}

/// LEASEQUERY-REPLY with this client of ours, who has the prefix of the same number.
pub(super) fn first(id: TransactionId, number: u16) -> Vec<u8> {
    reply(id, |w| client_data(w, number, &[own_hop()], |w| lease(w, number)))
}

/// LEASEQUERY-DATA with another one.
pub(super) fn more(id: TransactionId, number: u16) -> Vec<u8> {
    message(MessageType::LeaseQueryData, id, |w| {
        client_data(w, number, &[own_hop()], |w| lease(w, number));
    })
}

pub(super) fn done(id: TransactionId) -> Vec<u8> {
    message(MessageType::LeaseQueryDone, id, |_| ())
}

pub(super) fn terminated(id: TransactionId) -> Vec<u8> {
    message(MessageType::LeaseQueryDone, id, |w| {
        w.option(OptionCode::STATUS_CODE, |w| w.u16(QUERY_TERMINATED));
    })
}

/// A LEASEQUERY as it was sent: its transaction id, and the inside of LQ_QUERY.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Query {
    pub(super) id: TransactionId,
    pub(super) client_id: Duid,
    pub(super) kind: u8,
    pub(super) link: Ipv6Addr,
    pub(super) octets: Vec<u8>,
}

/// A relay that recovers.
pub(super) struct Scene {
    pub(super) recovery: Recovery,
    pub(super) ports: Ports,
    pub(super) now: Instant,
    /// What has been learnt, in order.
    pub(super) learnt: Vec<Delegation>,
}

impl Scene {
    pub(super) fn usual() -> Self {
        Self::with(|_| ())
    }

    pub(super) fn with(change: impl FnOnce(&mut Terms)) -> Self {
        let mut terms = usual_terms();
        change(&mut terms);
        let now = Instant::since_start(secs(1000));
        let recovery = Recovery::new(terms, Chance::from_seed(1), now);
        Self { recovery, ports: usual_ports(), now, learnt: Vec::new() }
    }

    pub(super) fn wait(&mut self, secs: u64) {
        self.now = self.now + Duration::from_secs(secs);
    }

    pub(super) fn next(&mut self, server: ServerId) -> Next {
        self.recovery.begin(server, &self.ports, self.now)
    }

    /// For how many seconds the server is left alone; `None` is until something changes.
    pub(super) fn pause(&mut self, server: ServerId) -> Option<f64> {
        match self.next(server) {
            Next::Ask(_) => panic!("the server is asked"),
            Next::Wait(until) => until.map(|until| until.since(self.now).as_secs_f64()),
        }
    }

    /// Waits until the server is to be asked, and connects.
    pub(super) fn connect(&mut self, server: ServerId) -> Talk {
        let attempt = self.ask(server);
        let mut talk = Talk { attempt };
        talk.attempt.connected(self.now);
        talk
    }

    pub(super) fn ask(&mut self, server: ServerId) -> Attempt {
        loop {
            match self.next(server) {
                Next::Ask(attempt) => return *attempt,
                Next::Wait(until) => self.now = until.expect("the server is asked some time"),
            }
        }
    }

    pub(super) fn hear(&mut self, talk: &mut Talk, octets: &[u8]) {
        let Self { recovery, ports, now, learnt } = self;
        let source = Source { server: talk.attempt.server(), received: *now };
        talk.attempt.receive(octets, *now, &mut |client| {
            recovery.hear(source, client, ports, |delegation| learnt.push(delegation));
        });
    }

    pub(super) fn finish(&mut self, talk: Talk) -> Summary {
        assert!(talk.attempt.is_over());
        self.recovery.finished(talk.attempt, &self.ports, self.now)
    }

    /// Has a server answer everything it is asked on one connection.
    pub(super) fn answer(
        &mut self,
        server: ServerId,
        mut answer: impl FnMut(&Query) -> Vec<Vec<u8>>,
    ) -> Summary {
        let mut talk = self.connect(server);
        while !talk.attempt.is_over() {
            for query in talk.queries() {
                answer(&query).iter().for_each(|octets| self.hear(&mut talk, octets));
            }
        }
        self.finish(talk)
    }

    /// The same, to the end of the epoch for this server.
    pub(super) fn answer_all(&mut self, server: ServerId, answer: impl Fn(&Query) -> Vec<Vec<u8>>) -> usize {
        let mut attempts = 1;
        while !matches!(self.answer(server, &answer).phase, Phase::Done { .. }) {
            attempts += 1;
            assert!(attempts < 1000, "the server is never done");
        }
        attempts
    }

    pub(super) fn fail(&mut self, server: ServerId) -> Summary {
        let mut attempt = self.ask(server);
        attempt.unreachable("connection refused".into());
        self.finish(Talk { attempt })
    }

    pub(super) fn phase(&self, server: ServerId) -> Phase {
        self.recovery.servers().find(|view| view.server == server).unwrap().phase
    }

    pub(super) fn unplaced(&self) -> Vec<&Unplaced> {
        self.recovery.unplaced().collect()
    }

    pub(super) fn prefixes(&self) -> Vec<String> {
        self.learnt.iter().map(|delegation| delegation.prefix.to_string()).collect()
    }
}

/// A connection.
pub(super) struct Talk {
    pub(super) attempt: Attempt,
}

impl Talk {
    /// The queries sent since the last call.
    pub(super) fn queries(&mut self) -> Vec<Query> {
        let mut frames = self.attempt.output().to_vec();
        self.attempt.wrote(frames.len(), Instant::default());
        let mut queries = Vec::new();
        while !frames.is_empty() {
            let rest = frames.split_off(2 + usize::from(u16::from_be_bytes([frames[0], frames[1]])));
            queries.push(Query::read(&frames[2..]));
            frames = rest;
        }
        queries
    }

    pub(super) fn query(&mut self) -> Query {
        let queries = self.queries();
        assert_eq!(queries.len(), 1);
        queries.into_iter().next().unwrap()
    }
}

impl Query {
    fn read(octets: &[u8]) -> Self {
        let message = ClientMessage::decode(octets).unwrap();
        assert_eq!(message.message_type, MessageType::LeaseQuery);
        let query = message.options.lq_query().unwrap().unwrap();
        Self {
            id: message.transaction_id,
            client_id: message.options.client_id().unwrap().unwrap().to_duid(),
            kind: query.query_type.0,
            link: query.link_address,
            octets: message.options.first(OptionCode::LQ_QUERY).unwrap().to_vec(),
        }
    }
}
