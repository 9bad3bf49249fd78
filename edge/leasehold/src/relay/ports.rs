//! Which interfaces are ports, and how they are named: out of the configuration and of what is there.
//!
//! An interface is a port if a section of the configuration matches its name; the first one that does
//! counts. Its Interface-ID has to be its own and the same after a restart: of two interfaces that would
//! have the same one, only the first by name is a port, and one for which none can be made is none. What
//! goes wrong is told once, until it is mended.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::net::Ipv6Addr;

use lease::InterfacePattern;
use nix::unistd::gethostname;
use relay::{ExpandError, Facts, Port, RemoteId, Template};
use tracing::warn;
use wire::Duid;

use crate::config::relay::{ClientInterfaces, LinkAddress, Mode, Relay};
use crate::kernel::{InterfaceAddress, InterfaceFacts};

/// What the configuration says of interfaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    mode: Mode,
    upstream: Vec<InterfacePattern>,
    sections: Vec<ClientInterfaces>,
    relay_id: Duid,
    hostname: String,
}

/// The interfaces that matter, as they are now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Those that clients are on, by name.
    pub ports: Vec<Port>,
    /// For each of them in turn, the messages a second that are taken from it; any number, if `None`.
    pub rates: Vec<Option<u32>>,
    /// Those that servers are on and that are up, by their numbers in the kernel.
    pub upstream: Vec<u32>,
    /// Those by which servers may be heard, by their numbers: the upstream ones, or, if none are configured,
    /// all that no section means; and this host itself.
    pub heard: BTreeSet<u32>,
    /// What is not as it was meant.
    pub complaints: Vec<Complaint>,
}

/// What kind of link loopback is on, by the number that ARP gives it.
const LOOPBACK: u16 = 772;

/// Why an interface is no port, or is without an option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Complaint {
    /// It has no Interface-ID, so it is no port.
    NoInterfaceId {
        /// The interface.
        interface: String,
        /// Why it has none.
        error: ExpandError,
    },
    /// Its Interface-ID is another's, so it is no port.
    SameInterfaceId {
        /// The interface.
        interface: String,
        /// The port that has it.
        other: String,
    },
    /// It goes without a Remote-ID or a Subscriber-ID.
    WithoutOption {
        /// The interface.
        interface: String,
        /// The key of the option.
        key: &'static str,
        /// Why it has none.
        error: ExpandError,
    },
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoInterfaceId { interface, error } => {
                write!(f, "{interface} is not served, because interface-id does not name it: {error}")
            }
            Self::SameInterfaceId { interface, other } => write!(
                f,
                "{interface} is not served, because {other} has the same interface-id: make it of {{interface}}, \
                 {{vlan}} or {{mac}}"
            ),
            Self::WithoutOption { interface, key, error } => {
                write!(f, "{interface} is served without {key}: {error}")
            }
        }
    }
}

impl Layout {
    /// On this host. Fails if the host has no name that is text.
    pub fn new(relay: &Relay, relay_id: &Duid) -> io::Result<Self> {
        let hostname = gethostname()?;
        let hostname = hostname.to_str().ok_or_else(|| io::Error::other("the host's name is not UTF-8"))?;
        Ok(Self::on_host(relay, relay_id, hostname))
    }

    fn on_host(relay: &Relay, relay_id: &Duid, hostname: &str) -> Self {
        Self {
            mode: relay.mode,
            upstream: relay.upstream.clone(),
            sections: relay.interfaces.clone(),
            relay_id: relay_id.clone(),
            hostname: hostname.to_owned(),
        }
    }

    /// What these interfaces are.
    pub fn ports(&self, interfaces: &[InterfaceFacts]) -> Seen {
        let mut seen = Seen {
            ports: Vec::new(),
            rates: Vec::new(),
            upstream: Vec::new(),
            heard: BTreeSet::new(),
            complaints: Vec::new(),
        };
        let mut by_name: Vec<&InterfaceFacts> = interfaces.iter().collect();
        by_name.sort_by(|a, b| a.name.cmp(&b.name));
        let mut taken: BTreeMap<Box<[u8]>, &str> = BTreeMap::new();
        for interface in by_name {
            if matches(&self.upstream, interface) {
                seen.upstream.extend(interface.is_up.then_some(interface.index));
                seen.heard.insert(interface.index);
                continue;
            }
            let Some(section) = self.sections.iter().find(|section| matches(&section.names, interface))
            else {
                let is_heard = self.upstream.is_empty() || interface.hardware_type == LOOPBACK;
                seen.heard.extend(is_heard.then_some(interface.index));
                continue;
            };
            let Some(port) = self.port(section, interface, &mut seen.complaints) else { continue };
            if let Some(other) = taken.get(&port.interface_id) {
                let (interface, other) = (interface.name.clone(), (*other).to_owned());
                seen.complaints.push(Complaint::SameInterfaceId { interface, other });
                continue;
            }
            taken.insert(port.interface_id.clone(), &interface.name);
            seen.ports.push(port);
            seen.rates.push(section.messages_per_second);
        }
        seen
    }

    fn port(
        &self,
        section: &ClientInterfaces,
        interface: &InterfaceFacts,
        complaints: &mut Vec<Complaint>,
    ) -> Option<Port> {
        let interface_id = match section.interface_id.expand(&self.facts(interface)) {
            Ok(interface_id) => interface_id,
            Err(error) => {
                complaints.push(Complaint::NoInterfaceId { interface: interface.name.clone(), error });
                return None;
            }
        };
        let mut option = |key, template: &Template| match template.expand(&self.facts(interface)) {
            Ok(octets) => Some(octets),
            Err(error) => {
                let interface = interface.name.clone();
                complaints.push(Complaint::WithoutOption { interface, key, error });
                None
            }
        };
        let remote_id = section.remote_id.as_ref().and_then(|remote_id| {
            let value = option("remote-id", &remote_id.value)?;
            Some(RemoteId { enterprise: remote_id.enterprise, value })
        });
        let subscriber_id =
            section.subscriber_id.as_ref().and_then(|template| option("subscriber-id", template));
        let (link_address, addresses) = match self.mode {
            Mode::Routed => names_of_link(section.link_address, &interface.addresses),
            Mode::Lightweight => (Ipv6Addr::UNSPECIFIED, Vec::new()),
        };
        Some(Port {
            index: interface.index,
            name: interface.name.clone(),
            interface_id,
            link_address,
            addresses,
            remote_id,
            subscriber_id,
            rules: section.rules,
        })
    }

    fn facts<'a>(&'a self, interface: &'a InterfaceFacts) -> Facts<'a> {
        let has_address = interface.hardware_address.iter().any(|octet| *octet != 0);
        Facts {
            interface: &interface.name,
            vlan: interface.vlan_id,
            link_layer: has_address.then_some(interface.hardware_address.as_slice()),
            hostname: &self.hostname,
            relay_id: Some(self.relay_id.as_ref()),
        }
    }
}

fn matches(patterns: &[InterfacePattern], interface: &InterfaceFacts) -> bool {
    patterns.iter().any(|pattern| pattern.matches(&interface.name))
}

/// What names the link of an interface with these addresses, and all that may name it.
fn names_of_link(wanted: LinkAddress, present: &[InterfaceAddress]) -> (Ipv6Addr, Vec<Ipv6Addr>) {
    let mut usable: Vec<&InterfaceAddress> = present.iter().filter(|address| !address.is_tentative).collect();
    usable.sort_by_key(|address| preference(address));
    let mut addresses: Vec<Ipv6Addr> = usable.iter().map(|address| address.address).collect();
    let link_address = match wanted {
        LinkAddress::Lowest => addresses.first().copied().unwrap_or(Ipv6Addr::UNSPECIFIED),
        LinkAddress::Fixed(address) => address,
        // The first address of a prefix means any router on its link (RFC 4291 §2.6.1), so it names the
        // link as well while the interface has no other in it.
        LinkAddress::Within(prefix) => {
            let inside = addresses.iter().find(|address| prefix.contains(**address));
            inside.copied().unwrap_or(prefix.address())
        }
    };
    if !link_address.is_unspecified() && !addresses.contains(&link_address) {
        addresses.push(link_address);
    }
    (link_address, addresses)
}

/// Addresses that may name the link, the best first: global and unique-local ones before link-local ones,
/// lasting ones before others, then the lowest.
fn preference(address: &InterfaceAddress) -> (u8, bool, bool, Ipv6Addr) {
    let scope = match address.address {
        address if address.is_loopback() => 2,
        address if address.is_unicast_link_local() => 1,
        _ => 0,
    };
    (scope, address.is_temporary, address.is_deprecated, address.address)
}

/// Looks at interfaces again and again, and tells each complaint once for as long as it lasts.
#[derive(Debug, Default)]
pub struct Seeing {
    layout: Option<Layout>,
    told: BTreeSet<String>,
}

impl Seeing {
    /// What these interfaces are by this layout.
    pub fn look(&mut self, layout: &Layout, interfaces: &[InterfaceFacts]) -> Seen {
        let seen = layout.ports(interfaces);
        let complaints: BTreeSet<String> = seen.complaints.iter().map(ToString::to_string).collect();
        complaints.difference(&self.told).for_each(|complaint| warn!("{complaint}"));
        self.told = complaints;
        if self.is_outdated(layout) {
            self.layout = Some(layout.clone());
        }
        seen
    }

    /// Whether the last look was by another layout.
    pub fn is_outdated(&self, layout: &Layout) -> bool {
        self.layout.as_ref() != Some(layout)
    }
}

#[cfg(test)]
mod tests;
