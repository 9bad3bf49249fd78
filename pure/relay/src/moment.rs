//! A moment that may lie before the program's start: when somebody was last heard.

use std::time::Duration;

use world::Instant;

/// A point on the clock that never steps, in milliseconds from its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(i64);

impl Moment {
    /// Before everything else: whoever was heard then is believed last.
    pub const UNKNOWN: Self = Self(i64::MIN);

    /// This long before a point on the clock.
    pub fn before(instant: Instant, age: Duration) -> Self {
        Self(Self::from(instant).0.saturating_sub(millis(age)))
    }

    /// This much later.
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }

    /// How long ago that is; zero if it is yet to come.
    pub fn age(self, now: Instant) -> Duration {
        let millis = Self::from(now).0.saturating_sub(self.0);
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }
}

impl From<Instant> for Moment {
    fn from(instant: Instant) -> Self {
        Self(millis(instant.since(Instant::default())))
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_may_lie_before_the_beginning() {
        let now = Instant::since_start(Duration::from_secs(2));
        let then = Moment::before(now, Duration::from_secs(5));
        assert!(then < Moment::from(Instant::default()) && then > Moment::UNKNOWN);
        assert_eq!(then.age(now), Duration::from_secs(5));
    }
}
