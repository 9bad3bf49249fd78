//! Many seeds: all that once failed, then as many as one likes, on every processor.
//!
//! Each seed is a world of its own in one thread. One in so many is run twice, and both runs must be the same to
//! the last octet. What a seed finds is a [`Finding`]; what all of them met is the [`Tally`], because a property
//! that never had anything to judge proves nothing.

mod finding;
mod once_failing;
mod report;
mod shrink;
mod tally;

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::plan::{Cut, Plan};
use crate::run::run;

pub use finding::{Finding, attempt};
pub use once_failing::{Case, once_failing};
pub use report::Report;
pub use shrink::shrink;
pub use tally::Tally;

/// One seed in so many is run twice.
const TWICE_IN: u64 = 16;

/// Which seeds.
#[derive(Debug, Clone)]
pub struct Campaign {
    /// The first.
    pub first: u64,
    /// How many; with `time`, as many as there is time for.
    pub seeds: u64,
    /// How long.
    pub time: Option<Duration>,
    /// How many at once.
    pub jobs: usize,
    /// What makes every plan smaller.
    pub cuts: Vec<Cut>,
    /// Whether to go on when one has failed.
    pub goes_on: bool,
    /// Whether to leave out those that once failed.
    pub is_fresh: bool,
}

impl Campaign {
    /// Runs all of them, after those that once failed; says after each how many there were.
    pub fn run(&self, mut progress: impl FnMut(u64)) -> Report {
        let begun = Instant::now();
        let mut report = Report::default();
        if self.cuts.is_empty() && !self.is_fresh {
            for case in once_failing() {
                report.tally.once_failing += 1;
                report.take(try_case(&case));
            }
        }
        let next = AtomicU64::new(self.first);
        let stop = AtomicBool::new(!report.findings.is_empty() && !self.goes_on);
        thread::scope(|scope| {
            let (done, arriving) = channel();
            for _ in 0..self.jobs {
                let (done, next, stop) = (done.clone(), &next, &stop);
                scope.spawn(move || self.work(begun, next, stop, &done));
            }
            drop(done);
            for tried in arriving {
                report.tally.seeds += 1;
                progress(report.tally.seeds);
                report.take(tried);
                if !report.findings.is_empty() && !self.goes_on {
                    stop.store(true, Ordering::Relaxed);
                }
            }
        });
        report.findings.sort_by_key(|finding| finding.case.seed);
        report.tally.took = begun.elapsed();
        report
    }

    /// Tries one seed after the other, until there is none left.
    fn work(&self, begun: Instant, next: &AtomicU64, stop: &AtomicBool, done: &Sender<Tried>) {
        while !stop.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            let is_over = match self.time {
                Some(time) => begun.elapsed() >= time,
                None => seed - self.first >= self.seeds,
            };
            if is_over || done.send(try_case(&Case { seed, cuts: self.cuts.clone() })).is_err() {
                return;
            }
        }
    }
}

/// What came of one seed.
struct Tried {
    tally: Tally,
    finding: ControlFlow<Finding>,
}

fn try_case(case: &Case) -> Tried {
    let mut tally = Tally::default();
    let mut attempted = attempt(case, |plan| run(plan, None));
    if let Ok(outcome) = &attempted {
        tally.note(outcome);
        if case.seed.is_multiple_of(TWICE_IN) {
            tally.twice += 1;
            let again = run(Plan::drawn_with(case.seed, &case.cuts), None);
            if again.digest != outcome.digest {
                attempted = Err(Finding::differs(case, outcome.digest, again.digest));
            }
        }
    }
    let finding = match attempted.map(|outcome| Finding::of(case, outcome)) {
        Ok(None) => ControlFlow::Continue(()),
        Ok(Some(finding)) | Err(finding) => ControlFlow::Break(finding),
    };
    Tried { tally, finding }
}
