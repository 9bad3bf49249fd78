//! The table from outside: who is kept, who is found by what, and who is refused.

mod support;

use lease::{Client, Conflict, Cursor, Identifier, LeaseState, LinkId, Search, Seq, Table};
use support::{
    GRANTED_UNIX_SECS, address, by_client, by_relay, by_remote, client, duid, found, hop, key, key_of,
    resource, through,
};
use wire::INFINITE;

#[test]
fn a_client_is_kept_replaced_and_forgotten() {
    let mut table = Table::default();
    assert_eq!(table.put(&client(1, 1, &["2001:db8:1::a"])), Ok(Seq(1)));
    assert_eq!(table.put(&client(1, 1, &["2001:db8:1::b"])), Ok(Seq(2)));
    assert!(table.len() == 1 && !table.is_empty());
    assert_eq!(table.client(&key(1, 1)).unwrap().to_client(), client(1, 1, &["2001:db8:1::b"]));
    assert!(table.holder_of_address(address("2001:db8:1::a")).is_none());
    assert_eq!(table.remove(&key(1, 1)), Some(Seq(3)));
    assert_eq!(table.remove(&key(1, 1)), None);
    assert!(table.is_empty() && table.client(&key(1, 1)).is_none());
    assert!(table.holder_of_address(address("2001:db8:1::b")).is_none());
    assert_eq!((table.last_seq(), found(&table, &by_client(1))), (Seq(3), vec![]));
}

#[test]
fn one_duid_on_two_links_is_two_clients() {
    let mut table = Table::default();
    table.put(&client(1, 1, &["2001:db8:1::a"])).unwrap();
    table.put(&client(1, 2, &["2001:db8:2::a"])).unwrap();
    assert_eq!(found(&table, &by_client(1)), [key(1, 1), key(1, 2)]);
    let search = Search::on_links(Identifier::Client(support::duid(1)), [LinkId(2), LinkId(3)]);
    assert_eq!(found(&table, &search), [key(1, 2)]);
    assert_eq!(found(&table, &Search::on_link(LinkId(1))), [key(1, 1)]);
    assert!(table.has_clients_on(LinkId(2)) && !table.has_clients_on(LinkId(3)));
    table.remove(&key(1, 1)).unwrap();
    assert_eq!(found(&table, &by_client(1)), [key(1, 2)]);
    assert!(!table.has_clients_on(LinkId(1)));
}

// BLQ-S-29
#[test]
fn a_client_is_found_by_every_relay_on_its_path() {
    let mut table = Table::default();
    let hops =
        [hop(Some(100), None), hop(None, Some(b"\0\0\0\x09far")), hop(Some(101), Some(b"\0\0\0\x09near"))];
    table.put(&through(client(1, 1, &["2001:db8:1::a"]), &hops)).unwrap();
    table.put(&through(client(2, 1, &["2001:db8:1::b"]), &hops[..1])).unwrap();
    table.put(&client(3, 1, &["2001:db8:1::c"])).unwrap();
    assert_eq!(found(&table, &by_relay(100)), [key(1, 1), key(2, 1)]);
    assert_eq!(found(&table, &by_relay(101)), [key(1, 1)]);
    assert_eq!(found(&table, &by_remote(b"\0\0\0\x09far")), [key(1, 1)]);
    assert_eq!(found(&table, &by_remote(b"\0\0\0\x09near")), [key(1, 1)]);
}

/// The same octets are a client's DUID for one and a relay's for the other.
#[test]
fn a_relay_is_not_taken_for_a_client_with_its_duid() {
    let mut table = Table::default();
    table.put(&through(client(1, 1, &[]), &[hop(Some(2), None)])).unwrap();
    table.put(&client(2, 1, &[])).unwrap();
    assert_eq!(found(&table, &by_client(2)), [key(2, 1)]);
    assert_eq!(found(&table, &by_relay(2)), [key(1, 1)]);
    assert!(found(&table, &by_remote(support::duid(2).octets())).is_empty());
}

// BLQ-S-27, BLQ-S-29
#[test]
fn a_client_that_moves_behind_another_relay_is_found_only_there() {
    let mut table = Table::default();
    let before = [hop(Some(100), Some(b"\0\0\0\x09line 7")), hop(Some(101), None)];
    table.put(&through(client(1, 1, &["2001:db8:1::a"]), &before)).unwrap();
    let after = [hop(Some(200), Some(b"\0\0\0\x09line 8"))];
    table.put(&through(client(1, 1, &["2001:db8:1::a"]), &after)).unwrap();
    assert_eq!(found(&table, &by_relay(200)), [key(1, 1)]);
    assert_eq!(found(&table, &by_remote(b"\0\0\0\x09line 8")), [key(1, 1)]);
    for gone in [by_relay(100), by_relay(101), by_remote(b"\0\0\0\x09line 7")] {
        assert!(found(&table, &gone).is_empty(), "{gone:?}");
    }
    table.put(&client(1, 1, &["2001:db8:1::a"])).unwrap();
    assert!(found(&table, &by_relay(200)).is_empty(), "it came directly at last");
}

// BLQ-S-24
#[test]
fn a_remote_id_is_found_only_as_a_whole() {
    let mut table = Table::default();
    let whole = b"\0\0\x01\x37\0ab\0";
    table.put(&through(client(1, 1, &[]), &[hop(None, Some(whole))])).unwrap();
    assert_eq!(found(&table, &by_remote(whole)), [key(1, 1)]);
    let others: [&[u8]; 8] = [
        b"\0\0\x01\x37\0ab",
        b"\0\0\x01\x37\0",
        b"\0\0\x01\x37",
        b"",
        b"\0ab\0",
        b"\0\0\x01\x37ab",
        b"\0\0\x01\x37\0ab\0\0",
        b"\0\0\x01\x38\0ab\0",
    ];
    for other in others {
        assert!(found(&table, &by_remote(other)).is_empty(), "{other:02x?}");
    }
}

#[test]
fn what_one_client_holds_no_other_is_given() {
    let mut table = Table::default();
    let held = ["2001:db8:1::a", "2001:db8:f000:100::/56"];
    table.put(&client(1, 1, &held)).unwrap();
    for taken in ["2001:db8:1::a", "2001:db8:f000:100::/56", "2001:db8:f000::/48", "2001:db8:f000:180::/60"] {
        let refused = Conflict { resource: resource(taken), holder: key(1, 1) };
        assert_eq!(table.put(&client(2, 2, &["2001:db8:2::2", taken])), Err(refused), "{taken}");
    }
    for free in ["2001:db8:1::b", "2001:db8:f000::/56", "2001:db8:f000:200::/56"] {
        assert!(table.put(&client(2, 2, &[free])).is_ok(), "{free}");
    }
    assert!(table.put(&client(1, 1, &held)).is_ok(), "a client may keep what it holds");
    assert!(table.put(&client(1, 1, &["2001:db8:f000:100::/57"])).is_ok(), "or a part of it");
}

/// A client that was delegated one prefix without a part of it.
fn delegated(number: u32, prefix: &str, excluded: &str) -> Client {
    let mut client = client(number, 1, &[prefix]);
    client.bindings[0].leases[0].excluded = Some(excluded.parse().unwrap());
    client
}

/// What a delegation excludes stays with the delegating side, which may have addresses there (RFC 6603 §4.2).
// DH-L-12
#[test]
fn an_address_in_a_delegated_prefix_is_its_clients_but_for_what_is_excluded() {
    let delegation = delegated(1, "2001:db8:f000:100::/56", "2001:db8:f000:1ff::/64");
    for (inside, is_free) in [("2001:db8:f000:1fe::1", false), ("2001:db8:f000:1ff::1", true)] {
        let of_other = client(2, 2, &[inside]);
        let mut table = Table::default();
        table.put(&delegation).unwrap();
        let refused = Conflict { resource: resource(inside), holder: key(1, 1) };
        let expected = if is_free { Ok(Seq(2)) } else { Err(refused) };
        assert_eq!(table.put(&of_other), expected, "{inside}");

        let mut table = Table::default();
        table.put(&of_other).unwrap();
        let refused = Conflict { resource: resource("2001:db8:f000:100::/56"), holder: key(2, 2) };
        let expected = if is_free { Ok(Seq(2)) } else { Err(refused) };
        assert_eq!(table.put(&delegation), expected, "around {inside}");
    }
    let mut table = Table::default();
    table.put(&client(1, 1, &["2001:db8:f000:100::/56", "2001:db8:f000:100::1"])).unwrap();
    assert_eq!(table.last_seq(), Seq(1), "a client may have both");
}

#[test]
fn whoever_holds_a_resource_or_a_part_of_it_or_more_is_a_holder() {
    let mut table = Table::default();
    table.put(&client(1, 1, &["2001:db8:1::a", "2001:db8:f000:100::/56"])).unwrap();
    table.put(&client(2, 1, &["2001:db8:1::b", "2001:db8:f000:200::/56"])).unwrap();
    let holders =
        |text: &str| table.holders(resource(text)).map(|client| key_of(&client)).collect::<Vec<_>>();
    assert_eq!(holders("2001:db8:1::a"), [key(1, 1)]);
    assert_eq!(holders("2001:db8:1::c"), []);
    assert_eq!(holders("2001:db8:f000:100::/56"), [key(1, 1)]);
    assert_eq!(holders("2001:db8:f000:180::/60"), [key(1, 1)]);
    assert_eq!(holders("2001:db8:f000::/48"), [key(1, 1), key(2, 1)]);
    assert_eq!(holders("2001:db8:f000:300::/56"), []);
}

#[test]
fn a_refusal_changes_nothing() {
    let mut table = Table::default();
    table.put(&client(1, 1, &["2001:db8:1::a"])).unwrap();
    table.put(&through(client(2, 1, &["2001:db8:1::b"]), &[hop(Some(100), None)])).unwrap();
    table.take_batch();
    let refused = table.put(&client(2, 1, &["2001:db8:1::c", "2001:db8:1::a"]));
    assert_eq!(
        refused.unwrap_err().to_string(),
        "2001:db8:1::a is held by the client 00:02:00:00:8b:ad:00:00:00:01 on link 1"
    );
    assert_eq!(table.last_seq(), Seq(2));
    assert!(table.take_batch().is_empty());
    assert!(table.holder_of_address(address("2001:db8:1::c")).is_none());
    assert_eq!(key_of(&table.holder_of_address(address("2001:db8:1::b")).unwrap()), key(2, 1));
    assert_eq!(found(&table, &by_relay(100)), [key(2, 1)]);
}

/// Within a client as between two, an address means one delegated prefix at most.
#[test]
fn one_client_is_not_given_overlapping_prefixes() {
    let mut table = Table::default();
    for both in
        [["2001:db8:f000::/48", "2001:db8:f000:100::/56"], ["2001:db8:f000:100::/56", "2001:db8:f000::/48"]]
    {
        let refused = Conflict { resource: resource("2001:db8:f000:100::/56"), holder: key(1, 1) };
        assert_eq!(table.put(&client(1, 1, &both)), Err(refused));
    }
    assert!(table.is_empty() && table.take_batch().is_empty());
}

#[test]
fn what_was_given_back_or_ran_out_is_free_and_what_was_declined_is_not() {
    for (state, free) in
        [(LeaseState::Released, true), (LeaseState::Expired, true), (LeaseState::Declined, false)]
    {
        let mut table = Table::default();
        let mut former = client(1, 1, &["2001:db8:1::a"]);
        former.bindings[0].leases[0].state = state;
        table.put(&former).unwrap();
        assert_eq!(table.put(&client(2, 1, &["2001:db8:1::a"])).is_ok(), free, "{state:?}");
        assert_eq!(found(&table, &by_client(1)), [key(1, 1)], "it is remembered all the same");
    }
}

#[test]
fn an_address_finds_the_delegated_prefix_around_it() {
    let mut table = Table::default();
    table.put(&client(1, 1, &["2001:db8:f000:100::/56", "2001:db8:f000:300::/56"])).unwrap();
    table.put(&client(2, 1, &["2001:db8:f000:200::/60", "2001:db8:f100::/128"])).unwrap();
    let around = |text: &str| {
        let (prefix, client) = table.holder_of_prefix_around(address(text))?;
        Some((prefix.to_string(), key_of(&client)))
    };
    let of = |prefix: &str, number| Some((prefix.to_owned(), key(number, 1)));
    assert_eq!(around("2001:db8:f000:100::"), of("2001:db8:f000:100::/56", 1));
    assert_eq!(around("2001:db8:f000:1ff:ffff:ffff:ffff:ffff"), of("2001:db8:f000:100::/56", 1));
    assert_eq!(around("2001:db8:f000:20f::1"), of("2001:db8:f000:200::/60", 2));
    assert_eq!(around("2001:db8:f100::"), of("2001:db8:f100::/128", 2));
    for outside in ["2001:db8:f000:ff::1", "2001:db8:f000:210::1", "2001:db8:f000:400::1", "2001:db8:f100::1"]
    {
        assert_eq!(around(outside), None, "{outside}");
    }
}

#[test]
fn leases_that_end_come_the_earliest_first() {
    let mut table = Table::default();
    for (number, valid_secs) in [(1, 3600), (2, 600), (3, INFINITE), (4, 7200)] {
        let mut holder = client(number, 1, &[&format!("2001:db8:1::{number}"), "2001:db8:f000::/56"][..1]);
        holder.bindings[0].leases[0].valid_secs = valid_secs;
        table.put(&holder).unwrap();
    }
    let due = |table: &Table, after: u64| {
        let clients = table.expiring_until(GRANTED_UNIX_SECS + after);
        clients.map(|client| key_of(&client)).collect::<Vec<_>>()
    };
    assert!(due(&table, 599).is_empty());
    assert_eq!(due(&table, 600), [key(2, 1)]);
    assert_eq!(due(&table, 7200), [key(2, 1), key(1, 1), key(4, 1)]);
    assert_eq!(due(&table, u64::from(u32::MAX) * 9).len(), 3, "what never ends is never due");
    table.put(&client(2, 1, &["2001:db8:1::2"])).unwrap();
    assert_eq!(due(&table, 3600), [key(1, 1)], "the second was extended");
}

#[test]
fn changes_come_in_order_and_each_client_once() {
    let mut table = Table::default();
    for number in [1, 2, 3, 1] {
        table.put(&client(number, 1, &[])).unwrap();
    }
    table.remove(&key(3, 1)).unwrap();
    let since = |seq: u64| {
        let changes = table.changed_since(Seq(seq));
        changes.map(|(seq, client)| (seq.0, key_of(&client))).collect::<Vec<_>>()
    };
    assert_eq!(since(0), [(2, key(2, 1)), (4, key(1, 1))]);
    assert_eq!(since(2), [(4, key(1, 1))]);
    assert!(since(5).is_empty() && since(u64::MAX).is_empty());
}

#[test]
fn a_batch_is_what_has_changed_in_order() {
    let mut table = Table::default();
    let first = client(1, 1, &["2001:db8:1::a"]);
    table.put(&first).unwrap();
    table.put(&client(2, 1, &[])).unwrap();
    table.remove(&key(1, 1)).unwrap();
    let batch = table.take_batch();
    let keys: Vec<_> = batch.iter().map(|after| after.key.clone()).collect();
    assert_eq!(keys, [1, 2, 1].map(|number| lease::image::key(&key(number, 1))));
    assert_eq!(batch[0].image.as_deref(), Some(&*lease::image::encode(&first)));
    assert!(batch[1].image.is_some() && batch[2].image.is_none());
    assert!(table.take_batch().is_empty());
}

#[test]
fn all_clients_are_met_once_from_a_place_on() {
    let mut table = Table::default();
    for number in 0..40 {
        table.put(&client(number, number % 3, &[])).unwrap();
    }
    let mut clients = table.clients(Cursor::START).map(|(behind, client)| (behind, client.duid.to_duid()));
    let first: Vec<_> = clients.by_ref().take(25).collect();
    drop(clients);
    let (place, _) = first[24];
    for number in [3, 4, 30] {
        table.remove(&key(number, number % 3)).unwrap();
    }
    table.put(&client(40, 1, &[])).unwrap();
    let rest: Vec<_> = table.clients(place).map(|(_, client)| client.duid.to_duid()).collect();
    // One that comes takes a free place, here the one of the client forgotten last.
    let expected: Vec<_> = (25..40).map(|number| if number == 30 { 40 } else { number }).map(duid).collect();
    assert_eq!(rest, expected);
    assert_eq!(table.clients(Cursor::START).count(), 38);
}

#[test]
fn what_is_held_in_a_range_comes_with_its_holder() {
    let mut table = Table::default();
    table.put(&client(1, 1, &["2001:db8::1", "2001:db8:100::/56"])).unwrap();
    table.put(&client(2, 1, &["2001:db8::2", "2001:db8:100:100::/56"])).unwrap();
    table.put(&client(3, 1, &["2001:db8::3", "2001:db8:100:200::/56"])).unwrap();
    let held = table.address_holders(address("2001:db8::2"), address("2001:db8::ffff"));
    let held: Vec<_> = held.map(|(address, holder)| (address, holder.duid.to_duid())).collect();
    assert_eq!(held, [(address("2001:db8::2"), duid(2)), (address("2001:db8::3"), duid(3))]);
    let held = table.addresses_held(address("2001:db8::2"), address("2001:db8::ffff"));
    assert_eq!(held.collect::<Vec<_>>(), [address("2001:db8::2"), address("2001:db8::3")]);
    assert_eq!(table.addresses_held(address("2001:db8::2"), address("2001:db8::2")).count(), 1);
    assert_eq!(table.addresses_held(address("2001:db8::2"), address("2001:db8::1")).count(), 0);
    assert_eq!(table.address_holders(address("2001:db8::2"), address("2001:db8::1")).count(), 0);

    // A prefix that reaches into the range counts, one that ends before it does not.
    let held = table.prefix_holders(address("2001:db8:100:1ff::"), address("2001:db8:100:2ff::"));
    let held: Vec<_> = held.map(|(prefix, holder)| (prefix.address(), holder.duid.to_duid())).collect();
    assert_eq!(held, [(address("2001:db8:100:100::"), duid(2)), (address("2001:db8:100:200::"), duid(3))]);
    let held = table.prefixes_held(address("2001:db8:100:1ff::"), address("2001:db8:100:2ff::"));
    let held: Vec<_> = held.map(|prefix| prefix.to_string()).collect();
    assert_eq!(held, ["2001:db8:100:100::/56", "2001:db8:100:200::/56"]);
}
