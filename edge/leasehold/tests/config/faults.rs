//! What goes for every part of the file: syntax, types, unknown keys, and all faults at once.

use leasehold::config::Config;

use crate::{EXAMPLE, assert_fault, assert_links_fault, faults, good, parse};

#[test]
fn what_is_not_toml_has_a_line() {
    assert_fault("state = \"a\"\n[leasequery\n", 2, "", &["is not TOML"]);
    assert_fault("state = \"a\"\nstate = \"b\"\n", 2, "", &["is not TOML", "duplicate key"]);
}

#[test]
fn files_that_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("leasehold.toml");
    let fault = &Config::read(&path).unwrap_err().0[0];
    assert_eq!((fault.file.as_path(), fault.line), (path.as_path(), None));
    assert!(fault.problem.starts_with("cannot be read"), "{fault}");
    std::fs::write(&path, b"state = \"a\"\n# \xff").unwrap();
    let fault = &Config::read(&path).unwrap_err().0[0];
    assert_eq!((fault.line, fault.problem.as_str()), (Some(2), "is not UTF-8"));
    std::fs::write(&path, EXAMPLE).unwrap();
    assert_eq!(Config::read(&path).unwrap(), good(EXAMPLE));
}

#[test]
fn unknown_keys() {
    assert_fault("\nstat = \"a\"", 2, "stat", &["no such key", "did you mean state?"]);
    let bulk = "[leasequery.bulk]\nmax-conections = 3";
    assert_fault(bulk, 2, "leasequery.bulk.max-conections", &["did you mean max-connections?"]);
    assert_fault(
        "[leasequery.udp]\nx = 1",
        2,
        "leasequery.udp.x",
        &["the keys here are listen, relayed-hops"],
    );
    assert_fault("[[links]]\nid = 1", 1, "links", &["did you mean link?"]);
    assert_links_fault("id = 2", "id = 2\nprefix = []", 11, "link.prefix", &["did you mean prefixes?"]);
}

#[test]
fn wrong_types() {
    assert_fault("state = 1", 1, "state", &["is of the type integer", "write a text in quotes"]);
    assert_fault("leasequery = 1", 1, "leasequery", &["write a table"]);
    assert_fault("[leasequery]\ntrack-relays = \"no\"", 2, "leasequery.track-relays", &["true or false"]);
    assert_fault("[leasequery.udp]\nburst = 1.5", 2, "leasequery.udp.burst", &["float", "whole number"]);
    assert_fault(
        "[leasequery.udp]\nlisten = \"::\"",
        2,
        "leasequery.udp.listen",
        &["string", "a list in [ ]"],
    );
    assert_fault("[link]\nid = 1", 1, "link", &["is of the type table", "a list in [ ]"]);
}

#[test]
fn identifiers_and_folders() {
    assert_fault("server-id = \"zz\"", 1, "server-id", &["hexadecimal", "00:02:"]);
    assert_fault("server-id = \"00:02\"", 1, "server-id", &["3 to 130 octets, not 2"]);
    assert_fault("state = \"\"", 1, "state", &["is empty", "/var/lib/leasehold"]);
}

#[test]
fn a_fault_is_one_line_whatever_of_the_file_it_repeats() {
    let text = "[relay]\n[[relay.interface]]\nnames = [\"lan*\"]\ninterface-id = \"{vl\\n\\u001b[2J}\"\n";
    let fault = faults(text).into_iter().find(|fault| fault.key == "relay.interface.interface-id").unwrap();
    assert!(fault.problem.contains("{vl\\n\\u{1b}[2J}"), "{fault}");
    assert!(!fault.to_string().contains(char::is_control), "{fault}");
}

#[test]
fn all_faults_are_told_at_once_by_line() {
    let text = r#"
stat = "x"
server-id = 7
[leasequery]
allow = [{ from = "10.0.0.0/8" }, { form = "::1" }]
[leasequery.bulk]
max-connections = 0
[[link]]
id = 1
prefixes = ["2001:db8::1/64", "2001:db8::/130"]
"#;
    let lines: Vec<_> = faults(text).iter().map(|fault| fault.line.unwrap()).collect();
    assert_eq!(lines, [2, 3, 5, 5, 5, 7, 8, 10, 10]);
    let told = parse(text).unwrap_err().to_string();
    assert_eq!(told.lines().count(), 9, "{told}");
}
