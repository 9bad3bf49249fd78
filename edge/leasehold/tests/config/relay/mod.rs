//! `[relay]`: what it means, and what is said when it is wrong.

mod interfaces;
mod lightweight;
mod routes;
mod servers;

use std::net::SocketAddrV6;
use std::time::Duration;

use leasehold::config::relay::{
    ClientInterfaces, Filter, FilterFamily, LinkAddress, LoopPolicy, Mode, Recovery, Relay, RemoteId,
    RouteTable, Routes, Server, SuppliedOption,
};
use relay::PortRules;
use wire::OptionCode;
use wire::leasequery::QueryType;

use crate::{assert_fault, good};

/// A relay that is good, in lines 1 to 9, to be spoiled.
const RELAY: &str = r#"[relay]
unique-clients = false
[[relay.server]]
address = "2001:db8:ffff::1"
leasequery = true
[relay.routes]
aggregates = ["2001:db8:f000::/40"]
[[relay.interface]]
names = ["vlan*"]
"#;

fn relay(text: &str) -> Relay {
    good(text).relay.expect("the text has [relay]")
}

/// [`RELAY`] with a part replaced.
#[track_caller]
fn spoiled(good: &str, bad: &str) -> String {
    assert!(RELAY.contains(good), "{good}");
    RELAY.replacen(good, bad, 1)
}

/// As [`assert_fault`], with one part of [`RELAY`] replaced.
#[track_caller]
fn assert_relay_fault(good: &str, bad: &str, line: usize, key: &str, parts: &[&str]) {
    assert_fault(&spoiled(good, bad), line, key, parts);
}

/// As [`assert_relay_fault`], with something put behind `[relay]`, so in line 2.
#[track_caller]
fn assert_general_fault(added: &str, key: &str, parts: &[&str]) {
    assert_relay_fault("unique-clients = false", added, 2, key, parts);
}

/// As [`assert_relay_fault`], with something put behind the address of the server, so in line 5.
#[track_caller]
fn assert_server_fault(added: &str, key: &str, parts: &[&str]) {
    assert_relay_fault("leasequery = true", added, 5, key, parts);
}

/// As [`assert_relay_fault`], with something put behind everything else.
#[track_caller]
fn assert_interface_fault(added: &str, line: usize, key: &str, parts: &[&str]) {
    assert_fault(&format!("{RELAY}{added}"), line, key, parts);
}

// PDR-09
#[test]
fn what_is_not_said_is_usual() {
    assert_eq!(good("").relay, None);
    let relay = relay(RELAY);
    let usual = Relay::default();
    assert!(usual.sends_relay_id && usual.client_link_layer_address);
    assert_eq!((usual.listen_port, usual.source_port, usual.client_port), (547, 547, 546));
    assert!(usual.recovery.remembers && usual.recovery.ask_by == [QueryType::BY_RELAY_ID]);
    assert_eq!(relay.servers, [Server::at("[2001:db8:ffff::1]:547".parse().unwrap())]);
    let routes = relay.routes.as_ref().expect("routes are made");
    assert_eq!((routes.protocol, routes.metric, &routes.table), (220, 512, &RouteTable::Number(254)));
    assert!(routes.unreachable_aggregates && !routes.host_routes && routes.filter.is_none());
    let [interfaces] = relay.interfaces.as_slice() else { panic!("one section") };
    assert_eq!(interfaces.rules, PortRules::default());
    assert_eq!(interfaces.rules.max_delegations_per_client, 8);
    assert_eq!(interfaces.interface_id.to_string(), "{interface}");
    let Relay { servers, routes, interfaces, .. } = relay.clone();
    assert_eq!(relay, Relay { servers, routes, interfaces, ..usual });
}

// REL-04, REL-05, REL-32, PDR-06, PDR-08
#[test]
fn every_key_is_read() {
    let relay = relay(
        r#"
        [relay]
        relay-id = "00:02:00:00:7e:d9:01"
        send-relay-id = false
        listen-port = 10547
        source-port = 20547
        client-port = 10546
        client-link-layer-address = false
        refuse-supplied-options = true
        echo-request = ["REMOTE_ID", 38]
        supplied-options = [{ code = 65, hex = "00" }]
        unique-clients = true
        upstream = { interfaces = ["eth0", "eth1"] }
        [[relay.server]]
        name = "one"
        address = "[2001:db8::1]:1547"
        leasequery = "2001:db8::2"
        from = "2001:db8::3"
        [[relay.server]]
        address = "fe80::1%eth0"
        leasequery = false
        [[relay.server]]
        address = "ff05::1:3"
        [[relay.server]]
        address = "ff02::1:2%eth1"
        leasequery = "[fe80::2%eth1]:1547"
        [[relay.server]]
        address = "::1"
        forward = false
        [relay.recovery]
        ask-by = ["remote-id", "link"]
        refresh-secs = 3600
        data-timeout-secs = 400
        retry-max-secs = 30
        remember = false
        [relay.routes]
        aggregates = ["2001:db8:f000::/40", "fd00::/8"]
        host-routes = true
        protocol = 240
        metric = 1
        vrf = "customers"
        unreachable-aggregates = false
        reconcile-secs = 0
        filter = { family = "ip6", table = "a", set = "b" }
        loops = "reject"
        [[relay.interface]]
        names = ["vlan7"]
        interface-id = "0x0007"
        link-address = "2001:db8:1::1"
        [[relay.interface]]
        names = ["vlan*", "ppp?"]
        interface-id = "{hostname}/{interface}"
        remote-id = { enterprise = 32473, value = "{mac}" }
        subscriber-id = "{vlan}"
        link-address = "2001:db8:1::/64"
        accept-relays = false
        accept-leasequery = true
        accept-unicast = true
        max-delegations = 4
        max-delegations-per-client = 2
        "#,
    );
    let address = |text: &str| text.parse::<SocketAddrV6>().unwrap();
    let names =
        |names: &[&str]| names.iter().map(|name| lease::InterfacePattern((*name).to_owned())).collect();
    let eth = |number: u8| Some(format!("eth{number}"));
    let servers = vec![
        Server {
            name: Some("one".to_owned()),
            leasequery: Some(address("[2001:db8::2]:547")),
            from: Some("2001:db8::3".parse().unwrap()),
            ..Server::at(address("[2001:db8::1]:1547"))
        },
        Server { interface: eth(0), leasequery: None, ..Server::at(address("[fe80::1]:547")) },
        Server::at(address("[ff05::1:3]:547")),
        Server {
            interface: eth(1),
            leasequery: Some(address("[fe80::2]:1547")),
            ..Server::at(address("[ff02::1:2]:547"))
        },
        Server { forwards: false, ..Server::at(address("[::1]:547")) },
    ];
    let recovery = Recovery {
        ask_by: vec![QueryType::BY_REMOTE_ID, QueryType::BY_LINK_ADDRESS],
        refresh: Some(Duration::from_secs(3600)),
        data_timeout: Duration::from_secs(400),
        retry_max: Duration::from_secs(30),
        remembers: false,
    };
    let filter = Filter { family: FilterFamily::Ip6, table: "a".to_owned(), set: "b".to_owned() };
    let routes = Routes {
        aggregates: vec!["2001:db8:f000::/40".parse().unwrap(), "fd00::/8".parse().unwrap()],
        host_routes: true,
        protocol: 240,
        metric: 1,
        table: RouteTable::Vrf("customers".to_owned()),
        unreachable_aggregates: false,
        reconcile: None,
        filter: Some(filter),
        loops: LoopPolicy::Reject,
    };
    let first = ClientInterfaces {
        interface_id: "0x0007".parse().unwrap(),
        link_address: LinkAddress::Fixed("2001:db8:1::1".parse().unwrap()),
        ..ClientInterfaces::usual(names(&["vlan7"]), Mode::Routed)
    };
    let second = ClientInterfaces {
        names: names(&["vlan*", "ppp?"]),
        interface_id: "{hostname}/{interface}".parse().unwrap(),
        remote_id: Some(RemoteId { enterprise: 32473, value: "{mac}".parse().unwrap() }),
        subscriber_id: Some("{vlan}".parse().unwrap()),
        link_address: LinkAddress::Within("2001:db8:1::/64".parse().unwrap()),
        rules: PortRules {
            accepts_relays: false,
            accepts_leasequery: true,
            accepts_unicast: true,
            max_delegations_per_client: 2,
            max_delegations: 4,
        },
        messages_per_second: None,
    };
    let expected = Relay {
        mode: Mode::Routed,
        relay_id: Some("00:02:00:00:7e:d9:01".parse().unwrap()),
        sends_relay_id: false,
        listen_port: 10547,
        source_port: 20547,
        client_port: 10546,
        client_link_layer_address: false,
        refuses_supplied_options: true,
        echo_request: vec![OptionCode::REMOTE_ID, OptionCode::SUBSCRIBER_ID],
        supplied_options: vec![SuppliedOption { code: OptionCode::ERP_LOCAL_DOMAIN_NAME, data: [0].into() }],
        unique_clients: true,
        upstream: names(&["eth0", "eth1"]),
        listed_servers_only: false,
        servers,
        recovery,
        routes: Some(routes),
        interfaces: vec![first, second],
    };
    assert_eq!(relay, expected);
    let terms = relay.terms(&"00:02:00:00:7e:d9:01".parse().unwrap());
    assert_eq!((terms.relay_id, terms.relay_port, terms.source_port), (None, 10547, 20547));
    assert_eq!(
        (terms.echo_request.octets(), terms.supplied.octets()),
        (&[0, 37, 0, 38][..], &[0, 65, 0, 1, 0][..])
    );
}

#[test]
fn the_source_port_follows_the_port_that_is_listened_on() {
    let relay = relay(&spoiled("unique-clients = false", "listen-port = 10547"));
    assert_eq!((relay.listen_port, relay.source_port), (10547, 10547));
}

#[test]
fn what_is_missing() {
    assert_relay_fault("[[relay.interface]]\nnames = [\"vlan*\"]", "", 1, "relay", &["interface is missing"]);
    assert_relay_fault("names = [\"vlan*\"]", "", 8, "relay.interface", &["names is missing", "eth1"]);
    assert_relay_fault("names = [\"vlan*\"]", "names = []", 9, "relay.interface.names", &["is empty"]);
    assert_relay_fault("address = \"2001:db8:ffff::1\"\n", "", 3, "relay.server", &["address is missing"]);
    let remote_id = "remote-id = { value = \"x\" }";
    assert_interface_fault(remote_id, 10, "relay.interface.remote-id", &["enterprise is missing"]);
}

#[test]
fn unknown_keys_and_words() {
    assert_general_fault("listen = 547", "relay.listen", &["did you mean listen-port?"]);
    assert_general_fault("mode = \"lightweigth\"", "relay.mode", &["did you mean lightweight?"]);
    assert_general_fault("mode = \"x\"", "relay.mode", &["\"x\" means nothing here", "\"routed\""]);
    assert_interface_fault("name = \"x\"", 10, "relay.interface.name", &["did you mean names?"]);
    let ask_by = "[relay.recovery]\nask-by = [\"relayid\"]";
    assert_interface_fault(ask_by, 11, "relay.recovery.ask-by", &["did you mean relay-id?"]);
}

#[test]
fn numbers_out_of_range() {
    for key in ["listen-port", "source-port", "client-port"] {
        let whole = format!("relay.{key}");
        assert_general_fault(&format!("{key} = 0"), &whole, &["out of range", "from 1 to 65535"]);
    }
    let cases = [
        ("recovery", "refresh-secs", "-1", "from 0 to 604800"),
        ("recovery", "data-timeout-secs", "0", "from 1 to 86400"),
        ("recovery", "retry-max-secs", "61", "from 1 to 60"),
    ];
    for (table, key, bad, range) in cases {
        let text = format!("[relay.{table}]\n{key} = {bad}");
        assert_interface_fault(&text, 11, &format!("relay.{table}.{key}"), &["out of range", range]);
    }
    for (key, bad, range) in [
        ("protocol", "256", "from 0 to 255"),
        ("metric", "0", "from 1 to 4294967295"),
        ("table", "0", "from 1 to 4294967295"),
        ("reconcile-secs", "86401", "from 0 to 86400"),
    ] {
        let routes = format!("[relay.routes]\n{key} = {bad}");
        assert_relay_fault("[relay.routes]", &routes, 7, &format!("relay.routes.{key}"), &[range]);
    }
    for (key, bad, range) in [
        ("max-delegations", "0", "from 1 to 16777216"),
        ("max-delegations-per-client", "0", "from 1 to 16777216"),
    ] {
        assert_interface_fault(&format!("{key} = {bad}"), 10, &format!("relay.interface.{key}"), &[range]);
    }
}

// BLQ-F-15
#[test]
fn a_short_data_timeout_is_accepted_with_a_warning() {
    let config = good(&format!("{RELAY}[relay.recovery]\ndata-timeout-secs = 299"));
    assert_eq!(config.warnings.len(), 1);
    assert_eq!(config.warnings[0].key, "relay.recovery.data-timeout-secs");
}

// REL-40
#[test]
fn only_what_is_registered_for_it_can_be_supplied() {
    let problem = "relays may not supply DNS_SERVERS";
    for code in ["23", "\"DNS_SERVERS\""] {
        let options = format!("supplied-options = [{{ code = {code}, addresses = [\"2001:db8::53\"] }}]");
        assert_general_fault(&options, "relay.supplied-options.code", &[problem, "ERP_LOCAL_DOMAIN_NAME"]);
    }
    let twice = "supplied-options = [{ code = 65, u8 = 0 }, { code = 65, u8 = 1 }]";
    assert_general_fault(twice, "relay.supplied-options.code", &["ERP_LOCAL_DOMAIN_NAME", "twice"]);
    let long = format!("supplied-options = [{{ code = 65, text = \"{}\" }}]", "x".repeat(600));
    assert_general_fault(&long, "relay.supplied-options", &["512 octets"]);
}

// REL-34
#[test]
fn what_would_confuse_the_relay_is_not_asked_for() {
    let echo = |codes: &str| format!("echo-request = [{codes}]");
    assert_general_fault(&echo("9"), "relay.echo-request", &["RELAY_MSG cannot be asked for"]);
    assert_general_fault(&echo("37, \"REMOTE_ID\""), "relay.echo-request", &["REMOTE_ID", "twice"]);
    let many: Vec<String> = (200..300).map(|code| code.to_string()).collect();
    assert_general_fault(&echo(&many.join(", ")), "relay.echo-request", &["64 options"]);
}
