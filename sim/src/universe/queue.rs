//! What is going to happen, in the order in which it does; of what happens at the same time, what was said
//! first.

use std::collections::BTreeMap;

use world::Instant;

/// Things to come.
#[derive(Debug)]
pub(super) struct Queue<T> {
    coming: BTreeMap<(Instant, u64), T>,
    said: u64,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { coming: BTreeMap::new(), said: 0 }
    }
}

impl<T> Queue<T> {
    /// Something is going to happen then.
    pub(super) fn push(&mut self, at: Instant, what: T) {
        self.said += 1;
        self.coming.insert((at, self.said), what);
    }

    /// What happens next, and when, unless that is after this moment.
    pub(super) fn pop_until(&mut self, latest: Instant) -> Option<(Instant, T)> {
        let first = self.coming.first_entry().filter(|first| first.key().0 <= latest)?;
        let ((at, _), what) = first.remove_entry();
        Some((at, what))
    }

    /// How much is to come.
    pub(super) fn len(&self) -> usize {
        self.coming.len()
    }
}
