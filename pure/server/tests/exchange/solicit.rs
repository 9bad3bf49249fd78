//! Solicit and Advertise, and the Reply to a Solicit with Rapid Commit.

use server::exchange::ChangeKind;
use wire::{MessageType, OptionCode, StatusCode};

use crate::kit::{Client, Server, Site, pool, resource};

fn server() -> Server {
    Site::usual().open()
}

// DH-S-02, DH-S-05, DH-S-13
#[test]
fn every_association_of_a_solicit_is_advertised_filled() {
    let mut client = Client::new(1);
    let told = server().ask(client.solicit().na(1, &[]).na(2, &[]).pd(1, &[]));
    assert_eq!(told.message_type, MessageType::Advertise);
    assert_eq!(told.ias.len(), 3);
    let mut given = told.resources();
    given.dedup();
    assert_eq!(given.len(), 3);
    assert!(told.ias.iter().all(|ia| ia.leases.len() == 1 && ia.status.is_none()), "{told:?}");
    assert_eq!(told.answered.client, Some(client.duid));
}

// DH-S-02, DH-S-03, DH-S-04
#[test]
fn a_reply_comes_at_once_only_if_both_sides_want_it() {
    for (asked, configured) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut server = Site::usual().but(|site| site.terms(1).rapid_commit = configured).open();
        let mut client = Client::new(1);
        let solicit = client.solicit().na(1, &[]);
        let told = server.ask(if asked { solicit.rapid_commit() } else { solicit });
        let both = asked && configured;
        let expected = if both { MessageType::Reply } else { MessageType::Advertise };
        assert_eq!(told.message_type, expected);
        assert_eq!(told.has(OptionCode::RAPID_COMMIT), both);
        assert_eq!(server.held(&client), if both { told.resources() } else { vec![] });
        let changes: Vec<_> = told.answered.changes.iter().map(|change| change.kind).collect();
        assert_eq!(changes, if both { vec![ChangeKind::Granted] } else { vec![] });
    }
}

// DH-S-03: what is not to be had does not keep what is from being committed.
#[test]
fn a_rapid_reply_says_what_is_missing() {
    let site = || Site::usual().but(|site| site.terms(1).rapid_commit = true);
    let mut server = site().but(|site| site.link(1).address_pools.clear()).open();
    let mut client = Client::new(1);
    let told = server.ask(client.solicit().rapid_commit().na(1, &[]).pd(1, &[]));
    assert_eq!(told.message_type, MessageType::Reply);
    assert_eq!(told.na(1).status, Some(StatusCode::NO_ADDRS_AVAIL));
    assert_eq!(server.held(&client), told.pd(1).resources());

    let told = server.ask(Client::new(2).solicit().rapid_commit().na(1, &[]));
    assert_eq!(told.message_type, MessageType::Advertise);
    assert!(!told.has(OptionCode::RAPID_COMMIT));
}

// DH-S-14
#[test]
fn a_hint_that_is_free_is_offered() {
    let told = server()
        .ask(Client::new(1).solicit().na(1, &["2001:db8:1::1:123"]).pd(1, &["2001:db8:f000:700::/56"]));
    assert_eq!(told.resources(), [resource("2001:db8:1::1:123"), resource("2001:db8:f000:700::/56")]);
}

// DH-S-15
#[test]
fn a_hint_that_cannot_be_had_is_not_mentioned() {
    let mut server = server();
    server.bind(Client::new(1).request().na(1, &["2001:db8:1::1:123"]).pd(1, &["2001:db8:f000:700::/56"]));
    for hints in [
        ["2001:db8:1::1:123", "2001:db8:f000:700::/56"],
        // In no pool.
        ["2001:db8:1::5", "2001:db8:f000:7000::/60"],
        ["2001:db8:bad::5", "2001:db8:bad::/56"],
        // A part of what is taken, or around it.
        ["2001:db8:1::1:123", "2001:db8:f000:780::/57"],
        ["2001:db8:1::1:123", "2001:db8:f000:600::/55"],
    ] {
        let told = server.ask(Client::new(2).solicit().na(1, &hints[..1]).pd(1, &hints[1..]));
        assert_eq!((told.na(1).leases.len(), told.pd(1).leases.len()), (1, 1));
        for hint in hints {
            assert!(!told.resources().contains(&resource(hint)), "{hint}");
        }
    }
}

// DH-S-16, DH-S-17
#[test]
fn what_is_exhausted_is_said_in_its_association() {
    let mut server = Site::usual().but(|site| site.link(1).address_pools.clear()).open();
    let told = server.ask(Client::new(1).solicit().na(1, &[]).pd(1, &[]));
    assert_eq!((told.status, told.na(1).status), (None, Some(StatusCode::NO_ADDRS_AVAIL)));
    assert!(told.na(1).leases.is_empty());
    assert_eq!((told.pd(1).status, told.pd(1).leases.len()), (None, 1));

    let mut server = Site::usual().but(|site| site.link(1).delegation_pools.clear()).open();
    let told = server.ask(Client::new(1).solicit().na(1, &[]).pd(1, &[]));
    assert_eq!((told.status, told.pd(1).status), (None, Some(StatusCode::NO_PREFIX_AVAIL)));
    assert!(told.pd(1).leases.is_empty());
    assert_eq!((told.na(1).status, told.na(1).leases.len()), (None, 1));
}

// DH-S-19
#[test]
fn ten_thousand_solicits_leave_nothing_behind() {
    let mut server = server();
    for number in 0..10_000 {
        server.ask(Client::new(number).solicit().na(1, &[]).pd(1, &[]));
    }
    assert!(server.holdings.table.is_empty());
    assert_eq!(server.holdings.table.take_batch(), []);
    // And when the offers are forgotten, all is there again.
    server.wait(31);
    server.bind(Client::new(20_000).request().na(1, &["2001:db8:1::1:123"]));
}

// DH-S-19, DH-L-10
#[test]
fn an_offer_is_kept_for_a_short_while_and_for_one_client() {
    let one = || {
        Site::usual().but(|site| site.link(1).address_pools = vec![pool("2001:db8:1::7", "2001:db8:1::7")])
    };
    let mut server = one().open();
    let (mut first, mut second) = (Client::new(1), Client::new(2));
    assert_eq!(server.ask(first.solicit().na(1, &[])).resources(), [resource("2001:db8:1::7")]);
    let status =
        |server: &mut Server, client: &mut Client| server.ask(client.request().na(1, &[])).na(1).status;
    server.wait(29);
    assert_eq!(status(&mut server, &mut second), Some(StatusCode::NO_ADDRS_AVAIL));
    server.wait(1);
    assert_eq!(status(&mut server, &mut second), None);
    assert_eq!(status(&mut server, &mut first), Some(StatusCode::NO_ADDRS_AVAIL));
}

// DH-L-10
#[test]
fn two_clients_that_solicit_together_get_different_leases() {
    let mut server = server();
    let (mut first, mut second) = (Client::new(1), Client::new(2));
    let hint = ["2001:db8:1::1:123"];
    let offered =
        [&mut first, &mut second].map(|client| server.ask(client.solicit().na(1, &hint)).resources()[0]);
    assert_ne!(offered[0], offered[1]);
    let given = server.bind(second.request().na(1, &[&offered[1].to_string()]));
    assert_eq!(given, [offered[1]]);
    let given = server.bind(first.request().na(1, &[&offered[0].to_string()]));
    assert_eq!(given, [offered[0]]);
}

#[test]
fn a_client_that_has_leases_is_advertised_what_it_has() {
    let mut server = server();
    let mut client = Client::new(1);
    let held = server.bind(client.request().na(1, &["2001:db8:1::1:123"]).pd(1, &[]));
    server.wait(600);
    let told = server.ask(client.solicit().na(1, &["2001:db8:1::1:124"]).pd(1, &["::/60"]));
    assert_eq!(told.resources(), held);
    assert_eq!(server.remaining_secs(&client), 6600);
}
