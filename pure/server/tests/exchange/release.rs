//! Release: what a client gives back.

use lease::LeaseState;
use server::exchange::ChangeKind;
use wire::{MessageType, StatusCode};

use crate::kit::{Client, Site, WISHED, bound, pool, resource};

// DH-R-41, DH-R-43
#[test]
fn what_is_released_is_free_for_others() {
    let (mut server, mut client) = bound(Site::usual(), 0);
    let told = server.ask(client.release().na(1, &WISHED[..1]).pd(1, &WISHED[1..]));
    assert_eq!((told.message_type, told.status), (MessageType::Reply, Some(StatusCode::SUCCESS)));
    assert!(told.ias.is_empty());
    assert_eq!(told.codes(), [1, 2, 13]);
    assert!(told.answered.changes.iter().all(|change| change.kind == ChangeKind::Released));
    assert_eq!(server.held(&client), []);
    let given = server.bind(Client::new(2).request().na(1, &WISHED[..1]).pd(1, &WISHED[1..]));
    assert_eq!(given, WISHED.map(resource));
}

// DH-R-41: one of several.
#[test]
fn what_is_not_named_stays() {
    let mut server = Site::usual().open();
    let mut client = Client::new(1);
    server.bind(
        client.request().na(1, &["2001:db8:1::1:123", "2001:db8:1::1:124"]).na(2, &["2001:db8:1::1:125"]),
    );
    server.ask(client.release().na(1, &["2001:db8:1::1:124"]).na(2, &[]));
    assert_eq!(server.held(&client), ["2001:db8:1::1:123", "2001:db8:1::1:125"].map(resource));
}

// DH-R-42, DH-R-43
#[test]
fn what_belongs_to_others_is_not_released() {
    let (mut server, client) = bound(Site::usual(), 0);
    let mut thief = Client::new(2);
    let own = server.bind(thief.request().na(1, &[]).pd(1, &[]));
    let told = server.ask(thief.release().na(1, &WISHED[..1]).pd(1, &WISHED[1..]));
    assert_eq!((told.status, told.ias.len()), (Some(StatusCode::SUCCESS), 0));
    assert!(told.answered.changes.is_empty());
    assert_eq!(told.answered.ignored, WISHED.map(resource), "for the log");
    assert_eq!((server.held(&client), server.held(&thief)), (WISHED.map(resource).to_vec(), own));
    // Nor what is the client's own in another association.
    let mut server = Site::usual().open();
    let mut client = Client::new(1);
    let held = server.bind(client.request().na(1, &WISHED[..1]).na(2, &[]));
    server.ask(client.release().na(2, &WISHED[..1]));
    assert_eq!(server.held(&client), held);
}

// DH-R-43, DH-R-44
#[test]
fn an_association_that_is_not_known_has_no_binding() {
    let (mut server, mut client) = bound(Site::usual(), 0);
    let told = server.ask(client.release().na(99, &WISHED[..1]).pd(98, &[]).na(1, &WISHED[..1]));
    assert_eq!((told.status, told.ias.len()), (Some(StatusCode::SUCCESS), 2));
    for ia in [told.na(99), told.pd(98)] {
        assert_eq!((ia.status, ia.leases.len()), (Some(StatusCode::NO_BINDING), 0));
        assert_eq!((ia.t1_secs, ia.t2_secs), (0, 0));
    }
    assert_eq!(server.held(&client), [resource(WISHED[1])]);
    let told = server.ask(client.release().na(1, &WISHED[..1]));
    assert_eq!(told.na(1).status, Some(StatusCode::NO_BINDING), "released before");
}

// DH-R-45
#[test]
fn the_same_client_gets_the_same_again() {
    let (mut server, mut client) = bound(Site::usual(), 0);
    server.ask(client.release().na(1, &WISHED[..1]).pd(1, &WISHED[1..]));
    assert_eq!(server.in_state(&client, LeaseState::Released), WISHED.map(resource));
    server.pass(3 * 86_400);
    for number in 2..50 {
        server.bind(Client::new(number).request().na(1, &[]).pd(1, &[]));
    }
    // Unless somebody has been given just that, but nobody here has asked for it.
    assert_eq!(server.bind(client.request().na(1, &[]).pd(1, &[])), WISHED.map(resource));
}

// DH-R-45
#[test]
fn what_is_only_remembered_is_not_kept_from_anybody() {
    let mut server = Site::usual()
        .but(|site| site.link(1).address_pools = vec![pool("2001:db8:1::7", "2001:db8:1::7")])
        .open();
    let (mut first, mut second) = (Client::new(1), Client::new(2));
    let only = server.bind(first.request().na(1, &[]));
    server.ask(first.release().na(1, &["2001:db8:1::7"]));
    assert_eq!(server.bind(second.request().na(1, &[])), only);
    let told = server.ask(first.request().na(1, &[]));
    assert_eq!(told.na(1).status, Some(StatusCode::NO_ADDRS_AVAIL));
    assert_eq!(server.held(&second), only);
}

#[test]
fn without_a_memory_nothing_is_left_of_a_client() {
    let mut server = Site::usual().but(|site| site.rules.remember_secs = 0).open();
    let mut client = Client::new(1);
    let held = server.bind(client.request().na(1, &[]));
    server.ask(client.release().na(1, &[&held[0].to_string()]));
    assert!(server.holdings.table.is_empty());
}

#[test]
fn the_operator_can_release_what_a_client_will_not() {
    let (mut server, client) = bound(Site::usual(), 0);
    let key = lease::ClientKey { link: lease::LinkId(1), duid: client.duid.clone() };
    let now = server.now();
    let only_prefixes = |lease: &lease::Lease| lease.resource.prefix().is_some();
    let ended = server.exchanges.release(key, &mut server.holdings, now, only_prefixes).unwrap();
    assert_eq!(ended.changes.len(), 1);
    assert_eq!(server.held(&client), [resource(WISHED[0])]);
    assert_eq!(server.bind(Client::new(2).request().pd(1, &WISHED[1..])), [resource(WISHED[1])]);
}
