//! A node's two clocks: one that never steps and begins with its process, and one that tells the time of day
//! and may step. Both may go too fast or too slow against the time of the universe.

use std::time::Duration;

use world::{Instant, Now};

/// The time of day when a universe begins: any that is not near zero.
pub const START_UNIX_SECS: u64 = 1_800_000_000;
const START_UNIX: Duration = Duration::from_secs(START_UNIX_SECS);
/// Parts of which drift is counted.
const MILLION: i128 = 1_000_000;

/// Both clocks of a node.
#[derive(Debug, Clone)]
pub struct Clock {
    /// A moment of the universe, and what the two clocks showed then.
    anchor: Instant,
    own: Duration,
    wall: Duration,
    drift_ppm: i64,
}

impl Clock {
    /// Clocks that are right, of a process that begins now.
    pub fn new(now: Instant) -> Self {
        let wall = START_UNIX + now.since(Instant::default());
        Self { anchor: now, own: Duration::ZERO, wall, drift_ppm: 0 }
    }

    /// What they show.
    pub fn now(&self, now: Instant) -> Now {
        let passed = self.passed(now);
        Now { instant: Instant::since_start(self.own + passed), unix_secs: (self.wall + passed).as_secs() }
    }

    /// The moment of the universe at which the clock that never steps shows this.
    pub fn when(&self, own: Instant) -> Instant {
        let ahead = own.since(Instant::since_start(self.own));
        if self.drift_ppm == 0 {
            return self.anchor + ahead + Duration::from_nanos(1);
        }
        let nanos = ahead.as_nanos() as i128 * MILLION / (MILLION + i128::from(self.drift_ppm));
        // Rounded up: to be woken too early is to be woken again.
        self.anchor + Duration::from_nanos(u64::try_from(nanos).expect("not for centuries") + 1)
    }

    /// A process begins: its clock that never steps starts anew.
    pub fn restart(&mut self, now: Instant) {
        self.settle(now);
        self.own = Duration::ZERO;
    }

    /// The time of day steps.
    pub fn step(&mut self, now: Instant, secs: i64) {
        self.settle(now);
        let by = Duration::from_secs(secs.unsigned_abs());
        self.wall = if secs < 0 { self.wall.saturating_sub(by) } else { self.wall + by };
    }

    /// From now on both go wrong by so many millionths.
    pub fn drift(&mut self, now: Instant, ppm: i64) {
        self.settle(now);
        self.drift_ppm = ppm;
    }

    /// Both are right again, as far as clocks that never step can be: somebody has set the time of day.
    pub fn correct(&mut self, now: Instant) {
        self.settle(now);
        self.drift_ppm = 0;
        self.wall = START_UNIX + now.since(Instant::default());
    }

    /// How far the time of day is from that of the universe, in seconds; ahead is positive.
    pub fn error_secs(&self, now: Instant) -> i64 {
        let right = START_UNIX + now.since(Instant::default());
        self.now(now).unix_secs as i64 - right.as_secs() as i64
    }

    fn passed(&self, now: Instant) -> Duration {
        if self.drift_ppm == 0 {
            return now.since(self.anchor);
        }
        let nanos = now.since(self.anchor).as_nanos() as i128;
        let nanos = nanos * (MILLION + i128::from(self.drift_ppm)) / MILLION;
        Duration::from_nanos(u64::try_from(nanos).expect("not for centuries"))
    }

    fn settle(&mut self, now: Instant) {
        let passed = self.passed(now);
        self.own += passed;
        self.wall += passed;
        self.anchor = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::since_start(Duration::from_millis(millis))
    }

    #[test]
    fn a_clock_that_drifts_shows_a_moment_when_it_comes() {
        let mut clock = Clock::new(at(10_000));
        clock.drift(at(10_000), 100_000);
        let shown = clock.now(at(20_000));
        assert_eq!(shown.instant, at(11_000));
        let when = clock.when(shown.instant);
        assert!(when >= at(20_000) && when.since(at(20_000)) < Duration::from_millis(1));
        assert_eq!(clock.error_secs(at(20_000)), 1);
    }

    #[test]
    fn only_the_time_of_day_steps() {
        let mut clock = Clock::new(at(0));
        clock.step(at(5_000), -3_600);
        assert_eq!((clock.now(at(6_000)).instant, clock.error_secs(at(6_000))), (at(6_000), -3_600));
        clock.restart(at(6_000));
        assert_eq!((clock.now(at(7_000)).instant, clock.error_secs(at(7_000))), (at(1_000), -3_600));
        clock.correct(at(7_000));
        assert_eq!((clock.now(at(7_000)).instant, clock.error_secs(at(7_000))), (at(1_000), 0));
    }
}
