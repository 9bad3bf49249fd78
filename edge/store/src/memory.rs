//! A store that forgets everything when it is dropped: for tests and for the simulator.
//!
//! It keeps what [`Store`] promises as far as a process lives. `Clone` takes what would be on the disk at that moment,
//! so a simulated crash is a clone taken before, and a simulated start is a load of it.

use std::collections::BTreeMap;

use crate::error::{CommitError, LoadError};
use crate::record::hex;
use crate::store::{Change, Loaded, Store, Visit};

/// Records held in memory only.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    records: BTreeMap<Vec<u8>, Vec<u8>>,
    commit: u64,
    failed: Option<String>,
}

impl MemoryStore {
    /// The image that a load would give back for a key.
    pub fn image(&self, key: &[u8]) -> Option<&[u8]> {
        self.records.get(key).map(Vec::as_slice)
    }

    /// Makes every later commit fail, and says why: the store's way to have a broken disk.
    pub fn fail(&mut self, because: &str) {
        self.failed = Some(because.to_owned());
    }
}

impl Store for MemoryStore {
    fn load(&self, visit: &mut Visit<'_>) -> Result<Loaded, LoadError> {
        for (key, image) in &self.records {
            visit(key, image).map_err(|source| LoadError::Refused { key: hex(key), source })?;
        }
        Ok(Loaded { records: self.records.len() as u64, commit: self.commit })
    }

    fn commit(&mut self, changes: &[Change<'_>]) -> Result<u64, CommitError> {
        if let Some(because) = &self.failed {
            return Err(CommitError::Failed { because: because.clone() });
        }
        for change in changes {
            change.assert_sizes();
            match change.image {
                Some(image) => self.records.insert(change.key.to_vec(), image.to_vec()),
                None => self.records.remove(change.key),
            };
        }
        self.commit += 1;
        Ok(self.commit)
    }
}
