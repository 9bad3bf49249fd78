//! A pool as a row of positions, and where in it the next free one is.
//!
//! What is taken is not written down a second time: the table, the offers and the configuration say
//! it, for a *block* of 16 positions in one short look. The pool remembers only which blocks are
//! full, as runs, so that a look goes straight to a block with something free in it. That costs
//! nothing for a pool with few clients, nearly nothing for one with many, and one step in a pool that
//! is exhausted. (Smaller blocks are looked through faster, and make more runs.)
//!
//! Invariant: a block stands in `full` exactly if each of its positions is taken or barred; for this,
//! [`Pool::refresh`] is called with everything that may have changed.

use std::net::Ipv6Addr;

use lease::{AddressPool, DelegationPool, IaKind, Resource};
use wire::Prefix;

use super::blocks::{Bits, POSITIONS, Sweep, bits_between, last_of, merge};
use super::ground::Ground;
use super::runs::Runs;

/// Entries at one position, or in what it leaves out, after which the rest there is leapt over: a
/// position may be a /56 in which a million addresses are held.
const MAX_ENTRIES_READ_TOGETHER: u32 = 8;

#[derive(Debug)]
pub(super) struct Pool {
    kind: IaKind,
    /// The lowest address.
    first: u128,
    /// The highest address.
    last: u128,
    /// Bits of an address behind what tells one position from another.
    shift: u32,
    last_position: u64,
    /// The pool as configured, if a piece of each position stays with the delegating side.
    exclusion: Option<DelegationPool>,
    /// Positions that nobody is given as a matter of course.
    barred: Runs,
    /// Blocks in which nothing is free.
    full: Runs,
}

impl Pool {
    /// `None` for a pool without addresses. Of one with more than 2^64 the first so many are used.
    pub(super) fn of_addresses(pool: &AddressPool) -> Option<Self> {
        let (first, last) = (pool.first.to_bits(), pool.last.to_bits());
        (first <= last).then(|| Self::new(IaKind::Address, first, last, 0, None))
    }

    /// `None` for a pool that is smaller than what it delegates. Of one with more than 2^64 prefixes
    /// the first so many are used.
    pub(super) fn of_prefixes(pool: &DelegationPool) -> Option<Self> {
        let DelegationPool { prefix, delegated_length, excluded: _ } = *pool;
        let shift = 128_u32.checked_sub(u32::from(delegated_length))?;
        let (first, last) = (prefix.address().to_bits(), prefix.last_address().to_bits());
        let part = Prefix::new(prefix.address(), delegated_length).ok()?;
        let exclusion = pool.excluded_from(part).map(|_| *pool);
        let is_large_enough = prefix.length() <= delegated_length;
        is_large_enough.then(|| Self::new(IaKind::Prefix, first, last, shift, exclusion))
    }

    fn new(kind: IaKind, first: u128, last: u128, shift: u32, exclusion: Option<DelegationPool>) -> Self {
        let last_position = (last - first).checked_shr(shift).unwrap_or(0);
        let last_position = u64::try_from(last_position).unwrap_or(u64::MAX);
        let (barred, full) = (Runs::default(), Runs::default());
        let mut pool = Self { kind, first, last, shift, last_position, exclusion, barred, full };
        pool.last = pool.last_address_at(last_position);
        pool
    }

    pub(super) fn first(&self) -> Ipv6Addr {
        Ipv6Addr::from_bits(self.first)
    }

    pub(super) fn last(&self) -> Ipv6Addr {
        Ipv6Addr::from_bits(self.last)
    }

    pub(super) fn kind(&self) -> IaKind {
        self.kind
    }

    /// Bits of each part: 128 of an address.
    pub(super) fn part_length(&self) -> u8 {
        (128 - self.shift) as u8
    }

    /// Whether a piece of each part stays with the delegating side: only clients that can leave it out
    /// are given one.
    pub(super) fn has_exclusion(&self) -> bool {
        self.exclusion.is_some()
    }

    /// Whether all of this stays with the delegating side, whatever is given from the pool.
    pub(super) fn leaves_out(&self, span: Prefix) -> bool {
        self.exclusion.is_some_and(|pool| pool.leaves_out(span))
    }

    pub(super) fn resource_at(&self, position: u64) -> Resource {
        let address = self.first + u128::from(position).checked_shl(self.shift).unwrap_or(0);
        let address = Ipv6Addr::from_bits(address);
        match self.kind {
            IaKind::Address => Resource::Address(address),
            IaKind::Prefix => {
                Resource::Prefix(Prefix::new(address, self.part_length()).expect("128 less a shift"))
            }
        }
    }

    fn last_address_at(&self, position: u64) -> u128 {
        let part = 1_u128.checked_shl(self.shift).map_or(u128::MAX, |octets| octets - 1);
        self.first + u128::from(position).checked_shl(self.shift).unwrap_or(0) + part
    }

    /// Where a resource is; `None` if it is no part of the pool.
    pub(super) fn position_of(&self, resource: Resource) -> Option<u64> {
        let address = match resource {
            Resource::Address(address) => address,
            Resource::Prefix(prefix) => prefix.address(),
        };
        let (position, _) = self.positions(address, address)?;
        (self.resource_at(position) == resource).then_some(position)
    }

    /// The positions that a range of addresses touches.
    pub(super) fn positions(&self, first: Ipv6Addr, last: Ipv6Addr) -> Option<(u64, u64)> {
        let (first, last) = (first.to_bits().max(self.first), last.to_bits().min(self.last));
        let position = |address: u128| (address - self.first).checked_shr(self.shift).unwrap_or(0) as u64;
        (first <= last).then(|| (position(first), position(last)))
    }

    /// The positions that cannot be given beside a range of addresses: all that it touches, but for an
    /// address in what its position leaves out.
    fn positions_needed(&self, (first, last): (Ipv6Addr, Ipv6Addr)) -> Option<(u64, u64)> {
        let positions = self.positions(first, last)?;
        let is_left_out = first == last && self.left_out_around(positions.0, first).is_some();
        (!is_left_out).then_some(positions)
    }

    /// What a position leaves out, if that is around an address.
    fn left_out_around(&self, position: u64, address: Ipv6Addr) -> Option<Prefix> {
        let pool = self.exclusion?;
        let delegated = self.resource_at(position).prefix()?;
        pool.excluded_from(delegated).filter(|excluded| excluded.contains(address))
    }

    /// Where to begin looking for somebody with this number, the same place for the same number.
    pub(super) fn start_of(&self, number: u64) -> u64 {
        ((u128::from(number) * (u128::from(self.last_position) + 1)) >> 64) as u64
    }

    /// How far a position is behind another one, going round.
    pub(super) fn distance(&self, from: u64, to: u64) -> u64 {
        if to >= from { to - from } else { self.last_position - from + to + 1 }
    }

    /// Has nobody given the positions that a range of addresses needs.
    pub(super) fn bar(&mut self, range: (Ipv6Addr, Ipv6Addr)) {
        if let Some((first, last)) = self.positions_needed(range) {
            self.barred.insert(first, last);
        }
    }

    /// The free position that `accept` takes, from one on and then round; `accept` says of one that
    /// it does not take up to where it would not.
    pub(super) fn find_free(
        &self,
        start: u64,
        ground: &Ground<'_>,
        accept: impl Fn(Resource) -> Result<(), Ipv6Addr>,
    ) -> Option<u64> {
        let before = start.checked_sub(1).map(|end| (0, end));
        [Some((start, self.last_position)), before].into_iter().flatten().find_map(|(from, to)| {
            let mut from = from;
            loop {
                let position = self.next_free(from, to, ground)?;
                let Err(until) = accept(self.resource_at(position)) else { return Some(position) };
                let (_, refused) = self.positions(until, until).unwrap_or((0, self.last_position));
                from = refused.max(position).checked_add(1).filter(|next| *next <= to)?;
            }
        })
    }

    fn next_free(&self, from: u64, to: u64, ground: &Ground<'_>) -> Option<u64> {
        let mut at = from;
        while at <= to {
            let block = at / POSITIONS;
            let end = match self.full.end_of_run_at(block) {
                Some(end) => end,
                None => {
                    let free = !self.taken_in(block, ground) & (Bits::MAX << (at % POSITIONS));
                    if free != 0 {
                        let position = (block * POSITIONS) + u64::from(free.trailing_zeros());
                        return (position <= to).then_some(position);
                    }
                    block
                }
            };
            at = last_of(end).checked_add(1)?;
        }
        None
    }

    /// What is not free in a block, a bit for each position.
    fn taken_in(&self, block: u64, ground: &Ground<'_>) -> Bits {
        let (first, last) = (block * POSITIONS, last_of(block));
        let taken = self.taken_between(first, last.min(self.last_position), ground);
        let behind = match last.checked_sub(self.last_position) {
            None | Some(0) => 0,
            Some(missing) => Bits::MAX << (POSITIONS - missing),
        };
        taken.fold(behind, |bits, (from, to)| bits | bits_between(from - first, to - first))
    }

    /// Finds out which blocks are full.
    pub(super) fn survey(&mut self, ground: &Ground<'_>) {
        self.full = Runs::default();
        for (from, to) in self.full_between(0, self.last_position / POSITIONS, ground) {
            self.full.insert(from, to);
        }
    }

    /// Finds out anew which of the blocks that a range of addresses touches are full.
    pub(super) fn refresh(&mut self, first: Ipv6Addr, last: Ipv6Addr, ground: &Ground<'_>) {
        let Some((first, last)) = self.positions(first, last) else { return };
        if self.barred.end_of_run_at(first).is_some_and(|end| end >= last) {
            return;
        }
        let (first, last) = (first / POSITIONS, last / POSITIONS);
        let full = self.full_between(first, last, ground);
        self.full.remove(first, last);
        full.into_iter().for_each(|(from, to)| self.full.insert(from, to));
    }

    /// Runs of full blocks, in one pass over what is taken.
    fn full_between(&self, first: u64, last: u64, ground: &Ground<'_>) -> Vec<(u64, u64)> {
        let mut sweep = Sweep::from_block(first);
        let end = last_of(last).min(self.last_position);
        for (from, to) in self.taken_between(first * POSITIONS, end, ground) {
            sweep.take(from, to);
        }
        if end == self.last_position && end != last_of(last) {
            sweep.take(end + 1, last_of(last));
        }
        sweep.finish()
    }

    /// What is taken between two positions, as ranges in the order of where they begin.
    fn taken_between<'a>(
        &'a self,
        first: u64,
        last: u64,
        ground: &'a Ground<'a>,
    ) -> impl Iterator<Item = (u64, u64)> + 'a {
        let from = Ipv6Addr::from_bits(self.first + (u128::from(first) << self.shift.min(127)));
        let to = Ipv6Addr::from_bits(self.last_address_at(last));
        let within = move |(from, to): (u64, u64)| {
            (from <= last && to >= first).then(|| (from.max(first), to.min(last)))
        };
        let touched = move |(from, to)| self.positions(from, to).and_then(within);
        let needed = move |range| self.positions_needed(range).and_then(within);
        let prefixes = ground.prefixes_held(self.kind, from, to).filter_map(touched);
        let offers = ground.offered(self.kind, from, to).filter_map(needed);
        let held = merge(self.addresses_taken(from, to, ground), prefixes);
        merge(merge(held, offers), self.barred.within(first, last))
    }

    /// The positions in which addresses are held, in order; those in what a position leaves out do not
    /// count.
    fn addresses_taken<'a>(
        &'a self,
        first: Ipv6Addr,
        last: Ipv6Addr,
        ground: &'a Ground<'a>,
    ) -> impl Iterator<Item = (u64, u64)> + 'a {
        let mut addresses = Some(ground.addresses_held(first, last));
        let (mut latest, mut entries) = (None, 0);
        let positions = std::iter::from_fn(move || {
            let address = addresses.as_mut()?.next()?;
            let (position, _) = self.positions(address, address)?;
            let left_out = self.left_out_around(position, address);
            let end = left_out.map_or(self.last_address_at(position), |part| part.last_address().to_bits());
            entries = if latest == Some(end) { entries + 1 } else { 0 };
            latest = Some(end);
            if entries == MAX_ENTRIES_READ_TOGETHER {
                let next = end.checked_add(1).map(Ipv6Addr::from_bits);
                addresses = next.map(|next| ground.addresses_held(next, last));
            }
            Some((position, left_out.is_none()))
        });
        positions.filter(|(_, counts)| *counts).map(|(position, _)| (position, position))
    }
}
