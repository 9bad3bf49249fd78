//! What is taken at this moment: held according to the table, or offered.

use std::net::Ipv6Addr;

use lease::{ClientKey, IaKind, Resource, Table};
use wire::Prefix;

use super::exclusions::Exclusions;
use super::offers::Offers;
use super::spans::span_of;

/// A range of addresses, both ends included.
type Range = (Ipv6Addr, Ipv6Addr);

#[derive(Debug, Clone, Copy)]
pub(super) struct Ground<'a> {
    pub(super) table: &'a Table,
    pub(super) offers: &'a Offers,
    /// What stays with the delegating side.
    pub(super) exclusions: &'a Exclusions,
}

impl<'a> Ground<'a> {
    pub(super) fn addresses_held(
        &self,
        first: Ipv6Addr,
        last: Ipv6Addr,
    ) -> impl Iterator<Item = Ipv6Addr> + use<'a> {
        self.table.addresses_held(first, last)
    }

    /// What the delegated prefixes between two addresses leave to nobody else. An address may lie in
    /// what a delegation excludes; a prefix may not.
    pub(super) fn prefixes_held(
        &self,
        kind: IaKind,
        first: Ipv6Addr,
        last: Ipv6Addr,
    ) -> impl Iterator<Item = Range> + use<'a> {
        let this = *self;
        self.table.prefixes_held(first, last).flat_map(move |prefix| {
            match kind {
                IaKind::Prefix => [Some(range_of(prefix)), None],
                IaKind::Address => without(prefix, this.excluded_from_held(prefix)),
            }
            .into_iter()
            .flatten()
        })
    }

    /// The same for what is offered.
    pub(super) fn offered(
        &self,
        kind: IaKind,
        first: Ipv6Addr,
        last: Ipv6Addr,
    ) -> impl Iterator<Item = Range> + use<'a> {
        let this = *self;
        self.offers.between(first, last).flat_map(move |span| this.part_gone(kind, span))
    }

    /// What cannot be given any more if a span is somebody's.
    pub(super) fn part_gone(&self, kind: IaKind, span: Prefix) -> impl Iterator<Item = Range> + use<> {
        let ranges = match kind {
            IaKind::Prefix => [Some(range_of(span)), None],
            IaKind::Address => without(span, self.exclusions.excluded_from(span)),
        };
        ranges.into_iter().flatten()
    }

    /// Whether anybody holds the resource, a part of it or something around it.
    pub(super) fn is_held(&self, resource: Resource, excluded: Option<Prefix>) -> bool {
        match resource {
            Resource::Address(address) => {
                let around = self.table.holder_of_prefix_around(address).map(|(prefix, _)| prefix);
                let excluded = around.and_then(|prefix| self.excluded_from_held(prefix));
                let is_excluded = excluded.is_some_and(|part| part.contains(address));
                self.table.holder_of_address(address).is_some() || (around.is_some() && !is_excluded)
            }
            Resource::Prefix(prefix) => {
                let mut ranges = without(prefix, excluded).into_iter().flatten();
                self.table.holders(resource).next().is_some()
                    || ranges.any(|(first, last)| self.addresses_held(first, last).next().is_some())
            }
        }
    }

    /// Whether the resource or a part of it is offered to another client.
    pub(super) fn is_offered_to_another(&self, resource: Resource, client: &ClientKey) -> bool {
        let span = span_of(resource);
        self.offers.to_others(span, client).any(|other| self.exclusions.keep_apart(span, other))
    }

    fn excluded_from_held(&self, prefix: Prefix) -> Option<Prefix> {
        let (_, holder) = self.table.holder_of_prefix_around(prefix.address())?;
        let held = holder.leases().find(|held| held.lease.resource == Resource::Prefix(prefix))?;
        held.lease.excluded
    }
}

/// A prefix without a part of it, as up to two ranges.
fn without(prefix: Prefix, excluded: Option<Prefix>) -> [Option<Range>; 2] {
    let (first, last) = range_of(prefix);
    let Some((from, to)) = excluded.map(range_of) else { return [Some((first, last)), None] };
    let before = from.to_bits().checked_sub(1).map(|end| (first, Ipv6Addr::from_bits(end)));
    let behind = to.to_bits().checked_add(1).map(|begin| (Ipv6Addr::from_bits(begin), last));
    [before.filter(|range| range.0 <= range.1), behind.filter(|range| range.0 <= range.1)]
}

fn range_of(prefix: Prefix) -> Range {
    (prefix.address(), prefix.last_address())
}
