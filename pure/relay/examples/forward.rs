//! What it costs to forward a message and to deliver its answer, sockets and kernel aside.
//!
//! `cargo run --release -p relay --example forward`
//!
//! A client's Solicit and another relay's Relay-forward, by a relay with two thousand ports that adds
//! what it can add, and the way back of each. Nanoseconds of the processor for one message, from
//! `/proc/thread-self/schedstat`: what else the machine does counts little. The best of several rounds.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "measuring needs somewhere to print"
)]

use std::hint::black_box;
use std::net::Ipv6Addr;

use relay::{Arrival, EchoRequest, Port, PortRules, Ports, RemoteId, Terms, deliver, forward};
use wire::{Duid, LinkLayerAddress, OptionCode, RelayChain};

const PORTS: u32 = 2_000;
const MESSAGES: u32 = 1_000_000;
const ROUNDS: usize = 5;
/// Octets of a Solicit's options, about as clients send them.
const SOLICIT_OCTETS: usize = 96;

fn main() {
    let (terms, mut ports) = (terms(), Ports::default());
    ports.update((1..=PORTS).map(port).collect());
    let solicit = [&[1, 0x5c, 0xa1, 0xab][..], &[0; SOLICIT_OCTETS]].concat();
    measure("a client's message", &terms, &ports, &solicit, &from("fe80::200:ff:fe00:101", "ff02::1:2"));

    let mut wrapped = Vec::new();
    let other = Terms { relay_id: Duid::new(&[0, 3, 0, 1, 9]).ok(), ..terms.clone() };
    let arrival = from("fe80::200:ff:fe00:101", "ff02::1:2");
    forward(&other, &ports, &arrival, &solicit, &mut wrapped).expect("a client's message");
    measure("a relay's message", &terms, &ports, &wrapped, &from("2001:db8:7777::1", "2001:db8:1::1"));
}

fn measure(name: &str, terms: &Terms, ports: &Ports, message: &[u8], arrival: &Arrival<'_>) {
    let mut out = Vec::new();
    let forwarded_ns = best_of_rounds(|number| {
        out.clear();
        let arrival = Arrival { interface_index: 1 + number % PORTS, ..*arrival };
        let forwarded = forward(terms, ports, &arrival, black_box(message), &mut out);
        black_box(&out);
        forwarded.expect("nothing is wrong with it");
    });
    let (chain, _) = RelayChain::decode(&out).expect("it was made just now");
    let mut reply = Vec::new();
    chain.encode_reply(&[7; SOLICIT_OCTETS], &mut reply).expect("it is short");
    let delivered_ns = best_of_rounds(|_| {
        let delivery = deliver(terms, ports, arrival, black_box(&reply));
        black_box(delivery.expect("nothing is wrong with it"));
    });
    let octets = out.len();
    println!(
        "{name}: {forwarded_ns:.0} ns to forward ({octets} octets), {delivered_ns:.0} ns to deliver the answer"
    );
}

fn best_of_rounds(mut handle: impl FnMut(u32)) -> f64 {
    let rounds = (0..ROUNDS).map(|_| {
        let begun = processor_nanos();
        (0..MESSAGES).for_each(&mut handle);
        (processor_nanos() - begun) / f64::from(MESSAGES)
    });
    rounds.fold(f64::INFINITY, f64::min)
}

fn terms() -> Terms {
    Terms {
        relay_id: Duid::new(&[0, 3, 0, 1, 2, 0, 0, 0, 0xaa, 1]).ok(),
        echo_request: EchoRequest::new([OptionCode::REMOTE_ID]).expect("it may be asked for"),
        ..Terms::default()
    }
}

fn port(index: u32) -> Port {
    let name = format!("eth0.{index}");
    let link = u16::try_from(index).expect("there are not so many");
    let link_address = Ipv6Addr::new(0x2001, 0xdb8, link, 0, 0, 0, 0, 1);
    Port {
        index,
        interface_id: name.as_bytes().into(),
        link_address,
        addresses: vec![link_address],
        remote_id: Some(RemoteId { enterprise: 9, value: name.as_bytes().into() }),
        subscriber_id: Some(b"subscriber".as_slice().into()),
        rules: PortRules::default(),
        name,
    }
}

fn from(source: &str, destination: &str) -> Arrival<'static> {
    Arrival {
        source: source.parse().expect("an address"),
        source_port: 547,
        destination: destination.parse().expect("an address"),
        interface_index: 1,
        link_layer: Some(LinkLayerAddress { hardware_type: 1, address: &[2, 0, 0, 0, 1, 1] }),
    }
}

/// Time that this thread has had a processor.
fn processor_nanos() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells");
    text.split_whitespace().next().and_then(|nanos| nanos.parse().ok()).expect("a number first")
}
