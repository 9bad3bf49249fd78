//! Wishes for prefixes of a certain length (RFC 8168).

use wire::MessageType;

use crate::kit::{Client, Server, Site, resource, shared};

/// Delegates /56 and /64.
fn server() -> Server {
    Site::usual().but(|site| site.link(1).delegation_pools.push(shared("2001:db8:d000::/56", 64))).open()
}

fn length(server: &mut Server, message_type: MessageType, hint: &str) -> u8 {
    let told = server.ask(Client::new(1).message(message_type).pd(1, &[hint]));
    told.pd(1).lease().resource.prefix().unwrap().length()
}

// DH-L-13
#[test]
fn the_wished_length_or_else_the_next_larger_prefix() {
    for (hint, expected) in [("::/56", 56), ("::/64", 64), ("::/60", 56), ("::/57", 56), ("::/65", 64)] {
        assert_eq!(length(&mut server(), MessageType::Solicit, hint), expected, "{hint}");
        assert_eq!(length(&mut server(), MessageType::Request, hint), expected, "{hint}");
    }
    // Nothing is as large: the largest there is.
    assert_eq!(length(&mut server(), MessageType::Solicit, "::/48"), 56);
}

// DH-L-13
#[test]
fn the_wished_length_counts_for_more_than_what_the_client_had() {
    let mut server = server();
    let mut client = Client::new(1);
    let had = server.bind(client.request().pd(1, &["2001:db8:f000:700::/56"]));
    server.ask(client.release().pd(1, &[&had[0].to_string()]));
    let told = server.ask(client.solicit().pd(1, &["::/64"]));
    assert_eq!(told.resources()[0].prefix().unwrap().length(), 64);
    let told = server.ask(client.solicit().pd(1, &["::/56"]));
    assert_eq!(told.resources(), had);
}

// DH-L-14
#[test]
fn the_wished_prefix_if_it_is_free_else_one_of_its_length() {
    let mut server = server();
    let wished = "2001:db8:d000:7::/64";
    assert_eq!(server.bind(Client::new(1).request().pd(1, &[wished])), [resource(wished)]);
    let other = server.bind(Client::new(2).request().pd(1, &[wished]))[0];
    assert_ne!(other, resource(wished));
    assert_eq!(other.prefix().unwrap().length(), 64);
}

// DH-L-15
#[test]
fn a_renew_with_a_wish_for_another_length_extends_what_is_held() {
    let mut server = server();
    let mut client = Client::new(1);
    let held = server.bind(client.request().pd(1, &["::/64"]));
    server.wait(1000);
    for message_type in [MessageType::Renew, MessageType::Rebind] {
        let told = server.ask(client.message(message_type).pd(1, &[&held[0].to_string(), "::/60"]));
        assert_eq!(told.pd(1).leases.len(), 1);
        assert_eq!(told.pd(1).lifetimes(held[0]), Some((3600, 7200)));
    }
    assert_eq!(server.held(&client), held);
}

// DH-R-22
#[test]
fn a_renew_with_a_new_association_and_a_wish_gets_that_length() {
    let mut server = server();
    let mut client = Client::new(1);
    server.bind(client.request().pd(1, &[]));
    let told = server.ask(client.renew().pd(2, &["::/64"]));
    assert_eq!(told.pd(2).lease().resource.prefix().unwrap().length(), 64);
}
