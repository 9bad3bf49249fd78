//! Recovering again: when asked to, and from time to time.

use relay::recovery::{Completeness, State};

use super::kit::*;

fn recovered(refresh_every: Option<u64>) -> Scene {
    let mut scene = Scene::with(|terms| terms.refresh_every = refresh_every.map(secs));
    for server in [A, B] {
        scene.answer(server, |query| vec![first(query.id, 1), done(query.id)]);
    }
    assert!(matches!(scene.recovery.state(), State::InSync { .. }));
    scene
}

#[test]
fn a_refresh_asks_everybody_anew() {
    let mut scene = recovered(None);
    scene.wait(10);
    scene.recovery.refresh(scene.now);
    let epoch = scene.recovery.epoch();
    assert_eq!((epoch.number, epoch.began), (2, scene.now));
    assert_eq!(scene.recovery.completeness(), Completeness::Lacking(vec![A, B]));
    scene.answer(A, |query| vec![first(query.id, 1), done(query.id)]);
    scene.fail(B);
    assert!(matches!(scene.recovery.state(), State::Degraded { .. }));
    assert!(scene.pause(B).unwrap() >= 1.0);
    scene.recovery.refresh(scene.now);
    let now = scene.now;
    scene.answer(B, |query| vec![first(query.id, 1), done(query.id)]);
    assert_eq!(scene.now, now, "whoever asks for a refresh need not wait");
}

#[test]
fn an_answer_that_began_before_a_refresh_completes_nothing() {
    let mut scene = Scene::with(|terms| terms.servers = vec![true]);
    let mut talk = scene.connect(A);
    let id = talk.query().id;
    scene.hear(&mut talk, &first(id, 1));
    scene.wait(1);
    scene.recovery.refresh(scene.now);
    scene.hear(&mut talk, &more(id, 2));
    scene.hear(&mut talk, &done(id));
    scene.finish(talk);
    assert_eq!(scene.prefixes(), ["3fff:1::/48", "3fff:2::/48"], "and yet it is good");
    assert_eq!(scene.recovery.completeness(), Completeness::Lacking(vec![A]));
    scene.answer(A, |query| vec![first(query.id, 1), done(query.id)]);
    assert_eq!(scene.recovery.completeness(), Completeness::Complete);
}

#[test]
fn a_refresh_comes_round_but_not_into_the_middle_of_an_answer() {
    let mut scene = recovered(Some(600));
    assert_eq!(scene.pause(A), Some(600.0));
    let talk = scene.connect(A);
    assert_eq!(scene.recovery.epoch().number, 2);
    scene.wait(700);
    assert_eq!(scene.recovery.epoch().number, 2);
    let mut other = scene.connect(B);
    assert_eq!(scene.recovery.epoch().number, 2, "the next one waits for the end of this one");
    let id = other.query().id;
    scene.hear(&mut other, &first(id, 1));
    scene.hear(&mut other, &done(id));
    scene.finish(other);
    assert_eq!(scene.pause(B), None);
    let mut talk = talk;
    let id = talk.query().id;
    scene.hear(&mut talk, &first(id, 1));
    scene.hear(&mut talk, &done(id));
    scene.finish(talk);
    assert_eq!(scene.recovery.completeness(), Completeness::Complete);
    scene.connect(B);
    assert_eq!(scene.recovery.epoch().number, 3);
}

// BLQ-R-04
#[test]
fn a_refresh_that_comes_round_does_not_hurry_who_fails() {
    let mut scene = Scene::with(|terms| terms.refresh_every = Some(secs(20)));
    scene.answer(A, |query| vec![first(query.id, 1), done(query.id)]);
    for _ in 0..5 {
        scene.fail(B);
    }
    scene.recovery.begin(A, &scene.ports, scene.now + secs(20));
    assert!(scene.recovery.epoch().number >= 2);
    let began = scene.now;
    scene.fail(B);
    assert!(scene.now.since(began) >= secs(16));
}
