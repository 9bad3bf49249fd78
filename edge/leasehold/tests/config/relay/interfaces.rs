//! `[[relay.interface]]`.

use super::{assert_interface_fault, assert_relay_fault, relay, spoiled};
use crate::{assert_fault, good};

#[test]
fn templates() {
    let id = |template: &str| format!("interface-id = \"{template}\"");
    let key = "relay.interface.interface-id";
    assert_interface_fault(&id("{nic}"), 10, key, &["there is no {nic}", "{interface}"]);
    assert_interface_fault(&id("{interface"), 10, key, &["without its }"]);
    assert_interface_fault(&id(""), 10, key, &["at least one octet"]);
    assert_interface_fault(&id("0x1"), 10, key, &["hexadecimal"]);
    assert_interface_fault(&id("{hostname}"), 10, key, &["one Interface-ID", "{interface}"]);
    assert_interface_fault("subscriber-id = \"{x}\"", 10, "relay.interface.subscriber-id", &["{x}"]);
    let remote_id = "remote-id = { enterprise = 1, value = \"\" }";
    assert_interface_fault(remote_id, 10, "relay.interface.remote-id.value", &["at least one octet"]);
    good(&spoiled("names = [\"vlan*\"]", "names = [\"vlan1\"]\ninterface-id = \"uplink\""));
}

#[test]
fn link_addresses() {
    let key = "relay.interface.link-address";
    for (text, part) in
        [("ff02::1", "names no link"), ("::", "names no link"), ("2001:db8::1/64", "2001:db8::/64")]
    {
        assert_interface_fault(&format!("link-address = \"{text}\""), 10, key, &[part]);
    }
}

#[test]
fn the_special_stands_before_the_general() {
    let two = |first: &str, second: &str| {
        let sections = format!("names = [{first}]\n[[relay.interface]]\nnames = [{second}]");
        spoiled("names = [\"vlan*\"]", &sections)
    };
    let relay = relay(&two("\"vlan7\", \"vlan1*\"", "\"vlan*\""));
    assert_eq!(relay.interfaces.len(), 2);
    let covered = ["vlan7 is meant by vlan* of line 9 already", "the special before the general"];
    assert_fault(&two("\"vlan*\"", "\"vlan7\""), 11, "relay.interface.names", &covered);
    assert_fault(&two("\"vlan*\"", "\"vlan1?\""), 11, "relay.interface.names", &["vlan1? is meant by"]);
    assert_fault(&two("\"eth0\"", "\"eth0\""), 11, "relay.interface.names", &["eth0 is meant by eth0"]);
}

#[test]
fn no_interface_faces_both_ways() {
    let upstream = "[relay.upstream]\ninterfaces = [\"vlan1\"]\n[relay.routes]";
    let parts = ["vlan* and vlan1 of upstream.interfaces mean the same interface"];
    assert_relay_fault("[relay.routes]", upstream, 11, "relay.interface.names", &parts);
}
