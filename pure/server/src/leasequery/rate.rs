//! How often a source may ask over UDP: a token bucket for each (RFC 5007 §5).

use std::collections::BTreeMap;
use std::net::Ipv6Addr;

use world::Instant;

use crate::limits::MAX_RATED_SOURCES;

/// Token buckets, one a source.
#[derive(Debug)]
pub struct RateLimit {
    per_second: u32,
    burst: u32,
    buckets: BTreeMap<Ipv6Addr, Bucket>,
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    filled: Instant,
}

impl RateLimit {
    /// Lets each source ask `per_second` times a second in the long run, and `burst` times at once.
    pub fn new(per_second: u32, burst: u32) -> Self {
        Self { per_second, burst, buckets: BTreeMap::new() }
    }

    /// Whether this source may ask now; if so, the question is counted.
    pub fn permits(&mut self, source: Ipv6Addr, now: Instant) -> bool {
        if !self.buckets.contains_key(&source) && self.buckets.len() >= MAX_RATED_SOURCES {
            self.forget_the_quiet(now);
        }
        if !self.buckets.contains_key(&source) && self.buckets.len() >= MAX_RATED_SOURCES {
            return false;
        }
        let (per_second, burst) = (f64::from(self.per_second), f64::from(self.burst));
        let bucket = self.buckets.entry(source).or_insert(Bucket { tokens: burst, filled: now });
        bucket.fill(per_second, burst, now);
        let permitted = bucket.tokens >= 1.0;
        if permitted {
            bucket.tokens -= 1.0;
        }
        permitted
    }

    /// A bucket that is full again says nothing that a new one would not say.
    fn forget_the_quiet(&mut self, now: Instant) {
        let (per_second, burst) = (f64::from(self.per_second), f64::from(self.burst));
        self.buckets.retain(|_, bucket| {
            bucket.fill(per_second, burst, now);
            bucket.tokens < burst
        });
    }
}

impl Bucket {
    fn fill(&mut self, per_second: f64, burst: f64, now: Instant) {
        self.tokens = burst.min(self.tokens + per_second * now.since(self.filled).as_secs_f64());
        self.filled = now;
    }
}
