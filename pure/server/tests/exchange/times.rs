//! T1, T2 and lifetimes.

use lease::IaKind;
use wire::INFINITE;

use crate::kit::{Client, Site, resource};

/// The times of a Reply on a link with these lifetimes.
fn times(preferred_secs: u32, valid_secs: u32, t1_secs: Option<u32>, t2_secs: Option<u32>) -> (u32, u32) {
    let mut server = Site::usual()
        .but(|site| {
            let terms = site.terms(1);
            (terms.preferred_secs, terms.valid_secs) = (preferred_secs, valid_secs);
            (terms.t1_secs, terms.t2_secs) = (t1_secs, t2_secs);
        })
        .open();
    let told = server.ask(Client::new(1).request().na(1, &[]).pd(1, &[]));
    (told.na(1).t1_secs, told.pd(1).t2_secs)
}

// DH-L-18
#[test]
fn shares_of_the_preferred_lifetime_unless_configured_and_never_out_of_order() {
    assert_eq!(times(3600, 7200, None, None), (1800, 2880));
    assert_eq!(times(3600, 7200, Some(1000), None), (1000, 2880));
    assert_eq!(times(3600, 7200, None, Some(3000)), (1800, 3000));
    assert_eq!(times(3600, 7200, Some(1000), Some(2000)), (1000, 2000));
    assert_eq!(times(3600, 7200, Some(3000), None), (2880, 2880));
    assert_eq!(times(3600, 7200, None, Some(1000)), (1000, 1000));
    assert_eq!(times(1, 1, None, None), (0, 0));
    assert_eq!(times(4_000_000_000, 4_000_000_000, None, None), (2_000_000_000, 3_200_000_000));
    assert_eq!(times(INFINITE, INFINITE, None, None), (INFINITE, INFINITE));
}

// DH-L-16, DH-L-17, D-36
#[test]
fn one_t1_and_one_t2_for_all_associations_of_a_reply() {
    let mut server = Site::usual().open();
    let mut client = Client::new(1);
    let told = server.ask(client.request().na(1, &[]).na(2, &["2001:db8:bad::1"]).pd(1, &[]));
    assert_eq!(told.ias.len(), 3);
    for ia in &told.ias {
        assert_eq!((ia.t1_secs, ia.t2_secs), (1800, 2880), "{ia:?}");
    }
}

// DH-L-17, DH-R-18: where nothing is extended, what runs out first says when to come again, to all.
#[test]
fn the_shortest_of_all_bindings_in_a_reply_decides() {
    for (first, second) in [(IaKind::Address, IaKind::Prefix), (IaKind::Prefix, IaKind::Address)] {
        let mut server = Site::usual().open();
        let mut client = Client::new(1);
        let early = server.bind(client.request().ia(first, 1, &[]));
        server.wait(500);
        let late = server.bind(client.request().ia(second, 2, &[]));
        let without_pools = Site::usual().but(|site| {
            site.link(1).address_pools.clear();
            site.link(1).delegation_pools.clear();
        });
        let mut server = without_pools.open_with(server.close());
        server.wait(1000);
        let told = server.ask(client.renew().ia(first, 1, &early).ia(second, 2, &late));
        assert_eq!(told.ias.len(), 2);
        assert_eq!(told.ias[0].lifetimes(early[0]), Some((2600, 6200)));
        assert_eq!(told.ias[1].lifetimes(late[0]), Some((3100, 6700)));
        assert!(told.ias.iter().all(|ia| (ia.t1_secs, ia.t2_secs) == (6200, 6200)), "{:?}", told.ias);
    }
}

// DH-L-20
#[test]
fn what_is_for_ever_stays_for_ever() {
    let mut server = Site::usual()
        .but(|site| {
            (site.terms(1).preferred_secs, site.terms(1).valid_secs) = (INFINITE, INFINITE);
        })
        .open();
    let mut client = Client::new(1);
    let held = server.bind(client.request().na(1, &["2001:db8:1::1:123"]));
    assert_eq!(server.pass(100 * 365 * 86_400), []);
    assert_eq!(server.held(&client), held);
    let told = server.ask(client.renew().na(1, &["2001:db8:1::1:123"]));
    assert_eq!(told.na(1).lifetimes(resource("2001:db8:1::1:123")), Some((INFINITE, INFINITE)));
    assert_eq!((told.na(1).t1_secs, told.na(1).t2_secs), (INFINITE, INFINITE));
}
