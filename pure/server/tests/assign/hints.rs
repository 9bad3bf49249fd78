//! What a client would like to have, and what it had.

use lease::IaKind::{Address, Prefix};
use lease::Resource;

use super::{Office, address, link, prefix};

fn length(resource: Resource) -> u8 {
    resource.prefix().unwrap().length()
}

// DH-S-14, DH-S-15, DH-R-06
#[test]
fn a_wish_is_granted_if_it_is_free_and_ours_to_give() {
    let mut office = Office::new(vec![link(&["2001:db8::/64"], &["2001:db8::10 to 2001:db8::1f"])]);
    let wanted = address("2001:db8::17");
    let mut with =
        |client, hint| office.find(client, Address, |wish| wish.hint = Some(hint)).unwrap().resource;
    assert_eq!(with(1, wanted), wanted);
    for foreign in [address("2001:db8::20"), address("2001:db9::1"), prefix("2001:db8::/64")] {
        assert!(with(1, foreign).address().is_some_and(|given| Resource::Address(given) != foreign));
    }
    office.hold(1, &[wanted]);
    let other = office.find(2, Address, |wish| wish.hint = Some(wanted)).unwrap().resource;
    assert_ne!(other, wanted);
}

// DH-L-13
#[test]
fn a_length_is_had_or_the_nearest_larger_block() {
    let pools = ["2001:db8:100::/40 by 64", "2001:db8:200::/40 by 56", "2001:db8:300::/40 by 48"];
    let mut office = Office::new(vec![link(&[], &pools)]);
    let mut with = |wished| {
        let found = office.find(1, Prefix, |wish| wish.length_hint = Some(wished));
        length(found.unwrap().resource)
    };
    for (wished, given) in [(64, 64), (60, 56), (56, 56), (50, 48), (48, 48), (40, 48), (80, 64)] {
        assert_eq!(with(wished), given, "wished for /{wished}");
    }
}

// DH-L-13
#[test]
fn a_length_counts_for_more_than_what_was_before() {
    let pools = ["2001:db8:100::/40 by 64", "2001:db8:200::/40 by 56"];
    let mut office = Office::new(vec![link(&[], &pools)]);
    let before = [prefix("2001:db8:100:7::/64"), prefix("2001:db8:200:700::/56")];
    let mut with = |length_hint| {
        let found =
            office.find(1, Prefix, |wish| (wish.length_hint, wish.remembered) = (length_hint, &before));
        found.unwrap().resource
    };
    assert_eq!(with(None), before[0]);
    assert_eq!(with(Some(64)), before[0]);
    assert_eq!(with(Some(56)), before[1]);
    assert_eq!(with(Some(60)), before[1]);
}

// DH-L-14
#[test]
fn a_prefix_is_had_or_one_of_its_length() {
    let pools = ["2001:db8:100::/40 by 64", "2001:db8:200::/40 by 56"];
    let mut office = Office::new(vec![link(&[], &pools)]);
    let wanted = prefix("2001:db8:200:100::/56");
    let mut found = |client| office.find(client, Prefix, |wish| wish.hint = Some(wanted)).unwrap().resource;
    assert_eq!(found(1), wanted);
    office.hold(1, &[wanted]);
    let other = office.find(2, Prefix, |wish| wish.hint = Some(wanted)).unwrap().resource;
    assert!(other != wanted && length(other) == 56);
}

#[test]
fn what_an_association_had_is_had_again_if_it_is_free_and_still_assigned() {
    let mut office = Office::new(vec![link(&["2001:db8::/64"], &["2001:db8::10 to 2001:db8::1f"])]);
    let before = ["2001:db8::99", "2001:db8::12", "2001:db8::13"].map(address);
    let mut again = |client| office.find(client, Address, |wish| wish.remembered = &before).unwrap().resource;
    assert_eq!(again(1), before[1]);
    office.hold(2, &[before[1]]);
    let other = office.find(1, Address, |wish| wish.remembered = &before).unwrap().resource;
    assert_eq!(other, before[2]);
}
