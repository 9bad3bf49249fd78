//! The table beneath: delegations by prefix, and every other order in which they are looked for.
//!
//! Invariant: [`Indexes::put`] and [`Indexes::remove`] are the only ways in and out, and keep all the
//! orders and counts. A delegation stands in each of them once.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv6Addr;
use std::ops::Bound;
use std::sync::Arc;

use wire::{DuidRef, IaKind, Prefix};

use super::held::{Held, Holder, Until};
use crate::port::PortId;

/// How many delegations, by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Delegated prefixes.
    pub prefixes: usize,
    /// Addresses.
    pub addresses: usize,
}

impl Counts {
    /// Of one kind.
    pub fn of(self, kind: IaKind) -> usize {
        match kind {
            IaKind::Prefix => self.prefixes,
            IaKind::Address => self.addresses,
        }
    }

    /// Of both kinds.
    pub fn total(self) -> usize {
        self.prefixes + self.addresses
    }

    fn of_mut(&mut self, kind: IaKind) -> &mut usize {
        match kind {
            IaKind::Prefix => &mut self.prefixes,
            IaKind::Address => &mut self.addresses,
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Indexes {
    by_prefix: BTreeMap<Prefix, Held>,
    by_holder: BTreeSet<(Arc<Holder>, Prefix)>,
    by_port: BTreeSet<(PortId, Prefix)>,
    by_end: BTreeSet<(Until, Prefix)>,
    /// Those with at least one.
    holders: BTreeMap<Arc<Holder>, Counts>,
    /// Those with at least one.
    ports: BTreeMap<PortId, Counts>,
    all: Counts,
}

impl Indexes {
    /// Holds a delegation under a prefix, instead of whatever was held there.
    pub(super) fn put(&mut self, prefix: Prefix, mut held: Held) {
        match self.by_prefix.get_mut(&prefix) {
            Some(known) if known.holder == held.holder && known.kind == held.kind => {
                if known.valid != held.valid {
                    self.by_end.remove(&(known.valid, prefix));
                    self.by_end.insert((held.valid, prefix));
                }
                held.holder = known.holder.clone();
                *known = held;
            }
            Some(_) => {
                self.remove(prefix);
                self.insert(prefix, held);
            }
            None => self.insert(prefix, held),
        }
    }

    fn insert(&mut self, prefix: Prefix, mut held: Held) {
        if let Some((holder, _)) = self.holders.get_key_value(&held.holder) {
            held.holder = holder.clone();
        }
        *self.holders.entry(held.holder.clone()).or_default().of_mut(held.kind) += 1;
        *self.ports.entry(held.holder.port).or_default().of_mut(held.kind) += 1;
        *self.all.of_mut(held.kind) += 1;
        self.by_holder.insert((held.holder.clone(), prefix));
        self.by_port.insert((held.holder.port, prefix));
        self.by_end.insert((held.valid, prefix));
        self.by_prefix.insert(prefix, held);
    }

    /// Holds it no longer.
    pub(super) fn remove(&mut self, prefix: Prefix) -> Option<Held> {
        let held = self.by_prefix.remove(&prefix)?;
        self.by_holder.remove(&(held.holder.clone(), prefix));
        self.by_port.remove(&(held.holder.port, prefix));
        self.by_end.remove(&(held.valid, prefix));
        count_out(&mut self.holders, &held.holder, held.kind);
        count_out(&mut self.ports, &held.holder.port, held.kind);
        *self.all.of_mut(held.kind) -= 1;
        Some(held)
    }

    /// Notes that it has been spoken of in this epoch.
    pub(super) fn confirm(&mut self, prefix: Prefix) {
        if let Some(held) = self.by_prefix.get_mut(&prefix) {
            held.confirmed = true;
        }
    }

    /// Forgets what was spoken of.
    pub(super) fn doubt_all(&mut self) {
        self.by_prefix.values_mut().for_each(|held| held.confirmed = false);
    }

    pub(super) fn get(&self, prefix: Prefix) -> Option<&Held> {
        self.by_prefix.get(&prefix)
    }

    /// All behind `after`, by prefix.
    pub(super) fn all_after(&self, after: Option<Prefix>) -> impl Iterator<Item = (Prefix, &Held)> {
        let first = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.by_prefix.range((first, Bound::Unbounded)).map(|(prefix, held)| (*prefix, held))
    }

    /// Those on a port behind `after`, by prefix.
    pub(super) fn on_port_after(
        &self,
        port: PortId,
        after: Option<Prefix>,
    ) -> impl Iterator<Item = (Prefix, &Held)> {
        let first = match after {
            Some(after) => Bound::Excluded((port, after)),
            None => Bound::Included((port, first_prefix())),
        };
        let on_port = self.by_port.range((first, Bound::Unbounded)).take_while(move |at| at.0 == port);
        on_port.map(|(_, prefix)| self.known(*prefix))
    }

    /// Those of a DUID behind `after`, by port, then by prefix.
    pub(super) fn of_client_after(
        &self,
        client: DuidRef<'_>,
        after: Option<(PortId, Prefix)>,
    ) -> impl Iterator<Item = (Prefix, &Held)> + use<'_> {
        let duid = client.to_duid();
        let port = after.map_or(PortId::FIRST, |(port, _)| port);
        let start = Arc::new(Holder { duid: duid.clone(), port });
        let first = match after {
            Some((_, prefix)) => Bound::Excluded((start, prefix)),
            None => Bound::Included((start, first_prefix())),
        };
        let its = self.by_holder.range((first, Bound::Unbounded));
        its.take_while(move |(holder, _)| holder.duid == duid).map(|(_, prefix)| self.known(*prefix))
    }

    /// Those of a client on one port, by prefix.
    pub(super) fn of_holder(
        &self,
        client: DuidRef<'_>,
        port: PortId,
    ) -> impl Iterator<Item = (Prefix, &Held)> + use<'_> {
        let holder = Arc::new(Holder { duid: client.to_duid(), port });
        let its = self.by_holder.range((holder.clone(), first_prefix())..);
        its.take_while(move |(at, _)| *at == holder).map(|(_, prefix)| self.known(*prefix))
    }

    /// Those that have ended by then, the first one first.
    pub(super) fn ended(&self, by: Until) -> impl Iterator<Item = Prefix> {
        self.by_end.iter().take_while(move |(end, _)| *end <= by).map(|(_, prefix)| *prefix)
    }

    /// When the first one ends.
    pub(super) fn first_end(&self) -> Option<Until> {
        self.by_end.first().map(|(end, _)| *end)
    }

    pub(super) fn held_by(&self, holder: &Holder) -> Counts {
        self.holders.get(holder).copied().unwrap_or_default()
    }

    pub(super) fn on_port(&self, port: PortId) -> Counts {
        self.ports.get(&port).copied().unwrap_or_default()
    }

    pub(super) fn ports(&self) -> impl Iterator<Item = (PortId, Counts)> {
        self.ports.iter().map(|(port, counts)| (*port, *counts))
    }

    pub(super) fn counts(&self) -> Counts {
        self.all
    }

    pub(super) fn holders(&self) -> usize {
        self.holders.len()
    }

    fn known(&self, prefix: Prefix) -> (Prefix, &Held) {
        (prefix, self.by_prefix.get(&prefix).expect("every order holds what is held"))
    }
}

fn count_out<K: Ord>(counts: &mut BTreeMap<K, Counts>, key: &K, kind: IaKind) {
    let left = counts.get_mut(key).expect("whoever has one is counted");
    *left.of_mut(kind) -= 1;
    if left.total() == 0 {
        counts.remove(key);
    }
}

/// Before all others.
fn first_prefix() -> Prefix {
    Prefix::new(Ipv6Addr::UNSPECIFIED, 0).expect("no bits are not too many")
}
