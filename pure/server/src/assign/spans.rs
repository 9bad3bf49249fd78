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

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> Prefix {
        text.parse().unwrap()
    }

    #[test]
    fn those_between_two_addresses_are_found_once_each_wherever_they_begin() {
        let all =
            ["2001:db8::/32", "2001:db8::/48", "2001:db8:1::/48", "2001:db8:1::/64", "2001:db8:2::7/128"];
        let mut spans = Spans::default();
        all.into_iter().for_each(|text| assert_eq!(spans.insert(prefix(text), text), None));
        let between = |first: &str, last: &str| {
            let found = spans.between(first.parse().unwrap(), last.parse().unwrap());
            found.map(|(_, thing)| *thing).collect::<Vec<_>>()
        };
        assert_eq!(between("2001:db8::", "2001:db8:ffff::"), all);
        assert_eq!(between("2001:db8:1::", "2001:db8:1::"), [all[0], all[2], all[3]]);
        assert_eq!(between("2001:db8:1::1", "2001:db8:1:1::"), [all[0], all[2], all[3]]);
        assert_eq!(between("2001:db8:1:1::", "2001:db8:2::7"), [all[0], all[2], all[4]]);
        assert_eq!(between("2001:db8:2::8", "2001:db8:3::"), [all[0]]);
        assert!(between("2001:db9::", "2001:dba::").is_empty());
    }

    #[test]
    fn a_span_that_is_gone_is_not_found_and_others_of_its_length_are() {
        let (first, second) = (prefix("2001:db8::/48"), prefix("2001:db8:1::/48"));
        let mut spans = Spans::default();
        assert_eq!(
            (spans.insert(first, 1), spans.insert(second, 2), spans.insert(first, 3)),
            (None, None, Some(1))
        );
        assert_eq!((spans.remove(first), spans.remove(first), spans.len()), (Some(3), None, 1));
        let inside = prefix("2001:db8:1:5::/64");
        assert_eq!(spans.overlapping(inside).map(|(span, _)| span).collect::<Vec<_>>(), [second]);
        assert_eq!(spans.overlapping(first).count(), 0);
    }
}
