//! Links as configured, and which of them an address means.
//!
//! A link is a broadcast domain. It has prefixes that are on it, pools to assign and delegate from,
//! and perhaps relay addresses that name it without lying in a prefix. An address is compared with
//! links, never with stored text: whatever a relay could put into its link-address finds the link
//! (RFC 5460 §5.3.2).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::Ipv6Addr;

use wire::Prefix;

/// The operator's number for a link. It outlives the link's configuration: bindings are kept by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u32);

impl fmt::Display for LinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A broadcast domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its number in the store.
    pub id: LinkId,
    /// What the operator calls it.
    pub name: String,
    /// Prefixes that are on it.
    pub prefixes: Vec<Prefix>,
    /// Relay addresses that name it, besides all that lie in its prefixes.
    pub relay_addresses: Vec<Ipv6Addr>,
    /// Addresses to assign.
    pub address_pools: Vec<AddressPool>,
    /// Prefixes to delegate from.
    pub delegation_pools: Vec<DelegationPool>,
}

/// Addresses from the first to the last, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressPool {
    /// The lowest.
    pub first: Ipv6Addr,
    /// The highest.
    pub last: Ipv6Addr,
}

/// A prefix that is delegated in equal parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DelegationPool {
    /// What is delegated from.
    pub prefix: Prefix,
    /// Bits of each part.
    pub delegated_length: u8,
    /// A part of what is delegated that stays with the delegating side (RFC 6603).
    pub excluded: Option<Prefix>,
}

impl Link {
    /// An address by which a leasequery can name this link; `None` if the configuration gives none.
    pub fn address(&self) -> Option<Ipv6Addr> {
        let in_prefix = self.prefixes.first().map(|prefix| prefix.address());
        self.relay_addresses.first().copied().or(in_prefix)
    }
}

/// All links, found by number and by address.
#[derive(Debug, Clone, Default)]
pub struct Links {
    by_id: BTreeMap<LinkId, Link>,
    by_prefix: ByPrefix,
    by_relay_address: BTreeMap<Ipv6Addr, BTreeSet<LinkId>>,
    by_delegation_pool: ByPrefix,
}

impl Links {
    /// Takes the links of a configuration; of two with one number the later counts.
    pub fn new(links: impl IntoIterator<Item = Link>) -> Self {
        let mut all = Self::default();
        for link in links {
            all.by_id.insert(link.id, link);
        }
        for link in all.by_id.values() {
            for prefix in &link.prefixes {
                all.by_prefix.insert(*prefix, link.id);
            }
            for address in &link.relay_addresses {
                all.by_relay_address.entry(*address).or_default().insert(link.id);
            }
            for pool in &link.delegation_pools {
                all.by_delegation_pool.insert(pool.prefix, link.id);
            }
        }
        all
    }

    /// The link with this number.
    pub fn by_id(&self, id: LinkId) -> Option<&Link> {
        self.by_id.get(&id)
    }

    /// All of them, by number.
    pub fn iter(&self) -> impl Iterator<Item = &Link> {
        self.by_id.values()
    }

    /// The links that a link-address names: those that could contain it, and those it is configured
    /// for. There may be several, because prefixes may overlap (RFC 5460 §7.2).
    pub fn named_by(&self, link_address: Ipv6Addr) -> BTreeSet<LinkId> {
        let mut found: BTreeSet<LinkId> = self.by_prefix.containing(link_address).collect();
        found.extend(self.by_relay_address.get(&link_address).into_iter().flatten());
        found
    }

    /// Whether an address lies on a link, or in a pool that is delegated from.
    pub fn configures(&self, address: Ipv6Addr) -> bool {
        let mut found = self.by_prefix.containing(address).chain(self.by_delegation_pool.containing(address));
        found.next().is_some()
    }
}

/// Links by prefix: one exact look-up for each length that occurs.
#[derive(Debug, Clone, Default)]
struct ByPrefix {
    links: BTreeMap<Prefix, BTreeSet<LinkId>>,
    lengths: BTreeSet<u8>,
}

impl ByPrefix {
    fn insert(&mut self, prefix: Prefix, link: LinkId) {
        self.links.entry(prefix).or_default().insert(link);
        self.lengths.insert(prefix.length());
    }

    fn containing(&self, address: Ipv6Addr) -> impl Iterator<Item = LinkId> {
        let prefixes = self.lengths.iter().filter_map(move |length| Prefix::new(address, *length).ok());
        prefixes.filter_map(|prefix| self.links.get(&prefix)).flatten().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(id: u32, prefixes: &[&str], relay_addresses: &[&str]) -> Link {
        Link {
            id: LinkId(id),
            name: format!("link {id}"),
            prefixes: prefixes.iter().map(|text| text.parse().unwrap()).collect(),
            relay_addresses: relay_addresses.iter().map(|text| text.parse().unwrap()).collect(),
            address_pools: Vec::new(),
            delegation_pools: vec![DelegationPool {
                prefix: "2001:db8:f000::/40".parse().unwrap(),
                delegated_length: 56,
                excluded: None,
            }],
        }
    }

    // BLQ-S-19
    #[test]
    fn any_address_that_a_relay_could_use_names_the_link() {
        let links = Links::new([
            link(1, &["2001:db8:1::/64", "2001:db8:11::/64"], &["fe80::1"]),
            link(2, &["2001:db8::/32"], &[]),
        ]);
        let named =
            |text: &str| links.named_by(text.parse().unwrap()).into_iter().map(|id| id.0).collect::<Vec<_>>();
        assert_eq!(named("2001:db8:1::1"), [1, 2]);
        assert_eq!(named("2001:db8:11::ffff"), [1, 2]);
        assert_eq!(named("2001:db8:2::1"), [2]);
        assert_eq!(named("fe80::1"), [1]);
        assert!(named("fe80::2").is_empty());
        assert!(links.configures("2001:db8:f012::1".parse().unwrap()));
        assert!(!links.configures("2001:db9::1".parse().unwrap()));
    }
}
