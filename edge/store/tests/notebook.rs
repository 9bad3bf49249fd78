//! A notebook gives back what was written, whatever happens to it, or less: never anything else, and never nothing
//! because of a part.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use common::harm::{Harm, PAGE, content_len, places};
use common::{Model, Random, Script, Step, apply, changes, copy_folder, files_below};
use store::{EmbeddedStore, Notebook, OpenError, Recalled};
use tempfile::TempDir;

const SCRIPT: Script = Script { clients: 200, changes: 40, octets: 300 };

fn open(folder: &Path) -> Notebook {
    let notebook = Notebook::open(folder).expect("opened");
    assert_eq!(notebook.set_aside(), None);
    notebook
}

/// All that a notebook gives back; checks that it comes in the order of the keys.
fn recall(notebook: &mut Notebook) -> (Recalled, Model) {
    let mut model = Model::new();
    let recalled = notebook
        .recall(&mut |key, image| {
            assert!(model.last_key_value().is_none_or(|(last, _)| last.as_slice() < key), "out of order");
            model.insert(key.to_vec(), image.to_vec());
            Ok(())
        })
        .expect("recalled");
    assert_eq!(recalled.records, model.len() as u64);
    (recalled, model)
}

fn recall_whole(notebook: &mut Notebook) -> Model {
    let (recalled, model) = recall(notebook);
    assert!(recalled.struck == 0 && recalled.cut_short.is_none(), "{recalled:?}");
    model
}

/// A notebook in which some batches were written, and every image that a key ever had.
struct Written {
    folder: TempDir,
    model: Model,
    ever: BTreeSet<(Vec<u8>, Vec<u8>)>,
}

impl Written {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut written = Self { folder, model: Model::new(), ever: BTreeSet::new() };
        let mut notebook = open(written.folder.path());
        assert_eq!(recall_whole(&mut notebook), Model::new());
        for number in 1..=30 {
            written.write(&mut notebook, &SCRIPT.batch(number));
        }
        written
    }

    /// With most of it in tables, and only the last batches in the journal.
    fn in_tables() -> Self {
        let mut written = Self::new();
        let mut notebook = open(written.folder.path());
        let heavy = Script { clients: 16, changes: 16, octets: 1 << 20 };
        let first_journal = written.folder.path().join("engine/0.jnl");
        for number in 1.. {
            assert!(number < 100, "the engine keeps its first journal for ever");
            written.write(&mut notebook, &heavy.batch(number));
            if !first_journal.exists() {
                break;
            }
        }
        for number in 31..=40 {
            written.write(&mut notebook, &SCRIPT.batch(number));
        }
        written
    }

    fn write(&mut self, notebook: &mut Notebook, steps: &[Step]) {
        notebook.commit(&changes(steps)).expect("committed");
        apply(&mut self.model, steps);
        let written = steps.iter().filter_map(|(key, image)| Some((key.clone(), image.clone()?)));
        self.ever.extend(written);
    }

    fn copy(&self) -> TempDir {
        let copy = tempfile::tempdir().expect("a folder");
        copy_folder(self.folder.path(), copy.path());
        copy
    }
}

// PDR-24
#[test]
fn what_was_written_is_there_after_every_start() {
    let mut written = Written::new();
    for number in 31..=40 {
        let mut notebook = open(written.folder.path());
        assert_eq!(recall_whole(&mut notebook), written.model);
        written.write(&mut notebook, &SCRIPT.batch(number));
    }
    assert_eq!(recall_whole(&mut open(written.folder.path())), written.model);
}

#[test]
fn one_process_has_it_open_at_a_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = open(folder.path());
    assert!(matches!(Notebook::open(folder.path()), Err(OpenError::Locked { .. })));
    drop(first);
    open(folder.path());
}

#[test]
fn what_is_something_else_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, strange) = (folder.path().join("store"), folder.path().join("strange"));
    drop(EmbeddedStore::open(&store).expect("opened"));
    fs::create_dir(&strange).expect("made");
    fs::write(strange.join("letters"), "dear").expect("written");
    for folder in [&store, &strange, &strange.join("letters")] {
        let error = Notebook::open(folder).err().expect("refused");
        assert!(matches!(error, OpenError::NotAStore { .. }), "{error}");
    }
    drop(EmbeddedStore::open(&store).expect("it is as it was"));

    let notebook = folder.path().join("notebook");
    drop(open(&notebook));
    assert!(EmbeddedStore::open(&notebook).is_err());
}

#[test]
fn what_the_reader_does_not_take_is_struck_out() {
    let written = Written::new();
    let mut notebook = open(written.folder.path());
    let (refused, _) = written.model.iter().nth(7).expect("there are more");
    let recalled = notebook
        .recall(&mut |key, _| if key == refused { Err("of a later version".into()) } else { Ok(()) })
        .expect("recalled");
    assert_eq!((recalled.records, recalled.struck), (written.model.len() as u64 - 1, 1));
    assert!(recalled.named[0].to_string().ends_with("of a later version"), "{}", recalled.named[0]);
    drop(notebook);
    let mut left = written.model.clone();
    left.remove(refused);
    assert_eq!(recall_whole(&mut open(written.folder.path())), left);
}

#[test]
fn a_damaged_record_is_struck_out_and_the_others_are_there() {
    let written = Written::new();
    let keys: Vec<_> = written.model.keys().take(2).cloned().collect();
    {
        let database = fjall::Database::builder(written.folder.path().join("engine")).open().expect("opened");
        let records = database.keyspace("records", fjall::KeyspaceCreateOptions::default).expect("there");
        records.insert(&keys[0], "no frame").expect("written");
        let of_another = records.get(&keys[0]).expect("read").expect("there");
        records.insert(&keys[1], of_another).expect("written");
    }
    let mut notebook = open(written.folder.path());
    let (recalled, model) = recall(&mut notebook);
    assert_eq!(recalled.struck, 2);
    assert!(recalled.named.iter().all(|struck| struck.why == "it is not as it was written"));
    let mut left = written.model.clone();
    keys.iter().for_each(|key| _ = left.remove(key));
    assert_eq!(model, left);
    drop(notebook);
    assert_eq!(recall_whole(&mut open(written.folder.path())), left, "said once");
}

#[test]
fn a_torn_tail_costs_the_last_batches_at_most() {
    let written = Written::new();
    let states: Vec<Model> = (0..=30)
        .map(|batches| {
            let mut model = Model::new();
            (1..=batches).for_each(|number| apply(&mut model, &SCRIPT.batch(number)));
            model
        })
        .collect();
    let len = content_len(&written.folder.path().join("engine/0.jnl"));
    let mut last = 0;
    for cut in (0..=len).step_by(len as usize / 20) {
        let copy = written.copy();
        Harm::Cut { len: cut }.inflict(&copy.path().join("engine/0.jnl"));
        let mut notebook = Notebook::open(copy.path()).expect("opened");
        let (recalled, model) = recall(&mut notebook);
        assert_eq!((recalled.struck, notebook.set_aside()), (0, None));
        let batches = states.iter().rposition(|state| *state == model).expect("a whole number of batches");
        assert!(batches >= last, "the longer, the more");
        last = batches;
    }
    assert!(last >= 28, "{last}");
}

/// Damages some files, one at a time, in every way that `harms` gives for one of that length: the notebook opens, gives nothing that was never written, takes the next batch,
/// and is whole afterwards.
fn damage_each(written: &Written, files: Vec<PathBuf>, mut harms: impl FnMut(u64) -> Vec<Harm>) {
    let mut tally: BTreeMap<(String, &str), u64> = BTreeMap::new();
    for file in files {
        for harm in harms(content_len(&written.folder.path().join(&file))) {
            let what = format!("{harm:?} of {}", file.display());
            let copy = written.copy();
            harm.inflict(&copy.path().join(&file));
            let mut notebook = Notebook::open(copy.path()).unwrap_or_else(|error| panic!("{what}: {error}"));
            let was_set_aside = notebook.set_aside().is_some();
            let (recalled, model) = recall(&mut notebook);
            for (key, image) in &model {
                assert!(written.ever.contains(&(key.clone(), image.clone())), "{what}: never written");
            }
            let became = match &recalled {
                _ if model == written.model => "whole",
                _ if was_set_aside => "put aside",
                Recalled { cut_short: Some(_), .. } => "cut short",
                Recalled { struck: 1.., .. } => "struck out",
                _ => "less",
            };
            *tally.entry((file.display().to_string(), became)).or_default() += 1;

            notebook.commit(&changes(&SCRIPT.batch(99))).unwrap_or_else(|error| panic!("{what}: {error}"));
            drop(notebook);
            let mut expected = model;
            apply(&mut expected, &SCRIPT.batch(99));
            assert!(recall_whole(&mut open(copy.path())) == expected, "{what}: not what was left");
        }
    }
    for ((file, became), times) in tally {
        println!("{file:30} {became:10} {times:4}");
    }
}

#[test]
fn damage_to_a_notebook_in_its_journal_costs_what_it_hits() {
    let written = Written::new();
    let mut random = Random(11);
    let files = files_below(written.folder.path());
    damage_each(&written, files, |len| Harm::all(len, places(), &mut random));
}

#[test]
fn damage_to_a_notebook_in_its_tables_costs_what_it_hits() {
    let written = Written::in_tables();
    let mut files = files_below(written.folder.path());
    files.retain(|file| {
        file.starts_with("engine/keyspaces/1") || file.extension().is_some_and(|end| end == "jnl")
    });
    damage_each(&written, files, |len| {
        let middle = len / 2;
        vec![
            Harm::Remove,
            Harm::Flip { bit: middle * 8 },
            Harm::Cut { len: middle },
            Harm::Blank { from: middle, len: PAGE.min(len - middle) },
        ]
    });
}
