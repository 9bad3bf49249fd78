//! Renew: what a client has, for longer, and what becomes of it when the site has changed.

use lease::{AddressPool, LeaseState};
use server::assign::Subscriber;
use server::exchange::ChangeKind;
use wire::StatusCode;

use crate::kit::{Client, Server, Site, WISHED, bound, pool, prefix, resource, shared};

/// The same client, and the server with another configuration.
fn reopened(change: impl FnOnce(&mut Site)) -> (Server, Client) {
    let (server, client) = bound(Site::usual(), 1000);
    let mut server = Site::usual().but(change).open_with(server.close());
    server.wait(1000);
    (server, client)
}

fn elsewhere() -> Vec<AddressPool> {
    vec![pool("2001:db8:1::2:100", "2001:db8:1::2:1ff")]
}

// DH-R-16
#[test]
fn what_is_held_is_held_for_longer() {
    let (mut server, mut client) = bound(Site::usual(), 1000);
    let told = server.ask(client.renew().na(1, &WISHED[..1]).pd(1, &WISHED[1..]));
    for (ia, wished) in [(told.na(1), WISHED[0]), (told.pd(1), WISHED[1])] {
        assert_eq!((ia.t1_secs, ia.t2_secs, ia.status), (1800, 2880, None));
        assert_eq!(ia.lifetimes(resource(wished)), Some((3600, 7200)));
    }
    assert_eq!(server.remaining_secs(&client), 7200);
    assert!(told.answered.changes.iter().all(|change| change.kind == ChangeKind::Extended));
}

// DH-R-17, DH-R-18
#[test]
fn what_cannot_be_extended_runs_out_and_says_when() {
    // Nothing but the rest of the lease is left to give.
    let (mut server, mut client) = reopened(|site| site.link(1).address_pools.clear());
    server.wait(5700);
    let told = server.ask(client.renew().na(1, &WISHED[..1]));
    assert_eq!(told.na(1).lifetimes(resource(WISHED[0])), Some((0, 500)));
    assert_eq!((told.na(1).t1_secs, told.na(1).t2_secs), (500, 500));
    assert_eq!(server.remaining_secs(&client), 500);
    // What ends at once has no say in that.
    let told = server.ask(client.renew().na(1, &[WISHED[0], "2001:db8:bad::1"]));
    assert_eq!(told.na(1).lifetimes(resource("2001:db8:bad::1")), Some((0, 0)));
    assert_eq!((told.na(1).t1_secs, told.na(1).t2_secs), (500, 500));
    // Beside one that is extended, it has no say in when to come again.
    let told = server.ask(client.renew().na(1, &WISHED[..1]).pd(1, &WISHED[1..]));
    assert_eq!((told.na(1).t1_secs, told.na(1).t2_secs), (1800, 2880));
    assert_eq!(told.na(1).lifetimes(resource(WISHED[0])), Some((0, 500)));
    assert_eq!(told.pd(1).lifetimes(resource(WISHED[1])), Some((3600, 7200)));
}

// DH-R-20
#[test]
fn a_new_address_comes_beside_one_that_runs_out() {
    let (mut server, mut client) = reopened(|site| site.link(1).address_pools = elsewhere());
    let told = server.ask(client.renew().na(1, &WISHED[..1]));
    let ia = told.na(1);
    assert_eq!((ia.leases.len(), ia.t1_secs, ia.t2_secs), (2, 1800, 2880));
    assert_eq!(ia.lifetimes(resource(WISHED[0])), Some((2600, 6200)));
    let new = ia.leases.iter().find(|lease| lease.resource != resource(WISHED[0])).unwrap();
    assert_eq!((new.preferred_secs, new.valid_secs), (3600, 7200));
    assert!(server.held(&client).contains(&new.resource));
    // And the next time it is the new one that is extended.
    server.wait(100);
    let told = server.ask(client.renew().na(1, &WISHED[..1]));
    assert_eq!(told.na(1).lifetimes(new.resource), Some((3600, 7200)));
    assert_eq!(told.na(1).lifetimes(resource(WISHED[0])), Some((2500, 6100)));
}

// DH-R-19, DH-R-20
#[test]
fn a_link_that_was_renumbered_takes_the_old_address_back() {
    let (mut server, mut client) = reopened(|site| {
        site.link(1).prefixes = vec![prefix("2001:db8:11::/64")];
        site.link(1).address_pools = vec![pool("2001:db8:11::100", "2001:db8:11::1ff")];
    });
    let told = server.ask(client.renew().na(1, &WISHED[..1]));
    let ia = told.na(1);
    assert_eq!(ia.lifetimes(resource(WISHED[0])), Some((0, 0)));
    assert_eq!((ia.resources().len(), ia.t1_secs, ia.t2_secs), (1, 1800, 2880));
    let held = server.held(&client);
    assert!(held.contains(&ia.resources()[0]) && !held.contains(&resource(WISHED[0])));
}

// DH-R-19, D-35
#[test]
fn a_client_that_has_moved_is_to_stop_using_what_it_had() {
    let (mut server, mut client) = bound(Site::usual(), 1000);
    let renew = client.renew().na(1, &WISHED[..1]).pd(1, &WISHED[1..]);
    let told = server.ask(renew.on("lan2"));
    assert_eq!(told.status, None);
    for (ia, had) in [(told.na(1), WISHED[0]), (told.pd(1), WISHED[1])] {
        assert_eq!((ia.lifetimes(resource(had)), ia.status), (Some((0, 0)), None));
        assert_eq!(ia.resources().len(), 1, "something of link 2 instead");
    }
    assert_eq!(server.held(&client).len(), 2, "on link 1 it holds what it held");
    let told = server.ask(client.renew().na(1, &WISHED[..1]).on("lan1"));
    assert_eq!(told.resources(), [resource(WISHED[0])]);
}

// DH-R-19, D-36: what ends does not make T1 and T2 zero for the rest.
#[test]
fn what_ends_has_no_say_in_when_to_come_again() {
    let (mut server, mut client) = bound(Site::usual(), 1000);
    let told = server.ask(client.renew().na(1, &["2001:db8:bad::1", WISHED[0]]));
    assert_eq!(told.na(1).lifetimes(resource("2001:db8:bad::1")), Some((0, 0)));
    assert_eq!((told.na(1).t1_secs, told.na(1).t2_secs), (1800, 2880));
}

// DH-R-21, DH-R-25
#[test]
fn an_association_that_is_not_known_is_bound() {
    let (mut server, mut client) = bound(Site::usual(), 1000);
    let told = server.ask(client.renew().pd(2, &[]).pd(3, &["2001:db8:f000:900::/56"]));
    assert_eq!(told.pd(2).resources().len(), 1);
    assert_eq!(told.pd(3).resources(), [resource("2001:db8:f000:900::/56")]);
    assert_eq!(told.ias.len(), 2, "only what was asked for");
    assert_eq!(server.held(&client).len(), 4);
}

// DH-R-19: what the client has in one association does not end because another names it.
#[test]
fn what_is_held_in_another_association_does_not_end() {
    let (mut server, mut client) = bound(Site::usual(), 1000);
    server.bind(client.request().na(2, &[]));
    let told = server.ask(client.renew().na(1, &WISHED[..1]).na(2, &WISHED[..1]).na(3, &WISHED[..1]));
    assert_eq!(told.na(1).lifetimes(resource(WISHED[0])), Some((3600, 7200)));
    for iaid in [2, 3] {
        assert_eq!(told.na(iaid).lifetimes(resource(WISHED[0])), None);
        assert_eq!(told.na(iaid).resources().len(), 1);
    }
}

// DH-R-23
#[test]
fn an_association_that_cannot_be_bound_says_why() {
    let mut server = Site::usual()
        .but(|site| {
            site.link(1).address_pools.clear();
            site.link(1).delegation_pools.clear();
        })
        .open();
    let told = server.ask(Client::new(1).renew().na(1, &[]).pd(1, &[]));
    assert_eq!(told.na(1).status, Some(StatusCode::NO_ADDRS_AVAIL));
    assert_eq!(told.pd(1).status, Some(StatusCode::NO_PREFIX_AVAIL));
}

// DH-R-24
#[test]
fn an_association_that_is_not_to_be_bound_has_no_binding() {
    let mut server = Site::usual().but(|site| site.terms(1).bind_on_renew = false).open();
    let mut client = Client::new(1);
    let told = server.ask(client.renew().na(1, &WISHED[..1]).pd(1, &[]));
    for ia in &told.ias {
        assert_eq!((ia.status, ia.leases.len()), (Some(StatusCode::NO_BINDING), 0));
    }
    assert!(server.holdings.table.is_empty());
}

// DH-R-09: a client that comes late finds what it had, as long as nobody else has it.
#[test]
fn a_late_renew_finds_what_was_held() {
    let (mut server, mut client) = bound(Site::usual(), 1000);
    server.pass(8000);
    assert_eq!(server.in_state(&client, LeaseState::Expired).len(), 2);
    let told = server.ask(client.renew().na(1, &WISHED[..1]).pd(1, &WISHED[1..]));
    assert_eq!(told.resources(), WISHED.map(resource));
    assert_eq!(server.held(&client), WISHED.map(resource));
}

// DH-L-12: what is delegated is nobody else's after the pool has moved, until it has run out.
#[test]
fn a_prefix_of_a_former_pool_runs_out_in_peace() {
    let (mut server, mut client) =
        reopened(|site| site.link(1).delegation_pools = vec![shared("2001:db8:d000::/48", 56)]);
    let told = server.ask(client.renew().pd(1, &WISHED[1..]));
    assert_eq!(told.pd(1).lifetimes(resource(WISHED[1])), Some((2600, 6200)));
    assert_eq!(told.pd(1).resources().len(), 2);
}

// DH-R-20
#[test]
fn what_has_been_kept_for_a_client_takes_the_place_of_what_it_has() {
    let (mut server, mut client) = reopened(|site| {
        let owner = Subscriber::Client(Client::new(1).duid);
        site.keep(owner.clone(), "2001:db8:1::77");
        site.keep(owner, "2001:db8:f000:7700::/56");
    });
    let kept = [resource("2001:db8:1::77"), resource("2001:db8:f000:7700::/56")];
    for _ in 0..2 {
        let told = server.ask(client.renew().na(1, &WISHED[..1]).pd(1, &WISHED[1..]));
        for (ia, (kept, before)) in [told.na(1), told.pd(1)].into_iter().zip(kept.iter().zip(WISHED)) {
            assert_eq!(ia.lifetimes(*kept), Some((3600, 7200)));
            assert_eq!(ia.lifetimes(resource(before)), Some((0, 0)));
        }
        assert_eq!(server.held(&client), kept);
    }
}
