//! Clients: the leases of one DUID on one link, by identity association.
//!
//! Kea keeps leases; the unit here is the client. Its leases may stand anywhere in the files, were heard of
//! at different times, and may have come through different relays: the lease heard of last says where the
//! client is.
//!
//! A declined lease is nobody's in Kea, and must rest all the same. It is kept as the lease of a client on its
//! link that has the DUID which Kea writes for nobody, 00:00:00.

use std::net::Ipv6Addr;

use lease::{Binding, Client, ClientKey, Heard, IaKind, Lease, LeaseState, LinkId, RelayPath, Resource};
use wire::{Duid, Iaid, OptionCode, Prefix};

use super::ImportError;
use super::leases::{LeaseLine, LeaseType, Strictness};
use super::links::Links;
use super::settle::Settled;
use super::summary::Summary;

/// Leases of one client on one link. A record may have 1 MiB, of which a lease takes up to 54 octets; whoever
/// has thousands is no client but a mistake.
const MAX_LEASES: usize = 10_000;
/// What Kea writes in place of a DUID for a lease that is nobody's.
const NOBODY: [u8; 3] = [0, 0, 0];

/// From the files' time to real time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    /// Seconds since 1970 in reality.
    pub(super) now: u64,
    /// Seconds since 1970 in the files, at the same moment.
    pub(super) file_now: u64,
    /// Seconds that a lease is remembered after its end.
    pub(super) remember_secs: u32,
}

impl Clock {
    /// Whether what ended at a moment of the files is still remembered.
    pub(super) fn is_remembered(self, ended_at: u64) -> bool {
        ended_at.saturating_add(u64::from(self.remember_secs)) > self.file_now
    }

    /// A moment of the files, in reality. What would lie before 1970 lies there.
    fn real(self, file_time: u64) -> u64 {
        if file_time >= self.file_now {
            self.now.saturating_add(file_time - self.file_now)
        } else {
            self.now.saturating_sub(self.file_now - file_time)
        }
    }
}

/// Groups leases, in the order of links and DUIDs.
pub(super) fn group(
    leases: Vec<Settled>,
    links: &mut Links,
    clock: Clock,
    strictness: Strictness,
    summary: &mut Summary,
) -> Result<Vec<Client>, ImportError> {
    let mut held: Vec<Held> =
        leases.into_iter().filter_map(|lease| Held::new(lease, links, clock, summary)).collect();
    held.sort_unstable_by(|a, b| a.order().cmp(&b.order()));
    let mut clients = Vec::new();
    for leases in held.chunk_by(|a, b| (a.link, &a.duid) == (b.link, &b.duid)) {
        let (leases, too_many) = leases.split_at(leases.len().min(MAX_LEASES));
        for lease in too_many {
            let reason = || format!("the client holds more than {MAX_LEASES} leases on one link");
            lease.line.leave_out(reason, strictness, summary)?;
        }
        let active = leases.iter().filter(|lease| lease.lease.state == LeaseState::Active);
        summary.active += active.count() as u64;
        clients.push(client(leases, clock, summary));
    }
    summary.clients = clients.len() as u64;
    Ok(clients)
}

/// A lease that counts: whose, where, and as what it is kept.
struct Held {
    duid: Duid,
    link: LinkId,
    kind: IaKind,
    lease: Lease,
    line: LeaseLine,
}

impl Held {
    /// `None` for a lease of a temporary address, or one without a client: neither counts.
    fn new(settled: Settled, links: &mut Links, clock: Clock, summary: &mut Summary) -> Option<Self> {
        let Settled { mut line, state } = settled;
        let duid = match state {
            LeaseState::Declined => {
                line.iaid = Iaid(0);
                Duid::new(&NOBODY).ok()?
            }
            LeaseState::Active | LeaseState::Released | LeaseState::Expired => line.duid.take()?,
        };
        let link = links.of_subnet(line.subnet, summary);
        let (kind, resource, excluded) = match line.lease_type {
            LeaseType::Address => (IaKind::Address, Resource::Address(line.resource.address()), None),
            LeaseType::Prefix => {
                let mut pools = link.delegation_pools.iter();
                let excluded = pools.find_map(|pool| pool.excluded_from(line.resource));
                (IaKind::Prefix, Resource::Prefix(line.resource), excluded)
            }
            LeaseType::Temporary => return None,
        };
        let (since, preferred_secs, valid_secs) = match state {
            LeaseState::Active => (line.heard_at, line.preferred_secs.min(line.valid_secs), line.valid_secs),
            // Kea makes the time an address rests its valid lifetime.
            LeaseState::Declined => (line.heard_at, 0, line.valid_secs),
            LeaseState::Released | LeaseState::Expired => (line.ended_at(), 0, clock.remember_secs),
        };
        let granted_unix_secs = clock.real(since);
        let lease = Lease { resource, state, granted_unix_secs, preferred_secs, valid_secs, excluded };
        Some(Self { duid, link: link.id, kind, lease, line })
    }

    fn order(&self) -> (LinkId, &Duid, IaKind, u32, Prefix) {
        (self.link, &self.duid, self.kind, self.line.iaid.0, self.line.resource)
    }
}

/// The client of these leases, of which there is at least one.
fn client(leases: &[Held], clock: Clock, summary: &mut Summary) -> Client {
    // Of several leases heard of in one second, the one that was written last.
    let heard = |lease: &&Held| (lease.line.heard_at, lease.line.place);
    let latest = leases.iter().max_by_key(heard).expect("a group has a member");
    let fqdn = latest.line.fqdn.iter().map(|name| (OptionCode::CLIENT_FQDN, name.clone()));
    Client {
        key: ClientKey { link: latest.link, duid: latest.duid.clone() },
        heard: Heard {
            at_unix_secs: clock.real(latest.line.heard_at),
            path: relay_path(&latest.line, summary),
        },
        options: fqdn.collect(),
        reconfigure: None,
        bindings: leases
            .chunk_by(|a, b| (a.kind, a.line.iaid) == (b.kind, b.line.iaid))
            .map(binding)
            .collect(),
    }
}

/// The identity association of these leases, of which there is at least one.
fn binding(leases: &[Held]) -> Binding {
    Binding {
        kind: leases[0].kind,
        iaid: leases[0].line.iaid,
        leases: leases.iter().map(|lease| lease.lease).collect(),
    }
}

/// The relays, if they can be had; if not, a warning. Kea does not store from where the last relay sent.
fn relay_path(line: &LeaseLine, summary: &mut Summary) -> Option<RelayPath> {
    let path = match &line.relays {
        Ok(None) => return None,
        Ok(Some(octets)) => RelayPath::new(Ipv6Addr::UNSPECIFIED, octets).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    path.map_err(|error| {
        let file = summary.file(line.place.file).to_owned();
        summary.warn(|| format!("{file}:{}: {error}; imported without its relays", line.place.line));
    })
    .ok()
}
