//! Links: those configured, and one for each subnet that the configuration no longer has.
//!
//! A lease outlives the configuration it was granted under. One whose subnet is gone belongs to a link made
//! for that subnet, which has a number, a name and nothing else: what is held there stays known until it
//! expires, and nothing new is assigned. Of the two numbers that no subnet of Kea has, 0 and the highest, the
//! first is no number of a link either: leases of subnet 0, should somebody have written such, get the second.

use std::collections::{HashMap, HashSet};

use lease::{Link, LinkId};

use super::summary::Summary;

/// The links, and which of Kea's subnets is on which.
#[derive(Debug, Default)]
pub struct Links {
    links: Vec<Link>,
    /// Where in `links` a subnet's is.
    by_subnet: HashMap<u32, usize>,
    names: HashSet<String>,
}

impl Links {
    /// Adds a link that is configured, and the numbers of the subnets on it.
    pub fn add(&mut self, link: Link, subnets: impl IntoIterator<Item = u32>) {
        let index = self.links.len();
        self.by_subnet.extend(subnets.into_iter().map(|subnet| (subnet, index)));
        self.names.insert(link.name.clone());
        self.links.push(link);
    }

    pub(super) fn into_links(self) -> Vec<Link> {
        self.links
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
        let id = LinkId(if subnet == 0 { u32::MAX } else { subnet });
        self.links.push(Link { id, name, ..Link::default() });
        self.links.len() - 1
    }

    /// `subnet-7`, or, should another link be called that, `subnet-7-`, and so on.
    fn name_for(&mut self, subnet: u32) -> String {
        let mut name = format!("subnet-{subnet}");
        while !self.names.insert(name.clone()) {
            name.push('-');
        }
        name
    }
}
