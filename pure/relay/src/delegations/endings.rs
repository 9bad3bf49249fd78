//! How delegations end: given back, taken away, run out.

use std::collections::BTreeSet;

use wire::{Duid, IaKind, Iaid, Prefix};
use world::Instant;

use super::Delegations;
use super::held::{Holder, Until};
use super::learn::Released;
use crate::moment::Moment;
use crate::ports::PortId;

/// Which delegations are meant (RFC 8987 §4.4 O-2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// Every one.
    All,
    /// This one.
    Prefix(Prefix),
    /// Those of this client, on every port.
    Client(Duid),
    /// Those of this client on this port.
    ClientOnPort(Duid, PortId),
    /// Those on this port.
    Port(PortId),
}

impl Delegations {
    /// Ends what a client on a port gives back: the leases that it names, and of a released IA_PD all
    /// that are known to belong to it (RFC 8987 §4.2 G-9). Nothing of other clients, and nothing of the
    /// same DUID on other ports. Gives how many have ended.
    pub fn release(&mut self, port: PortId, released: &Released<'_>, now: Instant) -> usize {
        let client = released.client;
        let mut ending = BTreeSet::new();
        let mut whole: BTreeSet<(IaKind, Iaid)> = BTreeSet::new();
        for association in released.associations() {
            if association.whole {
                whole.insert((association.kind, association.iaid));
            }
            for prefix in association.named() {
                match self.table.get(prefix) {
                    Some(known) if known.holder.is(client, port) && known.kind == association.kind => {
                        ending.insert(prefix);
                    }
                    Some(_) => {}
                    None => {
                        let holder = Holder::new(client.to_duid(), port);
                        self.bury_unknown(prefix, holder, now.into(), now);
                    }
                }
            }
        }
        let its = self.table.of_holder_after(client, port, None);
        let of_whole =
            its.filter(|(_, held)| held.iaid.is_some_and(|iaid| whole.contains(&(held.kind, iaid))));
        ending.extend(of_whole.map(|(prefix, _)| prefix));
        for prefix in &ending {
            self.end(*prefix, now);
        }
        ending.len()
    }

    /// Ends one delegation. `false` if there is none under that prefix.
    pub fn end(&mut self, prefix: Prefix, now: Instant) -> bool {
        self.end_as_of(prefix, now.into(), now).is_some()
    }

    /// Ends delegations that are meant, at most so many; gives how many. To be called again until there
    /// are none, so that clearing a large table holds nobody up.
    pub fn clear(&mut self, filter: &Filter, now: Instant, most: usize) -> usize {
        let meant: Vec<Prefix> = self.matching(filter, None).take(most).map(|held| held.prefix).collect();
        for prefix in &meant {
            self.end(*prefix, now);
        }
        meant.len()
    }

    /// Ends what has run out by now, at most so much, the first to run out first; gives how many.
    ///
    /// It leaves no grave: who says that it holds longer knows of a renewal that went another way.
    pub fn expire(&mut self, now: Instant, most: usize) -> usize {
        // What ends within the millisecond that has begun has not run out.
        let ended: Vec<Prefix> = self.table.ended(Until::past(now)).take(most).collect();
        for prefix in &ended {
            self.table.remove(*prefix);
            self.changes.note_way(*prefix);
        }
        ended.len()
    }

    /// When the next one runs out: when to call [`Delegations::expire`].
    pub fn next_expiry(&self) -> Option<Instant> {
        self.table.first_end()?.instant()
    }

    /// Ends a delegation with what was said at that moment; gives who held it.
    pub(super) fn end_as_of(&mut self, prefix: Prefix, moment: Moment, now: Instant) -> Option<Holder> {
        let holder = self.table.remove(prefix)?.holder;
        if let Some(graves) = &mut self.epoch {
            graves.bury(prefix, &holder, moment, now);
        }
        self.changes.note_way(prefix);
        Some(holder)
    }
}
