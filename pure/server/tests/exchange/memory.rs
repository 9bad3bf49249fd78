//! What is remembered of how a client was heard: leasequery tells it (RFC 5007, RFC 5460).

use std::collections::BTreeSet;

use lease::{Cursor, Identifier, Search};
use server::Arrived;
use server::leasequery::{Access, BulkLimits, Policy, Rule, datagram};
use wire::{ClientMessage, Duid, MessageType, OptionCode, Options, RelayChain, Writer};

use crate::kit::{Client, Draft, Relay, Server, Site, address, prefix, server_id};

fn relay_id(number: u8) -> Duid {
    Duid::new(&[0, 3, 0, 1, 2, 0, 0, 0, 0xaa, number]).unwrap()
}

fn relay(number: u8, port: &str) -> Relay {
    Relay::at("2001:db8:1::1").relay_id(&relay_id(number)).remote_id(port)
}

fn is_found(server: &Server, identifier: Identifier) -> bool {
    server.holdings.table.search(&Search::everywhere(identifier), Cursor::START).next().is_some()
}

fn is_behind(server: &Server, number: u8) -> bool {
    is_found(server, Identifier::Relay(relay_id(number)))
}

fn is_at(server: &Server, port: &str) -> bool {
    is_found(server, Identifier::Remote([&[0, 0, 1, 2], port.as_bytes()].concat().into()))
}

/// Seconds since the client was last heard.
fn heard_ago(server: &Server, client: &Client) -> u64 {
    server.now().unix_secs - server.client(client, 1).unwrap().heard_unix_secs
}

// BLQ-S-27, BLQ-S-28, DH-R-53
#[test]
fn the_relay_and_the_port_of_the_latest_message_are_remembered() {
    let mut server = Site::usual().open();
    let mut client = Client::new(1);
    server.bind(client.request().na(1, &[]));
    assert!(server.client(&client, 1).unwrap().path().is_none());
    server.ask(client.renew().na(1, &[]).through(&[&relay(1, "port 7")]));
    assert!(is_behind(&server, 1) && is_at(&server, "port 7"));
    server.ask(client.rebind().na(1, &[]).through(&[&relay(1, "port 8")]));
    assert!(is_behind(&server, 1) && is_at(&server, "port 8") && !is_at(&server, "port 7"));
}

// BLQ-S-29, D-14
#[test]
fn every_level_counts_and_all_are_replaced_together() {
    let mut server = Site::usual().open();
    let mut client = Client::new(1);
    let (inner, outer) = (relay(1, "port 7"), relay(2, "uplink 3"));
    server.bind(client.request().na(1, &[]).through(&[&inner, &outer]));
    assert!(is_behind(&server, 1) && is_behind(&server, 2));
    assert!(is_at(&server, "port 7") && is_at(&server, "uplink 3"));
    let path = server.client(&client, 1).unwrap().path().unwrap();
    assert_eq!(RelayChain::decode_path(path).unwrap().hops().len(), 2);
    assert_eq!(server.client(&client, 1).unwrap().peer_address, address("2001:db8:ffff::1"));
    server.ask(client.renew().na(1, &[]).through(&[&outer]));
    assert!(!is_behind(&server, 1) && is_behind(&server, 2) && !is_at(&server, "port 7"));
    // Directly: then no relay finds it.
    server.ask(client.renew().na(1, &[]));
    assert!(!is_behind(&server, 2) && !is_at(&server, "uplink 3"));
}

// D-14
#[test]
fn identifiers_that_are_none_are_ignored_and_the_message_is_not() {
    let mut server = Site::usual().open();
    let odd = Relay::at("2001:db8:1::1")
        .option(OptionCode::RELAY_ID, &[])
        .option(OptionCode::REMOTE_ID, &[0, 0, 1, 2]);
    server.bind(Client::new(1).request().na(1, &[]).through(&[&odd]));
    let twice = relay(1, "port 7").relay_id(&relay_id(2)).remote_id("port 8");
    server.bind(Client::new(2).request().na(1, &[]).through(&[&twice]));
    assert!(!is_behind(&server, 1) && !is_behind(&server, 2));
    assert!(!is_at(&server, "port 7") && !is_at(&server, "port 8") && !is_at(&server, ""));
}

// D-06, DH-R-53, DH-R-15, DH-R-34
#[test]
fn only_what_is_about_bindings_counts_as_having_been_heard() {
    let wished = ["2001:db8:1::1:123"];
    let bound = || {
        let mut server = Site::usual().but(|site| site.terms(1).rapid_commit = true).open();
        let mut client = Client::new(1);
        server.bind(client.request().na(1, &wished).na(2, &[]).through(&[&relay(1, "port 7")]));
        server.wait(100);
        (server, client)
    };
    for (message_type, counts) in [
        (MessageType::Solicit, false),
        (MessageType::Request, true),
        (MessageType::Confirm, false),
        (MessageType::Renew, true),
        (MessageType::Rebind, true),
        (MessageType::Release, true),
        (MessageType::Decline, true),
        (MessageType::InformationRequest, false),
    ] {
        let (mut server, mut client) = bound();
        let draft = client.message(message_type);
        let draft =
            if message_type == MessageType::InformationRequest { draft } else { draft.na(1, &wished) };
        server.ask(draft.through(&[&relay(2, "port 8")]));
        let expected = if counts { (0, true, true) } else { (100, false, false) };
        let heard = (heard_ago(&server, &client), is_behind(&server, 2), is_at(&server, "port 8"));
        assert_eq!(heard, expected, "{message_type}");
    }
    let (mut server, mut client) = bound();
    server.ask(client.solicit().rapid_commit().na(1, &wished).through(&[&relay(2, "port 8")]));
    assert_eq!((heard_ago(&server, &client), is_behind(&server, 2)), (0, true));
    // A message that changed nothing, and one that is only told what is not the client's.
    let foreign = ["2001:db8:2::1:123"];
    for draft in [Client::release, Client::rebind] {
        let (server, mut client) = bound();
        let mut server = Site::usual().open_with(server.close());
        server.wait(100);
        server.ask(draft(&mut client).na(99, &foreign).through(&[&relay(2, "port 8")]));
        assert_eq!((heard_ago(&server, &client), is_behind(&server, 2)), (100, false));
    }
}

// D-06, BLQ-S-27, BLQ-S-28
#[test]
fn a_lease_that_only_runs_out_is_found_where_its_client_is() {
    let mut server = Site::usual().open();
    let mut client = Client::new(1);
    let held = server.bind(client.request().pd(1, &[]).through(&[&relay(1, "port 7")]));
    let without_pools = Site::usual().but(|site| site.link(1).delegation_pools.clear());
    let mut server = without_pools.open_with(server.close());
    server.wait(100);
    let renew = client.renew().pd(1, &[&held[0].to_string()]);
    let told = server.ask(renew.through(&[&relay(2, "port 8")]));
    assert_eq!(told.pd(1).lifetimes(held[0]), Some((3500, 7100)));
    assert!(told.answered.changes.is_empty());
    assert_eq!((heard_ago(&server, &client), is_behind(&server, 1), is_behind(&server, 2)), (0, false, true));
    assert_eq!(server.remaining_secs(&client), 7100);
}

// D-02
#[test]
fn a_client_on_two_links_is_remembered_on_each() {
    let mut server = Site::usual().open();
    let mut client = Client::new(1);
    server.bind(client.request().na(1, &[]).through(&[&relay(1, "port 7")]));
    let on_second = Relay::at("2001:db8:2::1").relay_id(&relay_id(2));
    server.bind(client.request().pd(1, &[]).through(&[&on_second]));
    assert!(is_behind(&server, 1) && is_behind(&server, 2));
    assert_eq!(server.client(&client, 1).unwrap().leases().count(), 1);
    assert_eq!(server.client(&client, 2).unwrap().leases().count(), 1);
}

/// CLIENT_DATA of a leasequery over UDP by client, with what is asked for.
fn queried(server: &Server, client: &Client, wanted: &[u16]) -> Vec<u8> {
    let codes: Vec<u8> = wanted.iter().flat_map(|code| code.to_be_bytes()).collect();
    let mut query = vec![2];
    query.extend([0; 16]);
    let mut w = Writer::new(&mut query);
    w.raw_option(OptionCode::CLIENTID, client.duid.octets());
    w.raw_option(OptionCode::ORO, &codes);
    w.finish().unwrap();
    let question =
        Draft::new(MessageType::LeaseQuery, 7).client_id(&relay_id(1)).option(OptionCode::LQ_QUERY, &query);
    let policy = Policy {
        server_id: server_id(),
        access: Access::new(vec![Rule { from: prefix("::/0"), queries: None }]),
        refuse_silently: false,
        sensitive_options: BTreeSet::new(),
        track_relays: true,
        relayed_hops: 0,
        bulk: BulkLimits::default(),
    };
    let (mut out, source) = (Vec::new(), address("2001:db8:ffff::1"));
    let octets = question.octets();
    let arrived = Arrived::decode(&octets, source, source, None).unwrap();
    datagram::answer(&arrived, &policy, &server.holdings, server.now(), &mut out).unwrap();
    let reply = ClientMessage::decode(&out).unwrap();
    reply.options.client_data().unwrap().expect("data").octets().to_vec()
}

// DH-O-06
#[test]
fn what_a_delegation_excludes_is_told_to_leasequery() {
    let mut server = Site::usual()
        .but(|site| site.link(1).delegation_pools[0].excluded = Some(prefix("2001:db8:f000:10f::/64")))
        .open();
    let mut client = Client::new(1).wanting(&[67]);
    server.bind(client.request().pd(1, &["2001:db8:f000:100::/56"]));
    let data = queried(&server, &client, &[67]);
    let lease = Options::new(&data).unwrap().ia_prefixes().next().unwrap().unwrap();
    assert_eq!(lease.prefix, prefix("2001:db8:f000:100::/56"));
    assert_eq!(lease.options.only(OptionCode::PD_EXCLUDE).unwrap(), Some(&[64, 0x0f][..]));
}

// DH-R-53
#[test]
fn the_clients_own_classes_are_told_to_leasequery() {
    let mut server = Site::usual().open();
    let mut client = Client::new(1);
    let class = b"\0\0\0\x09\0\x04cpe1";
    let request = client.request().na(1, &[]).option(OptionCode::VENDOR_CLASS, class);
    server.bind(request.option(OptionCode::USER_CLASS, &[0xff; 300]));
    let data = queried(&server, &client, &[15, 16]);
    let data = Options::new(&data).unwrap();
    assert_eq!(data.only(OptionCode::VENDOR_CLASS).unwrap(), Some(&class[..]));
    assert!(!data.has(OptionCode::USER_CLASS), "too large to be remembered");
}

// DH-V-27
#[test]
fn a_name_with_a_pointer_in_it_is_not_remembered() {
    for (fqdn, is_kept) in
        [(&b"\0\x03cpe\x07example\0"[..], true), (b"\0\x03cpe", true), (b"\0\x03cpe\xc0\x0c", false)]
    {
        let mut server = Site::usual().open();
        let mut client = Client::new(1);
        server.bind(client.request().na(1, &[]).option(OptionCode::CLIENT_FQDN, fqdn));
        let data = queried(&server, &client, &[39]);
        assert_eq!(Options::new(&data).unwrap().has(OptionCode::CLIENT_FQDN), is_kept, "{fqdn:?}");
    }
}
