//! What a four-message exchange costs the pure server, and how that grows with what is held.
//!
//! `cargo run --release -p server --example exchange`
//!
//! New clients behind one relay are given an address, a prefix, or both, in a table of ten thousand
//! clients and in one of a million. Nanoseconds of the processor for Solicit and Request together,
//! from `/proc/thread-self/schedstat`: what else the machine does counts little. Building the
//! client's messages is not counted.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "measuring needs somewhere to print"
)]

use std::collections::BTreeMap;
use std::net::Ipv6Addr;
use std::time::Duration;

use lease::{AddressPool, DelegationPool, IaKind, Link, LinkId, Links};
use server::assign::Assigner;
use server::exchange::{Exchanges, LinkTerms, Rules, Terms};
use server::{Arrived, Holdings};
use wire::{
    ClientMessage, Duid, Iaid, MessageType, OptionCode, Options, RelayMessage, TransactionId, Writer,
};
use world::{Instant, Now};

/// Exchanges of which the mean is told.
const MEASURED: u32 = 20_000;
const NOW: Now = Now { instant: Instant::since_start(Duration::ZERO), unix_secs: 1_767_225_600 };
const RELAY: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 1);
const SERVER: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 2);

fn main() {
    let cases: [(&str, &[IaKind]); 3] = [
        ("IA_NA", &[IaKind::Address]),
        ("IA_PD", &[IaKind::Prefix]),
        ("both", &[IaKind::Address, IaKind::Prefix]),
    ];
    for (name, kinds) in cases {
        let mut bench = Bench::new(kinds);
        for held in [10_000, 1_000_000] {
            bench.fill(held);
            println!("{name}: {held} clients: {:.0} ns an exchange", bench.measure());
        }
    }
}

struct Bench<'a> {
    kinds: &'a [IaKind],
    server_id: Duid,
    exchanges: Exchanges,
    holdings: Holdings,
    clients: u32,
}

impl<'a> Bench<'a> {
    fn new(kinds: &'a [IaKind]) -> Self {
        let server_id = Duid::new(&[0, 3, 0, 1, 2, 0, 0, 0, 0, 1]).expect("ten octets");
        let link = LinkId(1);
        let links = Links::new([Link {
            id: link,
            name: "access".into(),
            prefixes: vec!["2001:db8:1::/64".parse().expect("a prefix")],
            address_pools: vec![AddressPool {
                first: "2001:db8:1:0:1::".parse().expect("an address"),
                last: "2001:db8:1:0:1:ffff:ffff:ffff".parse().expect("an address"),
            }],
            delegation_pools: vec![DelegationPool {
                prefix: "3000::/16".parse().expect("a prefix"),
                delegated_length: 48,
                excluded: None,
            }],
            ..Link::default()
        }]);
        let rules = Rules { links: BTreeMap::from([(link, LinkTerms::default())]), ..Rules::default() };
        let holdings = Holdings { links, ..Holdings::default() };
        let offer_for = Duration::from_secs(30);
        let assigner = Assigner::new(&holdings.links, Vec::new(), offer_for, [1, 2], &holdings.table);
        let exchanges = Exchanges::new(Terms { server_id: server_id.clone(), rules }, assigner);
        Self { kinds, server_id, exchanges, holdings, clients: 0 }
    }

    fn fill(&mut self, until: u32) {
        while self.clients < until {
            self.exchange((until - self.clients).min(MEASURED));
        }
    }

    fn measure(&mut self) -> f64 {
        self.exchange(MEASURED) / f64::from(MEASURED)
    }

    /// Nanoseconds for the server's half of exchanges with the next so many clients.
    fn exchange(&mut self, count: u32) -> f64 {
        let clients = self.clients..self.clients + count;
        self.clients += count;
        let solicits: Vec<_> =
            clients.clone().map(|client| self.message(MessageType::Solicit, client, &[])).collect();
        let (advertised, solicited_ns) = self.answer(&solicits);
        let requests: Vec<_> = clients
            .zip(&advertised)
            .map(|(client, told)| self.message(MessageType::Request, client, &associations(told)))
            .collect();
        let (_, requested_ns) = self.answer(&requests);
        self.holdings.table.take_batch();
        solicited_ns + requested_ns
    }

    fn answer(&mut self, messages: &[Vec<u8>]) -> (Vec<Vec<u8>>, f64) {
        let begun = processor_nanos();
        let mut answers = Vec::with_capacity(messages.len());
        for octets in messages {
            let mut out = Vec::with_capacity(512);
            let arrived = Arrived::decode(octets, RELAY, SERVER, None).expect("a message");
            let answered = self.exchanges.answer(&arrived, &mut self.holdings, NOW, &mut out);
            answered.expect("an answer");
            answers.push(out);
        }
        (answers, processor_nanos() - begun)
    }

    /// A client's message in a Relay-forward; a Request repeats what was advertised.
    fn message(&self, message_type: MessageType, client: u32, advertised: &[u8]) -> Vec<u8> {
        let mut inside = Vec::new();
        let transaction_id = TransactionId::new([1, 2, 3]);
        ClientMessage::write(&mut Writer::new(&mut inside), message_type, transaction_id, |w| {
            w.raw_option(OptionCode::CLIENTID, &[&[0, 3, 0, 1, 2, 0][..], &client.to_be_bytes()].concat());
            w.raw_option(OptionCode::ELAPSED_TIME, &[0, 0]);
            w.raw_option(OptionCode::ORO, &[0, 23, 0, 24]);
            if message_type == MessageType::Request {
                w.raw_option(OptionCode::SERVERID, self.server_id.octets());
                w.bytes(advertised);
            } else {
                self.kinds.iter().for_each(|kind| w.ia(*kind, Iaid(1), 0, 0, |_| {}));
            }
        });
        let mut octets = Vec::new();
        let mut w = Writer::new(&mut octets);
        let header = RelayMessage {
            message_type: MessageType::RelayForward,
            hop_count: 0,
            link_address: RELAY,
            peer_address: "fe80::1".parse().expect("an address"),
            options: Options::default(),
        };
        header.encode_header(&mut w);
        w.raw_option(OptionCode::INTERFACE_ID, b"ge-0/0/7");
        w.raw_option(OptionCode::RELAY_ID, &[0, 3, 0, 1, 2, 0, 0, 0, 0, 9]);
        w.raw_option(OptionCode::REMOTE_ID, &[&[0, 0, 0, 9][..], &client.to_be_bytes()].concat());
        w.raw_option(OptionCode::RELAY_MSG, &inside);
        octets
    }
}

/// The identity associations of an answer, as octets.
fn associations(relayed: &[u8]) -> Vec<u8> {
    let relay = RelayMessage::decode(relayed).expect("a Relay-reply");
    let inside = relay.relayed().ok().flatten().expect("an Advertise");
    let advertise = ClientMessage::decode(inside).expect("an Advertise");
    let mut octets = Vec::new();
    let mut w = Writer::new(&mut octets);
    for option in advertise.options.iter() {
        if [OptionCode::IA_NA, OptionCode::IA_PD].contains(&option.code) {
            option.encode(&mut w);
        }
    }
    octets
}

/// Time that this thread has had a processor.
fn processor_nanos() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells");
    text.split_whitespace().next().and_then(|nanos| nanos.parse().ok()).expect("a number first")
}
