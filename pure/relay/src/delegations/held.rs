//! A delegation as the table holds it: small, the client's name shared, times in milliseconds.

use std::net::Ipv6Addr;
use std::sync::Arc;
use std::time::Duration;

use requestor::Lifetime;
use wire::{Duid, DuidRef, IaKind, Iaid, Prefix};
use world::Instant;

use super::delegation::{Delegation, Teller};
use crate::moment::Moment;
use crate::ports::PortId;

/// A client where it is: one DUID on two ports is two of them (RFC 8987 §4.2 G-4).
///
/// The ports of a DUID stand side by side; the DUIDs in no order that means anything: by their last octets,
/// in which they differ, so that most comparisons touch nothing else.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Holder {
    last_octets: u64,
    pub(super) duid: Arc<Duid>,
    pub(super) port: PortId,
}

impl Holder {
    pub(super) fn new(duid: Duid, port: PortId) -> Self {
        let last_octets = duid.octets().iter().fold(0, |all, octet| (all << 8) | u64::from(*octet));
        Self { last_octets, duid: Arc::new(duid), port }
    }

    pub(super) fn is(&self, client: DuidRef<'_>, port: PortId) -> bool {
        self.port == port && (*self.duid).as_ref() == client
    }
}

/// Until when, in milliseconds from the beginning of the clock, begun ones counting; `FOREVER` is last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Until(u64);

impl Until {
    pub(super) const FOREVER: Self = Self(u64::MAX);

    /// Nothing, if it never comes.
    pub(super) fn instant(self) -> Option<Instant> {
        (self != Self::FOREVER).then(|| Instant::since_start(Duration::from_millis(self.0)))
    }

    /// The last that has come by now.
    pub(super) fn past(now: Instant) -> Self {
        Self(u64::try_from(now.since(Instant::default()).as_millis()).unwrap_or(u64::MAX - 1))
    }

    pub(super) fn is_near(self, other: Self, grain: Duration) -> bool {
        u128::from(self.0.abs_diff(other.0)) <= grain.as_millis()
    }
}

impl From<Instant> for Until {
    fn from(instant: Instant) -> Self {
        let since_start = instant.since(Instant::default());
        let begun = u128::from(!since_start.subsec_nanos().is_multiple_of(1_000_000));
        let millis = u64::try_from(since_start.as_millis() + begun).unwrap_or(u64::MAX);
        Self(millis.min(Self::FOREVER.0 - 1))
    }
}

impl From<Lifetime> for Until {
    fn from(lifetime: Lifetime) -> Self {
        match lifetime {
            Lifetime::Until(end) => end.into(),
            Lifetime::Forever => Self::FOREVER,
        }
    }
}

impl From<Until> for Lifetime {
    fn from(until: Until) -> Self {
        until.instant().map_or(Self::Forever, Self::Until)
    }
}

/// What the table holds under a prefix.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) holder: Holder,
    pub(super) kind: IaKind,
    pub(super) iaid: Option<Iaid>,
    pub(super) next_hop: Ipv6Addr,
    pub(super) preferred: Until,
    pub(super) valid: Until,
    pub(super) heard: Moment,
    pub(super) told_by: Teller,
    /// Whether it has been spoken of since the present epoch began, or the last one.
    pub(super) confirmed: bool,
}

impl Held {
    pub(super) fn view(&self, prefix: Prefix) -> DelegationRef<'_> {
        let Self { holder, kind, iaid, next_hop, preferred, valid, heard, told_by, confirmed: _ } = self;
        DelegationRef {
            prefix,
            kind: *kind,
            client: (*holder.duid).as_ref(),
            iaid: *iaid,
            port: holder.port,
            next_hop: *next_hop,
            preferred: (*preferred).into(),
            valid: (*valid).into(),
            heard: *heard,
            told_by: *told_by,
        }
    }
}

/// A [`Delegation`] in the table, to be looked at. Its times have come out of milliseconds, a begun one
/// counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DelegationRef<'a> {
    /// The prefix, or an address as a prefix of 128 bits.
    pub prefix: Prefix,
    /// Which of the two.
    pub kind: IaKind,
    /// The client.
    pub client: DuidRef<'a>,
    /// The client's number of the association, if we know it.
    pub iaid: Option<Iaid>,
    /// Where the client is.
    pub port: PortId,
    /// The client's address there, or that of a relay behind which it is.
    pub next_hop: Ipv6Addr,
    /// Until when it is preferred.
    pub preferred: Lifetime,
    /// Until when it holds.
    pub valid: Lifetime,
    /// When the client and its server last spoke of it.
    pub heard: Moment,
    /// How we know.
    pub told_by: Teller,
}

impl DelegationRef<'_> {
    /// A copy that owns the client's name.
    pub fn to_delegation(self) -> Delegation {
        let Self { prefix, kind, client, iaid, port, next_hop, preferred, valid, heard, told_by } = self;
        let client = client.to_duid();
        Delegation { prefix, kind, client, iaid, port, next_hop, preferred, valid, heard, told_by }
    }
}
