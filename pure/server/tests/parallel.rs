//! Several queries and several connections: turns, limits, patience, and every way to an end.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use server::leasequery::{Close, Connection, Waiting};
use server::limits::{ADMISSION_RETRY, MAX_OUTPUT_OCTETS, MAX_WAITING_OCTETS, TURN_OCTETS};
use wire::{MessageType, StatusCode};

use crate::common::{
    Answer, Question, REQUESTOR, Server, address, after, answers, at, frames, many_clients, relay,
    two_clients, types, vector,
};

fn question(transaction_id: u32) -> Vec<u8> {
    Question::by_relay(transaction_id, &relay()).framed()
}

fn questions(count: u32) -> Vec<u8> {
    (1..=count).flat_map(question).collect()
}

fn connect() -> Connection {
    Connection::new(REQUESTOR, at(0))
}

/// The numbers of the questions that these messages answer, each as often as it changes.
fn turns(answers: &[Answer]) -> Vec<u32> {
    let mut ids: Vec<u32> = answers.iter().map(|answer| answer.transaction_id).collect();
    ids.dedup();
    ids
}

fn of(answers: &[Answer], transaction_id: u32) -> Vec<Answer> {
    answers.iter().filter(|answer| answer.transaction_id == transaction_id).cloned().collect()
}

/// Each of the questions 1 to `count` has one whole answer.
fn assert_all_answered(answers: &[Answer], count: u32) {
    for id in 1..=count {
        let messages = types(&of(answers, id));
        let ends = (messages.first(), messages.last());
        assert_eq!(ends, (Some(&15), Some(&16)), "question {id}");
        assert!(messages[1..messages.len() - 1].iter().all(|message| *message == 17));
    }
}

// BLQ-S-52, BLQ-S-59
#[test]
fn a_connection_answers_one_question_after_the_other() {
    let mut server = Server::new(two_clients());
    let mut connection = connect();
    for second in [0, 10, 20] {
        let answer = answers(&server.tell(&mut connection, &vector("V1min"), at(second)));
        assert_eq!(types(&answer), [15, 17, 16]);
        assert_eq!(connection.close(), None);
    }
}

// BLQ-S-53, BLQ-S-54, BLQ-S-34, BLQ-S-36
#[test]
fn two_long_answers_take_turns() {
    let mut server = Server::new(many_clients(5_000));
    let answer = answers(&server.give(&questions(2)));
    assert_all_answered(&answer, 2);
    assert!(turns(&answer).len() > 4, "{:?}", turns(&answer));
    assert_eq!(of(&answer, 1).len(), 5_001);
}

// BLQ-S-56, BLQ-S-55, INT-10
#[test]
fn with_a_limit_of_one_a_hundred_questions_are_answered_in_turn() {
    let mut server = Server::with(many_clients(800), |policy| policy.bulk.max_queries_per_connection = 1);
    let mut connection = connect();
    connection.receive(&questions(100), at(0));
    let mut stream = Vec::new();
    while stream.is_empty() || connection.has_work() {
        stream.append(&mut server.round(&mut connection, at(0)));
        assert!(!connection.wants_octets() || !connection.has_work(), "the rest waits in TCP");
        if connection.has_work() {
            server.tick(&mut connection, at(10_000));
        }
        assert_eq!(connection.close(), None, "waiting for one's turn is no idleness");
    }
    let answer = answers(&stream);
    assert_all_answered(&answer, 100);
    assert_eq!(turns(&answer), (1..=100).collect::<Vec<_>>());
    assert!(connection.wants_octets());
}

// BLQ-S-57
#[test]
fn a_requestor_has_no_more_queries_in_work_than_it_may() {
    let mut server = Server::with(many_clients(5_000), |policy| policy.bulk.max_queries_per_requestor = 2);
    let (mut first, mut second) = (connect(), connect());
    let mut other = Connection::new(address("2001:db8:ffff::2"), at(0));
    first.receive(&questions(2), at(0));
    second.receive(&question(3), at(0));
    other.receive(&question(4), at(0));

    let mut stream = server.round(&mut first, at(0));
    assert!(server.round(&mut second, at(0)).is_empty(), "two are in work already");
    assert!(!second.has_work() && !second.wants_octets());
    assert!(!server.round(&mut other, at(0)).is_empty(), "another requestor has places of its own");

    // The one that waits is looked at again and again, and never found idle.
    let deadline = second.next_deadline(&server.policy);
    assert_eq!((deadline.at, deadline.why), (at(0).instant + ADMISSION_RETRY, Waiting::Admission));
    for tries in 1..1_000 {
        let now = after(ADMISSION_RETRY * 50 * tries);
        server.tick(&mut second, now);
        assert!(server.round(&mut second, now).is_empty());
        assert_eq!(second.close(), None);
    }

    stream.append(&mut server.rounds(&mut first, at(0)));
    assert_all_answered(&answers(&stream), 2);
    let answer = answers(&server.rounds(&mut second, at(1_000)));
    assert_eq!(of(&answer, 3).len(), 5_001);
}

// BLQ-S-57: places are given back however a query ends.
#[test]
fn places_are_given_back_by_every_end() {
    let mut server = Server::with(many_clients(5_000), |policy| policy.bulk.max_queries_per_requestor = 1);
    let all_free = |server: &mut Server| {
        let answer = answers(&server.give(&question(1)));
        assert_eq!(types(&answer).last(), Some(&16));
    };
    let begun = |server: &mut Server| {
        let mut connection = connect();
        connection.receive(&question(1), at(0));
        assert!(!server.round(&mut connection, at(0)).is_empty());
        connection
    };

    all_free(&mut server);
    let mut answered = begun(&mut server);
    server.rounds(&mut answered, at(0));
    all_free(&mut server);

    let mut lost = begun(&mut server);
    lost.abandon(&mut server.admission);
    lost.abandon(&mut server.admission);
    all_free(&mut server);

    let mut terminated = begun(&mut server);
    server.terminate(&mut terminated, "enough", at(0));
    terminated.abandon(&mut server.admission);
    all_free(&mut server);

    let mut stalled = begun(&mut server);
    stalled.receive(&question(2), at(0));
    let Server { policy, holdings, counters, .. } = &server;
    stalled.fill(policy, holdings, counters, at(0), &mut Vec::new());
    server.tick(&mut stalled, at(300));
    stalled.abandon(&mut server.admission);
    all_free(&mut server);

    for odd in ["V13", "V16", "V10"] {
        let mut connection = connect();
        server.tell(&mut connection, &vector(odd), at(0));
        connection.abandon(&mut server.admission);
        all_free(&mut server);
    }
}

// BLQ-S-10, INT-10
#[test]
fn a_question_with_the_number_of_one_in_work_is_ignored() {
    let mut server = Server::new(many_clients(5_000));
    let answer = answers(&server.give(&[question(1), question(1)].concat()));
    assert_all_answered(&answer, 1);
    assert_eq!(answer.len(), 5_001);
    assert_eq!(server.counters.duplicate_transaction_ids.load(Relaxed), 1);

    // Once the first is answered, its number is free again.
    let mut connection = connect();
    for _ in 0..2 {
        assert_eq!(answers(&server.tell(&mut connection, &question(1), at(0))).len(), 5_001);
    }
}

// BLQ-S-55, BLQ-S-48: what a connection holds is bounded, whatever comes and whoever does not read.
#[test]
fn a_connection_holds_no_more_than_it_may() {
    let mut server = Server::new(many_clients(20_000));
    let mut connection = connect();
    let flood: Vec<u8> = questions(3_000);
    let mut taken = 0;
    while connection.wants_octets() {
        let piece = &flood[taken..taken + 1_024];
        connection.receive(piece, at(0));
        taken += piece.len();
        let out = server.round_unsent(&mut connection, at(0));
        let most = MAX_OUTPUT_OCTETS + TURN_OCTETS + 65_537;
        assert!(out.len() <= most, "{} octets at once", out.len());
    }
    assert!(taken <= MAX_WAITING_OCTETS + 1_024);

    // Refusals need no place, but room.
    let refused: Vec<u8> = (0..4_000).flat_map(|number| Question::new(number, 9).framed()).collect();
    let mut connection = connect();
    connection.receive(&refused, at(0));
    let mut told = 0;
    while connection.has_work() {
        let out = server.round(&mut connection, at(0));
        assert!(out.len() <= MAX_OUTPUT_OCTETS + 1_024);
        told += frames(&out).len();
    }
    assert_eq!(told, 4_000);
}

// BLQ-S-48
#[test]
fn a_requestor_that_does_not_read_is_left() {
    let mut server = Server::new(many_clients(5_000));
    let mut connection = connect();
    connection.receive(&question(1), at(0));
    assert!(!server.round_unsent(&mut connection, at(0)).is_empty());
    connection.sent(false, at(200));
    server.tick(&mut connection, at(499));
    assert_eq!(connection.close(), None);
    server.tick(&mut connection, at(500));
    assert_eq!(connection.close(), Some(Close::TimedOut(Waiting::Room)));
    assert!(!connection.has_work());
}

// BLQ-S-48: also while it is being closed for another reason.
#[test]
fn a_last_message_that_nobody_reads_is_not_waited_for_for_ever() {
    let mut server = Server::new(two_clients());
    let mut connection = connect();
    connection.receive(&vector("V16"), at(0));
    assert!(!server.round_unsent(&mut connection, at(0)).is_empty());
    assert_eq!(connection.close(), Some(Close::Refused));
    server.tick(&mut connection, at(300));
    assert_eq!(connection.close(), Some(Close::TimedOut(Waiting::Room)));
    server.tick(&mut connection, at(900));
    assert_eq!(server.counters.connections_timed_out.load(Relaxed), 1);
}

// BLQ-S-60, BLQ-S-11
#[test]
fn a_connection_without_anything_to_do_is_closed_in_time() {
    let mut server =
        Server::with(two_clients(), |policy| policy.bulk.idle_timeout = Duration::from_secs(500));
    let mut connection = connect();
    server.tick(&mut connection, at(499));
    server.tell(&mut connection, &vector("V1min"), at(499));
    server.tick(&mut connection, at(998));
    assert_eq!(connection.close(), None, "a query restarts the clock");
    let deadline = connection.next_deadline(&server.policy);
    assert_eq!((deadline.at, deadline.why), (at(999).instant, Waiting::Work));
    server.tick(&mut connection, at(999));
    assert_eq!(connection.close(), Some(Close::TimedOut(Waiting::Work)));
}

// BLQ-S-58
#[test]
fn a_connection_can_be_closed_after_its_answer() {
    let closing = |octets: &[u8]| {
        let mut server = Server::with(two_clients(), |policy| policy.bulk.close_after_reply = true);
        let mut connection = connect();
        server.tell(&mut connection, &[], at(0));
        assert_eq!(connection.close(), None, "nothing was asked yet");
        let answer = answers(&server.tell(&mut connection, octets, at(0)));
        connection.take_finished();
        server.rounds(&mut connection, at(0));
        assert_eq!(connection.close(), Some(Close::Answered));
        types(&answer)
    };
    assert_eq!(closing(&vector("V1min")), [15, 17, 16]);
    assert_eq!(closing(&questions(1)), [15, 17, 16]);
    assert_eq!(closing(&Question::new(1, 9).framed()), [15]);
    assert_eq!(closing(&questions(20)).len(), 60);
}

// BLQ-S-64
#[test]
fn a_half_close_aborts_nothing() {
    let mut server = Server::with(many_clients(3_000), |policy| policy.bulk.max_queries_per_connection = 2);
    let mut connection = connect();
    connection.receive(&questions(5), at(0));
    connection.peer_closed();
    assert_eq!(connection.close(), None);
    let mut stream = server.round(&mut connection, at(0));
    assert_eq!(connection.close(), None);
    assert!(!connection.wants_octets());
    stream.append(&mut server.rounds(&mut connection, at(0)));
    assert_all_answered(&answers(&stream), 5);
    assert_eq!(connection.close(), Some(Close::PeerDone));
}

// BLQ-S-64: also of a query that waits for a place.
#[test]
fn a_half_close_does_not_abort_what_still_waits() {
    let mut server = Server::with(many_clients(3_000), |policy| policy.bulk.max_queries_per_requestor = 1);
    let (mut first, mut second) = (connect(), connect());
    first.receive(&question(1), at(0));
    server.round(&mut first, at(0));
    second.receive(&question(1), at(0));
    second.peer_closed();
    assert!(server.round(&mut second, at(0)).is_empty());
    assert_eq!(second.close(), None);
    first.abandon(&mut server.admission);
    assert_all_answered(&answers(&server.rounds(&mut second, at(1))), 1);
    assert_eq!(second.close(), Some(Close::PeerDone));
}

// BLQ-S-45, BLQ-S-46, BLQ-S-47, BLQ-S-49, BLQ-S-62, BLQ-S-63: scenario S3.
#[test]
fn what_is_in_work_is_terminated_with_words_and_the_connection_ends() {
    let mut server = Server::new(many_clients(5_000));
    let mut connection = connect();
    connection.receive(&Question::by_relay(0xa001, &relay()).framed(), at(0));
    let first = answers(&server.round(&mut connection, at(0)));
    assert_eq!(first[0].message_type, MessageType::LeaseQueryReply);
    assert_eq!(server.terminate(&mut connection, "shutting down", at(0)), vector("V7"));
    assert_eq!(connection.close(), Some(Close::Terminated));
    assert!(server.terminate(&mut connection, "shutting down", at(0)).is_empty());
    assert_eq!(server.counters.answered(StatusCode::QUERY_TERMINATED), 1);
}

// BLQ-S-44, BLQ-S-47, BLQ-S-49: also what has not begun, or still waits.
#[test]
fn what_waits_is_terminated_too() {
    let mut server = Server::with(many_clients(5_000), |policy| policy.bulk.max_queries_per_connection = 2);
    let mut connection = connect();
    connection.receive(&[questions(4), question(2), Question::new(5, 9).framed()].concat(), at(0));
    let begun = answers(&server.round(&mut connection, at(0)));
    assert_eq!(turns(&begun), [1, 2]);
    let ends = answers(&server.terminate(&mut connection, "shutting down", at(0)));
    let by_id: BTreeMap<u32, (u8, Option<StatusCode>)> =
        ends.iter().map(|end| (end.transaction_id, (end.message_type as u8, end.status()))).collect();
    let terminated = Some(StatusCode::QUERY_TERMINATED);
    let expected = [(1, 16), (2, 16), (3, 15), (4, 15), (5, 15)].map(|(id, kind)| (id, (kind, terminated)));
    assert_eq!(by_id, BTreeMap::from(expected));
    assert_eq!(ends.len(), 5);
    assert_eq!(connection.close(), Some(Close::Terminated));
    connection.abandon(&mut server.admission);
}

// BLQ-S-44: a refusal that was not sent yet goes before the end.
#[test]
fn nothing_that_was_answered_is_lost_by_the_end() {
    let mut server = Server::new(many_clients(10));
    let mut connection = connect();
    connection.receive(&[Question::new(9, 9).framed(), question(1)].concat(), at(0));
    let Server { policy, holdings, admission, counters } = &mut server;
    connection.begin(policy, holdings, admission, counters, at(0));
    let ends = answers(&server.terminate(&mut connection, "shutting down", at(0)));
    let statuses: Vec<_> = ends.iter().map(|end| (end.message_type as u8, end.status())).collect();
    let expected = [(15, Some(StatusCode::UNKNOWN_QUERY_TYPE)), (15, Some(StatusCode::QUERY_TERMINATED))];
    assert_eq!(statuses, expected);
    assert_eq!(connection.close(), Some(Close::Terminated));
}

// BLQ-S-61: whoever drives the connection drops it then, and its places are free again.
#[test]
fn a_connection_that_cannot_be_sent_on_leaves_nothing_behind() {
    let mut server = Server::with(many_clients(5_000), |policy| policy.bulk.max_queries_per_requestor = 4);
    for _ in 0..100 {
        let mut connection = connect();
        let entry = server.admission.open(REQUESTOR, &server.policy.bulk, at(0).instant).unwrap();
        connection.receive(&questions(4), at(0));
        assert!(!server.round_unsent(&mut connection, at(0)).is_empty());
        connection.abandon(&mut server.admission);
        server.admission.close(entry.place);
        assert_eq!(server.admission.connections(), 0);
    }
}

#[test]
fn what_became_of_each_query_is_told_once() {
    let mut server = Server::new(two_clients());
    let mut connection = connect();
    let stream =
        server.tell(&mut connection, &[vector("V1min"), Question::new(2, 9).framed()].concat(), at(3));
    let finished = connection.take_finished();
    assert!(connection.take_finished().is_empty());
    let [refused, answered] = &finished[..] else { panic!("two queries") };
    assert_eq!((refused.status, refused.clients), (StatusCode::UNKNOWN_QUERY_TYPE, 0));
    assert_eq!((answered.status, answered.clients, answered.leases), (StatusCode::SUCCESS, 2, 3));
    assert_eq!(answered.sought, relay().to_string());
    assert_eq!(refused.octets + answered.octets, stream.len() as u64);
    assert_eq!(server.counters.bulk_octets.load(Relaxed), stream.len() as u64);
}
