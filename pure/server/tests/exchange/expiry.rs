//! What time ends.

use lease::LeaseState;
use server::exchange::{ChangeKind, Ended};
use wire::StatusCode;

use crate::kit::{Client, Server, Site, pool, resource};

const ONLY: &str = "2001:db8:1::7";

fn one_address() -> Site {
    Site::usual().but(|site| site.link(1).address_pools = vec![pool(ONLY, ONLY)])
}

fn kinds(ended: &[Ended]) -> Vec<ChangeKind> {
    ended.iter().flat_map(|ended| &ended.changes).map(|change| change.kind).collect()
}

fn status(server: &mut Server, client: &mut Client) -> Option<StatusCode> {
    server.ask(client.request().na(1, &[])).na(1).status
}

#[test]
fn a_lease_that_has_run_out_is_free() {
    let mut server = one_address().open();
    let (mut first, mut second) = (Client::new(1), Client::new(2));
    server.bind(first.request().na(1, &[]));
    assert_eq!(kinds(&server.pass(7199)), []);
    assert_eq!(status(&mut server, &mut second), Some(StatusCode::NO_ADDRS_AVAIL));
    assert_eq!(kinds(&server.pass(1)), [ChangeKind::Expired]);
    assert_eq!(status(&mut server, &mut second), None);
    assert_eq!(server.held(&second), [resource(ONLY)]);
    assert_eq!(server.in_state(&first, LeaseState::Expired), [resource(ONLY)]);
}

#[test]
fn with_a_time_of_grace_it_is_its_clients_for_longer() {
    let mut server = one_address().but(|site| site.rules.grace_secs = 100).open();
    let (mut first, mut second) = (Client::new(1), Client::new(2));
    server.bind(first.request().na(1, &[]));
    assert_eq!(kinds(&server.pass(7299)), []);
    assert_eq!(status(&mut server, &mut second), Some(StatusCode::NO_ADDRS_AVAIL));
    let told = server.ask(first.renew().na(1, &[ONLY]));
    assert_eq!(told.resources(), [resource(ONLY)]);
    assert_eq!(server.remaining_secs(&first), 7200);
}

#[test]
fn in_the_end_nobody_remembers_and_the_client_is_forgotten() {
    let mut server = Site::usual().but(|site| site.rules.remember_secs = 1000).open();
    let mut client = Client::new(1);
    server.bind(client.request().na(1, &[]).pd(1, &[]));
    assert_eq!(kinds(&server.pass(7200)), [ChangeKind::Expired; 2]);
    assert_eq!(kinds(&server.pass(999)), []);
    assert_eq!(kinds(&server.pass(1)), [ChangeKind::Forgotten; 2]);
    assert!(server.holdings.table.is_empty());
    assert_eq!(server.holdings.table.take_batch().last().unwrap().image, None);
}

#[test]
fn many_that_have_run_out_end_a_few_at_a_time() {
    let mut server = Site::usual().open();
    for number in 0..10 {
        server.bind(Client::new(number).request().na(1, &[]));
    }
    server.wait(7200);
    let now = server.now();
    let mut counts = Vec::new();
    loop {
        let ended = server.exchanges.expire(&mut server.holdings, now, 4);
        counts.push(ended.len());
        if ended.len() < 4 {
            break;
        }
    }
    assert_eq!(counts, [4, 4, 2]);
}

#[test]
fn one_lease_of_a_client_ends_and_another_goes_on() {
    let mut server = Site::usual().open();
    let mut client = Client::new(1);
    server.bind(client.request().na(1, &["2001:db8:1::1:123"]));
    server.wait(7000);
    server.bind(client.request().pd(1, &["2001:db8:f000:700::/56"]));
    assert_eq!(kinds(&server.pass(200)), [ChangeKind::Expired]);
    assert_eq!(server.held(&client), [resource("2001:db8:f000:700::/56")]);
}
