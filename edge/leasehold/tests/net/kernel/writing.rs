//! What the writer writes, read back.

use std::net::Ipv6Addr;

use leasehold::kernel::{RouteSettings, RouteWriter};
use relay::{Change, Failure, Route, Target};
use wire::Prefix;

use super::{add, connected, delete, ours, prefix, route, shown_strangers, strangers, via};
use crate::namespace::{in_namespaces, ip};

// PDR-13, PDR-14, PDR-15
#[test]
fn routes_are_added_replaced_and_deleted() {
    in_namespaces(|far| {
        let index = far.lay_cable("cable1", "end1", "fe80::1/64");
        let settings = RouteSettings::default();
        let mut writer = RouteWriter::open(settings).unwrap();
        let (old, new) = (via("fe80::1", index), via("fe80::9", index));
        let changes = [
            add("2001:db8:1:100::/56", old),
            add("2001:db8:1:200::/60", old),
            add("2001:db8:1:200::5/128", old),
            add("2001:db8::/32", Target::Unreachable),
        ];
        assert_eq!(writer.apply(&changes).unwrap(), [Ok(()); 4]);
        let mut expected = changes.map(|change| match change {
            Change::Add(route) => route,
            _ => unreachable!("all are added"),
        });
        expected.sort();
        let mut there = ours(&settings);
        there.sort();
        assert_eq!(there, expected);

        let replacing = [
            Change::Replace { to: route("2001:db8:1:100::/56", new), from: old },
            Change::Replace { to: route("2001:db8::/32", new), from: Target::Unreachable },
            Change::Replace { to: route("2001:db8:7::/48", new), from: old },
            delete("2001:db8:1:200::5/128", old),
            delete("2001:db8:1:200::/60", new),
        ];
        let outcomes = writer.apply(&replacing).unwrap();
        let missing = Err(Failure::Missing);
        assert_eq!(outcomes, [Ok(()), Ok(()), missing, Ok(()), missing], "a deletion names the way");
        let mut there = ours(&settings);
        there.sort();
        let expected = [
            route("2001:db8::/32", new),
            route("2001:db8:1:100::/56", new),
            route("2001:db8:1:200::/60", old),
        ];
        assert_eq!(there, expected);
    });
}

#[test]
fn a_strangers_route_is_neither_replaced_nor_joined_nor_deleted() {
    in_namespaces(|far| {
        let index = far.lay_cable("cable1", "end1", "fe80::1/64");
        let settings = RouteSettings::default();
        let mut writer = RouteWriter::open(settings).unwrap();
        ip("-6 route add 2001:db8:1::/48 via fe80::7 dev cable1 proto static metric 512");
        ip("-6 route add 2001:db8:2::/48 via fe80::7 dev cable1 proto static metric 100");
        let way = via("fe80::7", index);
        let changes = [
            add("2001:db8:1::/48", via("fe80::1", index)),
            add("2001:db8:2::/48", way),
            delete("2001:db8:1::/48", way),
            delete("2001:db8:2::/48", way),
        ];
        let expected = [Err(Failure::Taken), Ok(()), Err(Failure::Missing), Ok(())];
        assert_eq!(writer.apply(&changes).unwrap(), expected);
        assert_eq!(strangers(&settings), [prefix("2001:db8:1::/48")]);
        let shown = "via fe80::7 dev cable1 proto 4".to_owned();
        assert_eq!(shown_strangers(&settings), [(prefix("2001:db8:1::/48"), shown)]);
        ip("-6 route del 2001:db8:1::/48 via fe80::7 dev cable1 proto static metric 512");
        ip("-6 route del 2001:db8:2::/48 via fe80::7 dev cable1 proto static metric 100");
    });
}

#[test]
fn a_route_of_our_number_that_we_would_not_make_is_a_strangers() {
    in_namespaces(|far| {
        far.lay_cable("cable1", "end1", "fe80::1/64");
        let settings = RouteSettings::default();
        ip(
            "-6 route add 2001:db8:1::/48 proto 220 metric 512 nexthop via fe80::7 dev cable1 nexthop via fe80::8 dev cable1",
        );
        ip("-6 route add blackhole 2001:db8:2::/48 proto 220 metric 512");
        ip("-6 route add 2001:db8:3::/48 dev cable1 proto 220 metric 512");
        assert_eq!(ours(&settings), []);
        assert_eq!(strangers(&settings).len(), 3);
    });
}

#[test]
fn routes_stand_in_the_table_that_was_said() {
    in_namespaces(|far| {
        let index = far.lay_cable("cable1", "end1", "fe80::1/64");
        ip("addr add 2001:db8:9::1/64 dev cable1 nodad");
        for table in [100, 7000] {
            let settings = RouteSettings { table, ..RouteSettings::default() };
            assert_eq!(ours(&settings), [], "a table without a route is no error");
            let mut writer = RouteWriter::open(settings).unwrap();
            let way = via("fe80::1", index);
            assert_eq!(writer.apply(&[add("2001:db8:1::/48", way)]).unwrap(), [Ok(())]);
            assert_eq!(ours(&settings), [route("2001:db8:1::/48", way)]);
            assert_eq!(connected(&settings), [prefix("2001:db8:9::/64")]);
            assert_eq!(connected(&RouteSettings { is_vrf: true, ..settings }), []);
        }
        assert_eq!(ours(&RouteSettings::default()), []);
    });
}

#[test]
fn without_a_way_it_says_so() {
    in_namespaces(|far| {
        let index = far.lay_cable("cable1", "end1", "fe80::1/64");
        let settings = RouteSettings::default();
        let mut writer = RouteWriter::open(settings).unwrap();
        ip("link set cable1 down");
        let adding = |index| [add("2001:db8:1::/48", via("fe80::1", index))];
        assert_eq!(writer.apply(&adding(index)).unwrap(), [Err(Failure::NoWay)], "down");
        assert_eq!(writer.apply(&adding(index + 100)).unwrap(), [Err(Failure::NoWay)], "gone");
        ip("link set cable1 up");
        assert_eq!(writer.apply(&adding(index)).unwrap(), [Ok(())]);
    });
}

#[test]
fn twenty_thousand_come_and_go_and_each_refusal_is_told() {
    in_namespaces(|far| {
        let index = far.lay_cable("cable1", "end1", "fe80::1/64");
        let settings = RouteSettings::default();
        let mut writer = RouteWriter::open(settings).unwrap();
        let many = |number: u128| {
            let address = Ipv6Addr::from_bits((0x2001_0db8 << 96) | (number << 72));
            Route { destination: Prefix::new(address, 56).unwrap(), target: via("fe80::1", index) }
        };
        let adding: Vec<Change> = (0..20_000).map(|number| Change::Add(many(number))).collect();
        assert!(writer.apply(&adding).unwrap().iter().all(Result::is_ok));
        assert_eq!(ours(&settings).len(), 20_000);
        assert!(writer.apply(&adding).unwrap().iter().all(|outcome| *outcome == Err(Failure::Taken)));
        // Every other one has gone.
        let deleting: Vec<Change> = (0..10_000).map(|number| Change::Delete(many(2 * number))).collect();
        assert!(writer.apply(&deleting).unwrap().iter().all(Result::is_ok));
        let outcomes = writer.apply(&adding).unwrap();
        let is_right =
            |(number, outcome): (usize, &Result<(), Failure>)| outcome.is_ok() == (number % 2 == 0);
        assert!(outcomes.iter().enumerate().all(is_right));
    });
}
