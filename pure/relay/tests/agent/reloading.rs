//! The operator decides otherwise while servers are being asked.

use std::time::Duration;

use relay::RouteRules;
use relay::recovery::{Phase, Territory};
use wire::Prefix;

use super::site::{Customer, Site};
use super::upstream::{Server, pool};

fn only(prefix: Prefix) -> Territory {
    Territory { prefixes: vec![prefix], addresses: None }
}

// PDR-24: what the first half of an answer was not asked for would be missed.
#[test]
fn an_answer_to_what_was_asked_before_does_not_count_as_one_to_what_is_asked_now() {
    let mut site = Site::with(1, |setup| setup.recovery.territory = only(pool(0, 1)));
    let (inside, outside) = (Customer::new(1, 1), Customer::new(2, 2));
    site.delegated(&inside, 0);
    site.delegated(&outside, 0);
    let before = site.kernel.ours();
    site.restart();
    let mut talk = site.ask(0).expect("it is asked");
    site.answers(&mut talk);
    site.hears(&mut talk, usize::MAX);
    site.setup.recovery.territory = Territory::default();
    site.reload(false);
    site.finish(talk);
    assert_eq!(site.kernel.ours(), before, "nobody has been asked about everything");
    site.recover();
    assert_eq!(site.kernel.ours(), before);
    assert_eq!(site.held().len(), 2);
}

// PDR-24: the sessions with the servers of before are broken off at any point.
#[test]
fn a_server_whose_session_was_broken_off_is_asked_again() {
    let mut site = Site::new(2);
    let customer = Customer::new(1, 1);
    site.delegated(&customer, 0);
    let before = site.kernel.ours();
    site.restart();
    let talk = site.ask(0).expect("it is asked");
    site.servers[1] = Server::new(2);
    site.reload(true);
    drop(talk);
    let stray = site.ask(0).expect("a session that was not broken off yet begins once more");
    drop(stray);
    site.agent.hang_up(site.now().instant);
    site.recover();
    assert_eq!(site.kernel.ours(), before);
    let phases = site.agent.recovery().servers().map(|server| server.phase);
    assert!(phases.into_iter().all(|phase| matches!(phase, Phase::Done { .. })));
}

// PDR-24
#[test]
fn a_server_that_is_not_asked_any_more_stays_so() {
    let mut site = Site::new(1);
    let talk = site.ask(0).expect("it is asked");
    site.setup.recovery.servers = vec![false];
    site.reload(false);
    site.finish(talk);
    assert_eq!(site.agent.recovery().servers().next().map(|server| server.phase), Some(Phase::NotAsked));
    assert!(site.ask(0).is_none());
}

// PDR-13, PDR-14
#[test]
fn routes_follow_the_aggregates() {
    let mut site = Site::new(1);
    let (one, two) = (Customer::new(1, 1), Customer::new(2, 2));
    let first = site.delegated(&one, 0);
    let second = site.delegated(&two, 0);
    site.setup.routes = Some(RouteRules { aggregates: vec![pool(0, 1)], ..RouteRules::default() });
    site.reload(false);
    assert_eq!(site.kernel.ours(), [(first, one.way())]);
    site.setup.routes = Some(RouteRules::default());
    site.reload(false);
    assert_eq!(site.kernel.ours(), [(first, one.way()), (second, two.way())]);
}

// PDR-24: nothing has changed, and nobody is asked for that.
#[test]
fn what_stays_as_it_was_has_nobody_asked_again() {
    let mut site = Site::new(1);
    site.delegated(&Customer::new(1, 1), 0);
    site.recover();
    site.reload(false);
    assert!(site.ask(0).is_none());
    site.setup.recovery.refresh_every = Some(Duration::from_secs(3600));
    site.reload(false);
    assert!(site.ask(0).is_some());
}
