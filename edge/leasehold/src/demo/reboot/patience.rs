//! Waiting: for something to happen, not for longer than it may take, and not once a signal has come.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use tokio::signal::unix::{SignalKind, signal};

/// How often it is looked: the times that are told are as exact as this.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// Whether we have been asked to end, by SIGINT or SIGTERM. Everybody who waits looks, gives up, and so lets go of
/// what there is to be cleaned up.
#[derive(Debug, Clone, Default)]
pub(super) struct Patience {
    is_over: Arc<AtomicBool>,
}

impl Patience {
    /// Has signals end it from now on.
    pub(super) fn until_signalled() -> Result<Self> {
        let patience = Self::default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let guard = runtime.enter();
        let (mut interrupt, mut terminate) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        drop(guard);
        let is_over = Arc::clone(&patience.is_over);
        thread::Builder::new().name("signals".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
            });
            is_over.store(true, Ordering::Release);
        })?;
        Ok(patience)
    }

    /// Whether a signal has come.
    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    /// Whether it happens in time.
    pub(super) fn see(&self, at_most: Duration, mut happens: impl FnMut() -> Result<bool>) -> Result<bool> {
        let begun = Instant::now();
        loop {
            ensure!(!self.is_over(), "interrupted");
            if happens()? {
                return Ok(true);
            }
            if begun.elapsed() >= at_most {
                return Ok(false);
            }
            thread::sleep(LOOK_AGAIN);
        }
    }

    /// Waits for what has to happen.
    pub(super) fn wait(
        &self,
        at_most: Duration,
        what: &str,
        happens: impl FnMut() -> Result<bool>,
    ) -> Result<()> {
        if !self.see(at_most, happens)? {
            bail!("{what}: this has not happened within {at_most:?}");
        }
        Ok(())
    }
}
