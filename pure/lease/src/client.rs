//! The one record: a client on a link, its bindings and their leases.
//!
//! Times are what a store can keep: seconds since 1970, and lifetimes as granted. What remains of a
//! lifetime is computed from when the lease was granted, never from when the client was last heard,
//! because a client can be heard without its leases being extended.

use std::fmt;

use wire::{Duid, INFINITE, IaKind, Iaid, OptionCode, Prefix};

use crate::{LinkId, RelayPath, Resource};

/// Which client: a DUID, and the link it is on. A client on two links is two records.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientKey {
    /// The link.
    pub link: LinkId,
    /// The client's own identifier.
    pub duid: Duid,
}

/// Everything one DUID holds on one link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Which client, where.
    pub key: ClientKey,
    /// When and through which relays it was last spoken with.
    pub heard: Heard,
    /// The client's own options, kept because a leasequery may ask for them, in the order sent.
    pub options: Vec<(OptionCode, Box<[u8]>)>,
    /// What a Reconfigure to it is authenticated with, if it accepts such.
    pub reconfigure: Option<ReconfigureKey>,
    /// Its identity associations.
    pub bindings: Vec<Binding>,
}

/// The secret that a client shares with the server, so that it can believe a Reconfigure (RFC 9915
/// §20.4).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ReconfigureKey {
    /// The key, as the client was told it.
    pub octets: [u8; 16],
    /// The greatest replay detection value that may have been sent to the client; the next one is
    /// greater.
    pub last_replay: u64,
}

/// Without the secret: what is printed is read by others.
impl fmt::Debug for ReconfigureKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReconfigureKey").field("last_replay", &self.last_replay).finish_non_exhaustive()
    }
}

/// The last contact that changed or confirmed what the client holds (RFC 5007 §4.1.2.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// Seconds since 1970.
    pub at_unix_secs: u64,
    /// The relays it came through; `None` if it came directly, or nobody remembers.
    pub path: Option<RelayPath>,
}

/// One identity association (RFC 8415 §12).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// Addresses or prefixes.
    pub kind: IaKind,
    /// The client's number for it.
    pub iaid: Iaid,
    /// What it holds.
    pub leases: Vec<Lease>,
}

/// A resource, for how long, and what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// What is leased.
    pub resource: Resource,
    /// Whether it is still the client's.
    pub state: LeaseState,
    /// When it was granted or last extended, in seconds since 1970: both lifetimes count from here.
    /// Of a lease that is not active any more, when it came into its state.
    pub granted_unix_secs: u64,
    /// Seconds, or [`INFINITE`].
    pub preferred_secs: u32,
    /// Seconds, or [`INFINITE`]: the valid lifetime; of a lease that is not active any more, how
    /// long it is remembered, or rests.
    pub valid_secs: u32,
    /// The part of a delegated prefix that stays with the delegating side (RFC 6603).
    pub excluded: Option<Prefix>,
}

/// What became of a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeaseState {
    /// The client's, as long as its valid lifetime lasts.
    Active,
    /// Given back; remembered, so that the client can have the same again.
    Released,
    /// Run out; remembered likewise.
    Expired,
    /// Found in use by somebody else; rests.
    Declined,
}

impl LeaseState {
    /// Whether nobody else may be given the resource.
    pub fn occupies(self) -> bool {
        matches!(self, Self::Active | Self::Declined)
    }
}

impl Lease {
    /// Seconds of valid lifetime that remain; 0 if the lease is not active or has run out.
    #[inline]
    pub fn valid_remaining_secs(&self, now_unix_secs: u64) -> u32 {
        match self.state {
            LeaseState::Active => remaining(self.valid_secs, self.granted_unix_secs, now_unix_secs),
            LeaseState::Released | LeaseState::Expired | LeaseState::Declined => 0,
        }
    }

    /// What is left of the lease once it has ended: it is in this state from now on, for `secs`
    /// seconds; nothing if that is no time at all.
    pub fn remembered(&self, state: LeaseState, now_unix_secs: u64, secs: u32) -> Option<Self> {
        let ended =
            Self { state, granted_unix_secs: now_unix_secs, preferred_secs: 0, valid_secs: secs, ..*self };
        (secs > 0).then_some(ended)
    }

    /// Seconds of preferred lifetime that remain, never more than of the valid one.
    #[inline]
    pub fn preferred_remaining_secs(&self, now_unix_secs: u64) -> u32 {
        let preferred = remaining(self.preferred_secs, self.granted_unix_secs, now_unix_secs);
        preferred.min(self.valid_remaining_secs(now_unix_secs))
    }

    /// When the valid lifetime ends, or the rest, or the memory of it, in seconds since 1970; `None`
    /// for never.
    pub fn until_unix_secs(&self) -> Option<u64> {
        (self.valid_secs != INFINITE).then(|| self.granted_unix_secs + u64::from(self.valid_secs))
    }
}

/// A clock that has stepped back must not stretch a lifetime beyond what was granted.
fn remaining(lifetime_secs: u32, granted_unix_secs: u64, now_unix_secs: u64) -> u32 {
    if lifetime_secs == INFINITE {
        return INFINITE;
    }
    let elapsed = now_unix_secs.saturating_sub(granted_unix_secs);
    u64::from(lifetime_secs).saturating_sub(elapsed) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(preferred_secs: u32, valid_secs: u32) -> Lease {
        Lease {
            resource: Resource::Address("2001:db8::1".parse().unwrap()),
            state: LeaseState::Active,
            granted_unix_secs: 1_000_000,
            preferred_secs,
            valid_secs,
            excluded: None,
        }
    }

    // LQ-S-25
    #[test]
    fn lifetimes_shrink_with_time_and_stop_at_zero() {
        let remaining = |lease: Lease, after: u64| {
            (lease.preferred_remaining_secs(1_000_000 + after), lease.valid_remaining_secs(1_000_000 + after))
        };
        assert_eq!(remaining(lease(3600, 7200), 600), (3000, 6600));
        assert_eq!(remaining(lease(3600, 7200), 4000), (0, 3200));
        assert_eq!(remaining(lease(3600, 7200), 7200), (0, 0));
        assert_eq!(remaining(lease(INFINITE, INFINITE), 1 << 40), (INFINITE, INFINITE));
        assert_eq!(remaining(lease(INFINITE, 7200), 600), (6600, 6600));
        assert_eq!(lease(3600, 7200).valid_remaining_secs(0), 7200);
    }

    #[test]
    fn what_has_ended_is_remembered_from_its_end_on_if_for_any_time_at_all() {
        let ended = lease(3600, 7200).remembered(LeaseState::Released, 1_000_600, 1).unwrap();
        assert_eq!((ended.state, ended.granted_unix_secs), (LeaseState::Released, 1_000_600));
        assert_eq!((ended.preferred_secs, ended.until_unix_secs()), (0, Some(1_000_601)));
        assert_eq!(ended.valid_remaining_secs(1_000_600), 0, "it is the client's no longer");
        assert_eq!(lease(3600, 7200).remembered(LeaseState::Expired, 1_000_600, 0), None);
    }
}
