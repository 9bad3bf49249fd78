//! The threads of a program that stops when one of them fails: half a server is worse than none.

use std::thread::JoinHandle;

use anyhow::Context;
use tokio::sync::watch;
use tracing::error;

/// What has failed first, if anything has.
pub(crate) type Failed = watch::Receiver<Option<String>>;

/// Starts threads, and hears which of them fails.
#[derive(Debug, Clone)]
pub(crate) struct Threads {
    fail: watch::Sender<Option<String>>,
}

impl Threads {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self { fail: watch::Sender::new(None) }
    }

    /// What tells that one has failed.
    pub(crate) fn failed(&self) -> Failed {
        self.fail.subscribe()
    }

    /// Starts one. If its work fails, or panics, that is told.
    pub(crate) fn start(
        &self,
        name: &'static str,
        work: impl FnOnce() -> anyhow::Result<()> + Send + 'static,
    ) -> anyhow::Result<Thread> {
        let alarm = Alarm { name, fail: self.fail.clone() };
        let working = move || {
            if let Err(error) = work() {
                alarm.fail.send_replace(Some(format!("{error:#}")));
            }
            drop(alarm);
        };
        let handle = std::thread::Builder::new().name(name.to_owned()).spawn(working);
        Ok(Thread { name, handle: handle.context("cannot start a thread")? })
    }
}

/// A thread that was started.
#[derive(Debug)]
pub(crate) struct Thread {
    name: &'static str,
    handle: JoinHandle<()>,
}

impl Thread {
    /// Waits until it has ended.
    pub(crate) fn join(self) {
        if self.handle.join().is_err() {
            error!("the thread \"{}\" has panicked", self.name);
        }
    }
}

/// Says so if the thread that has it panics.
struct Alarm {
    name: &'static str,
    fail: watch::Sender<Option<String>>,
}

impl Drop for Alarm {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.fail.send_replace(Some(format!("the thread \"{}\" has panicked", self.name)));
        }
    }
}
