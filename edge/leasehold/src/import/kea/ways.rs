//! By what a link is found: relays, Interface-IDs, and interfaces of this machine.

use std::collections::HashMap;
use std::net::Ipv6Addr;

use lease::{InterfacePattern, Link};

use super::json::ConfigError;
use super::parts;
use super::scope::{Remarks, Scope};

/// Octets of an interface's name: what Linux has room for.
const MAX_INTERFACE_OCTETS: usize = 15;

/// What means one link only, and where it stands.
#[derive(Debug, Default)]
pub(super) struct Ways {
    /// Link-local relays with Interface-IDs.
    link_local: HashMap<(Ipv6Addr, Box<[u8]>), String>,
    interfaces: HashMap<String, String>,
}

impl Ways {
    /// Adds to a link what its network or a subnet says of this.
    pub(super) fn add(
        &mut self,
        at: &Scope<'_>,
        link: &mut Link,
        remarks: &mut Remarks,
    ) -> Result<(), ConfigError> {
        for relay in parts::relays(at.value)? {
            if !link.relay_addresses.contains(&relay) {
                link.relay_addresses.push(relay);
            }
        }
        if let Some((id, at)) =
            at.text("interface-id")?.filter(|id| !id.is_empty()).zip(at.member("interface-id"))
        {
            self.interface_id(id.as_bytes(), &at, link, remarks);
        }
        let name = at.text("interface")?.filter(|name| !name.is_empty());
        if let Some((name, at)) = name.zip(at.member("interface")) {
            self.interface(name, &at, link, remarks);
        }
        Ok(())
    }

    /// Kea finds a subnet by the Interface-ID alone; here it only helps where a relay's address is no name.
    fn interface_id(&mut self, id: &[u8], at: &Scope<'_>, link: &mut Link, remarks: &mut Remarks) {
        let relays = link.relay_addresses.iter().filter(|address| address.is_unicast_link_local());
        let keys: Vec<(Ipv6Addr, Box<[u8]>)> = relays.map(|relay| (*relay, id.into())).collect();
        if keys.is_empty() {
            let reason = "an Interface-ID alone means no link here: the relay's address does, and an \
                          Interface-ID only together with a link-local one";
            remarks.not_translated(at, reason);
        } else if let Some(other) = keys.iter().find_map(|key| self.link_local.get(key)) {
            if *other != at.path {
                let reason = format!("with the same link-local relay it means {other} already");
                remarks.not_translated(at, reason);
            }
        } else {
            self.link_local.extend(keys.into_iter().map(|key| (key, at.path.clone())));
            link.interface_ids.push(id.into());
        }
    }

    fn interface(&mut self, name: &str, at: &Scope<'_>, link: &mut Link, remarks: &mut Remarks) {
        let here = InterfacePattern(name.to_owned());
        if link.interfaces.contains(&here) {
            return;
        }
        if let Some(other) = self.interfaces.get(name) {
            let reason = format!("an interface is on one link only, and this one is {other}");
            remarks.not_translated(at, reason);
        } else if !is_interface_name(name) {
            remarks.not_translated(at, "is no interface's name");
        } else {
            self.interfaces.insert(name.to_owned(), at.path.clone());
            link.interfaces.push(here);
        }
    }
}

/// Whether a name can be an interface's, and means that one alone.
pub(super) fn is_interface_name(name: &str) -> bool {
    let strange = |c: char| c.is_whitespace() || c.is_control() || "/*?".contains(c);
    (1..=MAX_INTERFACE_OCTETS).contains(&name.len()) && !name.contains(strange)
}
