//! The journal, shared between those who change the table, the one thread that commits, and those who wait
//! until something is durable.
//!
//! What goes together and in which order things leave is decided by [`server::Journal`]. Here it has a lock, and
//! those who wait are woken. One thread ([`run`]) takes everything that has gathered, has the store commit it, and
//! lets the answers go. While it commits, the next batch gathers, so a sync of the disk costs time for each answer
//! but not for each of many.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use lease::{AfterImage, Seq};
use server::Batch;
use store::{Change, CommitError, Store};
use tokio::sync::watch;

/// Answers that may wait for a commit before no more are taken in: some hundred milliseconds' worth
/// of messages. Behind them, the sockets' buffers fill, and then clients have to repeat themselves.
const MAX_HELD: usize = 32 * 1024;

/// What gathers between two commits.
#[derive(Debug)]
pub(super) struct Journal<Held> {
    state: Mutex<State<Held>>,
    changed: Condvar,
    durable: watch::Sender<Durable>,
}

#[derive(Debug)]
struct State<Held> {
    journal: server::Journal<Held>,
    ended: bool,
}

/// How far the store has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Durable {
    seq: Seq,
    /// Nothing more will become durable.
    ended: bool,
}

impl<Held> Journal<Held> {
    /// A journal of a table whose latest durable change is `seq`.
    pub(super) fn new(seq: Seq) -> Self {
        Self {
            state: Mutex::new(State { journal: server::Journal::new(seq), ended: false }),
            changed: Condvar::new(),
            durable: watch::Sender::new(Durable { seq, ended: false }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State<Held>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what a change leaves to be done. Calls have to come in the order of the changes.
    pub(super) fn put(&self, images: Vec<AfterImage>, seq: Seq, held: Vec<Held>) {
        if images.is_empty() && held.is_empty() {
            return;
        }
        self.state().journal.put(images, seq, held);
        self.changed.notify_all();
    }

    /// Waits until there is room for more answers; false if there will never be.
    pub(super) fn wait_for_room(&self) -> bool {
        let mut state = self.state();
        while state.journal.waiting() >= MAX_HELD && !state.ended {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        !state.ended
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
        self.state().ended = true;
        self.changed.notify_all();
    }

    /// Waits for something to do; `None` at the end.
    fn take(&self) -> Option<Batch<Held>> {
        let mut state = self.state();
        while state.journal.is_empty() {
            if state.ended {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let batch = state.journal.take();
        self.changed.notify_all();
        Some(batch)
    }

    /// A batch is durable: tells those who wait for that, and gives what may leave now.
    fn committed(&self, batch: Batch<Held>) -> Vec<Held> {
        let mut state = self.state();
        let held = state.journal.committed(batch);
        let seq = state.journal.durable();
        self.durable.send_modify(|durable| durable.seq = seq);
        held
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
    while let Some(batch) = journal.take() {
        if !batch.images().is_empty() {
            let changes: Vec<Change<'_>> = batch
                .images()
                .iter()
                .map(|image| Change { key: &image.key, image: image.image.as_deref() })
                .collect();
            store.commit(&changes)?;
        }
        release(journal.committed(batch));
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
