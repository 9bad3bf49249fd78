//! Things by the addresses that they span, whatever their sizes.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;

use lease::Resource;
use wire::Prefix;

/// One thing for each span; spans may lie in one another.
#[derive(Debug)]
pub(super) struct Spans<T> {
    by_prefix: BTreeMap<Prefix, T>,
    /// How many spans there are of each length that occurs: so many look-ups find all around an address.
    lengths: BTreeMap<u8, usize>,
}

/// What a resource spans.
pub(super) fn span_of(resource: Resource) -> Prefix {
    match resource {
        Resource::Address(address) => Prefix::new(address, 128).expect("128 bits are not too many"),
        Resource::Prefix(prefix) => prefix,
    }
}

impl<T> Default for Spans<T> {
    fn default() -> Self {
        Self { by_prefix: BTreeMap::new(), lengths: BTreeMap::new() }
    }
}

impl<T> Spans<T> {
    pub(super) fn insert(&mut self, span: Prefix, thing: T) -> Option<T> {
        let old = self.by_prefix.insert(span, thing);
        if old.is_none() {
            *self.lengths.entry(span.length()).or_default() += 1;
        }
        old
    }

    pub(super) fn remove(&mut self, span: Prefix) -> Option<T> {
        let old = self.by_prefix.remove(&span)?;
        let count = self.lengths.get_mut(&span.length()).expect("lengths are counted");
        *count -= 1;
        if *count == 0 {
            self.lengths.remove(&span.length());
        }
        Some(old)
    }

    pub(super) fn get(&self, span: Prefix) -> Option<&T> {
        self.by_prefix.get(&span)
    }

    pub(super) fn get_mut(&mut self, span: Prefix) -> Option<&mut T> {
        self.by_prefix.get_mut(&span)
    }

    pub(super) fn len(&self) -> usize {
        self.by_prefix.len()
    }

    /// Those that have an address in common with a span.
    pub(super) fn overlapping(&self, span: Prefix) -> impl Iterator<Item = (Prefix, &T)> {
        self.between(span.address(), span.last_address())
    }

    /// Those that have an address between two, in the order of where they begin.
    pub(super) fn between(&self, first: Ipv6Addr, last: Ipv6Addr) -> impl Iterator<Item = (Prefix, &T)> {
        let around = self.lengths.keys().filter_map(move |length| {
            let prefix = Prefix::new(first, *length).ok().filter(|prefix| prefix.address() < first)?;
            self.by_prefix.get(&prefix).map(|thing| (prefix, thing))
        });
        let from = Prefix::new(first, shortest_length(first)).expect("a length of up to 128");
        let to = Prefix::new(last, 128).expect("128 bits are not too many");
        around.chain(self.by_prefix.range(from..=to).map(|(prefix, thing)| (*prefix, thing)))
    }
}

/// Of the prefixes that begin with this address, the shortest.
fn shortest_length(address: Ipv6Addr) -> u8 {
    128 - address.to_bits().trailing_zeros() as u8
}
