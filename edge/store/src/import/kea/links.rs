//! Links: from the networks of the configuration, and for subnets that it no longer has.
//!
//! A lease outlives the configuration it was granted under. One whose subnet is gone belongs to a link made
//! for that subnet, which has a name and nothing else: what is held there stays known until it expires, and
//! nothing new is assigned.

use std::collections::{HashMap, HashSet};
use std::net::Ipv6Addr;

use wire::Prefix;

use super::config::{Network, PdPool, Subnet};
use super::summary::Summary;

/// A link, as Kea's configuration describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportedLink {
    /// The name of the shared network, or `subnet-` and Kea's number.
    pub name: String,
    /// Prefixes that are on the link. None if the configuration does not have it any more.
    pub on_link: Vec<Prefix>,
    /// Addresses to assign: first and last of each pool.
    pub pools: Vec<(Ipv6Addr, Ipv6Addr)>,
    /// Prefixes to delegate from.
    pub pd_pools: Vec<PdPool>,
    /// Addresses of the relays in front of it.
    pub relays: Vec<Ipv6Addr>,
    /// The interface of the server that it is connected to.
    pub interface: Option<String>,
}

/// The links, and which subnet belongs to which.
#[derive(Debug, Default)]
pub(super) struct Links {
    pub(super) links: Vec<ImportedLink>,
    by_subnet: HashMap<u32, usize>,
    names: HashSet<String>,
}

impl Links {
    pub(super) fn new(networks: &[Network]) -> Self {
        let mut links = Self::default();
        // Names that were given come first: a made one must not take them.
        links.names.extend(networks.iter().filter_map(|network| network.name.clone()));
        for network in networks {
            links.add_network(network);
        }
        links
    }

    /// The link that a lease of this subnet belongs to.
    pub(super) fn of_subnet(&mut self, subnet: u32, summary: &mut Summary) -> usize {
        if let Some(&link) = self.by_subnet.get(&subnet) {
            return link;
        }
        let name = self.name_for(subnet);
        summary.warn(|| format!("subnet {subnet} is not configured: its leases are kept on a link `{name}`"));
        self.by_subnet.insert(subnet, self.links.len());
        self.links.push(ImportedLink { name, ..ImportedLink::default() });
        self.links.len() - 1
    }

    fn add_network(&mut self, network: &Network) {
        let name = match (&network.name, &network.subnets[..]) {
            (Some(name), _) => name.clone(),
            (None, [subnet, ..]) => self.name_for(subnet.id),
            (None, []) => return,
        };
        let mut link = ImportedLink {
            name,
            relays: network.relays.clone(),
            interface: network.interface.clone(),
            ..ImportedLink::default()
        };
        for subnet in &network.subnets {
            self.by_subnet.insert(subnet.id, self.links.len());
            add_subnet(&mut link, subnet);
        }
        self.links.push(link);
    }

    /// `subnet-7`, or, should a shared network be called that, `subnet-7-`, and so on.
    fn name_for(&mut self, subnet: u32) -> String {
        let mut name = format!("subnet-{subnet}");
        while !self.names.insert(name.clone()) {
            name.push('-');
        }
        name
    }
}

fn add_subnet(link: &mut ImportedLink, subnet: &Subnet) {
    let Subnet { id: _, prefix, pools, pd_pools, relays, interface, mark: _ } = subnet;
    link.on_link.push(*prefix);
    link.pools.extend(pools);
    link.pd_pools.extend(pd_pools);
    for relay in relays {
        if !link.relays.contains(relay) {
            link.relays.push(*relay);
        }
    }
    if link.interface.is_none() {
        link.interface.clone_from(interface);
    }
}
