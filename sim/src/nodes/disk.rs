//! What a process leaves behind: a store that may refuse, and a process that may die while it writes.

use store::{Change, CommitError, MemoryStore, Store};

/// A disk with one store on it.
#[derive(Debug, Clone, Default)]
pub struct Disk {
    store: MemoryStore,
    is_full: bool,
}

impl Disk {
    /// What a process that starts now finds.
    pub fn store(&self) -> &MemoryStore {
        &self.store
    }

    /// Makes a batch last.
    pub fn commit(&mut self, changes: &[Change<'_>]) -> Result<(), CommitError> {
        if self.is_full {
            return Err(CommitError::Failed { because: "no space left on device".to_owned() });
        }
        self.store.commit(changes).map(drop)
    }

    /// Whether there is no space left.
    pub fn set_full(&mut self, is_full: bool) {
        self.is_full = is_full;
    }
}
