//! Links: from the networks of the configuration, and for subnets that it no longer has.
//!
//! A lease outlives the configuration it was granted under. One whose subnet is gone belongs to a link made
//! for that subnet, which has a number, a name and nothing else: what is held there stays known until it
//! expires, and nothing new is assigned.
//!
//! A link has the number of its subnet; that of a shared network has the number of its first one.

use std::collections::{HashMap, HashSet};
use std::net::Ipv6Addr;

use lease::{AddressPool, DelegationPool, Link, LinkId};
use wire::Prefix;

use super::config::{Network, Subnet};
use super::summary::Summary;

/// The links, and which subnet belongs to which.
#[derive(Debug, Default)]
pub(super) struct Links {
    pub(super) links: Vec<Link>,
    /// The interface of the server that a link is connected to, where one is configured.
    pub(super) interfaces: Vec<(LinkId, String)>,
    /// Where in `links` a subnet's is.
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
    pub(super) fn of_subnet(&mut self, subnet: u32, summary: &mut Summary) -> &Link {
        let index = match self.by_subnet.get(&subnet) {
            Some(index) => *index,
            None => self.add_unconfigured(subnet, summary),
        };
        &self.links[index]
    }

    fn add_unconfigured(&mut self, subnet: u32, summary: &mut Summary) -> usize {
        let name = self.name_for(subnet);
        summary.warn(|| format!("subnet {subnet} is not configured: its leases are kept on a link `{name}`"));
        self.by_subnet.insert(subnet, self.links.len());
        self.links.push(bare_link(subnet, name));
        self.links.len() - 1
    }

    /// Adds a network; one without subnets has nothing to lease, and is no link.
    fn add_network(&mut self, network: &Network) {
        let Some(first) = network.subnets.first() else { return };
        let name = network.name.clone().unwrap_or_else(|| self.name_for(first.id));
        let mut link = bare_link(first.id, name);
        add_relays(&mut link, &network.relays);
        for subnet in &network.subnets {
            self.by_subnet.insert(subnet.id, self.links.len());
            add_subnet(&mut link, subnet);
        }
        let interfaces = network.subnets.iter().map(|subnet| &subnet.interface);
        let interface = [&network.interface].into_iter().chain(interfaces).flatten().next();
        self.interfaces.extend(interface.map(|interface| (link.id, interface.clone())));
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

fn bare_link(subnet: u32, name: String) -> Link {
    Link {
        id: LinkId(subnet),
        name,
        prefixes: Vec::new(),
        relay_addresses: Vec::new(),
        interface_ids: Vec::new(),
        relay_ids: Vec::new(),
        interfaces: Vec::new(),
        address_pools: Vec::new(),
        delegation_pools: Vec::new(),
    }
}

fn add_subnet(link: &mut Link, subnet: &Subnet) {
    let Subnet { id: _, prefix, pools, pd_pools, relays, interface: _, mark: _ } = subnet;
    link.prefixes.push(*prefix);
    link.address_pools.extend(pools.iter().map(|&(first, last)| AddressPool { first, last }));
    link.delegation_pools.extend(pd_pools);
    add_relays(link, relays);
}

fn add_relays(link: &mut Link, relays: &[Ipv6Addr]) {
    for relay in relays {
        if !link.relay_addresses.contains(relay) {
            link.relay_addresses.push(*relay);
        }
    }
}

/// The part of a delegated prefix that is not the client's: Kea configures it for the first prefix of a pool,
/// and what stands behind the delegated length goes for each (RFC 6603 §4.2).
pub(super) fn excluded(link: &Link, delegated: Prefix) -> Option<Prefix> {
    let of_pool = |pool: &DelegationPool| {
        let delegates = pool.delegated_length == delegated.length() && pool.prefix.covers(delegated);
        pool.excluded.filter(|_| delegates)
    };
    let configured = link.delegation_pools.iter().find_map(of_pool)?;
    let first = Prefix::new(configured.address(), delegated.length()).ok()?;
    let behind = configured.address().to_bits() ^ first.address().to_bits();
    Prefix::new(Ipv6Addr::from_bits(delegated.address().to_bits() | behind), configured.length()).ok()
}
