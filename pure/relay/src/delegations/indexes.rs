//! The table beneath: delegations by prefix, and every other order in which they are looked for.
//!
//! Invariant: [`Indexes::put`] and [`Indexes::remove`] are the only ways in and out, and keep all the
//! orders and counts. A delegation stands in each of them once.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use wire::{DuidRef, IaKind, Prefix};

use super::groups::{Counts, Groups};
use super::held::{Held, Holder, Until};
use crate::ports::PortId;

#[derive(Debug, Default)]
pub(super) struct Indexes {
    by_prefix: BTreeMap<Prefix, Held>,
    by_holder: Groups<Holder>,
    /// Counts only: whoever wants those on a port looks through all of them, which is seldom.
    by_port: BTreeMap<PortId, Counts>,
    by_end: BTreeSet<(Until, Prefix)>,
    all: Counts,
}

impl Indexes {
    /// Holds what is held anew, until another end or by another way; its holder and kind stay.
    pub(super) fn renew(&mut self, prefix: Prefix, held: Held) {
        let known = self.by_prefix.get_mut(&prefix).expect("what is renewed is held");
        assert!(known.holder == held.holder && known.kind == held.kind, "what is another's is not renewed");
        if known.valid != held.valid {
            self.by_end.remove(&(known.valid, prefix));
            self.by_end.insert((held.valid, prefix));
        }
        *known = held;
    }

    /// Holds a delegation under a prefix where none is, if its holder has fewer than `most` of that kind;
    /// says whether it does.
    pub(super) fn insert_within(&mut self, prefix: Prefix, held: Held, most: usize) -> bool {
        let Some(holder) = self.by_holder.add_within(held.holder, prefix, held.kind, most) else {
            return false;
        };
        *self.by_port.entry(holder.port).or_default().of_mut(held.kind) += 1;
        self.by_end.insert((held.valid, prefix));
        *self.all.of_mut(held.kind) += 1;
        self.by_prefix.insert(prefix, Held { holder, ..held });
        true
    }

    /// Holds it no longer.
    pub(super) fn remove(&mut self, prefix: Prefix) -> Option<Held> {
        let held = self.by_prefix.remove(&prefix)?;
        self.by_holder.remove(&held.holder, prefix, held.kind);
        self.leave_port(held.holder.port, held.kind);
        self.by_end.remove(&(held.valid, prefix));
        *self.all.of_mut(held.kind) -= 1;
        Some(held)
    }

    fn leave_port(&mut self, port: PortId, kind: IaKind) {
        let counts = self.by_port.get_mut(&port).expect("what is held is counted at its port");
        *counts.of_mut(kind) -= 1;
        if counts.total() == 0 {
            self.by_port.remove(&port);
        }
    }

    /// Notes that it has been spoken of in this epoch. Gives it.
    pub(super) fn confirm(&mut self, prefix: Prefix) -> Option<&Held> {
        let held = self.by_prefix.get_mut(&prefix)?;
        held.confirmed = true;
        Some(held)
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

    /// Those of a DUID behind `after`, by port, then by prefix.
    pub(super) fn of_client_after(
        &self,
        client: DuidRef<'_>,
        after: Option<(PortId, Prefix)>,
    ) -> impl Iterator<Item = (Prefix, &Held)> + use<'_> {
        let (port, after) = after.map_or((PortId::FIRST, None), |(port, prefix)| (port, Some(prefix)));
        let first = Holder::new(client.to_duid(), port);
        let its = self.by_holder.from(&first, after);
        its.take_while(move |(holder, _)| holder.duid == first.duid).map(|(_, prefix)| self.known(prefix))
    }

    /// Those of a client on one port behind `after`, by prefix.
    pub(super) fn of_holder_after(
        &self,
        client: DuidRef<'_>,
        port: PortId,
        after: Option<Prefix>,
    ) -> impl Iterator<Item = (Prefix, &Held)> + use<'_> {
        let its = self.by_holder.after(&Holder::new(client.to_duid(), port), after);
        its.map(|prefix| self.known(prefix))
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
        self.by_holder.counts(holder)
    }

    pub(super) fn on_port(&self, port: PortId) -> Counts {
        self.by_port.get(&port).copied().unwrap_or_default()
    }

    pub(super) fn ports(&self) -> impl Iterator<Item = (PortId, Counts)> {
        self.by_port.iter().map(|(port, counts)| (*port, *counts))
    }

    pub(super) fn counts(&self) -> Counts {
        self.all
    }

    pub(super) fn holders(&self) -> usize {
        self.by_holder.len()
    }

    fn known(&self, prefix: Prefix) -> (Prefix, &Held) {
        (prefix, self.by_prefix.get(&prefix).expect("every order holds what is held"))
    }
}
