//! What is in the way: what is held, offered, on a link, reserved by standards, or excluded.

use lease::IaKind::{Address, Prefix};
use lease::{Lease, LeaseState, LinkId, Resource};
use server::limits::MAX_OFFERS;

use super::{OFFER_SECS, Office, Wish, address, lease, link, prefix};

fn all_free(office: &mut Office, kind: lease::IaKind) -> Vec<Resource> {
    let mut free = Vec::new();
    while let Some(found) = office.find(999, kind, |wish| wish.taken = &free) {
        free.push(found.resource);
    }
    free.sort_unstable();
    free
}

// DH-L-08
#[test]
fn reserved_interface_identifiers_are_not_given() {
    let cases = [
        ("2001:db8:: to 2001:db8::2", vec!["2001:db8::1", "2001:db8::2"]),
        (
            "2001:db8::fdff:ffff:ffff:ff7e to 2001:db8::fe00:0:0:1",
            vec![
                "2001:db8::fdff:ffff:ffff:ff7e",
                "2001:db8::fdff:ffff:ffff:ff7f",
                "2001:db8::fe00:0:0:0",
                "2001:db8::fe00:0:0:1",
            ],
        ),
        (
            "2001:db8::200:5eff:fdff:ffff to 2001:db8::200:5eff:ff00:0",
            vec!["2001:db8::200:5eff:fdff:ffff", "2001:db8::200:5eff:ff00:0"],
        ),
    ];
    for (pool, free) in cases {
        let mut office = Office::new(vec![link(&["2001:db8::/64"], &[pool])]);
        assert_eq!(all_free(&mut office, Address), free.into_iter().map(address).collect::<Vec<_>>());
    }
    let mut office = Office::new(vec![link(&["2001:db8::100/120"], &["2001:db8::ff to 2001:db8::101"])]);
    assert_eq!(all_free(&mut office, Address), ["2001:db8::ff", "2001:db8::101"].map(address));
    let anycast = |wish: &mut Wish<'_>| wish.hint = Some(address("2001:db8::100"));
    assert_ne!(office.find(1, Address, anycast).unwrap().resource, address("2001:db8::100"));
}

// DH-L-10
#[test]
fn what_was_declined_is_nobodys() {
    let mut office = Office::new(vec![link(&["2001:db8::/64"], &["2001:db8::10 to 2001:db8::11"])]);
    let declined = Lease { state: LeaseState::Declined, ..lease(address("2001:db8::10")) };
    office.hold_leases(1, vec![declined]);
    assert_eq!(office.plain(1, Address).unwrap().resource, address("2001:db8::11"));
    let hinted = office.find(2, Address, |wish| wish.hint = Some(address("2001:db8::10")));
    assert_eq!(hinted.unwrap().resource, address("2001:db8::11"));
    office.hold_leases(1, vec![Lease { state: LeaseState::Expired, ..declined }]);
    assert_eq!(all_free(&mut office, Address).len(), 2);
}

// DH-L-10, DH-S-19
#[test]
fn an_offer_is_one_clients_for_a_short_while() {
    let mut office = Office::new(vec![link(&["2001:db8::/64"], &["2001:db8::10 to 2001:db8::11"])]);
    let first = office.plain(1, Address).unwrap().resource;
    office.offer(1, first);
    let second = office.plain(2, Address).unwrap().resource;
    office.offer(2, second);
    assert_ne!(first, second);
    assert_eq!(office.plain(3, Address), None);
    assert_eq!(office.plain(1, Address).unwrap().resource, first);
    assert_eq!(office.find(2, Address, |wish| wish.hint = Some(first)).unwrap().resource, second);
    office.wait_secs(OFFER_SECS - 1);
    office.offer(2, second);
    assert_eq!(office.plain(3, Address), None);
    office.wait_secs(1);
    assert_eq!(office.plain(3, Address).unwrap().resource, first);
    office.hold(2, &[second]);
    office.hold(2, &[]);
    assert_eq!(all_free(&mut office, Address).len(), 2);
    assert!(office.table.take_batch().len() == 2, "offers leave nothing for the store");
}

#[test]
fn an_offer_stays_until_somebody_holds_what_was_offered() {
    let mut office = Office::new(vec![link(&["2001:db8::/64"], &["2001:db8::10 to 2001:db8::10"])]);
    let only = address("2001:db8::10");
    office.offer(1, only);
    // What somebody once had there is forgotten, say.
    office.assigner.note(only, &office.table);
    assert_eq!(office.plain(2, Address), None);
    office.hold(1, &[only]);
    office.hold(1, &[]);
    assert_eq!(office.plain(2, Address).map(|found| found.resource), Some(only));
}

// DH-S-19
#[test]
fn of_very_many_offers_the_oldest_are_dropped() {
    let mut office = Office::new(vec![link(&[], &["2001:db8::/32 by 48"])]);
    let first = office.plain(0, Prefix).unwrap().resource;
    office.offer(0, first);
    for client in 1..MAX_OFFERS as u32 {
        let found = office.plain(client, Prefix).unwrap().resource;
        assert_ne!(found, first);
        office.offer(client, found);
    }
    let wish = |wish: &mut Wish<'_>| wish.hint = Some(first);
    let next = office.find(1_000_000, Prefix, wish).unwrap().resource;
    assert_ne!(next, first);
    office.offer(1_000_000, next);
    assert_eq!(office.find(1_000_001, Prefix, wish).unwrap().resource, first);
    assert_eq!(office.table.last_seq(), lease::Seq(0));
}

// DH-L-12
#[test]
fn prefixes_of_other_lengths_take_what_they_cover() {
    let mut office = Office::new(vec![link(&[], &["2001:db8:100::/46 by 56"])]);
    office.hold(1, &[prefix("2001:db8:100::/48")]);
    office.hold(2, &[prefix("2001:db8:102::/47")]);
    assert_eq!(all_free(&mut office, Prefix).len(), 256);
    office.hold(3, &[prefix("2001:db8:101:ff00::/60"), prefix("2001:db8:101:ff10::/60")]);
    assert_eq!(all_free(&mut office, Prefix).len(), 255);
    office.hold(3, &[prefix("2001:db8:101:ff10::/60")]);
    assert_eq!(all_free(&mut office, Prefix).len(), 255);
    office.hold(3, &[]);
    office.hold(2, &[]);
    assert_eq!(all_free(&mut office, Prefix).len(), 768);
}

// DH-L-12
#[test]
fn overlapping_pools_of_several_links_give_nothing_twice() {
    let (one, mut other) = (link(&[], &["2001:db8:100::/48 by 52"]), link(&[], &["2001:db8:100::/48 by 50"]));
    other.id = LinkId(2);
    let mut office = Office::new(vec![one, other]);
    let first = office.plain(1, Prefix).unwrap().resource;
    office.hold(1, &[first]);
    office.links.swap(0, 1);
    let free = all_free(&mut office, Prefix);
    assert_eq!(free.len(), 3);
    assert!(free.iter().all(|other| !other.prefix().unwrap().overlaps(first.prefix().unwrap())));
}

// DH-L-12
#[test]
fn addresses_and_prefixes_are_not_given_out_of_one_another() {
    let pools = ["2001:db8:100:: to 2001:db8:100::ff", "2001:db8:100::/40 by 56"];
    let mut office = Office::new(vec![link(&[], &pools)]);
    let held = office.plain(1, Address).unwrap().resource;
    office.hold(1, &[held]);
    let wish = |wish: &mut Wish<'_>| wish.hint = Some(prefix("2001:db8:100::/56"));
    assert_ne!(office.find(2, Prefix, wish).unwrap().resource, prefix("2001:db8:100::/56"));
    office.hold(1, &[]);
    assert_eq!(office.find(2, Prefix, wish).unwrap().resource, prefix("2001:db8:100::/56"));
    office.hold(2, &[prefix("2001:db8:100::/56")]);
    assert_eq!(office.plain(1, Address), None);
}

// DH-L-12
#[test]
fn what_is_on_a_link_is_not_delegated() {
    let mut office = Office::new(vec![link(&["2001:db8:100:3000::/64"], &["2001:db8:100::/48 by 50"])]);
    let free = ["2001:db8:100:4000::/50", "2001:db8:100:8000::/50", "2001:db8:100:c000::/50"];
    assert_eq!(all_free(&mut office, Prefix), free.map(prefix));
    let wish = |wish: &mut Wish<'_>| wish.hint = Some(prefix("2001:db8:100::/50"));
    assert_ne!(office.find(1, Prefix, wish).unwrap().resource, prefix("2001:db8:100::/50"));
}

// DH-O-01, DH-O-02, DH-O-04
#[test]
fn prefixes_with_an_exclusion_go_to_those_who_can_each_with_its_own() {
    let uplink = "2001:db8:100:3000::/64";
    let pools = [
        "2001:db8:100:8000::/50 by 50",
        "2001:db8:100::/49 by 50 without 2001:db8:100:7000::/64",
        "2001:db8:100:3000::1 to 2001:db8:100:3000::1",
    ];
    let mut office = Office::new(vec![link(&[uplink], &pools)]);
    let plain = prefix("2001:db8:100:8000::/50");
    assert_eq!(all_free(&mut office, Prefix), [plain]);
    let hinted = office.find(1, Prefix, |wish| wish.hint = Some(prefix("2001:db8:100::/50"))).unwrap();
    assert_eq!((hinted.resource, hinted.excluded), (plain, None));

    let mut found = Vec::new();
    for client in 1..=3 {
        let next = office.find(client, Prefix, |wish| wish.takes_exclusion = true).unwrap();
        office.hold_leases(client, vec![Lease { excluded: next.excluded, ..lease(next.resource) }]);
        found.push((next.resource, next.excluded));
    }
    assert_eq!(found.pop(), Some((plain, None)), "others can have it, so it goes last");
    found.sort_unstable();
    let parts = ["2001:db8:100::/50", "2001:db8:100:4000::/50"].map(prefix);
    let excluded = [uplink, "2001:db8:100:7000::/64"].map(|part| Some(part.parse().unwrap()));
    assert_eq!(found, [(parts[0], excluded[0]), (parts[1], excluded[1])]);
    assert_eq!(office.find(9, Prefix, |wish| wish.takes_exclusion = true), None);
}

// DH-O-02, DH-L-12
#[test]
fn addresses_in_what_a_prefix_leaves_out_are_not_in_its_way() {
    let uplink = "2001:db8:100:3000::/64";
    let pools = [
        "2001:db8:100::/50 by 50 without 2001:db8:100:3000::/64",
        "2001:db8:100:3000::1 to 2001:db8:100:3000::ff",
    ];
    let mut office = Office::new(vec![link(&[uplink], &pools)]);
    let able = |wish: &mut Wish<'_>| wish.takes_exclusion = true;
    let found = office.find(1, Prefix, able).unwrap();
    assert_eq!(found.excluded, Some(uplink.parse().unwrap()));

    office.hold_leases(1, vec![Lease { excluded: found.excluded, ..lease(found.resource) }]);
    let uplink_address = office.plain(2, Address).unwrap().resource;
    office.hold(1, &[]);
    office.hold(2, &all_free(&mut Office::new(office.links.clone()), Address));
    assert_eq!(office.find(1, Prefix, able), Some(found));
    office.offer(1, found.resource);
    office.hold(2, &[]);
    assert_eq!(office.plain(2, Address).unwrap().resource, uplink_address);
    office.offer(2, uplink_address);
    office.wait_secs(OFFER_SECS - 1);
    assert_eq!(office.find(1, Prefix, able), Some(found));
    let others = all_free(&mut office, Address);
    assert_eq!(others.len(), 254);
    let beside_others = office.find(1, Prefix, |wish| {
        (wish.takes_exclusion, wish.taken) = (true, &others);
    });
    assert_eq!(beside_others, Some(found));

    // One that lies in it, but behind what is left out, is.
    office.wait_secs(1);
    office.hold(2, &others);
    assert_eq!(office.find(1, Prefix, able), Some(found));
    office.hold(3, &[address("2001:db8:100:3001::1")]);
    assert_eq!(office.find(1, Prefix, able), None);
    office.hold(3, &[]);
    office.hold(2, &[]);
    // And what somebody was delegated whole leaves nothing out.
    office.hold(1, &[found.resource]);
    assert_eq!(office.plain(2, Address), None);
}
