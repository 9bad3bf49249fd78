//! Which link a client is on.

use lease::IaKind;
use server::Discard;
use server::assign::Subscriber;
use wire::{Duid, MessageType, OptionCode};

use crate::kit::{CLIENT, Client, Datagram, Relay, SERVER, Server, Site, address, pool, resource};

/// The number of the link on which a Solicit is answered.
fn link_of(server: &mut Server, question: impl Into<Datagram>) -> u32 {
    server.ask(question).answered.link.unwrap().0
}

fn solicit() -> crate::kit::Draft {
    Client::new(1).solicit().na(1, &[])
}

fn relay_id() -> Duid {
    Duid::new(&[0, 3, 0, 1, 2, 0, 0, 0, 0xaa, 1]).unwrap()
}

// DH-L-01
#[test]
fn a_client_without_a_relay_is_on_the_link_of_the_interface() {
    let mut server = Site::usual().open();
    for (interface, own) in [("lan1", "2001:db8:1::/64"), ("lan2", "2001:db8:2::/64")] {
        let told = server.ask(solicit().on(interface));
        let address = told.resources()[0].address().unwrap();
        assert!(crate::kit::prefix(own).contains(address), "{address} on {interface}");
    }
    assert_eq!(server.silence(solicit().on("lan3")), Discard::NoLink);
    assert_eq!(server.silence(Datagram { interface: None, ..solicit().on("lan1") }), Discard::NoLink);
}

// DH-L-02, DH-L-03, DH-L-04
#[test]
fn the_innermost_link_address_that_means_a_link_counts() {
    let mut server = Site::usual().open();
    let (first, second) = (Relay::at("2001:db8:1::1"), Relay::at("2001:db8:2::1"));
    let (nameless, foreign) = (Relay::at("::"), Relay::at("2001:db8:bad::1"));
    assert_eq!(link_of(&mut server, solicit().through(&[&first, &second])), 1);
    assert_eq!(link_of(&mut server, solicit().through(&[&second, &first])), 2);
    // A lightweight relay has no address of the link.
    assert_eq!(link_of(&mut server, solicit().through(&[&nameless, &second])), 2);
    assert_eq!(link_of(&mut server, solicit().through(&[&nameless, &nameless, &first])), 1);
    assert_eq!(link_of(&mut server, solicit().through(&[&foreign, &second])), 2);
    let to_interface = Datagram { interface: Some("lan2"), ..solicit().through(&[&nameless]) };
    assert_eq!(link_of(&mut server, to_interface), 2);
    let mistaken = Datagram { interface: Some("lan2"), ..solicit().through(&[&nameless, &foreign]) };
    assert_eq!(server.silence(mistaken), Discard::NoLink);
}

// DH-L-05
#[test]
fn any_address_in_a_prefix_and_every_configured_one_means_the_link() {
    let mut server = Site::usual()
        .but(|site| {
            site.link(1).relay_addresses = vec![address("2001:db8:77::1"), address("fe80::1")];
            site.link(1).interface_ids = vec![b"port 7".as_slice().into()];
            // Inside link 1's prefix, and longer.
            site.link(2).prefixes.push(crate::kit::prefix("2001:db8:1:0:2::/80"));
        })
        .open();
    for (link_address, link) in [
        ("2001:db8:1::1", 1),
        ("2001:db8:1::ffff:ffff:ffff", 1),
        ("2001:db8:1:0:2::1", 2),
        ("2001:db8:77::1", 1),
        ("2001:db8:2::1", 2),
    ] {
        let relay = Relay::at(link_address);
        assert_eq!(link_of(&mut server, solicit().through(&[&relay])), link, "{link_address}");
    }
    assert_eq!(server.silence(solicit().through(&[&Relay::at("2001:db8:77::2")])), Discard::NoLink);
    let link_local = Relay::at("fe80::1");
    assert_eq!(server.silence(solicit().through(&[&link_local])), Discard::NoLink);
    assert_eq!(link_of(&mut server, solicit().through(&[&link_local.clone().interface_id("port 7")])), 1);
    assert_eq!(server.silence(solicit().through(&[&link_local.interface_id("port 77")])), Discard::NoLink);
}

// DH-L-05
#[test]
fn a_relay_can_be_known_by_its_identifier() {
    let mut server = Site::usual().but(|site| site.link(2).relay_ids = vec![relay_id()]).open();
    let known = Relay::at("2001:db8:bad::1").relay_id(&relay_id());
    assert_eq!(link_of(&mut server, solicit().through(&[&known])), 2);
    let of_link_1 = Relay::at("2001:db8:1::1").relay_id(&relay_id());
    assert_eq!(link_of(&mut server, solicit().through(&[&of_link_1])), 1);
}

// DH-L-06
#[test]
fn who_is_on_no_link_gets_only_information() {
    let mut server = Site::usual().but(|site| site.offer(OptionCode::DNS_SERVERS, &[1; 16])).open();
    let mut client = Client::new(1).wanting(&[23]);
    for message_type in [
        MessageType::Solicit,
        MessageType::Request,
        MessageType::Confirm,
        MessageType::Renew,
        MessageType::Rebind,
        MessageType::Release,
        MessageType::Decline,
    ] {
        let draft = client.message(message_type).na(1, &["2001:db8:1::1:123"]);
        assert_eq!(server.silence(draft.on("lan9")), Discard::NoLink, "{message_type}");
    }
    let told = server.ask(client.information().on("lan9"));
    assert_eq!(told.data(OptionCode::DNS_SERVERS), Some(&[1; 16][..]));
}

// DH-L-07
#[test]
fn associations_of_one_number_and_two_kinds_are_two() {
    let mut server = Site::usual().open();
    let mut client = Client::new(1);
    let told = server.ask(client.request().na(5, &[]).pd(5, &[]));
    assert_eq!((told.na(5).leases.len(), told.pd(5).leases.len()), (1, 1));
    let view = server.client(&client, 1).unwrap();
    let bindings: Vec<_> = view.leases().map(|held| (held.kind, held.iaid.0)).collect();
    assert_eq!(bindings, [(IaKind::Address, 5), (IaKind::Prefix, 5)]);
    server.ask(client.release().na(5, &[&told.resources()[0].to_string()]));
    assert_eq!(server.held(&client), [told.resources()[1]]);
}

// DH-L-08
#[test]
fn reserved_interface_identifiers_are_never_given() {
    let mut server = Site::usual()
        .but(|site| {
            // The routers' anycast address, one address, and the first of the anycast range.
            let on_link = |from: &str, to: &str| pool(from, to);
            site.link(1).address_pools = vec![
                on_link("2001:db8:1::", "2001:db8:1::1"),
                on_link("2001:db8:1:0:fdff:ffff:ffff:ff7f", "2001:db8:1:0:fdff:ffff:ffff:ff80"),
            ];
        })
        .open();
    let mut given: Vec<_> = (1..=2)
        .flat_map(|number| server.bind(Client::new(number).request().na(1, &["2001:db8:1::"])))
        .collect();
    given.sort_unstable();
    assert_eq!(given, [resource("2001:db8:1::1"), resource("2001:db8:1:0:fdff:ffff:ffff:ff7f")]);
    let told = server.ask(Client::new(3).request().na(1, &[]));
    assert_eq!(told.na(1).status, Some(wire::StatusCode::NO_ADDRS_AVAIL));
}

// DH-L-09
#[test]
fn nobody_can_tell_what_comes_next() {
    let mut server = Site::usual().open();
    let mut given: Vec<u128> = (1..=100)
        .map(|number| server.ask(Client::new(number).solicit().na(1, &[])).resources()[0])
        .map(|resource| resource.address().unwrap().to_bits())
        .collect();
    let steps = given.windows(2).filter(|pair| pair[0].abs_diff(pair[1]) == 1).count();
    assert!(steps < 10, "{steps} of 99 follow one another");
    given.sort_unstable();
    given.dedup();
    assert_eq!(given.len(), 100);
}

// DH-L-11
#[test]
fn a_reservation_by_port_fits_only_that_port() {
    let mut server = Site::usual()
        .but(|site| {
            let port = [&[0, 0, 1, 2][..], b"port 7"].concat();
            site.keep(Subscriber::RemoteId(None, port.into()), "2001:db8:1::77");
            site.keep(Subscriber::InterfaceId(relay_id(), b"ge-7".as_slice().into()), "2001:db8:1::78");
        })
        .open();
    let given = |server: &mut Server, relay: Relay| server.ask(solicit().through(&[&relay])).resources();
    let relay = || Relay::at("2001:db8:1::1");
    assert_eq!(given(&mut server, relay().remote_id("port 7")), [resource("2001:db8:1::77")]);
    let of_relay = relay().relay_id(&relay_id()).interface_id("ge-7");
    assert_eq!(given(&mut server, of_relay), [resource("2001:db8:1::78")]);
    let kept = [resource("2001:db8:1::77"), resource("2001:db8:1::78")];
    for other in [
        relay(),
        relay().remote_id("port 70"),
        relay().remote_id("port"),
        relay().interface_id("ge-7"),
        relay().relay_id(&relay_id()).interface_id("ge-77"),
    ] {
        assert!(!kept.contains(&given(&mut server, other)[0]));
    }
}

// DH-L-12
#[test]
fn a_delegated_prefix_is_used_for_nothing_else_anywhere() {
    let mut server = Site::usual()
        .but(|site| {
            // Link 2 delegates larger parts of the same prefix, and assigns addresses out of it.
            site.link(2).delegation_pools = vec![crate::kit::shared("2001:db8:f000::/48", 52)];
            site.link(2).address_pools = vec![pool("2001:db8:f000:100::1", "2001:db8:f000:100::ff")];
        })
        .open();
    server.bind(Client::new(1).request().pd(1, &["2001:db8:f000:100::/56"]));
    let told = server.ask(Client::new(2).request().na(1, &[]).pd(1, &["2001:db8:f000::/52"]).on("lan2"));
    assert_eq!(told.na(1).status, Some(wire::StatusCode::NO_ADDRS_AVAIL));
    let given = told.pd(1).lease().resource.prefix().unwrap();
    assert!(!given.overlaps(crate::kit::prefix("2001:db8:f000:100::/56")), "{given}");
}

#[test]
fn a_client_that_may_send_from_elsewhere_is_on_the_link_of_its_address() {
    let mut server = Site::usual().but(|site| site.rules.accept_unicast = true).open();
    let from = |source| Datagram { source: address(source), destination: SERVER, ..solicit().on("lan1") };
    assert_eq!(link_of(&mut server, from("2001:db8:2::5")), 2);
    assert_eq!(link_of(&mut server, Datagram { source: CLIENT, ..from("::") }), 1);
    assert_eq!(server.silence(from("2001:db8:bad::5")), Discard::NoLink);
}
