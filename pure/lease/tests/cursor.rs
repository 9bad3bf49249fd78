//! A search that is left and taken up again, while clients come, change and go.
//!
//! The model knows of each client since when it has been found by the search without a gap. Those
//! that were there all the while must be met exactly once, whatever was put in between, and nobody
//! who was not forgotten in the meantime may be met twice.

mod support;

use std::collections::BTreeMap;

use lease::{Client, Cursor, LinkId, Search, Table};
use proptest::prelude::*;
use support::{by_relay, by_remote, client, hop, key, key_of, through};

/// Clients 0 to 15 on links 1 and 2.
const CLIENTS: u32 = 16;

#[derive(Debug, Clone, Copy)]
enum Step {
    /// Put a client behind this relay.
    Put { number: u32, link: u32, relay: u32 },
    /// Forget a client.
    Remove { number: u32, link: u32 },
    /// Take this many more from the search.
    Read(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let (number, link, relay) = (0..CLIENTS, 1..3_u32, 100..102_u32);
    prop_oneof![
        4 => (number.clone(), link.clone(), relay).prop_map(|(number, link, relay)| Step::Put { number, link, relay }),
        2 => (number, link).prop_map(|(number, link)| Step::Remove { number, link }),
        3 => (1..6_usize).prop_map(Step::Read),
    ]
}

fn behind_relay(number: u32, link: u32, relay: u32) -> Client {
    through(client(number, link, &[]), &[hop(Some(relay), None), hop(None, Some(b"\0\0\0\x09line"))])
}

/// What the model knows of a client.
#[derive(Debug, Clone, Copy)]
struct Known {
    /// Behind which relay; `None` once forgotten.
    relay: Option<u32>,
    /// Found by the search ever since it began.
    all_the_while: bool,
    /// Forgotten since the search began.
    was_forgotten: bool,
    met: u32,
}

/// The table, its model, and a search on its way.
struct Scenario {
    table: Table,
    model: BTreeMap<(u32, u32), Known>,
    search: Search,
    finds: fn(u32, u32) -> bool,
    cursor: Cursor,
}

impl Scenario {
    fn begin(clients: &BTreeMap<(u32, u32), u32>, search: Search, finds: fn(u32, u32) -> bool) -> Self {
        let mut table = Table::default();
        let mut model = BTreeMap::new();
        for (&(number, link), &relay) in clients {
            table.put(&behind_relay(number, link, relay)).unwrap();
            let known =
                Known { relay: Some(relay), all_the_while: finds(link, relay), was_forgotten: false, met: 0 };
            model.insert((number, link), known);
        }
        Self { table, model, search, finds, cursor: Cursor::START }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Put { number, link, relay } => self.put(number, link, relay),
            Step::Remove { number, link } => self.remove(number, link),
            Step::Read(count) => self.read(count),
        }
    }

    fn put(&mut self, number: u32, link: u32, relay: u32) {
        self.table.put(&behind_relay(number, link, relay)).unwrap();
        let new = Known { relay: None, all_the_while: false, was_forgotten: false, met: 0 };
        let known = self.model.entry((number, link)).or_insert(new);
        known.relay = Some(relay);
        known.all_the_while &= (self.finds)(link, relay);
    }

    fn remove(&mut self, number: u32, link: u32) {
        let known = self.model.get_mut(&(number, link)).filter(|known| known.relay.is_some());
        assert_eq!(self.table.remove(&key(number, link)).is_some(), known.is_some());
        if let Some(known) = known {
            *known = Known { relay: None, all_the_while: false, was_forgotten: true, ..*known };
        }
    }

    fn read(&mut self, count: usize) {
        for (behind, view) in self.table.search(&self.search, self.cursor).take(count) {
            let (number, known) = self
                .model
                .iter_mut()
                .find(|((number, link), _)| key(*number, *link) == key_of(&view))
                .expect("only what was put is found");
            let relay = known.relay.expect("what is forgotten is not found");
            assert!((self.finds)(number.1, relay), "{number:?} is not meant");
            known.met += 1;
            self.cursor = behind;
        }
    }

    fn end(mut self) {
        self.read(usize::MAX);
        for (number, known) in self.model {
            if known.all_the_while {
                assert_eq!(known.met, 1, "{number:?} was there all the while");
            }
            assert!(known.met <= 1 || known.was_forgotten, "{number:?} was met {} times", known.met);
        }
    }
}

fn run(clients: &BTreeMap<(u32, u32), u32>, steps: &[Step], search: Search, finds: fn(u32, u32) -> bool) {
    let mut scenario = Scenario::begin(clients, search, finds);
    steps.iter().for_each(|step| scenario.take(*step));
    scenario.end();
}

proptest! {
    // BLQ-S-51
    #[test]
    fn who_was_there_all_the_while_is_met_exactly_once(
        clients in prop::collection::btree_map((0..CLIENTS, 1..3_u32), 100..102_u32, 0..32),
        steps in prop::collection::vec(step(), 0..60),
    ) {
        run(&clients, &steps, by_relay(100), |_, relay| relay == 100);
        run(&clients, &steps, by_remote(b"\0\0\0\x09line"), |_, _| true);
        run(&clients, &steps, Search::on_link(LinkId(1)), |link, _| link == 1);
    }
}

/// A place behind everybody stays there: who comes later into the place of one who left is not
/// called after all.
#[test]
fn a_search_that_has_ended_does_not_begin_again() {
    let mut table = Table::default();
    for number in 0..3 {
        table.put(&behind_relay(number, 1, 100)).unwrap();
    }
    let search = by_relay(100);
    let end = table.search(&search, Cursor::START).last().unwrap().0;
    table.remove(&key(1, 1)).unwrap();
    table.put(&behind_relay(7, 1, 100)).unwrap();
    table.put(&behind_relay(2, 1, 100)).unwrap();
    assert!(table.search(&search, end).next().is_none());
}
