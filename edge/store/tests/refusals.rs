//! What a store refuses to open, and how it says so; and which leftovers of a start that was cut short it takes.

mod common;

use std::fs;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use common::{Lines, Script, changes, load};
use store::{EmbeddedStore, OpenError, Store};
use xxhash_rust::xxh3::xxh3_64;

const SCRIPT: Script = Script { clients: 100, changes: 50, octets: 200 };

/// Says which store to hold open, to a process of this program that does.
const HOLD: &str = "LEASEHOLD_TEST_HOLD";

/// Says which folder to try and fail to write into, to a process of this program that may not.
const BARRED: &str = "LEASEHOLD_TEST_BARRED";

/// A user that owns nothing.
const NOBODY: u32 = 65534;

fn refused(folder: &Path) -> OpenError {
    let Err(error) = EmbeddedStore::open(folder) else { panic!("{} was opened", folder.display()) };
    let said = error.to_string();
    assert!(said.contains(folder.to_str().expect("a name")), "names the folder: {said}");
    error
}

#[test]
fn a_file_is_not_a_store() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("leases");
    fs::write(&file, "hello").expect("written");
    assert!(matches!(refused(&file), OpenError::NotAStore { .. }));
    assert!(matches!(refused(&file.join("below")), OpenError::NotAStore { .. }));
    assert_eq!(fs::read(&file).expect("read"), b"hello");
}

#[test]
fn a_folder_of_something_else_is_not_a_store_and_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("notes.txt"), "mine").expect("written");
    let error = refused(folder.path());
    assert!(matches!(error, OpenError::NotAStore { .. }));
    assert!(error.to_string().contains("notes.txt"), "{error}");
    assert_eq!(common::files_below(folder.path()).len(), 1);
}

#[test]
fn a_store_that_is_open_in_another_process_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut holder = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "role_of_the_holder", "--nocapture"])
        .env(HOLD, folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("started");
    let mut said = Lines::of(&mut holder);
    assert!(said.any(|line| line == "held"), "the holder opened it");
    assert!(matches!(refused(folder.path()), OpenError::Locked { .. }));

    drop(holder.stdin.take());
    said.for_each(drop);
    assert!(holder.wait().expect("ended").success());
    EmbeddedStore::open(folder.path()).expect("free again");
}

#[test]
fn role_of_the_holder() {
    let Some(folder) = std::env::var_os(HOLD) else { return };
    let _store = EmbeddedStore::open(Path::new(&folder)).expect("opened");
    println!("\nheld");
    std::io::stdin().lines().for_each(drop);
}

#[test]
fn a_store_is_refused_twice_in_one_process_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = EmbeddedStore::open(folder.path()).expect("opened");
    assert!(matches!(refused(folder.path()), OpenError::Locked { .. }));
    drop(store);
    EmbeddedStore::open(folder.path()).expect("opened");
}

#[test]
fn a_newer_layout_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    EmbeddedStore::open(folder.path()).expect("opened").commit(&[]).expect("committed");
    let witness = fs::File::options().write(true).open(folder.path().join("witness")).expect("opened");
    let mut slot = *b"LSHWITN1\x02\0\0\0\x05\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let seal = xxh3_64(&slot[..20]);
    slot[20..].copy_from_slice(&seal.to_le_bytes());
    witness.write_all_at(&slot, 4096).expect("written");
    let error = refused(folder.path());
    assert!(matches!(error, OpenError::NewerLayout { found: 2, known: 1, .. }), "{error}");
}

#[test]
fn what_may_not_be_written_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o555)).expect("set");
    let mut stranger = Command::new(std::env::current_exe().expect("this program"));
    stranger.args(["--exact", "role_of_the_stranger", "--nocapture"]).env(BARRED, folder.path());
    if fs::write(folder.path().join("probe"), "").is_ok() {
        fs::remove_file(folder.path().join("probe")).expect("removed");
        stranger.uid(NOBODY);
    }
    let output = stranger.output().expect("started");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("barred"),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn role_of_the_stranger() {
    let Some(folder) = std::env::var_os(BARRED) else { return };
    let folder = Path::new(&folder);
    for folder in [folder.join("store"), folder.to_owned()] {
        let OpenError::Io { source, .. } = refused(&folder) else { panic!("another error") };
        assert_eq!(source.kind(), std::io::ErrorKind::PermissionDenied);
    }
    println!("\nbarred");
}

#[test]
fn a_start_that_was_cut_short_is_taken_up_again() {
    let made = tempfile::tempdir().expect("a folder");
    drop(EmbeddedStore::open(made.path()).expect("opened"));
    type Leftover<'a> = (&'a str, &'a dyn Fn(&Path));
    let copy_witness = |folder: &Path| {
        fs::copy(made.path().join("witness"), folder.join("witness")).expect("copied");
    };
    let leftovers: [Leftover<'_>; 5] = [
        ("a lock", &|folder| fs::write(folder.join("lock"), "").expect("written")),
        ("half a witness", &|folder| fs::write(folder.join("witness.new"), "LSHW").expect("written")),
        ("a witness", &|folder| copy_witness(folder)),
        ("half an engine", &|folder| {
            copy_witness(folder);
            fs::create_dir_all(folder.join("engine.new/keyspaces")).expect("made");
            fs::write(folder.join("engine.new/0.jnl"), "x").expect("written");
        }),
        ("a whole engine beside its place", &|folder| {
            copy_witness(folder);
            common::copy_folder(&made.path().join("engine"), &folder.join("engine.new"));
        }),
    ];
    for (what, leave) in leftovers {
        let folder = tempfile::tempdir().expect("a folder");
        leave(folder.path());
        let mut store = EmbeddedStore::open(folder.path()).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(store.commit(&changes(&SCRIPT.batch(1))).expect("committed"), 1, "{what}");
        drop(store);
        assert_eq!(
            load(&EmbeddedStore::open(folder.path()).expect("opened")).expect("loaded").0.commit,
            1,
            "{what}"
        );
    }
}
