//! Graves: what has ended a short while ago, so that an answer that was on its way meanwhile and speaks
//! of a time before does not bring it back.
//!
//! A grave names who held the prefix, and stands in nobody else's way. After `GRAVE_AGE` it is
//! forgotten: no answer is under way for so long. There is room for `MAX_GRAVES`. When it is used up,
//! further ends are remembered by one moment, that of the last of them: until that is as old, answers
//! about what is not held are *withheld* if they are older than that moment. So nothing is resurrected,
//! nothing that is held suffers, and who is withheld comes back when the servers are asked again.

use std::collections::{BTreeMap, BTreeSet};

use wire::Prefix;
use world::Instant;

use super::Verdict;
use super::delegation::Delegation;
use super::held::Holder;
use crate::limits::{GRAVE_AGE, MAX_GRAVES};
use crate::moment::Moment;

#[derive(Debug, Default)]
pub(super) struct Graves {
    by_prefix: BTreeMap<Prefix, Grave>,
    /// The oldest first; one for each of the above.
    by_age: BTreeSet<(Instant, Prefix)>,
    /// What had no room: when the last of it ended, and when that was said.
    without: Option<(Moment, Instant)>,
    withheld: usize,
}

#[derive(Debug)]
struct Grave {
    holder: Holder,
    ended: Moment,
    dug: Instant,
}

impl Graves {
    /// Remembers the end of what was held.
    pub(super) fn bury(&mut self, prefix: Prefix, holder: &Holder, ended: Moment, now: Instant) {
        self.forget_old(now);
        self.unbury(prefix);
        if self.by_prefix.len() < MAX_GRAVES {
            self.dig(prefix, Grave { holder: holder.clone(), ended, dug: now });
        } else {
            let last = self.without.map_or(ended, |(before, _)| ended.max(before));
            self.without = Some((last, now));
        }
    }

    /// Remembers the end of what is not held, or not by whom it was said of: it may come with an answer.
    /// Anybody can say so of any prefix. So it costs nobody else their grave, and at most half the room.
    pub(super) fn bury_unknown(&mut self, prefix: Prefix, holder: Holder, ended: Moment, now: Instant) {
        self.forget_old(now);
        if self.by_prefix.len() < MAX_GRAVES / 2 && !self.by_prefix.contains_key(&prefix) {
            self.dig(prefix, Grave { holder, ended, dug: now });
        }
    }

    fn dig(&mut self, prefix: Prefix, grave: Grave) {
        self.by_age.insert((grave.dug, prefix));
        self.by_prefix.insert(prefix, grave);
    }

    pub(super) fn unbury(&mut self, prefix: Prefix) {
        if let Some(grave) = self.by_prefix.remove(&prefix) {
            self.by_age.remove(&(grave.dug, prefix));
        }
    }

    fn forget_old(&mut self, now: Instant) {
        while let Some((dug, prefix)) = self.by_age.first().copied() {
            if now.since(dug) < GRAVE_AGE {
                break;
            }
            self.unbury(prefix);
        }
        self.without = self.without.filter(|(_, said)| now.since(*said) < GRAVE_AGE);
    }

    /// What is to be said to a word, if it is not to be believed.
    pub(super) fn refuses(&mut self, word: &Delegation, is_held: bool, now: Instant) -> Option<Verdict> {
        self.forget_old(now);
        let grave = self.by_prefix.get(&word.prefix);
        let grave = grave.filter(|grave| grave.holder.is(word.client.as_ref(), word.port));
        if grave.is_some_and(|grave| word.heard <= grave.ended) {
            return Some(Verdict::Stale);
        }
        if !is_held && self.without.is_some_and(|(ended, _)| word.heard <= ended) {
            self.withheld += 1;
            return Some(Verdict::Withheld);
        }
        None
    }

    /// Counts anew what is withheld: the servers are asked again.
    pub(super) fn forgive(&mut self) {
        self.withheld = 0;
    }

    /// How often answers were withheld.
    pub(super) fn withheld(&self) -> usize {
        self.withheld
    }
}
