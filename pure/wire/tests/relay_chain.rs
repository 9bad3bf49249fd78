//! Relay-forwards inside one another: unwrapped, remembered as a path without the client's
//! message, and answered level by level.

use wire::limits::MAX_RELAY_DEPTH;
use wire::{
    DecodeError, Message, MessageType, OptionCode, Options, RelayChain, RelayMessage, TooLong, Writer,
};

#[path = "support/vectors.rs"]
mod vectors;

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

#[test]
fn a_reply_goes_back_through_each_relay_with_what_that_relay_needs() {
    let inner = relay_forward(0, |w| {
        w.raw_option(OptionCode::RELAY_MSG, CLIENTS_MESSAGE);
        w.raw_option(OptionCode::RELAY_PORT, &50_000_u16.to_be_bytes());
        w.raw_option(OptionCode::REMOTE_ID, b"\0\0\x7e\xd9port-7");
        w.raw_option(OptionCode::INTERFACE_ID, b"customer");
    });
    let outer = relay_forward(1, |w| {
        w.raw_option(OptionCode::INTERFACE_ID, b"uplink");
        w.raw_option(OptionCode::RELAY_MSG, &inner);
    });
    let mut octets = b"before".to_vec();
    let (chain, _) = RelayChain::decode(&outer).unwrap();
    chain.encode_reply(b"\x07abc", &mut octets).unwrap();
    let octets = octets.strip_prefix(b"before").expect("what was there stays");

    let [to_outer, to_inner] = chain.hops() else { panic!("{chain:?}") };
    let reply = relay_reply(octets, to_outer);
    assert_eq!(codes_and_lengths(reply.options)[0], (OptionCode::INTERFACE_ID, 6));
    assert_eq!(reply.options.first(OptionCode::RELAY_PORT), None);
    let reply = relay_reply(reply.relayed().unwrap().unwrap(), to_inner);
    assert_eq!(reply.interface_id(), Some(b"customer".as_slice()));
    assert_eq!(reply.options.first(OptionCode::RELAY_PORT), Some(50_000_u16.to_be_bytes().as_slice()));
    assert_eq!(reply.remote_id(), None, "told by the relay to the server, and not back");
    assert_eq!(reply.relayed(), Ok(Some(b"\x07abc".as_slice())));
}

/// A Relay-reply that mirrors the header of `to`.
fn relay_reply<'a>(octets: &'a [u8], to: &RelayMessage<'_>) -> RelayMessage<'a> {
    let reply = RelayMessage::decode(octets).unwrap();
    assert_eq!(reply.message_type, MessageType::RelayReply);
    assert_eq!((reply.hop_count, reply.link_address), (to.hop_count, to.link_address));
    assert_eq!(reply.peer_address, to.peer_address);
    reply
}

#[test]
fn a_reply_too_long_for_its_relay_message_is_not_sent() {
    let relayed = vector("V12");
    let (chain, _) = RelayChain::decode(&relayed).unwrap();
    let mut octets = Vec::new();
    assert_eq!(chain.encode_reply(&[7; 65_535], &mut octets), Ok(()));
    assert_eq!(chain.encode_reply(&[7; 65_536], &mut octets), Err(TooLong));
}

#[test]
fn as_many_relays_as_allowed_and_one_more() {
    let chain_of = |relays: usize| {
        (0..relays).fold(CLIENTS_MESSAGE.to_vec(), |inside, hop| {
            relay_forward(hop as u8, |w| w.raw_option(OptionCode::RELAY_MSG, &inside))
        })
    };
    let deepest = chain_of(MAX_RELAY_DEPTH);
    let (chain, message) = RelayChain::decode(&deepest).unwrap();
    assert_eq!((chain.hops().len(), message), (MAX_RELAY_DEPTH, CLIENTS_MESSAGE));
    assert_eq!(chain.hops()[0].hop_count as usize, MAX_RELAY_DEPTH - 1, "outermost first");
    assert_eq!(chain.innermost().hop_count, 0);
    assert_eq!(RelayChain::decode_path(&path(&chain)).unwrap().hops().len(), MAX_RELAY_DEPTH);
    assert_eq!(RelayChain::decode(&chain_of(MAX_RELAY_DEPTH + 1)), Err(DecodeError::TooManyRelays));
}

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

fn relay_forward(hop_count: u8, options: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut writer = Writer::new(&mut octets);
    let header = RelayMessage {
        message_type: MessageType::RelayForward,
        hop_count,
        link_address: "2001:db8:1::1".parse().unwrap(),
        peer_address: "fe80::1".parse().unwrap(),
        options: Options::default(),
    };
    header.encode_header(&mut writer);
    options(&mut writer);
    writer.finish().unwrap();
    octets
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
