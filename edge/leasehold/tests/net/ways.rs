//! The way of an answer: by which interface, from which address, to which port.

use std::net::{Ipv6Addr, SocketAddrV6};
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use leasehold::net::{ALL_RELAY_AGENTS_AND_SERVERS, Outgoing};
use wire::{CLIENT_PORT, SERVER_PORT};

use crate::PATIENCE;
use crate::namespace::{FarSocket, in_namespaces, ip};
use crate::served::Serving;

/// Sends an answer until it comes, and says from where it came.
fn answered(serving: &Serving, answer: &Outgoing, at: &FarSocket) -> SocketAddrV6 {
    let end = Instant::now() + PATIENCE;
    loop {
        assert_eq!(serving.socket.send(std::slice::from_ref(answer)), 1);
        if let Some((octets, from)) = at.receive() {
            assert_eq!(octets, answer.octets);
            return from;
        }
        assert!(Instant::now() < end, "the answer {answer:?} never comes");
    }
}

// DH-T-02, DH-T-03, DH-T-04, DH-T-05
#[test]
fn a_client_is_answered_by_the_interface_it_was_heard_on() {
    in_namespaces(|far| {
        let mut serving = Serving::start("lan*");
        far.lay_cable("lan0", "client0", "fe80::1/64");
        far.lay_cable("lan1", "client1", "fe80::1/64");
        // The port that a client sends from is not the one that it listens at.
        let clients = ["client0", "client1"].map(|interface| {
            let at_port = |port| far.socket("fe80::1", interface, port);
            (at_port(50_000), at_port(CLIENT_PORT))
        });
        for (client, octets) in [(1, b"to 1"), (0, b"to 0"), (1, b"or 1")] {
            let (asking, listening) = &clients[client];
            let arrival = serving.hear(octets, ALL_RELAY_AGENTS_AND_SERVERS, asking);
            assert_eq!(*arrival.source.ip(), "fe80::1".parse::<Ipv6Addr>().unwrap());
            let from = answered(&serving, &arrival.answer_client(octets.to_vec(), CLIENT_PORT), listening);
            assert_eq!((from.ip().to_string().as_str(), from.port()), ("fe80::2", SERVER_PORT));
            // Answers that came twice.
            while listening.receive().is_some() {}
        }
    });
}

// DH-T-02, DH-T-06
#[test]
fn a_relay_is_answered_from_the_address_that_it_asked() {
    in_namespaces(|far| {
        let mut serving = Serving::start("none");
        far.lay_cable("wan0", "relay0", "fe80::1/64");
        far.run(|| ip("addr add 2001:db8::9/64 dev relay0 nodad"));
        for address in ["2001:db8::1", "2001:db8::2", "2001:db8::3"] {
            ip(&format!("addr add {address}/64 dev wan0 nodad"));
        }
        let relay = far.socket("2001:db8::9", "relay0", SERVER_PORT);
        for asked in ["2001:db8::2", "2001:db8::1", "2001:db8::3"] {
            let arrival = serving.hear(asked.as_bytes(), asked.parse().unwrap(), &relay);
            assert_eq!(arrival.destination.to_string(), asked);
            let answer = arrival.answer_relay(asked.as_bytes().to_vec(), SERVER_PORT);
            assert_eq!(answer.interface_index, 0, "the route decides");
            assert_eq!(answered(&serving, &answer, &relay).to_string(), format!("[{asked}]:{SERVER_PORT}"));
            // Answers that came twice.
            while relay.receive().is_some() {}
        }
    });
}

// DH-T-06
#[test]
fn a_relay_that_asks_from_a_link_local_address_is_answered_there() {
    in_namespaces(|far| {
        let mut serving = Serving::start("lan*");
        far.lay_cable("lan0", "relay0", "fe80::1/64");
        far.lay_cable("lan1", "relay1", "fe80::1/64");
        let relay = far.socket("fe80::1", "relay1", SERVER_PORT);
        let arrival = serving.hear(b"forward", ALL_RELAY_AGENTS_AND_SERVERS, &relay);
        let answer = arrival.answer_relay(b"reply".to_vec(), SERVER_PORT);
        assert_eq!(answered(&serving, &answer, &relay).ip().to_string(), "fe80::2");
    });
}

#[test]
fn a_neighbour_that_never_answers_holds_the_others_up_for_a_moment_only() {
    in_namespaces(|far| {
        let serving = Serving::start("lan*");
        let index = far.lay_cable("lan0", "client0", "fe80::1/64");
        // What waits for a neighbour's address then fills the socket, rather than being dropped.
        std::fs::write("/proc/sys/net/ipv6/neigh/lan0/unres_qlen_bytes", "100000000").unwrap();
        let to = SocketAddrV6::new("fe80::dead".parse().unwrap(), CLIENT_PORT, 0, index);
        let lost =
            Outgoing { octets: vec![0; 1200], to, source: Ipv6Addr::UNSPECIFIED, interface_index: index };
        let started = Instant::now();
        let sent = serving.socket.send(&vec![lost; 2000]);
        assert!(started.elapsed() < Duration::from_secs(2), "it took {:?}", started.elapsed());
        let counters = serving.socket.counters();
        assert!(sent < 2000, "the socket holds more than expected");
        assert_eq!(counters.stalled.load(Relaxed), 2000 - sent as u64);
    });
}
