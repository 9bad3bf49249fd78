//! One step of a measurement: so many exchanges a second for so many seconds, and what came of it.

use std::time::Duration;

use serde::Serialize;

use super::tally::Tally;

/// A rate is sustained if fewer than this share of the exchanges are dropped.
const MAX_DROPPED: f64 = 0.01;
/// And if half of the last exchanges take no longer than this. Otherwise a queue grows, which is a server that does not keep up
/// and hides it for the time of a step.
const MAX_ENDING_LATENCY: Duration = Duration::from_millis(100);

/// What came of it.
pub(super) struct Step {
    pub(super) seconds: f64,
    /// Whether the generator could not send as fast as was wanted.
    pub(super) generator_late: bool,
    /// Processor time of the server, all threads.
    pub(super) server_cpu_seconds: f64,
    /// Processor time of the generator, all threads.
    pub(super) generator_cpu_seconds: f64,
    /// What was sent and received.
    pub(super) tally: Tally,
}

/// Who stood in the way of a higher rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Limit {
    /// It dropped exchanges, or had more and more of them waiting, while the generator kept its pace.
    Server,
    /// It did not keep its pace.
    Generator,
}

impl Limit {
    /// In a table.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Generator => "generator",
        }
    }
}

impl Step {
    /// Whether the rate was reached, and kept.
    pub(super) fn is_sustained(&self) -> bool {
        !self.generator_late
            && few_dropped(self.tally.messages.solicits, self.tally.completed())
            && self.tally.ending_latency() <= MAX_ENDING_LATENCY
    }

    /// Exchanges completed a second.
    pub(super) fn exchanges_per_second(&self) -> f64 {
        self.tally.completed() as f64 / self.seconds
    }

    /// Whose fault it is, if the rate was not sustained.
    pub(super) fn limit(&self) -> Limit {
        if self.generator_late { Limit::Generator } else { Limit::Server }
    }
}

/// Whether so many of these exchanges are complete that a server may be said to sustain them.
pub(super) fn few_dropped(begun: u64, completed: u64) -> bool {
    completed > 0 && completed as f64 > (1.0 - MAX_DROPPED) * begun as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_in_a_hundred_is_too_many() {
        assert!(few_dropped(1000, 991));
        assert!(!few_dropped(1000, 990));
        assert!(!few_dropped(0, 0));
    }
}
