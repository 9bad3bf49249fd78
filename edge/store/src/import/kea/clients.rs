//! Clients: the leases of one DUID on one link, by identity association.
//!
//! Kea keeps leases; the unit here is the client. Its leases may stand anywhere in the files, were heard of
//! at different times, and may have come through different relays: the lease heard of last says where the
//! client is.

use std::sync::Arc;

use wire::{Duid, Iaid, Prefix};

use super::leases::{LeaseLine, LeaseType, Relays};
use super::links::Links;
use super::summary::Summary;

/// Everything one DUID holds on one link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedClient {
    /// Whose.
    pub duid: Duid,
    /// The link, as an index into the links imported.
    pub link: usize,
    /// When the client was last heard, in seconds since 1970.
    pub heard_at: u64,
    /// The relays it was heard through then: one Relay-forward with the others inside it. `None` if there
    /// were none, or Kea did not remember.
    pub relays: Option<Arc<[u8]>>,
    /// Its name, as the value of OPTION_CLIENT_FQDN.
    pub fqdn: Option<Box<[u8]>>,
    /// What it holds, in the order of type and IAID.
    pub bindings: Vec<ImportedBinding>,
}

/// One identity association.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedBinding {
    /// IA_NA ([`LeaseType::Address`]) or IA_PD ([`LeaseType::Prefix`]).
    pub lease_type: LeaseType,
    /// The client's number for it.
    pub iaid: Iaid,
    /// When the client was last heard about it, in seconds since 1970.
    pub heard_at: u64,
    /// Its leases, in the order of their addresses.
    pub leases: Vec<ImportedLease>,
}

/// One address or prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImportedLease {
    /// What is leased.
    pub resource: Prefix,
    /// When it was granted or last extended, in seconds since 1970; lifetimes count from here.
    pub granted_at: u64,
    /// Preferred lifetime in seconds, not longer than the valid one.
    pub preferred_secs: u32,
    /// Valid lifetime in seconds.
    pub valid_secs: u32,
}

/// From the files' time to real time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    /// Seconds since 1970 in reality.
    pub(super) now: u64,
    /// Seconds since 1970 in the files, at the same moment.
    pub(super) file_now: u64,
}

impl Clock {
    /// A moment of the files, in reality. What would lie before 1970 lies there.
    fn real(self, file_time: u64) -> u64 {
        if file_time >= self.file_now {
            self.now.saturating_add(file_time - self.file_now)
        } else {
            self.now.saturating_sub(self.file_now - file_time)
        }
    }
}

/// Groups leases in force, in the order of DUIDs and links.
pub(super) fn group(
    lines: Vec<LeaseLine>,
    links: &mut Links,
    clock: Clock,
    summary: &mut Summary,
) -> Vec<ImportedClient> {
    let mut owned: Vec<Owned> =
        lines.into_iter().filter_map(|line| Owned::new(line, links, summary)).collect();
    owned.sort_unstable_by(|a, b| a.order().cmp(&b.order()));
    let clients: Vec<ImportedClient> = owned
        .chunk_by(|a, b| (a.link, &a.duid) == (b.link, &b.duid))
        .map(|leases| client(leases, clock, summary))
        .collect();
    summary.clients = clients.len() as u64;
    clients
}

/// A lease that is somebody's, on a link.
struct Owned {
    duid: Duid,
    link: usize,
    line: LeaseLine,
}

impl Owned {
    /// `None` for a lease that is nobody's; none that is in force is.
    fn new(mut line: LeaseLine, links: &mut Links, summary: &mut Summary) -> Option<Self> {
        let duid = line.duid.take()?;
        Some(Self { duid, link: links.of_subnet(line.subnet, summary), line })
    }

    fn order(&self) -> (&Duid, usize, LeaseType, Iaid, Prefix) {
        (&self.duid, self.link, self.line.lease_type, self.line.iaid, self.line.resource)
    }
}

/// The client of these leases, of which there is at least one.
fn client(leases: &[Owned], clock: Clock, summary: &mut Summary) -> ImportedClient {
    let latest = latest(leases);
    ImportedClient {
        duid: latest.duid.clone(),
        link: latest.link,
        heard_at: clock.real(latest.line.heard_at),
        relays: relays(&latest.line, summary),
        fqdn: latest.line.fqdn.clone(),
        bindings: leases
            .chunk_by(|a, b| (a.line.lease_type, a.line.iaid) == (b.line.lease_type, b.line.iaid))
            .map(|leases| binding(leases, clock))
            .collect(),
    }
}

fn binding(leases: &[Owned], clock: Clock) -> ImportedBinding {
    let latest = &latest(leases).line;
    ImportedBinding {
        lease_type: latest.lease_type,
        iaid: latest.iaid,
        heard_at: clock.real(latest.heard_at),
        leases: leases.iter().map(|lease| imported_lease(&lease.line, clock)).collect(),
    }
}

fn imported_lease(line: &LeaseLine, clock: Clock) -> ImportedLease {
    ImportedLease {
        resource: line.resource,
        granted_at: clock.real(line.heard_at),
        preferred_secs: line.preferred_secs.min(line.valid_secs),
        valid_secs: line.valid_secs,
    }
}

/// The lease heard of last; of several heard of in one second, the one that was written last.
fn latest(leases: &[Owned]) -> &Owned {
    let heard = |lease: &&Owned| (lease.line.heard_at, lease.line.place);
    leases.iter().max_by_key(heard).expect("a group has a member")
}

/// The relays, if they can be had; if not, a warning.
fn relays(line: &LeaseLine, summary: &mut Summary) -> Option<Arc<[u8]>> {
    let relays: &Relays = &line.relays;
    relays.clone().unwrap_or_else(|error| {
        let file = summary.file(line.place.file).to_owned();
        summary.warn(|| format!("{file}:{}: {error}; imported without its relays", line.place.line));
        None
    })
}
