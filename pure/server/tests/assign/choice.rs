//! Without wishes: what comes out of the pools, and in which order.

use std::collections::BTreeSet;

use lease::IaKind::{Address, Prefix};
use lease::Resource;

use super::{Office, address, link, prefix};

const SMALL: &[&str] = &["2001:db8::10 to 2001:db8::1f", "2001:db8:100::/48 by 52"];

// DH-L-10, DH-S-16, DH-S-17
#[test]
fn a_pool_is_given_to_its_last_part_and_no_further() {
    let mut office = Office::new(vec![link(&["2001:db8::/64"], SMALL)]);
    for kind in [Address, Prefix] {
        let mut given = BTreeSet::new();
        for client in 0..16 {
            let found = office.plain(client, kind).expect("sixteen parts");
            assert!(found.resource.is_of(kind) && given.insert(found.resource));
            office.hold(if kind == Address { client } else { 100 + client }, &[found.resource]);
        }
        assert_eq!(office.plain(16, kind), None);
        let freed = *given.iter().nth(5).unwrap();
        let holder = office.table.holders(freed).next().unwrap().duid.octets()[9];
        office.hold(u32::from(holder), &[]);
        assert_eq!(office.plain(16, kind).unwrap().resource, freed);
    }
}

// DH-L-09
#[test]
fn what_is_given_next_cannot_be_told_from_what_was_given() {
    let mut office = Office::new(vec![link(&["2001:db8::/64"], &["2001:db8::1000 to 2001:db8::ffff"])]);
    let mut given = Vec::new();
    for client in 0..100 {
        let Resource::Address(found) = office.plain(client, Address).unwrap().resource else { panic!() };
        office.hold(client, &[Resource::Address(found)]);
        given.push(found.to_bits());
    }
    let near = given.windows(2).filter(|pair| pair[0].abs_diff(pair[1]) < 16).count();
    let rising = given.windows(2).filter(|pair| pair[0] < pair[1]).count();
    assert!(near < 3 && (30..70).contains(&rising), "{near} near, {rising} rising");
}

#[test]
fn an_association_finds_the_same_again_while_it_is_free() {
    let mut office = Office::new(vec![link(&["2001:db8::/64"], &["2001:db8::1:0 to 2001:db8::ffff:ffff"])]);
    let first = office.plain(1, Address).unwrap();
    office.hold(1, &[first.resource]);
    office.hold(1, &[]);
    assert_eq!(office.plain(1, Address), Some(first));
    let other = office.find(1, Address, |wish| wish.iaid = 2).unwrap();
    assert_ne!(other, first);
}

#[test]
fn what_one_message_is_given_is_given_once() {
    let mut office = Office::new(vec![link(&["2001:db8::/64"], &["2001:db8::10 to 2001:db8::12"])]);
    let mut taken = Vec::new();
    for _ in 0..3 {
        let found = office.find(1, Address, |wish| wish.taken = &taken).unwrap();
        assert!(!taken.contains(&found.resource));
        taken.push(found.resource);
    }
    assert_eq!(office.find(1, Address, |wish| wish.taken = &taken), None);
    let around = [prefix("2001:db8::/64")];
    assert_eq!(office.find(1, Address, |wish| wish.taken = &around), None);
}

#[test]
fn pools_are_used_in_the_order_configured() {
    let pools = ["2001:db8::30 to 2001:db8::31", "2001:db8::10 to 2001:db8::11"];
    let mut office = Office::new(vec![link(&["2001:db8::/64"], &pools)]);
    let mut given = Vec::new();
    for client in 0..4 {
        given.push(office.plain(client, Address).unwrap().resource);
        office.hold(client, &given[client as usize..]);
    }
    given[..2].sort_unstable();
    given[2..].sort_unstable();
    assert_eq!(given, ["2001:db8::30", "2001:db8::31", "2001:db8::10", "2001:db8::11"].map(address));
}

#[test]
fn a_pool_of_every_address_of_a_subnet_has_its_first_and_last() {
    let whole = ["2001:db8:: to 2001:db8::ffff:ffff:ffff:ffff"];
    let mut office = Office::new(vec![link(&["2001:db8::/64"], &whole)]);
    assert!(office.plain(1, Address).is_some());
    for text in ["2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff"] {
        let found = office.find(1, Address, |wish| wish.hint = Some(address(text))).unwrap();
        assert_eq!(found.resource, address(text));
    }
}
