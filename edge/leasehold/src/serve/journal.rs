//! Between taking in and answering: what has changed and is not durable yet, and the answers that
//! speak of it.
//!
//! Whoever changes the table puts the after-images and the answers here together ([`Journal::put`]),
//! in the order in which the table changed. One thread ([`run`]) takes everything that has gathered,
//! has the store commit it, and only then lets the answers go. While it commits, the next batch
//! gathers, so a sync of the disk costs time for each answer but not for each of many.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use lease::{AfterImage, Seq};
use store::{Change, CommitError, Store};
use tokio::sync::watch;

/// Answers that may wait for a commit before no more are taken in: some hundred milliseconds' worth
/// of messages. Behind them, the sockets' buffers fill, and then clients have to repeat themselves.
const MAX_HELD: usize = 32 * 1024;

/// What gathers between two commits.
#[derive(Debug, Default)]
pub(super) struct Journal<Held> {
    waiting: Mutex<Waiting<Held>>,
    changed: Condvar,
    durable: watch::Sender<Durable>,
}

#[derive(Debug)]
struct Waiting<Held> {
    images: Vec<AfterImage>,
    held: Vec<Held>,
    seq: Seq,
    ended: bool,
}

/// How far the store has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Durable {
    seq: Seq,
    /// Nothing more will become durable.
    ended: bool,
}

impl<Held> Default for Waiting<Held> {
    fn default() -> Self {
        Self { images: Vec::new(), held: Vec::new(), seq: Seq::default(), ended: false }
    }
}

impl<Held> Journal<Held> {
    /// A journal of a table whose latest durable change is `seq`.
    pub(super) fn new(seq: Seq) -> Self {
        let waiting = Waiting { seq, ..Waiting::default() };
        Self {
            waiting: Mutex::new(waiting),
            changed: Condvar::new(),
            durable: watch::Sender::new(Durable { seq, ended: false }),
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting<Held>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what a change leaves to be done. Calls have to come in the order of the changes.
    pub(super) fn put(&self, images: Vec<AfterImage>, seq: Seq, held: Vec<Held>) {
        if images.is_empty() && held.is_empty() {
            return;
        }
        let mut waiting = self.waiting();
        waiting.images.extend(images);
        waiting.held.extend(held);
        waiting.seq = seq;
        self.changed.notify_all();
    }

    /// Waits until there is room for more answers; false if there will never be.
    pub(super) fn wait_for_room(&self) -> bool {
        let mut waiting = self.waiting();
        while waiting.held.len() >= MAX_HELD && !waiting.ended {
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        !waiting.ended
    }

    /// Waits until everything up to this change is durable; false if it never will be.
    pub(super) async fn durable(&self, seq: Seq) -> bool {
        let mut durable = self.durable.subscribe();
        let reached = durable.wait_for(|durable| durable.seq >= seq || durable.ended).await;
        reached.is_ok_and(|durable| durable.seq >= seq)
    }

    /// The latest change that is durable.
    pub(super) fn latest_durable(&self) -> Seq {
        self.durable.borrow().seq
    }

    /// Lets the committing thread end when it has committed what is there.
    pub(super) fn end(&self) {
        self.waiting().ended = true;
        self.changed.notify_all();
    }

    /// Waits for something to do; `None` at the end.
    fn take(&self) -> Option<Waiting<Held>> {
        let mut waiting = self.waiting();
        while waiting.images.is_empty() && waiting.held.is_empty() {
            if waiting.ended {
                return None;
            }
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        let (seq, ended) = (waiting.seq, waiting.ended);
        let taken = std::mem::replace(&mut *waiting, Waiting { seq, ended, ..Waiting::default() });
        self.changed.notify_all();
        Some(taken)
    }
}

/// Commits until the journal ends, and releases what each commit has made true. After a commit that
/// failed nothing is released any more: only the store, opened anew, knows what it holds.
pub(super) fn run<Held>(
    journal: &Journal<Held>,
    store: &mut dyn Store,
    mut release: impl FnMut(Vec<Held>),
) -> Result<(), CommitError> {
    let _ending = Ending(journal);
    while let Some(Waiting { images, held, seq, .. }) = journal.take() {
        if !images.is_empty() {
            let changes: Vec<Change<'_>> = images
                .iter()
                .map(|image| Change { key: &image.key, image: image.image.as_deref() })
                .collect();
            store.commit(&changes)?;
        }
        journal.durable.send_modify(|durable| durable.seq = seq);
        release(held);
    }
    Ok(())
}

/// Tells those who wait that nothing more will become durable, for whatever reason.
struct Ending<'a, Held>(&'a Journal<Held>);

impl<Held> Drop for Ending<'_, Held> {
    fn drop(&mut self) {
        self.0.end();
        self.0.durable.send_modify(|durable| durable.ended = true);
    }
}
