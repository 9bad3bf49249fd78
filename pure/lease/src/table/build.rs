//! Building the indexes of many records at once.
//!
//! Each index is built on its own from the records alone, so they can be built side by side. This
//! crate starts no threads: it says what may run together, and the caller's [`Join`] decides.

use super::index::{Indexes, addresses, expiry, identifier_keys, prefixes};
use super::records::Records;

/// Runs two pieces of work, perhaps at the same time.
pub trait Join: Sync {
    /// Both results, when both are there.
    fn join<A: Send, B: Send>(
        &self,
        a: impl FnOnce() -> A + Send,
        b: impl FnOnce() -> B + Send,
    ) -> Together<A, B>;
}

/// Two results.
pub type Together<A, B> = (A, B);

/// One after the other.
#[derive(Debug, Clone, Copy)]
pub struct InTurn;

impl Join for InTurn {
    fn join<A: Send, B: Send>(
        &self,
        a: impl FnOnce() -> A + Send,
        b: impl FnOnce() -> B + Send,
    ) -> Together<A, B> {
        (a(), b())
    }
}

impl Indexes {
    pub(super) fn build(records: &Records, join: &impl Join) -> Self {
        let ((by_identifier, by_link), ((by_address, by_prefix), (by_expiry, by_change))) = join.join(
            || {
                join.join(
                    || sorted(records.iter().flat_map(|(slot, c)| identifier_keys(&c, slot))).collect(),
                    || sorted(records.iter().map(|(slot, c)| (c.link.0, slot))).collect(),
                )
            },
            || {
                join.join(
                    || {
                        let held = records.iter().flat_map(|(slot, c)| addresses(&c).map(move |a| (a, slot)));
                        let addresses = sorted(held).collect();
                        let held = records.iter().flat_map(|(slot, c)| prefixes(&c).map(move |p| (p, slot)));
                        (addresses, sorted(held).collect())
                    },
                    || {
                        let ends = records.iter().filter_map(|(slot, c)| Some((expiry(&c)?, slot)));
                        let changes = records.iter().map(|(slot, _)| (records.changed(slot).0, slot));
                        (sorted(ends).collect(), sorted(changes).collect())
                    },
                )
            },
        );
        Self { by_identifier, by_link, by_address, by_prefix, by_expiry, by_change }
    }
}

/// Sorted input is what an ordered set is built from fastest, and most compactly.
fn sorted<T: Ord>(entries: impl Iterator<Item = T>) -> impl Iterator<Item = T> {
    let mut entries: Vec<T> = entries.collect();
    entries.sort_unstable();
    entries.into_iter()
}
