//! Which address or prefix a client is given.
//!
//! [`Assigner::find`] looks, in this order, at what is kept for the client, at what it would like to
//! have, at what it had before, and at the pools of its link. In a pool it begins at a place that a
//! keyed hash of the association gives: the same association finds the same again while it is free,
//! and nobody who does not know the key can tell what the next one will be.
//!
//! What is held is in the table and nowhere else. The assigner adds what was offered a moment ago
//! (`offers.rs`), what is kept for somebody (`reserved.rs`), and which parts of a pool are full
//! (`pool.rs`).
//!
//! Invariant: nothing that is found overlaps what anybody holds, what another client was offered, or
//! what is kept for others.

mod blocks;
mod exclusions;
mod ground;
mod interface_ids;
mod offers;
mod pool;
mod pools;
mod reservation;
mod reserved;
mod runs;
mod search;
mod seeker;
mod spans;

use std::time::Duration;

use lease::{ClientKey, IaKind, Lease, Link, LinkId, Links, Resource, Table};
use wire::{Iaid, Prefix};
use world::Now;

pub use reservation::{Reservation, Subscriber};
pub use seeker::{Found, Identity, Seeker, Standing};

use exclusions::Exclusions;
use ground::Ground;
use offers::Offers;
use pool::Pool;
use pools::Pools;
use reserved::Reserved;
use search::Search;
use spans::{Spans, span_of};

/// A prefix on a link that is longer has no address for its routers as such (RFC 6164).
const LONGEST_SUBNET_WITH_ROUTER_ANYCAST: u8 = 126;

/// Chooses what clients are given.
#[derive(Debug)]
pub struct Assigner {
    pools: Pools,
    reserved: Reserved,
    /// Prefixes that are on any link.
    on_link: Spans<()>,
    /// What stays with the delegating side of each delegated prefix.
    exclusions: Exclusions,
    offers: Offers,
    offer_for: Duration,
    secret: [u64; 2],
    /// Offered or not offered any more since a pool was last looked at.
    stale: Vec<Resource>,
}

impl Assigner {
    /// Makes ready for these links. Offers are kept for `offer_for`; `secret` keeps others from
    /// guessing what is given next, and the choice is the same only for the same secret.
    pub fn new(
        links: &Links,
        reservations: Vec<Reservation>,
        offer_for: Duration,
        secret: [u64; 2],
        table: &Table,
    ) -> Self {
        let mut on_link = Spans::default();
        for prefix in links.iter().flat_map(|link| &link.prefixes) {
            on_link.insert(*prefix, ());
        }
        let (pools, exclusions) = (Pools::new(links), Exclusions::new(links));
        let reserved = Reserved::new(reservations);
        let (offers, stale) = (Offers::default(), Vec::new());
        let mut assigner = Self { pools, reserved, on_link, exclusions, offers, offer_for, secret, stale };
        assigner.survey(table);
        assigner
    }

    /// What the seeker could be given. Nothing is taken by this.
    pub fn find(&mut self, seeker: &Seeker<'_>, table: &Table, now: Now) -> Option<Found> {
        self.settle(table, now);
        let ground = Ground { table, offers: &self.offers, exclusions: &self.exclusions };
        Search::new(self, seeker, ground).run()
    }

    /// What is kept for the seeker's association and free, if it has nothing of that among what it
    /// holds.
    pub fn find_kept(
        &mut self,
        seeker: &Seeker<'_>,
        held: &[Lease],
        table: &Table,
        now: Now,
    ) -> Option<Found> {
        if self.reserved.is_empty() {
            return None;
        }
        self.settle(table, now);
        let ground = Ground { table, offers: &self.offers, exclusions: &self.exclusions };
        let search = Search::new(self, seeker, ground);
        let has_some = held.iter().any(|lease| search.is_kept(lease.resource));
        if has_some { None } else { search.kept() }
    }

    /// Keeps a resource for a client for a short while: others are not offered it meanwhile. Only so
    /// many offers are kept ([`crate::limits::MAX_OFFERS`]), the oldest dropped first.
    pub fn offer(&mut self, resource: Resource, key: &ClientKey, now: Now) {
        let dropped = self.offers.keep(resource, key, now.instant + self.offer_for);
        self.stale.push(resource);
        self.stale.extend(dropped);
    }

    /// To be called, after the table has changed, with each resource whose holder may have changed.
    pub fn note(&mut self, resource: Resource, table: &Table) {
        if self.offers.knows(resource) && table.holders(resource).next().is_some() {
            self.offers.forget(resource);
        }
        self.refresh(resource, table);
    }

    /// What is kept for a client on a link, that for which it is named most closely first: its
    /// identity associations, the client itself, its port, its link-layer address.
    pub fn reserved(&self, link: LinkId, identity: &Identity<'_>) -> Vec<&Reservation> {
        self.reserved.of_client(link, identity)
    }

    /// What a resource is to a client on a link, whoever holds it.
    pub fn standing(&self, link: &Link, resource: Resource, identity: &Identity<'_>) -> Standing {
        self.standing_for(None, link, resource, identity)
    }

    /// The same for one identity association only.
    fn standing_for(
        &self,
        association: Option<Iaid>,
        link: &Link,
        resource: Resource,
        identity: &Identity<'_>,
    ) -> Standing {
        let span = span_of(resource);
        let is_pooled = || is_in_pool(link, resource) && !self.is_barred(resource);
        let is_kept = self.reserved.is_kept_on(link.id, span);
        let near = self.reserved.spans().overlapping(span);
        let mut in_the_way = near.filter(|(kept, _)| self.exclusions.keep_apart(span, *kept));
        let is_for_others =
            in_the_way.any(|(_, kept)| self.reserved.is_for_others(kept, link.id, identity, association));
        if !is_for_others && (is_kept || is_pooled()) {
            Standing::Assignable
        } else if is_kept || is_on_link(link, resource) {
            Standing::OnLink
        } else {
            Standing::Foreign
        }
    }

    /// Whether nobody may have this, because it is something else: a reserved interface identifier,
    /// or a prefix that is on a link, but for what is excluded from it, or that is excluded itself.
    fn is_barred(&self, resource: Resource) -> bool {
        match resource {
            Resource::Address(address) => {
                let subnets = self.on_link.between(address, address).map(|(subnet, ())| subnet);
                let mut subnets = subnets.filter(|subnet| has_router_anycast(*subnet));
                interface_ids::is_reserved(address) || subnets.any(|subnet| subnet.address() == address)
            }
            Resource::Prefix(prefix) => {
                let excluded = self.exclusions.excluded_from(prefix);
                let mut on_link = self.on_link.overlapping(prefix).map(|(part, ())| part);
                let is_used = |part| !excluded.is_some_and(|excluded| excluded.covers(part));
                self.exclusions.leave_out(prefix) || on_link.any(is_used)
            }
        }
    }

    /// Finds out for every pool what is barred, and which parts are full.
    fn survey(&mut self, table: &Table) {
        let Self { pools, reserved, on_link, exclusions, offers, .. } = self;
        let ground = Ground { table, offers, exclusions };
        for pool in pools.iter_mut() {
            let (first, last) = (pool.first(), pool.last());
            for (span, _) in reserved.spans().between(first, last) {
                ground.part_gone(pool.kind(), span).for_each(|range| pool.bar(range));
            }
            match pool.kind() {
                IaKind::Address => bar_addresses(pool, on_link),
                IaKind::Prefix => bar_prefixes(pool, on_link),
            }
            pool.survey(&ground);
        }
    }

    /// Forgets offers whose time is over, and looks again where offers have come or gone.
    fn settle(&mut self, table: &Table, now: Now) {
        while let Some(resource) = self.offers.forget_expired(now.instant) {
            self.stale.push(resource);
        }
        for resource in std::mem::take(&mut self.stale) {
            self.refresh(resource, table);
        }
    }

    fn refresh(&mut self, resource: Resource, table: &Table) {
        let span = span_of(resource);
        let (first, last) = (span.address(), span.last_address());
        let Self { pools, offers, exclusions, .. } = self;
        let ground = Ground { table, offers, exclusions };
        pools.visit(first, last, |pool| pool.refresh(first, last, &ground));
    }
}

fn bar_addresses(pool: &mut Pool, on_link: &Spans<()>) {
    let (first, last) = (pool.first(), pool.last());
    let subnets = on_link.between(first, last).map(|(subnet, ())| subnet);
    for subnet in subnets.filter(|subnet| has_router_anycast(*subnet)) {
        pool.bar((subnet.address(), subnet.address()));
    }
    // A pool never has more than 2^64 addresses, so they are in two /64 at most.
    let reserved = interface_ids::reserved_beside(first).chain(interface_ids::reserved_beside(last));
    reserved.for_each(|range| pool.bar(range));
}

fn bar_prefixes(pool: &mut Pool, on_link: &Spans<()>) {
    for (span, ()) in on_link.between(pool.first(), pool.last()) {
        if !pool.leaves_out(span) {
            pool.bar((span.address(), span.last_address()));
        }
    }
}

fn has_router_anycast(subnet: Prefix) -> bool {
    subnet.length() <= LONGEST_SUBNET_WITH_ROUTER_ANYCAST
}

/// Whether a pool of the link has it: for a prefix, one that delegates prefixes of its length.
fn is_in_pool(link: &Link, resource: Resource) -> bool {
    match resource {
        Resource::Address(address) => {
            link.address_pools.iter().any(|pool| (pool.first..=pool.last).contains(&address))
        }
        Resource::Prefix(prefix) => link.delegation_pools.iter().any(|pool| pool.delegates(prefix)),
    }
}

/// Whether it belongs on the link, from a pool or not.
fn is_on_link(link: &Link, resource: Resource) -> bool {
    match resource {
        Resource::Address(address) => {
            link.prefixes.iter().any(|prefix| prefix.contains(address)) || is_in_pool(link, resource)
        }
        Resource::Prefix(prefix) => link.delegation_pools.iter().any(|pool| pool.prefix.covers(prefix)),
    }
}
