//! Made-up interfaces, and what becomes of them.

use std::path::Path;

use relay::Ports;

use super::*;
use crate::config::Config;

/// All that a relay needs besides interfaces.
const ROUTES: &str = "[relay.routes]\nenabled = false\n[[relay.server]]\naddress = \"2001:db8::1\"\n";

fn layout(text: &str) -> Layout {
    let config = Config::parse(Path::new("test.toml"), text).unwrap_or_else(|faults| panic!("{faults}"));
    let relay_id = "00:02:00:00:7e:d9:01".parse().unwrap();
    Layout::on_host(&config.relay.unwrap(), &relay_id, "bng-1")
}

/// A layout with one section of interfaces.
fn section(text: &str) -> Layout {
    layout(&format!("{ROUTES}[[relay.interface]]\n{text}"))
}

fn interface(index: u32, name: &str, addresses: &[&str]) -> InterfaceFacts {
    InterfaceFacts {
        index,
        name: name.to_owned(),
        hardware_type: 1,
        hardware_address: vec![2, 0, 0, 0, 0, 1],
        is_up: true,
        is_running: true,
        vlan_id: None,
        lower_index: None,
        master_index: None,
        vrf_table: None,
        addresses: addresses.iter().map(|text| address(text)).collect(),
    }
}

/// An address, behind a letter for each flag that it has.
fn address(text: &str) -> InterfaceAddress {
    let (flags, address) = text.rsplit_once(' ').unwrap_or(("", text));
    InterfaceAddress {
        address: address.parse().unwrap(),
        prefix_length: 64,
        is_tentative: flags.contains('t'),
        is_deprecated: flags.contains('d'),
        is_temporary: flags.contains('p'),
    }
}

fn link_address(layout: &Layout, addresses: &[&str]) -> String {
    layout.ports(&[interface(1, "eth1", addresses)]).ports[0].link_address.to_string()
}

// REL-18
#[test]
fn the_lowest_lasting_address_names_the_link() {
    let eth1 = section("names = [\"eth1\"]");
    let several = ["fe80::1", "2001:db8:2::1", "2001:db8:1::2", "2001:db8:1::1"];
    assert_eq!(link_address(&eth1, &several), "2001:db8:1::1");
    assert_eq!(link_address(&eth1, &["fe80::1", "fd00::1"]), "fd00::1");
    let flagged = ["t 2001:db8::1", "d 2001:db8::2", "p 2001:db8::3", "2001:db8::4"];
    assert_eq!(link_address(&eth1, &flagged), "2001:db8::4");
    assert_eq!(link_address(&eth1, &["t 2001:db8::1", "fe80::1"]), "fe80::1");
    assert_eq!(link_address(&eth1, &["d 2001:db8::2", "fe80::1"]), "2001:db8::2");
    assert_eq!(link_address(&eth1, &["t fe80::1"]), "::");
    let port = &eth1.ports(&[interface(1, "eth1", &several)]).ports[0];
    assert_eq!(port.addresses.len(), 4, "each of them may come back in a Relay-reply");
}

// REL-18
#[test]
fn what_is_configured_names_the_link() {
    let within = section("names = [\"eth1\"]\nlink-address = \"2001:db8:2::/64\"");
    assert_eq!(link_address(&within, &["2001:db8:1::1", "2001:db8:2::1", "fe80::1"]), "2001:db8:2::1");
    assert_eq!(link_address(&within, &["2001:db8:1::1"]), "2001:db8:2::");
    let fixed = section("names = [\"eth1\"]\nlink-address = \"2001:db8:3::1\"");
    assert_eq!(link_address(&fixed, &["2001:db8:1::1"]), "2001:db8:3::1");
    let port = &fixed.ports(&[interface(1, "eth1", &["2001:db8:1::1"])]).ports[0];
    assert_eq!(port.addresses.len(), 2);
}

// REL-19
#[test]
fn interfaces_that_share_an_address_are_told_apart_by_interface_id() {
    let vlans = section("names = [\"vlan*\"]\nlink-address = \"2001:db8:1::1\"");
    let seen = vlans.ports(&[interface(8, "vlan8", &[]), interface(7, "vlan7", &[])]);
    assert!(seen.complaints.is_empty());
    let mut ports = Ports::default();
    ports.update(seen.ports);
    assert_eq!(ports.with_address("2001:db8:1::1".parse().unwrap()), None);
    for (interface_id, index) in [("vlan7", 7), ("vlan8", 8)] {
        let id = ports.with_interface_id(interface_id.as_bytes()).expect("the port is known");
        assert_eq!(ports.present(id).map(|port| port.index), Some(index));
    }
}

// REL-19
#[test]
fn of_two_interfaces_with_one_interface_id_only_the_first_is_a_port() {
    let vlans = section("names = [\"*.7\"]\ninterface-id = \"{vlan}\"");
    let mut seen = vlans.ports(&[interface(1, "eth1.7", &[]), interface(2, "eth0.7", &[])]);
    assert_eq!((seen.ports.len(), seen.ports.remove(0).name.as_str()), (1, "eth0.7"));
    let (interface, other) = ("eth1.7".to_owned(), "eth0.7".to_owned());
    assert_eq!(seen.complaints, [Complaint::SameInterfaceId { interface, other }]);
}

// REL-20, LDR-19
#[test]
fn an_interface_id_is_the_same_after_a_restart_under_another_number() {
    for mode in ["", "[relay]\nmode = \"lightweight\"\n[relay.upstream]\ninterfaces = [\"up\"]\n"] {
        let servers = if mode.is_empty() { ROUTES } else { "" };
        let text = format!(
            "{mode}{servers}[[relay.interface]]\nnames = [\"vlan*\"]\ninterface-id = \"{{hostname}}/{{interface}}\""
        );
        let before = layout(&text).ports(&[interface(7, "vlan7", &["fe80::7"]), interface(8, "vlan8", &[])]);
        let after = layout(&text).ports(&[interface(5, "vlan8", &[]), interface(9, "vlan7", &[])]);
        let ids = |seen: Seen| {
            let named = |port: Port| (port.name, port.interface_id);
            seen.ports.into_iter().map(named).collect::<Vec<_>>()
        };
        let before = ids(before);
        assert_eq!(before[0], ("vlan7".to_owned(), b"bng-1/vlan7".as_slice().into()));
        assert_eq!(ids(after), before);
    }
}

#[test]
fn the_first_section_that_matches_counts() {
    let text = "names = [\"vlan7\"]\nmax-delegations = 3\n[[relay.interface]]\nnames = [\"vlan*\"]";
    let all = ["eth0", "vlan6", "vlan7"];
    let all: Vec<InterfaceFacts> = (1..).zip(all).map(|(index, name)| interface(index, name, &[])).collect();
    let limits: Vec<(String, usize)> = section(text)
        .ports(&all)
        .ports
        .into_iter()
        .map(|port| (port.name, port.rules.max_delegations))
        .collect();
    assert_eq!(limits, [("vlan6".to_owned(), 65_536), ("vlan7".to_owned(), 3)]);
}

#[test]
fn what_names_a_subscriber_is_made_from_the_interface() {
    let text = "names = [\"eth0.*\"]\ninterface-id = \"{relay-id}/{vlan}\"\n\
                remote-id = { enterprise = 9, value = \"{mac}\" }\nsubscriber-id = \"0x00ff\"";
    let mut facts = interface(1, "eth0.x", &[]);
    facts.vlan_id = Some(70);
    let port = section(text).ports(&[facts.clone()]).ports.remove(0);
    assert_eq!(&*port.interface_id, b"00:02:00:00:7e:d9:01/70");
    let remote_id = RemoteId { enterprise: 9, value: b"02:00:00:00:00:01".as_slice().into() };
    assert_eq!((port.remote_id, port.subscriber_id), (Some(remote_id), Some([0, 255].into())));
    facts.hardware_address = vec![0; 6];
    let seen = section(text).ports(&[facts.clone()]);
    assert_eq!(seen.ports[0].remote_id, None, "it is served without what it cannot have");
    let said = seen.complaints[0].to_string();
    assert!(said.starts_with("eth0.x is served without remote-id: {mac}"), "{said}");
    facts.vlan_id = None;
    let seen = section(text).ports(&[facts]);
    assert!(seen.ports.is_empty(), "but not without a name");
    assert!(seen.complaints[0].to_string().starts_with("eth0.x is not served"), "{:?}", seen.complaints);
}

// LDR-01
#[test]
fn an_interface_faces_clients_or_servers_or_is_none_of_ours() {
    let upstream = "[relay.upstream]\ninterfaces = [\"up*\"]\n[[relay.interface]]\nnames = [\"eth*\"]";
    let mut down = interface(4, "up1", &[]);
    down.is_up = false;
    let all = [interface(1, "lo", &["::1"]), interface(2, "eth0", &[]), interface(3, "up0", &[]), down];
    for text in [format!("{ROUTES}{upstream}"), format!("[relay]\nmode = \"lightweight\"\n{upstream}")] {
        let seen = layout(&text).ports(&all);
        let ports: Vec<u32> = seen.ports.iter().map(|port| port.index).collect();
        assert_eq!((ports, seen.upstream), (vec![2], vec![3]));
    }
}

// LDR-04, LDR-13, LDR-20
#[test]
fn each_port_of_a_lightweight_relay_is_trusted_or_not_and_has_its_pace() {
    let text = "[relay]\nmode = \"lightweight\"\n[relay.upstream]\ninterfaces = [\"up0\"]\n\
                [[relay.interface]]\nnames = [\"trunk\"]\naccept-relays = true\nmessages-per-second = 0\n\
                [[relay.interface]]\nnames = [\"port*\"]";
    let seen = layout(text).ports(&[interface(1, "trunk", &["2001:db8::1"]), interface(2, "port1", &[])]);
    let trusted: Vec<(&str, bool)> =
        seen.ports.iter().map(|port| (port.name.as_str(), port.rules.accepts_relays)).collect();
    assert_eq!(trusted, [("port1", false), ("trunk", true)]);
    assert_eq!(seen.rates, [Some(100), None]);
    assert!(seen.ports.iter().all(|port| port.link_address.is_unspecified()));
}

#[test]
fn a_look_is_outdated_when_the_configuration_is_another() {
    let (one, other) = (section("names = [\"eth1\"]"), section("names = [\"eth2\"]"));
    let mut seeing = Seeing::default();
    assert!(seeing.is_outdated(&one));
    seeing.look(&one, &[]);
    assert!(!seeing.is_outdated(&one) && seeing.is_outdated(&other));
}

// REL-28: whoever is on an interface that was meant for clients, or of which nothing is known, plays no
// server.
#[test]
fn servers_are_heard_by_upstream_interfaces_or_else_by_all_that_are_not_for_clients() {
    let loopback = InterfaceFacts { hardware_type: LOOPBACK, ..interface(1, "lo", &[]) };
    let down = InterfaceFacts { is_up: false, ..interface(2, "up0", &[]) };
    let facts =
        [loopback, down, interface(3, "lan1", &[]), interface(4, "eth1", &[]), interface(5, "eth2", &[])];
    let nameless = "names = [\"eth*\"]\ninterface-id = \"{vlan}\"";
    let heard = |text: &str| Vec::from_iter(layout(text).ports(&facts).heard);
    assert_eq!(heard(&format!("{ROUTES}[[relay.interface]]\n{nameless}")), [1, 2, 3]);
    let upstream = "[relay.upstream]\ninterfaces = [\"up*\"]";
    assert_eq!(heard(&format!("{ROUTES}{upstream}\n[[relay.interface]]\n{nameless}")), [1, 2]);
}
