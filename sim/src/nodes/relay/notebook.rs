//! A relay's notebook: what it has written down, as it lies on the disk. It may forget.

use std::collections::BTreeMap;

use world::Chance;

use crate::plan::{between, happens};

/// A record: its key, and what was written, or nothing if it was struck out.
pub(super) type Record = (Vec<u8>, Option<Vec<u8>>);

/// Every batch that was ever written, in order.
#[derive(Debug, Default)]
pub struct Notebook {
    batches: Vec<Vec<Record>>,
}

impl Notebook {
    /// Makes a batch last.
    pub(super) fn write(&mut self, batch: Vec<Record>) {
        self.batches.push(batch);
        if self.batches.len() > COMPACT_AT {
            let all = self.records();
            self.batches = vec![all.into_iter().map(|(key, image)| (key, Some(image))).collect()];
        }
    }

    /// What was written and not struck out.
    pub fn records(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let mut records = BTreeMap::new();
        for (key, image) in self.batches.iter().flatten() {
            match image {
                Some(image) => _ = records.insert(key.clone(), image.clone()),
                None => _ = records.remove(key),
            }
        }
        records
    }

    /// The disk forgets: the last few batches, or everything.
    pub fn forget(&mut self, chance: &mut Chance) {
        if happens(chance, 1, 4) {
            self.batches.clear();
        } else {
            let lost = between(chance, 0, FORGOTTEN_BATCHES) as usize;
            self.batches.truncate(self.batches.len().saturating_sub(lost));
        }
    }
}

/// Batches after which those before are put together.
const COMPACT_AT: usize = 64;
/// Batches that a machine without power forgets at most.
const FORGOTTEN_BATCHES: u64 = 3;
