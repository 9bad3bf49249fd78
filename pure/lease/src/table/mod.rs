//! The table: every client, and the ordered indexes by which it is found.
//!
//! A client lives in a *slot*, a small number that stays its own for as long as the client is here.
//! Each index is an ordered set of (key, slot). So what shares a key is found in the order of
//! slots, a place in such a search is one number ([`Cursor`]), and neither the change of a client
//! nor the coming and going of others moves anybody from one side of that place to the other: a
//! long answer meets an unchanged client exactly once.
//!
//! Identifiers (DUIDs, Relay-IDs, Remote-IDs) are indexed by their digest, and the record decides
//! whether it is really meant; that keeps an entry at twelve octets, however long the identifier.
//!
//! [`Table::put`] and [`Table::remove`] are the only mutations. They keep all indexes, number the
//! change, and leave its after-image for the store ([`Table::take_batch`]).

mod build;
mod index;
mod records;
mod search;

use std::fmt;
use std::net::Ipv6Addr;

use wire::Prefix;

pub use build::{InTurn, Join, Together};
pub use records::Records;
pub use search::{Cursor, Identifier, Search};

use crate::image;
use crate::{Client, ClientKey, ClientView, Lease, LinkId, Resource};
use index::Indexes;
use records::Slot;

/// The number of a change. Everything that happens to bindings is ordered by it; it begins again
/// with each start of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Seq(pub u64);

/// What the store is to write for one change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AfterImage {
    /// Link and DUID.
    pub key: Vec<u8>,
    /// The client's octets; `None` if it is forgotten.
    pub image: Option<Box<[u8]>>,
}

/// The resource, or a part of it, is held already: as a rule by somebody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// What could not be given.
    pub resource: Resource,
    /// Who holds it.
    pub holder: ClientKey,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { resource, holder } = self;
        write!(f, "{resource} is held by the client {} on link {}", holder.duid, holder.link)
    }
}

impl std::error::Error for Conflict {}

/// Every client, and its indexes.
#[derive(Debug, Default)]
pub struct Table {
    records: Records,
    indexes: Indexes,
    last_seq: Seq,
    pending: Vec<AfterImage>,
}

impl Table {
    /// Takes records as the store gave them back. What can be done side by side is left to `join`.
    pub fn load(records: Records, join: &impl Join) -> Result<Self, Conflict> {
        let indexes = Indexes::build(&records, join);
        let last_seq = records.last_seq();
        let table = Self { records, indexes, last_seq, pending: Vec::new() };
        table.check_exclusive()?;
        Ok(table)
    }

    /// How many clients there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of the latest change.
    pub fn last_seq(&self) -> Seq {
        self.last_seq
    }

    /// Keeps a client, in place of what was known of it. Refused if somebody else holds a part of
    /// what it is to hold, or if one of its prefixes lies in another; then nothing has changed.
    pub fn put(&mut self, client: &Client) -> Result<Seq, Conflict> {
        let old_slot = self.slot_of(&client.key);
        self.check_free(client, old_slot)?;
        let image = image::encode(client);
        self.pending.push(AfterImage { key: image::key(&client.key), image: Some(image.clone()) });
        if let Some(slot) = old_slot {
            self.indexes.remove(slot, &self.records);
        }
        let seq = self.next_seq();
        let slot = self.records.keep(old_slot, image, seq);
        self.indexes.insert(slot, &self.records);
        Ok(seq)
    }

    /// Forgets a client; `None` if it was not known.
    pub fn remove(&mut self, key: &ClientKey) -> Option<Seq> {
        let slot = self.slot_of(key)?;
        self.indexes.remove(slot, &self.records);
        self.records.forget(slot);
        self.pending.push(AfterImage { key: image::key(key), image: None });
        Some(self.next_seq())
    }

    /// The changes since the last call, in order: what one commit is to make durable.
    pub fn take_batch(&mut self) -> Vec<AfterImage> {
        std::mem::take(&mut self.pending)
    }

    /// A client, by DUID and link.
    pub fn client(&self, key: &ClientKey) -> Option<ClientView<'_>> {
        self.slot_of(key).map(|slot| self.records.view(slot))
    }

    /// Who holds exactly this address.
    pub fn holder_of_address(&self, address: Ipv6Addr) -> Option<ClientView<'_>> {
        self.indexes.by_address.get(&address).map(|slot| self.records.view(*slot))
    }

    /// Who was delegated a prefix that `address` lies in, and the prefix.
    pub fn holder_of_prefix_around(&self, address: Ipv6Addr) -> Option<(Prefix, ClientView<'_>)> {
        let (prefix, slot) = self.indexes.prefix_around(address)?;
        Some((prefix, self.records.view(slot)))
    }

    /// Who holds the resource, or a part of it, or a prefix that it is a part of.
    pub fn holders(&self, resource: Resource) -> impl Iterator<Item = ClientView<'_>> {
        self.indexes.holders(resource).map(|slot| self.records.view(slot))
    }

    /// Addresses that nobody else may be given, from one to another, in order.
    pub fn addresses_held(&self, first: Ipv6Addr, last: Ipv6Addr) -> impl Iterator<Item = Ipv6Addr> {
        let range = (first <= last).then(|| self.indexes.by_address.range(first..=last));
        range.into_iter().flatten().map(|(address, _)| *address)
    }

    /// Prefixes that nobody else may be given and that have a part between two addresses, in order.
    pub fn prefixes_held(&self, first: Ipv6Addr, last: Ipv6Addr) -> impl Iterator<Item = Prefix> {
        self.indexes.prefixes_between(first, last).map(|(prefix, _)| prefix)
    }

    /// Like [`Self::addresses_held`], each with its holder.
    pub fn address_holders(
        &self,
        first: Ipv6Addr,
        last: Ipv6Addr,
    ) -> impl Iterator<Item = (Ipv6Addr, ClientView<'_>)> {
        let range = (first <= last).then(|| self.indexes.by_address.range(first..=last));
        range.into_iter().flatten().map(|(address, slot)| (*address, self.records.view(*slot)))
    }

    /// Like [`Self::prefixes_held`], each with its holder.
    pub fn prefix_holders(
        &self,
        first: Ipv6Addr,
        last: Ipv6Addr,
    ) -> impl Iterator<Item = (Prefix, ClientView<'_>)> {
        let between = self.indexes.prefixes_between(first, last);
        between.map(|(prefix, slot)| (prefix, self.records.view(slot)))
    }

    /// All clients, from a place on, each with the place behind it.
    pub fn clients(&self, from: Cursor) -> impl Iterator<Item = (Cursor, ClientView<'_>)> {
        let slots = from.slot().into_iter().flat_map(|first| self.records.used_from(first));
        self.records.fetched_ahead(slots).map(|slot| (Cursor::behind(slot), self.records.view(slot)))
    }

    /// The clients that a search finds, from a place on, each with the place behind it.
    pub fn search<'a>(
        &'a self,
        search: &'a Search,
        from: Cursor,
    ) -> impl Iterator<Item = (Cursor, ClientView<'a>)> {
        self.look(search, from).filter_map(|(behind, client)| Some((behind, client?)))
    }

    /// Like [`Self::search`], one step for each client looked at; `None` is one that is not meant,
    /// such as a relay's client on another link. So whoever searches can stop after so many steps.
    pub fn look<'a>(
        &'a self,
        search: &'a Search,
        from: Cursor,
    ) -> impl Iterator<Item = (Cursor, Option<ClientView<'a>>)> {
        let slots = self.records.fetched_ahead(self.indexes.slots(search, from));
        slots.map(|slot| {
            let client = self.records.view(slot);
            (Cursor::behind(slot), search.means(&client).then_some(client))
        })
    }

    /// Whether any client is kept for this link.
    pub fn has_clients_on(&self, link: LinkId) -> bool {
        self.indexes.slots(&Search::on_link(link), Cursor::START).next().is_some()
    }

    /// The clients whose earliest lease, in whatever state, ends at or before this moment (seconds
    /// since 1970), the earliest first.
    pub fn expiring_until(&self, unix_secs: u64) -> impl Iterator<Item = ClientView<'_>> {
        let until = u32::try_from(unix_secs).unwrap_or(u32::MAX);
        let due = self.indexes.by_expiry.range(..=(until, Slot::MAX));
        due.map(|(_, slot)| self.records.view(*slot))
    }

    /// The clients that have changed after `seq`, in the order of their latest change.
    pub fn changed_since(&self, seq: Seq) -> impl Iterator<Item = (Seq, ClientView<'_>)> {
        let changes = self.indexes.by_change.range(seq.0.saturating_add(1)..);
        changes.map(|(seq, slot)| (Seq(*seq), self.records.view(*slot)))
    }

    fn next_seq(&mut self) -> Seq {
        self.last_seq.0 += 1;
        self.last_seq
    }

    fn slot_of(&self, key: &ClientKey) -> Option<Slot> {
        let search = Search::everywhere(Identifier::Client(key.duid.clone()));
        let mut slots = self.indexes.slots(&search, Cursor::START);
        slots.find(|slot| {
            let view = self.records.view(*slot);
            view.link == key.link && view.duid == key.duid.as_ref()
        })
    }

    fn check_free(&self, client: &Client, own_slot: Option<Slot>) -> Result<(), Conflict> {
        let leases = client.bindings.iter().flat_map(|binding| &binding.leases);
        for lease in leases.filter(|lease| lease.state.occupies()) {
            let mut holders = self.indexes.holders(lease.resource).chain(self.across_kinds(lease));
            if let Some(slot) = holders.find(|slot| Some(*slot) != own_slot) {
                return Err(self.conflict(lease.resource, slot));
            }
        }
        match prefix_in_another(client) {
            Some(prefix) => Err(Conflict { resource: Resource::Prefix(prefix), holder: client.key.clone() }),
            None => Ok(()),
        }
    }

    /// Who holds an address in this prefix, or a prefix around this address. What a delegation
    /// excludes does not belong to it (RFC 6603 §4.2).
    fn across_kinds(&self, lease: &Lease) -> Option<Slot> {
        match lease.resource {
            Resource::Address(address) => {
                let (prefix, slot) = self.indexes.prefix_around(address)?;
                let mut leases = self.records.view(slot).leases().map(|held| held.lease);
                let delegation = leases.find(|held| held.resource == Resource::Prefix(prefix))?;
                let is_excluded = delegation.excluded.is_some_and(|excluded| excluded.contains(address));
                (!is_excluded).then_some(slot)
            }
            Resource::Prefix(prefix) => {
                let mut inside = self.indexes.by_address.range(prefix.address()..=prefix.last_address());
                let is_excluded =
                    |address: &Ipv6Addr| lease.excluded.is_some_and(|part| part.contains(*address));
                inside.find(|(address, _)| !is_excluded(address)).map(|(_, slot)| *slot)
            }
        }
    }

    /// Nothing that was stored may be held twice.
    fn check_exclusive(&self) -> Result<(), Conflict> {
        if let Some((prefix, slot)) = self.indexes.overlapping_prefixes() {
            return Err(self.conflict(Resource::Prefix(prefix), slot));
        }
        match self.indexes.doubly_held(&self.records) {
            Some((resource, slot)) => Err(self.conflict(resource, slot)),
            None => Ok(()),
        }
    }

    fn conflict(&self, resource: Resource, holder: Slot) -> Conflict {
        let holder = self.records.view(holder);
        let holder = ClientKey { link: holder.link, duid: holder.duid.to_duid() };
        Conflict { resource, holder }
    }
}

/// A prefix of the client's own that lies in another of them.
fn prefix_in_another(client: &Client) -> Option<Prefix> {
    let leases = client.bindings.iter().flat_map(|binding| &binding.leases);
    let occupied = leases.filter(|lease| lease.state.occupies());
    let mut prefixes: Vec<Prefix> = occupied.filter_map(|lease| lease.resource.prefix()).collect();
    prefixes.sort_unstable();
    prefixes.dedup();
    let pair = prefixes.windows(2).find(|pair| pair[0].covers(pair[1]))?;
    Some(pair[1])
}
