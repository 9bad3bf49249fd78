//! The ordered indexes: what a record is found by, all of it in one place.
//!
//! What entries a client has is said once, by the functions at the end: [`identifier_keys`],
//! [`addresses`], [`prefixes`], [`expiry`]. Inserting, removing and building from scratch all follow
//! them, and all take [`Indexes`] apart field by field, so that none of them can forget an index.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv6Addr;
use std::ops::Bound;

use wire::Prefix;

use super::records::{Records, Slot};
use super::search::{Cursor, Search, digest_of_client, digest_of_relay, digest_of_remote};
use crate::{ClientView, Resource};

/// An identifier's digest in two halves, then the slot: twelve octets without padding.
type IdentifierKey = [u32; 3];

/// All indexes of the table.
#[derive(Debug, Default)]
pub(super) struct Indexes {
    /// DUIDs, Relay-IDs and Remote-IDs, by digest.
    pub(super) by_identifier: BTreeSet<IdentifierKey>,
    /// Links.
    pub(super) by_link: BTreeSet<(u32, Slot)>,
    /// Addresses that nobody else may be given.
    pub(super) by_address: BTreeMap<Ipv6Addr, Slot>,
    /// Prefixes that nobody else may be given; no two overlap.
    pub(super) by_prefix: BTreeMap<Prefix, Slot>,
    /// When the first lease of a client ends, in whatever state, in seconds since 1970.
    pub(super) by_expiry: BTreeSet<(u32, Slot)>,
    /// The latest change of each client.
    pub(super) by_change: BTreeMap<u64, Slot>,
}

impl Indexes {
    pub(super) fn insert(&mut self, slot: Slot, records: &Records) {
        let Self { by_identifier, by_link, by_address, by_prefix, by_expiry, by_change } = self;
        let client = records.view(slot);
        by_identifier.extend(identifier_keys(&client, slot));
        by_link.insert((client.link.0, slot));
        by_address.extend(addresses(&client).map(|address| (address, slot)));
        by_prefix.extend(prefixes(&client).map(|prefix| (prefix, slot)));
        by_expiry.extend(expiry(&client).map(|secs| (secs, slot)));
        by_change.insert(records.changed(slot).0, slot);
    }

    pub(super) fn remove(&mut self, slot: Slot, records: &Records) {
        let Self { by_identifier, by_link, by_address, by_prefix, by_expiry, by_change } = self;
        let client = records.view(slot);
        identifier_keys(&client, slot).for_each(|key| _ = by_identifier.remove(&key));
        by_link.remove(&(client.link.0, slot));
        addresses(&client).for_each(|address| _ = by_address.remove(&address));
        prefixes(&client).for_each(|prefix| _ = by_prefix.remove(&prefix));
        expiry(&client).into_iter().for_each(|secs| _ = by_expiry.remove(&(secs, slot)));
        by_change.remove(&records.changed(slot).0);
    }

    /// The slots that a search leads to, from a place on, in order.
    #[inline]
    pub(super) fn slots<'a>(
        &'a self,
        search: &'a Search,
        from: Cursor,
    ) -> Box<dyn Iterator<Item = Slot> + 'a> {
        let Some(first) = from.slot() else { return Box::new(std::iter::empty()) };
        match search {
            Search::Identifier { digest, .. } => {
                let range = identifier_key(*digest, first)..=identifier_key(*digest, Slot::MAX);
                Box::new(self.by_identifier.range(range).map(|key| key[2]))
            }
            Search::Link(link) => {
                let range = (link.0, first)..=(link.0, Slot::MAX);
                Box::new(self.by_link.range(range).map(|key| key.1))
            }
        }
    }

    /// Who holds the resource or a part of it.
    pub(super) fn holders(&self, resource: Resource) -> Box<dyn Iterator<Item = Slot> + '_> {
        match resource {
            Resource::Address(address) => Box::new(self.by_address.get(&address).copied().into_iter()),
            Resource::Prefix(prefix) => {
                let before = self.by_prefix.range(..prefix).next_back();
                let around = before.filter(|(other, _)| other.covers(prefix));
                let from = self.by_prefix.range(prefix..);
                let inside = from.take_while(move |(other, _)| prefix.covers(**other));
                Box::new(around.into_iter().chain(inside).map(|(_, slot)| *slot))
            }
        }
    }

    /// The delegated prefix that an address lies in. Delegated prefixes never overlap, so it is the
    /// nearest one that begins at or before the address.
    pub(super) fn prefix_around(&self, address: Ipv6Addr) -> Option<(Prefix, Slot)> {
        let whole = Prefix::new(address, 128).expect("128 bits are not too many");
        let (nearest, slot) = self.by_prefix.range(..=whole).next_back()?;
        nearest.contains(address).then_some((*nearest, *slot))
    }

    /// The prefixes that have a part between two addresses: the one around the first, and those that
    /// begin behind it.
    pub(super) fn prefixes_between(
        &self,
        first: Ipv6Addr,
        last: Ipv6Addr,
    ) -> impl Iterator<Item = (Prefix, Slot)> {
        let whole = |address| Prefix::new(address, 128).expect("128 bits are not too many");
        let behind = (Bound::Excluded(whole(first)), Bound::Included(whole(last)));
        let behind = (first < last).then(|| self.by_prefix.range(behind));
        let around = self.prefix_around(first);
        around.into_iter().chain(behind.into_iter().flatten().map(|(prefix, slot)| (*prefix, *slot)))
    }

    /// A prefix that lies in the one before it.
    pub(super) fn overlapping_prefixes(&self) -> Option<(Prefix, Slot)> {
        let pairs = self.by_prefix.iter().zip(self.by_prefix.iter().skip(1));
        let mut overlapping = pairs.filter(|((before, _), (prefix, _))| before.covers(**prefix));
        overlapping.next().map(|((_, slot), (prefix, _))| (*prefix, *slot))
    }

    /// A resource that stands in two records: the index has room for one of them only.
    pub(super) fn doubly_held(&self, records: &Records) -> Option<(Resource, Slot)> {
        let held: usize = records.iter().map(|(_, client)| occupied(&client).count()).sum();
        if held == self.by_address.len() + self.by_prefix.len() {
            return None;
        }
        records.iter().find_map(|(slot, client)| self.held_by_another(slot, &client))
    }

    fn held_by_another(&self, slot: Slot, client: &ClientView<'_>) -> Option<(Resource, Slot)> {
        let address =
            addresses(client).map(|address| (Resource::Address(address), self.by_address[&address]));
        let prefix = prefixes(client).map(|prefix| (Resource::Prefix(prefix), self.by_prefix[&prefix]));
        address.chain(prefix).find(|(_, holder)| *holder != slot)
    }
}

#[inline]
fn identifier_key(digest: u64, slot: Slot) -> IdentifierKey {
    [(digest >> 32) as u32, digest as u32, slot]
}

pub(super) fn identifier_keys<'a>(
    client: &ClientView<'a>,
    slot: Slot,
) -> impl Iterator<Item = IdentifierKey> + use<'a> {
    let own = std::iter::once(digest_of_client(client.duid.octets()));
    let relays = client.relay_ids().map(|duid| digest_of_relay(duid.octets()));
    let remotes = client.remote_ids().map(digest_of_remote);
    own.chain(relays).chain(remotes).map(move |digest| identifier_key(digest, slot))
}

pub(super) fn addresses<'a>(client: &ClientView<'a>) -> impl Iterator<Item = Ipv6Addr> + use<'a> {
    occupied(client).filter_map(Resource::address)
}

pub(super) fn prefixes<'a>(client: &ClientView<'a>) -> impl Iterator<Item = Prefix> + use<'a> {
    occupied(client).filter_map(Resource::prefix)
}

fn occupied<'a>(client: &ClientView<'a>) -> impl Iterator<Item = Resource> + use<'a> {
    client.leases().filter(|held| held.lease.state.occupies()).map(|held| held.lease.resource)
}

/// When the first lease ends, or its rest, or the memory of it; what never ends has no entry.
pub(super) fn expiry(client: &ClientView<'_>) -> Option<u32> {
    let ends = client.leases().filter_map(|held| held.lease.until_unix_secs()).min()?;
    Some(u32::try_from(ends).unwrap_or(u32::MAX))
}
