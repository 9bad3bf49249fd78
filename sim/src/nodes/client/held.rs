//! What a client has been given, until when, and when it asks for more time.
//!
//! All times are the client's own. A lease whose valid lifetime is over is not in here once the client has
//! looked at its clock.

use std::time::Duration;

use lease::Resource;
use wire::{Duid, INFINITE, IaKind, Iaid};
use world::Instant;

use super::reading::Answer;
use crate::reading::{self, Association};

/// How soon a server is asked again at the earliest that has just said that it has nothing.
const PAUSE: Duration = Duration::from_secs(10);

/// A lease, as its client knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldLease {
    /// In an IA_NA or IA_PD.
    pub kind: IaKind,
    /// The client's number for that.
    pub iaid: Iaid,
    /// What.
    pub resource: Resource,
    /// Until when it is preferred.
    pub preferred_until: Instant,
    /// Until when it may be used at all.
    pub valid_until: Instant,
}

/// Everything that a client holds.
#[derive(Debug, Default)]
pub(super) struct Held {
    leases: Vec<HeldLease>,
    /// Who has given or extended anything last.
    server: Option<Duid>,
    renew_at: Instant,
    rebind_at: Instant,
}

impl Held {
    pub(super) fn leases(&self) -> &[HeldLease] {
        &self.leases
    }

    pub(super) fn is_empty(&self) -> bool {
        self.leases.is_empty()
    }

    pub(super) fn server(&self) -> Option<&Duid> {
        self.server.as_ref()
    }

    /// T1.
    pub(super) fn renew_at(&self) -> Instant {
        self.renew_at
    }

    /// T2.
    pub(super) fn rebind_at(&self) -> Instant {
        self.rebind_at
    }

    /// What an association holds.
    pub(super) fn of(&self, kind: IaKind, iaid: Iaid) -> impl Iterator<Item = Resource> {
        let its = self.leases.iter().filter(move |held| held.kind == kind && held.iaid == iaid);
        its.map(|held| held.resource)
    }

    /// When the first lease is over, and the last.
    pub(super) fn ends(&self) -> Option<(Instant, Instant)> {
        let ends = || self.leases.iter().map(|held| held.valid_until);
        Some((ends().min()?, ends().max()?))
    }

    /// Lets go what is over.
    pub(super) fn expire(&mut self, now: Instant) {
        self.leases.retain(|held| now < held.valid_until);
        if self.leases.is_empty() {
            self.server = None;
        }
    }

    /// Lets go of everything, and gives it.
    pub(super) fn take(&mut self) -> Vec<HeldLease> {
        std::mem::take(self).leases
    }

    /// Lets go of one lease.
    pub(super) fn remove(&mut self, resource: Resource) {
        self.leases.retain(|held| held.resource != resource);
    }

    /// Takes what a Reply tells (RFC 9915 §18.2.10.1).
    pub(super) fn hear(&mut self, answer: &Answer, now: Instant) {
        let sound = || answer.associations.iter().filter(|association| association.has_sound_times());
        for association in sound() {
            for told in &association.leases {
                self.hear_lease(association, told, now);
            }
        }
        let gives = sound().any(|association| association.leases.iter().any(|told| told.valid_secs > 0));
        if gives {
            self.server = Some(answer.server.clone());
        }
        self.settle_times(sound(), now);
    }

    fn hear_lease(&mut self, association: &Association, told: &reading::Lease, now: Instant) {
        let reading::Lease { resource, preferred_secs, valid_secs } = *told;
        if preferred_secs > valid_secs {
            return;
        }
        self.remove(resource);
        if valid_secs > 0 {
            self.leases.push(HeldLease {
                kind: association.kind,
                iaid: association.iaid,
                resource,
                preferred_until: now + lifetime(preferred_secs),
                valid_until: now + lifetime(valid_secs),
            });
        }
    }

    /// The earliest T1 and T2 of all associations, or our own where the server leaves them to us (§21.4).
    fn settle_times<'a>(&mut self, associations: impl Iterator<Item = &'a Association>, now: Instant) {
        let told: Vec<&Association> = associations.filter(|told| !told.leases.is_empty()).collect();
        let earliest =
            |time: fn(&Association) -> u32| told.iter().map(|told| time(told)).filter(|secs| *secs > 0).min();
        let shortest =
            self.leases.iter().map(|held| held.preferred_until.since(now)).min().unwrap_or_default();
        let t1 = earliest(|told| told.t1_secs).map_or(shortest / 2, lifetime);
        let t2 = earliest(|told| told.t2_secs).map_or(shortest * 4 / 5, lifetime);
        (self.renew_at, self.rebind_at) = if told.is_empty() || t2 < t1 {
            (now + PAUSE, now + PAUSE)
        } else {
            (now + t1.max(Duration::from_secs(1)), now + t2.max(Duration::from_secs(1)))
        };
    }
}

fn lifetime(secs: u32) -> Duration {
    // A century is as good as for ever.
    Duration::from_secs(u64::from(if secs == INFINITE { 100 * 365 * 86_400 } else { secs }))
}
