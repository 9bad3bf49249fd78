//! When to look at the kernel's routes again, and when to try again what it would not do.

use std::time::Duration;

use world::Instant;

use crate::limits::{LOOK_PAUSE, MAX_RETRY_PAUSE, RETRY_PAUSE};

/// When the routes of the kernel were dumped, and when they are to be dumped next.
#[derive(Debug, Default)]
pub(super) struct Looks {
    /// The end of the last dump; nothing before the first one.
    last: Option<Instant>,
    /// Whether something does not fit.
    doubt: bool,
    /// Whether there has been a whole one.
    complete: bool,
}

impl Looks {
    /// Whether there has been a whole dump.
    pub(super) fn begun(&self) -> bool {
        self.complete
    }

    pub(super) fn doubt(&mut self) {
        self.doubt = true;
    }

    pub(super) fn begin(&mut self) {
        self.doubt = false;
    }

    pub(super) fn end(&mut self, now: Instant) {
        self.last = Some(now);
        self.complete = true;
    }

    pub(super) fn failed(&mut self, now: Instant) {
        self.last = Some(now);
        self.doubt = true;
    }

    /// When the next one is due, if there is one so often; nothing before the first, which is due at once.
    pub(super) fn at(&self, every: Option<Duration>) -> Option<Instant> {
        let pause = if self.doubt { Some(LOOK_PAUSE) } else { every };
        Some(self.last? + pause?)
    }

    pub(super) fn is_due(&self, every: Option<Duration>, now: Instant) -> bool {
        self.last.is_none() || self.at(every).is_some_and(|at| at <= now)
    }
}

/// When to try again: soon, then ever more rarely while it goes on failing.
#[derive(Debug)]
pub(super) struct Retry {
    at: Option<Instant>,
    pause: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self { at: None, pause: RETRY_PAUSE }
    }
}

impl Retry {
    /// Something has failed.
    pub(super) fn expect(&mut self, now: Instant) {
        self.at.get_or_insert(now + self.pause);
    }

    /// Nothing is under way: if nothing has failed since the last time either, the next failure is a first one.
    pub(super) fn relax(&mut self) {
        if self.at.is_none() {
            self.pause = RETRY_PAUSE;
        }
    }

    /// Whether it is time; then the next time is later.
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        if self.at.is_none_or(|at| now < at) {
            return false;
        }
        self.at = None;
        self.pause = (self.pause * 2).min(MAX_RETRY_PAUSE);
        true
    }

    pub(super) fn at(&self) -> Option<Instant> {
        self.at
    }
}
