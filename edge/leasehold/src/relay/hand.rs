//! The hand that reaches into the kernel: a thread that has routes changed and does nothing else.
//!
//! The kernel takes microseconds for a route, a city's routes a quarter of a second. Meanwhile `routing.rs` thinks
//! about the next ones: what is handed over is done in its order, and what became of it comes back in the same.

use std::io;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;

use anyhow::Context;
use relay::{Change, Failure};

use crate::kernel::RouteWriter;

/// Batches that may be under way: one in the kernel, and the next one at hand.
pub(super) const UNDER_WAY: usize = 2;

/// The near end of it. The thread ends when this is dropped.
pub(super) struct Hand {
    work: SyncSender<Vec<Change>>,
    done: Receiver<Done>,
}

/// What became of a batch.
pub(super) struct Done {
    pub(super) changes: Vec<Change>,
    /// What became of each change; an error means that nobody can say.
    pub(super) outcomes: io::Result<Vec<Result<(), Failure>>>,
}

impl Hand {
    /// Starts the thread.
    pub(super) fn start(mut writer: RouteWriter) -> anyhow::Result<Self> {
        let (work, to_do) = mpsc::sync_channel::<Vec<Change>>(UNDER_WAY);
        let (report, done) = mpsc::sync_channel(UNDER_WAY);
        let working = move || {
            for changes in to_do {
                let outcomes = writer.apply(&changes);
                if report.send(Done { changes, outcomes }).is_err() {
                    return;
                }
            }
        };
        thread::Builder::new().name("netlink".to_owned()).spawn(working).context("cannot start a thread")?;
        Ok(Self { work, done })
    }

    /// Hands a batch over; to be done at most `UNDER_WAY` times more often than `receive`.
    pub(super) fn give(&self, changes: Vec<Change>) -> anyhow::Result<()> {
        self.work.send(changes).ok().context("the thread \"netlink\" has ended")
    }

    /// Waits for the batch that was handed over first.
    pub(super) fn receive(&self) -> anyhow::Result<Done> {
        self.done.recv().context("the thread \"netlink\" has ended")
    }
}
