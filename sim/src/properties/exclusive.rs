//! No resource is in two active bindings, and no two delegated prefixes overlap: in each server's table, and
//! over all servers.
//!
//! What is held is kept here once more, by address, from the after-image of every change: of what does not
//! overlap, only the neighbours in that order can overlap with what is new.

use std::collections::BTreeMap;
use std::fmt;

use lease::{AfterImage, ClientKey, ClientView, LeaseState, LinkId, Resource, image};
use wire::{Duid, Prefix};

use super::Property;
use crate::nodes::NodeId;
use crate::universe::{Observed, Universe};

/// Follows every change of every table.
#[derive(Debug, Default)]
pub(super) struct Exclusive {
    held: BTreeMap<Prefix, Holder>,
    by_holder: BTreeMap<Holder, Vec<Prefix>>,
    exercised: u64,
}

/// Who holds something, and at which server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Holder {
    server: NodeId,
    /// Link and DUID, as the store's key.
    key: Vec<u8>,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (link, duid) = self.key.split_at(size_of::<LinkId>());
        let duid = Duid::new(duid).map_or_else(|_| format!("{duid:02x?}"), |duid| duid.to_string());
        write!(f, "{duid} on link {} of {}", link.last().copied().unwrap_or_default(), self.server)
    }
}

impl Property for Exclusive {
    fn name(&self) -> &'static str {
        "exclusive"
    }

    fn observe(&mut self, observed: &Observed, universe: &Universe) -> Result<(), String> {
        match observed {
            Observed::Changed(server, images) => {
                images.iter().try_for_each(|image| self.change(*server, image))
            }
            Observed::Started(server @ NodeId::Server(_)) => self.begin_anew(*server, universe),
            _ => Ok(()),
        }
    }

    fn step(&mut self, universe: &Universe) -> Result<(), String> {
        if self.exercised > 0 {
            return Ok(());
        }
        self.exercised = 1;
        universe.nodes.servers.iter().try_for_each(|server| self.begin_anew(server.id(), universe))
    }

    fn exercised(&self) -> u64 {
        self.exercised
    }
}

impl Exclusive {
    /// A server knows what it has found in its store, and nothing else.
    fn begin_anew(&mut self, server: NodeId, universe: &Universe) -> Result<(), String> {
        let NodeId::Server(number) = server else { return Ok(()) };
        self.held.retain(|_, holder| holder.server != server);
        self.by_holder.retain(|holder, _| holder.server != server);
        universe.nodes.servers[number].clients().try_for_each(|client| {
            let key = image::key(&ClientKey { link: client.link, duid: client.duid.to_duid() });
            self.take_all(&client, &Holder { server, key })
        })
    }

    fn change(&mut self, server: NodeId, after: &AfterImage) -> Result<(), String> {
        let holder = Holder { server, key: after.key.clone() };
        for gone in self.by_holder.remove(&holder).unwrap_or_default() {
            self.held.remove(&gone);
        }
        let Some(image) = &after.image else { return Ok(()) };
        let client = ClientView::decode(image).map_err(|error| format!("the image of {holder}: {error}"))?;
        self.take_all(&client, &holder)
    }

    fn take_all(&mut self, client: &ClientView<'_>, holder: &Holder) -> Result<(), String> {
        let mut active = client.leases().filter(|held| held.lease.state == LeaseState::Active);
        active.try_for_each(|held| {
            self.exercised += 1;
            self.take(whole(held.lease.resource), holder)
        })
    }

    fn take(&mut self, resource: Prefix, holder: &Holder) -> Result<(), String> {
        let before = self.held.range(..=resource).next_back();
        let after = self.held.range(resource..).next();
        let overlaps = |other: &Prefix| other.covers(resource) || resource.covers(*other);
        if let Some((other, its)) = before.into_iter().chain(after).find(|(other, _)| overlaps(other)) {
            return Err(format!("{resource} of {holder} is, or overlaps with, {other} of {its}"));
        }
        self.held.insert(resource, holder.clone());
        self.by_holder.entry(holder.clone()).or_default().push(resource);
        Ok(())
    }
}

/// An address is a prefix of all its bits.
fn whole(resource: Resource) -> Prefix {
    match resource {
        Resource::Address(address) => Prefix::new(address, 128).expect("128 bits"),
        Resource::Prefix(prefix) => prefix,
    }
}
