//! Links as configured, and which of them an address means.
//!
//! A link is a broadcast domain. It has prefixes that are on it, pools to assign and delegate from,
//! and perhaps relay addresses that name it without lying in a prefix. An address is compared with
//! links, never with stored text: whatever a relay could put into its link-address finds the link
//! (RFC 5460 §5.3.2).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::Ipv6Addr;

use wire::{Duid, DuidRef, Prefix};

use crate::pool::{AddressPool, DelegationPool};

/// The operator's number for a link. It outlives the link's configuration: bindings are kept by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct LinkId(pub u32);

impl fmt::Display for LinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A broadcast domain.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Link {
    /// Its number in the store.
    pub id: LinkId,
    /// What the operator calls it.
    pub name: String,
    /// Prefixes that are on it.
    pub prefixes: Vec<Prefix>,
    /// Relay addresses that name it, besides all that lie in its prefixes. One that is link-local
    /// names it only together with one of `interface_ids`, because other relays may have the same.
    pub relay_addresses: Vec<Ipv6Addr>,
    /// Interface-IDs of relays whose link-address is link-local, as far as they are on this link.
    pub interface_ids: Vec<Box<[u8]>>,
    /// Relays whose clients are on this link whenever no link-address says which link they are on.
    pub relay_ids: Vec<Duid>,
    /// Interfaces of this machine that are on the link: their clients come without a relay.
    pub interfaces: Vec<InterfacePattern>,
    /// Addresses to assign.
    pub address_pools: Vec<AddressPool>,
    /// Prefixes to delegate from.
    pub delegation_pools: Vec<DelegationPool>,
}

/// Names of interfaces: `*` stands for any characters, `?` for one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct InterfacePattern(pub String);

impl InterfacePattern {
    /// Whether an interface of this name is meant.
    pub fn matches(&self, name: &str) -> bool {
        matches(self.0.as_bytes(), name.as_bytes())
    }
}

impl fmt::Display for InterfacePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Goes on behind the latest `*` when a character does not fit: no earlier one can do better.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut seen) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while seen < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, seen));
                at += 1;
            }
            Some(expected) if *expected == b'?' || *expected == name[seen] => {
                at += 1;
                seen += 1;
            }
            _ => {
                let Some((behind, taken)) = star else { return false };
                star = Some((behind, taken + 1));
                (at, seen) = (behind + 1, taken + 1);
            }
        }
    }
    pattern[at..].iter().all(|rest| *rest == b'*')
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

    /// The link that a relay means by its link-address: the one configured for just this address,
    /// else the one with the longest prefix around it. A link-local address counts only together
    /// with the Interface-ID; the unspecified one means nothing (RFC 9915 §13.1, RFC 6221 §4).
    pub fn meant_by(&self, link_address: Ipv6Addr, interface_id: Option<&[u8]>) -> Option<&Link> {
        if link_address.is_unspecified() {
            return None;
        }
        let of_interface = |link: &Link| {
            interface_id.is_some_and(|id| link.interface_ids.iter().any(|known| **known == *id))
        };
        let mut named = self.by_relay_address.get(&link_address).into_iter().flatten();
        let named = named.find_map(|id| {
            self.by_id.get(id).filter(|link| !link_address.is_unicast_link_local() || of_interface(link))
        });
        named.or_else(|| self.by_id.get(&self.by_prefix.containing(link_address).last()?))
    }

    /// The link whose clients come through the relay with this identifier.
    pub fn behind_relay(&self, relay_id: DuidRef<'_>) -> Option<&Link> {
        self.iter().find(|link| link.relay_ids.iter().any(|known| known.as_ref() == relay_id))
    }

    /// The link that an interface of this machine is on.
    pub fn on_interface(&self, name: &str) -> Option<&Link> {
        self.iter().find(|link| link.interfaces.iter().any(|pattern| pattern.matches(name)))
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
            interface_ids: vec![b"ge-0/0/7".as_slice().into()],
            relay_ids: vec![Duid::new(&[0, 3, 0, 1, 2, 0, 0, 0, 0, id as u8]).unwrap()],
            interfaces: vec![InterfacePattern(format!("vlan{id}*"))],
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

    // DH-L-02, DH-L-05
    #[test]
    fn a_link_address_means_the_link_with_the_longest_prefix_around_it() {
        let links = Links::new([
            link(1, &["2001:db8:1::/64"], &["fe80::1", "2001:db8:9::9"]),
            link(2, &["2001:db8::/32"], &[]),
        ]);
        let meant = |text: &str, interface_id: Option<&[u8]>| {
            links.meant_by(text.parse().unwrap(), interface_id).map(|link| link.id.0)
        };
        assert_eq!(meant("2001:db8:1::1", None), Some(1));
        assert_eq!(meant("2001:db8:2::1", None), Some(2));
        assert_eq!(meant("2001:db8:9::9", None), Some(1));
        assert_eq!(meant("2001:db9::1", None), None);
        assert_eq!(meant("::", None), None);
        assert_eq!(meant("fe80::1", None), None);
        assert_eq!(meant("fe80::1", Some(b"ge-0/0/8")), None);
        assert_eq!(meant("fe80::1", Some(b"ge-0/0/7")), Some(1));
    }

    #[test]
    fn a_link_is_found_by_relay_and_by_interface() {
        let links = Links::new([link(1, &[], &[]), link(2, &[], &[])]);
        let relay = Duid::new(&[0, 3, 0, 1, 2, 0, 0, 0, 0, 2]).unwrap();
        assert_eq!(links.behind_relay(relay.as_ref()).map(|link| link.id.0), Some(2));
        assert_eq!(links.on_interface("vlan2.100").map(|link| link.id.0), Some(2));
        assert_eq!(links.on_interface("eth0"), None);
    }

    fn picked(pattern: &str, name: &str) -> bool {
        InterfacePattern(pattern.to_owned()).matches(name)
    }

    #[test]
    fn a_plain_name_matches_itself_alone() {
        assert!(picked("eth0", "eth0"));
        assert!(!picked("eth0", "eth00"));
        assert!(!picked("eth0", "eth"));
        assert!(!picked("", "eth0"));
    }

    #[test]
    fn a_star_takes_any_characters_or_none_and_a_question_mark_takes_one() {
        assert!(picked("eth*", "eth"));
        assert!(picked("eth*", "eth0.100"));
        assert!(picked("*", "lo"));
        assert!(picked("eth?", "eth1"));
        assert!(!picked("eth?", "eth"));
        assert!(!picked("eth?", "eth10"));
        assert!(picked("e*h?.*", "eth0.7"));
    }

    #[test]
    fn a_star_takes_more_when_what_follows_does_not_fit() {
        assert!(picked("*a*b", "aabab"));
        assert!(picked("*.100", "eth0.10.100"));
        assert!(!picked("*a*b", "ba"));
        assert!(!picked("*aaa*aaa*b", &"a".repeat(64)));
    }
}
