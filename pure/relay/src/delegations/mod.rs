//! What is delegated through this relay, to whom, where and until when.
//!
//! Knowledge comes from three sides: Replies that are forwarded, servers' answers to leasequeries, and
//! what this relay has written down. [`Delegations`] keeps for each prefix the newest word. A Reply is
//! newer than all before it; an answer counts only if it is certainly newer than what is known, and
//! never brings back what has ended after the time it speaks of (`graves`). An address is kept like a
//! prefix of 128 bits, but counted apart: the host routes of a client take none of its prefixes away.
//!
//! Invariants: a prefix has one holder, a client on a port; every order and count is kept by the only
//! two ways in and out (`indexes`); whatever comes, goes or changes is in the log that
//! [`Delegations::take_changed`] drains (`changes`). Nobody's word about one client ends anything of
//! another's but by giving the very same prefix to somebody else.

mod changes;
mod delegation;
mod endings;
mod epoch;
mod graves;
mod groups;
mod held;
pub mod image;
mod indexes;
pub mod learn;
mod reads;

use std::time::Duration;

use wire::{Duid, Prefix};
use world::Instant;

use crate::ports::{PortId, PortRules};
use changes::Changes;
use epoch::Epoch;
use held::{Held, Holder, Until};
use indexes::Indexes;

pub use changes::Changed;
pub use delegation::{Delegation, ServerId, Teller};
pub use endings::Filter;
pub use epoch::EpochEnd;
pub use groups::Counts;
pub use held::DelegationRef;

/// What CLT_TIME is cut to, so that a server's two statements on one contact differ by less.
const CONTACT_GRAIN: Duration = Duration::from_secs(1);

/// What cutting lifetimes to seconds, at two ends and on the way, makes of one and the same end.
const LIFETIME_GRAIN: Duration = Duration::from_secs(2);

/// How many delegations there may be. Prefixes and addresses are counted apart, so there may be that
/// many of each. What is held already may always be renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Of one client on one port (RFC 8987 §4.2 G-5).
    pub per_client: usize,
    /// Of all clients on one port (RFC 8987 §4.2 G-6).
    pub per_port: usize,
}

impl From<&PortRules> for Limits {
    fn from(rules: &PortRules) -> Self {
        Self { per_client: rules.max_delegations_per_client, per_port: rules.max_delegations }
    }
}

/// What has become of a word on a delegation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is held from now on.
    New,
    /// It is held, and somebody else held it before: another client, or the same one on another port.
    Moved {
        /// Who held it.
        from: Duid,
        /// Where.
        from_port: PortId,
    },
    /// Its client is reached by another next hop now.
    Rerouted,
    /// It ends at another time now.
    Renewed,
    /// Nothing new, or no more than the way lifetimes are cut to seconds makes of it.
    Same,
    /// It is over: that was its client's server saying so.
    Ended,
    /// We know something newer, or the word was of the end of what is not held by that client there.
    Stale,
    /// It may or may not have ended meanwhile, and we can no longer tell: to be asked for again. See
    /// [`EpochEnd::withheld`].
    Withheld,
    /// Not held: its client has as many there as it may. Whoever held it before does no longer.
    TooManyForClient,
    /// Not held: there are as many on the port as may be. Whoever held it before does no longer.
    TooManyOnPort,
    /// Not held: it has multicast, link-local, loopback or unspecified addresses in it.
    NotUnicast,
}

/// The table of all delegations.
#[derive(Debug, Default)]
pub struct Delegations {
    table: Indexes,
    changes: Changes,
    epoch: Epoch,
    unique_duids: bool,
}

impl Delegations {
    /// Whether a DUID may be on one port only: then it is where it was heard last, and what it held
    /// elsewhere ends. What is held already stays until then. At first it may be on several (RFC 8987
    /// §4.2 G-4).
    pub fn set_unique_duids(&mut self, unique: bool) {
        self.unique_duids = unique;
    }

    /// Takes what a Reply grants, or takes back by a lifetime of zero: `delegation` says that it was
    /// told by [`Teller::Reply`], and heard now. Confirms it in the present epoch.
    ///
    /// # Panics
    ///
    /// When it was told by somebody else.
    pub fn grant(&mut self, delegation: Delegation, limits: Limits, now: Instant) -> Verdict {
        assert_eq!(delegation.told_by, Teller::Reply, "only Replies grant");
        self.learn(delegation, limits, now)
    }

    /// Takes what a server has answered, or what was written down, if it is newer than what is known
    /// and than the end of it. A server's word confirms what is held under that prefix in the present
    /// epoch even if it is not: as long as a server tells of a prefix, silence about it is no reason to
    /// drop it.
    ///
    /// # Panics
    ///
    /// When it was told by a Reply.
    pub fn hear(&mut self, delegation: Delegation, limits: Limits, now: Instant) -> Verdict {
        assert_ne!(delegation.told_by, Teller::Reply, "a Reply is no hearsay");
        self.learn(delegation, limits, now)
    }

    fn learn(&mut self, word: Delegation, limits: Limits, now: Instant) -> Verdict {
        if !is_unicast(word.prefix) {
            return Verdict::NotUnicast;
        }
        let known = match word.told_by {
            Teller::Server(_) => self.table.confirm(word.prefix),
            Teller::Reply | Teller::Memory => self.table.get(word.prefix),
        };
        if known.is_some_and(|known| !is_newer(&word, known)) {
            return Verdict::Stale;
        }
        let is_held = known.is_some();
        let is_theirs = known.is_some_and(|known| known.holder.is(word.client.as_ref(), word.port));
        let is_alike = known.is_some_and(|known| known.kind == word.kind);
        if word.told_by != Teller::Reply
            && let Some(graves) = &mut self.epoch
            && let Some(refusal) = graves.refuses(&word, is_held, now)
        {
            return refusal;
        }
        if Until::from(word.valid) <= Until::from(now) {
            return self.take_back(&word, is_theirs, now);
        }
        if self.unique_duids && !self.leave_other_ports(&word, now) {
            return Verdict::Stale;
        }
        if is_theirs && is_alike {
            return self.renew(word);
        }
        let before = if is_held { self.end_as_of(word.prefix, word.heard, now) } else { None };
        self.admit(word, before, limits)
    }

    /// Another word on what its holder holds already.
    fn renew(&mut self, word: Delegation) -> Verdict {
        let prefix = word.prefix;
        let known = self.table.get(prefix).expect("it is held");
        let next = Held {
            holder: known.holder.clone(),
            kind: word.kind,
            iaid: word.iaid.or(known.iaid),
            next_hop: word.next_hop,
            preferred: word.preferred.into(),
            valid: word.valid.into(),
            heard: word.heard.max(known.heard),
            told_by: word.told_by,
            confirmed: known.confirmed || word.told_by != Teller::Memory,
        };
        let verdict = if next.next_hop != known.next_hop {
            Verdict::Rerouted
        } else if ends_alike(&next, known) {
            Verdict::Same
        } else {
            Verdict::Renewed
        };
        match verdict {
            Verdict::Rerouted => self.changes.note_way(prefix),
            Verdict::Renewed => self.changes.note_times(prefix),
            _ => {}
        }
        self.table.renew(prefix, next);
        verdict
    }

    /// A word on what nobody holds any more, and who did before.
    fn admit(&mut self, word: Delegation, before: Option<Holder>, limits: Limits) -> Verdict {
        let holder = Holder::new(word.client, word.port);
        if self.table.on_port(word.port).of(word.kind) >= limits.per_port {
            let its = self.table.held_by(&holder).of(word.kind);
            return if its >= limits.per_client { Verdict::TooManyForClient } else { Verdict::TooManyOnPort };
        }
        let held = Held {
            holder,
            kind: word.kind,
            iaid: word.iaid,
            next_hop: word.next_hop,
            preferred: word.preferred.into(),
            valid: word.valid.into(),
            heard: word.heard,
            told_by: word.told_by,
            confirmed: word.told_by != Teller::Memory,
        };
        if !self.table.insert_within(word.prefix, held, limits.per_client) {
            return Verdict::TooManyForClient;
        }
        if let Some(graves) = &mut self.epoch {
            graves.unbury(word.prefix);
        }
        self.changes.note_way(word.prefix);
        match before {
            Some(before) => Verdict::Moved { from: Duid::clone(&before.duid), from_port: before.port },
            None => Verdict::New,
        }
    }

    /// A word that it is over, which counts for its own client there.
    fn take_back(&mut self, word: &Delegation, is_theirs: bool, now: Instant) -> Verdict {
        if is_theirs {
            self.end_as_of(word.prefix, word.heard, now);
            return Verdict::Ended;
        }
        if word.told_by == Teller::Reply {
            let holder = Holder::new(word.client.clone(), word.port);
            self.bury_unknown(word.prefix, holder, word.heard, now);
        }
        Verdict::Stale
    }

    /// Ends what the client holds on other ports than this one; `false` if it was heard there later.
    fn leave_other_ports(&mut self, word: &Delegation, now: Instant) -> bool {
        let elsewhere = self.table.of_client_after(word.client.as_ref(), None);
        let elsewhere = elsewhere.filter(|(_, held)| held.holder.port != word.port);
        let mut left = Vec::new();
        for (prefix, held) in elsewhere {
            if word.told_by != Teller::Reply && held.heard >= word.heard {
                return false;
            }
            left.push(prefix);
        }
        for prefix in left.into_iter().filter(|prefix| *prefix != word.prefix) {
            self.end_as_of(prefix, word.heard, now);
        }
        true
    }
}

/// Whether a word says more than what is known. Of two that are equally old, the later one counts, but
/// none counts against a Reply.
fn is_newer(word: &Delegation, known: &Held) -> bool {
    match (word.told_by, known.told_by) {
        (Teller::Reply, _) => true,
        (Teller::Server(server), Teller::Server(before)) if server == before => {
            word.heard.plus(CONTACT_GRAIN) >= known.heard
        }
        (Teller::Server(_), Teller::Server(_) | Teller::Memory) => word.heard >= known.heard,
        (Teller::Server(_), Teller::Reply) | (Teller::Memory, _) => word.heard > known.heard,
    }
}

/// Whether two words mean the same ends. What a Reply says is exact.
fn ends_alike(next: &Held, known: &Held) -> bool {
    let grain = if next.told_by == Teller::Reply { Duration::ZERO } else { LIFETIME_GRAIN };
    next.valid.is_near(known.valid, grain) && next.preferred.is_near(known.preferred, grain)
}

/// Whether no address in it is multicast, link-local, loopback, unspecified or an IPv4 one.
fn is_unicast(prefix: Prefix) -> bool {
    let reserved = [(0_u128, 64), (0xfe80 << 112, 10), (0xff00 << 112, 8)];
    reserved.into_iter().all(|(bits, length)| {
        let reserved = Prefix::new(bits.into(), length).expect("at most 128 bits");
        !reserved.overlaps(prefix)
    })
}
