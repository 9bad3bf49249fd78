//! The embedded store: a folder, an engine in it, and proof that the engine forgot nothing.
//!
//! ```text
//! <store>/lock      held exclusively by the process that has the store open
//! <store>/witness   the last commit known to be durable (`witness.rs`)
//! <store>/engine/   the engine's own files (`engine.rs`): records and their summary (`record.rs`)
//! ```
//!
//! The engine recovers by itself from a crash, and by the same means it hides damage: what it cannot read at the end of
//! its journal it drops, be it a torn tail or half a day. So the store asks for proof. At opening, the summary's
//! commit number must have reached the witness's: else commits are lost. While loading, every record's seal must fit its
//! key and image, and the number and the sum of all seals must be the summary's: else a record is missing, old, or back
//! from the dead. What fails the proof is reported and not served.
//!
//! A store comes to be in steps that a crash may interrupt anywhere: the witness of commit 0 first, renamed into place,
//! then an engine that holds an empty summary, renamed into place. A witness of a later commit without an engine, or an
//! engine without a witness, is damage.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use crate::engine::{self, Engine, Entry, Memory};
use crate::error::{BoxError, CommitError, LoadError, OpenError};
use crate::folder::{
    Content, ENGINE, ENGINE_NEW, engine_refused, exists, io_error, lock, remove_all, rename, sync_name,
};
use crate::record::{LAYOUT, SUMMARY_KEY, Seal, Summary, frame, hex, unframe};
use crate::store::{Change, Loaded, Store, Visit};
use crate::witness::{Testimony, WITNESS, Witness};

const WITNESS_NEW: &str = "witness.new";

const CONTENT: Content = Content { marks: &[WITNESS, ENGINE], traces: &[WITNESS_NEW] };

/// How many entries go from the scanning thread to the loading one at once: enough to make the hand-over cheap.
const CHUNK: usize = 1024;

/// How many chunks wait between the two: enough to keep both busy.
const CHUNKS_WAITING: usize = 4;

/// Every client that changes is read before it is written, and a large population changes much.
const MEMORY: Memory = Memory { cache: 64 << 20, memtable: 32 << 20 };

/// Where a record of a client can begin: after the summary.
const FIRST_RECORD: &[u8] = &[0, 0];

/// Records in a folder of this machine.
pub struct EmbeddedStore {
    folder: PathBuf,
    engine: Engine,
    witness: Witness,
    summary: Summary,
    failed: Option<String>,
    _lock: File,
}

/// What [`EmbeddedStore::salvage`] could keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Salvaged {
    /// How many records are left.
    pub records: u64,
    /// The keys of those that were damaged and are gone, in hexadecimal digits.
    pub dropped: Vec<String>,
    /// How many of the last commits are known to be gone.
    pub lost_commits: u64,
}

impl EmbeddedStore {
    /// Opens the store in `folder`, and makes one where there is nothing.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let found = Found::in_folder(folder)?;
        let Some(said) = found.said else {
            return Err(damaged(folder, "the witness cannot be read"));
        };
        let summary =
            found.summary.ok_or_else(|| damaged(folder, "the summary of the records cannot be read"))?;
        if summary.commit < said.commit {
            let (first, last) = (summary.commit + 1, said.commit);
            return Err(OpenError::LostCommits { folder: folder.to_owned(), first, last });
        }
        found.into_store(summary)
    }

    /// Makes a damaged store usable again with what is left of it, at the price of what is not.
    ///
    /// Damaged records are dropped, and commits that are lost are lost: a client whose lease was in them may be told
    /// another one, and another client may be told its. This is for the operator who has no backup. The records of a
    /// store that is whole stay as they are. Where the engine cannot read its own files this fails as
    /// [`EmbeddedStore::open`] does.
    pub fn salvage(folder: &Path) -> Result<Salvaged, OpenError> {
        let found = Found::in_folder(folder)?;
        let (mut kept, dropped) = found.keep_whole_records()?;
        let durable = found.said.map_or(0, |said| said.commit);
        let claimed = found.summary.map_or(durable, |summary| summary.commit);
        kept.commit = claimed.max(durable);
        let salvaged = Salvaged {
            records: kept.records,
            dropped: dropped.iter().map(|key| hex(key)).collect(),
            lost_commits: durable.saturating_sub(claimed),
        };
        let removed = dropped.iter().map(|key| (key.as_slice(), None));
        let changes: Vec<_> = removed.chain([(SUMMARY_KEY, Some(kept.frame()))]).collect();
        found.engine.write(changes.into_iter()).map_err(|error| engine_refused(folder, "write", error))?;
        let witness = folder.join(WITNESS);
        Witness::create(&witness, LAYOUT, kept.commit)
            .map_err(|source| io_error(&witness, "write", source))?;
        Ok(salvaged)
    }

    /// The folder the store is in.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn write(&mut self, changes: &[Change<'_>]) -> Result<(), CommitError> {
        let last: BTreeMap<&[u8], Option<&[u8]>> =
            changes.iter().map(|change| (change.key, change.image)).collect();
        let mut summary = Summary { commit: self.summary.commit + 1, ..self.summary };
        let mut writes = Vec::with_capacity(last.len() + 1);
        for (key, image) in last {
            self.count_out(key, &mut summary)?;
            let framed = image.map(|image| {
                let seal = Seal::of(key, image);
                summary.add(seal);
                frame(seal, image)
            });
            writes.push((key, framed));
        }
        writes.push((SUMMARY_KEY, Some(summary.frame())));
        self.engine.write(writes.into_iter()).map_err(|source| CommitError::Engine { source })?;
        self.summary = summary;
        self.witness.note(summary.commit).map_err(|source| CommitError::Witness { source })
    }

    /// Takes the record that a change replaces, if there is one, out of the summary.
    fn count_out(&self, key: &[u8], summary: &mut Summary) -> Result<(), CommitError> {
        let Some(old) = self.engine.read(key).map_err(|source| CommitError::Engine { source })? else {
            return Ok(());
        };
        match unframe(key, &old) {
            Some((seal, _)) if summary.take(seal) => Ok(()),
            _ => Err(CommitError::Damaged { key: hex(key) }),
        }
    }

    fn damaged(&self, what: String, source: Option<BoxError>) -> LoadError {
        LoadError::Damaged { folder: self.folder.clone(), what, source }
    }
}

impl Store for EmbeddedStore {
    fn load(&self, visit: &mut Visit<'_>) -> Result<Loaded, LoadError> {
        let mut found = Summary { commit: self.summary.commit, ..Summary::default() };
        thread::scope(|scope| {
            let (chunks, arriving) = sync_channel(CHUNKS_WAITING);
            scope.spawn(|| scan(&self.engine, chunks));
            for chunk in arriving {
                let entries = chunk.map_err(|source| {
                    self.damaged("its engine cannot read a table".to_owned(), Some(source))
                })?;
                for (key, framed) in entries {
                    let Some((seal, image)) = unframe(&key, &framed) else {
                        return Err(
                            self.damaged(format!("the record {} is not as it was written", hex(&key)), None)
                        );
                    };
                    found.add(seal);
                    visit(&key, image).map_err(|source| LoadError::Refused { key: hex(&key), source })?;
                }
            }
            Ok(())
        })?;
        let committed = self.summary;
        if found.records != committed.records {
            let what =
                format!("{} records were committed and {} are there", committed.records, found.records);
            return Err(self.damaged(what, None));
        }
        if found.sum != committed.sum {
            return Err(self.damaged("some records are older than what was committed".to_owned(), None));
        }
        Ok(Loaded { records: found.records, commit: found.commit })
    }

    fn commit(&mut self, changes: &[Change<'_>]) -> Result<u64, CommitError> {
        changes.iter().for_each(Change::assert_sizes);
        if let Some(because) = &self.failed {
            return Err(CommitError::Failed { because: because.clone() });
        }
        self.write(changes).inspect_err(|error| self.failed = Some(error.to_string()))?;
        Ok(self.summary.commit)
    }
}

/// Sends all records from the engine to whoever loads them, until the end, an error, or nobody listens any more.
fn scan(engine: &Engine, chunks: SyncSender<Result<Vec<Entry>, BoxError>>) {
    let mut scan = engine.scan(FIRST_RECORD);
    loop {
        let chunk = scan.take(CHUNK);
        let is_last = chunk.as_ref().map_or(true, Vec::is_empty);
        if chunks.send(chunk).is_err() || is_last {
            return;
        }
    }
}

/// What is in a store's folder, under its lock, before any of it is believed.
struct Found {
    folder: PathBuf,
    lock: File,
    witness: Witness,
    said: Option<Testimony>,
    engine: Engine,
    summary: Option<Summary>,
}

impl Found {
    fn in_folder(folder: &Path) -> Result<Self, OpenError> {
        let lock = lock(folder, &CONTENT)?;
        let (witness, said) = find_witness(folder)?;
        let engine = find_engine(folder, said)?;
        let summary = engine.read(SUMMARY_KEY).map_err(|error| engine_refused(folder, "read", error))?;
        let summary = summary.and_then(|bytes| Summary::unframe(&bytes));
        Ok(Self { folder: folder.to_owned(), lock, witness, said, engine, summary })
    }

    /// Trusts what was found. What the engine recovered is on disk by now, so the witness may name it.
    fn into_store(self, summary: Summary) -> Result<EmbeddedStore, OpenError> {
        let Self { folder, lock, witness, said: _, engine, summary: _ } = self;
        witness
            .note(summary.commit)
            .and_then(|()| witness.sync())
            .map_err(|source| io_error(&folder.join(WITNESS), "write", source))?;
        Ok(EmbeddedStore { folder, engine, witness, summary, failed: None, _lock: lock })
    }

    /// Sums up the records that are whole, and names the keys of the others.
    fn keep_whole_records(&self) -> Result<(Summary, Vec<Vec<u8>>), OpenError> {
        let (mut kept, mut dropped) = (Summary::default(), Vec::new());
        let mut scan = self.engine.scan(FIRST_RECORD);
        loop {
            let entries = scan.take(CHUNK).map_err(|error| engine_refused(&self.folder, "read", error))?;
            if entries.is_empty() {
                return Ok((kept, dropped));
            }
            for (key, framed) in entries {
                match unframe(&key, &framed) {
                    Some((seal, _)) => kept.add(seal),
                    None => dropped.push(key.to_vec()),
                }
            }
        }
    }
}

/// Opens the witness, and makes the first one in a folder that holds nothing yet.
fn find_witness(folder: &Path) -> Result<(Witness, Option<Testimony>), OpenError> {
    let path = folder.join(WITNESS);
    if !exists(&path)? {
        if exists(&folder.join(ENGINE))? {
            return Err(damaged(folder, "the witness is missing"));
        }
        let new = folder.join(WITNESS_NEW);
        Witness::create(&new, LAYOUT, 0).map_err(|source| io_error(&new, "write", source))?;
        rename(&new, &path)?;
        sync_name(folder)?;
    }
    let (witness, said) = Witness::open(&path, LAYOUT).map_err(|source| io_error(&path, "open", source))?;
    match said {
        Some(Testimony { layout: found, .. }) if found > LAYOUT => {
            Err(OpenError::NewerLayout { folder: folder.to_owned(), found, known: LAYOUT })
        }
        _ => Ok((witness, said)),
    }
}

/// Opens the engine, and makes the first one where the witness has seen no commit.
fn find_engine(folder: &Path, said: Option<Testimony>) -> Result<Engine, OpenError> {
    let path = folder.join(ENGINE);
    if !exists(&path)? {
        if said.is_none_or(|said| said.commit > 0) {
            return Err(damaged(folder, "the engine's folder is missing"));
        }
        create_engine(folder)?;
    }
    match engine::inspect(&path).map_err(|source| io_error(&path, "read", source))? {
        Ok(()) => Engine::open(&path, MEMORY).map_err(|error| engine_refused(folder, "open", error)),
        Err(what) => Err(damaged(folder, &what)),
    }
}

/// Makes an engine with an empty summary beside its place, then puts it there.
fn create_engine(folder: &Path) -> Result<(), OpenError> {
    let new = folder.join(ENGINE_NEW);
    remove_all(&new)?;
    let engine = Engine::create(&new, MEMORY).map_err(|error| engine_refused(folder, "make", error))?;
    engine
        .write([(SUMMARY_KEY, Some(Summary::default().frame()))].into_iter())
        .map_err(|error| engine_refused(folder, "write", error))?;
    drop(engine);
    rename(&new, &folder.join(ENGINE))
}

fn damaged(folder: &Path, what: &str) -> OpenError {
    OpenError::Damaged { folder: folder.to_owned(), what: what.to_owned(), source: None }
}
