//! Servers that cannot answer by Relay-ID, and what else they are asked.

use std::net::Ipv6Addr;

use relay::recovery::{Completeness, Method, Phase, State, Why};

use super::kit::*;

fn links(talk: &mut Talk) -> Vec<String> {
    let queries = talk.queries();
    assert!(queries.iter().all(|query| query.kind == 4), "{queries:?}");
    queries.iter().map(|query| query.link.to_string()).collect()
}

// INT-11, INT-14, LQ-R-24
#[test]
fn who_refuses_relay_ids_is_asked_by_the_link_addresses_of_the_ports() {
    for code in [UNKNOWN_QUERY_TYPE, NOT_CONFIGURED, NOT_ALLOWED] {
        let mut scene = Scene::usual();
        let unnumbered = relay::Port { link_address: Ipv6Addr::UNSPECIFIED, ..port(9) };
        let link_local = relay::Port { link_address: address("fe80::1"), ..port(10) };
        let same_link = relay::Port { link_address: port(7).link_address, ..port(11) };
        scene.ports.update(vec![port(7), port(8), unnumbered, link_local, same_link]);
        let summary = scene.answer(A, |query| vec![refusal(query.id, code)]);
        assert!(matches!(summary.trouble, Some(Why::Refused(_))), "{summary:?}");
        assert_eq!(scene.pause_of_next(), 0.0, "the next method follows at once");
        let mut talk = scene.connect(A);
        assert_eq!(links(&mut talk), ["2001:db8:7::1", "2001:db8:8::1"]);
    }
}

impl Scene {
    fn pause_of_next(&self) -> f64 {
        match self.phase(A) {
            Phase::Waiting { until } => until.since(self.now).as_secs_f64(),
            phase => panic!("{phase:?}"),
        }
    }
}

// BLQ-R-28
#[test]
fn by_remote_id_every_port_is_asked_about() {
    let mut scene = Scene::with(|terms| terms.methods = vec![Method::RemoteId]);
    let mut talk = scene.connect(A);
    let queries = talk.queries();
    assert_eq!(queries.len(), 2);
    for (query, name) in queries.iter().zip([b"port-7", b"port-8"]) {
        assert_eq!((query.kind, query.link), (5, Ipv6Addr::UNSPECIFIED));
        assert_eq!(
            query.octets[17..],
            [&[0, 37, 0, 10, 0, 0, 0x7e, 0xd9], &name[..], &[0, 6, 0, 2, 0, 47]].concat()
        );
    }
}

#[test]
fn who_has_recorded_nothing_is_asked_otherwise() {
    let mut scene = Scene::with(|terms| terms.servers = vec![true]);
    let summary = scene.answer(A, |query| vec![empty(query.id)]);
    assert_eq!((summary.method, summary.trouble), (Method::RelayId, None));
    assert!(matches!(scene.recovery.state(), State::Recovering(_)), "not done, and nothing wrong");
    scene.answer(A, |query| match query.link.segments()[2] {
        7 => vec![first(query.id, 1), done(query.id)],
        _ => vec![empty(query.id)],
    });
    assert_eq!(scene.prefixes(), ["3fff:1::/48"]);
    assert_eq!(scene.recovery.completeness(), Completeness::Complete);
}

// BLQ-R-16
#[test]
fn who_has_nothing_by_any_method_is_done() {
    let mut scene = Scene::with(|terms| terms.servers = vec![true]);
    assert_eq!(scene.answer_all(A, |query| vec![empty(query.id)]), 3);
    assert_eq!(scene.recovery.completeness(), Completeness::Complete);
    assert!(scene.recovery.may_sweep(None, prefix(9)));
}

// INT-16: not being configured for one question is not a failure of the others.
#[test]
fn one_refused_question_does_not_spoil_the_others() {
    let mut scene = Scene::with(|terms| {
        terms.servers = vec![true];
        terms.methods = vec![Method::LinkAddress];
    });
    scene.answer_all(A, |query| match query.link.segments()[2] {
        7 => vec![first(query.id, 1), done(query.id)],
        _ => vec![refusal(query.id, NOT_CONFIGURED)],
    });
    let port_of = |name: &[u8]| scene.ports.with_interface_id(name);
    assert!(matches!(scene.recovery.state(), State::InSync { .. }));
    assert!(scene.recovery.may_sweep(port_of(b"ge-0/0/7"), prefix(9)));
    assert!(!scene.recovery.may_sweep(port_of(b"ge-0/0/8"), prefix(9)), "it has said nothing of that one");
}

// Of a method by which some questions were answered and some refused, the answers are the last word.
#[test]
fn who_refuses_some_questions_and_has_nothing_for_the_others_is_done() {
    let mut scene = Scene::with(|terms| {
        terms.servers = vec![true];
        terms.methods = vec![Method::LinkAddress];
    });
    scene.answer_all(A, |query| match query.link.segments()[2] {
        7 => vec![empty(query.id)],
        _ => vec![refusal(query.id, NOT_CONFIGURED)],
    });
    assert!(matches!(scene.phase(A), Phase::Done { .. }), "{:?}", scene.phase(A));
    let port_of = |name: &[u8]| scene.ports.with_interface_id(name);
    assert!(scene.recovery.may_sweep(port_of(b"ge-0/0/7"), prefix(9)));
    assert!(!scene.recovery.may_sweep(port_of(b"ge-0/0/8"), prefix(9)));
}

// BLQ-R-04
#[test]
fn who_refuses_everything_is_asked_again_at_the_slowest_pace() {
    let mut scene = Scene::with(|terms| terms.servers = vec![true]);
    for method in [Method::RelayId, Method::LinkAddress, Method::RemoteId] {
        let summary = scene.answer(A, |query| vec![refusal(query.id, NOT_ALLOWED)]);
        assert_eq!(summary.method, method);
    }
    assert!(matches!(scene.phase(A), Phase::Refused { .. }));
    let State::Degraded { lacking, .. } = scene.recovery.state() else { panic!() };
    assert!(matches!(&lacking[0].1.why, Why::Refused(refusal) if refusal.code.0 == NOT_ALLOWED));
    assert!(scene.pause(A).unwrap() >= 60.0);
    assert_eq!(scene.connect(A).query().kind, 3, "from the beginning: it may have been changed");
}

// An Empty that was to be proved by another method is not proved by a refusal.
#[test]
fn the_last_word_decides() {
    let last = |by_relay: u16, by_link: u16| {
        let mut scene = Scene::with(|terms| {
            terms.servers = vec![true];
            terms.methods.pop();
        });
        for code in [by_relay, by_link] {
            scene.answer(A, |query| vec![if code == 0 { empty(query.id) } else { refusal(query.id, code) }]);
        }
        scene.recovery.completeness() == Completeness::Complete
    };
    assert!(last(0, 0) && last(NOT_ALLOWED, 0));
    assert!(!last(0, NOT_ALLOWED) && !last(NOT_ALLOWED, NOT_ALLOWED));
}

// INT-15, BLQ-R-24, LQ-R-25
#[test]
fn a_server_that_closes_after_a_few_answers_is_asked_the_rest_at_once() {
    let mut scene = Scene::with(|terms| terms.methods = vec![Method::LinkAddress]);
    scene.ports.update((1..=23).map(port).collect());
    let (began, mut asked) = (scene.now, 0);
    loop {
        let mut talk = scene.connect(A);
        let mut answers = 0;
        while !talk.attempt.is_over() {
            for query in talk.queries() {
                if answers < 5 {
                    answers += 1;
                    asked += 1;
                    scene.hear(&mut talk, &empty(query.id));
                }
            }
            if answers == 5 {
                talk.attempt.peer_closed();
            }
        }
        if matches!(scene.finish(talk).phase, Phase::Done { .. }) {
            break;
        }
        assert!(matches!(scene.recovery.state(), State::Recovering(_)), "that is no failure");
    }
    assert_eq!((asked, scene.now), (23, began), "each is answered once, and nobody has waited");
}

#[test]
fn only_a_few_questions_are_under_way_at_once() {
    let mut scene = Scene::with(|terms| terms.methods = vec![Method::LinkAddress]);
    scene.ports.update((1..=9).map(port).collect());
    let mut talk = scene.connect(A);
    let queries = talk.queries();
    assert_eq!(queries.len(), relay::limits::QUESTIONS_AT_ONCE);
    scene.hear(&mut talk, &empty(queries[2].id));
    assert_eq!(talk.query().link, address("2001:db8:5::1"));
}

// Asked by port, a server says nothing of other ports; those that come later are asked about then.
#[test]
fn a_port_that_comes_later_is_asked_about_alone() {
    let mut scene = Scene::with(|terms| {
        terms.servers = vec![true];
        terms.methods = vec![Method::LinkAddress];
    });
    let later = scene.ports.intern(b"ge-0/0/9").unwrap();
    scene.answer_all(A, |query| vec![empty(query.id)]);
    let known = scene.ports.with_interface_id(b"ge-0/0/7");
    assert!(scene.recovery.may_sweep(known, prefix(9)));
    assert!(!scene.recovery.may_sweep(Some(later), prefix(9)) && !scene.recovery.may_sweep(None, prefix(9)));

    scene.ports.update(vec![port(7), port(9)]);
    assert!(scene.recovery.ports_changed(&scene.ports, scene.now));
    assert!(!scene.recovery.may_sweep(Some(later), prefix(9)));
    let mut talk = scene.connect(A);
    let query = talk.query();
    assert_eq!(query.link, address("2001:db8:9::1"));
    scene.hear(&mut talk, &empty(query.id));
    scene.finish(talk);
    assert!(scene.recovery.may_sweep(Some(later), prefix(9)));
    assert!(!scene.recovery.ports_changed(&scene.ports, scene.now));
}

#[test]
fn without_ports_there_is_nothing_to_ask_and_nothing_to_conclude() {
    let mut scene = Scene::with(|terms| {
        terms.servers = vec![true];
        terms.methods = vec![Method::LinkAddress, Method::RemoteId];
    });
    scene.ports.update(vec![]);
    assert!(scene.pause(A).unwrap() >= 1.0);
    let State::Degraded { lacking, .. } = scene.recovery.state() else { panic!() };
    assert_eq!(lacking[0].1.why, Why::NothingToAsk);
    assert!(!scene.recovery.may_sweep(None, prefix(9)));

    scene.ports.update(vec![port(7)]);
    assert!(scene.recovery.ports_changed(&scene.ports, scene.now));
    assert_eq!(links(&mut scene.connect(A)), ["2001:db8:7::1"]);
}

// PDR-33: what a server tells of and cannot be placed is still delegated.
#[test]
fn what_cannot_be_placed_is_not_swept() {
    let mut scene = Scene::with(|terms| terms.servers = vec![true]);
    scene.answer(A, |query| {
        vec![reply(query.id, |w| client_data(w, 1, &[], |w| lease(w, 1))), done(query.id)]
    });
    assert!(scene.recovery.may_sweep(None, prefix(2)) && !scene.recovery.may_sweep(None, prefix(1)));
}
