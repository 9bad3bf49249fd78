//! A process that is killed while it commits loses nothing it was told is durable, and leaves no batch by halves.
//!
//! The writer is this program again. It commits the batches of a script and says the number of each after `commit`
//! returned. This process kills it without warning, opens the store, and compares it with the script. Most kills come
//! in the middle of a commit, some while the store is still being opened.
//!
//! `LEASEHOLD_KILLS` says how often; the usual number is for a test run of a few seconds.

mod common;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use common::{Lines, Model, Random, Script, apply, changes, load};
use store::{EmbeddedStore, Store};

/// Says which store to write to, to a process of this program that does.
const WRITE: &str = "LEASEHOLD_TEST_WRITE";

/// Images large enough that tables are written and journals change under load.
const SCRIPT: Script = Script { clients: 3000, changes: 300, octets: 2000 };

#[test]
fn nothing_that_was_durable_is_lost_by_a_kill() {
    let kills = std::env::var("LEASEHOLD_KILLS").map_or(20, |kills| kills.parse().expect("a number"));
    let folder = tempfile::tempdir().expect("a folder");
    let (mut random, mut model, mut so_far) = (Random(5), Model::new(), Tally::default());
    let start = Instant::now();
    for _ in 0..kills {
        let from = so_far.commits;
        let told = write_and_kill(folder.path(), &mut random, from);
        let store = EmbeddedStore::open(folder.path()).expect("a kill is no damage");
        let (loaded, found) = load(&store).expect("a kill is no damage");
        assert!(loaded.commit >= told, "told that {told} is durable, found {}", loaded.commit);
        assert!(loaded.commit <= told + 1, "told that {told} is durable, found {}", loaded.commit);
        for number in from + 1..=loaded.commit {
            apply(&mut model, &SCRIPT.batch(number));
        }
        assert_eq!(found, model, "commit {} is not what it should be", loaded.commit);
        so_far.note(told, loaded.commit);
    }
    println!("{kills} kills in {:.1} s: {so_far:?}", start.elapsed().as_secs_f64());
}

/// What happened in all the rounds.
#[derive(Debug, Default)]
struct Tally {
    commits: u64,
    /// The last commit was durable, and the writer did not live to say so.
    untold: u64,
    /// The writer was killed before its first commit.
    while_opening: u64,
}

impl Tally {
    fn note(&mut self, told: u64, found: u64) {
        self.untold += found - told;
        self.while_opening += u64::from(found == self.commits);
        self.commits = found;
    }
}

/// Lets a writer write, kills it after some line it says, and returns the last commit it was told is durable.
fn write_and_kill(folder: &Path, random: &mut Random, from: u64) -> u64 {
    let mut writer = start_writer(folder);
    let numbers = Lines::of(&mut writer).filter_map(|line| durable(&line));
    let kill_after = if random.below(8) == 0 { 0 } else { 1 + random.below(60) };
    let mut told = from;
    for (said, number) in (0..).zip(numbers) {
        told = number.max(told);
        if said == kill_after {
            writer.kill().expect("killed");
        }
    }
    assert!(!writer.wait().expect("ended").success(), "the writer ended by itself");
    told
}

fn start_writer(folder: &Path) -> Child {
    Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "role_of_the_writer", "--nocapture"])
        .env(WRITE, folder)
        .stdout(Stdio::piped())
        .spawn()
        .expect("started")
}

/// The number in a line of a writer's: 0 when it starts, then every commit.
fn durable(line: &str) -> Option<u64> {
    Some(line.strip_prefix("durable ")?.strip_suffix('.')?.parse().expect("a number"))
}

#[test]
fn role_of_the_writer() {
    let Some(folder) = std::env::var_os(WRITE) else { return };
    println!("\ndurable 0.");
    let mut store = EmbeddedStore::open(Path::new(&folder)).expect("opened");
    let loaded = store.load(&mut |_, _| Ok(())).expect("loaded");
    for number in loaded.commit + 1.. {
        let durable = store.commit(&changes(&SCRIPT.batch(number))).expect("committed");
        println!("durable {durable}.");
    }
}
