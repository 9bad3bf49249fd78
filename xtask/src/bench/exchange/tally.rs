//! What one step came to: messages by type, exchanges, and how long they took.

use std::time::Duration;

use anyhow::Result;
use hdrhistogram::Histogram;
use serde::Serialize;

/// An exchange is dropped if its Reply has not come so long after its Solicit was due: perfdhcp's bound too.
pub(super) const DROP_AFTER: Duration = Duration::from_secs(1);

/// The last exchanges show whether a queue has grown: one in so many.
pub(super) const ENDING: u64 = 4;

/// How many messages went and came. Nothing is ever sent twice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct Messages {
    pub(super) solicits: u64,
    pub(super) advertises: u64,
    pub(super) requests: u64,
    pub(super) replies: u64,
    /// Replies that came after the exchange was dropped.
    pub(super) late_replies: u64,
    /// Answers without what was asked for: no lease, a lease that is not valid, a status.
    pub(super) refusals: u64,
    /// What answers nothing that is waited for, or is no answer at all.
    pub(super) strays: u64,
}

/// What senders have counted in one step.
#[derive(Debug, Clone)]
pub(super) struct Tally {
    pub(super) messages: Messages,
    /// From when a Solicit was due until its Reply came, in microseconds.
    pub(super) latency: Histogram<u32>,
    /// The same for the last exchanges alone.
    ending_latency: Histogram<u32>,
    /// How late the latest Solicit was sent.
    pub(super) behind: Duration,
}

impl Tally {
    pub(super) fn new() -> Result<Self> {
        let latency = Histogram::new_with_bounds(1, DROP_AFTER.as_micros() as u64, 3)?;
        let ending_latency = latency.clone();
        Ok(Self { messages: Messages::default(), latency, ending_latency, behind: Duration::ZERO })
    }

    /// Exchanges that are complete, in time.
    pub(super) fn completed(&self) -> u64 {
        self.latency.len()
    }

    /// Notes a Reply that came so long after its Solicit was due, and whether that was one of the last.
    pub(super) fn note_reply(&mut self, after: Duration, is_ending: bool) {
        if after > DROP_AFTER {
            self.messages.late_replies += 1;
        } else {
            self.messages.replies += 1;
            self.latency.saturating_record(after.as_micros() as u64);
            if is_ending {
                self.ending_latency.saturating_record(after.as_micros() as u64);
            }
        }
    }

    /// Adds what another sender has counted.
    pub(super) fn add(&mut self, other: &Self) -> Result<()> {
        let Messages { solicits, advertises, requests, replies, late_replies, refusals, strays } =
            other.messages;
        self.messages.solicits += solicits;
        self.messages.advertises += advertises;
        self.messages.requests += requests;
        self.messages.replies += replies;
        self.messages.late_replies += late_replies;
        self.messages.refusals += refusals;
        self.messages.strays += strays;
        self.behind = self.behind.max(other.behind);
        self.latency.add(&other.latency)?;
        Ok(self.ending_latency.add(&other.ending_latency)?)
    }

    /// The latency of the last exchanges, in the middle.
    pub(super) fn ending_latency(&self) -> Duration {
        Duration::from_micros(self.ending_latency.value_at_quantile(0.5))
    }

    /// The latency that this share of the exchanges does not exceed.
    pub(super) fn latency_ms(&self, share: f64) -> f64 {
        self.latency.value_at_quantile(share) as f64 / 1e3
    }
}
