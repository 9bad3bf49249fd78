//! The two clocks of the machine, read in one place.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use world::Now;

/// Tells the time as the pure crates want it.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// A clock whose time begins now.
    pub fn start() -> Self {
        Self { start: Instant::now() }
    }

    /// What time it is.
    pub fn now(&self) -> Now {
        Now { instant: world::Instant::since_start(self.start.elapsed()), unix_secs: unix_secs() }
    }

    /// How long it is until then; zero if it has passed.
    pub fn until(&self, at: world::Instant) -> Duration {
        at.since(self.now().instant)
    }
}

/// Seconds since 1970; zero on a machine whose clock stands before that.
pub fn unix_secs() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
