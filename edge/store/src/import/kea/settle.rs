//! From the leases that stand in the files to those that are in force.
//!
//! What Kea still remembers but nobody holds is counted and left out: what has expired, was given back or was
//! declined, temporary addresses, and addresses that clients chose for themselves. Of what remains, no
//! address lies in two leases: Kea does not look whether one delegated prefix lies inside another, or an
//! address inside a prefix, and an edited configuration can bring that about. The lease told of last is kept.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;

use wire::Prefix;

use super::ImportError;
use super::leases::{LeaseLine, LeaseState, LeaseType, Strictness};
use super::summary::Summary;

/// The leases in force at `file_now`, in the order of their addresses.
pub(super) fn in_force(
    mut lines: Vec<LeaseLine>,
    file_now: u64,
    strictness: Strictness,
    summary: &mut Summary,
) -> Result<Vec<LeaseLine>, ImportError> {
    lines.retain(|line| counts(line, file_now, summary));
    let declined = summary.declined;
    if declined > 0 {
        summary.warn(|| {
            format!("{declined} declined addresses may be assigned again: they are nobody's leases")
        });
    }
    lines.sort_unstable_by_key(|line| line.resource);
    without_overlaps(lines, strictness, summary)
}

/// Whether a lease is in force; if not, it is counted for what it is.
fn counts(line: &LeaseLine, file_now: u64, summary: &mut Summary) -> bool {
    let expired = line.expires_at().is_some_and(|expires_at| expires_at < file_now);
    let count = match (line.state, line.lease_type) {
        (LeaseState::Released, _) => &mut summary.released,
        (LeaseState::Reclaimed, _) => &mut summary.expired,
        _ if expired => &mut summary.expired,
        (LeaseState::Declined, _) => &mut summary.declined,
        (LeaseState::Registered, _) => &mut summary.registered,
        (LeaseState::Assigned, LeaseType::Temporary) => &mut summary.temporary,
        (LeaseState::Assigned, LeaseType::Address | LeaseType::Prefix) => return true,
    };
    *count += 1;
    false
}

/// Leaves out each lease that overlaps one told of later. `lines` are in the order of their addresses, so
/// what lies inside a prefix stands directly behind it.
fn without_overlaps(
    lines: Vec<LeaseLine>,
    strictness: Strictness,
    summary: &mut Summary,
) -> Result<Vec<LeaseLine>, ImportError> {
    let mut kept: Vec<LeaseLine> = Vec::with_capacity(lines.len());
    let mut lines = lines.into_iter().peekable();
    while let Some(first) = lines.next() {
        let whole = first.resource;
        let inside = |line: &LeaseLine| whole.covers(line.resource);
        let Some(second) = lines.next_if(inside) else {
            kept.push(first);
            continue;
        };
        let mut cluster = vec![first, second];
        while let Some(line) = lines.next_if(inside) {
            cluster.push(line);
        }
        kept.extend(latest_of(cluster, strictness, summary)?);
    }
    Ok(kept)
}

/// Of leases that all lie in the first of them, those that overlap none told of later.
fn latest_of(
    mut cluster: Vec<LeaseLine>,
    strictness: Strictness,
    summary: &mut Summary,
) -> Result<Vec<LeaseLine>, ImportError> {
    cluster.sort_unstable_by_key(|line| std::cmp::Reverse(line.place));
    let mut taken = Taken::default();
    let mut kept = Vec::new();
    for line in cluster {
        match taken.overlapping(line.resource) {
            None => {
                taken.by_address.insert(line.resource.address(), line.resource);
                kept.push(line);
            }
            Some(later) => {
                let reason = || format!("{} overlaps {later}, which a later line tells of", line.resource);
                line.leave_out(reason, strictness, summary)?;
            }
        }
    }
    kept.sort_unstable_by_key(|line| line.resource);
    Ok(kept)
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
