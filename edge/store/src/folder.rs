//! A store's folder: held by one process, and changed in steps that last.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;

use crate::engine;
use crate::error::{BoxError, OpenError};

/// The file that the process which has a store open holds exclusively.
pub(crate) const LOCK: &str = "lock";
/// The engine's folder.
pub(crate) const ENGINE: &str = "engine";
/// An engine that is being made.
pub(crate) const ENGINE_NEW: &str = "engine.new";

/// What a file system puts into its topmost folder.
const LOST_AND_FOUND: &str = "lost+found";

/// What may be in a store's folder.
pub(crate) struct Content {
    /// What tells that it is a store already, any of these.
    pub(crate) marks: &'static [&'static str],
    /// What may be in a folder that is to become one, besides: the traces of a start that was cut short.
    pub(crate) traces: &'static [&'static str],
}

/// Takes a store's lock, in a folder that is a store or may become one.
pub(crate) fn lock(folder: &Path, content: &Content) -> Result<File, OpenError> {
    fs::create_dir_all(folder).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => not_a_store(folder, "it is a file"),
        _ => io_error(folder, "make the folder", source),
    })?;
    refuse_strangers(folder, content)?;
    let path = folder.join(LOCK);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|source| io_error(&path, "open", source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked { folder: folder.to_owned() }),
        Err(TryLockError::Error(source)) => Err(io_error(&path, "lock", source)),
    }
}

/// Refuses a folder that holds something and is no store, before anything is written into it.
fn refuse_strangers(folder: &Path, content: &Content) -> Result<(), OpenError> {
    let cannot = |source| io_error(folder, "read the folder", source);
    let mut stranger = None;
    for entry in fs::read_dir(folder).map_err(cannot)? {
        let name = entry.map_err(cannot)?.file_name();
        if content.marks.iter().any(|mark| name == *mark) {
            return Ok(());
        }
        let known = [LOCK, ENGINE_NEW, LOST_AND_FOUND];
        if !known.iter().chain(content.traces).any(|known| name == *known) {
            stranger = Some(name);
        }
    }
    match stranger {
        Some(name) => Err(not_a_store(folder, &format!("it holds {}", Path::new(&name).display()))),
        None => Ok(()),
    }
}

/// Makes the name of a new store's folder last, where the folder above may be read.
pub(crate) fn sync_name(folder: &Path) -> Result<(), OpenError> {
    match File::open(folder.join("..")) {
        Ok(above) => above.sync_all().map_err(|source| io_error(folder, "make its name last", source)),
        Err(_) => Ok(()),
    }
}

/// Renames and makes the new name last.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), OpenError> {
    let folder = to.parent().expect("every file of a store is in its folder");
    fs::rename(from, to)
        .and_then(|()| File::open(folder)?.sync_all())
        .map_err(|source| io_error(to, "put in place", source))
}

/// Removes a folder and all in it, if it is there.
pub(crate) fn remove_all(folder: &Path) -> Result<(), OpenError> {
    match fs::remove_dir_all(folder) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(io_error(folder, "remove what is left of an earlier start", source))
        }
        _ => Ok(()),
    }
}

pub(crate) fn exists(path: &Path) -> Result<bool, OpenError> {
    path.try_exists().map_err(|source| io_error(path, "look for", source))
}

pub(crate) fn not_a_store(folder: &Path, found: &str) -> OpenError {
    OpenError::NotAStore { folder: folder.to_owned(), found: found.to_owned() }
}

pub(crate) fn io_error(path: &Path, doing: &'static str, source: io::Error) -> OpenError {
    OpenError::Io { path: path.to_owned(), doing, source }
}

/// The error for what the engine refused: the operating system's fault or the files'.
pub(crate) fn engine_refused(folder: &Path, doing: &'static str, error: BoxError) -> OpenError {
    match engine::refusal(error) {
        Ok(source) => io_error(&folder.join(ENGINE), doing, source),
        Err(source) => OpenError::Damaged {
            folder: folder.to_owned(),
            what: format!("its engine cannot {doing} its files"),
            source: Some(source),
        },
    }
}
