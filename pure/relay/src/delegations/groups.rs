//! Prefixes that have something in common, and how many they are.
//!
//! Most groups are a customer's and hold one prefix, which then costs no allocation. A group without
//! any does not exist.

use std::collections::{BTreeMap, BTreeSet, btree_map};
use std::ops::Bound;

use wire::{IaKind, Prefix};

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

    pub(super) fn of_mut(&mut self, kind: IaKind) -> &mut usize {
        match kind {
            IaKind::Prefix => &mut self.prefixes,
            IaKind::Address => &mut self.addresses,
        }
    }
}

/// Groups by what they have in common.
#[derive(Debug)]
pub(super) struct Groups<K>(BTreeMap<K, Group>);

#[derive(Debug)]
enum Group {
    One(Prefix, IaKind),
    /// Boxed, so that it does not make the others as large.
    Many(Box<Many>),
}

#[derive(Debug, Default)]
struct Many {
    members: BTreeSet<Prefix>,
    counts: Counts,
}

impl<K> Default for Groups<K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord + Clone> Groups<K> {
    /// Adds a prefix that is not in the group, if there are fewer than `most` of that kind in it. Gives the
    /// group's key as it is kept.
    pub(super) fn add_within(&mut self, key: K, prefix: Prefix, kind: IaKind, most: usize) -> Option<K> {
        match self.0.entry(key) {
            btree_map::Entry::Occupied(entry) if entry.get().counts().of(kind) >= most => None,
            btree_map::Entry::Vacant(_) if most == 0 => None,
            btree_map::Entry::Occupied(mut entry) => {
                entry.get_mut().add(prefix, kind);
                Some(entry.key().clone())
            }
            btree_map::Entry::Vacant(entry) => {
                Some(entry.insert_entry(Group::One(prefix, kind)).key().clone())
            }
        }
    }

    /// Removes a prefix that is in the group.
    pub(super) fn remove(&mut self, key: &K, prefix: Prefix, kind: IaKind) {
        let group = self.0.get_mut(key).expect("what is held is in its groups");
        if group.counts().total() == 1 {
            self.0.remove(key);
        } else if let Group::Many(many) = group {
            many.members.remove(&prefix);
            *many.counts.of_mut(kind) -= 1;
        }
    }
}

impl<K: Ord> Groups<K> {
    /// How many are in a group.
    pub(super) fn counts(&self, key: &K) -> Counts {
        self.0.get(key).map_or_else(Counts::default, Group::counts)
    }

    /// How many groups there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Those of a group behind `after`.
    pub(super) fn after(&self, key: &K, after: Option<Prefix>) -> impl Iterator<Item = Prefix> + use<'_, K> {
        self.0.get(key).into_iter().flat_map(move |group| group.after(after))
    }

    /// Those of the groups from this one on: of the first one, only those behind `after`.
    pub(super) fn from(
        &self,
        first: &K,
        after: Option<Prefix>,
    ) -> impl Iterator<Item = (&K, Prefix)> + use<'_, K> {
        let mut rest = self.0.range((Bound::Included(first), Bound::Unbounded));
        let start = rest.next();
        let is_first = start.is_some_and(|(key, _)| key == first);
        let head = start.into_iter().flat_map(move |(key, group)| {
            let after = if is_first { after } else { None };
            group.after(after).map(move |prefix| (key, prefix))
        });
        head.chain(rest.flat_map(|(key, group)| group.after(None).map(move |prefix| (key, prefix))))
    }
}

impl Group {
    fn add(&mut self, prefix: Prefix, kind: IaKind) {
        if let Self::One(only, its_kind) = *self {
            let mut many = Many { members: BTreeSet::from([only]), counts: Counts::default() };
            *many.counts.of_mut(its_kind) = 1;
            *self = Self::Many(Box::new(many));
        }
        if let Self::Many(many) = self {
            many.members.insert(prefix);
            *many.counts.of_mut(kind) += 1;
        }
    }

    fn counts(&self) -> Counts {
        match self {
            Self::One(_, kind) => {
                let mut one = Counts::default();
                *one.of_mut(*kind) = 1;
                one
            }
            Self::Many(many) => many.counts,
        }
    }

    fn after(&self, after: Option<Prefix>) -> impl Iterator<Item = Prefix> {
        let first = after.map_or(Bound::Unbounded, Bound::Excluded);
        let (one, many) = match self {
            Self::One(only, _) => (Some(*only).filter(|only| after.is_none_or(|after| *only > after)), None),
            Self::Many(many) => (None, Some(many.members.range((first, Bound::Unbounded)).copied())),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }
}
