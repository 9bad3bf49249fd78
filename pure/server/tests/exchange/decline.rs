//! Decline: addresses that somebody else uses already.

use lease::LeaseState;
use server::exchange::ChangeKind;
use wire::{MessageType, StatusCode};

use crate::kit::{Client, Site, WISHED, bound, pool, resource};

// DH-R-47, DH-R-51
#[test]
fn a_declined_address_is_not_the_clients_any_more() {
    let (mut server, mut client) = bound(Site::usual(), 0);
    let told = server.ask(client.decline().na(1, &WISHED[..1]));
    assert_eq!((told.message_type, told.status), (MessageType::Reply, Some(StatusCode::SUCCESS)));
    assert_eq!(told.codes(), [1, 2, 13]);
    assert_eq!(server.held(&client), [resource(WISHED[1])]);
    let told = server.ask(client.renew().na(1, &WISHED[..1]));
    assert_eq!(told.na(1).lifetimes(resource(WISHED[0])), Some((0, 0)));
    assert!(!told.na(1).resources().is_empty());
}

// DH-R-48, DH-R-49, DH-L-10
#[test]
fn a_declined_address_rests() {
    let mut server = Site::usual()
        .but(|site| {
            site.link(1).address_pools = vec![pool("2001:db8:1::7", "2001:db8:1::7")];
            site.rules.decline_rest_secs = 5000;
        })
        .open();
    let (mut first, mut second) = (Client::new(1), Client::new(2));
    server.bind(first.request().na(1, &[]));
    let told = server.ask(first.decline().na(1, &["2001:db8:1::7"]));
    assert_eq!(told.answered.changes[0].kind, ChangeKind::Declined);
    server.pass(4999);
    for client in [&mut first, &mut second] {
        let told = server.ask(client.request().na(1, &["2001:db8:1::7"]));
        assert_eq!(told.na(1).status, Some(StatusCode::NO_ADDRS_AVAIL));
    }
    let ended = server.pass(1);
    assert_eq!(ended[0].changes[0].kind, ChangeKind::Forgotten);
    assert_eq!(server.bind(second.request().na(1, &[])), [resource("2001:db8:1::7")]);
}

// DH-R-50, DH-R-51
#[test]
fn what_is_not_the_clients_cannot_be_declined() {
    let (mut server, client) = bound(Site::usual(), 0);
    let mut other = Client::new(2);
    let own = server.bind(other.request().na(1, &[]));
    let told = server.ask(other.decline().na(1, &[WISHED[0], "2001:db8:1::1:1ff"]).na(99, &WISHED[..1]));
    assert_eq!((told.status, told.ias.len()), (Some(StatusCode::SUCCESS), 1));
    assert_eq!((told.na(99).status, told.na(99).leases.len()), (Some(StatusCode::NO_BINDING), 0));
    assert!(told.answered.changes.is_empty());
    assert_eq!(
        told.answered.ignored,
        ["2001:db8:1::1:123", "2001:db8:1::1:1ff", "2001:db8:1::1:123"].map(resource)
    );
    assert_eq!((server.held(&client), server.held(&other)), (WISHED.map(resource).to_vec(), own));
    server.bind(Client::new(3).request().na(1, &["2001:db8:1::1:1ff"]));
}

// DH-R-52
#[test]
fn prefixes_are_not_declined() {
    let (mut server, mut client) = bound(Site::usual(), 0);
    let told = server.ask(client.decline().pd(1, &WISHED[1..]).pd(9, &[]).na(1, &WISHED[..1]));
    assert_eq!((told.status, told.ias.len()), (Some(StatusCode::SUCCESS), 0));
    assert_eq!(server.held(&client), [resource(WISHED[1])]);
    assert_eq!(server.in_state(&client, LeaseState::Declined), [resource(WISHED[0])]);
}
