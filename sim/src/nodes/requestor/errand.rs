//! A question to one server, until it has been answered.

use requestor::{Backoff, Outcome, Question};
use world::{Chance, Instant};

/// How often it is asked before it is given up: enough for all that goes wrong for a while.
const MOST_ATTEMPTS: u32 = 12;

/// What is to be found out.
#[derive(Debug, Clone)]
pub(super) struct Errand {
    pub(super) question: Question,
    pub(super) server: usize,
    /// When it may be asked again.
    pub(super) due: Instant,
    backoff: Backoff,
    /// How often it has been asked in vain.
    pub(super) attempts: u32,
}

impl Errand {
    pub(super) fn new(question: Question, server: usize, now: Instant) -> Self {
        Self { question, server, due: now, backoff: Backoff::default(), attempts: 0 }
    }

    /// The same, to be asked later; `None` if it is no use any more.
    pub(super) fn again(mut self, chance: &mut Chance, now: Instant) -> Option<Self> {
        self.attempts += 1;
        self.due = now + self.backoff.next_wait(chance);
        (self.attempts < MOST_ATTEMPTS).then_some(self)
    }

    /// What is left to do about it after an answer: as `leasehold query` decides it.
    pub(super) fn after(mut self, outcome: &Outcome, chance: &mut Chance, now: Instant) -> Option<Self> {
        if outcome.is_terminated() {
            self.backoff.terminated();
        } else if !matches!(outcome, Outcome::Incomplete(_)) {
            return None;
        }
        self.again(chance, now)
    }
}
