//! Several servers, several messages, one list.

mod common;

use common::*;
use requestor::{ClientRecord, Merged, MergedLease, SourceId, Warning, Warnings};
use wire::Prefix;

/// One client as one message tells it: these addresses, by number.
fn word(number: u8, clt: u32, received: u64, leases: &[u16], valid: u32) -> ClientRecord {
    let (mut talk, id) = Talk::asked();
    let octets = reply(id, |w| {
        client_data(w, number, clt, |w| leases.iter().for_each(|n| w.ia_address(address(*n), 1, valid)));
    });
    talk.hear_at(&octets, at(received));
    talk.clients()[0].clone()
}

fn leases(merged: &Merged) -> Vec<MergedLease> {
    merged.clients().flat_map(|(_, leases)| leases.cloned().collect::<Vec<_>>()).collect()
}

const A: SourceId = SourceId(0);
const B: SourceId = SourceId(1);

// INT-01
#[test]
fn a_client_in_several_messages_keeps_all_its_leases() {
    let mut merged = Merged::default();
    merged.add(A, word(1, 5, 0, &[1], 20));
    merged.add(A, word(2, 5, 0, &[9], 20));
    merged.add(A, word(1, 5, 0, &[2], 20));
    merged.add(A, word(1, 5, 0, &[3], 20));
    assert_eq!((merged.client_count(), leases(&merged).len()), (2, 4));
    assert_eq!(merged.split_sources().collect::<Vec<_>>(), [A]);
}

// LQ-R-21
#[test]
fn disjoint_leases_from_two_servers_are_both_kept() {
    let mut merged = Merged::default();
    merged.add(A, word(1, 5, 0, &[1], 20));
    let (mut talk, id) = Talk::asked();
    let prefix = Prefix::new(address(0), 56).unwrap();
    talk.hear(&reply(id, |w| client_data(w, 1, 900, |w| w.ia_prefix(prefix, 1, 2, |_| ()))));
    merged.add(B, talk.clients()[0].clone());
    assert_eq!(leases(&merged).len(), 2);
    assert_eq!(merged.split_sources().count(), 0);
}

// LQ-R-22, LQ-R-23, BLQ-R-18
#[test]
fn of_one_lease_the_server_that_heard_last_is_believed_whoever_answers_first() {
    let words = [(A, word(1, 500, 0, &[1], 111)), (B, word(1, 20, 0, &[1], 222))];
    let late = [(A, word(1, 500, 479, &[1], 111)), (B, word(1, 20, 0, &[1], 222))];
    for [first, second] in [words, late] {
        for order in [[&first, &second], [&second, &first]] {
            let mut merged = Merged::default();
            order.into_iter().for_each(|(source, word)| merged.add(*source, word.clone()));
            let leases = leases(&merged);
            let [lease] = &leases[..] else { panic!("{leases:?}") };
            assert_eq!((lease.told.source, lease.told_by.len()), (B, 2));
            assert_eq!(lease.told.last_heard_secs, Some(20));
        }
    }
}

// LQ-R-23: between two that heard a client at the same moment the first one's word stands.
#[test]
fn an_equally_fresh_word_of_another_server_changes_nothing() {
    let mut merged = Merged::default();
    merged.add(A, word(1, 20, 100, &[1], 111));
    merged.add(B, word(1, 30, 110, &[1], 222));
    let leases = leases(&merged);
    assert_eq!((leases[0].told.source, leases[0].told_by.as_slice()), (A, &[A, B][..]));
}

// INT-12
#[test]
fn an_unknown_age_loses_against_any_other() {
    let mut merged = Merged::default();
    merged.add(A, word(1, 1_700_000_000, 0, &[1], 20));
    assert_eq!(leases(&merged)[0].told.silent_secs(at(9)), None);
    merged.add(B, word(1, 900_000_000, 0, &[1], 20));
    merged.add(A, word(1, 1_700_000_000, 5, &[1], 20));
    assert_eq!(leases(&merged)[0].told.source, B);
    merged.add(B, word(1, 20, 100, &[1], 20));
    assert_eq!(leases(&merged)[0].told.silent_secs(at(109)), Some(29));
}

#[test]
fn warnings_of_several_connections_add_up() {
    let (mut all, mut other) = (Warnings::default(), Warnings::default());
    all.add(Warning::SplitClient);
    other.add(Warning::SplitClient);
    other.add(Warning::SplitClient);
    other.add(Warning::Undecodable);
    all.absorb(&other);
    assert_eq!((all.count(Warning::SplitClient), all.count(Warning::Undecodable)), (3, 1));
    assert_eq!(all.iter().count(), 2);
}

// BLQ-R-08
#[test]
fn of_one_server_the_later_word_counts() {
    let mut merged = Merged::default();
    merged.add(A, word(1, 10, 100, &[1], 20));
    merged.add(A, word(1, 10, 100, &[1], 30));
    assert_eq!(leases(&merged)[0].lease.valid.left_secs(at(100)), 30);
}
