//! A server's answers: cut anywhere they bring the same delegations, each with a next hop that can be
//! sent to, and when the connection has ended the relay knows what to do next.
//!
//! The input is what the server sends behind one octet: how long the pieces are.

#![no_main]

use std::net::Ipv6Addr;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use relay::recovery::{Next, Phase, Recovery, Source, Summary, Terms, Unplaced};
use relay::{Delegation, Port, PortRules, Ports, ServerId};
use wire::Duid;
use world::{Chance, Instant};

const SERVER: ServerId = ServerId(0);
const NOW: Instant = Instant::since_start(Duration::from_secs(1000));
const OURS: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 1);

fuzz_target!(|octets: &[u8]| {
    let Some((length, stream)) = octets.split_first() else { return };
    let whole = recovered([stream]);
    assert_eq!(recovered(stream.chunks(1 + usize::from(*length))), whole);
    for delegation in &whole.learnt {
        let next_hop = delegation.next_hop;
        assert!(!next_hop.is_unspecified() && !next_hop.is_multicast() && !next_hop.is_loopback());
    }
});

#[derive(Debug, PartialEq, Eq)]
struct Recovered {
    learnt: Vec<Delegation>,
    unplaced: Vec<Unplaced>,
    summary: Summary,
}

fn recovered<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Recovered {
    let relay_id = Duid::new(&[0, 3, 0, 1, 2, 0, 0, 0, 0xaa, 1]).expect("ten octets are a DUID");
    let mut recovery = Recovery::new(Terms::new(relay_id, vec![true]), Chance::from_seed(1), NOW);
    let mut ports = Ports::default();
    ports.update(vec![port()]);
    let Next::Ask(mut attempt) = recovery.begin(SERVER, &ports, NOW) else { panic!("it is to be asked") };
    let mut learnt = Vec::new();
    attempt.connected(NOW);
    for piece in pieces {
        let source = Source { server: SERVER, received: NOW };
        attempt.receive(piece, NOW, &mut |client| {
            recovery.hear(source, client, &mut ports, |delegation| learnt.push(delegation));
        });
    }
    attempt.peer_closed();
    assert!(attempt.is_over());
    let summary = Summary { octets: 0, ..recovery.finished(*attempt, &ports, NOW) };
    let unplaced = recovery.unplaced().cloned().collect();
    assert!(!matches!(summary.phase, Phase::Asking { .. } | Phase::NotAsked));
    Recovered { learnt, unplaced, summary }
}

fn port() -> Port {
    Port {
        index: 7,
        name: "eth7".into(),
        interface_id: b"ge-0/0/7"[..].into(),
        link_address: OURS,
        addresses: vec![OURS],
        remote_id: None,
        subscriber_id: None,
        rules: PortRules::default(),
    }
}
