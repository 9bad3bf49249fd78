//! `leasehold check`: what it prints, and its exit codes for scripts.

use std::path::Path;
use std::process::{Command, Output};

use crate::{EXAMPLE, LINKS, RELAY_EXAMPLE};

fn check(file: &Path, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_leasehold")).arg("check").arg(file).args(more).output().unwrap()
}

/// The exit code for a file with this text, and what is said of it.
fn check_text(text: &str, more: &[&str]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("leasehold.toml");
    std::fs::write(&file, text).unwrap();
    let output = check(&file, more);
    assert!(output.stderr.is_empty(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    (output.status.code(), said.replace(file.to_str().unwrap(), "FILE"))
}

#[test]
fn a_good_file_is_counted() {
    let counts = "1 link, 2 address pools, 1 delegation pool, 4 reservations, 2 allow rules";
    assert_eq!(check_text(EXAMPLE, &[]), (Some(0), format!("FILE: good: {counts}\n")));
    let (code, said) = check_text(EXAMPLE, &["--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(
        (code, &report["good"], &report["counts"]["reservations"]),
        (Some(0), &true.into(), &4.into())
    );
}

#[test]
fn a_relay_is_counted() {
    let counts = "1 relay server, 1 interface section, 1 aggregate";
    assert_eq!(check_text(RELAY_EXAMPLE, &[]), (Some(0), format!("FILE: good: {counts}\n")));
    let (_, said) = check_text(&format!("{RELAY_EXAMPLE}{LINKS}"), &[]);
    assert!(said.contains("2 links") && said.contains(counts), "{said}");
    let (_, said) = check_text(RELAY_EXAMPLE, &["--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(report["counts"]["relay"]["interface_sections"], 1);
    let (code, said) = check_text("[relay]\nlisten-port = 0", &[]);
    assert_eq!((code, said.lines().count()), (Some(1), 4), "{said}");
}

#[test]
fn what_is_not_recommended_is_good_with_a_warning() {
    let (code, said) = check_text("[leasequery.bulk]\ndata-timeout-secs = 299", &[]);
    assert_eq!((code, said.lines().count()), (Some(0), 2));
    assert!(said.starts_with("warning: FILE:2: leasequery.bulk.data-timeout-secs: "), "{said}");
}

#[test]
fn a_bad_file_fails_with_all_its_faults() {
    let text = "stat = 1\n[dhcp]\nclient-port = 0\n[[link]]\nid = 1\n";
    let (code, said) = check_text(text, &[]);
    assert_eq!(code, Some(1));
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 3, "{said}");
    assert!(lines[0].starts_with("FILE:1: stat: no such key"), "{said}");
    assert!(lines[1].starts_with("FILE:3: dhcp.client-port: "), "{said}");
    assert!(lines[2].starts_with("FILE:4: link: name is missing"), "{said}");
    let (code, said) = check_text(text, &["--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, report["faults"].as_array().unwrap().len()), (Some(1), 3));
    assert!(report["counts"].is_null());
}

#[test]
fn what_cannot_be_read_or_asked_fails() {
    let missing = check(Path::new("/no such/file"), &[]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&missing.stdout).contains("cannot be read"));
    assert_eq!(check(Path::new("x"), &["--format", "xml"]).status.code(), Some(1));
}
