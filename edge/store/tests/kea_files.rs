//! Lease files as they lie on disk: what a clean-up left behind, and what Kea itself wrote.

use std::path::{Path, PathBuf};

use store::import::kea::leases::{LeaseLine, LeaseState, Leases, Strictness, read};
use store::import::kea::{ImportError, Progress, Summary};

fn test_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kea").join(name)
}

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples/kea").join(name)
}

fn read_all(name: &Path) -> (Leases, Summary) {
    let mut summary = Summary::default();
    let leases = read(name, Strictness::Stop, &mut summary, &mut |_| ()).unwrap();
    (leases, summary)
}

/// Last group of each address, when it was last heard of, and its state, in order of addresses.
fn outline(leases: Leases) -> Vec<(String, u64, LeaseState)> {
    let outline = |line: LeaseLine| {
        (
            line.resource.address().to_string().replace("2001:db8:", ""),
            line.heard_at - 1_795_000_000,
            line.state,
        )
    };
    let mut outline: Vec<_> = leases.into_lines().into_iter().map(outline).collect();
    outline.sort_by(|a, b| a.0.cmp(&b.0));
    outline
}

fn expected() -> Vec<(String, u64, LeaseState)> {
    let expected = [
        ("1::a1", 6000, LeaseState::Assigned),
        ("1::a4", 0, LeaseState::Declined),
        ("1::a5", 0, LeaseState::Reclaimed),
        ("1::a6", 7000, LeaseState::Assigned),
        ("1::a7", 7000, LeaseState::Assigned),
        ("a000:100::", 0, LeaseState::Assigned),
    ];
    expected.map(|(address, heard_at, state)| (address.to_owned(), heard_at, state)).into()
}

#[test]
fn an_unfinished_clean_up_is_ignored_and_its_sources_are_read() {
    let (leases, summary) = read_all(&test_file("clean-up/leases6.csv"));
    let suffixes: Vec<_> =
        summary.files.iter().map(|file| file.rsplit_once("leases6.csv").unwrap().1).collect();
    assert_eq!(suffixes, [".2", ".1", ""]);
    assert_eq!((summary.lines, summary.superseded, summary.deletions), (10, 3, 1));
    assert_eq!(leases.written_at, 1_795_007_000);
    assert_eq!(outline(leases), expected());
}

#[test]
fn a_finished_clean_up_replaces_its_sources() {
    let (leases, summary) = read_all(&test_file("completed/leases6.csv"));
    let suffixes: Vec<_> =
        summary.files.iter().map(|file| file.rsplit_once("leases6.csv").unwrap().1).collect();
    assert_eq!(suffixes, [".completed", ""]);
    assert_eq!(outline(leases), expected());
}

#[test]
fn a_clean_up_under_way_is_warned_of() {
    let directory = tempfile::tempdir().unwrap();
    let name = directory.path().join("leases6.csv");
    for file in ["leases6.csv", "leases6.csv.pid"] {
        std::fs::write(directory.path().join(file), "").unwrap();
    }
    let (_, summary) = read_all(&name);
    assert_eq!(summary.warning_count, 1);
    assert!(summary.warnings[0].contains("leases6.csv.pid exists"), "{:?}", summary.warnings);
}

#[test]
fn no_file_at_all_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let name = directory.path().join("leases6.csv");
    let error = read(&name, Strictness::LeaveOut, &mut Summary::default(), &mut |_| ()).unwrap_err();
    assert!(matches!(error, ImportError::NoLeaseFile(_)), "{error}");
}

#[test]
fn progress_ends_at_the_total() {
    let name = sample("kea-2.2-leases6.csv");
    let mut last = None;
    read(&name, Strictness::Stop, &mut Summary::default(), &mut |progress| last = Some(progress)).unwrap();
    let octets = name.metadata().unwrap().len();
    assert_eq!(last, Some(Progress { octets, total: octets }));
}

#[test]
fn what_kea_2_2_wrote() {
    let (leases, summary) = read_all(&sample("kea-2.2-leases6.csv"));
    assert_eq!((summary.lines, summary.deletions, summary.superseded), (24, 6, 6));
    assert_eq!((leases.len(), summary.warning_count, leases.written_at), (12, 0, 1_795_422_970));
    let lengths = |address: &str| {
        let lease = leases.get(address.parse().unwrap()).unwrap();
        lease.relays.clone().unwrap().unwrap().len()
    };
    // One relay: header, Interface-ID of 5, Remote-ID of 10, Relay-ID of 10 octets; a second relay: header
    // and Relay-ID of 10 octets around the first, whose Interface-ID has 7 and Remote-ID 12 octets.
    let one = 34 + (4 + 5) + (4 + 10) + (4 + 10);
    assert_eq!(lengths("2001:db8:1::1001"), one);
    assert_eq!(lengths("2001:db8:1::1007"), 34 + (4 + 10) + 4 + (one + 2 + 2));
}

#[test]
fn what_kea_3_3_wrote() {
    let (leases, summary) = read_all(&sample("kea-3.3-leases6.csv"));
    assert_eq!((leases.len(), summary.superseded, summary.warning_count), (6, 0, 0));
    assert!(
        leases
            .into_lines()
            .iter()
            .all(|lease| matches!(&lease.relays, Ok(Some(relays)) if relays.len() == 71))
    );
}
