//! What it costs a relay as a whole to take a message, learning included; sockets and kernel aside.
//!
//! `cargo run --release -p relay --example learning`
//!
//! Clients on two thousand ports with a prefix each: a Solicit to be forwarded, the Reply that grants, the
//! Reply that renews, and the Release. Nanoseconds of the processor for one message, as in `forward`; each
//! kind of message comes once from every client, in another order than that of the prefixes.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "measuring needs somewhere to print"
)]

use std::net::Ipv6Addr;
use std::time::Duration;

use relay::{Agent, Arrival, Counters, Passed, Port, PortRules, RouteRules, Setup, Terms, recovery};
use wire::{
    ClientMessage, Duid, Iaid, MessageType, OptionCode, Options, Prefix, RelayMessage, TransactionId, Writer,
};
use world::{Chance, Instant};

const CLIENTS: u32 = 64_000;
const PORTS: u32 = 2_000;
/// Has no factor in common with `CLIENTS`.
const STRIDE: u32 = 10_007;
const UPSTREAM: u32 = 1_000_000;

fn main() {
    let mut relay = Relay::new();
    let solicits = messages(|client| message(MessageType::Solicit, client));
    let replies = messages(|client| relay_reply(client, &message(MessageType::Reply, client)));
    let releases = messages(|client| message(MessageType::Release, client));
    relay.measure("a Solicit", &solicits, false);
    relay.measure("a Reply that grants", &replies, true);
    relay.now = relay.now + Duration::from_secs(100);
    relay.measure("a Reply that renews", &replies, true);
    relay.measure("a Solicit, with all that held", &solicits, false);
    relay.measure("a Release", &releases, false);
}

struct Relay {
    agent: Agent,
    counters: Counters,
    now: Instant,
}

impl Relay {
    fn new() -> Self {
        let relay_id = Duid::new(&[0, 3, 0, 1, 2, 0, 0, 0, 0xaa, 1]).expect("ten octets");
        let setup = Setup {
            terms: Terms { relay_id: Some(relay_id.clone()), ..Terms::default() },
            recovery: recovery::Terms::new(relay_id, vec![true]),
            routes: Some(RouteRules::default()),
            host_routes: false,
            unique_clients: false,
            remembers: true,
        };
        let now = Instant::since_start(Duration::from_secs(100));
        let mut agent = Agent::new(setup, Chance::from_seed(1), now);
        agent.set_ports((0..PORTS).map(port).collect(), now);
        Self { agent, counters: Counters::default(), now }
    }

    fn measure(&mut self, name: &str, messages: &[(u32, Vec<u8>)], from_server: bool) {
        let mut out = Vec::new();
        let begun = processor_nanos();
        for (client, octets) in messages {
            out.clear();
            let arrival = Arrival {
                source: if from_server {
                    "2001:db8:ffff::1".parse().expect("an address")
                } else {
                    address(*client)
                },
                source_port: 547,
                destination: "ff02::1:2".parse().expect("an address"),
                interface_index: if from_server { UPSTREAM } else { 1 + client % PORTS },
                link_layer: None,
            };
            let passed = self.agent.take(&arrival, octets, self.now, &self.counters, &mut out);
            assert_eq!(from_server, matches!(passed, Ok(Passed::ToClient(_))), "{passed:?}");
        }
        let nanos = (processor_nanos() - begun) / f64::from(CLIENTS);
        let held = self.agent.delegations().counts().prefixes;
        println!("{name}: {nanos:.0} ns ({held} prefixes held then)");
        self.agent.take_unwritten(usize::MAX);
        self.agent.take_notes();
    }
}

/// One of each client, and whose it is.
fn messages(of: impl Fn(u32) -> Vec<u8>) -> Vec<(u32, Vec<u8>)> {
    (0..CLIENTS).map(|number| number * STRIDE % CLIENTS).map(|client| (client, of(client))).collect()
}

fn port(number: u32) -> Port {
    let name = format!("eth0.{number}");
    let link_address = Ipv6Addr::from_bits((0x2001_0db8_u128 << 96) | (u128::from(number) << 64) | 1);
    Port {
        index: 1 + number,
        interface_id: name.as_bytes().into(),
        link_address,
        addresses: vec![link_address],
        remote_id: None,
        subscriber_id: None,
        rules: PortRules::default(),
        name,
    }
}

fn address(client: u32) -> Ipv6Addr {
    Ipv6Addr::from_bits((0xfe80_u128 << 112) | u128::from(client + 1))
}

fn message(message_type: MessageType, client: u32) -> Vec<u8> {
    let prefix = Prefix::new(Ipv6Addr::from_bits((0x3fff_u128 << 112) | (u128::from(client) << 72)), 56);
    let [a, b, c, d] = client.to_be_bytes();
    let mut octets = Vec::new();
    let mut writer = Writer::new(&mut octets);
    ClientMessage::write(&mut writer, message_type, TransactionId::from_number(client), |w| {
        w.raw_option(OptionCode::CLIENTID, &[0, 3, 0, 1, 2, 0, a, b, c, d]);
        w.raw_option(OptionCode::SERVERID, &[0, 2, 0, 0, 0x7e, 0xd9, 1]);
        w.ia_pd(Iaid(1), 1800, 2880, |w| w.ia_prefix(prefix.expect("56 bits"), 3600, 7200, |_| {}));
    });
    writer.finish().expect("a short message");
    octets
}

fn relay_reply(client: u32, inside: &[u8]) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut writer = Writer::new(&mut octets);
    let header = RelayMessage {
        message_type: MessageType::RelayReply,
        hop_count: 0,
        link_address: Ipv6Addr::UNSPECIFIED,
        peer_address: address(client),
        options: Options::default(),
    };
    header.encode_header(&mut writer);
    writer.raw_option(OptionCode::INTERFACE_ID, format!("eth0.{}", client % PORTS).as_bytes());
    writer.raw_option(OptionCode::RELAY_MSG, inside);
    writer.finish().expect("a short message");
    octets
}

/// Time that this thread has had a processor.
fn processor_nanos() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells");
    text.split_whitespace().next().and_then(|nanos| nanos.parse().ok()).expect("a number first")
}
