//! What requestors ask. Over TCP, cut anywhere, the same octets are answered by the same octets; every
//! answer keeps to REPLY DATA* DONE, and our own requestor finds nothing odd in it. Over UDP, a question is
//! answered as over TCP, in one datagram.
//!
//! The input is what the requestor sends over TCP behind two octets: the seed of the chopping, and who asks
//! what server (see [`Setting`]).

#![no_main]

use std::collections::BTreeSet;
use std::sync::LazyLock;

use fuzz::chopped;
use lease::LeaseState;
use libfuzzer_sys::fuzz_target;
use server::leasequery::{Access, Admission, Close, Connection, Policy, Rule, datagram};
use server::limits::{MAX_DATAGRAM_OCTETS, MAX_OUTPUT_OCTETS};
use server::{Arrived, Counters, Holdings};
use wire::leasequery::QueryType;
use wire::limits::MAX_MESSAGE_OCTETS;
use wire::{FrameBuffer, Message, MessageType, OptionCode, Prefix};

#[allow(dead_code, unused_imports, reason = "each user takes what it needs")]
#[path = "../../pure/server/tests/common/mod.rs"]
mod common;
#[allow(dead_code, reason = "each target takes what it needs")]
#[path = "../../pure/wire/tests/support/walk.rs"]
mod walk;

use common::{Answer, REQUESTOR, SERVER, at, client, frames, holdings, path_of};

/// Clients with a prefix each, behind the relay of the vectors.
const CLIENTS: u32 = 10;

static HOLDINGS: LazyLock<Holdings> = LazyLock::new(held);

fuzz_target!(|octets: &[u8]| {
    let [seed, setting, stream @ ..] = octets else { return };
    let setting = Setting(*setting);
    let in_turn = setting.one_at_a_time();
    let whole = told(in_turn, [stream]);
    is_not_for_the_cut(&told(in_turn, chopped(stream, *seed)), &whole);
    is_not_for_the_cut(&told(in_turn, stream.chunks(1)), &whole);
    keeps_to_the_grammar(&whole);
    keeps_to_the_grammar(&told(setting, [stream]));
    over_udp(setting, stream);
});

/// Bit 0 says whether some queries are refused, bit 1 whether relays are tracked, bit 2 whether some options
/// are withheld, bit 3 whether the connection ends behind the first answers; bits 4 and 5, how many queries
/// are answered at once.
#[derive(Clone, Copy)]
struct Setting(u8);

impl Setting {
    /// Without turns: what comes in one piece and what comes in several is then answered in the same order.
    fn one_at_a_time(self) -> Self {
        Self(self.0 & 0x07)
    }

    fn policy(self) -> Policy {
        let mut policy = common::policy();
        if self.0 & 1 != 0 {
            let from: Prefix = "::/0".parse().expect("a prefix");
            let queries = Some([QueryType::BY_ADDRESS, QueryType::BY_RELAY_ID].into());
            policy.access = Access::new(vec![Rule { from, queries }]);
        }
        policy.track_relays = self.0 & 2 == 0;
        if self.0 & 4 != 0 {
            policy.sensitive_options.insert(OptionCode::CLIENT_FQDN);
        }
        policy.bulk.close_after_reply = self.0 & 8 != 0;
        policy.bulk.max_queries_per_connection = 1 + usize::from(self.0 >> 4 & 3);
        policy.relayed_hops = 1;
        policy
    }
}

/// Clients on all links, with relays and without, and leases of every state.
fn held() -> Holdings {
    let few = [
        client(1, 0x0101)
            .heard(600, "2001:db8:ffff::1", &path_of("V12"))
            .address("2001:db8:1::100", 1800, 2400)
            .option(OptionCode::CLIENT_FQDN, b"\x01\x04name")
            .prefix("2001:db8:f000:100::/56", 1800, 2400),
        client(1, 0x0102)
            .heard(3300, "2001:db8:ffff::1", &path_of("V3"))
            .prefix("2001:db8:f000:200::/56", 1800, 3600)
            .without("2001:db8:f000:200::/64"),
        client(2, 0x0101).heard(60, "2001:db8:ffff::1", &path_of("V22")).address(
            "2001:db8:2::100",
            1800,
            2400,
        ),
        client(2, 0x0103).address("2001:db8:2::101", 60, 60).now(LeaseState::Declined),
        client(3, 0x0104).prefix("2001:db8:f000:400::/56", 60, 60).now(LeaseState::Released),
    ];
    let many = (0x1000..0x1000 + CLIENTS).map(|number| {
        client(1, number).heard(60, "2001:db8:ffff::1", &path_of("V3")).nth_prefix(number, 3600)
    });
    holdings(few.into_iter().chain(many))
}

/// What a requestor is sent, and why its connection is closed.
struct Told {
    octets: Vec<u8>,
    close: Option<Close>,
}

fn told<'a>(setting: Setting, pieces: impl IntoIterator<Item = &'a [u8]>) -> Told {
    let (policy, mut admission) = (setting.policy(), Admission::default());
    let mut connection = Connection::new(REQUESTOR, at(0));
    let mut octets = Vec::new();
    for piece in pieces {
        if connection.close().is_some() {
            break;
        }
        assert!(connection.wants_octets(), "all that came has been answered");
        connection.receive(piece, at(0));
        answer(&mut connection, &policy, &mut admission, &mut octets);
    }
    connection.peer_closed();
    answer(&mut connection, &policy, &mut admission, &mut octets);
    let close = connection.close();
    assert!(close.is_some(), "the requestor has gone, and everything was answered");
    connection.abandon(&mut admission);
    for _ in 0..policy.bulk.max_queries_per_requestor {
        assert!(admission.begin(REQUESTOR, &policy.bulk), "every query has given its place back");
    }
    Told { octets, close }
}

/// Rounds until there is nothing more to do, each sent at once.
fn answer(connection: &mut Connection, policy: &Policy, admission: &mut Admission, octets: &mut Vec<u8>) {
    let counters = Counters::default();
    loop {
        let mut out = Vec::new();
        connection.begin(policy, &HOLDINGS, admission, &counters, at(0));
        connection.fill(policy, &HOLDINGS, &counters, at(0), &mut out);
        assert!(out.len() <= 2 * MAX_OUTPUT_OCTETS + MAX_MESSAGE_OCTETS, "{} octets", out.len());
        if !out.is_empty() {
            connection.sent(true, at(0));
        }
        octets.append(&mut out);
        if !connection.has_work() {
            return;
        }
    }
}

fn is_not_for_the_cut(pieces: &Told, whole: &Told) {
    assert_eq!(pieces.close, whole.close);
    match whole.close {
        // What was not sent yet is dropped, and of what comes in pieces more was sent before.
        Some(Close::Fault(_) | Close::Framing) => assert!(pieces.octets.starts_with(&whole.octets)),
        _ => assert_eq!(pieces.octets, whole.octets),
    }
}

/// LEASEQUERY-REPLY, and if that has a client, any number of LEASEQUERY-DATA and LEASEQUERY-DONE.
fn keeps_to_the_grammar(told: &Told) {
    let mut open = BTreeSet::new();
    for octets in frames(&told.octets) {
        walk::assert_written_again(&Message::decode(&octets).expect("what we make is sound"), &octets);
        let answer = Answer::read(&octets);
        let (id, has_client) = (answer.transaction_id, answer.client().is_some());
        match answer.message_type {
            MessageType::LeaseQueryReply => {
                assert!(!has_client || answer.status().is_none(), "a refusal that tells something");
                assert!(!open.contains(&id), "a second reply");
                open.extend(has_client.then_some(id));
            }
            MessageType::LeaseQueryData => assert!(has_client && open.contains(&id)),
            MessageType::LeaseQueryDone => assert!(!has_client && open.remove(&id)),
            MessageType::Reply => assert!(answer.status().is_some(), "TLS is refused"),
            other => panic!("{other} is none of a server's"),
        }
    }
    let broke_off = matches!(told.close, Some(Close::Fault(_) | Close::Framing));
    assert!(broke_off || open.is_empty(), "an answer without an end");
}

/// Each message as a datagram: the client that is told of there is told of over TCP, with the same leases.
fn over_udp(setting: Setting, stream: &[u8]) {
    let policy = setting.policy();
    let mut buffer = FrameBuffer::default();
    buffer.extend(stream);
    while let Ok(Some(message)) = buffer.next_message() {
        let Ok(arrived) = Arrived::decode(message, REQUESTOR, SERVER, None) else { continue };
        let mut octets = Vec::new();
        if datagram::answer(&arrived, &policy, &HOLDINGS, at(0), &mut octets).is_err() {
            assert!(octets.is_empty());
            continue;
        }
        assert!(octets.len() <= MAX_DATAGRAM_OCTETS);
        walk::assert_written_again(&Message::decode(&octets).expect("what we make is sound"), &octets);
        if arrived.relays.is_some() {
            continue;
        }
        let answer = Answer::read(&octets);
        assert_eq!(answer.message_type, MessageType::LeaseQueryReply);
        if let Some(client) = answer.client() {
            let mut framed = Vec::new();
            wire::write_frame(&mut framed, |w| w.bytes(message)).expect("it came in a frame");
            let by_tcp = frames(&told(setting.one_at_a_time(), [framed.as_slice()]).octets);
            let by_tcp: Vec<Answer> = by_tcp.iter().map(|octets| Answer::read(octets)).collect();
            let same = by_tcp.iter().find(|other| other.client().as_ref() == Some(&client));
            assert_eq!(same.map(Answer::leases), Some(answer.leases()));
        }
    }
}
