//! A long answer while the table changes: what stays is told once, what comes or goes may be told.

use std::collections::BTreeMap;

use lease::LeaseState;
use server::leasequery::Connection;
use server::limits::TURN_CLIENTS;
use wire::MessageType;
use world::Chance;

use crate::common::{
    Answer, Known, Question, REQUESTOR, Server, answers, at, client, frames, holdings, many_clients, path_of,
    relay,
};

const CLIENTS: u32 = 6_000;

/// Client `number` with its own prefix, last heard `ago_secs` ago.
fn known(number: u32, ago_secs: u64) -> Known {
    client(1, number).heard(ago_secs, "2001:db8:ffff::1", &path_of("V3")).nth_prefix(number, 3600)
}

fn prefix_of(number: u32) -> String {
    known(number, 0).0.bindings[0].leases[0].resource.to_string()
}

// BLQ-S-51, BLQ-S-31
#[test]
fn what_changes_meanwhile_is_told_at_most_once_and_what_stays_exactly_once() {
    for seed in 0..3 {
        let mut chance = Chance::from_seed(seed);
        let mut server = Server::new(many_clients(CLIENTS));
        let mut connection = Connection::new(REQUESTOR, at(0));
        connection.receive(&Question::by_relay(1, &relay()).framed(), at(0));
        let mut stream = Vec::new();
        let mut rounds = 0;
        while rounds == 0 || connection.has_work() {
            stream.append(&mut server.round(&mut connection, at(0)));
            rounds += 1;
            change_some(&mut server, &mut chance);
        }
        assert!(rounds > 6, "an answer in {rounds} rounds is no long one");
        assert_told_once(&answers(&stream));
    }
}

/// Of the clients with a number that three divides, some are renewed, released, forgotten or new.
/// The others stay as they are.
fn change_some(server: &mut Server, chance: &mut Chance) {
    let table = &mut server.holdings.table;
    for _ in 0..200 {
        let number = 3 * chance.below(u64::from(CLIENTS) / 3) as u32;
        let _ = match chance.below(5) {
            0 | 1 => table.put(&known(number, 0).0).ok(),
            2 => table.put(&known(number, 5).now(LeaseState::Released).0).ok(),
            3 => table.put(&known(number, 0).nth_prefix(CLIENTS + number, 3600).0).ok(),
            _ => table.put(&known(2 * CLIENTS + number, 0).0).ok(),
        };
    }
}

fn assert_told_once(answer: &[Answer]) {
    let mut times: BTreeMap<String, u32> = BTreeMap::new();
    for lease in answer.iter().flat_map(Answer::leases) {
        let (prefix, lifetimes) = lease.split_once(' ').unwrap();
        assert!(!lifetimes.ends_with("/0"), "{lease} is over");
        *times.entry(prefix.into()).or_default() += 1;
    }
    assert_eq!(times.values().max(), Some(&1), "a lease was told twice");
    for number in (0..CLIENTS).filter(|number| number % 3 != 0) {
        assert!(times.contains_key(&prefix_of(number)), "client {number} is missing");
    }
    assert_eq!(answer.last().unwrap().message_type, MessageType::LeaseQueryDone);
}

// BLQ-S-51: the places of clients that are forgotten are taken by new ones.
#[test]
fn clients_may_be_forgotten_on_either_side_of_where_the_answer_is() {
    let mut server = Server::new(many_clients(3_000));
    let mut connection = Connection::new(REQUESTOR, at(0));
    let mut stream = server_begins(&mut server, &mut connection);
    for number in (0..3_000).step_by(3) {
        server.holdings.table.remove(&known(number, 0).0.key).unwrap();
    }
    stream.append(&mut server.rounds(&mut connection, at(0)));
    let told: Vec<String> = answers(&stream).iter().flat_map(Answer::leases).collect();
    for number in (0..3_000).filter(|number| number % 3 != 0) {
        let prefix = format!("{} ", prefix_of(number));
        assert_eq!(told.iter().filter(|lease| lease.starts_with(&prefix)).count(), 1);
    }
}

fn server_begins(server: &mut Server, connection: &mut Connection) -> Vec<u8> {
    connection.receive(&Question::by_relay(1, &relay()).framed(), at(0));
    let first = server.round(connection, at(0));
    assert!(!first.is_empty() && connection.has_work());
    first
}

// BLQ-S-31: lifetimes run out in mid-answer, and the answer ends as it should.
#[test]
fn leases_that_run_out_during_the_answer_are_not_told() {
    let mut server = Server::new(many_clients(3_000));
    let mut connection = Connection::new(REQUESTOR, at(0));
    let first = server_begins(&mut server, &mut connection);
    let rest = answers(&server.rounds(&mut connection, at(3_600)));
    assert!(frames(&first).len() < 3_000);
    assert_eq!(rest.len(), 1);
    assert_eq!((rest[0].message_type, rest[0].codes()), (MessageType::LeaseQueryDone, vec![]));
}

// BLQ-S-16, BLQ-S-54: a search that finds little gives way to others all the same.
#[test]
fn a_search_in_vain_takes_turns_too() {
    let mut server = Server::new(many_clients(20_000));
    let mut connection = Connection::new(REQUESTOR, at(0));
    connection.receive(&Question::by_relay(1, &relay()).on("2001:db8:2::1").framed(), at(0));
    for _ in 0..20_000 / TURN_CLIENTS {
        assert!(server.round(&mut connection, at(0)).is_empty());
        assert!(connection.has_work());
    }
    let answer = answers(&server.rounds(&mut connection, at(0)));
    assert_eq!(answer.len(), 1);
    assert_eq!(answer[0].codes(), [1, 2]);
}

// BLQ-S-31: where all have run out before the first could be told, the REPLY is empty and alone.
#[test]
fn an_answer_whose_leases_are_all_over_is_an_empty_one() {
    let mut server = Server::new(holdings((0..20_000).map(|number| known(number, 3_600))));
    let answer = server.ask(&Question::by_relay(1, &relay()));
    assert_eq!(answer.len(), 1);
    assert_eq!(answer[0].codes(), [1, 2]);
}
