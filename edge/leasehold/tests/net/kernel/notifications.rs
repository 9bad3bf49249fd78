//! What others do is told, and what we do is not.

use std::net::Ipv6Addr;

use leasehold::kernel::{Notifications, RouteNews, RouteSettings, RouteWriter};
use relay::{Change, Owner, Route, Seen};
use wire::Prefix;

use super::{add, delete, hear, ours, prefix, via};
use crate::namespace::{in_namespaces, ip};

#[test]
fn what_others_do_to_routes_is_told_and_what_we_do_is_not() {
    in_namespaces(|far| {
        let index = far.lay_cable("cable1", "end1", "fe80::1/64");
        let settings = RouteSettings::default();
        let mut writer = RouteWriter::open(settings).unwrap();
        let mut notifications = Notifications::open(settings, Some(writer.port())).unwrap();
        let way = via("fe80::1", index);
        let changes =
            [add("2001:db8:1::/48", way), add("2001:db8:2::/48", way), delete("2001:db8:2::/48", way)];
        assert_eq!(writer.apply(&changes).unwrap(), [Ok(()); 3]);
        ip("-6 route del 2001:db8:1::/48 via fe80::1 dev cable1 proto 220 metric 512");
        ip("-6 route add 2001:db8:1::/48 via fe80::1 dev cable1 proto 220 metric 512");
        ip("-6 route replace 2001:db8:1::/48 via fe80::5 dev cable1 proto static metric 512");
        // Neither in our place nor on a link.
        ip("-6 route add 2001:db8:1::/48 via fe80::5 dev cable1 proto static metric 5");
        ip("-6 route add 2001:db8:1::/48 via fe80::5 dev cable1 proto static metric 512 table 99");
        ip("addr add 2001:db8:9::1/64 dev cable1 nodad");
        let is_last = |news: &RouteNews| matches!(news, RouteNews::Added(seen) if seen.on_link);
        let news = hear(&mut notifications, |news| {
            news.routes.last().is_some_and(is_last) && news.interfaces.contains(&index)
        });
        let seen = |owner| Seen {
            destination: prefix("2001:db8:1::/48"),
            in_our_place: true,
            metric: 512,
            interface_index: index,
            owner,
            on_link: false,
        };
        let on_link = Seen {
            destination: prefix("2001:db8:9::/64"),
            in_our_place: false,
            metric: 256,
            interface_index: index,
            owner: Owner::Stranger,
            on_link: true,
        };
        let expected = [
            RouteNews::Removed(seen(Owner::Ours(way))),
            RouteNews::Added(seen(Owner::Ours(way))),
            RouteNews::Added(seen(Owner::Stranger)),
            RouteNews::Added(on_link),
        ];
        assert_eq!(news.routes, expected);
        assert!(!news.lost);
    });
}

#[test]
fn an_interface_that_goes_down_takes_its_routes_and_that_is_told() {
    in_namespaces(|far| {
        let index = far.lay_cable("cable1", "end1", "fe80::1/64");
        let settings = RouteSettings::default();
        let mut writer = RouteWriter::open(settings).unwrap();
        let mut notifications = Notifications::open(settings, Some(writer.port())).unwrap();
        assert_eq!(writer.apply(&[add("2001:db8:1::/48", via("fe80::1", index))]).unwrap(), [Ok(())]);
        ip("link set cable1 down");
        let is_gone = |news: &RouteNews| matches!(news, RouteNews::Removed(seen) if seen.in_our_place);
        hear(&mut notifications, |news| news.routes.iter().any(is_gone) && news.interfaces.contains(&index));
        ip("link set cable1 up");
        hear(&mut notifications, |news| news.interfaces.contains(&index));
        ip("link del cable1");
        hear(&mut notifications, |news| news.interfaces.contains(&index));
    });
}

#[test]
fn in_a_table_of_its_own_only_that_one_is_heard() {
    in_namespaces(|far| {
        far.lay_cable("cable1", "end1", "fe80::1/64");
        let settings = RouteSettings { table: 7000, is_vrf: true, ..RouteSettings::default() };
        let mut notifications = Notifications::open(settings, None).unwrap();
        ip("-6 route add 2001:db8:1::/48 dev cable1 proto static metric 512");
        ip("-6 route add 2001:db8:2::/48 dev cable1 proto static metric 512 table 6999");
        ip("-6 route add 2001:db8:3::/48 dev cable1 proto static metric 512 table 7000");
        let news = hear(&mut notifications, |news| !news.routes.is_empty());
        let RouteNews::Added(seen) = news.routes[0] else { panic!("{news:?}") };
        assert_eq!(seen.destination, prefix("2001:db8:3::/48"));
    });
}

#[test]
fn what_is_too_much_is_said_to_be_lost() {
    in_namespaces(|far| {
        let index = far.lay_cable("cable1", "end1", "fe80::1/64");
        let settings = RouteSettings::default();
        let mut notifications = Notifications::open(settings, None).unwrap();
        // Another writer is somebody else.
        let mut writer = RouteWriter::open(settings).unwrap();
        let target = via("fe80::1", index);
        let changes = (0..100_000_u128).map(|number| {
            let address = Ipv6Addr::from_bits((0x2001_0db8 << 96) | (number << 72));
            Change::Add(Route { destination: Prefix::new(address, 56).unwrap(), target })
        });
        assert!(writer.apply(&changes.collect::<Vec<_>>()).unwrap().iter().all(Result::is_ok));
        hear(&mut notifications, |news| news.lost);
        assert_eq!(ours(&settings).len(), 100_000);
        // And nothing more is lost.
        ip("-6 route add 2001:db9::/48 dev cable1");
        let is_it = |news: &RouteNews| matches!(news, RouteNews::Added(seen) if seen.destination == prefix("2001:db9::/48"));
        hear(&mut notifications, |news| news.routes.iter().any(is_it));
    });
}

#[test]
fn without_a_writer_everything_is_heard() {
    in_namespaces(|far| {
        let index = far.lay_cable("cable1", "end1", "fe80::1/64");
        let mut notifications = Notifications::open(RouteSettings::default(), None).unwrap();
        // The kernel tells of the carrier in nobody's name.
        far.run(|| ip("link set end1 down"));
        hear(&mut notifications, |news| news.interfaces.contains(&index));
    });
}
