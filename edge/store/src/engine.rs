//! The engine beneath the embedded store and the notebook: fjall, and what it needs around it.
//!
//! fjall is a log-structured merge tree: a journal that a batch is appended to and synced, a table in memory, sorted
//! and checksummed tables on disk. This file is the only one that knows it. What it adds:
//!
//! - One keyspace holds all records and what the store says of them. A second one that is rarely written would keep old journals alive.
//! - A panic of the engine is an error. It asserts in places where a damaged file is the cause.
//! - [`inspect`] looks at the manifests before the engine does. The engine takes a tree without a manifest for one
//!   never finished and removes it, and it removes the tables that a manifest does not name, without checking the
//!   manifest against the checksum that lies beside it.
//!
//! Compression is off: an image of a few hundred octets gains little, and loading is to be quick.

use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode, Slice};
use xxhash_rust::xxh3::xxh3_128;

use crate::error::BoxError;

/// The one keyspace.
const KEYSPACE: &str = "records";

/// The folders of the trees inside an engine's: fjall's own, and that of [`KEYSPACE`].
const TREES: [&str; 2] = ["keyspaces/0", "keyspaces/1"];

/// Threads that flush and compact: one for each, so that neither waits for the other.
const WORKERS: usize = 2;

/// How large all journals together may grow, in octets: the least that lets the active one be full and one be flushed.
const JOURNALS: u64 = 128 << 20;

/// What an engine may keep in memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// Blocks of tables, in octets. The page cache does the rest.
    pub(crate) cache: u64,
    /// How large the table in memory grows before it is written out, in octets. It bounds what a start replays, and
    /// stays as it was when the engine was made.
    pub(crate) memtable: u64,
}

/// An open engine.
pub(crate) struct Engine {
    database: Database,
    records: Keyspace,
}

/// A key and what is kept under it.
pub(crate) type Entry = (Slice, Slice);

/// Entries in the order of their keys.
pub(crate) struct Scan {
    entries: fjall::Iter,
}

impl Engine {
    /// Makes an engine in `folder`, which must not hold one.
    pub(crate) fn create(folder: &Path, memory: Memory) -> Result<Self, BoxError> {
        guarded(|| {
            let database = builder(folder, memory).open()?;
            let options = || KeyspaceCreateOptions::default().max_memtable_size(memory.memtable);
            let records = database.keyspace(KEYSPACE, options)?;
            Ok(Self { database, records })
        })
    }

    /// Opens the engine in `folder`, which [`inspect`] has found whole.
    pub(crate) fn open(folder: &Path, memory: Memory) -> Result<Self, BoxError> {
        guarded(|| {
            let database = builder(folder, memory).open()?;
            if !database.keyspace_exists(KEYSPACE) {
                return Err(fjall::Error::Unrecoverable);
            }
            let records = database.keyspace(KEYSPACE, KeyspaceCreateOptions::default)?;
            Ok(Self { database, records })
        })
    }

    /// What is kept under a key.
    pub(crate) fn read(&self, key: &[u8]) -> Result<Option<Slice>, BoxError> {
        guarded(|| self.records.get(key))
    }

    /// Writes and removes, all of it or nothing, and returns when it is on disk.
    pub(crate) fn write<'a>(
        &self,
        changes: impl ExactSizeIterator<Item = (&'a [u8], Option<Vec<u8>>)>,
    ) -> Result<(), BoxError> {
        guarded(|| {
            let mut batch = fjall::OwnedWriteBatch::with_capacity(self.database.clone(), changes.len())
                .durability(Some(PersistMode::SyncData));
            for (key, value) in changes {
                match value {
                    Some(value) => batch.insert(&self.records, key, value),
                    None => batch.remove(&self.records, key),
                }
            }
            batch.commit()
        })
    }

    /// Everything in the engine from `first` on.
    pub(crate) fn scan(&self, first: &[u8]) -> Scan {
        Scan { entries: self.records.range(first..) }
    }
}

impl Scan {
    /// The next entries, at most `most` of them; none at the end.
    pub(crate) fn take(&mut self, most: usize) -> Result<Vec<Entry>, BoxError> {
        guarded(|| self.entries.by_ref().take(most).map(fjall::Guard::into_inner).collect())
    }
}

fn builder(folder: &Path, memory: Memory) -> fjall::DatabaseBuilder<Database> {
    Database::builder(folder).worker_threads(WORKERS).cache_size(memory.cache).max_journaling_size(JOURNALS)
}

/// Whether the files that say what belongs to the engine in `folder` are there and whole; what is wrong otherwise.
///
/// To be called before [`Engine::open`] on an engine that has been written to.
pub(crate) fn inspect(folder: &Path) -> io::Result<Result<(), String>> {
    if !folder.join("version").try_exists()? {
        return Ok(Err("the engine's version file is missing".to_owned()));
    }
    for tree in TREES {
        if let Err(what) = inspect_manifest(&folder.join(tree))? {
            return Ok(Err(format!("{what} in {tree}")));
        }
    }
    Ok(Ok(()))
}

/// Whether there is a journal in `folder`. Without one the engine opens, with what is in its tables; but what is written
/// after that may be gone at the next start.
pub(crate) fn has_journal(folder: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(folder)? {
        if Path::new(&entry?.file_name()).extension().is_some_and(|end| end == "jnl") {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Checks a tree's manifest, the file `v<id>`, against `current`: id (u64), XXH3-128 of the manifest (u128), both
/// little endian, and the kind of checksum.
fn inspect_manifest(tree: &Path) -> io::Result<Result<(), String>> {
    let Some(current) = read_if_there(&tree.join("current"))? else {
        return Ok(Err("the manifest's pointer is missing".to_owned()));
    };
    let Some((id, rest)) = current.split_first_chunk::<8>() else {
        return Ok(Err("the manifest's pointer is cut short".to_owned()));
    };
    let Some((checksum, _kind)) = rest.split_first_chunk::<16>() else {
        return Ok(Err("the manifest's pointer is cut short".to_owned()));
    };
    let Some(manifest) = read_if_there(&tree.join(format!("v{}", u64::from_le_bytes(*id))))? else {
        return Ok(Err("the manifest is missing".to_owned()));
    };
    if xxh3_128(&manifest) != u128::from_le_bytes(*checksum) {
        return Ok(Err("the manifest is not as it was written".to_owned()));
    }
    Ok(Ok(()))
}

fn read_if_there(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Tells what the operating system refused from what the engine cannot make sense of.
pub(crate) fn refusal(error: BoxError) -> Result<io::Error, BoxError> {
    use io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};

    match *error.downcast::<fjall::Error>()? {
        fjall::Error::Io(error) | fjall::Error::Storage(fjall::LsmError::Io(error))
            if matches!(
                error.kind(),
                PermissionDenied | QuotaExceeded | ReadOnlyFilesystem | StorageFull
            ) =>
        {
            Ok(error)
        }
        other => Err(other.into()),
    }
}

/// Calls into the engine, and makes a panic in there an error.
fn guarded<T>(call: impl FnOnce() -> fjall::Result<T>) -> Result<T, BoxError> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(result) => result.map_err(BoxError::from),
        Err(panic) => {
            let said = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("without a word");
            Err(format!("the engine panicked: {said}").into())
        }
    }
}
