//! Prefixes of which a part stays with the delegating side (RFC 6603).

use lease::DelegationPool;
use wire::{MessageType, OptionCode, StatusCode};

use crate::kit::{Client, Server, Site, prefix, resource};

const PD_EXCLUDE: u16 = 67;
const AROUND: &str = "2001:db8:f000::/56";
const UPLINK: &str = "2001:db8:f000:f::/64";

/// The first of two prefixes contains the uplink.
fn site() -> Site {
    Site::usual().but(|site| {
        site.link(1).delegation_pools = vec![DelegationPool {
            prefix: prefix("2001:db8:f000::/55"),
            delegated_length: 56,
            excluded: Some(prefix(UPLINK)),
        }];
    })
}

fn able(number: u16) -> Client {
    Client::new(number).wanting(&[PD_EXCLUDE])
}

// DH-O-01
#[test]
fn who_cannot_leave_a_part_out_gets_a_prefix_without_one() {
    let mut server = site().open();
    let told = server.ask(Client::new(1).request().pd(1, &[AROUND]));
    let lease = told.pd(1).lease();
    assert_eq!((lease.resource, lease.excluded), (resource("2001:db8:f000:100::/56"), None));
    let told = server.ask(Client::new(2).request().pd(1, &[AROUND]));
    assert_eq!(told.pd(1).status, Some(StatusCode::NO_PREFIX_AVAIL));
}

// DH-O-02, DH-O-03
#[test]
fn who_can_leaves_the_uplink_out() {
    let mut server = site().open();
    let mut client = able(1);
    for message_type in [MessageType::Solicit, MessageType::Request, MessageType::Renew, MessageType::Rebind]
    {
        let told = server.ask(client.message(message_type).pd(1, &[AROUND]));
        let lease = told.pd(1).lease();
        assert_eq!(
            (lease.resource, lease.excluded),
            (resource(AROUND), Some(prefix(UPLINK))),
            "{message_type}"
        );
        assert!(!told.has(OptionCode::PD_EXCLUDE));
    }
}

// DH-O-01, DH-O-02: nobody else can have the prefix around the uplink, so who can gets that.
#[test]
fn the_prefix_around_the_uplink_goes_to_those_who_can() {
    let mut server = site().open();
    assert_eq!(server.bind(able(1).request().pd(1, &[])), [resource(AROUND)]);
    let other = server.ask(able(2).request().pd(1, &[]));
    assert_eq!(other.pd(1).lease().excluded, None);
}

// DH-O-01
#[test]
fn a_client_that_cannot_any_more_gets_another_prefix() {
    let mut server = site().open();
    let mut client = able(1);
    assert_eq!(server.bind(client.request().pd(1, &[])), [resource(AROUND)]);
    client.wants.clear();
    server.wait(100);
    let told = server.ask(client.renew().pd(1, &[AROUND]));
    assert_eq!(told.pd(1).resources(), [resource("2001:db8:f000:100::/56")]);
    assert_eq!(told.pd(1).lifetimes(resource(AROUND)), None, "left out, it runs out");
    let told = server.ask(client.request().pd(1, &[]));
    assert_eq!(told.pd(1).resources(), [resource("2001:db8:f000:100::/56")]);
}

// DH-O-02, DH-O-03: the uplink is a newer one than the delegation.
#[test]
fn an_uplink_that_comes_later_is_named_from_then_on() {
    let before = || site().but(|site| site.link(1).delegation_pools[0].excluded = None);
    let mut server = before().open();
    let (mut client, mut unable) = (able(1), Client::new(2));
    server.bind(client.request().pd(1, &[AROUND]));
    let mut server = site().open_with(server.close());
    let told = server.ask(client.renew().pd(1, &[AROUND]));
    assert_eq!(told.pd(1).lease().excluded, Some(prefix(UPLINK)));

    let mut server = before().open();
    server.bind(unable.request().pd(1, &[AROUND]));
    let mut server = site().open_with(server.close());
    let told = server.ask(unable.renew().pd(1, &[AROUND]));
    assert_eq!(told.pd(1).resources(), [resource("2001:db8:f000:100::/56")]);
}

// DH-R-46
#[test]
fn a_release_with_a_part_excluded_that_never_was_releases_nothing() {
    let bound = |client: &mut Client| -> Server {
        let mut server = site().open();
        server.bind(client.request().pd(1, &[AROUND]));
        server
    };
    let mut client = able(1);
    let mut server = bound(&mut client);
    let told = server.ask(client.release().pd_excluding(1, AROUND, "2001:db8:f000:e::/64"));
    assert_eq!((told.status, told.pd(1).status), (Some(StatusCode::SUCCESS), Some(StatusCode::NO_BINDING)));
    assert_eq!(server.held(&client), [resource(AROUND)]);
    let told = server.ask(client.release().pd_excluding(1, AROUND, UPLINK));
    assert!(told.ias.is_empty());
    assert_eq!(server.held(&client), []);

    let mut unable = Client::new(2);
    let mut server = bound(&mut unable);
    let held = "2001:db8:f000:100::/56";
    let told = server.ask(unable.release().pd_excluding(1, held, "2001:db8:f000:10f::/64"));
    assert_eq!(told.pd(1).status, Some(StatusCode::NO_BINDING));
    assert_eq!(server.held(&unable), [resource(held)]);
    // It may leave it unsaid.
    let mut server = bound(&mut client);
    assert!(server.ask(client.release().pd(1, &[AROUND])).ias.is_empty());
    assert_eq!(server.held(&client), []);
}
