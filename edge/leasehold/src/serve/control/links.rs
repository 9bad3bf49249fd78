//! `show links`: the links as configured, and how much of their pools is held.
//!
//! What is held is counted where it stands, in the table's ordered indexes, a portion at a time: so
//! a count is exact of no single moment, and holds up nobody.

use std::net::Ipv6Addr;

use lease::{AddressPool, ClientView, DelegationPool, LeaseState, LinkId, Resource};

use super::super::service::Service;
use super::durable;
use crate::control::door::{Reply, Stop};
use crate::control::{Link, Pool, PoolRange};

/// Leases counted under one lock of the table: a millisecond's worth.
const COUNTED_AT_ONCE: usize = 4_096;

/// Shows every link.
pub(super) async fn show(service: &Service, reply: &mut Reply) -> Result<(), Stop> {
    let mut next = Some(LinkId(0));
    while let Some(from) = next {
        let (link, told) = {
            let holdings = service.holdings();
            (holdings.links.iter().find(|link| link.id >= from).cloned(), holdings.table.last_seq())
        };
        let Some(link) = link else { return Ok(()) };
        let item = item(service, &link).await;
        reply.item(&item);
        reply.send_when(durable(service, told)).await?;
        next = link.id.0.checked_add(1).map(LinkId);
    }
    Ok(())
}

async fn item(service: &Service, link: &lease::Link) -> Link {
    let mut pools = Vec::new();
    for pool in &link.address_pools {
        pools.push(address_pool(service, pool).await);
    }
    for pool in &link.delegation_pools {
        pools.push(delegation_pool(service, pool).await);
    }
    Link {
        link: link.id.0,
        name: link.name.clone(),
        prefixes: link.prefixes.iter().map(ToString::to_string).collect(),
        interfaces: link.interfaces.iter().map(ToString::to_string).collect(),
        pools,
    }
}

async fn address_pool(service: &Service, pool: &AddressPool) -> Pool {
    let AddressPool { first, last } = *pool;
    let mut count = Count::default();
    let mut from = Some(first);
    while let Some(next) = from {
        from = {
            let holdings = service.holdings();
            let held = holdings.table.address_holders(next, last);
            count.portion(held.map(|(address, holder)| (Resource::Address(address), address, holder)))
        };
        tokio::task::yield_now().await;
    }
    let size = last.to_bits().saturating_sub(first.to_bits()).saturating_add(1);
    count.of(PoolRange::Address { first, last }, size)
}

async fn delegation_pool(service: &Service, pool: &DelegationPool) -> Pool {
    let DelegationPool { prefix, delegated_length, excluded: _ } = *pool;
    let mut count = Count::default();
    let mut from = Some(prefix.address());
    while let Some(next) = from {
        from = {
            let holdings = service.holdings();
            let held = holdings.table.prefix_holders(next, prefix.last_address());
            count.portion(held.map(|(held, holder)| (Resource::Prefix(held), held.last_address(), holder)))
        };
        tokio::task::yield_now().await;
    }
    let bits = delegated_length.saturating_sub(prefix.length());
    let size = 1_u128.checked_shl(bits.into()).unwrap_or(u128::MAX);
    count.of(PoolRange::Prefix { prefix: prefix.to_string(), delegated_length }, size)
}

/// What is held of a pool.
#[derive(Debug, Default)]
struct Count {
    assigned: u64,
    declined: u64,
}

impl Count {
    /// Counts a portion of what is held, each with its last address and its holder. Gives the
    /// address to go on from, if that was not all.
    fn portion<'a>(
        &mut self,
        held: impl Iterator<Item = (Resource, Ipv6Addr, ClientView<'a>)>,
    ) -> Option<Ipv6Addr> {
        for (counted, (resource, last, holder)) in held.enumerate() {
            let mut leases = holder.leases().map(|held| held.lease);
            let is_declined =
                |lease: lease::Lease| lease.resource == resource && lease.state == LeaseState::Declined;
            match leases.any(is_declined) {
                true => self.declined += 1,
                false => self.assigned += 1,
            }
            if counted + 1 == COUNTED_AT_ONCE {
                return last.to_bits().checked_add(1).map(Ipv6Addr::from_bits);
            }
        }
        None
    }

    fn of(self, range: PoolRange, size: u128) -> Pool {
        let Self { assigned, declined } = self;
        Pool { range, size: u64::try_from(size).unwrap_or(u64::MAX), assigned, declined }
    }
}
