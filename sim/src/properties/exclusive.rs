//! No resource is in two active bindings, and no two delegated prefixes overlap: in each server's table, and
//! over all servers.

use std::collections::BTreeMap;

use lease::{LeaseState, Resource, Seq};
use wire::Prefix;

use super::Property;
use crate::universe::Universe;

/// Looks at every table that has changed.
#[derive(Debug, Default)]
pub(super) struct Exclusive {
    seen: Vec<Option<Seq>>,
    exercised: u64,
}

impl Property for Exclusive {
    fn name(&self) -> &'static str {
        "exclusive"
    }

    fn step(&mut self, universe: &Universe) -> Result<(), String> {
        let now: Vec<Option<Seq>> =
            universe.nodes.servers.iter().map(|server| server.table().map(lease::Table::last_seq)).collect();
        if now == self.seen {
            return Ok(());
        }
        self.seen = now;
        let mut held: BTreeMap<Prefix, String> = BTreeMap::new();
        for server in &universe.nodes.servers {
            for client in server.clients() {
                for lease in client.leases().filter(|lease| lease.lease.state == LeaseState::Active) {
                    let holder = format!("{} on link {} of {}", client.duid, client.link, server.id());
                    self.exercised += 1;
                    let resource = whole(lease.lease.resource);
                    if let Some(other) = held.insert(resource, holder.clone()) {
                        return Err(format!("{resource} is held by {other} and by {holder}"));
                    }
                }
            }
        }
        let prefixes: Vec<(&Prefix, &String)> = held.iter().collect();
        for pair in prefixes.windows(2) {
            let [(one, its), (other, others)] = pair else { continue };
            if one.covers(**other) {
                return Err(format!("{one} of {its} covers {other} of {others}"));
            }
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.exercised
    }
}

/// An address is a prefix of all its bits.
fn whole(resource: Resource) -> Prefix {
    match resource {
        Resource::Address(address) => Prefix::new(address, 128).expect("128 bits"),
        Resource::Prefix(prefix) => prefix,
    }
}
