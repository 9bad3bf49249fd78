//! Routes wanted against routes installed, as scenarios.

use std::collections::BTreeSet;
use std::time::Duration;

use relay::{Change, Failure, Owner, Refused, Route, RouteRules, RouteState, Routes, Seen, Target};
use wire::Prefix;
use world::Instant;

const NOW: Instant = Instant::since_start(Duration::from_secs(100));

fn prefix(text: &str) -> Prefix {
    text.parse().unwrap()
}

fn via(interface_index: u32) -> Target {
    Target::Via { next_hop: "fe80::1".parse().unwrap(), interface_index }
}

fn seen(destination: &str, owner: Owner) -> Seen {
    Seen {
        destination: prefix(destination),
        in_our_place: true,
        metric: 512,
        interface_index: 2,
        owner,
        on_link: false,
    }
}

fn connected(destination: &str) -> Seen {
    Seen { on_link: true, in_our_place: false, metric: 256, ..seen(destination, Owner::Stranger) }
}

fn add(destination: &str, target: Target) -> Change {
    Change::Add(Route { destination: prefix(destination), target })
}

fn delete(destination: &str, target: Target) -> Change {
    Change::Delete(Route { destination: prefix(destination), target })
}

/// One aggregate, 2001:db8::/32, that is not closed, and a kernel that has these.
fn routes(dumped: &[Seen]) -> Routes {
    let aggregates = vec![prefix("2001:db8::/32")];
    let mut routes = Routes::new(RouteRules {
        aggregates,
        closes_aggregates: false,
        look_every: Some(Duration::from_secs(300)),
    });
    dump(&mut routes, dumped, NOW);
    routes
}

fn dump(routes: &mut Routes, dumped: &[Seen], now: Instant) {
    routes.begin_dump();
    dumped.iter().for_each(|seen| routes.dumped(seen));
    routes.end_dump(now);
}

/// Hands out all changes and has them succeed.
fn carry_out(routes: &mut Routes) -> Vec<Change> {
    let changes = routes.next(usize::MAX);
    changes.iter().for_each(|change| routes.done(change, Ok(()), NOW));
    changes
}

fn state(routes: &Routes, destination: &str) -> Option<RouteState> {
    routes.find(prefix(destination)).map(|listed| listed.state)
}

// PDR-13, PDR-14, PDR-15
#[test]
fn a_wanted_route_is_added_with_its_length_and_goes_when_it_is_over() {
    let mut routes = routes(&[]);
    routes.want(prefix("2001:db8:1:100::/56"), via(3)).unwrap();
    assert_eq!(carry_out(&mut routes), [add("2001:db8:1:100::/56", via(3))]);
    assert_eq!(state(&routes, "2001:db8:1:100::/56"), Some(RouteState::Installed));
    routes.unwant(prefix("2001:db8:1:100::/56"));
    assert_eq!(state(&routes, "2001:db8:1:100::/56"), Some(RouteState::Leaving));
    assert_eq!(carry_out(&mut routes), [delete("2001:db8:1:100::/56", via(3))]);
    assert_eq!(routes.after(None).count(), 0);
}

#[test]
fn another_way_replaces_and_does_not_double() {
    let mut routes = routes(&[]);
    routes.want(prefix("2001:db8:1::/48"), via(3)).unwrap();
    carry_out(&mut routes);
    routes.want(prefix("2001:db8:1::/48"), via(4)).unwrap();
    let to = Route { destination: prefix("2001:db8:1::/48"), target: via(4) };
    assert_eq!(carry_out(&mut routes), [Change::Replace { to, from: via(3) }]);
    routes.want(prefix("2001:db8:1::/48"), via(4)).unwrap();
    assert_eq!(carry_out(&mut routes), []);
}

#[test]
fn nothing_is_handed_out_before_the_first_dump() {
    let mut routes = Routes::new(RouteRules::default());
    assert!(routes.wants_dump(NOW));
    routes.want(prefix("2001:db8:1::/48"), via(3)).unwrap();
    assert_eq!(routes.next(10), []);
    dump(&mut routes, &[], NOW);
    assert_eq!(routes.next(10).len(), 1);
    assert!(!routes.wants_dump(NOW));
}

#[test]
fn no_more_is_handed_out_than_was_asked_for() {
    let mut routes = routes(&[]);
    for number in 1..=5 {
        routes.want(prefix(&format!("2001:db8:{number}::/48")), via(3)).unwrap();
    }
    assert!(!routes.is_settled(), "all of them wait");
    let handed_out = [0, 1, 3, 9, 9].map(|most| routes.next(most));
    assert_eq!(handed_out.each_ref().map(Vec::len), [0, 1, 3, 1, 0]);
    for change in handed_out.iter().flatten() {
        assert!(!routes.is_settled(), "one is under way");
        routes.done(change, Ok(()), NOW);
    }
    assert!(routes.is_settled());
}

#[test]
fn what_nobody_wants_any_more_while_it_is_being_added_is_leaving() {
    let mut routes = routes(&[]);
    routes.want(prefix("2001:db8:1::/48"), via(3)).unwrap();
    let changes = routes.next(1);
    routes.unwant(prefix("2001:db8:1::/48"));
    assert_eq!(state(&routes, "2001:db8:1::/48"), Some(RouteState::Leaving));
    routes.done(&changes[0], Ok(()), NOW);
    assert_eq!(carry_out(&mut routes), [delete("2001:db8:1::/48", via(3))]);
    assert_eq!(state(&routes, "2001:db8:1::/48"), None);
}

#[test]
fn what_covers_or_equals_a_connected_prefix_waits_until_that_goes() {
    let mut routes = routes(&[connected("2001:db8:5:1::/64")]);
    let refused = Err(Refused::CoversConnected(prefix("2001:db8:5:1::/64")));
    assert_eq!(routes.want(prefix("2001:db8:5::/48"), via(3)), refused);
    assert_eq!(routes.want(prefix("2001:db8:5:1::/64"), via(3)), refused);
    assert_eq!(routes.want(prefix("2001:db8:5:2::/64"), via(3)), Ok(()));
    assert_eq!(carry_out(&mut routes), [add("2001:db8:5:2::/64", via(3))]);
    routes.kernel_removed(&connected("2001:db8:5:1::/64"));
    assert_eq!(carry_out(&mut routes).len(), 2);
    routes.kernel_added(&connected("2001:db8:5:1::/64"));
    let withdrawn = carry_out(&mut routes);
    assert_eq!(withdrawn, [delete("2001:db8:5::/48", via(3)), delete("2001:db8:5:1::/64", via(3))]);
    assert_eq!(routes.find(prefix("2001:db8:5::/48")).unwrap().refused, refused.err());
}

#[test]
fn what_lies_outside_the_aggregates_is_refused_until_they_are_others() {
    let mut routes = routes(&[]);
    assert_eq!(routes.want(prefix("2001:db9::/48"), via(3)), Err(Refused::OutsideAggregates));
    assert_eq!(routes.want(prefix("2001:d00::/24"), via(3)), Err(Refused::OutsideAggregates));
    assert_eq!(carry_out(&mut routes), []);
    assert_eq!(routes.state_count(RouteState::Refused), 2);
    let aggregates = vec![prefix("2001:db9::/32")];
    routes.configure(RouteRules {
        aggregates,
        closes_aggregates: false,
        look_every: Some(Duration::from_secs(300)),
    });
    assert_eq!(carry_out(&mut routes), [add("2001:db9::/48", via(3))]);
}

#[test]
fn an_aggregate_leads_nowhere_unless_it_is_delegated_itself() {
    let aggregates = vec![prefix("2001:db8::/32"), prefix("2001:db9:1::/48")];
    let mut routes = Routes::new(RouteRules {
        aggregates: aggregates.clone(),
        closes_aggregates: true,
        look_every: Some(Duration::from_secs(300)),
    });
    dump(&mut routes, &[connected("2001:db8:1::/64")], NOW);
    let nowhere = Target::Unreachable;
    assert_eq!(carry_out(&mut routes), [add("2001:db8::/32", nowhere), add("2001:db9:1::/48", nowhere)]);
    routes.want(prefix("2001:db9:1::/48"), via(3)).unwrap();
    assert!(matches!(carry_out(&mut routes)[..], [Change::Replace { from: Target::Unreachable, .. }]));
    routes.unwant(prefix("2001:db9:1::/48"));
    assert!(
        matches!(carry_out(&mut routes)[..], [Change::Replace { to: Route { target, .. }, .. }] if target == nowhere)
    );
    routes.kernel_added(&connected("2001:db9:1::/48"));
    assert_eq!(carry_out(&mut routes), [delete("2001:db9:1::/48", nowhere)]);
    routes.configure(RouteRules {
        aggregates,
        closes_aggregates: false,
        look_every: Some(Duration::from_secs(300)),
    });
    assert_eq!(carry_out(&mut routes), [delete("2001:db8::/32", nowhere)]);
}

#[test]
fn the_unproven_stays_until_the_sweep_and_what_is_over_goes_at_once() {
    let ours = |text, index| seen(text, Owner::Ours(via(index)));
    let mut routes =
        routes(&[ours("2001:db8:1::/48", 3), ours("2001:db8:2::/48", 3), ours("2001:db8:3::/48", 3)]);
    assert_eq!(routes.state_count(RouteState::Unproven), 3);
    // One is confirmed, and one is confirmed and then released.
    routes.want(prefix("2001:db8:1::/48"), via(3)).unwrap();
    routes.want(prefix("2001:db8:2::/48"), via(3)).unwrap();
    assert_eq!(carry_out(&mut routes), []);
    routes.unwant(prefix("2001:db8:2::/48"));
    assert_eq!(carry_out(&mut routes), [delete("2001:db8:2::/48", via(3))]);
    assert_eq!(routes.sweep(|_, _| true), 1);
    assert_eq!(carry_out(&mut routes), [delete("2001:db8:3::/48", via(3))]);
    // From now on nothing is unproven.
    routes.kernel_added(&ours("2001:db8:4::/48", 3));
    assert_eq!(carry_out(&mut routes), [delete("2001:db8:4::/48", via(3))]);
    assert_eq!(state(&routes, "2001:db8:1::/48"), Some(RouteState::Installed));
}

#[test]
fn a_strangers_route_is_left_alone_and_what_is_wanted_there_waits() {
    let stranger = seen("2001:db8:1::/48", Owner::Stranger);
    let mut routes = routes(&[]);
    routes.want(prefix("2001:db8:1::/48"), via(3)).unwrap();
    let changes = routes.next(1);
    routes.done(&changes[0], Err(Failure::Taken), NOW);
    assert_eq!(state(&routes, "2001:db8:1::/48"), Some(RouteState::Conflict));
    assert!(routes.wants_dump(NOW + Duration::from_secs(10)), "the kernel may know better");
    dump(&mut routes, &[stranger], NOW);
    routes.want(prefix("2001:db8:1::/48"), via(4)).unwrap();
    assert_eq!(routes.next(1), []);
    routes.kernel_removed(&stranger);
    assert_eq!(carry_out(&mut routes), [add("2001:db8:1::/48", via(4))]);
    // One with another metric stands beside ours.
    routes.kernel_added(&Seen { in_our_place: false, metric: 1024, ..stranger });
    assert_eq!(state(&routes, "2001:db8:1::/48"), Some(RouteState::Installed));
    // One in place of ours is left as well.
    routes.kernel_added(&stranger);
    routes.unwant(prefix("2001:db8:1::/48"));
    assert_eq!(routes.next(1), []);
}

// PDR-25
#[test]
fn a_route_without_a_way_waits_for_its_interface() {
    let mut routes = routes(&[]);
    routes.want(prefix("2001:db8:1::/48"), via(3)).unwrap();
    carry_out(&mut routes);
    // The interface goes down, and the kernel takes its routes away.
    routes.kernel_removed(&seen("2001:db8:1::/48", Owner::Ours(via(3))));
    let changes = routes.next(1);
    routes.done(&changes[0], Err(Failure::NoWay), NOW);
    assert_eq!(state(&routes, "2001:db8:1::/48"), Some(RouteState::NoWay));
    routes.interfaces_changed(&BTreeSet::from([2]));
    assert_eq!(routes.next(1), []);
    routes.interfaces_changed(&BTreeSet::from([3]));
    assert_eq!(carry_out(&mut routes), [add("2001:db8:1::/48", via(3))]);
}

#[test]
fn a_route_that_cannot_get_its_new_way_does_not_keep_the_old_one() {
    let mut routes = routes(&[]);
    routes.want(prefix("2001:db8:1::/48"), via(3)).unwrap();
    carry_out(&mut routes);
    routes.want(prefix("2001:db8:1::/48"), via(4)).unwrap();
    let changes = routes.next(1);
    routes.done(&changes[0], Err(Failure::NoWay), NOW);
    assert_eq!(carry_out(&mut routes), [delete("2001:db8:1::/48", via(3))]);
    routes.interfaces_changed(&BTreeSet::from([4]));
    assert_eq!(carry_out(&mut routes), [add("2001:db8:1::/48", via(4))]);
}

#[test]
fn what_fails_is_tried_again_ever_more_rarely() {
    let mut routes = routes(&[]);
    routes.want(prefix("2001:db8:1::/48"), via(3)).unwrap();
    let mut now = NOW;
    let mut pauses = Vec::new();
    for _ in 0..8 {
        let changes = routes.next(1);
        routes.done(&changes[0], Err(Failure::Other(12)), now);
        assert_eq!(routes.find(prefix("2001:db8:1::/48")).unwrap().errno, Some(12));
        assert_eq!(routes.next(1), []);
        let at = routes.deadline().unwrap();
        pauses.push(at.since(now).as_secs());
        routes.tick(at);
        now = at;
    }
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
    carry_out(&mut routes);
    assert_eq!(state(&routes, "2001:db8:1::/48"), Some(RouteState::Installed));
    // When all is well again, the next failure is a first one.
    routes.want(prefix("2001:db8:2::/48"), via(3)).unwrap();
    let changes = routes.next(1);
    routes.done(&changes[0], Err(Failure::Other(12)), now);
    assert_eq!(routes.deadline().unwrap().since(now).as_secs(), 1);
}

#[test]
fn a_route_that_somebody_takes_away_comes_back() {
    let mut routes = routes(&[]);
    routes.want(prefix("2001:db8:1::/48"), via(3)).unwrap();
    carry_out(&mut routes);
    routes.kernel_removed(&seen("2001:db8:1::/48", Owner::Ours(via(3))));
    assert_eq!(carry_out(&mut routes), [add("2001:db8:1::/48", via(3))]);
    // The same, noticed by a dump only.
    dump(&mut routes, &[], NOW);
    assert_eq!(carry_out(&mut routes), [add("2001:db8:1::/48", via(3))]);
    assert_eq!(routes.counters().lost, 2);
}

#[test]
fn what_goes_while_a_change_is_under_way_is_looked_for() {
    for owner in [Owner::Ours(via(3)), Owner::Stranger] {
        let mut routes = routes(&[]);
        routes.want(prefix("2001:db8:1::/48"), via(3)).unwrap();
        let changes = routes.next(1);
        // Nobody can say whether it went before the change was made or after.
        routes.kernel_removed(&seen("2001:db8:1::/48", owner));
        routes.done(&changes[0], Ok(()), NOW);
        assert_eq!(routes.next(1), [], "{owner:?}");
        let later = NOW + Duration::from_secs(10);
        assert!(routes.wants_dump(later), "{owner:?}");
        dump(&mut routes, &[], later);
        assert_eq!(carry_out(&mut routes), [add("2001:db8:1::/48", via(3))], "{owner:?}");
    }
}

#[test]
fn echoes_of_our_own_changes_are_no_news() {
    let mut routes = routes(&[]);
    let (old, new) =
        (seen("2001:db8:1::/48", Owner::Ours(via(3))), seen("2001:db8:1::/48", Owner::Ours(via(4))));
    routes.want(prefix("2001:db8:1::/48"), via(3)).unwrap();
    let changes = routes.next(1);
    routes.kernel_added(&old);
    routes.done(&changes[0], Ok(()), NOW);
    routes.kernel_added(&old);
    assert_eq!(routes.next(1), []);
    routes.want(prefix("2001:db8:1::/48"), via(4)).unwrap();
    carry_out(&mut routes);
    routes.kernel_added(&new);
    assert_eq!(routes.next(1), []);
    routes.unwant(prefix("2001:db8:1::/48"));
    let changes = routes.next(1);
    routes.kernel_removed(&new);
    routes.done(&changes[0], Ok(()), NOW);
    assert!(routes.is_settled() && !routes.wants_dump(NOW + Duration::from_secs(60)));
}

#[test]
fn what_happens_during_a_dump_is_not_undone_by_it() {
    let mut routes = routes(&[]);
    routes.want(prefix("2001:db8:1::/48"), via(3)).unwrap();
    routes.begin_dump();
    let changes = routes.next(1);
    routes.end_dump(NOW);
    routes.done(&changes[0], Ok(()), NOW);
    assert_eq!(state(&routes, "2001:db8:1::/48"), Some(RouteState::Installed));
    // A dump that breaks off concludes nothing, and comes again soon.
    routes.begin_dump();
    routes.dump_failed(NOW);
    assert_eq!(routes.next(1), []);
    assert!(routes.wants_dump(NOW + Duration::from_secs(5)));
}

#[test]
fn a_stranger_that_comes_while_a_change_is_under_way_is_found_before_anything_else_is_done() {
    let stranger = seen("2001:db8:1::/48", Owner::Stranger);
    let mut routes = routes(&[]);
    routes.want(prefix("2001:db8:1::/48"), via(3)).unwrap();
    let changes = routes.next(1);
    // Ours was put in, and replaced by a stranger before we have heard that it was.
    routes.kernel_added(&stranger);
    routes.done(&changes[0], Ok(()), NOW);
    routes.want(prefix("2001:db8:1::/48"), via(4)).unwrap();
    assert_eq!(routes.next(1), []);
    let later = NOW + Duration::from_secs(10);
    assert!(routes.wants_dump(later));
    dump(&mut routes, &[stranger], later);
    assert_eq!(routes.next(1), []);
    assert_eq!(state(&routes, "2001:db8:1::/48"), Some(RouteState::Conflict));
}

#[test]
fn what_is_told_while_a_dump_is_read_is_newer_than_the_dump() {
    let (stranger, old) =
        (seen("2001:db8:1::/48", Owner::Stranger), seen("2001:db8:1::/48", Owner::Ours(via(3))));
    let mut routes = routes(&[old]);
    routes.want(prefix("2001:db8:1::/48"), via(3)).unwrap();
    routes.begin_dump();
    routes.kernel_added(&stranger);
    routes.dumped(&old);
    routes.end_dump(NOW);
    routes.want(prefix("2001:db8:1::/48"), via(4)).unwrap();
    assert_eq!(routes.next(1), []);
    assert_eq!(state(&routes, "2001:db8:1::/48"), Some(RouteState::Conflict));
}

#[test]
fn without_a_reason_it_is_looked_as_often_as_the_rules_say() {
    let rules = |look_every| RouteRules { look_every, ..RouteRules::default() };
    let mut routes = Routes::new(rules(Some(Duration::from_secs(60))));
    assert!(!routes.knows_kernel());
    dump(&mut routes, &[], NOW);
    assert!(routes.knows_kernel());
    assert_eq!(routes.deadline(), Some(NOW + Duration::from_secs(60)));
    assert!(!routes.wants_dump(NOW) && routes.wants_dump(NOW + Duration::from_secs(60)));
    routes.configure(rules(None));
    assert_eq!(routes.deadline(), None);
    assert!(!routes.wants_dump(NOW + Duration::from_secs(6000)));
    routes.mistrust();
    assert!(routes.wants_dump(NOW + Duration::from_secs(2)));
    // One look is enough to settle a doubt.
    dump(&mut routes, &[], NOW);
    assert_eq!(routes.deadline(), None);
    assert!(!routes.wants_dump(NOW + Duration::from_secs(6000)));
}
