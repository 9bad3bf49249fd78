//! How long to wait before a server is tried again: twice as long each time, up to a ceiling, and
//! never exactly as long as everybody else (draft-ietf-dhc-dhcpv6-bulk-leasequery-01 §6.1).

use std::time::Duration;

use world::Chance;

use crate::limits::{BACKOFF_AFTER_TERMINATION, BACKOFF_CEILING, BACKOFF_FIRST};

/// The waits of one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backoff {
    first: Duration,
    ceiling: Duration,
    step: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self::between(BACKOFF_FIRST, BACKOFF_CEILING)
    }
}

impl Backoff {
    /// Waits that begin with `first` and grow up to `ceiling`.
    pub fn between(first: Duration, ceiling: Duration) -> Self {
        Self { first, ceiling, step: first }
    }

    /// The wait before the next attempt: the step and up to a tenth more. The next step is twice
    /// as long.
    pub fn next_wait(&mut self, chance: &mut Chance) -> Duration {
        let wait = self.step.mul_f64(1.0 + 0.1 * chance.signed_unit().abs());
        self.step = (self.step * 2).min(self.ceiling);
        wait
    }

    /// The server has said QueryTerminated: the next wait is no shorter than
    /// [`BACKOFF_AFTER_TERMINATION`].
    pub fn terminated(&mut self) {
        self.step = self.step.max(BACKOFF_AFTER_TERMINATION);
    }

    /// The server will not answer until somebody has changed it: the next wait is the longest.
    pub fn refused(&mut self) {
        self.step = self.ceiling;
    }

    /// The server has answered: begin anew.
    pub fn succeeded(&mut self) {
        self.step = self.first;
    }
}
