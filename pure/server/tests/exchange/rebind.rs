//! Rebind: as Renew, but every server hears it.

use server::Discard;
use wire::StatusCode;

use crate::kit::{Client, Site, WISHED, bound, resource};

fn with_rapid_commit() -> Site {
    Site::usual().but(|site| site.terms(1).rapid_commit = true)
}

// DH-R-26
#[test]
fn what_is_held_is_held_for_longer() {
    let (mut server, mut client) = bound(Site::usual(), 3000);
    let told = server.ask(client.rebind().na(1, &WISHED[..1]).pd(1, &WISHED[1..]));
    assert_eq!(told.resources(), WISHED.map(resource));
    assert_eq!((told.na(1).t1_secs, told.pd(1).t2_secs), (1800, 2880));
    assert_eq!(server.remaining_secs(&client), 7200);
}

// DH-R-27
#[test]
fn what_cannot_be_extended_runs_out() {
    let (server, mut client) = bound(Site::usual(), 3000);
    let nothing = Site::usual().but(|site| {
        site.link(1).address_pools.clear();
        site.link(1).delegation_pools.clear();
    });
    let mut server = nothing.open_with(server.close());
    server.wait(3000);
    let told = server.ask(client.rebind().na(1, &WISHED[..1]).pd(1, &WISHED[1..]));
    for (ia, held) in [(told.na(1), WISHED[0]), (told.pd(1), WISHED[1])] {
        assert_eq!(ia.lifetimes(resource(held)), Some((600, 4200)));
        assert_eq!((ia.t1_secs, ia.t2_secs), (4200, 4200));
    }
}

// DH-R-28
#[test]
fn what_no_longer_fits_the_link_ends() {
    let (server, mut client) = bound(Site::usual(), 3000);
    let renumbered = Site::usual().but(|site| {
        site.link(1).prefixes = vec![crate::kit::prefix("2001:db8:11::/64")];
        site.link(1).address_pools.clear();
    });
    let mut server = renumbered.open_with(server.close());
    let told = server.ask(client.rebind().na(1, &WISHED[..1]));
    assert_eq!(told.na(1).lifetimes(resource(WISHED[0])), Some((0, 0)));
    assert_eq!((told.na(1).t1_secs, told.na(1).t2_secs), (0, 0));
    assert!(!server.held(&client).contains(&resource(WISHED[0])));
}

// DH-R-29, D-35
#[test]
fn what_belongs_on_another_link_ends_whoever_gave_it() {
    let mut server = Site::usual().open();
    let mut client = Client::new(1);
    let foreign = ["2001:db8:2::1:123", "2001:db8:e000:700::/56"];
    let told = server.ask(client.rebind().na(1, &foreign[..1]).pd(1, &foreign[1..]));
    assert_eq!(told.status, None);
    for (ia, had) in [(told.na(1), foreign[0]), (told.pd(1), foreign[1])] {
        assert_eq!((ia.lifetimes(resource(had)), ia.status), (Some((0, 0)), None));
    }
}

// DH-R-29: of a prefix that is in nobody's configuration here, another server may know.
#[test]
fn a_prefix_of_which_nothing_is_known_is_not_taken_back() {
    let mut server = Site::usual().open();
    let told = server.ask(Client::new(1).rebind().pd(1, &["2001:db8:4711::/48"]));
    assert_eq!((told.pd(1).status, told.pd(1).leases.len()), (Some(StatusCode::NO_BINDING), 0));
}

// DH-R-30
#[test]
fn a_rebind_about_nothing_is_met_with_silence() {
    let mut server = with_rapid_commit().open();
    assert_eq!(server.silence(Client::new(1).rebind()), Discard::NothingToSay);
}

// DH-R-31
#[test]
fn an_association_that_is_not_known_is_bound_if_only_one_server_would() {
    let mut server = with_rapid_commit().open();
    let mut client = Client::new(1);
    let told = server.ask(client.rebind().na(1, &WISHED[..1]).pd(1, &WISHED[1..]));
    assert_eq!(told.resources(), WISHED.map(resource));
    assert_eq!(server.held(&client), WISHED.map(resource));
    assert!(!told.has(wire::OptionCode::RAPID_COMMIT));
}

// DH-R-32
#[test]
fn an_association_that_cannot_be_bound_says_why() {
    let mut server = with_rapid_commit()
        .but(|site| {
            site.link(1).address_pools.clear();
            site.link(1).delegation_pools.clear();
        })
        .open();
    let told = server.ask(Client::new(1).rebind().na(1, &[]).pd(1, &[]));
    assert_eq!(told.na(1).status, Some(StatusCode::NO_ADDRS_AVAIL));
    assert_eq!(told.pd(1).status, Some(StatusCode::NO_PREFIX_AVAIL));
}

// DH-R-32, DH-R-33
#[test]
fn without_rapid_commit_an_unknown_association_has_no_binding() {
    let mut server = Site::usual().open();
    let told = server.ask(Client::new(1).rebind().na(1, &WISHED[..1]).pd(1, &WISHED[1..]));
    for ia in &told.ias {
        assert_eq!((ia.status, ia.leases.len()), (Some(StatusCode::NO_BINDING), 0));
    }
    assert!(server.holdings.table.is_empty());
}
