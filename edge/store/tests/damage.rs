//! A damaged store says so: whatever file is flipped, cut, blanked or taken away, opening and loading it gives back
//! everything that was committed or an error, and never a part of it in silence.
//!
//! The one exception is what a crash leaves, the torn tail of a batch that nobody was told is durable: that store opens.
//!
//! `LEASEHOLD_DAMAGES` says how many random places of each file are damaged in each way, beside the chosen ones.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use common::harm::{Harm, PAGE, SECTOR, content_len, places};
use common::{Model, Random, Script, Step, apply, changes, copy_folder, files_below, load};
use store::{EmbeddedStore, OpenError, Store};
use tempfile::TempDir;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

const SCRIPT: Script = Script { clients: 200, changes: 40, octets: 300 };

/// A store as it was left, and what is in it.
struct Whole {
    folder: TempDir,
    model: Model,
    commit: u64,
}

impl Whole {
    /// A store with everything in its journal.
    fn in_journal() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut model, mut commit) = (Model::new(), 0);
        let mut store = EmbeddedStore::open(folder.path()).expect("opened");
        for number in 1..=30 {
            let steps = SCRIPT.batch(number);
            commit = store.commit(&changes(&steps)).expect("committed");
            apply(&mut model, &steps);
        }
        Self { folder, model, commit }
    }

    /// A store with most of it in tables, and only the last commits in its journal, which is not the first any more.
    fn in_tables() -> Self {
        let mut whole = Self::in_journal();
        let mut store = EmbeddedStore::open(whole.folder.path()).expect("opened");
        let heavy = Script { clients: 16, changes: 16, octets: 1 << 20 };
        let first_journal = whole.folder.path().join("engine/0.jnl");
        for number in 1.. {
            assert!(number < 100, "the engine keeps its first journal for ever");
            whole.commit_to(&mut store, &heavy.batch(number));
            if !first_journal.exists() {
                break;
            }
        }
        let forgotten: Vec<Step> = (0..16).map(|client| (common::key(client), None)).collect();
        whole.commit_to(&mut store, &forgotten);
        for number in 31..=40 {
            whole.commit_to(&mut store, &SCRIPT.batch(number));
        }
        drop(store);
        whole
    }

    /// The same after one more start: its journal ends where its content does, and is soon copied.
    fn reopened(self) -> Self {
        drop(EmbeddedStore::open(self.folder.path()).expect("opened"));
        self
    }

    fn commit_to(&mut self, store: &mut EmbeddedStore, steps: &[Step]) {
        self.commit = store.commit(&changes(steps)).expect("committed");
        apply(&mut self.model, steps);
    }

    fn copy(&self) -> TempDir {
        let copy = tempfile::tempdir().expect("a folder");
        copy_folder(self.folder.path(), copy.path());
        copy
    }
}

/// What became of a damaged store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// All that was committed came back: what was hit did not matter.
    Whole,
    Refused,
    /// Opened, and the load reported it.
    Reported,
}

/// Opens and loads; the records must be all of them if there is no error.
fn outcome(folder: &Path, whole: &Whole, what: &str) -> Outcome {
    let store = match EmbeddedStore::open(folder) {
        Ok(store) => store,
        Err(error) => {
            let again = EmbeddedStore::open(folder).err();
            assert!(again.is_some(), "{what}: refused at first ({error}) and taken then");
            return Outcome::Refused;
        }
    };
    match load(&store) {
        Err(_) => {
            assert!(load(&store).is_err(), "{what}: reported at first and taken then");
            Outcome::Reported
        }
        Ok((loaded, model)) => {
            assert!(
                model == whole.model,
                "{what}: served in silence, commit {} of {}",
                loaded.commit,
                whole.commit
            );
            assert_eq!(loaded.commit, whole.commit, "{what}");
            Outcome::Whole
        }
    }
}

/// Damages some files of a store in every way, one at a time.
fn damage_each(whole: &Whole, files: Vec<PathBuf>) {
    let mut random = Random(11);
    let mut tally: BTreeMap<(PathBuf, Outcome), u64> = BTreeMap::new();
    for file in files {
        let len = content_len(&whole.folder.path().join(&file));
        for harm in Harm::all(len, places(), &mut random) {
            let copy = whole.copy();
            harm.inflict(&copy.path().join(&file));
            let outcome = outcome(copy.path(), whole, &format!("{harm:?} of {}", file.display()));
            *tally.entry((file.clone(), outcome)).or_default() += 1;
        }
    }
    for ((file, outcome), times) in tally {
        println!("{:30} {outcome:9?} {times:4}", file.display());
    }
}

#[test]
fn damage_to_a_journal_filled_up_with_zeros_is_never_served() {
    let whole = Whole::in_journal();
    damage_each(&whole, vec!["engine/0.jnl".into()]);
}

#[test]
fn damage_to_a_store_with_everything_in_its_journal_is_never_served() {
    let whole = Whole::in_journal().reopened();
    damage_each(&whole, files_below(whole.folder.path()));
}

#[test]
fn damage_to_a_store_with_most_in_its_tables_is_never_served() {
    let whole = Whole::in_tables().reopened();
    damage_each(&whole, files_below(whole.folder.path()));
}

#[test]
fn a_journal_cut_anywhere_names_the_commits_that_are_lost() {
    let whole = Whole::in_journal();
    let len = content_len(&whole.folder.path().join("engine/0.jnl"));
    let copy = whole.copy();
    Harm::Cut { len: len / 2 }.inflict(&copy.path().join("engine/0.jnl"));
    let Err(OpenError::LostCommits { first, last, .. }) = EmbeddedStore::open(copy.path()) else {
        panic!("half of the journal is gone and nobody noticed")
    };
    assert!(1 < first && first <= last, "{first}..{last}");
    assert_eq!(last, whole.commit);
}

#[test]
fn an_engine_of_another_day_is_noticed() {
    let whole = Whole::in_journal();
    let old = whole.copy();
    let mut store = EmbeddedStore::open(whole.folder.path()).expect("opened");
    store.commit(&changes(&SCRIPT.batch(77))).expect("committed");
    drop(store);
    fs::copy(whole.folder.path().join("witness"), old.path().join("witness")).expect("copied");
    let error = EmbeddedStore::open(old.path()).err().expect("the engine's folder is of another day");
    assert!(matches!(error, OpenError::LostCommits { first: 31, last: 31, .. }), "{error}");
}

#[test]
fn an_engine_that_forgets_or_remembers_too_much_is_noticed() {
    let (one, two) = (common::key(1), common::key(2));
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = EmbeddedStore::open(folder.path()).expect("opened");
    store.commit(&changes(&[(one.clone(), Some(b"old".to_vec()))])).expect("committed");
    drop(store);
    let old = behind_its_back(folder.path(), |records| records.get(&one).expect("read").expect("there"));
    let mut store = EmbeddedStore::open(folder.path()).expect("opened");
    store.commit(&changes(&[(one.clone(), Some(b"new".to_vec()))])).expect("committed");
    drop(store);

    type Lapse<'a> = &'a dyn Fn(&fjall::Keyspace) -> fjall::Result<()>;
    let lapses: [(&str, Lapse<'_>); 4] = [
        ("0 are there", &|records| records.remove(one.as_slice())),
        ("2 are there", &|records| records.insert(two.as_slice(), frame_of(b"stray", &two))),
        ("older than what was committed", &|records| records.insert(one.as_slice(), old.clone())),
        ("not as it was written", &|records| records.insert(one.as_slice(), frame_of(b"new", &two))),
    ];
    for (said, lapse) in lapses {
        let copy = tempfile::tempdir().expect("a folder");
        copy_folder(folder.path(), copy.path());
        behind_its_back(copy.path(), |records| lapse(records).expect("done"));
        let store = EmbeddedStore::open(copy.path()).expect("opened");
        let error = load(&store).expect_err("the load proves it").to_string();
        assert!(error.contains(said), "{error}");
    }
}

/// Does something to a store's engine that the store does not know of.
fn behind_its_back<T>(folder: &Path, act: impl FnOnce(&fjall::Keyspace) -> T) -> T {
    let database = fjall::Database::builder(folder.join("engine")).open().expect("opened");
    act(&database.keyspace("records", fjall::KeyspaceCreateOptions::default).expect("there"))
}

/// A record as the store frames it for a key.
fn frame_of(image: &[u8], key: &[u8]) -> Vec<u8> {
    [&xxh3_64_with_seed(image, xxh3_64(key)).to_le_bytes()[..], image].concat()
}

#[test]
fn a_torn_tail_that_nobody_was_told_of_is_no_damage() {
    let mut whole = Whole::in_journal();
    drop(
        EmbeddedStore::open(whole.folder.path())
            .expect("opened: the journal now ends where its content does"),
    );
    let journal = whole.folder.path().join("engine/0.jnl");
    let before = fs::metadata(&journal).expect("there").len();
    let untold = tempfile::tempdir().expect("a folder");
    copy_folder(whole.folder.path(), untold.path());
    let last: Vec<Step> =
        (0..60).map(|client| (common::key(client), Some(common::image(&mut Random(client), 300)))).collect();
    EmbeddedStore::open(untold.path()).expect("opened").commit(&changes(&last)).expect("committed");
    let after = fs::metadata(untold.path().join("engine/0.jnl")).expect("there").len();
    assert!(after > before + 2 * PAGE, "a batch of some pages: {}", after - before);
    fs::copy(whole.folder.path().join("witness"), untold.path().join("witness")).expect("copied");

    let cuts = (before..after).step_by(97).map(|len| Harm::Cut { len });
    let holes = [SECTOR, PAGE].into_iter().flat_map(|unit| {
        (before / unit..after.div_ceil(unit)).map(move |at| {
            let from = (at * unit).max(before);
            Harm::Blank { from, len: ((at + 1) * unit).min(after) - from }
        })
    });
    let untold = Whole { folder: untold, model: Model::new(), commit: 0 };
    for harm in cuts.chain(holes) {
        let copy = untold.copy();
        harm.inflict(&copy.path().join("engine/0.jnl"));
        let store = EmbeddedStore::open(copy.path()).unwrap_or_else(|error| panic!("{harm:?}: {error}"));
        let (loaded, model) = load(&store).unwrap_or_else(|error| panic!("{harm:?}: {error}"));
        assert_eq!(loaded.commit, whole.commit, "{harm:?}");
        assert!(model == whole.model, "{harm:?}");
    }

    whole.commit += 1;
    apply(&mut whole.model, &last);
    assert_eq!(outcome(untold.folder.path(), &whole, "not torn"), Outcome::Whole);
}

#[test]
fn a_salvaged_store_opens_with_what_is_left() {
    let whole = Whole::in_journal();
    let journal = whole.folder.path().join("engine/0.jnl");
    Harm::Cut { len: content_len(&journal) - 1 }.inflict(&journal);
    assert!(matches!(
        EmbeddedStore::open(whole.folder.path()),
        Err(OpenError::LostCommits { first: 30, last: 30, .. })
    ));

    let stray = common::key(9999);
    behind_its_back(whole.folder.path(), |records| records.insert(stray.as_slice(), "no frame"))
        .expect("done");
    let salvaged = EmbeddedStore::salvage(whole.folder.path()).expect("salvaged");
    assert_eq!((salvaged.lost_commits, salvaged.dropped.len()), (1, 1));
    let mut store = EmbeddedStore::open(whole.folder.path()).expect("opened");
    let (loaded, mut model) = load(&store).expect("loaded");
    assert_eq!(loaded.records, salvaged.records);
    assert_eq!(store.commit(&changes(&SCRIPT.batch(31))).expect("committed"), 31);
    apply(&mut model, &SCRIPT.batch(31));
    drop(store);
    let store = EmbeddedStore::open(whole.folder.path()).expect("opened");
    assert_eq!(load(&store).expect("loaded").1, model);
}
