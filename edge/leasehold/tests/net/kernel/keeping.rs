//! Wanted routes kept in the kernel, whatever others do.

use std::time::Duration;

use std::os::fd::AsFd;
use std::time::Instant;

use leasehold::kernel::{News, Notifications, RouteNews, RouteSettings, RouteWriter, dump, interfaces};
use leasehold::net::Poller;
use relay::{Route, RouteRules, RouteState, Routes, Target};
use world::Instant as Moment;

use super::{ours, prefix, route, strangers, via};
use crate::PATIENCE;
use crate::namespace::{in_namespaces, ip};

/// Routes and the kernel, brought together as the relay does.
struct Keeper {
    routes: Routes,
    settings: RouteSettings,
    writer: RouteWriter,
    notifications: Notifications,
    begin: Instant,
}

impl Keeper {
    fn begin() -> Self {
        let settings = RouteSettings::default();
        let writer = RouteWriter::open(settings).unwrap();
        let notifications = Notifications::open(settings, Some(writer.port())).unwrap();
        let rules = RouteRules {
            aggregates: vec![prefix("2001:db8::/32")],
            closes_aggregates: true,
            look_every: Some(Duration::from_secs(300)),
        };
        let begin = Instant::now();
        Self { routes: Routes::new(rules), settings, writer, notifications, begin }
    }

    /// Goes on until it is so.
    fn until(&mut self, is_so: impl Fn(&Self) -> bool) {
        let poller = Poller::new().unwrap();
        let until = Instant::now() + PATIENCE;
        loop {
            self.turn();
            if is_so(self) {
                return;
            }
            let shown: Vec<_> = self.routes.after(None).collect();
            assert!(Instant::now() < until, "{shown:?}\n{:?}", ours(&self.settings));
            let wait = Instant::now() + std::time::Duration::from_millis(100);
            poller.wait(&[self.notifications.as_fd()], Some(wait)).unwrap();
        }
    }

    fn turn(&mut self) {
        let now = Moment::since_start(self.begin.elapsed());
        let News { routes, interfaces, lost } = self.notifications.drain().unwrap();
        for news in routes {
            match news {
                RouteNews::Added(seen) => self.routes.kernel_added(&seen),
                RouteNews::Removed(seen) => self.routes.kernel_removed(&seen),
            }
        }
        if lost {
            self.routes.mistrust();
        }
        self.routes.interfaces_changed(&interfaces);
        if self.routes.wants_dump(now) {
            self.routes.begin_dump();
            dump(&self.settings).unwrap().iter().for_each(|seen| self.routes.dumped(seen));
            self.routes.end_dump(now);
        }
        self.routes.tick(now);
        let changes = self.routes.next(1000);
        let outcomes = self.writer.apply(&changes).unwrap();
        for (change, outcome) in changes.iter().zip(outcomes) {
            self.routes.done(change, outcome, now);
        }
    }

    fn has(&self, expected: &[Route]) -> bool {
        let mut there = ours(&self.settings);
        there.sort();
        there == expected
    }

    fn state(&self, destination: &str) -> Option<RouteState> {
        self.routes.find(prefix(destination)).map(|listed| listed.state)
    }
}

const AGGREGATE: Target = Target::Unreachable;

// PDR-11, PDR-25
#[test]
fn routes_come_back_when_their_interface_does() {
    in_namespaces(|far| {
        let index = far.lay_cable("cable1", "end1", "fe80::1/64");
        let mut keeper = Keeper::begin();
        let way = via("fe80::1", index);
        keeper.routes.want(prefix("2001:db8:1::/48"), way).unwrap();
        let all = [route("2001:db8::/32", AGGREGATE), route("2001:db8:1::/48", way)];
        keeper.until(|keeper| keeper.has(&all));

        // The next hop cannot be reached: nothing changes.
        far.run(|| ip("link set end1 down"));
        keeper.until(|_| interfaces().unwrap().iter().any(|facts| facts.index == index && !facts.is_running));
        keeper.until(|keeper| keeper.has(&all));
        far.run(|| ip("link set end1 up"));

        // The interface is switched off: the kernel drops what leads there.
        ip("link set cable1 down");
        keeper.until(|keeper| keeper.state("2001:db8:1::/48") == Some(RouteState::NoWay));
        keeper.until(|keeper| keeper.has(&all[..1]));
        ip("link set cable1 up");
        keeper.until(|keeper| keeper.has(&all));
        assert_eq!(keeper.routes.counters().lost, 1);
    });
}

#[test]
fn what_others_take_away_comes_back_and_what_they_put_in_our_place_stays() {
    in_namespaces(|far| {
        let index = far.lay_cable("cable1", "end1", "fe80::1/64");
        ip("-6 route add 2001:db8:2::/48 via fe80::7 dev cable1 proto static metric 512");
        let mut keeper = Keeper::begin();
        let way = via("fe80::1", index);
        for destination in ["2001:db8:1::/48", "2001:db8:2::/48", "2001:db8:3::/48"] {
            keeper.routes.want(prefix(destination), way).unwrap();
        }
        let all = ["2001:db8::/32", "2001:db8:1::/48", "2001:db8:2::/48", "2001:db8:3::/48"]
            .map(|text| route(text, if text.ends_with("/32") { AGGREGATE } else { way }));
        keeper.until(|keeper| keeper.has(&[all[0], all[1], all[3]]));
        assert_eq!(keeper.state("2001:db8:2::/48"), Some(RouteState::Conflict));
        // Everything of our number is flushed by hand.
        ip("-6 route flush proto 220");
        keeper.until(|keeper| keeper.has(&[all[0], all[1], all[3]]));
        assert_eq!(strangers(&keeper.settings), [prefix("2001:db8:2::/48")]);
        ip("-6 route del 2001:db8:2::/48 via fe80::7 dev cable1 proto static metric 512");
        keeper.until(|keeper| keeper.has(&all));
    });
}

#[test]
fn a_prefix_that_becomes_connected_loses_its_route() {
    in_namespaces(|far| {
        let index = far.lay_cable("cable1", "end1", "fe80::1/64");
        let mut keeper = Keeper::begin();
        let way = via("fe80::1", index);
        keeper.routes.want(prefix("2001:db8:1::/64"), way).unwrap();
        let all = [route("2001:db8::/32", AGGREGATE), route("2001:db8:1::/64", way)];
        keeper.until(|keeper| keeper.has(&all));
        ip("addr add 2001:db8:1::1/64 dev cable1 nodad");
        keeper.until(|keeper| keeper.has(&all[..1]));
        assert_eq!(keeper.state("2001:db8:1::/64"), Some(RouteState::Refused));
        ip("addr del 2001:db8:1::1/64 dev cable1");
        keeper.until(|keeper| keeper.has(&all));
    });
}

// PDR-14
#[test]
fn what_an_earlier_run_left_stays_until_it_is_known_to_be_over() {
    in_namespaces(|far| {
        let index = far.lay_cable("cable1", "end1", "fe80::1/64");
        ip("-6 route add 2001:db8:1::/48 via fe80::1 dev cable1 proto 220 metric 512");
        ip("-6 route add 2001:db8:2::/48 via fe80::1 dev cable1 proto 220 metric 512");
        ip("-6 route add 2001:db8:3::/48 via fe80::1 dev cable1 proto static metric 512");
        let way = via("fe80::1", index);
        let mut keeper = Keeper::begin();
        keeper.routes.want(prefix("2001:db8:1::/48"), way).unwrap();
        let all =
            [route("2001:db8::/32", AGGREGATE), route("2001:db8:1::/48", way), route("2001:db8:2::/48", way)];
        keeper.until(|keeper| keeper.has(&all) && keeper.routes.is_settled());
        assert_eq!(keeper.state("2001:db8:2::/48"), Some(RouteState::Unproven));
        keeper.routes.sweep(|_, _| true);
        keeper.until(|keeper| keeper.has(&all[..2]));
        assert_eq!(strangers(&keeper.settings), [prefix("2001:db8:3::/48")]);
    });
}
