//! From the leases that stand in the files to those that count.
//!
//! A lease counts if it is in force, if its address rests because somebody declined it, or if it ended so short
//! a time ago that its client shall have the same again. What else Kea still remembers is counted and left out:
//! what ended longer ago, temporary addresses, and addresses that clients chose for themselves.
//!
//! Of what is held or rests, no address lies in two leases: Kea does not look whether one delegated prefix lies
//! inside another, or an address inside a prefix, and an edited configuration can bring that about. The lease
//! told of last is kept. What is only remembered gives way to everything else, without a word.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;

use lease::LeaseState;
use wire::Prefix;

use super::ImportError;
use super::clients::Clock;
use super::leases::{self, LeaseLine, LeaseType, Strictness};
use super::summary::Summary;

/// A lease that counts.
pub(super) struct Settled {
    pub(super) line: LeaseLine,
    /// What has become of it.
    pub(super) state: LeaseState,
}

/// The leases that count.
pub(super) fn settle(
    lines: Vec<LeaseLine>,
    clock: Clock,
    strictness: Strictness,
    summary: &mut Summary,
) -> Result<Vec<Settled>, ImportError> {
    let settled = lines.into_iter().filter_map(|line| {
        let state = state(&line, clock, summary)?;
        Some(Settled { line, state })
    });
    let (occupying, remembered): (Vec<_>, Vec<_>) = settled.partition(|lease| lease.state.occupies());
    let mut kept = without_overlaps(occupying, &mut |lease: &Settled, later| {
        let reason = || format!("{} overlaps {later}, which a later line tells of", lease.line.resource);
        lease.line.leave_out(reason, strictness, summary)
    })?;
    let free = |lease: &Settled| !overlaps_any(&kept, lease.line.resource);
    let remembered: Vec<Settled> = remembered.into_iter().filter(free).collect();
    let remembered = without_overlaps(remembered, &mut |_, _| Ok(()))?;
    summary.remembered = remembered.len() as u64;
    kept.extend(remembered);
    Ok(kept)
}

/// What has become of a lease; `None`, and it is counted for what it is, if it does not count.
fn state(line: &LeaseLine, clock: Clock, summary: &mut Summary) -> Option<LeaseState> {
    let expired = line.expires_at().is_some_and(|expires_at| expires_at < clock.file_now);
    let lasting = line.lease_type != LeaseType::Temporary;
    let (count, state) = match line.state {
        leases::LeaseState::Released => (&mut summary.released, lasting.then_some(LeaseState::Released)),
        leases::LeaseState::Reclaimed => (&mut summary.expired, lasting.then_some(LeaseState::Expired)),
        leases::LeaseState::Declined | leases::LeaseState::Registered if expired => {
            (&mut summary.expired, None)
        }
        leases::LeaseState::Assigned if expired => {
            (&mut summary.expired, lasting.then_some(LeaseState::Expired))
        }
        leases::LeaseState::Declined => (&mut summary.declined, lasting.then_some(LeaseState::Declined)),
        leases::LeaseState::Registered => (&mut summary.registered, None),
        leases::LeaseState::Assigned if lasting => return Some(LeaseState::Active),
        leases::LeaseState::Assigned => (&mut summary.temporary, None),
    };
    *count += 1;
    state.filter(|state| state.occupies() || clock.is_remembered(line.ended_at()))
}

/// Leaves out each lease that overlaps one told of later, and tells `left_out` of both. The rest comes back in
/// the order of addresses.
fn without_overlaps(
    mut leases: Vec<Settled>,
    left_out: &mut impl FnMut(&Settled, Prefix) -> Result<(), ImportError>,
) -> Result<Vec<Settled>, ImportError> {
    leases.sort_unstable_by_key(|lease| lease.line.resource);
    let mut kept: Vec<Settled> = Vec::with_capacity(leases.len());
    // What lies inside a prefix stands directly behind it.
    let mut leases = leases.into_iter().peekable();
    while let Some(first) = leases.next() {
        let whole = first.line.resource;
        let inside = |lease: &Settled| whole.covers(lease.line.resource);
        let Some(second) = leases.next_if(inside) else {
            kept.push(first);
            continue;
        };
        let mut cluster = vec![first, second];
        while let Some(lease) = leases.next_if(inside) {
            cluster.push(lease);
        }
        kept.extend(latest_of(cluster, left_out)?);
    }
    Ok(kept)
}

/// Of leases that all lie in the first of them, those that overlap none told of later.
fn latest_of(
    mut cluster: Vec<Settled>,
    left_out: &mut impl FnMut(&Settled, Prefix) -> Result<(), ImportError>,
) -> Result<Vec<Settled>, ImportError> {
    cluster.sort_unstable_by_key(|lease| std::cmp::Reverse(lease.line.place));
    let mut taken = Taken::default();
    let mut kept = Vec::new();
    for lease in cluster {
        let resource = lease.line.resource;
        match taken.overlapping(resource) {
            None => {
                taken.by_address.insert(resource.address(), resource);
                kept.push(lease);
            }
            Some(later) => left_out(&lease, later)?,
        }
    }
    kept.sort_unstable_by_key(|lease| lease.line.resource);
    Ok(kept)
}

/// Whether a resource overlaps one of the leases, which are in the order of addresses and overlap nothing
/// themselves: if any, then the last that begins at or before it, or the next.
fn overlaps_any(leases: &[Settled], resource: Prefix) -> bool {
    let next = leases.partition_point(|lease| lease.line.resource.address() <= resource.address());
    let neighbours = &leases[next.saturating_sub(1)..leases.len().min(next + 1)];
    neighbours.iter().any(|lease| lease.line.resource.overlaps(resource))
}

/// Resources of which no two overlap.
#[derive(Default)]
struct Taken {
    by_address: BTreeMap<Ipv6Addr, Prefix>,
}

impl Taken {
    /// One that overlaps `resource`: the last that begins at or before it, or the first that begins inside
    /// it.
    fn overlapping(&self, resource: Prefix) -> Option<Prefix> {
        let before = self.by_address.range(..=resource.address()).next_back();
        let inside = self.by_address.range(resource.address()..=resource.last_address()).next();
        let mut neighbours = before.into_iter().chain(inside).map(|(_, neighbour)| *neighbour);
        neighbours.find(|neighbour| neighbour.overlaps(resource))
    }
}
