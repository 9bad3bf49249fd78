//! Prefixes of which a part each stays with the delegating side (RFC 6603).

use lease::DelegationPool;
use wire::{MessageType, OptionCode, StatusCode};

use crate::kit::{Client, Server, Site, pool, prefix, resource, shared};

const PD_EXCLUDE: u16 = 67;
const AROUND: &str = "2001:db8:f000::/56";
const UPLINK: &str = "2001:db8:f000:f::/64";
const SECOND_UPLINK: &str = "2001:db8:f000:10f::/64";
const WITHOUT_UPLINK: &str = "2001:db8:f000:200::/56";

/// Two prefixes with an uplink in each, configured for the second, and one without.
fn site() -> Site {
    let with_uplinks = DelegationPool { excluded: Some(prefix(SECOND_UPLINK)), ..shared(AROUND, 56) };
    Site::usual().but(|site| {
        site.link(1).delegation_pools = vec![
            shared(WITHOUT_UPLINK, 56),
            DelegationPool { prefix: prefix("2001:db8:f000::/55"), ..with_uplinks },
        ];
    })
}

/// The same, before anybody thought of uplinks.
fn site_before() -> Site {
    site().but(|site| site.link(1).delegation_pools[1].excluded = None)
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
    assert_eq!((lease.resource, lease.excluded), (resource(WITHOUT_UPLINK), None));
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

// DH-O-01, DH-O-02, DH-O-03: not everybody can have the prefixes with an uplink, so who can gets those.
#[test]
fn each_leaves_its_own_uplink_out() {
    let mut server = site().open();
    let mut given: Vec<_> = (1..=3)
        .map(|number| {
            let told = server.ask(able(number).request().pd(1, &[]));
            (told.pd(1).lease().resource, told.pd(1).lease().excluded)
        })
        .collect();
    assert_eq!(given[2], (resource(WITHOUT_UPLINK), None));
    given.sort_unstable();
    let (first, second) = (resource(AROUND), resource("2001:db8:f000:100::/56"));
    assert_eq!(given[..2], [(first, Some(prefix(UPLINK))), (second, Some(prefix(SECOND_UPLINK)))]);
}

// DH-O-02: both are the client's, the prefix and an address on its uplink.
#[test]
fn a_client_has_an_address_on_its_own_uplink() {
    let uplink_address = "2001:db8:f000:f::1";
    let on_uplink = || {
        site().but(|site| {
            site.link(1).prefixes = vec![prefix(UPLINK)];
            site.link(1).address_pools = vec![pool(uplink_address, uplink_address)];
        })
    };
    let mut server = on_uplink().open();
    let mut client = able(1);
    let told = server.ask(client.request().na(1, &[]).pd(1, &[AROUND]));
    assert_eq!(told.na(1).lease().resource, resource(uplink_address));
    assert_eq!(told.pd(1).lease().excluded, Some(prefix(UPLINK)));
    server.wait(100);
    let told = server.ask(client.renew().pd(1, &[AROUND]).na(1, &[uplink_address]));
    assert_eq!(told.na(1).resources(), [resource(uplink_address)]);
    assert_eq!(told.pd(1).resources(), [resource(AROUND)]);

    let mut server = on_uplink().open();
    assert_eq!(server.bind(Client::new(2).request().na(1, &[])), [resource(uplink_address)]);
    assert_eq!(server.bind(client.request().pd(1, &[AROUND])), [resource(AROUND)]);
}

// DH-O-01: what it has goes on, but the option is for those who ask.
#[test]
fn a_client_that_does_not_ask_any_more_keeps_its_prefix_and_is_not_told_what_is_excluded() {
    let mut server = site().open();
    let mut client = able(1);
    assert_eq!(server.bind(client.request().pd(1, &[AROUND])), [resource(AROUND)]);
    client.wants.clear();
    server.wait(100);
    for message_type in [MessageType::Renew, MessageType::Rebind, MessageType::Request] {
        let told = server.ask(client.message(message_type).pd(1, &[AROUND]));
        let lease = told.pd(1).lease();
        assert_eq!((lease.resource, lease.excluded, lease.valid_secs), (resource(AROUND), None, 7200));
    }
    client.wants.push(PD_EXCLUDE);
    let told = server.ask(client.renew().pd(1, &[AROUND]));
    assert_eq!(told.pd(1).lease().excluded, Some(prefix(UPLINK)));
}

// DH-O-01, DH-O-03: even of what only runs out.
#[test]
fn of_what_runs_out_the_excluded_part_is_named_to_those_who_ask() {
    let mut server = site().open();
    let mut client = able(1);
    server.bind(client.request().pd(1, &[AROUND]));
    client.wants.clear();
    let mut server = site().but(|site| site.link(1).delegation_pools.clear()).open_with(server.close());
    assert_eq!(server.ask(client.renew().pd(1, &[AROUND])).pd(1).lease().excluded, None);
    client.wants.push(PD_EXCLUDE);
    let told = server.ask(client.renew().pd(1, &[AROUND]));
    let lease = told.pd(1).lease();
    assert_eq!((lease.resource, lease.excluded), (resource(AROUND), Some(prefix(UPLINK))));
}

// DH-O-02, DH-O-03: an uplink that was not thought of when the prefix was delegated is not cut out of it.
#[test]
fn what_was_delegated_whole_stays_whole() {
    for mut client in [able(1), Client::new(2)] {
        let mut server = site_before().open();
        server.bind(client.request().pd(1, &[AROUND]));
        let mut server = site().open_with(server.close());
        let told = server.ask(client.renew().pd(1, &[AROUND]));
        assert_eq!((told.pd(1).resources(), told.pd(1).lease().excluded), (vec![resource(AROUND)], None));
        server.ask(client.release().pd(1, &[AROUND]));
        let told = server.ask(able(3).request().pd(1, &[AROUND]));
        assert_eq!(told.pd(1).lease().excluded, Some(prefix(UPLINK)));
    }
}

// DH-O-01, DH-O-02, DH-O-03
#[test]
fn what_was_delegated_without_its_uplink_stays_so() {
    let mut server = site().open();
    let mut client = able(1);
    server.bind(client.request().pd(1, &[AROUND]));
    let mut server = site_before().open_with(server.close());
    let told = server.ask(client.renew().pd(1, &[AROUND]));
    assert_eq!(told.pd(1).lease().excluded, Some(prefix(UPLINK)));
    client.wants.clear();
    let told = server.ask(client.renew().pd(1, &[AROUND]));
    assert_eq!((told.pd(1).lease().resource, told.pd(1).lease().excluded), (resource(AROUND), None));
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
    let told = server.ask(unable.release().pd_excluding(1, WITHOUT_UPLINK, "2001:db8:f000:20f::/64"));
    assert_eq!(told.pd(1).status, Some(StatusCode::NO_BINDING));
    assert_eq!(server.held(&unable), [resource(WITHOUT_UPLINK)]);
    // It may leave it unsaid.
    let mut server = bound(&mut client);
    assert!(server.ask(client.release().pd(1, &[AROUND])).ias.is_empty());
    assert_eq!(server.held(&client), []);
}
