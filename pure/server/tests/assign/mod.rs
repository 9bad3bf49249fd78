//! What the assigner finds, on links that each scenario lays out.

mod choice;
mod hints;
mod model;
mod obstacles;
mod reserved;

use std::net::Ipv6Addr;
use std::time::Duration;

use lease::{
    AddressPool, Binding, Client, ClientKey, DelegationPool, Heard, IaKind, Lease, LeaseState, Link, LinkId,
    Links, Resource, Table,
};
use server::assign::{Assigner, Found, Identity, Reservation, Seeker, Subscriber};
use server::exchange::OfferedOptions;
use wire::{Duid, Iaid, Prefix};
use world::Now;

use crate::common::at;

pub(crate) const OFFER_SECS: u64 = 30;

/// A server's links, what is held on them, and the assigner.
pub(crate) struct Office {
    pub(crate) links: Vec<Link>,
    reservations: Vec<Reservation>,
    pub(crate) table: Table,
    pub(crate) assigner: Assigner,
    pub(crate) now: Now,
}

impl Office {
    pub(crate) fn new(links: Vec<Link>) -> Self {
        Self::with_reservations(links, Vec::new())
    }

    pub(crate) fn with_reservations(links: Vec<Link>, reservations: Vec<Reservation>) -> Self {
        let table = Table::default();
        let assigner = assigner(&links, &reservations, &table);
        Self { links, reservations, table, assigner, now: at(0) }
    }

    /// Begins anew with what is in the table.
    pub(crate) fn restart(&mut self) {
        self.assigner = assigner(&self.links, &self.reservations, &self.table);
    }

    /// What a client would be given on the first link, if it just asks.
    pub(crate) fn plain(&mut self, client: u32, kind: IaKind) -> Option<Found> {
        self.find(client, kind, |_| ())
    }

    /// The same for one that says more.
    pub(crate) fn find<'a>(
        &mut self,
        client: u32,
        kind: IaKind,
        detail: impl FnOnce(&mut Wish<'a>),
    ) -> Option<Found> {
        let mut wish = Wish::default();
        detail(&mut wish);
        let Wish { iaid, hint, length_hint, remembered, taken, takes_exclusion } = wish;
        let (duid, iaid) = (duid(client), Iaid(iaid));
        let identity = Identity { duid: &duid, relays: None };
        let link = &self.links[0];
        let identity = &identity;
        let seeker =
            Seeker { link, identity, kind, iaid, hint, length_hint, remembered, taken, takes_exclusion };
        self.assigner.find(&seeker, &self.table, self.now)
    }

    /// Has a client hold these resources and no others, and tells the assigner.
    pub(crate) fn hold(&mut self, client: u32, resources: &[Resource]) {
        self.hold_leases(client, resources.iter().map(|resource| lease(*resource)).collect());
    }

    pub(crate) fn hold_leases(&mut self, client: u32, leases: Vec<Lease>) {
        let key = ClientKey { link: self.links[0].id, duid: duid(client) };
        let before =
            self.table.client(&key).map(|view| view.leases().map(|held| held.lease.resource).collect());
        let before: Vec<Resource> = before.unwrap_or_default();
        let after: Vec<Resource> = leases.iter().map(|lease| lease.resource).collect();
        self.table.put(&record(key, leases)).expect("what is found can be held");
        for resource in before.into_iter().chain(after) {
            self.assigner.note(resource, &self.table);
        }
    }

    pub(crate) fn offer(&mut self, client: u32, resource: Resource) {
        let key = ClientKey { link: self.links[0].id, duid: duid(client) };
        self.assigner.offer(resource, &key, self.now);
    }

    pub(crate) fn wait_secs(&mut self, secs: u64) {
        self.now = at(self.now.instant.since(at(0).instant).as_secs() + secs);
    }
}

fn assigner(links: &[Link], reservations: &[Reservation], table: &Table) -> Assigner {
    let links = Links::new(links.to_vec());
    Assigner::new(&links, reservations.to_vec(), Duration::from_secs(OFFER_SECS), [1, 2], table)
}

/// What a client says besides who it is.
#[derive(Default)]
pub(crate) struct Wish<'a> {
    pub(crate) iaid: u32,
    pub(crate) hint: Option<Resource>,
    pub(crate) length_hint: Option<u8>,
    pub(crate) remembered: &'a [Resource],
    pub(crate) taken: &'a [Resource],
    pub(crate) takes_exclusion: bool,
}

fn record(key: ClientKey, leases: Vec<Lease>) -> Client {
    let (addresses, prefixes) = leases.into_iter().partition(|lease| lease.resource.is_of(IaKind::Address));
    let binding = |kind, leases| Binding { kind, iaid: Iaid(1), leases };
    Client {
        key,
        heard: Heard { at_unix_secs: at(0).unix_secs, path: None },
        options: Vec::new(),
        reconfigure: None,
        bindings: vec![binding(IaKind::Address, addresses), binding(IaKind::Prefix, prefixes)],
    }
}

pub(crate) fn lease(resource: Resource) -> Lease {
    Lease {
        resource,
        state: LeaseState::Active,
        granted_unix_secs: at(0).unix_secs,
        preferred_secs: 3600,
        valid_secs: 7200,
        excluded: None,
    }
}

pub(crate) fn duid(client: u32) -> Duid {
    Duid::new(&[&[0, 3, 0, 1, 2, 0], client.to_be_bytes().as_slice()].concat()).unwrap()
}

pub(crate) fn address(text: &str) -> Resource {
    Resource::Address(text.parse().unwrap())
}

pub(crate) fn prefix(text: &str) -> Resource {
    Resource::Prefix(text.parse().unwrap())
}

/// A link 1 with pools: `2001:db8::10 to 2001:db8::1f` of addresses, `2001:db8:100::/40 by 56` of
/// prefixes, `2001:db8:100::/40 by 56 without 2001:db8:100::/64` with an exclusion.
pub(crate) fn link(prefixes: &[&str], pools: &[&str]) -> Link {
    let mut link = Link { id: LinkId(1), name: "one".to_owned(), ..Link::default() };
    link.prefixes = prefixes.iter().map(|text| text.parse().unwrap()).collect();
    for pool in pools {
        match pool.split(' ').collect::<Vec<_>>()[..] {
            [first, "to", last] => link
                .address_pools
                .push(AddressPool { first: first.parse::<Ipv6Addr>().unwrap(), last: last.parse().unwrap() }),
            [from, "by", length, ref rest @ ..] => link.delegation_pools.push(DelegationPool {
                prefix: from.parse().unwrap(),
                delegated_length: length.parse().unwrap(),
                excluded: rest.last().map(|part| part.parse::<Prefix>().unwrap()),
            }),
            _ => panic!("no pool: {pool}"),
        }
    }
    link
}

pub(crate) fn reservation(subscriber: Subscriber, resources: &[Resource]) -> Reservation {
    Reservation {
        link: LinkId(1),
        subscriber,
        addresses: resources.iter().filter_map(|resource| resource.address()).collect(),
        prefixes: resources.iter().filter_map(|resource| resource.prefix()).collect(),
        options: OfferedOptions::default(),
    }
}
