//! A bridge between clients and the network that says of each client where it is.

use std::time::Duration;

use proptest::prelude::*;
use relay::{Arrival, Discard, Lightweight, PacedPort, Peer, Port, RemoteId, Terms};
use wire::{Message, MessageType, OptionCode, RelayMessage};
use world::Instant;

use crate::kit::{
    ACCESS, CLIENT, OTHER, SERVER, SOLICIT, address, codes, ethernet, from_client, port, relay_forward,
    relay_message, relay_reply,
};

const REPLY: &[u8] = &[7, 0x5c, 0xa1, 0xab, 0, 1, 0, 200, 1];
const AT_ACCESS: (OptionCode, &[u8]) = (OptionCode::INTERFACE_ID, b"ge-0/0/7");

/// With two ports: the first one as `change` makes it, and the other one trusted.
fn bridge_with(change: impl FnOnce(&mut Terms, &mut Port, &mut Option<u32>)) -> Lightweight {
    let (mut terms, mut access) = (Terms::default(), port(ACCESS, "ge-0/0/7", 1));
    let mut per_second = None;
    access.rules.accepts_relays = false;
    change(&mut terms, &mut access, &mut per_second);
    let mut bridge = Lightweight::new(terms);
    let changed = bridge.update(vec![paced(access, per_second), paced(port(OTHER, "ge-0/0/8", 2), None)]);
    assert_eq!(changed.len(), 2);
    bridge
}

fn paced(port: Port, messages_per_second: Option<u32>) -> PacedPort {
    PacedPort { port, messages_per_second }
}

fn bridge() -> Lightweight {
    bridge_with(|_, _, _| {})
}

fn at(millis: u64) -> Instant {
    Instant::since_start(Duration::from_millis(millis))
}

fn forward(bridge: &mut Lightweight, arrival: &Arrival<'_>, octets: &[u8]) -> Result<Vec<u8>, Discard> {
    let mut out = b"before".to_vec();
    let forwarded = bridge.forward(arrival, octets, at(0), &mut out);
    let made = out.strip_prefix(b"before").expect("what was there stays").to_vec();
    assert!(forwarded.is_ok() || made.is_empty(), "what is not forwarded leaves nothing behind");
    forwarded.map(|_| made)
}

/// As the relay behind a trusted port sends: from the client's address, as we do.
fn from_trusted() -> Arrival<'static> {
    Arrival { interface_index: OTHER, source_port: 547, ..from_client() }
}

/// From the server to the client's address.
fn from_server() -> Arrival<'static> {
    Arrival {
        source: address("fe80::547"),
        source_port: 547,
        destination: CLIENT,
        interface_index: 1,
        link_layer: None,
    }
}

fn decode(octets: &[u8]) -> RelayMessage<'_> {
    let Ok(Message::Relay(message)) = Message::decode(octets) else { panic!("{octets:02x?}") };
    assert_eq!(message.message_type, MessageType::RelayForward);
    message
}

// LDR-02, LDR-15
#[test]
fn it_takes_out_of_the_bridge_what_clients_send_to_the_group_and_what_link_locals_are_told() {
    let clients = |destination| Lightweight::takes_from_clients(address(destination));
    assert!(clients("ff02::1:2"));
    assert!(!clients("ff05::1:3") && !clients("fe80::1") && !clients("2001:db8::1"));
    let network =
        |source, destination| Lightweight::takes_from_network(address(source), address(destination));
    assert!(network("fe80::1", "febf::2"));
    for (source, destination) in
        [("2001:db8::1", "fe80::2"), ("fe80::1", "2001:db8::2"), ("fe80::1", "ff02::1:2"), ("::", "fe80::2")]
    {
        assert!(!network(source, destination), "{source} {destination}");
    }
}

// LDR-04, LDR-05, LDR-07
#[test]
fn what_a_client_says_goes_into_a_relay_forward_without_a_link() {
    let octets = forward(&mut bridge(), &from_client(), SOLICIT).unwrap();
    let message = decode(&octets);
    assert!(message.link_address.is_unspecified());
    assert_eq!((message.hop_count, message.peer_address), (0, CLIENT));
    assert_eq!(message.interface_id(), Some(b"ge-0/0/7".as_slice()));
    assert_eq!(message.relayed(), Ok(Some(SOLICIT)));
    assert_eq!(codes(&message), [OptionCode::INTERFACE_ID, OptionCode::RELAY_MSG]);
}

// LDR-06
#[test]
fn what_is_configured_goes_with_it() {
    let mut bridge = bridge_with(|terms, access, _| {
        terms.relay_id = Some(wire::Duid::new(&[0, 3, 0, 1, 9]).unwrap());
        access.remote_id = Some(RemoteId { enterprise: 32473, value: b"line 7".as_slice().into() });
        access.subscriber_id = Some(b"customer".as_slice().into());
    });
    let arrival = Arrival { link_layer: ethernet(), ..from_client() };
    let octets = forward(&mut bridge, &arrival, SOLICIT).unwrap();
    let message = decode(&octets);
    let value = |code| message.options.first(code).unwrap_or_default();
    assert_eq!(value(OptionCode::REMOTE_ID), b"\0\0\x7e\xd9line 7");
    assert_eq!(value(OptionCode::SUBSCRIBER_ID), b"customer");
    assert_eq!(value(OptionCode::RELAY_ID), [0, 3, 0, 1, 9]);
    assert_eq!(value(OptionCode::CLIENT_LINKLAYER_ADDR), [0, 1, 2, 0, 0, 0, 1, 1]);
}

// LDR-09, LDR-13, LDR-14
#[test]
fn relays_are_heard_on_trusted_ports_and_counted() {
    let mut bridge = bridge();
    let inner = relay_forward(0, &[], SOLICIT);
    let untrusted = Arrival { source_port: 547, ..from_client() };
    assert_eq!(forward(&mut bridge, &untrusted, &inner), Err(Discard::RelayNotAccepted));
    for hop_count in 0..=8 {
        let inner = relay_forward(hop_count, &[], SOLICIT);
        let forwarded = forward(&mut bridge, &from_trusted(), &inner);
        let Ok(octets) = forwarded else {
            assert_eq!((hop_count, forwarded), (8, Err(Discard::HopLimit)));
            continue;
        };
        let message = decode(&octets);
        assert_eq!((message.hop_count, message.peer_address), (hop_count + 1, CLIENT));
        assert!(message.link_address.is_unspecified());
        assert_eq!(message.interface_id(), Some(b"ge-0/0/8".as_slice()));
        assert_eq!(message.relayed(), Ok(Some(inner.as_slice())));
    }
    assert_eq!(forward(&mut bridge, &from_trusted(), &inner[..33]), Err(Discard::Malformed));
    assert!(forward(&mut bridge, &from_trusted(), &inner[..34]).is_ok(), "a header is a message");
}

// LDR-11, LDR-12
#[test]
fn of_clients_everything_is_forwarded_but_what_servers_say() {
    let mut bridge = bridge();
    for message_type in 0..=255 {
        // Options that overrun, after as many octets as can be.
        let message = [&[message_type, 1, 2, 3], [0xff; 20].as_slice()].concat();
        let dropped = match message_type {
            2 | 7 | 10 | 15..=17 => Some(Discard::FromServer),
            13 => Some(Discard::RelayReplyFromClient),
            12 => Some(Discard::RelayNotAccepted),
            14 => Some(Discard::LeaseQuery),
            _ => None,
        };
        let forwarded = forward(&mut bridge, &from_client(), &message);
        match (dropped, forwarded) {
            (Some(reason), forwarded) => assert_eq!(forwarded, Err(reason), "type {message_type}"),
            (None, octets) => {
                assert_eq!(decode(&octets.unwrap()).relayed(), Ok(Some(message.as_slice())));
            }
        }
    }
    // Nor are those of what relays say.
    let nonsense = [relay_forward(0, &[], SOLICIT).as_slice(), &[0xff; 9]].concat();
    let octets = forward(&mut bridge, &from_trusted(), &nonsense).unwrap();
    assert_eq!(decode(&octets).relayed(), Ok(Some(nonsense.as_slice())));
}

#[test]
fn a_query_is_forwarded_from_where_one_may_ask() {
    let mut bridge = bridge_with(|_, access, _| access.rules.accepts_leasequery = true);
    let query = [&[14], &SOLICIT[1..]].concat();
    let octets = forward(&mut bridge, &from_client(), &query).unwrap();
    assert_eq!(decode(&octets).relayed(), Ok(Some(query.as_slice())));
}

#[test]
fn nothing_is_forwarded_of_which_no_answer_could_come_back() {
    let mut bridge = bridge();
    for source in ["::", "2001:db8::7", "ff02::1"] {
        let arrival = Arrival { source: address(source), ..from_client() };
        assert_eq!(forward(&mut bridge, &arrival, SOLICIT), Err(Discard::Malformed), "{source}");
    }
    let elsewhere = Arrival { interface_index: 99, ..from_client() };
    assert_eq!(forward(&mut bridge, &elsewhere, SOLICIT), Err(Discard::NotServed));
    assert_eq!(forward(&mut bridge, &from_client(), &[]), Err(Discard::Malformed));
    assert_eq!(forward(&mut bridge, &from_client(), &[1; 65_500]), Err(Discard::TooLong));
}

// LDR-16, LDR-17
#[test]
fn a_relay_reply_is_opened_on_the_port_that_it_names() {
    let bridge = bridge();
    for (interface_id, index) in [("ge-0/0/7", ACCESS), ("ge-0/0/8", OTHER)] {
        let octets = relay_reply("::", &[(OptionCode::INTERFACE_ID, interface_id.as_bytes())], REPLY);
        let delivery = bridge.deliver(&from_server(), &octets).unwrap();
        assert_eq!((delivery.octets, delivery.interface_index), (REPLY, index));
        assert_eq!((delivery.to, delivery.to_port, delivery.towards), (CLIENT, 546, Peer::Client));
        assert_eq!(bridge.ports().interface_id(delivery.port), interface_id.as_bytes());
    }
    let inner = relay_reply("::", &[], REPLY);
    let octets = relay_reply("::", &[AT_ACCESS], &inner);
    let delivery = bridge.deliver(&from_server(), &octets).unwrap();
    assert_eq!((delivery.octets, delivery.to_port, delivery.towards), (&inner[..], 547, Peer::Relay));
}

// LDR-15, LDR-16
#[test]
fn what_is_no_reply_to_something_of_ours_goes_nowhere() {
    let bridge = bridge();
    let refused = |arrival: &Arrival<'_>, octets: &[u8]| bridge.deliver(arrival, octets).unwrap_err();
    let good = relay_reply("::", &[AT_ACCESS], REPLY);
    for message_type in (0..=255).filter(|kind| *kind != MessageType::RelayReply as u8) {
        let octets = [&[message_type], &good[1..]].concat();
        let reason = refused(&from_server(), &octets);
        assert!([Discard::FromServer, Discard::NotServed].contains(&reason), "{message_type}: {reason}");
    }
    let no_port = |options: &[_]| refused(&from_server(), &relay_reply("::", options, REPLY));
    assert_eq!(no_port(&[(OptionCode::INTERFACE_ID, b"ge-0/0/9")]), Discard::NoPort);
    assert_eq!(no_port(&[]), Discard::NoPort);
    let with_link = relay_reply("2001:db8:1::1", &[AT_ACCESS], REPLY);
    assert_eq!(refused(&from_server(), &with_link), Discard::NotOurs);
    let for_another = Arrival { destination: address("fe80::9"), ..from_server() };
    assert_eq!(refused(&for_another, &good), Discard::NotOurs);
    let inside = [AT_ACCESS, (OptionCode::RELAY_MSG, REPLY)];
    let not_link_local = relay_message(MessageType::RelayReply, 0, "::", SERVER, &inside);
    let to_server = Arrival { destination: SERVER, ..from_server() };
    assert_eq!(refused(&to_server, &not_link_local), Discard::NotOurs);
    let empty = relay_message(MessageType::RelayReply, 0, "::", CLIENT, &[AT_ACCESS]);
    assert_eq!(refused(&from_server(), &empty), Discard::NothingInside);
    assert_eq!(refused(&from_server(), &good[..good.len() - 1]), Discard::Malformed);
    assert_eq!(refused(&from_server(), &[]), Discard::Malformed);
}

// LDR-17
#[test]
fn a_port_that_has_gone_is_sent_nothing() {
    let mut bridge = bridge();
    bridge.update(vec![paced(port(OTHER, "ge-0/0/8", 2), None)]);
    let octets = relay_reply("::", &[AT_ACCESS], REPLY);
    assert_eq!(bridge.deliver(&from_server(), &octets), Err(Discard::NoPort));
    bridge.update(vec![paced(port(12, "ge-0/0/7", 1), None)]);
    assert_eq!(bridge.deliver(&from_server(), &octets).map(|delivery| delivery.interface_index), Ok(12));
}

// LDR-20
#[test]
fn a_port_may_say_so_much_in_a_second_and_no_more() {
    const PER_SECOND: u32 = 50;
    let mut bridge = bridge_with(|_, _, per_second| *per_second = Some(PER_SECOND));
    let mut out = Vec::new();
    let mut forwarded = [0, 0];
    // A thousand in a second, for ten seconds, from each of two ports.
    for millis in 0..10_000 {
        for (port, interface_index) in [ACCESS, OTHER].into_iter().enumerate() {
            let arrival = Arrival { interface_index, ..from_client() };
            match bridge.forward(&arrival, SOLICIT, at(millis), &mut out) {
                Ok(_) => forwarded[port] += 1,
                Err(reason) => assert_eq!(reason, Discard::TooFast),
            }
        }
    }
    // The first second's worth is there from the beginning; the other port has no limit.
    assert_eq!(forwarded, [11 * PER_SECOND - 1, 10_000]);
    let mut says = |millis| bridge.forward(&from_client(), SOLICIT, at(millis), &mut out).is_ok();
    assert!(!says(9_999) && says(10_100), "as time passes it may speak again");
}

// LDR-20
#[test]
fn a_new_configuration_gives_nobody_a_new_allowance() {
    let one = |bridge: &mut Lightweight| {
        bridge.forward(&from_client(), SOLICIT, at(0), &mut Vec::new()).map(|forwarded| forwarded.from)
    };
    let mut bridge = bridge_with(|_, _, per_second| *per_second = Some(1));
    assert_eq!(one(&mut bridge), Ok(Peer::Client));
    let mut moved = port(ACCESS, "ge-0/0/7", 1);
    moved.name = "renamed".to_owned();
    bridge.update(vec![paced(moved.clone(), Some(1))]);
    assert_eq!(one(&mut bridge), Err(Discard::TooFast));
    bridge.update(vec![paced(moved, None)]);
    assert_eq!(one(&mut bridge), Ok(Peer::Client));
}

proptest! {
    // LDR-12, LDR-16
    #[test]
    fn whatever_comes_is_wrapped_or_dropped_and_comes_back_as_it_was(
        octets in proptest::collection::vec(any::<u8>(), 0..200),
        trusted in any::<bool>(),
    ) {
        let mut bridge = bridge();
        let _ = bridge.deliver(&from_server(), &octets);
        let arrival = if trusted { from_trusted() } else { from_client() };
        if let Ok(mut wrapped) = forward(&mut bridge, &arrival, &octets) {
            wrapped[0] = MessageType::RelayReply as u8;
            let delivery = bridge.deliver(&from_server(), &wrapped).unwrap();
            prop_assert_eq!(delivery.octets, octets.as_slice());
            prop_assert_eq!(delivery.interface_index, arrival.interface_index);
        }
    }
}
