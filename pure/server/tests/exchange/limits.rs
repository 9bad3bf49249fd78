//! What a client can make large, and how large it becomes.

use server::Discard;
use server::limits::{MAX_DECLINED_PER_CLIENT, MAX_REMEMBERED_PER_CLIENT};
use wire::{MessageType, StatusCode};

use crate::kit::{Client, Draft, Relay, Site, resource};

#[test]
fn one_client_holds_only_so_many_leases() {
    let mut server = Site::usual().but(|site| site.rules.max_leases_per_client = 3).open();
    let mut client = Client::new(1);
    let told = server.ask(client.request().na(1, &[]).na(2, &[]).pd(1, &[]).pd(2, &[]));
    assert_eq!(told.resources().len(), 3);
    assert_eq!(told.pd(2).status, Some(StatusCode::NO_PREFIX_AVAIL));
    let held = server.held(&client);
    assert_eq!(
        server.ask(client.renew().na(1, &[]).na(3, &[])).na(3).status,
        Some(StatusCode::NO_ADDRS_AVAIL)
    );
    server.ask(client.release().na(1, &[&held[0].to_string()]));
    server.bind(client.request().pd(2, &[]));
}

#[test]
fn one_port_holds_only_so_many_leases() {
    let mut server = Site::usual().but(|site| site.rules.max_leases_per_remote_id = Some(2)).open();
    let (port, other) =
        (Relay::at("2001:db8:1::1").remote_id("port 7"), Relay::at("2001:db8:1::1").remote_id("port 8"));
    for number in 1..=2 {
        server.bind(Client::new(number).request().na(1, &[]).through(&[&port]));
    }
    let told = server.ask(Client::new(3).request().na(1, &[]).through(&[&port]));
    assert_eq!(told.na(1).status, Some(StatusCode::NO_ADDRS_AVAIL));
    server.bind(Client::new(3).request().na(1, &[]).through(&[&other]));
    server.pass(8000);
    server.bind(Client::new(4).request().na(1, &[]).through(&[&port]));
}

#[test]
fn one_client_cannot_decline_a_pool_away() {
    let mut server = Site::usual().open();
    let mut client = Client::new(1);
    for _ in 0..MAX_DECLINED_PER_CLIENT {
        let held = server.bind(client.request().na(1, &[]));
        server.ask(client.decline().na(1, &[&held[0].to_string()]));
    }
    let told = server.ask(client.request().na(1, &[]));
    assert_eq!(told.na(1).status, Some(StatusCode::NO_ADDRS_AVAIL));
    server.bind(Client::new(2).request().na(1, &[]));
    server.pass(86_400);
    server.bind(client.request().na(1, &[]));
}

#[test]
fn of_what_a_client_had_only_the_latest_is_remembered() {
    let mut server = Site::usual().open();
    let mut client = Client::new(1);
    let mut last = None;
    for iaid in 0..300 {
        server.wait(1);
        let held = server.bind(client.request().na(iaid, &[&format!("2001:db8:1::1:1{:02x}", iaid % 256)]));
        server.ask(client.release().na(iaid, &[&held[0].to_string()]));
        last = Some((iaid, held));
    }
    assert_eq!(server.client(&client, 1).unwrap().leases().count(), MAX_REMEMBERED_PER_CLIENT);
    let (iaid, held) = last.unwrap();
    assert_eq!(server.bind(client.request().na(iaid, &[])), held);
}

// DH-V-04: what is discarded has changed nothing, also if it is the answer that does not fit.
#[test]
fn an_answer_that_fits_no_datagram_binds_nothing() {
    let mut server = Site::usual().open();
    // The relay wants nearly all of 65,535 octets back, and there is an answer besides.
    let ballast = vec![0; 65_200];
    let greedy = Relay::at("2001:db8:1::1")
        .option(wire::OptionCode(9999), &ballast)
        .option(wire::OptionCode::ERO, &[0x27, 0x0f]);
    let draft = Draft::new(MessageType::Request, 7).client_id(&Client::new(1).duid);
    let many = (0..8).fold(draft.server_id(&crate::kit::server_id()), |draft, iaid| draft.na(iaid, &[]));
    assert_eq!(server.silence(many.through(&[&greedy])), Discard::TooLong);
    assert!(server.holdings.table.is_empty());
    assert_eq!(server.holdings.table.take_batch(), []);
    server.bind(Client::new(2).request().na(1, &["2001:db8:1::1:123"]));
    assert_eq!(server.held(&Client::new(2)), [resource("2001:db8:1::1:123")]);
}
