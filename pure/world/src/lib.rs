//! What the outside hands in: time and chance, as plain values.
//!
//! The pure crates read no clock and roll no dice. Whoever calls them says what time it is
//! ([`Now`]) and gives them a generator ([`Chance`]); they say when they want to be called again
//! ([`Deadline`]). A simulation hands in what it likes.

use std::time::Duration;

/// A point on a clock that never steps: time since some beginning that only its owner knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Instant(Duration);

impl Instant {
    /// The point this long after the beginning.
    pub const fn since_start(elapsed: Duration) -> Self {
        Self(elapsed)
    }

    /// How long after `earlier`; zero if it is not later.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl std::ops::Add<Duration> for Instant {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration))
    }
}

/// What time it is, on both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// For waiting: never steps.
    pub instant: Instant,
    /// For what must outlive the process: seconds since 1970-01-01T00:00:00Z. It may step.
    pub unix_secs: u64,
}

/// When to call again, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline<Why> {
    /// Not before this.
    pub at: Instant,
    /// What will have happened if nothing else does first.
    pub why: Why,
}

/// Random numbers from a seed (SplitMix64): the same seed, the same numbers. Not for secrets.
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// A generator that this seed determines.
    pub const fn from_seed(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number in `0..bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// A number in -1.0..=1.0.
    pub fn signed_unit(&mut self) -> f64 {
        let unit = (self.next_u64() >> 11) as f64 / ((1_u64 << 53) - 1) as f64;
        unit * 2.0 - 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_counted_from_a_beginning_and_never_run_backwards() {
        let at = |secs| Instant::since_start(Duration::from_secs(secs));
        assert_eq!(at(7) + Duration::from_secs(3), at(10));
        assert_eq!((at(10).since(at(7)), at(7).since(at(10))), (Duration::from_secs(3), Duration::ZERO));
        assert_eq!(
            Instant::since_start(Duration::MAX) + Duration::from_secs(1),
            Instant::since_start(Duration::MAX)
        );
    }

    /// The numbers that the inventors' own program gives for this seed.
    #[test]
    fn chance_is_that_of_splitmix64() {
        let mut chance = Chance::from_seed(1_234_567);
        let numbers = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!([chance.next_u64(), chance.next_u64(), chance.next_u64()], numbers);
    }

    #[test]
    fn every_number_below_a_bound_and_every_part_of_the_unit_has_its_share() {
        let mut chance = Chance::from_seed(11);
        let (mut numbers, mut parts) = ([0; 10], [0; 10]);
        for _ in 0..10_000 {
            numbers[chance.below(10) as usize] += 1;
            parts[((chance.signed_unit() + 1.0) * 4.999) as usize] += 1;
        }
        assert!(
            numbers.iter().chain(&parts).all(|count| (850..1_150).contains(count)),
            "{numbers:?} {parts:?}"
        );
    }

    #[test]
    fn chance_repeats_and_stays_in_its_bounds() {
        let (mut a, mut b) = (Chance::from_seed(7), Chance::from_seed(7));
        for _ in 0..1000 {
            assert_eq!(a.below(10), b.below(10));
            assert!(a.below(10) < 10 && a.signed_unit().abs() <= 1.0);
            b = a.clone();
        }
    }
}
