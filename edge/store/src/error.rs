//! What can go wrong, one enum per phase: opening, loading, committing.
//!
//! Every message names the folder or the record and says what would be right. An engine's own error is carried as the
//! source, boxed, so that no caller depends on which engine it is.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// An error of an engine or of a caller, whichever it is.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a store could not be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The path is a file, or a folder of something else.
    #[error("{} is not a store: {found}; name a store's folder, an empty one or a new one", folder.display())]
    NotAStore {
        /// What was to be opened.
        folder: PathBuf,
        /// What is there instead.
        found: String,
    },
    /// Another process has the store open.
    #[error("the store {} is in use by another process", folder.display())]
    Locked {
        /// The store.
        folder: PathBuf,
    },
    /// A newer version of Leasehold wrote the store.
    #[error(
        "the store {} has layout {found} and this version knows up to {known}: it was written by a newer version",
        folder.display()
    )]
    NewerLayout {
        /// The store.
        folder: PathBuf,
        /// The layout it has.
        found: u32,
        /// The newest layout this version knows.
        known: u32,
    },
    /// Commits that were durable are gone.
    #[error(
        "the store {} has lost commits {first}..{last}: its journal is damaged; restore it from a backup, or salvage \
         what is left",
        folder.display()
    )]
    LostCommits {
        /// The store.
        folder: PathBuf,
        /// The first commit that is gone.
        first: u64,
        /// The last commit that is known to have been durable.
        last: u64,
    },
    /// Something else in the store is not as it was written.
    #[error("the store {} is damaged: {what}; restore it from a backup", folder.display())]
    Damaged {
        /// The store.
        folder: PathBuf,
        /// What is wrong.
        what: String,
        /// What the engine said of it, if it was the engine that noticed.
        source: Option<BoxError>,
    },
    /// The operating system refused: permissions, a full disk, a failing one.
    #[error("{}: cannot {doing}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// What the operating system said.
        source: io::Error,
    },
}

/// Why a store could not be loaded.
#[derive(Debug, Error)]
pub enum LoadError {
    /// What came back is not what was committed.
    #[error("the store {} is damaged: {what}; restore it from a backup, or salvage what is left", folder.display())]
    Damaged {
        /// The store.
        folder: PathBuf,
        /// What is wrong.
        what: String,
        /// What the engine said of it, if it was the engine that noticed.
        source: Option<BoxError>,
    },
    /// The visitor did not take a record.
    #[error("the record {key} is whole and cannot be used")]
    Refused {
        /// The record's key, in hexadecimal digits.
        key: String,
        /// What the visitor said.
        source: BoxError,
    },
}

/// Why a batch was not committed. After any of these the store has failed.
#[derive(Debug, Error)]
pub enum CommitError {
    /// An earlier commit failed, and nothing after it can be believed.
    #[error("an earlier commit failed ({because}): start again from what is on disk")]
    Failed {
        /// What the earlier commit said.
        because: String,
    },
    /// The engine could not make the batch durable: a full disk, a failing one.
    #[error("the batch could not be made durable")]
    Engine {
        /// What the engine said.
        source: BoxError,
    },
    /// The record that was to be replaced is not as it was written.
    #[error("the record {key} is damaged on disk: restore the store from a backup")]
    Damaged {
        /// The record's key, in hexadecimal digits.
        key: String,
    },
    /// The batch is durable, but the witness beside it could not be brought up to date.
    #[error("the witness of the store could not be written")]
    Witness {
        /// What the operating system said.
        source: io::Error,
    },
}
