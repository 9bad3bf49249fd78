//! What servers send, on its way to clients and relays.

use proptest::prelude::*;
use relay::{Discard, Peer, Port};
use wire::{MessageType, OptionCode};

use crate::kit::{
    ACCESS, CLIENT, OTHER, RELAY, Relay, SERVER, SOLICIT, address, from_client, port, relay_forward,
    relay_message, relay_reply,
};

const REPLY: &[u8] = &[7, 0x5c, 0xa1, 0xab, 0, 1, 0, 200, 1];
const AT_ACCESS: (OptionCode, &[u8]) = (OptionCode::INTERFACE_ID, b"ge-0/0/7");

// REL-26, REL-27, REL-29, PDR-02
#[test]
fn what_is_inside_goes_to_the_client_as_it_is_whatever_it_is() {
    let relay = Relay::usual();
    for message_type in (0..=255).filter(|kind| *kind != MessageType::RelayReply as u8) {
        let message = [&[message_type], &REPLY[1..]].concat();
        let unknown = (OptionCode(9999), b"?".as_slice());
        let octets = relay_reply("::", &[unknown, AT_ACCESS], &message);
        let delivery = relay.deliver(&octets).unwrap();
        assert_eq!(delivery.octets, message);
        assert_eq!((delivery.to, delivery.to_port), (CLIENT, 546));
        assert_eq!((delivery.interface_index, delivery.towards), (ACCESS, Peer::Client));
        assert_eq!(relay.ports.interface_id(delivery.port), b"ge-0/0/7");
    }
}

// REL-28, D-32
#[test]
fn the_port_is_the_one_of_the_interface_id_or_else_of_the_link_address() {
    let relay = Relay::usual();
    let port_of = |link: &str, options: &[(OptionCode, &[u8])]| {
        relay.deliver(&relay_reply(link, options, REPLY)).map(|delivery| delivery.interface_index)
    };
    let at_other = (OptionCode::INTERFACE_ID, b"ge-0/0/8".as_slice());
    assert_eq!(port_of("2001:db8:1::1", &[at_other]), Ok(OTHER));
    assert_eq!(port_of("2001:db8:1::1", &[]), Ok(ACCESS));
    assert_eq!(port_of("2001:db8:2::1", &[]), Ok(OTHER));
    assert_eq!(port_of("2001:db8:3::1", &[]), Err(Discard::NoPort));
    assert_eq!(port_of("::", &[]), Err(Discard::NoPort));
    let nowhere = (OptionCode::INTERFACE_ID, b"ge-0/0/9".as_slice());
    assert_eq!(port_of("2001:db8:1::1", &[nowhere]), Err(Discard::NoPort));
    assert_eq!(port_of("2001:db8:1::1", &[(OptionCode::INTERFACE_ID, b"")]), Err(Discard::NoPort));
}

// REL-28
#[test]
fn no_address_names_no_port_though_one_port_has_none() {
    let relay = Relay::with(|_, port| {
        port.link_address = address("::");
        port.addresses = vec![address("::")];
    });
    assert_eq!(relay.deliver(&relay_reply("::", &[], REPLY)), Err(Discard::NoPort));
    assert_eq!(relay.deliver(&relay_reply("::", &[AT_ACCESS], REPLY)).unwrap().interface_index, ACCESS);
}

// REL-19, REL-28
#[test]
fn an_address_that_two_ports_share_names_neither() {
    let mut relay = Relay::usual();
    relay.ports.update(vec![
        port(ACCESS, "ge-0/0/7", 1),
        Port { index: OTHER, interface_id: b"ge-0/0/8".as_slice().into(), ..port(OTHER, "", 1) },
    ]);
    for (interface_id, index) in [("ge-0/0/7", ACCESS), ("ge-0/0/8", OTHER)] {
        let named = [(OptionCode::INTERFACE_ID, interface_id.as_bytes())];
        let octets = relay_reply("2001:db8:1::1", &named, REPLY);
        assert_eq!(relay.deliver(&octets).unwrap().interface_index, index);
    }
    assert_eq!(relay.deliver(&relay_reply("2001:db8:1::1", &[], REPLY)), Err(Discard::NoPort));
}

// REL-28
#[test]
fn a_port_that_is_gone_gets_nothing_until_it_is_back_under_whatever_number() {
    let mut relay = Relay::usual();
    let octets = relay_reply("2001:db8:1::1", &[AT_ACCESS], REPLY);
    relay.ports.update(vec![port(OTHER, "ge-0/0/8", 2)]);
    assert_eq!(relay.deliver(&octets), Err(Discard::NoPort));
    relay.ports.update(vec![port(70, "ge-0/0/7", 1)]);
    assert_eq!(relay.deliver(&octets).unwrap().interface_index, 70);
}

// REL-26, REL-37, REL-38: and what goes to a client has no RELAY_PORT that was not in it before.
#[test]
fn a_relay_gets_its_relay_reply_at_the_port_it_sent_from() {
    let relay = Relay::usual();
    let inside = relay_reply("::", &[], REPLY);
    let port_for = |value: &[u8], message: &[u8]| {
        let octets = relay_reply("::", &[AT_ACCESS, (OptionCode::RELAY_PORT, value)], message);
        relay.deliver(&octets).map(|delivery| (delivery.towards, delivery.to_port))
    };
    assert_eq!(port_for(&1000_u16.to_be_bytes(), &inside), Ok((Peer::Relay, 1000)));
    assert_eq!(port_for(&[0, 0], &inside), Ok((Peer::Relay, 547)));
    assert_eq!(port_for(&[1], &inside), Ok((Peer::Relay, 547)));
    assert_eq!(port_for(&[0, 0], REPLY), Ok((Peer::Client, 546)));
    assert_eq!(port_for(&1000_u16.to_be_bytes(), REPLY), Ok((Peer::Client, 546)));
    let octets = relay_reply("::", &[AT_ACCESS], &inside);
    let delivery = relay.deliver(&octets).unwrap();
    assert_eq!((delivery.to_port, delivery.octets), (547, inside.as_slice()));
    let octets = relay_reply("::", &[AT_ACCESS, (OptionCode::RELAY_PORT, &[0, 0])], REPLY);
    assert_eq!(relay.deliver(&octets).unwrap().octets, REPLY);
}

#[test]
fn only_who_is_on_the_link_for_certain_is_sent_to_by_the_port() {
    let relay = Relay::usual();
    let inside = relay_reply("::", &[], REPLY);
    let cases = [
        ("fe80::1", REPLY, ACCESS),
        ("2001:db8:1::5", REPLY, ACCESS),
        ("fe80::1", &inside[..], ACCESS),
        ("2001:db8:77::1", &inside[..], 0),
    ];
    for (peer_address, message, interface_index) in cases {
        let options = [AT_ACCESS, (OptionCode::RELAY_MSG, message)];
        let octets = relay_message(MessageType::RelayReply, 0, "::", address(peer_address), &options);
        let delivery = relay.deliver(&octets).unwrap();
        assert_eq!(delivery.interface_index, interface_index, "{peer_address}");
        assert_eq!(delivery.to, address(peer_address));
    }
}

#[test]
fn where_all_servers_are_known_nobody_else_is_heard() {
    let octets = relay_reply("::", &[AT_ACCESS], REPLY);
    assert!(Relay::usual().deliver_from(RELAY, &octets).is_ok());
    let relay = Relay::with(|terms, _| terms.accepted_servers = vec![address("2001:db8::5"), SERVER]);
    assert_eq!(relay.deliver_from(RELAY, &octets), Err(Discard::UnknownServer));
    assert!(relay.deliver_from(SERVER, &octets).is_ok());
}

#[test]
fn what_cannot_be_unwrapped_goes_no_further() {
    let relay = Relay::usual();
    let bare = |peer_address, options: &[(OptionCode, &[u8])]| {
        relay_message(MessageType::RelayReply, 0, "::", address(peer_address), options)
    };
    assert_eq!(relay.deliver(&[]), Err(Discard::Malformed));
    assert_eq!(relay.deliver(SOLICIT), Err(Discard::NotServed));
    assert_eq!(relay.deliver(&[99]), Err(Discard::NotServed));
    assert_eq!(relay.deliver(&relay_forward(0, &[AT_ACCESS], REPLY)), Err(Discard::NotServed));
    assert_eq!(relay.deliver(&bare("fe80::1", &[AT_ACCESS])), Err(Discard::NothingInside));
    assert_eq!(relay.deliver(&relay_reply("::", &[AT_ACCESS], &[])), Err(Discard::NothingInside));
    let twice = relay_reply("::", &[AT_ACCESS, (OptionCode::RELAY_MSG, SOLICIT)], REPLY);
    assert_eq!(relay.deliver(&twice), Err(Discard::Malformed));
    for nobody in ["::", "ff02::1"] {
        let octets = bare(nobody, &[AT_ACCESS, (OptionCode::RELAY_MSG, REPLY)]);
        assert_eq!(relay.deliver(&octets), Err(Discard::Malformed), "{nobody}");
    }
    let whole = relay_reply("::", &[AT_ACCESS], REPLY);
    for length in 1..34 {
        assert_eq!(relay.deliver(&whole[..length]), Err(Discard::Malformed), "{length}");
    }
    for length in 34..whole.len() {
        assert!(relay.deliver(&whole[..length]).is_err(), "{length}");
    }
}

// Clients and relays listen elsewhere where nobody has the privilege to open the usual ports.
#[test]
fn the_usual_ports_may_be_others() {
    let relay = Relay::with(|terms, _| {
        (terms.client_port, terms.relay_port, terms.source_port) = (10_546, 10_547, 10_547);
    });
    let delivered = relay_reply("::", &[AT_ACCESS], REPLY);
    assert_eq!(relay.deliver(&delivered).unwrap().to_port, 10_546);
    let delivered = relay_reply("::", &[AT_ACCESS], &delivered);
    assert_eq!(relay.deliver(&delivered).unwrap().to_port, 10_547);
    let forwarded = relay.forward(&from_client(), SOLICIT).unwrap();
    assert!(!wire::RelayMessage::decode(&forwarded).unwrap().options.has(OptionCode::RELAY_PORT));
}

proptest! {
    /// Whatever arrives: what is delivered was inside.
    #[test]
    fn any_octets_are_unwrapped_or_dropped(
        first in prop_oneof![Just(13_u8), any::<u8>()],
        header in proptest::collection::vec(any::<u8>(), 33),
        options in proptest::collection::vec(prop_oneof![Just(0_u8), Just(9), Just(18), any::<u8>()], 0..100),
    ) {
        let relay = Relay::usual();
        let interface_id = [0, 18, 0, 8].iter().chain(b"ge-0/0/7").copied();
        let octets: Vec<u8> = [first].into_iter().chain(header).chain(interface_id).chain(options).collect();
        if let Ok(delivery) = relay.deliver(&octets) {
            prop_assert!(octets.windows(delivery.octets.len()).any(|window| window == delivery.octets));
        }
    }
}
