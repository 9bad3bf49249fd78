//! Confirm: whether a client is still where its addresses belong.

use lease::IaKind;
use server::Discard;
use wire::{INFINITE, MessageType, StatusCode};

use crate::kit::{Client, Server, Site, resource};

fn server() -> Server {
    Site::usual().open()
}

// DH-R-12, DH-R-15
#[test]
fn addresses_that_fit_the_link_are_confirmed_whoever_has_them() {
    let mut server = server();
    let confirm =
        Client::new(1).confirm().na(1, &["2001:db8:1::1:123", "2001:db8:1::9"]).na(2, &["2001:db8:1::a"]);
    let told = server.ask(confirm);
    assert_eq!((told.message_type, told.status), (MessageType::Reply, Some(StatusCode::SUCCESS)));
    assert!(told.ias.is_empty());
    assert_eq!(told.codes(), [1, 2, 13]);
    assert!(server.holdings.table.is_empty() && told.answered.changes.is_empty());
}

// DH-R-15
#[test]
fn times_in_a_confirm_are_not_looked_at() {
    for (times, address, status) in [
        (0, "2001:db8:1::9", StatusCode::SUCCESS),
        (1, "2001:db8:1::9", StatusCode::SUCCESS),
        (INFINITE, "2001:db8:1::9", StatusCode::SUCCESS),
        (0, "2001:db8:2::9", StatusCode::NOT_ON_LINK),
        (INFINITE, "2001:db8:2::9", StatusCode::NOT_ON_LINK),
    ] {
        let named = [resource(address)];
        let confirm = Client::new(1).confirm().ia_with_times(IaKind::Address, 1, times, &named);
        assert_eq!(server().ask(confirm).status, Some(status), "{address} for {times} s");
    }
}

// DH-R-13
#[test]
fn one_address_of_another_link_is_enough_to_say_no() {
    for addresses in [&["2001:db8:2::1"][..], &["2001:db8:1::1:123", "2001:db8:2::1"]] {
        let told = server().ask(Client::new(1).confirm().na(1, addresses));
        assert_eq!(told.status, Some(StatusCode::NOT_ON_LINK));
    }
    let told = server().ask(Client::new(1).confirm().na(1, &["2001:db8:1::1"]).na(2, &["2001:db8:2::1"]));
    assert_eq!((told.status, told.ias.len()), (Some(StatusCode::NOT_ON_LINK), 0));
}

// DH-R-14
#[test]
fn who_cannot_tell_says_nothing() {
    let mut client = Client::new(1);
    assert_eq!(server().silence(client.confirm()), Discard::NothingToSay);
    assert_eq!(server().silence(client.confirm().na(1, &[])), Discard::NothingToSay);
    assert_eq!(server().silence(client.confirm().na(1, &["2001:db8:1::1"]).on("lan9")), Discard::NoLink);
    // A link of which nothing is known but what is delegated there.
    let mut server = Site::usual()
        .but(|site| {
            site.link(1).prefixes.clear();
            site.link(1).address_pools.clear();
        })
        .open();
    assert_eq!(server.silence(client.confirm().na(1, &["2001:db8:1::1"])), Discard::NothingToSay);
}

// DH-R-15
#[test]
fn a_confirm_changes_nothing() {
    let mut server = server();
    let mut client = Client::new(1);
    let held = server.bind(client.request().na(1, &[]));
    let before = server.holdings.table.last_seq();
    server.wait(600);
    server.ask(client.confirm().na(1, &[&held[0].to_string()]));
    server.ask(client.confirm().na(1, &["2001:db8:2::1"]));
    assert_eq!(server.holdings.table.last_seq(), before);
    assert_eq!(server.remaining_secs(&client), 6600);
}
