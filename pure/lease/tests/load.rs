//! Loading: a table made of stored images at once answers as the one that wrote them.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv6Addr;

use lease::{Client, Conflict, InTurn, LinkId, Records, Search, Seq, Table, image};
use proptest::prelude::*;
use support::{
    GRANTED_UNIX_SECS, address, by_client, by_relay, by_remote, client, found, hop, key, key_of, resource,
    through,
};
use wire::Duid;

const REMOTE_ID: &[u8] = b"\0\0\0\x09line";

fn load(clients: &[Client]) -> Result<Table, Conflict> {
    let mut records = Records::default();
    for client in clients {
        records.push(&image::encode(client)).unwrap();
    }
    Table::load(records, &InTurn)
}

/// Clients that often want what another has: a few addresses, and prefixes of three lengths.
fn any_client() -> impl Strategy<Value = Client> {
    let address = (0..12_u32).prop_map(|host| format!("2001:db8:1::{host:x}"));
    let prefix = (0..8_u32, prop::sample::select(&[54_u8, 55, 56][..])).prop_map(|(part, length)| {
        let address = Ipv6Addr::new(0x2001, 0xdb8, 0xf000, (part << 8) as u16, 0, 0, 0, 0);
        wire::Prefix::new(address, length).unwrap().to_string()
    });
    let resources = prop::collection::vec(prop_oneof![address, prefix], 0..4);
    let path = prop::option::of((100..103_u32, any::<bool>()));
    (0..10_u32, 1..3_u32, resources, path, 0..5_u32).prop_map(|(number, link, resources, path, hours)| {
        let texts: Vec<&str> = resources.iter().map(String::as_str).collect();
        let mut client = client(number, link, &texts);
        for lease in client.bindings.iter_mut().flat_map(|binding| &mut binding.leases) {
            lease.valid_secs = hours * 3600;
        }
        match path {
            Some((relay, line)) => {
                let inner = hop(Some(relay + 1), line.then_some(REMOTE_ID));
                through(client, &[hop(Some(relay), None), inner])
            }
            None => client,
        }
    })
}

/// What the store holds after this batch, in its own order.
fn store(batch: Vec<lease::AfterImage>) -> BTreeMap<Vec<u8>, Box<[u8]>> {
    let mut stored = BTreeMap::new();
    for after in batch {
        match after.image {
            Some(image) => stored.insert(after.key, image),
            None => stored.remove(&after.key),
        };
    }
    stored
}

/// All answers of a table that do not depend on how it came to be.
fn answers(table: &Table) -> impl PartialEq + std::fmt::Debug {
    let searches = (0..10).map(by_client).chain((100..105).map(by_relay));
    let searches = searches.chain([by_remote(REMOTE_ID)]).chain((1..3).map(|n| Search::on_link(LinkId(n))));
    let found: Vec<BTreeSet<_>> =
        searches.map(|search| found(table, &search).into_iter().collect()).collect();
    let holders: Vec<_> = (0..12)
        .map(|host| table.holder_of_address(address(&format!("2001:db8:1::{host:x}"))))
        .map(|holder| holder.map(|client| key_of(&client)))
        .collect();
    let around: Vec<_> = (0..2048)
        .map(|part| table.holder_of_prefix_around(Ipv6Addr::new(0x2001, 0xdb8, 0xf000, part, 0, 0, 0, 1)))
        .map(|holder| holder.map(|(prefix, client)| (prefix, key_of(&client))))
        .collect();
    let due: Vec<BTreeSet<_>> = (0..6)
        .map(|hours| table.expiring_until(GRANTED_UNIX_SECS + hours * 3600))
        .map(|clients| clients.map(|client| key_of(&client)).collect())
        .collect();
    let changed: BTreeMap<_, _> =
        table.changed_since(Seq(0)).map(|(_, client)| (key_of(&client), client.to_client())).collect();
    (table.len(), found, holders, around, due, changed)
}

proptest! {
    #[test]
    fn a_loaded_table_answers_as_the_one_that_wrote_it(
        clients in prop::collection::vec((any_client(), prop::bool::weighted(0.2)), 0..40),
        later in prop::collection::vec(any_client(), 0..6),
    ) {
        let mut written = Table::default();
        for (client, forget) in &clients {
            let refused = written.put(client).is_err();
            if *forget && !refused {
                written.remove(&client.key).unwrap();
            }
        }
        let mut records = Records::default();
        for image in store(written.take_batch()).values() {
            records.push(image).unwrap();
        }
        let mut loaded = Table::load(records, &InTurn).expect("what a table took it takes back");
        prop_assert_eq!(answers(&written), answers(&loaded));
        for client in &later {
            let (before, after) = (written.put(client).map(drop), loaded.put(client).map(drop));
            prop_assert_eq!(before.is_ok(), after.is_ok());
        }
        prop_assert_eq!(answers(&written), answers(&loaded));
    }
}

#[test]
fn nothing_gives_an_empty_table() {
    let table = load(&[]).unwrap();
    assert!(table.is_empty());
    assert_eq!(table.last_seq(), Seq(0));
}

#[test]
fn changes_after_loading_are_numbered_behind_it() {
    let mut table = load(&[client(1, 1, &[]), client(2, 1, &[])]).unwrap();
    assert!(table.take_batch().is_empty(), "what comes from the store need not be written there");
    let loaded = table.last_seq();
    table.put(&client(1, 1, &["2001:db8:1::a"])).unwrap();
    let changed: Vec<_> = table.changed_since(loaded).map(|(_, client)| key_of(&client)).collect();
    assert_eq!(changed, [key(1, 1)]);
}

#[test]
fn what_is_held_twice_is_reported() {
    let cases = [
        (["2001:db8:1::a", "2001:db8:1::a"], "2001:db8:1::a"),
        (["2001:db8:f000::/56", "2001:db8:f000::/56"], "2001:db8:f000::/56"),
        (["2001:db8:f000::/48", "2001:db8:f000:100::/56"], "2001:db8:f000:100::/56"),
        (["2001:db8:f000:100::/56", "2001:db8:f000::/48"], "2001:db8:f000:100::/56"),
    ];
    for ([first, second], reported) in cases {
        let others = [client(3, 1, &["2001:db8:1::3"]), client(4, 1, &["2001:db8:f001::/56"])];
        let clients = [&others[..], &[client(1, 1, &[first]), client(2, 2, &[second])]].concat();
        let refused = load(&clients).unwrap_err();
        assert_eq!(refused.resource, resource(reported));
        assert!([key(1, 1), key(2, 2)].contains(&refused.holder), "{refused}");
    }
}

#[test]
fn a_duid_of_any_length_is_found_again() {
    for length in [3, 10, 130] {
        let duid = Duid::new(&vec![7; length]).unwrap();
        let mut long = client(1, 1, &["2001:db8:1::a"]);
        long.key.duid = duid;
        let table = load(std::slice::from_ref(&long)).unwrap();
        assert_eq!(table.client(&long.key).unwrap().to_client(), long);
    }
}
