//! Where clients are that a server tells of.

use proptest::prelude::*;
use relay::recovery::{NoPlace, Territory};
use relay::{Delegation, Moment, Teller};
use requestor::Lifetime;
use wire::{IaKind, MessageType};

use super::kit::*;

/// A vector as an answer to this query.
fn vector(name: &str, query: &Query) -> Vec<u8> {
    let mut octets = crate::vectors::vector(name);
    octets[3..6].copy_from_slice(&query.id.octets());
    octets
}

/// What is learnt of a client with one lease that was heard along this path.
fn place(scene: &mut Scene, path: &[Hop]) -> Result<Delegation, NoPlace> {
    scene.learnt.clear();
    scene.recovery.refresh(scene.now);
    scene.answer(A, |query| {
        vec![reply(query.id, |w| client_data(w, 1, path, |w| lease(w, 1))), done(query.id)]
    });
    match (scene.learnt.pop(), scene.unplaced().first()) {
        (Some(delegation), None) => Ok(delegation),
        (None, Some(unplaced)) => Err(unplaced.why),
        other => panic!("{other:?}"),
    }
}

/// Interface-ID of the port, and next hop.
fn placed(path: &[Hop]) -> Result<(String, String), NoPlace> {
    let mut scene = Scene::usual();
    let delegation = place(&mut scene, path)?;
    let interface_id = scene.ports.interface_id(delegation.port).to_vec();
    Ok((String::from_utf8(interface_id).unwrap(), delegation.next_hop.to_string()))
}

fn at(interface_id: &str, next_hop: &str) -> Result<(String, String), NoPlace> {
    Ok((interface_id.into(), next_hop.into()))
}

// PDR-33, BLQ-R-29
#[test]
fn the_interface_and_the_next_hop_come_out_of_the_relay_data() {
    let mut scene = Scene::usual();
    scene.answer(A, |query| vec![vector("V2", query), vector("V3", query), done(query.id)]);
    let expected = Delegation {
        prefix: "2001:db8:f000:200::/56".parse().unwrap(),
        kind: IaKind::Prefix,
        client: "00:03:00:01:02:00:00:00:01:02".parse().unwrap(),
        iaid: None,
        port: scene.ports.with_interface_id(b"ge-0/0/7").unwrap(),
        next_hop: address("fe80::200:ff:fe00:102"),
        preferred: Lifetime::Until(scene.now),
        valid: Lifetime::Until(scene.now + secs(300)),
        heard: Moment::before(scene.now, secs(3300 + 1)),
        told_by: Teller::Server(A),
    };
    assert_eq!(scene.learnt, [expected]);
    let unplaced = scene.unplaced();
    assert_eq!(unplaced.len(), 1);
    assert_eq!(unplaced[0].prefix.to_string(), "2001:db8:f000:100::/56");
    assert_eq!((unplaced[0].why, unplaced[0].server), (NoPlace::NoRelayData, A));
    let tally = scene.recovery.progress().tally;
    assert_eq!((tally.clients, tally.leases, tally.unplaced, tally.outside), (2, 3, 1, 1));
}

// PDR-33: between other relays' hops, ours is the one that counts, and the innermost if the message came
// by twice.
#[test]
fn of_several_relays_ours_says_where_the_client_is() {
    let towards_server = || Hop {
        link: "2001:db8:8::1",
        peer: "2001:db8:8::2",
        interface_id: "ge-0/0/8",
        relay_id: Some(other_duid()),
    };
    let behind_us = || Hop { link: "::", peer: "fe80::d", interface_id: "port 3", relay_id: None };
    assert_eq!(placed(&[towards_server(), own_hop()]), at("ge-0/0/7", "fe80::c"));
    assert_eq!(placed(&[towards_server(), own_hop(), behind_us()]), at("ge-0/0/7", "fe80::c"));
    let outer = Hop { interface_id: "ge-0/0/8", peer: "2001:db8:8::3", ..own_hop() };
    assert_eq!(placed(&[outer, own_hop()]), at("ge-0/0/7", "fe80::c"));
}

// PDR-33
#[test]
fn without_our_relay_id_a_link_address_of_ours_tells_the_port() {
    let without = |hop: Hop| placed(&[Hop { relay_id: None, ..hop }]);
    assert_eq!(without(own_hop()), at("ge-0/0/7", "fe80::c"));
    assert_eq!(without(Hop { interface_id: "", ..own_hop() }), at("ge-0/0/7", "fe80::c"));
    let replaced = Hop { relay_id: Some(other_duid()), ..own_hop() };
    assert_eq!(placed(&[replaced]), at("ge-0/0/7", "fe80::c"), "another relay had the address before us");
    let otherwise = Hop { interface_id: "ge-0/0/8", ..own_hop() };
    assert_eq!(without(otherwise), Err(NoPlace::NotOurs), "Interface-ID and link contradict each other");
    let forged = Hop { link: "2001:db8:8::1", peer: "fe80::bad", interface_id: "ge-0/0/8", relay_id: None };
    let behind = placed(&[Hop { relay_id: None, ..own_hop() }, forged]);
    assert_eq!(behind, at("ge-0/0/7", "fe80::c"), "a customer plays the relay that we are");
    let strange = Hop { interface_id: "ge-0/0/9", ..own_hop() };
    assert_eq!(without(strange), Err(NoPlace::NotOurs));
    for link in ["::", "fe80::1", "2001:db8:9::1"] {
        assert_eq!(without(Hop { link, ..own_hop() }), Err(NoPlace::NotOurs), "{link}");
    }
}

// PDR-33: our own hop, and yet nothing is guessed.
#[test]
fn our_hop_may_lack_what_places_a_client() {
    let unnamed = || Hop { interface_id: "", ..own_hop() };
    assert_eq!(placed(&[unnamed()]), at("ge-0/0/7", "fe80::c"));
    for link in ["::", "fe80::1", "2001:db8:9::1"] {
        assert_eq!(placed(&[Hop { link, ..unnamed() }]), Err(NoPlace::NoPort), "{link}");
    }
    for peer in ["::", "::1", "ff02::1:2"] {
        assert_eq!(placed(&[Hop { peer, ..own_hop() }]), Err(NoPlace::NoNextHop), "{peer}");
    }
    let longest = Box::leak("x".repeat(relay::limits::MAX_IDENTIFIER_OCTETS).into_boxed_str());
    assert_eq!(placed(&[Hop { interface_id: longest, ..own_hop() }]), at(longest, "fe80::c"));
    let long = Box::leak("x".repeat(relay::limits::MAX_IDENTIFIER_OCTETS + 1).into_boxed_str());
    assert_eq!(placed(&[Hop { interface_id: long, ..own_hop() }]), Err(NoPlace::NoPort));
    assert_eq!(placed(&[]), Err(NoPlace::NoRelayData));
}

// REL-32, PDR-33
#[test]
fn an_interface_that_is_yet_to_come_has_its_port_already() {
    let mut scene = Scene::usual();
    let hop = Hop { interface_id: "ppp7", link: "::", ..own_hop() };
    let port = place(&mut scene, &[hop]).unwrap().port;
    assert_eq!(scene.ports.present(port), None);
    scene.ports.update(vec![relay::Port { interface_id: b"ppp7"[..].into(), ..super::kit::port(7) }]);
    assert_eq!(scene.ports.present(port).map(|port| port.index), Some(7));
}

// LQ-R-25
#[test]
fn what_lies_outside_the_relays_networks_is_not_taken() {
    let told = |territory: Territory| {
        let mut scene = Scene::with(|terms| terms.territory = territory);
        scene.answer(A, |query| {
            let leases = |w: &mut wire::Writer<'_>| {
                w.ia_address(address("2001:db8:7::100"), 10, 20);
                lease(w, 1);
                lease(w, 2);
            };
            vec![reply(query.id, |w| client_data(w, 1, &[own_hop()], leases)), done(query.id)]
        });
        let outside = scene.recovery.progress().tally.outside;
        (scene.prefixes().join(" "), outside)
    };
    let all = Territory::default();
    assert_eq!(told(all.clone()), ("3fff:1::/48 3fff:2::/48".into(), 1));
    assert_eq!(told(Territory { prefixes: vec![prefix(2)], ..all.clone() }), ("3fff:2::/48".into(), 2));
    let addresses = Some(vec!["2001:db8:7::/64".parse().unwrap()]);
    let both = Territory { prefixes: vec![prefix(1)], addresses };
    assert_eq!(told(both), ("2001:db8:7::100/128 3fff:1::/48".into(), 1));
    assert_eq!(told(Territory { addresses: Some(vec![]), ..all }).1, 0);
}

// PDR-34: an age that is cut to seconds, or not known, never makes an answer newer than it is.
#[test]
fn an_answer_is_as_old_as_it_can_be() {
    let mut scene = Scene::usual();
    let delegation = place(&mut scene, &[own_hop()]).unwrap();
    assert_eq!(delegation.heard, Moment::before(scene.now, secs(11)));
    scene.recovery.refresh(scene.now);
    scene.answer(A, |query| {
        let dated = reply(query.id, |w| {
            client_data_of_age(w, 1_700_000_000, 1, &[own_hop()], |w| lease(w, 1));
        });
        vec![dated, done(query.id)]
    });
    assert_eq!(scene.learnt[0].heard, Moment::UNKNOWN);
}

#[test]
fn the_list_of_what_cannot_be_placed_has_an_end() {
    const TOO_MANY: u16 = relay::limits::MAX_UNPLACED as u16 + 5;
    let mut scene = Scene::with(|terms| terms.servers = vec![true]);
    scene.answer(A, |query| {
        let mut answer = vec![first(query.id, 0)];
        answer.extend((1..=TOO_MANY).map(|number| {
            message(MessageType::LeaseQueryData, query.id, |w| {
                client_data(w, number, &[], |w| lease(w, number));
            })
        }));
        answer.push(done(query.id));
        answer
    });
    assert_eq!(scene.unplaced().len(), relay::limits::MAX_UNPLACED);
    assert_eq!(scene.recovery.progress().tally.unplaced, u64::from(TOO_MANY));
    // What the list had no room for might be any prefix.
    assert!(!scene.recovery.may_sweep(None, prefix(0xffff)));

    // It is made anew when the server is asked again.
    scene.recovery.refresh(scene.now);
    scene.answer(A, |query| vec![first(query.id, 1), done(query.id)]);
    assert_eq!(scene.unplaced().len(), 0);
    assert!(scene.recovery.may_sweep(None, prefix(0xffff)));
}

fn any_hop() -> impl Strategy<Value = Hop> {
    let links =
        prop::sample::select(vec!["::", "fe80::1", "2001:db8:7::1", "2001:db8:8::1", "2001:db8:9::1"]);
    let peers = prop::sample::select(vec!["fe80::a", "fe80::b", "2001:db8:8::2", "::"]);
    let names = prop::sample::select(vec!["", "ge-0/0/7", "ge-0/0/8", "ppp0"]);
    let duids = prop::sample::select(vec![None, Some(own_duid()), Some(other_duid())]);
    (links, peers, names, duids).prop_map(|(link, peer, interface_id, relay_id)| Hop {
        link,
        peer,
        interface_id,
        relay_id,
    })
}

proptest! {
    // PDR-33: whatever relays have written, next hop and port are what one hop says, and that is our
    // own if there is one.
    #[test]
    fn next_hop_and_port_are_of_one_hop(path in prop::collection::vec(any_hop(), 1..5)) {
        let placed = placed(&path);
        let own = path.iter().rfind(|hop| hop.relay_id == Some(own_duid()));
        let says = |hop: &Hop, interface_id: &str, next_hop: &str| {
            let named = [interface_id, ""].contains(&hop.interface_id);
            let on_its_link = hop.link == format!("2001:db8:{}::1", &interface_id[interface_id.len() - 1..]);
            hop.peer == next_hop && named && (on_its_link || hop.interface_id == interface_id)
        };
        if let Ok((interface_id, next_hop)) = placed {
            let found = match own {
                Some(own) => says(own, &interface_id, &next_hop),
                None => path.iter().any(|hop| says(hop, &interface_id, &next_hop)),
            };
            prop_assert!(found, "{interface_id} {next_hop}");
        } else if let Some(own) = own {
            prop_assert!(own.interface_id.is_empty() || own.peer == "::");
        }
    }
}
