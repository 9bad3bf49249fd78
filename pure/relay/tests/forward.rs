//! What clients and relays send, on its way to the servers.

use proptest::prelude::*;
use relay::{Arrival, Discard, EchoRequest, Peer, RemoteId, SuppliedOptions, Terms, UnsuitableOption};
use wire::{Duid, MessageType, OptionCode, Options, RawOption, RelayMessage};

use crate::kit::{
    ACCESS, CLIENT, OTHER, RELAY, RELAY_ID, Relay, SOLICIT, address, codes, ethernet, from_client,
    from_relay, port, relay_forward, relay_message,
};
use crate::vectors::vector;

/// Around the message of a client, with nothing configured: the header, and Interface-ID.
const AROUND_CLIENT: &str = "0c00 20010db8000100000000000000000001 fe80000000000000020000fffe000101 \
                             0012 0008 67652d302f302f37";

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn around_client(message: &[u8]) -> Vec<u8> {
    let length = u16::try_from(message.len()).unwrap().to_be_bytes();
    [&hex(AROUND_CLIENT), &[0, 9][..], &length, message].concat()
}

// REL-15, REL-17, REL-19, REL-30, REL-33, REL-25: the Solicit of the vector asks for a prefix, too.
#[test]
fn the_relay_of_the_vectors_forwards_octet_for_octet() {
    let expected = vector("V12");
    let solicit = RelayMessage::decode(&expected).unwrap().relayed().unwrap().unwrap();
    assert_eq!(solicit[0], MessageType::Solicit as u8);
    assert!(Options::new(&solicit[4..]).unwrap().has(OptionCode::IA_PD));
    let relay = Relay::with(|terms, port| {
        terms.relay_id = Some(Duid::new(RELAY_ID).unwrap());
        port.remote_id = Some(RemoteId { enterprise: 0x7ed9, value: b"port-7".as_slice().into() });
    });
    assert_eq!(relay.forward(&from_client(), solicit), Ok(expected));
}

// REL-08, REL-09, REL-15, REL-16, PDR-01
#[test]
fn what_clients_send_is_forwarded_as_it_is_known_or_not() {
    let relay = Relay::usual();
    let from_servers = [2, 7, 10, 15, 16, 17];
    let for_relays = [12, 13, 14];
    for message_type in (0..=255).filter(|kind| !from_servers.contains(kind) && !for_relays.contains(kind)) {
        let message = [&[message_type], &SOLICIT[1..]].concat();
        assert_eq!(relay.forward(&from_client(), &message), Ok(around_client(&message)), "{message_type}");
    }
}

// REL-13, REL-16
#[test]
fn what_is_inside_may_be_unknown_or_malformed() {
    let relay = Relay::usual();
    let unknown_option = [SOLICIT, &[0x27, 0x0f, 0, 2, 1, 2]].concat();
    let overrun = [SOLICIT, &[0, 1, 0, 200, 1]].concat();
    for message in [&unknown_option[..], &overrun, &[1], &[99, 1, 2], &[1, 2, 3, 4, 5]] {
        assert_eq!(relay.forward(&from_client(), message), Ok(around_client(message)));
    }
    assert_eq!(relay.forward(&from_client(), &[]), Err(Discard::Malformed));
}

// REL-10, REL-11
#[test]
fn what_only_servers_say_is_not_forwarded() {
    let relay = Relay::usual();
    for message_type in [2, 7, 10, 15, 16, 17] {
        let message = [&[message_type], &SOLICIT[1..]].concat();
        assert_eq!(relay.forward(&from_client(), &message), Err(Discard::FromServer), "{message_type}");
        assert_eq!(relay.deliver(&message), Err(Discard::FromServer), "{message_type}");
    }
    let reply = relay_message(MessageType::RelayReply, 0, "::", CLIENT, &[]);
    assert_eq!(relay.forward(&from_client(), &reply), Err(Discard::RelayReplyFromClient));
}

// REL-12, D-28
#[test]
fn a_leasequery_is_forwarded_only_from_where_one_may_ask() {
    let query = [&[14], &SOLICIT[1..]].concat();
    let unicast = Arrival { destination: address("2001:db8:1::1"), ..from_client() };
    let wrapped = relay_forward(0, &[], &relay_forward(0, &[], &query));
    let relay = Relay::usual();
    assert_eq!(relay.forward(&from_client(), &query), Err(Discard::LeaseQuery));
    assert_eq!(relay.forward(&unicast, &query), Err(Discard::LeaseQuery));
    assert_eq!(
        relay.forward(&from_relay(), &wrapped),
        Err(Discard::LeaseQuery),
        "anybody can play the relay"
    );

    let relay = Relay::with(|_, port| port.rules.accepts_leasequery = true);
    assert_eq!(relay.forward(&from_client(), &query), Ok(around_client(&query)));
    assert_eq!(relay.forward(&unicast, &query), Ok(around_client(&query)), "REL-14: excepted");
    assert!(relay.forward(&from_relay(), &wrapped).is_ok());
}

// REL-14
#[test]
fn what_a_client_sends_to_our_address_is_not_forwarded_unless_that_is_wanted() {
    let unicast = Arrival { destination: address("2001:db8:1::1"), ..from_client() };
    assert_eq!(Relay::usual().forward(&unicast, SOLICIT), Err(Discard::Unicast));
    let relay = Relay::with(|_, port| port.rules.accepts_unicast = true);
    assert_eq!(relay.forward(&unicast, SOLICIT), Ok(around_client(SOLICIT)));
}

// REL-18, REL-19
#[test]
fn the_link_address_is_what_the_port_has_and_interface_id_is_always_there() {
    for link_address in ["2001:db8:9::1", "fd00::1", "fe80::1", "::"] {
        let relay = Relay::with(|_, port| port.link_address = address(link_address));
        let octets = relay.forward(&from_client(), SOLICIT).unwrap();
        let forwarded = RelayMessage::decode(&octets).unwrap();
        assert_eq!(forwarded.link_address, address(link_address));
        assert_eq!(forwarded.interface_id(), Some(b"ge-0/0/7".as_slice()));
    }
}

// REL-20
#[test]
fn the_interface_id_outlives_the_number_of_the_interface() {
    let mut relay = Relay::usual();
    let before = relay.forward(&from_client(), SOLICIT);
    relay.ports.update(vec![port(OTHER, "ge-0/0/7", 1), port(ACCESS, "ge-0/0/8", 2)]);
    let after = relay.forward(&Arrival { interface_index: OTHER, ..from_client() }, SOLICIT);
    assert_eq!(before, after);
}

// REL-21
#[test]
fn the_link_layer_address_of_a_client_goes_with_what_comes_straight_from_it() {
    let relay = Relay::usual();
    let octets = relay.forward(&Arrival { link_layer: ethernet(), ..from_client() }, SOLICIT).unwrap();
    let forwarded = RelayMessage::decode(&octets).unwrap();
    let data = forwarded.options.first(OptionCode::CLIENT_LINKLAYER_ADDR);
    assert_eq!(data, Some([0, 1, 2, 0, 0, 0, 1, 1].as_slice()));

    let message = relay_forward(0, &[], SOLICIT);
    let octets = relay.forward(&Arrival { link_layer: ethernet(), ..from_relay() }, &message).unwrap();
    let forwarded = RelayMessage::decode(&octets).unwrap();
    assert_eq!(codes(&forwarded), [OptionCode::INTERFACE_ID, OptionCode::RELAY_MSG], "the relay's own");
}

// REL-09, REL-16, REL-22, REL-23
#[test]
fn a_relay_forward_is_wrapped_once_more_up_to_the_hop_limit() {
    let relay = Relay::usual();
    for hop_count in 0..8 {
        let message = relay_forward(hop_count, &[(OptionCode(9999), b"?")], SOLICIT);
        let octets = relay.forward(&from_relay(), &message).unwrap();
        let forwarded = RelayMessage::decode(&octets).unwrap();
        assert_eq!(forwarded.message_type, MessageType::RelayForward);
        assert_eq!((forwarded.hop_count, forwarded.peer_address), (hop_count + 1, RELAY));
        assert_eq!(forwarded.relayed(), Ok(Some(message.as_slice())));
    }
    for hop_count in [8, 9, 255] {
        let message = relay_forward(hop_count, &[], SOLICIT);
        assert_eq!(relay.forward(&from_relay(), &message), Err(Discard::HopLimit), "{hop_count}");
    }
}

// REL-22: who begins again at zero does not get round the limit.
#[test]
fn the_hop_limit_holds_for_levels_that_are_not_counted() {
    let nested =
        |levels: usize| (0..levels).fold(SOLICIT.to_vec(), |inside, _| relay_forward(0, &[], &inside));
    let relay = Relay::usual();
    assert!(relay.forward(&from_relay(), &nested(8)).is_ok());
    assert_eq!(relay.forward(&from_relay(), &nested(9)), Err(Discard::HopLimit));
    assert_eq!(relay.forward(&from_relay(), &nested(1500)), Err(Discard::HopLimit));
}

// REL-24, D-30
#[test]
fn the_link_is_ours_to_say_only_for_a_relay_without_an_address_of_its_own() {
    let link_local = Arrival { source: address("fe80::77"), ..from_relay() };
    let message = relay_forward(0, &[], SOLICIT);
    let cases = [
        (from_relay(), "2001:db8:9::1", "::"),
        (Arrival { source: address("fd00::77"), ..from_relay() }, "2001:db8:9::1", "::"),
        (link_local, "2001:db8:9::1", "2001:db8:9::1"),
        (link_local, "fd00::1", "fd00::1"),
        (link_local, "fe80::1", "::"),
    ];
    for (arrival, on_port, expected) in cases {
        let relay = Relay::with(|_, port| port.link_address = address(on_port));
        let octets = relay.forward(&arrival, &message).unwrap();
        let forwarded = RelayMessage::decode(&octets).unwrap();
        assert_eq!(forwarded.link_address, address(expected), "{arrival:?}");
        assert_eq!(forwarded.peer_address, arrival.source);
        assert_eq!(forwarded.interface_id(), Some(b"ge-0/0/7".as_slice()));
    }
}

#[test]
fn a_relay_is_heard_only_where_relays_are_expected() {
    let relay = Relay::with(|_, port| port.rules.accepts_relays = false);
    let message = relay_forward(0, &[], SOLICIT);
    assert_eq!(relay.forward(&from_relay(), &message), Err(Discard::RelayNotAccepted));
    let elsewhere = Arrival { interface_index: OTHER, ..from_relay() };
    assert!(relay.forward(&elsewhere, &message).is_ok());
    assert_eq!(
        relay.forward(&Arrival { interface_index: 99, ..from_relay() }, &message),
        Err(Discard::NotServed)
    );
    for length in 1..34 {
        assert_eq!(relay.forward(&elsewhere, &message[..length]), Err(Discard::Malformed), "{length}");
    }
}

#[test]
fn what_bears_our_relay_id_has_been_here_before() {
    let relay = Relay::with(|terms, _| terms.relay_id = Some(Duid::new(RELAY_ID).unwrap()));
    let bearing = |duid: &[u8], inside: &[u8]| relay_forward(0, &[(OptionCode::RELAY_ID, duid)], inside);
    let other: &[u8] = &[0, 3, 0, 1, 2, 0, 0, 0, 0xaa, 2];
    let own = Err(Discard::OwnRelayId);
    assert_eq!(relay.forward(&from_relay(), &bearing(RELAY_ID, SOLICIT)), own);
    assert_eq!(relay.forward(&from_relay(), &bearing(other, &bearing(RELAY_ID, SOLICIT))), own);
    assert!(relay.forward(&from_relay(), &bearing(other, SOLICIT)).is_ok());
    // As far as it can be read; and a second message is a message, too.
    let mut broken = bearing(other, &bearing(RELAY_ID, SOLICIT));
    broken.extend([0, 1, 0, 9]);
    assert_eq!(relay.forward(&from_relay(), &broken), own);
    let second = bearing(RELAY_ID, SOLICIT);
    let two = relay_forward(0, &[(OptionCode::RELAY_MSG, SOLICIT)], &second);
    assert_eq!(relay.forward(&from_relay(), &two), own);
    // What a client has in its own message is its own affair.
    let inside = [SOLICIT, &[0, 53, 0, 10], RELAY_ID].concat();
    assert!(relay.forward(&from_relay(), &bearing(other, &inside)).is_ok());
}

// REL-35, REL-36, D-33
#[test]
fn relay_port_is_there_when_a_reply_would_not_find_its_way_without_it() {
    let usual = Relay::usual();
    let unusual = Relay::with(|terms, _| terms.source_port = 1000);
    let at = |source_port| Arrival { source_port, ..from_relay() };
    let wrapped = relay_forward(0, &[], SOLICIT);
    let cases = [
        (&usual, from_client(), SOLICIT, None),
        (&usual, Arrival { source_port: 50_000, ..from_client() }, SOLICIT, None),
        (&usual, at(547), &wrapped, None),
        (&usual, at(1000), &wrapped, Some(1000)),
        (&unusual, from_client(), SOLICIT, Some(0)),
        (&unusual, at(547), &wrapped, Some(0)),
        (&unusual, at(2000), &wrapped, Some(2000)),
    ];
    for (relay, arrival, message, expected) in cases {
        let octets = relay.forward(&arrival, message).unwrap();
        let forwarded = RelayMessage::decode(&octets).unwrap();
        let data = forwarded.options.first(OptionCode::RELAY_PORT);
        assert_eq!(data, expected.map(u16::to_be_bytes).as_ref().map(<[u8; 2]>::as_slice), "{arrival:?}");
    }
}

// REL-33, REL-34, REL-39
#[test]
fn what_is_configured_goes_with_what_is_forwarded() {
    let relay = Relay::with(|terms, port| {
        terms.echo_request = EchoRequest::new([OptionCode::REMOTE_ID, OptionCode::SUBSCRIBER_ID]).unwrap();
        terms.supplied = SuppliedOptions::new([local_domain()]).unwrap();
        port.remote_id = Some(RemoteId { enterprise: 9, value: b"r".as_slice().into() });
        port.subscriber_id = Some(b"s".as_slice().into());
    });
    for (arrival, message) in
        [(from_client(), SOLICIT.to_vec()), (from_relay(), relay_forward(0, &[], SOLICIT))]
    {
        let octets = relay.forward(&arrival, &message).unwrap();
        let options = RelayMessage::decode(&octets).unwrap().options;
        assert_eq!(options.first(OptionCode::REMOTE_ID), Some(b"\0\0\0\x09r".as_slice()));
        assert_eq!(options.first(OptionCode::SUBSCRIBER_ID), Some(b"s".as_slice()));
        assert_eq!(options.first(OptionCode::ERO), Some([0, 37, 0, 38].as_slice()));
        assert_eq!(options.first(OptionCode::RSOO), Some([0, 65, 0, 3, 1, b'a', 0].as_slice()));
        assert_eq!(options.iter().last().unwrap().code, OptionCode::RELAY_MSG);
    }
}

fn local_domain() -> RawOption<'static> {
    RawOption { code: OptionCode::ERP_LOCAL_DOMAIN_NAME, data: b"\x01a\0" }
}

// REL-34, REL-40
#[test]
fn what_relays_may_not_supply_or_ask_for_cannot_be_configured() {
    let supply = |code, data| SuppliedOptions::new([local_domain(), RawOption { code, data }]);
    let dns = OptionCode::DNS_SERVERS;
    assert_eq!(supply(dns, &[1; 16]), Err(UnsuitableOption::NotSuppliable(dns)));
    assert_eq!(supply(local_domain().code, &[0; 600]), Err(UnsuitableOption::TooMuch));
    assert_eq!(supply(local_domain().code, &[0; 70_000]), Err(UnsuitableOption::TooMuch));

    for code in [OptionCode::INTERFACE_ID, OptionCode::RELAY_PORT, OptionCode::RELAY_MSG, OptionCode::ERO] {
        let asked = EchoRequest::new([OptionCode::REMOTE_ID, code]);
        assert_eq!(asked, Err(UnsuitableOption::NotEchoable(code)));
    }
    assert_eq!(EchoRequest::new([OptionCode::REMOTE_ID; 65]), Err(UnsuitableOption::TooMuch));
}

// REL-41
#[test]
fn supplied_options_on_any_level_may_be_unwanted() {
    let supplying = relay_forward(0, &[(OptionCode::RSOO, &[])], SOLICIT);
    let deep = relay_forward(2, &[], &relay_forward(1, &[], &supplying));
    let without = relay_forward(1, &[], &relay_forward(0, &[], SOLICIT));
    let relay = Relay::with(|terms, _| terms.refuses_supplied_options = true);
    assert_eq!(relay.forward(&from_relay(), &supplying), Err(Discard::SuppliedOptions));
    assert_eq!(relay.forward(&from_relay(), &deep), Err(Discard::SuppliedOptions));
    assert!(relay.forward(&from_relay(), &without).is_ok());
    assert!(Relay::usual().forward(&from_relay(), &deep).is_ok());
}

#[test]
fn what_gets_too_long_is_not_sent() {
    let relay = Relay::usual();
    let added = around_client(&[]).len();
    let message = |length| vec![1; length];
    let longest = 65_527 - added;
    assert_eq!(relay.forward(&from_client(), &message(longest)).map(|octets| octets.len()), Ok(65_527));
    for length in [longest + 1, 65_535, 65_536, 70_000] {
        assert_eq!(relay.forward(&from_client(), &message(length)), Err(Discard::TooLong), "{length}");
    }
}

#[test]
fn a_sender_that_cannot_be_answered_is_not_heard() {
    for source in ["::", "ff02::1"] {
        let arrival = Arrival { source: address(source), ..from_client() };
        assert_eq!(Relay::usual().forward(&arrival, SOLICIT), Err(Discard::Malformed));
    }
}

#[test]
fn it_is_told_where_a_message_came_in_and_from_whom() {
    let relay = Relay::usual();
    let told = |arrival: &Arrival<'_>, message: &[u8]| {
        relay::forward(&relay.terms, &relay.ports, arrival, message, &mut Vec::new()).unwrap()
    };
    let (client, behind) =
        (told(&from_client(), SOLICIT), told(&from_relay(), &relay_forward(0, &[], SOLICIT)));
    assert_eq!((client.from, behind.from), (Peer::Client, Peer::Relay));
    assert_eq!(relay.ports.interface_id(client.port), b"ge-0/0/7");
}

proptest! {
    /// Whatever arrives, and however it claims to be nested: forwarded as it is, or dropped.
    #[test]
    fn any_octets_are_forwarded_whole_or_dropped(
        first in prop_oneof![Just(12_u8), any::<u8>()],
        rest in proptest::collection::vec(prop_oneof![Just(0_u8), Just(9), Just(12), any::<u8>()], 0..200),
        refuses_supplied_options in any::<bool>(),
    ) {
        let relay = Relay::with(|terms, _| {
            *terms = Terms { refuses_supplied_options, relay_id: Duid::new(RELAY_ID).ok(), ..Terms::default() };
        });
        let message = [&[first][..], &rest].concat();
        for arrival in [from_client(), from_relay()] {
            if let Ok(octets) = relay.forward(&arrival, &message) {
                let forwarded = RelayMessage::decode(&octets).unwrap();
                prop_assert_eq!(forwarded.relayed(), Ok(Some(message.as_slice())));
            }
        }
    }
}
