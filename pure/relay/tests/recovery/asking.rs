//! Servers that answer, and servers that do not.

use relay::recovery::{Completeness, Phase, State, Why};
use requestor::Gap;

use super::kit::*;

// BLQ-R-28, REL-32, REL-42, INT-15
#[test]
fn a_server_is_asked_by_relay_id_and_for_relay_data() {
    let mut scene = Scene::usual();
    let query = scene.connect(A).query();
    assert_eq!(query.client_id, own_duid());
    let mut expected = vec![3];
    expected.extend([0; 16]);
    expected.extend([0, 53, 0, 10]);
    expected.extend(own_duid().octets());
    expected.extend([0, 6, 0, 2, 0, 47]);
    assert_eq!(query.octets, expected);

    let heir = Scene::with(|terms| terms.relay_id = other_duid()).connect(A).query();
    assert_eq!(heir.client_id, other_duid());
    assert_eq!(&heir.octets[21..31], other_duid().octets());
}

// BLQ-R-16, BLQ-R-18, PDR-24
#[test]
fn a_recovery_is_complete_when_every_server_has_said_all() {
    let mut scene = Scene::usual();
    let (mut a, mut b) = (scene.connect(A), scene.connect(B));
    assert!(matches!(scene.recovery.state(), State::Recovering(progress) if progress.asked == 2));
    let (to_a, to_b) = (a.query().id, b.query().id);
    scene.hear(&mut a, &first(to_a, 1));
    scene.hear(&mut b, &first(to_b, 2));
    scene.hear(&mut a, &more(to_a, 3));
    assert_eq!(scene.prefixes(), ["3fff:1::/48", "3fff:2::/48", "3fff:3::/48"]);
    scene.hear(&mut a, &done(to_a));
    let summary = scene.finish(a);
    assert_eq!((summary.clients, summary.leases, summary.trouble), (2, 2, None));
    assert!(summary.octets > 200);

    assert_eq!(scene.recovery.completeness(), Completeness::Lacking(vec![B]));
    assert!(!scene.recovery.may_sweep(None, prefix(9)));
    let State::Recovering(progress) = scene.recovery.state() else { panic!() };
    assert_eq!((progress.done, progress.tally.clients), (1, 3));

    scene.wait(1);
    scene.hear(&mut b, &done(to_b));
    scene.finish(b);
    assert_eq!(scene.recovery.completeness(), Completeness::Complete);
    assert!(scene.recovery.may_sweep(None, prefix(9)));
    assert_eq!(scene.recovery.state(), State::InSync { since: scene.now });
    assert_eq!(scene.pause(A), None, "nobody is asked again until something changes");
}

// BLQ-R-02, BLQ-R-04
#[test]
fn an_unreachable_server_is_tried_ever_more_slowly() {
    let mut scene = Scene::usual();
    scene.answer(B, |query| vec![first(query.id, 1), done(query.id)]);
    let began = scene.now;
    for step in [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0] {
        let summary = scene.fail(A);
        assert_eq!(summary.trouble, Some(Why::Unreachable("connection refused".into())));
        let pause = scene.pause(A).unwrap();
        assert!((step..=step * 1.1).contains(&pause), "{pause}");
    }
    let State::Degraded { lacking, progress } = scene.recovery.state() else { panic!() };
    assert_eq!((lacking.len(), lacking[0].0), (1, A));
    assert_eq!((lacking[0].1.since, lacking[0].1.attempts), (began, 9));
    assert_eq!((progress.done, progress.asked), (1, 2));
    assert!(!scene.recovery.may_sweep(None, prefix(9)), "its silence deletes nothing");

    scene.answer(A, |query| vec![empty(query.id)]);
    scene.answer(A, |query| vec![first(query.id, 2), done(query.id)]);
    assert_eq!(scene.recovery.state(), State::InSync { since: scene.now });
}

// BLQ-R-16, BLQ-R-26
#[test]
fn what_came_before_a_break_is_kept_and_no_more_is_concluded() {
    let mut scene = Scene::usual();
    scene.answer(B, |query| vec![first(query.id, 9), done(query.id)]);
    scene.learnt.clear();
    let mut talk = scene.connect(A);
    let id = talk.query().id;
    scene.hear(&mut talk, &first(id, 1));
    scene.hear(&mut talk, &more(id, 2)[..20]);
    talk.attempt.peer_closed();
    assert_eq!(scene.finish(talk).trouble, Some(Why::Incomplete(Gap::Closed)));
    assert_eq!(scene.prefixes(), ["3fff:1::/48"]);
    assert_eq!(scene.recovery.completeness(), Completeness::Lacking(vec![A]));
    assert!(matches!(scene.recovery.state(), State::Degraded { .. }));
    assert!(scene.pause(A).unwrap() >= 1.0);

    let mut talk = scene.connect(A);
    let id = talk.query().id;
    scene.hear(&mut talk, &first(id, 1));
    scene.wait(300);
    talk.attempt.tick(scene.now);
    assert_eq!(scene.finish(talk).trouble, Some(Why::Incomplete(Gap::Silent)));

    scene.answer(A, |query| vec![first(query.id, 1), more(query.id, 2), done(query.id)]);
    assert_eq!(scene.recovery.completeness(), Completeness::Complete);
    let tally = scene.recovery.progress().tally;
    assert_eq!(tally.clients, 3, "what an earlier attempt was told is not counted twice");
}

// BLQ-R-25
#[test]
fn a_server_that_terminates_is_left_alone_for_five_seconds() {
    let mut scene = Scene::usual();
    scene.answer(A, |query| vec![first(query.id, 1), terminated(query.id)]);
    assert_eq!(scene.prefixes(), ["3fff:1::/48"]);
    assert!(scene.pause(A).unwrap() >= 5.0);
    let summary = scene.answer(A, |query| vec![refusal(query.id, QUERY_TERMINATED)]);
    assert!(matches!(summary.trouble, Some(Why::Stopped(_))), "{summary:?}");
    assert!(scene.pause(A).unwrap() >= 10.0);
}

#[test]
fn a_failure_of_the_servers_own_is_retried_and_no_refusal() {
    let mut scene = Scene::usual();
    let summary = scene.answer(A, |query| vec![refusal(query.id, UNSPEC_FAIL)]);
    assert!(matches!((summary.trouble, summary.phase), (Some(Why::Stopped(_)), Phase::Waiting { .. })));
    assert_eq!(scene.connect(A).query().kind, 3, "the same question once more");
}

// LQ-R-07
#[test]
fn a_server_that_is_not_to_be_asked_is_never_asked_nor_complete() {
    let mut scene = Scene::with(|terms| terms.servers = vec![true, false]);
    assert_eq!(scene.pause(B), None);
    scene.answer(A, |query| vec![first(query.id, 1), done(query.id)]);
    assert!(matches!(scene.recovery.state(), State::InSync { .. }));
    assert_eq!(scene.recovery.completeness(), Completeness::Lacking(vec![B]));
    assert!(!scene.recovery.may_sweep(None, prefix(9)));

    let nobody = Scene::with(|terms| terms.servers = vec![false]);
    assert_eq!(nobody.recovery.state(), State::NotAsking);
    let none = Scene::with(|terms| terms.servers.clear());
    assert_ne!(none.recovery.completeness(), Completeness::Complete);
    assert!(!none.recovery.may_sweep(None, prefix(9)));
}
