//! Once nothing goes wrong any more, every client gets all that it wants within [`SOON`], if there is room for it
//! all that time.
//!
//! A client that holds something asks the server that it holds it from; any other takes what it is offered. There
//! is room where a pool has more than what is held, rests because it was declined, or has been offered to
//! somebody else a short while ago; and what the server has for the very association is room enough. What has
//! run out or was given back and is only remembered is as free as the rest.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use lease::{Lease, LeaseState, LinkId, Resource};
use wire::{IaKind, Iaid, MessageType};
use world::Instant;

use super::Property;
use crate::nodes::{Client, NodeId, Server};
use crate::plan::addresses;
use crate::reading::Said;
use crate::universe::{Datagram, Observed, Segment, Universe};

/// How soon. A client that was not answered for long asks again when its timer says so, which may have been
/// doubled up to minutes; after that one exchange or two are enough.
const SOON: Duration = Duration::from_secs(300);
/// How often it is looked.
const INTERVAL: Duration = Duration::from_secs(5);
/// How long after its end, grace included, a lease is still the client's while nobody has looked.
const OVERDUE_SECS: u64 = 60;
/// How long an offer is kept.
const OFFERED: Duration = Duration::from_secs(30);

/// Remembers since when who could have what.
#[derive(Debug, Default)]
pub(super) struct Served {
    look_at: Option<Instant>,
    could_have: BTreeMap<Lack, Instant>,
    offers: VecDeque<Offer>,
    exercised: u64,
}

/// What a client wants and has not.
type Lack = (usize, IaKind, Iaid);

#[derive(Debug)]
struct Offer {
    at: Instant,
    server: usize,
    client: Vec<u8>,
    resource: Resource,
}

impl Property for Served {
    fn name(&self) -> &'static str {
        "served"
    }

    fn observe(&mut self, observed: &Observed, universe: &Universe) -> Result<(), String> {
        match observed {
            Observed::Calm => self.look_at = Some(universe.now()),
            Observed::Sent(datagram @ Datagram { sender: NodeId::Server(number), .. }) => {
                self.note_offer(*number, datagram, universe.now());
            }
            _ => {}
        }
        Ok(())
    }

    fn step(&mut self, universe: &Universe) -> Result<(), String> {
        let now = universe.now();
        if self.look_at.is_none_or(|at| now < at) {
            return Ok(());
        }
        self.look_at = Some(now + INTERVAL);
        while self.offers.pop_front_if(|offer| now.since(offer.at) > OFFERED).is_some() {}
        let lacks = |client: &Client| client.lacks().collect::<Vec<_>>();
        for (number, client) in universe.nodes.clients.iter().enumerate().filter(|(_, client)| client.is_on())
        {
            self.exercised += 1;
            for (kind, iaid) in lacks(client) {
                self.judge((number, kind, iaid), client, universe)?;
            }
        }
        self.could_have.retain(|(number, kind, iaid), _| {
            let client = &universe.nodes.clients[*number];
            client.is_on() && client.lacks().any(|lack| lack == (*kind, *iaid))
        });
        Ok(())
    }

    fn end(&mut self, universe: &Universe) -> Result<(), String> {
        for (number, client) in universe.nodes.clients.iter().enumerate() {
            if !client.is_on() {
                return Err(format!("client {number} is off"));
            }
            for (kind, iaid) in client.lacks() {
                if let Some(server) = self.who_could_give((number, kind, iaid), client, universe) {
                    return Err(format!("client {number} has no {kind:?} {iaid}, and server {server} has"));
                }
            }
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.exercised
    }
}

impl Served {
    fn note_offer(&mut self, server: usize, datagram: &Datagram, at: Instant) {
        let Some(said) = Said::read_if(&datagram.octets, &[MessageType::Advertise]) else { return };
        let Some(client) = said.client else { return };
        let resources = said.leases().map(|lease| lease.resource);
        self.offers.extend(resources.map(|resource| Offer { at, server, client: client.to_vec(), resource }));
    }

    fn judge(&mut self, lack: Lack, client: &Client, universe: &Universe) -> Result<(), String> {
        let (number, kind, iaid) = lack;
        let Some(server) = self.who_could_give(lack, client, universe) else {
            self.could_have.remove(&lack);
            return Ok(());
        };
        let now = universe.now();
        let since = *self.could_have.entry(lack).or_insert(now);
        if now.since(since) > SOON {
            return Err(format!(
                "client {number} has no {kind:?} {iaid} though server {server} has room for it"
            ));
        }
        Ok(())
    }

    /// A server that the client would have it from and that has it.
    fn who_could_give(&self, lack: Lack, client: &Client, universe: &Universe) -> Option<usize> {
        let (_, kind, iaid) = lack;
        let mut servers = universe.nodes.servers.iter().enumerate().filter(|(server, _)| {
            let is_its = |duid: &wire::Duid| *duid == addresses::server_id(*server);
            client.server().is_none_or(is_its) && reaches(*server, client, universe)
        });
        let found = servers.find(|(at, server)| {
            let unix_secs = server.now(universe.now()).unix_secs;
            self.has_room(*at, server, client, (kind, iaid), unix_secs)
        });
        found.map(|(server, _)| server)
    }

    fn has_room(
        &self,
        at: usize,
        server: &Server,
        client: &Client,
        (kind, iaid): (IaKind, Iaid),
        unix_secs: u64,
    ) -> bool {
        let link = LinkId(client.link.into());
        let Some(configured) = server.setup.links.iter().find(|known| known.id == link) else { return false };
        let in_pool = |resource: Resource| match resource {
            Resource::Address(address) => {
                kind == IaKind::Address
                    && configured.address_pools.iter().any(|pool| (pool.first..=pool.last).contains(&address))
            }
            Resource::Prefix(prefix) => {
                kind == IaKind::Prefix
                    && configured.delegation_pools.iter().any(|pool| pool.prefix.covers(prefix))
            }
        };
        let capacity: u128 = match kind {
            IaKind::Address => {
                let pools = configured.address_pools.iter();
                pools.map(|pool| pool.last.to_bits() - pool.first.to_bits() + 1).sum()
            }
            IaKind::Prefix => {
                let pools = configured.delegation_pools.iter();
                pools.map(|pool| 1 << (pool.delegated_length - pool.prefix.length())).sum()
            }
        };
        let mut taken: Vec<Resource> = Vec::new();
        for record in server.clients() {
            let is_own = record.link == link && record.duid == client.duid().as_ref();
            let taking = record.leases().filter(|held| is_taken(&held.lease, unix_secs));
            for held in taking.filter(|held| in_pool(held.lease.resource)) {
                if is_own && (held.kind, held.iaid, held.lease.state) == (kind, iaid, LeaseState::Active) {
                    return true;
                }
                taken.push(held.lease.resource);
            }
        }
        let to_others = self.offers.iter().filter(|offer| {
            offer.server == at && offer.client != client.duid().octets() && in_pool(offer.resource)
        });
        taken.extend(to_others.map(|offer| offer.resource));
        taken.sort_unstable();
        taken.dedup();
        (taken.len() as u128) < capacity
    }
}

fn is_taken(lease: &Lease, unix_secs: u64) -> bool {
    let is_overdue = lease.until_unix_secs().is_some_and(|until| until + OVERDUE_SECS < unix_secs);
    matches!(lease.state, LeaseState::Active | LeaseState::Declined) && !is_overdue
}

/// Whether a client and a server hear each other, directly or through a relay.
fn reaches(server: usize, client: &Client, universe: &Universe) -> bool {
    let link = Segment(client.link);
    let is_on_link =
        |node| universe.network.of(node).any(|(segment, attachment)| *segment == link && attachment.is_up);
    let is_relayed = universe.nodes.relays.iter().any(|relay| relay.is_running() && is_on_link(relay.id()));
    universe.nodes.servers[server].is_running() && (is_relayed || is_on_link(NodeId::Server(server)))
}
