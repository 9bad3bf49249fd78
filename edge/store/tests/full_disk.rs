//! A full disk: the commit that does not fit is an error, every commit after it is one too, and what was durable before
//! is there when the store is opened again with room.
//!
//! The disk is full in two ways. A limit on the size of files needs no rights: a shell sets it and starts this program
//! again. A file system of a few megabytes, which fills up for the engine's background work too, needs the right to
//! mount; where that is lacking the test says so.

mod common;

use std::path::Path;
use std::process::{Command, Output};

use common::{Model, Script, Step, apply, changes, key, load};
use store::{CommitError, EmbeddedStore, MAX_IMAGE_LEN, OpenError, Store};

/// Says which store to fill, or to look into, to a process of this program that does.
const FILL: &str = "LEASEHOLD_TEST_FILL";

/// Half a megabyte a batch.
const SCRIPT: Script = Script { clients: 4000, changes: 1000, octets: 2000 };

/// The commit that no journal within the limit has room for. A file system of the test's is full before.
const HEAVY: u64 = 150;

/// A limit above the 64 MiB that the engine sets aside for a journal at once, in the shell's blocks of 512 octets.
const BLOCKS: u64 = (65 << 20) / 512;

#[test]
fn a_journal_that_may_not_grow_fails_the_store_and_loses_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = shell(
        r#"trap "" XFSZ; ulimit -f "$1"; shift; exec "$@" --exact role_of_the_filler --nocapture"#,
        &BLOCKS.to_string(),
        folder.path(),
    );
    let (durable, found) = (said(&output, "full after "), find(folder.path()));
    assert!((durable..=durable + 1).contains(&found), "{durable} durable, {found} found");
}

#[test]
fn a_full_file_system_fails_the_store_and_loses_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = shell(
        r#"exec unshare --mount --map-root-user sh -c '
            mount -t tmpfs -o size=$1 tmpfs "$LEASEHOLD_TEST_FILL" || exit 77
            shift
            "$@" --exact role_of_the_filler --nocapture || exit 1
            "$@" --exact role_of_the_latecomer --nocapture || exit 1
            mount -o remount,size=1g "$LEASEHOLD_TEST_FILL" || exit 1
            exec "$@" --exact role_of_the_finder --nocapture
        ' sh "$@""#,
        "40m",
        folder.path(),
    );
    let complaint = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(77) || complaint.contains("unshare:") {
        eprintln!("LACKING: no right to mount a small file system, a full one is not tested: {complaint}");
        return;
    }
    let (durable, found) = (said(&output, "full after "), said(&output, "found "));
    assert!((durable..=durable + 1).contains(&found), "{durable} durable, {found} found");
}

/// Runs a shell script whose arguments are a size and this program, and which knows the store's folder.
fn shell(script: &str, size: &str, folder: &Path) -> Output {
    Command::new("timeout")
        .args(["120", "sh", "-c", script, "sh", size])
        .arg(std::env::current_exe().expect("this program"))
        .env(FILL, folder)
        .output()
        .expect("timeout and a shell")
}

/// What commit `number` holds.
fn batch(number: u64) -> Vec<Step> {
    match number {
        HEAVY => (0..80).map(|client| (key(client), Some(vec![0x5a; MAX_IMAGE_LEN]))).collect(),
        _ => SCRIPT.batch(number),
    }
}

/// The number that a process said after some words.
fn said(output: &Output, words: &str) -> u64 {
    let said = String::from_utf8_lossy(&output.stdout);
    let Some(number) = said.lines().find_map(|line| line.strip_prefix(words)?.strip_suffix('.')) else {
        panic!("never said {words:?}: {said}{}", String::from_utf8_lossy(&output.stderr))
    };
    number.parse().expect("a number")
}

/// The last commit a store holds, after checking that it holds what there was then.
fn find(folder: &Path) -> u64 {
    let store = EmbeddedStore::open(folder).expect("a full disk is no damage");
    let (loaded, model) = load(&store).expect("a full disk is no damage");
    let mut expected = Model::new();
    (1..=loaded.commit).for_each(|number| apply(&mut expected, &batch(number)));
    assert!(model == expected);
    loaded.commit
}

#[test]
fn role_of_the_filler() {
    let Some(folder) = std::env::var_os(FILL) else { return };
    let mut store = EmbeddedStore::open(Path::new(&folder)).expect("opened");
    let mut durable = 0;
    let error = loop {
        match store.commit(&changes(&batch(durable + 1))) {
            Ok(number) => durable = number,
            Err(error) => break error,
        }
        assert!(durable < HEAVY, "the disk is never full");
    };
    assert!(matches!(error, CommitError::Engine { .. }), "{error}");
    for _ in 0..3 {
        let error = store.commit(&[]).expect_err("a store that failed stays failed");
        assert!(matches!(error, CommitError::Failed { .. }), "{error}");
    }
    println!("\nfull after {durable}.");
}

#[test]
fn role_of_the_latecomer() {
    let Some(folder) = std::env::var_os(FILL) else { return };
    match EmbeddedStore::open(Path::new(&folder)) {
        Ok(_) => println!("\nopened while full."),
        Err(error) => assert!(matches!(error, OpenError::Io { .. }), "a full disk is no damage: {error:?}"),
    }
}

#[test]
fn role_of_the_finder() {
    let Some(folder) = std::env::var_os(FILL) else { return };
    println!("\nfound {}.", find(Path::new(&folder)));
}
