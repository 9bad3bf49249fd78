//! What people do with a client.

use std::time::Duration;

use wire::{IaKind, MessageType};
use world::Instant;

use super::diary::Deed;
use super::retransmission::Terms;
use super::{Client, HeldLease, INTERFACE, Power};
use crate::plan::{LinkNumber, between};
use crate::universe::{Outbox, Segment};

/// How long a client is off that was switched off.
const OFF_MILLIS: (u64, u64) = (100, 30_000);

impl Client {
    /// It is done to it, unless it is off or has just been told to give everything back.
    pub(super) fn suffer(&mut self, deed: Deed, now: Instant, out: &mut Outbox) {
        if !self.is_on() || self.rests_for.is_some() {
            return;
        }
        match deed {
            Deed::Release => self.release(now, out),
            Deed::Decline => self.decline(now, out),
            Deed::Forget => self.forget(now),
            Deed::Move => self.relocate(now, out),
            Deed::Inform if self.exchange.is_none() => self.inform(now, out),
            Deed::Inform => {}
        }
    }

    fn release(&mut self, now: Instant, out: &mut Outbox) {
        let Some(server) = self.held.server().cloned() else { return };
        self.rests_for = Some(self.pause());
        let leases = self.held.take();
        self.give_up(MessageType::Release, &leases, server, now, out);
    }

    /// DH-K-06: a prefix is never declined.
    fn decline(&mut self, now: Instant, out: &mut Outbox) {
        let Some(server) = self.held.server().cloned() else { return };
        let addresses: Vec<HeldLease> =
            self.held.leases().iter().filter(|held| held.kind == IaKind::Address).copied().collect();
        if addresses.is_empty() {
            return;
        }
        let used = addresses[self.chance.below(addresses.len() as u64) as usize];
        self.held.remove(used.resource);
        self.give_up(MessageType::Decline, &[used], server, now, out);
    }

    fn forget(&mut self, now: Instant) {
        self.held.take();
        self.exchange = None;
        self.power = Power::Off { until: now + self.pause() };
    }

    /// DH-K-07: on another link, or on the same again, it asks whether that is still so.
    fn relocate(&mut self, now: Instant, out: &mut Outbox) {
        let link = between(&mut self.chance, 1, self.links.into());
        self.link = LinkNumber::try_from(link).expect("a few links");
        out.relocate(INTERFACE, Segment(self.link));
        self.exchange = None;
        let has = |kind| self.held.leases().iter().any(|held| held.kind == kind);
        if has(IaKind::Prefix) {
            self.rebind(Terms::CONFIRM, now, out);
        } else if has(IaKind::Address) {
            self.confirm(now, out);
        } else {
            self.solicit_at = now;
        }
    }

    fn pause(&mut self) -> Duration {
        Duration::from_millis(between(&mut self.chance, OFF_MILLIS.0, OFF_MILLIS.1))
    }
}
