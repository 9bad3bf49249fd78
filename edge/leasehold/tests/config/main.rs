//! The configuration file: what it means, and what is said when it is wrong.

mod arbitrary;
mod dhcp;
mod example;
mod exit_codes;
mod faults;
mod leasequery;
mod links;
mod options;
mod relay;
mod reservations;
mod robust;
mod round_trip;

use std::path::Path;

use leasehold::config::{Config, Fault, Faults};

const EXAMPLE: &str = include_str!("../../../../examples/leasehold.toml");

const RELAY_EXAMPLE: &str = include_str!("../../../../examples/relay.toml");

/// Two links that are good, in lines 1 to 12, to be spoiled.
const LINKS: &str = r#"[[link]]
id = 1
name = "one"
prefixes = ["2001:db8:1::/64"]
address-pools = ["2001:db8:1::/80"]
[[link.delegation-pools]]
prefix = "2001:db8:f000::/40"
delegated-length = 56
[[link]]
id = 2
name = "two"
prefixes = ["2001:db8:2::/64"]
"#;

fn parse(text: &str) -> Result<Config, Faults> {
    Config::parse(Path::new("test.toml"), text)
}

fn good(text: &str) -> Config {
    parse(text).unwrap_or_else(|faults| panic!("{faults}"))
}

fn faults(text: &str) -> Vec<Fault> {
    parse(text).expect_err("the text has a fault").0
}

/// The text has this one fault, at this line and key, and what is said of it has these parts.
#[track_caller]
fn assert_fault(text: &str, line: usize, key: &str, parts: &[&str]) {
    let found = faults(text);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!((found[0].line, found[0].key.as_str()), (Some(line), key), "{}", found[0]);
    let said = found[0].to_string();
    assert!(said.starts_with(&format!("test.toml:{line}: ")), "{said}");
    for part in parts {
        assert!(said.contains(part), "{part:?} is not in {said:?}");
    }
}

/// As [`assert_fault`], with one part of [`LINKS`] replaced.
#[track_caller]
fn assert_links_fault(good: &str, bad: &str, line: usize, key: &str, parts: &[&str]) {
    assert!(LINKS.contains(good));
    assert_fault(&LINKS.replacen(good, bad, 1), line, key, parts);
}
