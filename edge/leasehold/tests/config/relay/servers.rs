//! `[[relay.server]]`, and what servers are asked.

use std::net::{Ipv6Addr, SocketAddrV6};

use leasehold::config::relay::Server;

use super::{RELAY, assert_relay_fault, assert_server_fault, spoiled};
use crate::{assert_fault, good, parse};

// REL-06
#[test]
fn without_a_server_everything_goes_to_all_of_them() {
    let upstream = "[relay.upstream]\ninterfaces = [\"eth0\"]\n[relay.routes]";
    let text = spoiled("[[relay.server]]\naddress = \"2001:db8:ffff::1\"\nleasequery = true\n", "");
    let config = good(&text.replace("[relay.routes]", upstream));
    let all = SocketAddrV6::new(Ipv6Addr::new(0xff05, 0, 0, 0, 0, 0, 1, 3), 547, 0, 0);
    let relay = config.relay.unwrap();
    assert_eq!(relay.servers, [Server { leasequery: None, ..Server::at(all) }]);
    assert!(relay.servers[0].forwards);
    assert_eq!(config.warnings.len(), 1);
    let warning = config.warnings[0].to_string();
    assert!(warning.contains(":1: relay: no server is asked"), "{warning}");
    assert_fault(&text, 1, "relay", &["ff05::1:3 is a group", "[relay.upstream]", "interfaces = [\"eth0\"]"]);
}

#[test]
fn addresses_of_servers() {
    let address = "\"2001:db8:ffff::1\"";
    let bad = |bad: &str, parts: &[&str]| {
        assert_relay_fault(address, &format!("\"{bad}\""), 4, "relay.server.address", parts);
    };
    bad("192.0.2.1", &["is an IPv4 address"]);
    bad("192.0.2.1:547", &["is an IPv4 address"]);
    bad("2001:db8::1:547:x", &["is not an IPv6 address", "\"[2001:db8::1]:547\""]);
    bad("[2001:db8::1]:0", &["is not an IPv6 address"]);
    bad("::", &["is the address of nobody"]);
    bad("fe80::1", &["is on every link", "fe80::1%eth0"]);
    bad("fe80::1%eth*", &["may mean several interfaces"]);
    bad("fe80::1%", &["is empty"]);
    bad("2001:db8::1%eth0", &["does not belong to eth0 alone", "write \"2001:db8::1\""]);
}

#[test]
fn where_servers_are_asked() {
    assert_server_fault(
        "leasequery = 1",
        "relay.server.leasequery",
        &["is of the type integer", "true or false"],
    );
    let group = "leasequery = \"ff05::1:3\"";
    assert_server_fault(group, "relay.server.leasequery", &["is a group, and one server is asked"]);
    let link_local = "leasequery = \"fe80::1%eth0\"";
    assert_server_fault(link_local, "relay.server.leasequery", &["not by the same interface"]);
    assert_server_fault("from = \"ff02::1\"", "relay.server.from", &["is no address of this host"]);
    assert_fault(
        &spoiled("leasequery = true", "leasequery = false\nfrom = \"2001:db8::9\""),
        6,
        "relay.server.from",
        &["nobody is asked"],
    );
    let address = "address = \"ff05::1:3%eth0\"";
    let text = spoiled("address = \"2001:db8:ffff::1\"", address);
    assert_fault(&text, 5, "relay.server.leasequery", &["ff05::1:3 is a group", "or false"]);
}

#[test]
fn servers_side_by_side() {
    let another = |text: &str| format!("leasequery = true\n[[relay.server]]\n{text}");
    let twice = another("address = \"[2001:db8:ffff::1]:547\"");
    let parts = ["2001:db8:ffff::1 is the address of a server in line 3 already"];
    assert_relay_fault("leasequery = true", &twice, 6, "relay.server", &parts);
    let names = another("name = \"a\"\naddress = \"::1\"\n[[relay.server]]\nname = \"a\"\naddress = \"::2\"");
    assert_relay_fault("leasequery = true", &names, 9, "relay.server", &["a is the name", "line 6"]);
    let idle = another("address = \"::1\"\nforward = false\nleasequery = false");
    assert_relay_fault("leasequery = true", &idle, 6, "relay.server", &["sent nothing and asked nothing"]);
    let only_asked = "leasequery = true\nforward = false";
    let found = parse(&spoiled("leasequery = true", only_asked)).unwrap_err();
    assert!(found.to_string().contains("nobody is sent what clients say"), "{found}");
    let many: String = (2..=70).map(|n| format!("[[relay.server]]\naddress = \"2001:db8::{n}\"\n")).collect();
    let found = parse(&format!("{RELAY}{many}")).unwrap_err();
    assert!(found.to_string().contains("has 70 servers; name 64 at the most"), "{found}");
    let listed = "[relay.upstream]\ninterfaces = [\"eth0\"]\nlisted-servers-only = true\n[[relay.server]]";
    let listed = spoiled("[[relay.server]]", listed).replacen("2001:db8:ffff::1", "ff05::1:3", 1);
    let listed = listed.replacen("leasequery = true", "", 1);
    assert_fault(&listed, 6, "relay.server", &["ff05::1:3 is a group", "listed-servers-only"]);
}

#[test]
fn what_is_asked_by_is_what_servers_know() {
    let without_id = "send-relay-id = false";
    let text = spoiled("unique-clients = false", without_id);
    assert_fault(&text, 1, "relay", &["ask-by has relay-id, which servers are not told", "\"link\""]);
    good(&format!("{text}[relay.recovery]\nask-by = [\"link\"]"));
    let ask = |queries: &str| format!("{RELAY}[relay.recovery]\nask-by = [{queries}]");
    assert_fault(&ask("\"remote-id\""), 1, "relay", &["remote-id, which no interface has"]);
    assert_fault(&ask(""), 11, "relay.recovery.ask-by", &["asks for nothing", "leasequery = false"]);
    let twice = "\"link\", \"relay-id\", \"link\"";
    assert_fault(&ask(twice), 11, "relay.recovery.ask-by", &["link stands here twice"]);
}
