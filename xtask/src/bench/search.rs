//! The search for the highest rate that is sustained: double until it is too much, then halve the distance.

use anyhow::{Result, ensure};

/// The first rate that is tried.
const FIRST_RATE: f64 = 2000.0;
/// Below this, something is wrong and not merely slow.
const LOWEST_RATE: f64 = 10.0;
/// The search ends when a rate that is too much is so close above.
const PRECISION: f64 = 1.05;
/// It ends here too: no machine comes this far over one pair of interfaces.
const HIGHEST_RATE: f64 = 1_000_000.0;

/// What was found.
pub(super) struct Found<S> {
    /// The step with the highest rate that was sustained.
    pub(super) best: S,
    /// That rate.
    pub(super) rate: f64,
    /// The step with the lowest rate that was too much.
    pub(super) failed: Option<S>,
}

/// Searches; `run` makes a step at a rate and says whether it was sustained.
pub(super) fn highest_rate<S>(mut run: impl FnMut(f64) -> Result<(S, bool)>) -> Result<Found<S>> {
    let mut best = None;
    let mut failed = None;
    let mut rate = FIRST_RATE;
    while rate <= HIGHEST_RATE {
        let (step, sustained) = run(rate)?;
        if sustained {
            best = Some((step, rate));
        } else {
            failed = Some((step, rate));
        }
        let too_much = failed.as_ref().map(|(_, rate)| *rate);
        rate = match (best.as_ref().map(|(_, rate)| *rate), too_much) {
            (Some(low), Some(high)) if high / low <= PRECISION => break,
            (Some(low), Some(high)) => (low + high) / 2.0,
            (Some(low), None) => low * 2.0,
            (None, _) => rate / 2.0,
        };
        ensure!(rate >= LOWEST_RATE, "not even {LOWEST_RATE} exchanges a second are sustained");
    }
    let Some((best, rate)) = best else { unreachable!("the search ends with a sustained rate, or above") };
    Ok(Found { best, rate, failed: failed.map(|(step, _)| step) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(capacity: f64) -> (f64, usize) {
        let mut steps = 0;
        let found = highest_rate(|rate| {
            steps += 1;
            Ok(((), rate <= capacity))
        });
        (found.unwrap().rate, steps)
    }

    #[test]
    fn the_rate_found_is_just_below_the_capacity() {
        for capacity in [20.0, 999.0, 2000.0, 2001.0, 17_500.0, 123_456.0] {
            let (rate, steps) = found(capacity);
            assert!(rate <= capacity && rate * PRECISION >= capacity, "{rate} for {capacity}");
            assert!(steps < 16, "{steps} steps for {capacity}");
        }
    }

    #[test]
    fn a_server_that_never_answers_is_a_fault() {
        assert!(highest_rate(|_| Ok(((), false))).is_err());
        assert!(highest_rate(|rate| Ok(((), rate < 1.0))).is_err());
    }

    #[test]
    fn there_is_an_end_above() {
        let found = highest_rate(|_| Ok(((), true))).unwrap();
        assert!(found.failed.is_none() && found.rate <= HIGHEST_RATE);
    }
}
