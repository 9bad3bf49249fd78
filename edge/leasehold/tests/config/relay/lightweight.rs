//! `mode = "lightweight"`.

use leasehold::config::relay::Mode;

use super::{RELAY, relay};
use crate::assert_fault;

/// A lightweight relay that is good, to be spoiled.
const LIGHTWEIGHT: &str = r#"[relay]
mode = "lightweight"
[relay.upstream]
interfaces = ["eth0"]
[[relay.interface]]
names = ["port*"]
"#;

// LDR-01
#[test]
fn a_lightweight_relay_knows_which_interfaces_face_the_network() {
    let lightweight = relay(LIGHTWEIGHT);
    assert_eq!(lightweight.mode, Mode::Lightweight);
    assert_eq!(lightweight.upstream, [lease::InterfacePattern("eth0".to_owned())]);
    assert_eq!((lightweight.servers, lightweight.routes), (Vec::new(), None));
    let without = LIGHTWEIGHT.replace("interfaces = [\"eth0\"]", "");
    assert_fault(&without, 1, "relay", &["upstream.interfaces is missing", "face the network"]);
    let without = LIGHTWEIGHT.replace("[[relay.interface]]\nnames = [\"port*\"]\n", "");
    assert_fault(&without, 1, "relay", &["interface is missing", "clients are on"]);
    let both = LIGHTWEIGHT.replace("port*", "eth0");
    assert_fault(&both, 6, "relay.interface.names", &["clients or servers"]);
}

// LDR-13, LDR-20
#[test]
fn clients_of_a_lightweight_relay_are_untrusted_and_slowed_down_unless_it_is_said() {
    let trusted = "[[relay.interface]]\nnames = [\"trunk\"]\naccept-relays = true\nmessages-per-second = 0\n";
    let [ports, trunk] = &relay(&format!("{LIGHTWEIGHT}{trusted}")).interfaces[..] else {
        panic!("two sections")
    };
    assert!(!ports.rules.accepts_relays && trunk.rules.accepts_relays);
    assert_eq!((ports.messages_per_second, trunk.messages_per_second), (Some(100), None));
    assert!(relay(RELAY).interfaces[0].rules.accepts_relays);
    assert_eq!(relay(RELAY).interfaces[0].messages_per_second, None);
}

#[test]
fn a_lightweight_relay_has_neither_addresses_nor_routes() {
    let assert_meaningless = |text: &str, line: usize, key: &str| {
        assert_fault(text, line, key, &["means nothing in lightweight mode", "mode = \"routed\""]);
    };
    for (key, value) in [("listen-port", "547"), ("client-port", "5"), ("unique-clients", "true")] {
        let text = LIGHTWEIGHT.replace("[relay.upstream]", &format!("{key} = {value}\n[relay.upstream]"));
        assert_meaningless(&text, 3, &format!("relay.{key}"));
    }
    for table in ["recovery", "routes"] {
        assert_meaningless(&format!("{LIGHTWEIGHT}[relay.{table}]"), 7, &format!("relay.{table}"));
    }
    let server = format!("{LIGHTWEIGHT}[[relay.server]]\naddress = \"::1\"");
    assert_meaningless(&server, 7, "relay.server");
    for (key, value) in [("link-address", "\"2001:db8::1\""), ("max-delegations", "5")] {
        assert_meaningless(&format!("{LIGHTWEIGHT}{key} = {value}"), 7, &format!("relay.interface.{key}"));
    }
    let listed = LIGHTWEIGHT.replace("[[relay.", "listed-servers-only = true\n[[relay.");
    assert_meaningless(&listed, 5, "relay.upstream.listed-servers-only");
}

#[test]
fn a_routed_relay_slows_nobody_down() {
    let text = format!("{RELAY}messages-per-second = 5");
    assert_fault(
        &text,
        10,
        "relay.interface.messages-per-second",
        &["means nothing in routed mode", "mode = \"lightweight\""],
    );
    let text = format!("{LIGHTWEIGHT}messages-per-second = 1000001");
    assert_fault(&text, 7, "relay.interface.messages-per-second", &["from 0 to 1000000"]);
}
