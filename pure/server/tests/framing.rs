//! The stream of a connection: whole frames however they are cut, and an end without a word to
//! whoever does not keep to them.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use server::Discard;
use server::leasequery::{BulkLimits, Close, Connection};
use wire::{MessageType, OptionCode, write_frame};

use crate::common::{Question, REQUESTOR, Server, answers, at, frames, relay, two_clients, types, vector};

// BLQ-F-01, BLQ-S-32, BLQ-S-33, BLQ-S-40, BLQ-S-41: scenario S1. V1min asks for no relay data, so
// its answer is V2, V3 without them, V4.
#[test]
fn the_relay_of_the_vectors_is_answered_octet_for_octet() {
    let relay_data_octets = 4 + 0x5a;
    let mut v3 = vector("V3");
    v3.truncate(v3.len() - relay_data_octets);
    v3[..2].copy_from_slice(&(0x99 - 0x5e_u16).to_be_bytes());
    v3[8..10].copy_from_slice(&(0x91 - 0x5e_u16).to_be_bytes());
    let answer = Server::new(two_clients()).give(&vector("V1min"));
    assert_eq!(answer, [vector("V2"), v3, vector("V4")].concat());
}

// BLQ-S-36, LQ-S-30, LQ-S-32, LQ-S-34
#[test]
fn whoever_asks_for_relay_data_gets_them_octet_for_octet() {
    // V1 without the ORO behind its LQ_QUERY, by which it asks for the time as well.
    let mut v1 = vector("V1");
    v1.truncate(v1.len() - 6);
    v1[1] -= 6;
    let answer = frames(&Server::new(two_clients()).give(&v1));
    assert_eq!(answer[1], vector("V3")[2..]);
    assert_eq!(answer[2], vector("V4")[2..]);
}

// BLQ-F-02, BLQ-S-52
#[test]
fn it_does_not_matter_how_the_stream_is_cut() {
    let mut server = Server::new(two_clients());
    let whole = server.give(&vector("V1min"));

    let mut connection = Connection::new(REQUESTOR, at(0));
    let by_octet: Vec<u8> =
        vector("V1min").iter().flat_map(|octet| server.tell(&mut connection, &[*octet], at(0))).collect();
    assert_eq!(by_octet, whole);

    let three = [vector("V1min"), vector("V8"), vector("V10")].concat();
    let ids: Vec<u32> = answers(&server.give(&three)).iter().map(|answer| answer.transaction_id).collect();
    for id in [0xa001, 0xa004, 0xa006] {
        assert!(ids.contains(&id), "{id:06x} was not answered");
    }
}

// BLQ-F-03
#[test]
fn a_frame_too_small_for_a_message_ends_the_connection() {
    assert_fault(&[0, 3, 14, 0, 0xa0], Close::Framing, Discard::Malformed);
}

// BLQ-F-03
#[test]
fn a_stream_that_ends_inside_a_frame_ends_the_connection() {
    let mut server = Server::new(two_clients());
    let mut connection = Connection::new(REQUESTOR, at(0));
    assert!(server.tell(&mut connection, &vector("V1min")[..20], at(0)).is_empty());
    connection.peer_closed();
    assert_eq!(connection.close(), None);
    assert!(server.rounds(&mut connection, at(0)).is_empty());
    assert_eq!(connection.close(), Some(Close::Framing));
    assert_eq!(server.counters.discarded(Discard::Malformed), 1);
}

// BLQ-F-04
#[test]
fn an_option_that_runs_past_its_container_ends_the_connection() {
    let mut octets = vector("V1min");
    let length_of_lq_query = 6 + 4 + 10 + 2 + 1;
    octets[length_of_lq_query] += 1;
    assert_fault(&octets, Close::Fault(Discard::Malformed), Discard::Malformed);
}

// BLQ-F-05, BLQ-F-06, INT-10
#[test]
fn only_queries_are_taken_from_a_requestor() {
    let others = MessageType::ALL.iter().copied().filter(|message_type| {
        use MessageType::{ActiveLeaseQuery, LeaseQuery, RelayForward, RelayReply, StartTls};
        ![LeaseQuery, ActiveLeaseQuery, StartTls, RelayForward, RelayReply].contains(message_type)
    });
    for message_type in others {
        let octets = Question::by_relay(1, &relay()).typed(message_type).framed();
        assert_fault(&octets, Close::Fault(Discard::UnexpectedType), Discard::UnexpectedType);
    }
}

// BLQ-F-08
#[test]
fn a_relayed_query_is_none_on_a_connection() {
    let mut relayed = Vec::new();
    write_frame(&mut relayed, |w| {
        w.bytes(&[12, 0]);
        w.bytes(&[0; 32]);
        w.raw_option(OptionCode::RELAY_MSG, &Question::by_relay(1, &relay()).message());
    })
    .unwrap();
    assert_fault(&relayed, Close::Fault(Discard::Malformed), Discard::Malformed);
}

// BLQ-S-09
#[test]
fn a_query_to_be_discarded_ends_the_connection() {
    let whole = Question::by_relay(1, &relay());
    let other_server = whole.clone().with_outside(OptionCode::SERVERID, &[0, 3, 0, 1, 9]);
    let mut no_query = Vec::new();
    write_frame(&mut no_query, |w| {
        w.bytes(&[14, 0, 0, 1]);
        w.raw_option(OptionCode::CLIENTID, relay().octets());
    })
    .unwrap();
    assert_fault(&whole.anonymous().framed(), Close::Fault(Discard::NoClientId), Discard::NoClientId);
    assert_fault(&other_server.framed(), Close::Fault(Discard::OtherServer), Discard::OtherServer);
    assert_fault(&no_query, Close::Fault(Discard::NoQuery), Discard::NoQuery);
}

#[test]
fn after_a_fault_nothing_more_is_sent_not_even_what_was_asked_before() {
    let octets = [vector("V1min"), vec![0, 3, 14, 0, 0xa0]].concat();
    assert_fault(&octets, Close::Framing, Discard::Malformed);
}

/// These octets are answered with nothing and end their connection, and no other one.
fn assert_fault(octets: &[u8], close: Close, discard: Discard) {
    let mut server = Server::new(two_clients());
    let mut connection = Connection::new(REQUESTOR, at(0));
    let mut other = Connection::new(REQUESTOR, at(0));
    assert!(server.tell(&mut connection, octets, at(0)).is_empty());
    assert_eq!(connection.close(), Some(close));
    assert!(!connection.wants_octets());
    assert_eq!(server.counters.discarded(discard), 1);
    connection.abandon(&mut server.admission);

    assert!(!server.tell(&mut other, &vector("V1min"), at(0)).is_empty());
    assert_eq!(other.close(), None);
}

// TLS is refused, and the connection goes on without.
#[test]
fn starttls_is_refused_and_the_connection_stays() {
    let mut server = Server::new(two_clients());
    let mut connection = Connection::new(REQUESTOR, at(0));
    assert_eq!(server.tell(&mut connection, &vector("V13"), at(0)), vector("V15"));
    assert!(!server.tell(&mut connection, &vector("V1min"), at(0)).is_empty());
    assert_eq!(connection.close(), None);
}

// BLQ-S-10: not even a refusal may bear the number of a question that is being answered.
#[test]
fn what_would_be_refused_is_ignored_under_the_number_of_a_question_in_work() {
    let mut server = Server::new(two_clients());
    let mut connection = Connection::new(REQUESTOR, at(0));
    let mut refused = vector("V16");
    refused[3..6].copy_from_slice(&vector("V1min")[3..6]);
    let answer = answers(&server.tell(&mut connection, &[vector("V1min"), refused].concat(), at(0)));
    assert_eq!(types(&answer), [15, 17, 16]);
    assert_eq!(connection.close(), None);
}

#[test]
fn active_leasequery_is_refused_and_the_connection_ends() {
    let mut server = Server::new(two_clients());
    let mut connection = Connection::new(REQUESTOR, at(0));
    let answer = answers(&server.tell(&mut connection, &vector("V16"), at(0)));
    assert_eq!(types(&answer), [15]);
    assert_eq!(answer[0].codes(), [1, 2, 13, 100]);
    assert_eq!(answer[0].status(), Some(wire::StatusCode::NOT_SUPPORTED));
    assert_eq!(connection.close(), Some(Close::Refused));
}

// BLQ-S-08, BLQ-F-14
#[test]
fn half_a_frame_must_become_whole_in_time_however_it_trickles() {
    let mut server = Server::with(two_clients(), |policy| {
        policy.bulk.data_timeout = Duration::from_secs(400);
        policy.bulk.idle_timeout = Duration::from_secs(10_000);
    });
    let mut connection = Connection::new(REQUESTOR, at(0));
    for (second, octet) in vector("V1min")[..40].iter().enumerate() {
        let now = at(10 * second as u64);
        server.tick(&mut connection, now);
        assert_eq!(connection.close(), None, "after {second} octets");
        server.tell(&mut connection, &[*octet], now);
    }
    server.tick(&mut connection, at(399));
    assert_eq!(connection.close(), None);
    server.tick(&mut connection, at(400));
    assert_eq!(connection.close(), Some(Close::TimedOut(server::leasequery::Waiting::Frame)));
    assert_eq!(server.counters.connections_timed_out.load(Relaxed), 1);
}

// BLQ-F-16, BLQ-S-02
#[test]
fn without_configuration_the_limits_are_those_of_the_standard() {
    let limits = BulkLimits::default();
    assert_eq!(limits.data_timeout, Duration::from_secs(300));
    assert_eq!(limits.max_connections, 10);
}

// BLQ-F-07
#[test]
fn a_framed_query_in_a_datagram_is_none() {
    let server = Server::new(two_clients());
    assert_eq!(server.give_by_udp(&vector("V8"), at(0)), Err(Discard::UnexpectedType));
    assert!(server.give_by_udp(&vector("V8")[2..], at(0)).is_ok());
}
