//! What a process leaves behind: a store that may refuse, and a process that may die while it writes.

use store::{Change, CommitError, MemoryStore, Store};

/// A disk with one store on it.
#[derive(Debug, Clone, Default)]
pub struct Disk {
    store: MemoryStore,
    is_full: bool,
}

/// What becomes of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fate {
    /// It lasts, and that is said.
    #[default]
    Succeeds,
    /// It is said to have failed, and lasts.
    SeemsToFail,
    /// It has failed.
    Fails,
}

impl Disk {
    /// What a process that starts now finds.
    pub fn store(&self) -> &MemoryStore {
        &self.store
    }

    /// Makes a batch last.
    pub fn commit(&mut self, changes: &[Change<'_>]) -> Result<(), CommitError> {
        self.commit_as(changes, Fate::Succeeds)
    }

    /// The same, if that is its fate.
    pub fn commit_as(&mut self, changes: &[Change<'_>], fate: Fate) -> Result<(), CommitError> {
        let failed = |because: &str| Err(CommitError::Failed { because: because.to_owned() });
        if self.is_full {
            return failed("no space left on device");
        }
        if fate == Fate::Fails {
            return failed("input/output error");
        }
        self.store.commit(changes)?;
        if fate == Fate::SeemsToFail { failed("input/output error") } else { Ok(()) }
    }

    /// Whether there is no space left.
    pub fn set_full(&mut self, is_full: bool) {
        self.is_full = is_full;
    }
}
