//! A notebook: records that are an aid to memory, where the truth is with somebody else.
//!
//! ```text
//! <notebook>/lock             held exclusively by the process that has it open
//! <notebook>/engine/          the engine's own files (`engine.rs`): records in their frames (`record.rs`)
//! <notebook>/engine.damaged/  the last engine that could not be read
//! ```
//!
//! Where the embedded store refuses what is damaged, a notebook goes on with what is left: it says what is missing, as
//! far as it can tell, strikes it out, and what nobody can read it puts aside and begins anew. There is no witness:
//! whoever reads it must be able to do without any part of it.
//!
//! The invariant: what is recalled was once written so, under that key.

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};

use crate::engine::{self, Engine, Memory, Scan};
use crate::error::{BoxError, CommitError, OpenError};
use crate::folder::{
    Content, ENGINE, ENGINE_NEW, engine_refused, exists, io_error, lock, not_a_store, remove_all, rename,
    sync_name,
};
use crate::record::{Seal, frame, hex, unframe};
use crate::store::{Change, Visit};
use crate::witness::WITNESS;

const ENGINE_DAMAGED: &str = "engine.damaged";

const CONTENT: Content = Content { marks: &[ENGINE, ENGINE_DAMAGED], traces: &[] };

/// Nothing is read between two starts, and a record is small.
const MEMORY: Memory = Memory { cache: 4 << 20, memtable: 8 << 20 };

/// How many records are read or written at once.
const CHUNK: usize = 1024;

/// How many struck records are named; the others are counted.
const MAX_NAMED: usize = 100;

/// Records that may be forgotten, in a folder of this machine.
pub struct Notebook {
    folder: PathBuf,
    engine: Engine,
    set_aside: Option<String>,
    _lock: File,
}

/// What a [`Notebook::recall`] gave back, and what it could not.
#[derive(Debug, Default)]
pub struct Recalled {
    /// How many records were taken.
    pub records: u64,
    /// How many were not, and are struck out.
    pub struck: u64,
    /// Some of these.
    pub named: Vec<Struck>,
    /// Why the rest could not be read, if it could not: the notebook goes on with the records that were taken.
    pub cut_short: Option<BoxError>,
}

/// A record that was struck out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Struck {
    /// Its key, in hexadecimal digits.
    pub key: String,
    /// What is wrong with it.
    pub why: String,
}

impl fmt::Display for Struck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, why } = self;
        write!(f, "the record {key}: {why}")
    }
}

impl Notebook {
    /// Opens the notebook in `folder`, and makes one where there is nothing. One that cannot be read is put aside, as
    /// [`Notebook::set_aside`] then says, and begins anew.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let lock = lock(folder, &CONTENT)?;
        if exists(&folder.join(WITNESS))? {
            return Err(not_a_store(folder, "it holds a store that must not forget"));
        }
        let (engine, set_aside) = match find_engine(folder)? {
            Ok(engine) => (engine, None),
            Err(what) => (begin_anew(folder)?, Some(what)),
        };
        Ok(Self { folder: folder.to_owned(), engine, set_aside, _lock: lock })
    }

    /// What was wrong with what had to be put aside at opening.
    #[must_use]
    pub fn set_aside(&self) -> Option<&str> {
        self.set_aside.as_deref()
    }

    /// Gives back every record that can be read, once, in the order of the keys. One that is damaged, or that `visit`
    /// does not take, is struck out. To be called before the first commit.
    pub fn recall(&mut self, visit: &mut Visit<'_>) -> Result<Recalled, OpenError> {
        let mut recalled = Recalled::default();
        let mut struck = Vec::new();
        let mut scan = self.engine.scan(&[]);
        loop {
            let entries = match scan.take(CHUNK) {
                Ok(entries) if entries.is_empty() => break,
                Ok(entries) => entries,
                Err(error) => {
                    recalled.cut_short = Some(error);
                    break;
                }
            };
            for (key, framed) in entries {
                match taken(&key, &framed, visit) {
                    Ok(()) => recalled.records += 1,
                    Err(why) => {
                        recalled.strike(&key, why);
                        struck.push(key);
                    }
                }
            }
        }
        drop(scan);
        if !struck.is_empty() {
            let cannot_write = |error| engine_refused(&self.folder, "write", error);
            self.engine.write(struck.iter().map(|key| (&**key, None))).map_err(cannot_write)?;
        }
        if recalled.cut_short.is_some() {
            self.copy_what_is_left()?;
        }
        Ok(recalled)
    }

    /// Writes and strikes out, all of it or nothing, and returns when it is on disk. After an error it is unknown
    /// whether the batch lasts; later ones may fail for the same reason.
    ///
    /// # Panics
    ///
    /// When a key or an image is not of the sizes named in [`Change`].
    pub fn commit(&mut self, changes: &[Change<'_>]) -> Result<(), CommitError> {
        changes.iter().for_each(Change::assert_sizes);
        let framed = changes.iter().map(|Change { key, image }| {
            let framed = image.map(|image| frame(Seal::of(key, image), image));
            (*key, framed)
        });
        self.engine.write(framed).map_err(|source| CommitError::Engine { source })
    }

    /// Copies what can be read into another engine, and goes on with that.
    fn copy_what_is_left(&mut self) -> Result<(), OpenError> {
        let mut scan = self.engine.scan(&[]);
        let copy = make_engine(&self.folder)?;
        copy_until_damage(&mut scan, &copy).map_err(|error| engine_refused(&self.folder, "write", error))?;
        drop(scan);
        drop(copy);
        put_aside(&self.folder)?;
        rename(&self.folder.join(ENGINE_NEW), &self.folder.join(ENGINE))?;
        let path = self.folder.join(ENGINE);
        self.engine =
            Engine::open(&path, MEMORY).map_err(|error| engine_refused(&self.folder, "open", error))?;
        Ok(())
    }
}

impl Recalled {
    fn strike(&mut self, key: &[u8], why: String) {
        self.struck += 1;
        if self.named.len() < MAX_NAMED {
            self.named.push(Struck { key: hex(key), why });
        }
    }
}

fn taken(key: &[u8], framed: &[u8], visit: &mut Visit<'_>) -> Result<(), String> {
    let (_, image) = unframe(key, framed).ok_or("it is not as it was written")?;
    visit(key, image).map_err(|error| error.to_string())
}

/// Copies whole chunks, until one cannot be read.
fn copy_until_damage(scan: &mut Scan, to: &Engine) -> Result<(), BoxError> {
    while let Ok(entries) = scan.take(CHUNK)
        && !entries.is_empty()
    {
        to.write(entries.iter().map(|(key, framed)| (&**key, Some(framed.to_vec()))))?;
    }
    Ok(())
}

/// The engine that is there, a new one where there is none, or why it cannot be read.
fn find_engine(folder: &Path) -> Result<Result<Engine, String>, OpenError> {
    let path = folder.join(ENGINE);
    if !exists(&path)? {
        drop(make_engine(folder)?);
        rename(&folder.join(ENGINE_NEW), &path)?;
        sync_name(folder)?;
    }
    let cannot_read = |source| io_error(&path, "read", source);
    if let Err(what) = engine::inspect(&path).map_err(cannot_read)? {
        return Ok(Err(what));
    }
    if !engine::has_journal(&path).map_err(cannot_read)? {
        return Ok(Err("the journal is missing".to_owned()));
    }
    match Engine::open(&path, MEMORY).map_err(engine::refusal) {
        Ok(engine) => Ok(Ok(engine)),
        Err(Ok(source)) => Err(io_error(&path, "open", source)),
        Err(Err(error)) => Ok(Err(error.to_string())),
    }
}

fn begin_anew(folder: &Path) -> Result<Engine, OpenError> {
    put_aside(folder)?;
    find_engine(folder)?.map_err(|what| OpenError::Damaged { folder: folder.to_owned(), what, source: None })
}

/// Keeps an engine that cannot be read for whoever wants to look at it, in the place of an earlier one.
fn put_aside(folder: &Path) -> Result<(), OpenError> {
    let aside = folder.join(ENGINE_DAMAGED);
    remove_all(&aside)?;
    rename(&folder.join(ENGINE), &aside)
}

/// An empty engine, beside its place.
fn make_engine(folder: &Path) -> Result<Engine, OpenError> {
    let new = folder.join(ENGINE_NEW);
    remove_all(&new)?;
    Engine::create(&new, MEMORY).map_err(|error| engine_refused(folder, "make", error))
}
