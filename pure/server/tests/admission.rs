//! Who is let in when many want to be, and who has to go for it.

use std::net::Ipv6Addr;

use server::leasequery::{Admission, BulkLimits, Connection, Entry, Place};
use server::limits::KEPT_AT_REST;
use world::{Chance, Instant};

use crate::common::{Question, REQUESTOR, Server, at, many_clients, relay};

fn source(number: u16) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, number)
}

fn limits(max_connections: usize) -> BulkLimits {
    BulkLimits { max_connections, ..BulkLimits::default() }
}

/// A server's door, where everybody rests unless somebody says otherwise.
struct Door {
    admission: Admission,
    limits: BulkLimits,
    now: Instant,
}

impl Door {
    fn new(limits: BulkLimits) -> Self {
        Self { admission: Admission::default(), limits, now: at(0).instant }
    }

    fn open(&mut self, from: u16) -> Option<Entry> {
        self.admission.open(source(from), &self.limits, self.now)
    }

    /// Lets one in where there is room.
    fn take(&mut self, from: u16) -> Place {
        let entry = self.open(from).expect("there is room");
        assert_eq!(entry.displaced, None);
        entry.place
    }

    fn displaced(&mut self, from: u16) -> Option<Place> {
        self.open(from)?.displaced
    }
}

// BLQ-S-01, BLQ-S-02, BLQ-S-03
#[test]
fn there_are_so_many_connections_and_no_more() {
    for (limits, most) in [(BulkLimits::default(), 10), (limits(1), 1)] {
        let mut door = Door::new(limits);
        let places: Vec<Place> = (0..most).map(|_| door.take(1)).collect();
        assert_eq!(door.open(1), None, "one too many");
        assert_eq!(door.admission.connections(), most);
        door.admission.close(places[0]);
        door.take(1);
    }
}

// BLQ-S-67
#[test]
fn whoever_takes_all_places_and_rests_gives_way_to_others() {
    let mut door = Door::new(limits(4));
    let hog: Vec<Place> = (0..4).map(|_| door.take(1)).collect();
    assert_eq!(door.displaced(2), Some(hog[0]), "the one that has rested longest");
    assert_eq!(door.admission.connections(), 4);
    assert_eq!(door.displaced(2), Some(hog[1]));
    assert_eq!(door.open(2), None, "two against two");
    assert_eq!(door.open(1), None, "nobody drives out himself");
    assert_eq!(door.displaced(3), Some(hog[2]));
    door.admission.close(hog[0]);
    assert_eq!(door.admission.connections(), 4, "who was displaced is counted out already");
}

// BLQ-S-67
#[test]
fn two_sources_do_not_drive_each_other_out() {
    let mut door = Door::new(limits(5));
    (0..5).for_each(|_| _ = door.take(1));
    let displaced = (0..100).filter(|number| door.displaced(1 + number % 2).is_some()).count();
    assert_eq!(displaced, 2, "three for the one and two for the other");
}

// BLQ-S-67
#[test]
fn one_that_has_rested_for_a_while_gives_way_to_an_equal() {
    let mut door = Door::new(limits(2));
    let first = door.take(1);
    door.now = door.now + KEPT_AT_REST / 2;
    let second = door.take(2);
    assert_eq!(door.open(3), None);
    door.now = door.now + KEPT_AT_REST / 2;
    assert_eq!(door.displaced(3), Some(first));
    assert_eq!(door.open(4), None);
    door.admission.rest(second, Some(door.now));
    door.now = door.now + KEPT_AT_REST / 2;
    assert_eq!(door.open(4), None, "it has done something meanwhile");
}

// BLQ-S-67
#[test]
fn one_that_is_answered_keeps_its_place() {
    let mut door = Door::new(limits(3));
    let places: Vec<Place> = (0..3).map(|_| door.take(1)).collect();
    places.iter().for_each(|place| door.admission.rest(*place, None));
    door.now = door.now + 10 * KEPT_AT_REST;
    assert_eq!(door.open(2), None);
    door.admission.rest(places[1], Some(door.now));
    assert_eq!(door.displaced(2), Some(places[1]), "the only one that rests");
}

// BLQ-S-67: what is answered, and what is still being sent, does not rest.
#[test]
fn a_connection_rests_when_all_was_taken() {
    let mut server = Server::new(many_clients(20_000));
    let mut connection = Connection::new(REQUESTOR, at(0));
    let question = Question::by_relay(1, &relay()).framed();
    let (half, rest) = question.split_at(20);
    connection.receive(half, at(4));
    server.round_unsent(&mut connection, at(4));
    assert_eq!(connection.rests_since(), Some(at(0).instant), "octets are no question");
    connection.receive(rest, at(5));
    while connection.has_work() {
        if server.round_unsent(&mut connection, at(5)).is_empty() {
            continue;
        }
        assert_eq!(connection.rests_since(), None);
        connection.sent(false, at(6));
        assert_eq!(connection.rests_since(), None, "the requestor has not read all of it");
        connection.sent(true, at(7));
    }
    assert_eq!(connection.rests_since(), Some(at(7).instant));
}

// BLQ-S-67
#[test]
fn who_leaves_is_the_first_to_give_way() {
    let mut door = Door::new(limits(2));
    let leaving = door.take(1);
    let busy = door.take(2);
    door.admission.rest(busy, None);
    door.admission.leave(leaving);
    assert_eq!(door.admission.connections(), 2, "its socket is still there");
    assert_eq!(door.displaced(3), Some(leaving));
    assert_eq!(door.open(4), None);
}

// BLQ-S-68
#[test]
fn one_source_can_be_bounded() {
    let mut door = Door::new(BulkLimits { max_connections_per_requestor: Some(2), ..limits(10) });
    let places: Vec<Place> = (0..2).map(|_| door.take(1)).collect();
    assert_eq!(door.open(1), None);
    door.take(2);
    door.admission.leave(places[0]);
    door.take(1);
    assert_eq!(door.open(1), None);
}

// BLQ-S-67, BLQ-S-68: whatever happens, nothing is counted twice or forgotten.
#[test]
fn the_counts_are_those_of_the_connections_that_there_are() {
    for seed in 0..50 {
        let mut chance = Chance::from_seed(seed);
        let mut door = Door::new(BulkLimits { max_connections_per_requestor: Some(5), ..limits(12) });
        let mut here: Vec<(u16, Place)> = Vec::new();
        for _ in 0..2_000 {
            door.now = door.now + std::time::Duration::from_millis(chance.below(800));
            let any = (!here.is_empty()).then(|| chance.below(here.len() as u64) as usize);
            match (chance.below(5), any) {
                (0, Some(index)) => door.admission.close(here.swap_remove(index).1),
                (1, Some(index)) => door.admission.rest(here[index].1, None),
                (2, Some(index)) => door.admission.rest(here[index].1, Some(door.now)),
                (3, Some(index)) if chance.below(4) == 0 => door.admission.leave(here[index].1),
                _ => {
                    let from = chance.below(6) as u16;
                    if let Some(Entry { place, displaced }) = door.open(from) {
                        assert!(here.iter().all(|(_, other)| *other != place));
                        let before = here.len();
                        here.retain(|(_, other)| Some(*other) != displaced);
                        assert_eq!(before - here.len(), usize::from(displaced.is_some()));
                        here.push((from, place));
                    }
                }
            }
            assert_eq!(door.admission.connections(), here.len(), "seed {seed}");
            assert!(here.len() <= 12);
        }
        here.iter().for_each(|(_, place)| door.admission.close(*place));
        assert_eq!(door.admission.connections(), 0);
    }
}
