//! What is so without being said, and whether the example shows all of it.

use std::path::Path;
use std::time::Duration;

use leasehold::config::Config;

use crate::{EXAMPLE, LINKS, RELAY_EXAMPLE, faults, good};

// BLQ-F-10, BLQ-F-16, BLQ-S-02
#[test]
fn an_empty_file_means_the_defaults() {
    let config = good("");
    assert_eq!(config, Config::default());
    assert_eq!(config.server_id, None);
    assert_eq!(config.state, Path::new("/var/lib/leasehold"));
    let leasequery = config.leasequery;
    assert!(leasequery.allow.is_empty(), "nobody may ask until a rule lets them");
    assert!(leasequery.track_relays && !leasequery.refuse_silently);
    assert_eq!(leasequery.udp.listen, ["[::]:547".parse().unwrap()]);
    assert_eq!(leasequery.bulk.listen, ["[::]:547".parse().unwrap()]);
    assert_eq!(leasequery.udp.relayed_hops, 0);
    assert_eq!(leasequery.bulk.limits.max_connections, 10);
    assert_eq!(leasequery.bulk.limits.data_timeout, Duration::from_secs(300));
}

#[test]
fn the_example_is_good_and_shows_the_defaults() {
    let config = good(EXAMPLE);
    assert_eq!((config.links.len(), config.leasequery.allow.len()), (1, 2));
    assert!(config.warnings.is_empty());
    assert_shows_defaults(EXAMPLE, 32);
}

#[test]
fn the_example_of_a_relay_is_good_and_shows_the_defaults() {
    let config = good(RELAY_EXAMPLE);
    let relay = config.relay.as_ref().expect("it is of a relay");
    assert_eq!((relay.servers.len(), relay.interfaces.len()), (1, 1));
    assert!(config.warnings.is_empty());
    assert_shows_defaults(RELAY_EXAMPLE, 31);
}

/// With every line that shows a default taken in, the file means the same.
#[track_caller]
fn assert_shows_defaults(example: &str, defaults: usize) {
    let is_default = |line: &str| {
        line.strip_prefix('#').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()))
    };
    assert_eq!(example.lines().filter(|line| is_default(line)).count(), defaults);
    let all: Vec<&str> =
        example.lines().map(|line| if is_default(line) { &line[1..] } else { line }).collect();
    assert_eq!(good(&all.join("\n")), good(example));
}

/// The list of keys in a fault is made from what is read, so it is complete.
#[test]
fn the_example_has_every_key() {
    for table in
        ["", "[leasequery]", "[leasequery.udp]", "[leasequery.bulk]", "[dhcp]", "[dhcp.options]", "[control]"]
    {
        assert_in_example(&format!("{table}\nzzz = 1"));
    }
    assert_in_example("[leasequery]\nallow = [{ from = \"::1\", zzz = 1 }]");
    assert_in_example("[dhcp.options]\nvendor-options = [{ enterprise = 1, options = [], zzz = 1 }]");
    let vendor_option = "[{ enterprise = 1, options = [{ code = 1, u8 = 1, zzz = 1 }] }]";
    assert_in_example(&format!("[dhcp.options]\nvendor-options = {vendor_option}"));
    assert_in_example("[dhcp.options]\nother = [{ code = 200, u8 = 1, zzz = 1 }]");
    assert_in_example(&LINKS.replace("\"2001:db8:1::/80\"", "{ range = \"2001:db8:1::/80\", zzz = 1 }"));
    assert_in_example(&format!("{LINKS}[[link.reservations]]\nduid = \"00:01:02\"\naddresses = []\nzzz = 1"));
    let remote_id = "remote-id = { enterprise = 9, value = \"x\", zzz = 1 }";
    assert_in_example(&format!("{LINKS}[[link.reservations]]\n{remote_id}\naddresses = []"));
    assert_in_example(&LINKS.replace("id = 2", "id = 2\nzzz = 1"));
    assert_in_example(&LINKS.replace("delegated-length = 56", "delegated-length = 56\nzzz = 1"));
}

#[test]
fn the_example_of_a_relay_has_every_key() {
    for table in ["relay", "relay.upstream", "relay.recovery", "relay.routes", "control"] {
        assert_shown(RELAY_EXAMPLE, &format!("[{table}]\nzzz = 1"));
    }
    for list in ["relay.server", "relay.interface"] {
        assert_shown(RELAY_EXAMPLE, &format!("[[{list}]]\nzzz = 1"));
    }
    assert_shown(RELAY_EXAMPLE, "[relay.routes]\nfilter = { table = \"x\", set = \"y\", zzz = 1 }");
    assert_shown(RELAY_EXAMPLE, "[[relay.interface]]\nremote-id = { zzz = 1 }");
}

#[track_caller]
fn assert_in_example(text: &str) {
    assert_shown(EXAMPLE, text);
}

/// The keys that may stand where the text has an unknown one are all in the example.
#[track_caller]
fn assert_shown(example: &str, text: &str) {
    let found = faults(text);
    let unknown = found.iter().find_map(|fault| fault.remedy.strip_prefix("the keys here are "));
    let keys = unknown.expect("a list of keys");
    for key in keys.split(", ") {
        let shown = [format!("{key} = "), format!("[{key}]"), format!("[[{key}]]")];
        let nested = [format!(".{key}]")];
        assert!(
            shown.iter().chain(&nested).any(|part| example.contains(part)),
            "{key} is not in the example"
        );
    }
}
