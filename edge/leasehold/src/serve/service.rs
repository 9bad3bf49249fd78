//! What all tasks of a server share.

use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use server::leasequery::{Admission, Policy, RateLimit};
use server::{Counters, Holdings};
use tokio::sync::watch;
use world::Now;

use crate::clock::Clock;

/// The server's decisions and data. The table is read by many tasks at once, each for as long as it
/// takes to fill one buffer.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) policy: Policy,
    pub(super) counters: Counters,
    clock: Clock,
    holdings: RwLock<Holdings>,
    admission: Mutex<Admission>,
    rate: Mutex<RateLimit>,
    stopping: watch::Sender<bool>,
}

impl Service {
    pub(super) fn new(policy: Policy, holdings: Holdings, rate: RateLimit) -> Self {
        Self {
            policy,
            counters: Counters::default(),
            clock: Clock::start(),
            holdings: RwLock::new(holdings),
            admission: Mutex::new(Admission::default()),
            rate: Mutex::new(rate),
            stopping: watch::Sender::new(false),
        }
    }

    pub(super) fn now(&self) -> Now {
        self.clock.now()
    }

    pub(super) fn clock(&self) -> Clock {
        self.clock
    }

    /// A task that panicked has only read: what it held is as good as before.
    pub(super) fn holdings(&self) -> RwLockReadGuard<'_, Holdings> {
        self.holdings.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn admission(&self) -> MutexGuard<'_, Admission> {
        self.admission.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn rate(&self) -> MutexGuard<'_, RateLimit> {
        self.rate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn stop(&self) {
        self.stopping.send_replace(true);
    }

    pub(super) fn stopping(&self) -> Stopping {
        Stopping(self.stopping.subscribe())
    }
}

/// Tells a task when the server stops.
#[derive(Debug)]
pub(super) struct Stopping(watch::Receiver<bool>);

impl Stopping {
    pub(super) fn has_come(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until the server stops, or is gone.
    pub(super) async fn come(&mut self) {
        let _ = self.0.wait_for(|stopping| *stopping).await;
    }
}
