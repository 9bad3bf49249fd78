//! One TCP connection: octets in, events out.

mod common;

use std::collections::BTreeSet;
use std::time::Duration;

use common::*;
use requestor::{AskError, Fault, Gap, Outcome, Question, Resource, Warning, limits};
use wire::{MessageType, OptionCode, StatusCode};

fn faults(talk: &Talk) -> bool {
    matches!(talk.connection.ended(), Some(Gap::Fault(_)))
}

// BLQ-R-16, BLQ-R-29, INT-09
#[test]
fn scenario_s1_a_recovery() {
    let (mut talk, id) = Talk::asked();
    talk.hear(&frame(V2, id)).hear(&frame(V3, id)).hear(&frame(V4, id));
    let [first, second] = talk.clients()[..] else { panic!("{:?}", talk.log) };
    assert_eq!((&first.client_id, first.last_heard_secs), (&client(1), Some(600)));
    assert_eq!(first.leases[0].resource, Resource::Address("2001:db8:1::100".parse().unwrap()));
    assert_eq!(first.leases[1].resource, Resource::Prefix("2001:db8:f000:100::/56".parse().unwrap()));
    assert_eq!(first.leases[1].valid.left_secs(at(0)), 1800);
    assert_eq!((&second.client_id, second.last_heard_secs), (&client(2), Some(3300)));
    assert_eq!(second.leases[0].preferred.left_secs(at(0)), 0);
    let lease = second.leases[0].valid;
    assert_eq!((lease.left_secs(at(0)), lease.left_secs(at(299)), lease.left_secs(at(300))), (300, 1, 0));
    let hop = second.relay.as_ref().unwrap().innermost();
    assert_eq!(hop.link_address, "2001:db8:1::1".parse::<std::net::Ipv6Addr>().unwrap());
    assert_eq!(hop.peer_address, "fe80::200:ff:fe00:102".parse::<std::net::Ipv6Addr>().unwrap());
    assert_eq!(hop.interface_id.as_deref(), Some(&b"ge-0/0/7"[..]));
    assert_eq!(hop.remote_id.as_deref(), Some(&b"\x00\x00\x7e\xd9port-7"[..]));
    assert_eq!(hop.relay_id, Some(relay()));
    assert_eq!(talk.log.last(), Some(&Seen::Finished(id, Outcome::Done)));
    assert!(Outcome::Done.is_complete() && Outcome::Empty.is_complete());
    assert!(!Outcome::Done.is_terminated());
    assert_eq!(talk.connection.warnings().count(Warning::RelayDataUnasked), 1);
    let counters = talk.connection.counters();
    assert_eq!((counters.clients, counters.bindings, counters.messages), (2, 3, 3));
    assert!(talk.connection.is_idle() && talk.connection.ended().is_none());
}

// BLQ-R-10, BLQ-R-11, BLQ-R-16, INT-16
#[test]
fn scenario_s2_errors_and_emptiness_end_one_question_and_not_the_others() {
    let mut talk = Talk::begin();
    let (unknown, empty, malformed, good) = (talk.ask(), talk.ask(), talk.ask(), talk.ask());
    talk.hear(&frame(V6, unknown)).hear(&frame(V5, empty)).hear(&reply(malformed, |w| status(w, 8)));
    talk.hear(&frame(V2, good)).hear(&frame(V4, good));
    let outcomes = talk.outcomes();
    let [Outcome::Refused(unknown), Outcome::Empty, Outcome::Refused(malformed), Outcome::Done] =
        outcomes[..]
    else {
        panic!("{outcomes:?}");
    };
    assert_eq!((unknown.code, unknown.text.as_str()), (StatusCode::NOT_CONFIGURED, "no such link"));
    assert!(unknown.suggests_another_server() && !unknown.blames_the_question());
    assert!(malformed.blames_the_question() && !malformed.suggests_another_server());
    assert_eq!(talk.leases(), 2);
}

// BLQ-R-16, BLQ-R-25, BLQ-R-26
#[test]
fn scenario_s3_a_shutdown_midway_keeps_what_came() {
    let (mut talk, id) = Talk::asked();
    talk.hear(&frame(V2, id)).hear(&frame(V7, id)).close();
    let [outcome @ Outcome::Partial(refusal)] = talk.outcomes()[..] else { panic!("{:?}", talk.log) };
    assert_eq!(refusal.to_string(), "QueryTerminated (shutting down)");
    assert!(outcome.is_terminated() && !outcome.is_complete());
    assert_eq!(talk.leases(), 2);
}

// BLQ-R-16, BLQ-R-26
#[test]
fn a_close_midway_or_before_the_reply_is_incomplete() {
    let mut talk = Talk::begin();
    let (streaming, sent) = (talk.ask(), talk.ask());
    talk.hear(&frame(V2, streaming)).close();
    let incomplete = Outcome::Incomplete(Gap::Closed);
    assert_eq!(talk.leases(), 2);
    assert_eq!(talk.outcomes(), [&incomplete, &incomplete]);
    assert!(talk.log.contains(&Seen::Finished(sent, incomplete)));
}

// BLQ-R-09, LQ-R-12, LQ-R-13, LQ-R-14, LQ-R-11
#[test]
fn replies_that_are_not_ours_are_discarded_and_counted() {
    let (mut talk, id) = Talk::asked();
    let somebody = client(9);
    let ids = |client: Option<&wire::Duid>, server: bool| {
        message(MessageType::LeaseQueryReply, id, |w| {
            client.iter().for_each(|duid| w.raw_option(OptionCode::CLIENTID, duid.octets()));
            if server {
                w.raw_option(OptionCode::SERVERID, server_id().octets());
            }
        })
    };
    talk.hear(&ids(Some(&relay()), false)).hear(&ids(None, true)).hear(&ids(Some(&somebody), true));
    talk.hear(&hex(V5)).hear(&message(MessageType::LeaseQuery, id, |_| ()));
    assert!(talk.log.is_empty());
    for warning in [
        Warning::ReplyWithoutServerId,
        Warning::ReplyWithoutClientId,
        Warning::ReplyToSomebodyElse,
        Warning::ReplyToNoQuestion,
        Warning::QueryReceived,
    ] {
        assert_eq!(talk.connection.warnings().count(warning), 1, "{warning}");
    }
    talk.hear(&frame(V5, id));
    assert_eq!(talk.outcomes(), [&Outcome::Empty]);
}

// BLQ-R-11, LQ-R-15, INT-02, INT-03
#[test]
fn success_stated_is_success() {
    let mut talk = Talk::begin();
    let (empty, full) = (talk.ask(), talk.ask());
    talk.hear(&reply(empty, |w| status(w, 0))).hear(&frame(V2, full));
    talk.hear(&message(MessageType::LeaseQueryDone, full, |w| status(w, 0)));
    assert_eq!(talk.outcomes(), [&Outcome::Empty, &Outcome::Done]);
    assert_eq!(talk.connection.warnings().count(Warning::SuccessStated), 2);
}

// BLQ-R-12
#[test]
fn a_list_of_links_is_ignored_here() {
    let (mut talk, id) = Talk::asked();
    let octets = reply(id, |w| {
        client_data(w, 1, 5, |w| w.ia_address(address(1), 10, 20));
        w.option(OptionCode::LQ_CLIENT_LINK, |w| w.address(address(0)));
    });
    talk.hear(&octets);
    assert_eq!((talk.leases(), talk.connection.warnings().count(Warning::ClientLinkIgnored)), (1, 1));
}

// BLQ-R-13
#[test]
fn data_without_a_client_are_discarded() {
    let (mut talk, id) = Talk::asked();
    talk.hear(&frame(V2, id)).hear(&data(id, |_| ())).hear(&frame(V3, id)).hear(&frame(V4, id));
    assert_eq!((talk.clients().len(), talk.outcomes()), (2, vec![&Outcome::Done]));
    assert_eq!(talk.connection.warnings().count(Warning::DataWithoutClient), 1);
}

// BLQ-R-14
#[test]
fn any_number_of_data_may_come() {
    let (mut talk, id) = Talk::asked();
    talk.hear(&frame(V2, id));
    let octets = frame(V3, id);
    let mut clients = 0;
    for _ in 0..100_000 {
        talk.connection.receive(&octets, at(0), &mut |_| clients += 1);
    }
    talk.hear(&frame(V4, id));
    assert_eq!((clients, talk.outcomes()), (100_000, vec![&Outcome::Done]));
}

// BLQ-R-15, BLQ-R-27
#[test]
fn data_or_done_of_no_question_close_the_connection() {
    for stray in [V3, V4] {
        let (mut talk, id) = Talk::asked();
        talk.hear(&frame(V2, id)).hear(&hex(stray));
        assert!(faults(&talk) && matches!(talk.outcomes()[..], [Outcome::Incomplete(_)]));
        assert_eq!(talk.leases(), 2);
    }
}

// BLQ-R-15
#[test]
fn a_done_after_an_empty_reply_closes_the_connection() {
    let (mut talk, id) = Talk::asked();
    talk.hear(&frame(V5, id)).hear(&frame(V4, id));
    assert!(faults(&talk));
    assert_eq!(talk.outcomes(), [&Outcome::Empty]);
}

// BLQ-R-30
#[test]
fn messages_out_of_order_close_the_connection() {
    for (first, second) in [(Some(V2), V2), (None, V3), (None, V4)] {
        let (mut talk, id) = Talk::asked();
        if let Some(first) = first {
            talk.hear(&frame(first, id));
        }
        talk.hear(&frame(second, id));
        let gap = talk.connection.ended().unwrap();
        assert!(matches!(gap, Gap::Fault(Fault::OutOfOrder(_))), "{gap}");
        assert_eq!(talk.outcomes(), [&Outcome::Incomplete(gap)]);
    }
}

#[test]
fn what_is_no_message_closes_the_connection() {
    let solicit = |id| message(MessageType::Solicit, id, |_| ());
    let overrun = |id| data(id, |w| w.bytes(&[0, 45, 0, 9, 1]));
    let short = |_| vec![0, 3, 15, 0, 0];
    let makers: [&dyn Fn(wire::TransactionId) -> Vec<u8>; 3] = [&solicit, &overrun, &short];
    for make in makers {
        let (mut talk, id) = Talk::asked();
        talk.hear(&make(id));
        assert!(faults(&talk));
        assert_eq!(talk.connection.ask(&Question::by_relay(relay()), at(0)), Err(AskError::Ended));
    }
}

// BLQ-R-19, BLQ-R-20, LQ-R-01
#[test]
fn a_thousand_questions_have_a_thousand_ids() {
    let mut talk = Talk::begin();
    let mut ids = BTreeSet::new();
    for number in 0..1000 {
        let id = talk.ask();
        assert!(ids.insert(id), "{id} once more");
        // Of every other one the answer is complete before the next is asked.
        if number % 2 == 0 {
            talk.hear(&frame(V5, id));
        }
    }
    assert_eq!((talk.outcomes().len(), talk.connection.is_idle()), (500, false));
}

// BLQ-R-21
#[test]
fn interleaved_answers_are_sorted() {
    let mut talk = Talk::begin();
    let (a, b) = (talk.ask(), talk.ask());
    talk.hear(&frame(V2, a)).hear(&frame(V2, b)).hear(&frame(V3, b)).hear(&frame(V3, a));
    talk.hear(&frame(V4, b)).hear(&frame(V4, a));
    let of = |id| {
        talk.log.iter().filter(move |seen| matches!(seen, Seen::Client(query, _) if *query == id)).count()
    };
    assert_eq!((of(a), of(b)), (2, 2));
    assert_eq!(talk.log[4..], [Seen::Finished(b, Outcome::Done), Seen::Finished(a, Outcome::Done)]);
}

// BLQ-R-07, BLQ-R-22
#[test]
fn a_silence_ends_the_connection_and_pauses_do_not() {
    let mut talk = Talk::begin();
    let (first, second) = (talk.ask(), talk.ask());
    talk.hear_at(&frame(V2, first), at(299)).tick(at(300)).hear_at(&frame(V4, first), at(598)).tick(at(600));
    assert_eq!(talk.outcomes(), [&Outcome::Done]);
    assert_eq!(talk.connection.next_deadline().unwrap().at, at(598) + limits::DATA_TIMEOUT);
    talk.tick(at(898));
    assert_eq!(talk.log.last(), Some(&Seen::Finished(second, Outcome::Incomplete(Gap::Silent))));
    assert_eq!(talk.connection.next_deadline(), None);
}

// BLQ-R-07
#[test]
fn octets_that_never_become_a_message_are_silence() {
    let (mut talk, _) = Talk::asked();
    for second in 1..300 {
        talk.hear_at(&[0xff], at(second)).tick(at(second));
    }
    assert!(talk.outcomes().is_empty());
    talk.tick(at(300));
    assert_eq!(talk.outcomes(), [&Outcome::Incomplete(Gap::Silent)]);
}

// BLQ-R-06
#[test]
fn a_server_that_never_reads_is_given_up() {
    let mut talk = Talk::begin();
    talk.connection.ask(&Question::by_relay(relay()), at(5)).unwrap();
    talk.connection.wrote(10, at(100));
    talk.connection.receive(&frame(V5, wire::TransactionId::from_number(0)), at(200), &mut |_| ());
    talk.tick(at(399));
    assert!(talk.outcomes().is_empty());
    talk.tick(at(400));
    assert_eq!(talk.outcomes(), [&Outcome::Incomplete(Gap::Blocked)]);
}

#[test]
fn the_patience_is_the_callers() {
    let (talk, _) = Talk::asked();
    let connection = talk.connection.with_data_timeout(Duration::from_secs(7));
    assert_eq!(connection.next_deadline().unwrap().at, at(7));
}

// BLQ-R-24, BLQ-R-17
#[test]
fn a_close_between_questions_loses_nothing() {
    let (mut talk, id) = Talk::asked();
    talk.hear(&frame(V5, id));
    assert!(talk.connection.is_idle() && talk.connection.next_deadline().is_none());
    talk.close();
    assert_eq!(talk.outcomes(), [&Outcome::Empty]);
    assert_eq!(talk.connection.ask(&Question::by_relay(relay()), at(0)), Err(AskError::Ended));
}
