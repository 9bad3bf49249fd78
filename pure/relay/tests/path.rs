//! Through relays in a row to the server, and back through the same relays.

use std::net::Ipv6Addr;

use proptest::prelude::*;
use relay::{Arrival, Discard, Peer};
use wire::{Duid, RelayChain};

use crate::kit::{ACCESS, CLIENT, OTHER, Relay, SOLICIT, address, from_client};

/// A relay, as the next one and the server see it.
struct Hop {
    relay: Relay,
    /// From where it sends upstream.
    source: Ipv6Addr,
    /// By which port it hears what is behind it.
    behind: u32,
}

#[derive(Debug, Clone, Copy)]
struct Habits {
    source_port: u16,
    is_link_local: bool,
    behind: u32,
}

impl Hop {
    fn new(number: u8, habits: Habits) -> Self {
        let relay = Relay::with(|terms, _| {
            terms.source_port = habits.source_port;
            terms.relay_id = Some(Duid::new(&[0, 3, 0, 1, number]).unwrap());
        });
        let network = if habits.is_link_local { "fe80::" } else { "2001:db8:77::" };
        let source = Ipv6Addr::from_bits(address(network).to_bits() | u128::from(number));
        Self { relay, source, behind: habits.behind }
    }
}

/// What the server hears of a client's message.
fn forwarded(hops: &[Hop], message: &[u8]) -> Result<Vec<u8>, Discard> {
    let mut arrival = from_client();
    let mut octets = message.to_vec();
    for hop in hops {
        octets = hop.relay.forward(&Arrival { interface_index: hop.behind, ..arrival }, &octets)?;
        let source_port = hop.relay.terms.source_port;
        arrival = Arrival { source: hop.source, source_port, ..arrival };
    }
    Ok(octets)
}

fn habits() -> impl Strategy<Value = Habits> {
    let source_port = prop_oneof![Just(547_u16), 1024..=u16::MAX];
    let behind = prop_oneof![Just(ACCESS), Just(OTHER)];
    (source_port, any::<bool>(), behind).prop_map(|(source_port, is_link_local, behind)| Habits {
        source_port,
        is_link_local,
        behind,
    })
}

// A message of a client that no relay has a reason to drop.
fn clients_message() -> impl Strategy<Value = Vec<u8>> {
    let message_type = any::<u8>().prop_filter("not only from servers or through relays", |kind| {
        ![2, 7, 10, 12, 13, 14, 15, 16, 17].contains(kind)
    });
    (message_type, proptest::collection::vec(any::<u8>(), 0..300))
        .prop_map(|(message_type, rest)| [&[message_type][..], &rest].concat())
}

// What a server can have to say to a client; a Relay-reply would be for a relay.
fn servers_message() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 1..300).prop_filter("not for a relay", |message| message[0] != 13)
}

proptest! {
    // REL-16, REL-23, REL-27, REL-35..REL-37, D-30, D-32, D-33
    #[test]
    fn a_reply_comes_back_to_the_client_as_the_server_made_it(
        habits in proptest::collection::vec(habits(), 1..=9),
        message in clients_message(),
        reply in servers_message(),
    ) {
        let hops: Vec<Hop> = (1..).zip(habits).map(|(number, habits)| Hop::new(number, habits)).collect();
        let to_server = forwarded(&hops, &message).unwrap();
        let (chain, heard) = RelayChain::decode(&to_server).unwrap();
        prop_assert_eq!(heard, message);
        prop_assert_eq!(chain.hops().len(), hops.len());
        prop_assert_eq!(chain.innermost().peer_address, CLIENT);
        let last = hops.last().unwrap();
        // Presence says it, whatever the value.
        prop_assert!(last.relay.terms.source_port == 547 || chain.wants_source_port());

        let mut octets = Vec::new();
        chain.encode_reply(&reply, &mut octets).unwrap();
        for (number, hop) in hops.iter().enumerate().rev() {
            let delivery = hop.relay.deliver(&octets).unwrap();
            match number.checked_sub(1).map(|behind| &hops[behind]) {
                Some(behind) => {
                    prop_assert_eq!(delivery.towards, Peer::Relay);
                    prop_assert_eq!(delivery.to, behind.source);
                    prop_assert_eq!(delivery.to_port, behind.relay.terms.source_port);
                }
                None => {
                    prop_assert_eq!(delivery.towards, Peer::Client);
                    prop_assert_eq!((delivery.to, delivery.to_port), (CLIENT, 546));
                }
            }
            let port = hop.relay.ports.with_index(hop.behind).unwrap();
            prop_assert_eq!(delivery.port, port);
            octets = delivery.octets.to_vec();
        }
        prop_assert_eq!(octets, reply);
    }
}

// REL-22: the ninth relay is the last one.
#[test]
fn there_are_at_most_nine_relays_in_a_row() {
    let habits = Habits { source_port: 547, is_link_local: false, behind: ACCESS };
    let hops: Vec<Hop> = (1..=10).map(|number| Hop::new(number, habits)).collect();
    let to_server = forwarded(&hops[..9], SOLICIT).unwrap();
    assert_eq!(RelayChain::decode(&to_server).unwrap().0.hops().len(), 9);
    assert_eq!(forwarded(&hops, SOLICIT), Err(Discard::HopLimit));
}

// A relay hears again what it has sent itself.
#[test]
fn what_runs_in_a_circle_is_stopped_at_once() {
    let hop = Hop::new(1, Habits { source_port: 547, is_link_local: true, behind: ACCESS });
    let octets = forwarded(std::slice::from_ref(&hop), SOLICIT).unwrap();
    let again = Arrival { source: hop.source, source_port: 547, ..from_client() };
    assert_eq!(hop.relay.forward(&again, &octets), Err(Discard::OwnRelayId));
}
