//! The way back: one level of Relay-reply for each relay, with what that relay needs and what it
//! asks for.

use std::collections::BTreeSet;

use proptest::prelude::*;
use wire::{MessageType, OptionCode, RelayChain, RelayMessage, TooLong, Writer};

#[path = "support/relays.rs"]
mod relays;
#[path = "support/vectors.rs"]
mod vectors;

use relays::relay_forward;
use vectors::vector;

const CLIENTS_MESSAGE: &[u8] = &[1, 0x5c, 0xa1, 0xab, 0, 8, 0, 2, 0, 0];
const REPLY: &[u8] = b"\x07abc";
const REMOTE_ID: &[u8] = b"\0\0\x7e\xd9port-7";

// DH-X-01..DH-X-05, DH-X-08
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
    assert_eq!(reply.interface_id(), Some(b"uplink".as_slice()));
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

const UNKNOWN: OptionCode = OptionCode(9999);

// DH-X-07, DH-X-08
#[test]
fn a_relay_gets_back_what_it_asks_for() {
    let relay = |echo: &[OptionCode]| {
        relay_forward(0, |w| {
            w.raw_option(OptionCode::SUBSCRIBER_ID, b"subscriber");
            w.raw_option(UNKNOWN, b"first");
            w.raw_option(OptionCode::INTERFACE_ID, b"ge-0/0/7");
            write_ero(w, echo);
            w.raw_option(OptionCode::RELAY_MSG, CLIENTS_MESSAGE);
            w.raw_option(OptionCode::REMOTE_ID, REMOTE_ID);
            w.raw_option(OptionCode::CLIENT_LINKLAYER_ADDR, &[0, 1, 2, 0, 0, 0, 1, 1]);
            w.raw_option(OptionCode::RELAY_ID, &[0, 3, 0, 1, 9]);
            w.raw_option(UNKNOWN, b"");
        })
    };
    let interface_id = (OptionCode::INTERFACE_ID, b"ge-0/0/7".to_vec());
    let reply = (OptionCode::RELAY_MSG, REPLY.to_vec());
    assert_eq!(answered(&relay(&[])), [vec![interface_id.clone(), reply.clone()]]);

    let asked = [OptionCode::REMOTE_ID, UNKNOWN, OptionCode::INTERFACE_ID, OptionCode::REMOTE_ID];
    let unknown = [b"first".as_slice(), b""].map(|data| (UNKNOWN, data.to_vec()));
    let remote_id = (OptionCode::REMOTE_ID, REMOTE_ID.to_vec());
    let [first, second] = unknown;
    assert_eq!(
        answered(&relay(&asked)),
        [vec![interface_id.clone(), first, remote_id, second, reply.clone()]]
    );

    let not_there = [OptionCode::RELAY_PORT, OptionCode::RSOO];
    assert_eq!(answered(&relay(&not_there)), [vec![interface_id.clone(), reply.clone()]]);
    let never = [OptionCode::RELAY_MSG, OptionCode::ERO];
    assert_eq!(answered(&relay(&never)), [vec![interface_id, reply]], "there is one message in each");
}

// DH-X-07: what one relay asks for is not taken from another, nor given to another.
#[test]
fn each_relay_asks_for_itself() {
    let inner = relay_forward(0, |w| {
        w.raw_option(OptionCode::REMOTE_ID, b"\0\0\0\x09inner");
        write_ero(w, &[OptionCode::SUBSCRIBER_ID]);
        w.raw_option(OptionCode::RELAY_MSG, CLIENTS_MESSAGE);
    });
    let outer = relay_forward(1, |w| {
        w.raw_option(OptionCode::SUBSCRIBER_ID, b"outer");
        w.raw_option(OptionCode::REMOTE_ID, b"\0\0\0\x09outer");
        write_ero(w, &[OptionCode::REMOTE_ID]);
        w.raw_option(OptionCode::RELAY_MSG, &inner);
    });
    let [to_outer, to_inner] = &answered(&outer)[..] else { panic!() };
    assert_eq!(to_outer[0], (OptionCode::REMOTE_ID, b"\0\0\0\x09outer".to_vec()));
    assert_eq!((to_outer.len(), to_inner.len()), (2, 1));
}

// DH-X-07
#[test]
fn a_list_of_codes_that_is_none_asks_for_nothing() {
    let relay = relay_forward(0, |w| {
        w.raw_option(OptionCode::REMOTE_ID, REMOTE_ID);
        w.raw_option(OptionCode::ERO, &[0, 37, 0]);
        w.raw_option(OptionCode::RELAY_MSG, CLIENTS_MESSAGE);
    });
    assert_eq!(answered(&relay), [vec![(OptionCode::RELAY_MSG, REPLY.to_vec())]]);
}

/// Longer lists than any relay sends: the work must grow with their sum, not with their product.
#[test]
fn a_long_list_against_many_options_is_answered() {
    let codes: Vec<OptionCode> = (0..14_000).map(|number| OptionCode(1000 + number)).collect();
    let relay = relay_forward(0, |w| {
        write_ero(w, &codes);
        codes.iter().take(9_000).for_each(|code| w.raw_option(*code, b""));
        w.raw_option(OptionCode::RELAY_MSG, CLIENTS_MESSAGE);
    });
    assert_eq!(answered(&relay)[0].len(), 9_000 + 1);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    // DH-X-01..DH-X-05, DH-X-07
    #[test]
    fn every_level_gets_its_own_and_no_more(levels in prop::collection::vec(level(), 1..=9)) {
        let octets = levels.iter().rev().enumerate().fold(
            CLIENTS_MESSAGE.to_vec(),
            |inside, (hop, (echo, options))| relay_forward(hop as u8, |w| {
                write_ero(w, echo);
                options.iter().for_each(|(code, data)| w.raw_option(*code, data));
                w.raw_option(OptionCode::RELAY_MSG, &inside);
            }),
        );
        let answered = answered(&octets);
        prop_assert_eq!(answered.len(), levels.len());
        for (answer, (echo, options)) in answered.iter().zip(&levels) {
            let codes: BTreeSet<OptionCode> = answer.iter().map(|(code, _)| *code).collect();
            let received: BTreeSet<OptionCode> = options.iter().map(|(code, _)| *code).collect();
            for code in &codes {
                let own = received.contains(code) && (echo.contains(code) || ALWAYS.contains(code));
                prop_assert!(own || *code == OptionCode::RELAY_MSG, "{} was not to be echoed", code);
            }
            for code in received.iter().filter(|code| echo.contains(code) || ALWAYS.contains(code)) {
                prop_assert!(codes.contains(code), "{} is missing", code);
            }
            for option in answer.iter().filter(|(code, _)| *code != OptionCode::RELAY_MSG) {
                prop_assert!(options.contains(option), "{:?} is not as it was received", option);
            }
            let count = |wanted| answer.iter().filter(|(code, _)| *code == wanted).count();
            prop_assert_eq!(count(OptionCode::RELAY_MSG), 1);
            prop_assert!(ALWAYS.iter().all(|code| count(*code) <= 1));
        }
    }
}

/// What comes back without being asked for.
const ALWAYS: [OptionCode; 2] = [OptionCode::INTERFACE_ID, OptionCode::RELAY_PORT];

type Owned = (OptionCode, Vec<u8>);

/// An ERO and options of a relay, from few codes, so that they meet.
fn level() -> impl Strategy<Value = (Vec<OptionCode>, Vec<Owned>)> {
    let code = || prop::sample::select(vec![17, 18, 37, 38, 53, 79, 135, 9999]).prop_map(OptionCode);
    let listed = prop_oneof![6 => code(), 1 => Just(OptionCode::RELAY_MSG), 1 => Just(OptionCode::ERO)];
    let data = prop::collection::vec(any::<u8>(), 0..6);
    (prop::collection::vec(listed, 0..8), prop::collection::vec((code(), data), 0..8))
}

/// The options of each level of the Relay-reply, outermost first; the innermost holds the reply.
fn answered(relayed: &[u8]) -> Vec<Vec<Owned>> {
    let (chain, _) = RelayChain::decode(relayed).unwrap();
    let mut octets = Vec::new();
    chain.encode_reply(REPLY, &mut octets).unwrap();
    let mut inside = octets.as_slice();
    let mut levels = Vec::new();
    for hop in chain.hops() {
        let reply = relay_reply(inside, hop);
        levels.push(reply.options.iter().map(|option| (option.code, option.data.to_vec())).collect());
        inside = reply.relayed().unwrap().unwrap();
    }
    assert_eq!(inside, REPLY);
    levels
}

fn write_ero(w: &mut Writer<'_>, codes: &[OptionCode]) {
    w.option(OptionCode::ERO, |w| codes.iter().for_each(|code| w.u16(code.0)));
}
