//! Request: leases become a client's.

use lease::LeaseState;
use server::exchange::ChangeKind;
use wire::{MessageType, StatusCode};

use crate::kit::{Client, Server, Site, pool, resource};

fn server() -> Server {
    Site::usual().open()
}

// DH-R-01, DH-R-02, DH-R-07, DH-T-08: and of the Reply, all that every answer must have.
#[test]
fn what_is_told_is_what_is_held() {
    let mut server = server();
    let mut client = Client::new(1);
    let offered = server.ask(client.solicit().na(1, &[]).pd(1, &[])).resources();
    let told =
        server.ask(client.request().na(1, &[&offered[0].to_string()]).pd(1, &[&offered[1].to_string()]));
    assert_eq!(told.message_type, MessageType::Reply);
    assert_eq!(told.resources(), offered);
    assert_eq!(server.held(&client), offered);
    let lifetimes =
        told.ias.iter().flat_map(|ia| &ia.leases).map(|lease| (lease.preferred_secs, lease.valid_secs));
    assert!(lifetimes.eq([(3600, 7200), (3600, 7200)]));
    let changes: Vec<_> = told.answered.changes.iter().map(|change| (change.kind, change.resource)).collect();
    assert_eq!(changes, offered.iter().map(|it| (ChangeKind::Granted, *it)).collect::<Vec<_>>());
    assert_eq!(server.holdings.table.take_batch().len(), 1);
}

// DH-R-01, DH-T-08
#[test]
fn the_answer_to_every_type_of_message_is_for_the_one_who_asked() {
    let mut server = Site::usual().but(|site| site.terms(1).rapid_commit = true).open();
    let mut client = Client::new(1);
    for message_type in [
        MessageType::Solicit,
        MessageType::Request,
        MessageType::Confirm,
        MessageType::Renew,
        MessageType::Rebind,
        MessageType::Release,
        MessageType::Request,
        MessageType::Decline,
        MessageType::InformationRequest,
    ] {
        let draft = client.message(message_type);
        let question = match message_type {
            MessageType::InformationRequest => draft,
            _ => draft.na(1, &["2001:db8:1::1:123"]),
        };
        let told = server.ask(question.clone());
        assert!(client.takes(&question, &told.octets), "{message_type}");
    }
}

// DH-L-21: whoever sends the answers holds those that speak of bindings until these are durable.
#[test]
fn every_answer_says_whether_it_speaks_of_bindings() {
    let mut server = Site::usual().but(|site| site.terms(1).rapid_commit = true).open();
    let mut client = Client::new(1);
    let mut speaks = |draft: crate::kit::Draft| server.ask(draft).answered.speaks_of_bindings;
    let wished = ["2001:db8:1::1:123"];
    assert!(!speaks(client.solicit().na(1, &wished)), "an Advertise only offers");
    assert!(speaks(client.solicit().rapid_commit().na(1, &wished)));
    for message_type in [
        MessageType::Request,
        MessageType::Renew,
        MessageType::Rebind,
        MessageType::Release,
        MessageType::Request,
        MessageType::Decline,
    ] {
        assert!(speaks(client.message(message_type).na(1, &wished)), "{message_type}");
    }
    assert!(!speaks(client.confirm().na(1, &wished)));
    assert!(!speaks(client.information()));
}

// DH-R-03
#[test]
fn an_address_of_another_link_is_refused_inside_its_association() {
    let mut server = server();
    let mut client = Client::new(1);
    let told =
        server.ask(client.request().na(1, &["2001:db8:1::1:123", "2001:db8:2::1:123"]).na(2, &[]).pd(1, &[]));
    assert_eq!(told.status, None);
    assert_eq!(told.na(1).status, Some(StatusCode::NOT_ON_LINK));
    assert!(told.na(1).leases.is_empty());
    assert_eq!((told.na(2).leases.len(), told.pd(1).leases.len()), (1, 1));
    assert_eq!(server.held(&client), told.resources());
}

// DH-R-04: on a link without prefixes it is not known what is foreign.
#[test]
fn where_no_addresses_are_configured_there_are_none_to_be_had() {
    let mut server = Site::usual()
        .but(|site| {
            site.link(1).prefixes.clear();
            site.link(1).address_pools.clear();
        })
        .open();
    let told = server.ask(Client::new(1).request().na(1, &["2001:db8:1::1:123"]));
    assert_eq!(told.na(1).status, Some(StatusCode::NO_ADDRS_AVAIL));
}

// DH-R-04, DH-R-05
#[test]
fn what_is_exhausted_is_said_in_its_association() {
    let mut server = Site::usual()
        .but(|site| {
            site.link(1).address_pools = vec![pool("2001:db8:1::7", "2001:db8:1::7")];
            site.link(1).delegation_pools = vec![crate::kit::shared("2001:db8:f000::/56", 56)];
        })
        .open();
    server.bind(Client::new(1).request().na(1, &[]).pd(1, &[]));
    let mut client = Client::new(2);
    let told = server.ask(client.request().na(1, &["2001:db8:1::7"]).pd(1, &["2001:db8:f000::/56"]));
    assert_eq!(
        (told.na(1).status, told.pd(1).status),
        (Some(StatusCode::NO_ADDRS_AVAIL), Some(StatusCode::NO_PREFIX_AVAIL))
    );
    assert!(told.ias.iter().all(|ia| ia.leases.is_empty()));
    assert!(server.client(&client, 1).is_none());
}

// DH-R-06
#[test]
fn instead_of_what_is_taken_there_is_something_else() {
    let mut server = server();
    let taken = server
        .bind(Client::new(1).request().na(1, &["2001:db8:1::1:123"]).pd(1, &["2001:db8:f000:700::/56"]));
    let other = server
        .bind(Client::new(2).request().na(1, &["2001:db8:1::1:123"]).pd(1, &["2001:db8:f000:700::/56"]));
    assert_eq!(other.len(), 2);
    assert!(other.iter().all(|resource| !taken.contains(resource)));
}

// DH-R-09, DH-R-10, DH-R-11
#[test]
fn a_request_sent_again_is_answered_anew() {
    let mut server = server();
    let mut client = Client::new(1);
    let request = client.request().na(1, &[]);
    let first = server.ask(request.clone());
    server.wait(5);
    let again = server.ask(request.clone());
    assert_eq!(again.ias, first.ias);
    assert_eq!(again.answered.changes[0].kind, ChangeKind::Extended);
    assert_eq!(server.held(&client), first.resources());
    assert_eq!(server.remaining_secs(&client), 7200);
    // A stored answer would still tell of the address.
    server.ask(client.decline().na(1, &[&first.resources()[0].to_string()]));
    let after = server.ask(request);
    assert_ne!(after.resources(), first.resources());
    assert_eq!(server.in_state(&client, LeaseState::Declined), first.resources());
}

#[test]
fn a_client_may_name_several_leases_in_one_association() {
    let mut server = server();
    let mut client = Client::new(1);
    let wished = ["2001:db8:1::1:123", "2001:db8:1::1:124"];
    let given = server.bind(client.request().na(1, &wished));
    assert_eq!(given, wished.map(resource));
    // All of them are extended, whichever it names.
    server.wait(1000);
    let told = server.ask(client.renew().na(1, &wished[..1]));
    assert_eq!(told.resources(), given);
}

#[test]
fn two_associations_never_share_a_lease() {
    let mut server = server();
    let mut client = Client::new(1);
    let wished = ["2001:db8:1::1:123"];
    let given = server.bind(client.request().na(1, &wished).na(2, &wished));
    assert_ne!(given[0], given[1]);
    // What was one's and is free again is the other's, if it asks for it, and then only its.
    server.ask(client.release().na(1, &wished));
    server.ask(client.release().na(2, &[&given[1].to_string()]));
    assert_eq!(server.bind(client.request().na(2, &wished)), wished.map(resource));
    let view = server.client(&client, 1).unwrap();
    let bound: Vec<_> = view.leases().filter(|held| held.lease.resource == resource(wished[0])).collect();
    assert_eq!((bound.len(), bound[0].iaid.0), (1, 2));
}
