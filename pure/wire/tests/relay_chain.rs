//! Relay-forwards inside one another: unwrapped, remembered as a path without the client's
//! message, and searched for what relays say of the client.

use wire::limits::{HOP_COUNT_LIMIT, MAX_RELAY_DEPTH};
use wire::{
    DecodeError, LinkLayerAddress, Message, MessageType, OptionCode, Options, RawOption, RelayChain,
    RelayMessage,
};

#[path = "support/relays.rs"]
mod relays;
#[path = "support/vectors.rs"]
mod vectors;

use relays::relay_forward;
use vectors::vector;

const CLIENTS_MESSAGE: &[u8] = &[1, 0x5c, 0xa1, 0xab, 0, 8, 0, 2, 0, 0];

// LQ-S-33: the innermost RELAY_MSG goes, header and all; the rest stays as it was.
#[test]
fn the_path_of_one_relay_is_its_message_without_the_clients() {
    let relayed = vector("V12");
    let (chain, solicit) = RelayChain::decode(&relayed).unwrap();
    let without_message = &relayed[..relayed.len() - 4 - solicit.len()];
    assert_eq!(path(&chain), without_message);
    assert!(!chain.innermost().options.is_empty());
}

// LQ-S-32, LQ-S-33: V22 is a chain like V12 behind a second relay.
#[test]
fn the_path_of_two_relays_keeps_the_outer_relay_message_with_its_length_corrected() {
    let (inner, path_of_v22) = (vector("V12"), &vector("V22")[4 + 16..]);
    let outer = relay_forward(1, |w| w.raw_option(OptionCode::RELAY_MSG, &inner));
    let (chain, solicit) = RelayChain::decode(&outer).unwrap();
    assert_eq!(chain.hops().len(), 2);
    assert_eq!(solicit[0], MessageType::Solicit as u8);

    let path = path(&chain);
    assert_eq!(path.len(), outer.len() - 4 - solicit.len());
    let shape = |octets| {
        let chain = RelayChain::decode_path(octets).unwrap();
        chain.hops().iter().map(|hop| (hop.hop_count, codes_and_lengths(hop.options))).collect::<Vec<_>>()
    };
    assert_eq!(shape(&path), shape(path_of_v22));
    assert_eq!(RelayChain::decode_path(&path).unwrap().innermost().options, without_relay_message(&inner));
}

// LQ-S-33: options behind the relayed message, as dibbler's relay sends them, keep place and octets.
#[test]
fn options_on_both_sides_of_the_relayed_message_stay() {
    let before = [(OptionCode::INTERFACE_ID, b"ge-0/0/7".as_slice()), (OptionCode(65_000), b"\0\xff")];
    let behind = [(OptionCode::REMOTE_ID, b"\0\0\x7e\xd9port-7".as_slice()), (OptionCode(65_000), b"again")];
    let both = |message: &[u8]| {
        relay_forward(0, |w| {
            before.iter().for_each(|(code, data)| w.raw_option(*code, data));
            if !message.is_empty() {
                w.raw_option(OptionCode::RELAY_MSG, message);
            }
            behind.iter().for_each(|(code, data)| w.raw_option(*code, data));
        })
    };
    let (inner, outer) = (both(CLIENTS_MESSAGE), both(&both(CLIENTS_MESSAGE)));
    assert_eq!(path(&RelayChain::decode(&inner).unwrap().0), both(&[]));
    assert_eq!(path(&RelayChain::decode(&outer).unwrap().0), both(&both(&[])));
}

#[test]
fn a_path_is_its_own_path() {
    let octets = &vector("V22")[4 + 16..];
    assert_eq!(path(&RelayChain::decode_path(octets).unwrap()), octets);
}

// DH-V-28: nine levels pass, ten do not.
#[test]
fn as_many_relays_as_the_hop_limit_allows_and_one_more() {
    let deepest = chain_of(HOP_COUNT_LIMIT + 1, CLIENTS_MESSAGE);
    let (chain, message) = RelayChain::decode(&deepest).unwrap();
    assert_eq!((chain.hops().len(), message), (9, CLIENTS_MESSAGE));
    assert_eq!((chain.outermost().hop_count, chain.innermost().hop_count), (8, 0), "outermost first");
    assert_eq!(RelayChain::decode_path(&path(&chain)).unwrap().hops().len(), 9);
    let deeper = chain_of(HOP_COUNT_LIMIT + 2, CLIENTS_MESSAGE);
    assert_eq!(RelayChain::decode(&deeper), Err(DecodeError::TooManyRelays));
}

#[test]
fn a_path_that_was_stored_long_ago_may_be_longer() {
    let path_of = |relays| chain_of(relays - 1, &relay_forward(0, |_| {}));
    let longest = path_of(MAX_RELAY_DEPTH);
    assert_eq!(RelayChain::decode_path(&longest).unwrap().hops().len(), MAX_RELAY_DEPTH);
    let longer = path_of(MAX_RELAY_DEPTH + 1);
    assert_eq!(RelayChain::decode_path(&longer), Err(DecodeError::TooManyRelays));
}

fn chain_of(relays: usize, inside: &[u8]) -> Vec<u8> {
    (0..relays).fold(inside.to_vec(), |inside, hop| {
        relay_forward(hop as u8, |w| w.raw_option(OptionCode::RELAY_MSG, &inside))
    })
}

// DH-V-28
#[test]
fn what_is_no_chain_is_refused_with_the_reason() {
    let refused = |octets: &[u8]| RelayChain::decode(octets).unwrap_err();
    assert_eq!(refused(CLIENTS_MESSAGE), DecodeError::NotRelayed);
    assert_eq!(refused(&[]), DecodeError::Truncated);
    assert_eq!(refused(&[99; 40]), DecodeError::UnknownMessageType(99));
    assert_eq!(refused(&relay_forward(0, |_| {})), DecodeError::MissingRelayMessage);

    let mut relay_reply = vector("V12");
    relay_reply[0] = MessageType::RelayReply as u8;
    assert_eq!(refused(&relay_reply), DecodeError::NotRelayed, "servers receive no Relay-reply");

    let twice = relay_forward(0, |w| {
        w.raw_option(OptionCode::RELAY_MSG, CLIENTS_MESSAGE);
        w.raw_option(OptionCode::RELAY_MSG, CLIENTS_MESSAGE);
    });
    assert_eq!(refused(&twice), DecodeError::Duplicate(OptionCode::RELAY_MSG));

    let broken_inside = relay_forward(1, |w| w.raw_option(OptionCode::RELAY_MSG, &[12, 0, 1]));
    assert_eq!(refused(&broken_inside), DecodeError::Truncated);
}

#[test]
fn a_path_that_still_holds_a_message_is_none() {
    assert_eq!(RelayChain::decode_path(&vector("V12")), Err(DecodeError::NotRelayed));
    assert_eq!(RelayChain::decode_path(CLIENTS_MESSAGE), Err(DecodeError::NotRelayed));
}

#[test]
fn identifiers_that_cannot_be_right_are_ignored() {
    let octets = relay_forward(0, |w| {
        w.raw_option(OptionCode::REMOTE_ID, b"\0\0\x7e\xd9");
        w.raw_option(OptionCode::RELAY_ID, b"\0\x03");
    });
    let relay = RelayMessage::decode(&octets).unwrap();
    assert_eq!((relay.remote_id(), relay.relay_id(), relay.interface_id()), (None, None, None));

    let twice = relay_forward(0, |w| {
        w.raw_option(OptionCode::REMOTE_ID, b"\0\0\x7e\xd9a");
        w.raw_option(OptionCode::REMOTE_ID, b"\0\0\x7e\xd9b");
    });
    assert_eq!(RelayMessage::decode(&twice).unwrap().remote_id(), None);
}

/// What may be supplied and what may not is the server's affair: all of it is told.
const LOCAL_DOMAIN: OptionCode = OptionCode::ERP_LOCAL_DOMAIN_NAME;

// DH-O-10, DH-O-11
#[test]
fn of_what_relays_supply_the_innermost_comes_first() {
    let octets = relays_with(
        &[(OptionCode::RSOO, &[0, 65, 0, 2, b'o', b'1', 0, 66, 0, 0])],
        &[(OptionCode::RSOO, &[0, 23, 0, 0, 0, 65, 0, 2, b'i', b'1', 0, 65, 0, 2, b'i', b'2'])],
    );
    let (chain, _) = RelayChain::decode(&octets).unwrap();
    let supplied: Vec<_> = chain.supplied_options().collect();
    let option = |code, data| RawOption { code, data };
    let inner =
        [option(OptionCode::DNS_SERVERS, b""), option(LOCAL_DOMAIN, b"i1"), option(LOCAL_DOMAIN, b"i2")];
    let outer = [option(LOCAL_DOMAIN, b"o1"), option(OptionCode::RSOO, b"")];
    assert_eq!(supplied, [&inner[..], &outer].concat());
    assert_eq!(chain.supplied(LOCAL_DOMAIN), Some(b"i1".as_slice()));
    assert_eq!(chain.supplied(OptionCode::AFTR_NAME), None);
}

// DH-O-11: the relay behind it is asked instead.
#[test]
fn a_relay_that_supplies_garbage_supplies_nothing() {
    let octets = relays_with(
        &[(OptionCode::RSOO, &[0, 65, 0, 1, b'o'])],
        &[(OptionCode::RSOO, &[0, 65, 0, 1, b'i', 0, 65, 0, 9, 0])],
    );
    let (chain, _) = RelayChain::decode(&octets).unwrap();
    assert_eq!(chain.supplied(LOCAL_DOMAIN), Some(b"o".as_slice()));
    assert!(chain.innermost().supplied_options().is_empty());
}

// DH-V-26: what the client itself says of it is not asked.
#[test]
fn the_relay_nearest_to_the_client_tells_its_link_layer_address() {
    let told = |outer: &[u8], inner: &[u8]| {
        let code = OptionCode::CLIENT_LINKLAYER_ADDR;
        let octets = relays_with(&[(code, outer)], &[(code, inner)]);
        let (chain, _) = RelayChain::decode(&octets).unwrap();
        chain.client_link_layer_address().map(|told| (told.hardware_type, told.address.to_vec()))
    };
    assert_eq!(told(&[0, 1, 9], &[0, 1, 2, 0, 0, 0, 1, 1]), Some((1, vec![2, 0, 0, 0, 1, 1])));
    assert_eq!(told(&[0, 1, 9], &[0, 1]), None, "the outer relay has seen a relay, not the client");

    let octets = relays_with(&[(OptionCode::CLIENT_LINKLAYER_ADDR, &[0, 6, 7])], &[]);
    let (chain, _) = RelayChain::decode(&octets).unwrap();
    let outer = LinkLayerAddress { hardware_type: 6, address: &[7] };
    assert_eq!(chain.outermost().client_link_layer_address(), Some(outer));
    assert_eq!(chain.client_link_layer_address(), None);
}

// DH-X-06: that it is there says it, not which port.
#[test]
fn the_outermost_relay_says_whether_the_source_port_matters() {
    let wants = |outer: &[(OptionCode, &[u8])], inner: &[(OptionCode, &[u8])]| {
        RelayChain::decode(&relays_with(outer, inner)).unwrap().0.wants_source_port()
    };
    let port = [(OptionCode::RELAY_PORT, [0, 0].as_slice())];
    assert!(wants(&port, &[]) && wants(&port, &port));
    assert!(!wants(&[], &port) && !wants(&[], &[]));
}

/// Two relays with these options in front of the message they relay.
fn relays_with(outer: &[(OptionCode, &[u8])], inner: &[(OptionCode, &[u8])]) -> Vec<u8> {
    let level = |hop_count, options: &[(OptionCode, &[u8])], inside: &[u8]| {
        relay_forward(hop_count, |w| {
            options.iter().for_each(|(code, data)| w.raw_option(*code, data));
            w.raw_option(OptionCode::RELAY_MSG, inside);
        })
    };
    level(1, outer, &level(0, inner, CLIENTS_MESSAGE))
}

fn path(chain: &RelayChain<'_>) -> Vec<u8> {
    let mut octets = Vec::new();
    chain.encode_path(&mut octets).unwrap();
    octets
}

fn codes_and_lengths(options: Options<'_>) -> Vec<(OptionCode, usize)> {
    options.iter().map(|option| (option.code, option.data.len())).collect()
}

/// The options of V12, which end with RELAY_MSG, without it.
fn without_relay_message(relayed: &[u8]) -> Options<'_> {
    let Ok(Message::Relay(relay)) = Message::decode(relayed) else { panic!("no relay message") };
    let message = relay.relayed().unwrap().unwrap();
    let octets = relay.options.octets();
    Options::new(&octets[..octets.len() - 4 - message.len()]).unwrap()
}
