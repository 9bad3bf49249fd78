//! When a message is sent again, and when that has no sense any more (RFC 9915 §15, §7.6).

use std::time::Duration;

use world::{Chance, Instant};

/// Parts in which RAND is drawn: it is from -0.1 to 0.1.
const THOUSAND: u64 = 1_000;
/// RAND at the most.
const RAND_PER_MILLE: u64 = 100;

/// The parameters of one kind of exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Terms {
    /// IRT.
    pub(super) first: Duration,
    /// MRT.
    pub(super) longest: Duration,
    /// MRC.
    pub(super) times: Option<u32>,
    /// MRD.
    pub(super) lasts: Option<Duration>,
}

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

impl Terms {
    /// SOL_MAX_RT is the least that a server may set it to, as if all did: an hour outlasts a run.
    pub(super) const SOLICIT: Self = Self { first: secs(1), longest: secs(60), times: None, lasts: None };
    pub(super) const REQUEST: Self = Self { first: secs(1), longest: secs(30), times: Some(10), lasts: None };
    pub(super) const CONFIRM: Self =
        Self { first: secs(1), longest: secs(4), times: None, lasts: Some(secs(10)) };
    pub(super) const RENEW: Self = Self { first: secs(10), longest: secs(600), times: None, lasts: None };
    pub(super) const REBIND: Self = Self { first: secs(10), longest: secs(600), times: None, lasts: None };
    pub(super) const RELEASE: Self =
        Self { first: secs(1), longest: secs(1_000), times: Some(4), lasts: None };
    pub(super) const DECLINE: Self =
        Self { first: secs(1), longest: secs(1_000), times: Some(4), lasts: None };
    /// INF_MAX_RT is the least likewise.
    pub(super) const INFORM: Self = Self { first: secs(1), longest: secs(60), times: None, lasts: None };

    /// The same, but given up after so long.
    pub(super) fn lasting(self, lasts: Duration) -> Self {
        Self { lasts: Some(lasts), ..self }
    }
}

/// What it is time for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// Nothing yet.
    Nothing,
    /// To send again.
    Again,
    /// To give up.
    Over,
}

/// The timers of one exchange.
#[derive(Debug)]
pub(super) struct Retransmission {
    terms: Terms,
    began: Instant,
    timeout: Duration,
    next: Instant,
    /// How often the message has been sent.
    sent: u32,
}

impl Retransmission {
    /// Begins with a message that is sent now. RAND of the first Solicit is not negative (§18.2.1).
    pub(super) fn begin(terms: Terms, is_solicit: bool, now: Instant, chance: &mut Chance) -> Self {
        let about = around(terms.first, chance);
        let timeout = if is_solicit { about.max(terms.first) } else { about };
        let mut begun = Self { terms, began: now, timeout, next: now, sent: 1 };
        begun.wait(now);
        begun
    }

    /// Looks at the time. If it says to send again, that is counted.
    pub(super) fn due(&mut self, now: Instant, chance: &mut Chance) -> Due {
        if now < self.next {
            return Due::Nothing;
        }
        let is_long_enough = self.terms.lasts.is_some_and(|lasts| now.since(self.began) >= lasts);
        if is_long_enough || self.terms.times.is_some_and(|times| self.sent >= times) {
            return Due::Over;
        }
        let doubled = self.timeout + around(self.timeout, chance);
        let longest = self.terms.longest;
        self.timeout = if doubled > longest { around(longest, chance) } else { doubled };
        self.sent += 1;
        self.wait(now);
        Due::Again
    }

    fn wait(&mut self, now: Instant) {
        let next = now + self.timeout;
        let end = self.terms.lasts.map(|lasts| self.began + lasts);
        self.next = end.map_or(next, |end| next.min(end));
    }

    /// When to look again.
    pub(super) fn deadline(&self) -> Instant {
        self.next
    }

    /// Whether the message has been sent but once.
    pub(super) fn is_first(&self) -> bool {
        self.sent == 1
    }

    /// Hundredths of seconds since the first was sent, as ELAPSED_TIME has them (§21.9).
    pub(super) fn elapsed_hundredths(&self, now: Instant) -> u16 {
        u16::try_from(now.since(self.began).as_millis() / 10).unwrap_or(u16::MAX)
    }
}

/// A time, a tenth longer or shorter at the most.
fn around(time: Duration, chance: &mut Chance) -> Duration {
    let per_mille = THOUSAND - RAND_PER_MILLE + chance.below(2 * RAND_PER_MILLE + 1);
    time * u32::try_from(per_mille).expect("about a thousand") / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent_at(terms: Terms, until: u64) -> (Vec<u64>, Option<u64>) {
        let mut chance = Chance::from_seed(7);
        let mut timers = Retransmission::begin(terms, false, Instant::default(), &mut chance);
        let mut sent = vec![0];
        loop {
            let at = timers.deadline();
            let passed = at.since(Instant::default()).as_secs();
            match timers.due(at, &mut chance) {
                Due::Over => return (sent, Some(passed)),
                _ if passed > until => return (sent, None),
                _ => sent.push(passed),
            }
        }
    }

    // DH-K-04: what follows from §15 for each kind of exchange.
    #[test]
    fn messages_are_sent_again_ever_more_seldom_until_it_is_enough() {
        let (sent, over) = sent_at(Terms::REQUEST, 1_000);
        assert_eq!(sent.len(), 10);
        assert!(over.is_some_and(|secs| (120..220).contains(&secs)), "{sent:?} {over:?}");
        let (sent, over) = sent_at(Terms::CONFIRM, 1_000);
        assert!((3..6).contains(&sent.len()) && over == Some(10), "{sent:?} {over:?}");
        let (sent, over) = sent_at(Terms::SOLICIT, 1_000);
        assert!(over.is_none() && sent.windows(2).all(|pair| pair[1] - pair[0] <= 67), "{sent:?}");
    }
}
