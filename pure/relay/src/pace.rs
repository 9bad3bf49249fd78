//! How fast somebody may speak: so many messages in a second, as many of them at once as they like.

use std::time::Duration;

use world::Instant;

const SECOND: Duration = Duration::from_secs(1);

/// A bucket of tokens, one second's worth of them, that fills while time passes. It is kept as the moment at which it
/// would be full.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// The time that a token takes to come.
    interval: Duration,
    full_at: Instant,
}

impl Pace {
    /// A full one, that fills at this rate.
    pub(crate) fn of(per_second: u32) -> Self {
        let mut pace = Self::default();
        pace.set(per_second);
        pace
    }

    /// Lets it fill at this rate from now on; what was taken stays taken.
    pub(crate) fn set(&mut self, per_second: u32) {
        self.interval = SECOND.checked_div(per_second).unwrap_or(SECOND);
    }

    /// Takes a token, if there is one.
    pub(crate) fn allows_one_more(&mut self, now: Instant) -> bool {
        let full_at = self.full_at.max(now) + self.interval;
        let has_token = full_at.since(now) <= SECOND;
        if has_token {
            self.full_at = full_at;
        }
        has_token
    }
}
