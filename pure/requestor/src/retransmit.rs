//! When to send a message again over UDP (RFC 8415 §15).

use std::time::Duration;

use world::{Chance, Instant};

/// How a kind of message is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retransmission {
    /// IRT: about the first wait.
    pub initial: Duration,
    /// MRT: about the longest wait.
    pub longest: Duration,
    /// MRC: how often the message is sent at most.
    pub most: u32,
}

impl Retransmission {
    /// LEASEQUERY: LQ_TIMEOUT, LQ_MAX_RT, LQ_MAX_RC (RFC 5007 §4.3.2).
    pub const LEASEQUERY: Self =
        Self { initial: Duration::from_secs(1), longest: Duration::from_secs(10), most: 5 };
}

/// One message on its way through its retransmissions.
#[derive(Debug, Clone)]
pub struct Attempts {
    rule: Retransmission,
    sent: u32,
    wait: Duration,
    next: Instant,
}

impl Attempts {
    /// A message that is to be sent for the first time, now.
    pub fn new(rule: Retransmission, now: Instant) -> Self {
        Self { rule, sent: 0, wait: Duration::ZERO, next: now }
    }

    /// When the message is to be sent again, or given up.
    pub fn next(&self) -> Instant {
        self.next
    }

    /// The time has come: `true` to send, `false` to give up.
    pub fn send(&mut self, now: Instant, chance: &mut Chance) -> bool {
        if self.sent == self.rule.most {
            return false;
        }
        let spread = |wait: Duration, chance: &mut Chance| wait.mul_f64(1.0 + 0.1 * chance.signed_unit());
        self.wait = match self.sent {
            0 => spread(self.rule.initial, chance),
            _ => self.wait + spread(self.wait, chance),
        };
        if self.wait > self.rule.longest {
            self.wait = spread(self.rule.longest, chance);
        }
        self.sent += 1;
        self.next = now + self.wait;
        true
    }
}
