//! What a server tells of a client, as delegations of ours.

use std::net::Ipv6Addr;
use std::time::Duration;

use requestor::{ClientData, Lease, Lifetime, Resource};
use wire::{IaKind, Prefix};
use world::Instant;

use super::place::{NoPlace, Placed};
use super::unplaced::Unplaced;
use crate::delegations::{Delegation, ServerId, Teller};
use crate::moment::Moment;

/// CLT_TIME is cut to seconds: the client may have been heard so much earlier than it says.
const CUT_OFF: Duration = Duration::from_secs(1);

/// What a relay takes an interest in. All else that a server tells of is none of its business.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Territory {
    /// What delegated prefixes lie in; anywhere if this is empty.
    pub prefixes: Vec<Prefix>,
    /// What addresses lie in, if they are wanted at all; anywhere if this is empty.
    pub addresses: Option<Vec<Prefix>>,
}

impl Territory {
    /// Whether this prefix, or this address as a prefix of 128 bits, lies inside.
    pub fn holds(&self, kind: IaKind, prefix: Prefix) -> bool {
        let networks = match kind {
            IaKind::Prefix => &self.prefixes,
            IaKind::Address => match &self.addresses {
                Some(networks) => networks,
                None => return false,
            },
        };
        networks.is_empty() || networks.iter().any(|network| network.covers(prefix))
    }
}

/// Who told it, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// The server.
    pub server: ServerId,
    /// When its message was received: from then lifetimes count (RFC 5007 §4.3.3).
    pub received: Instant,
}

/// Every lease inside the territory, as a delegation at that place, or as one that has none.
pub fn delegations_of<'a>(
    client: &'a ClientData<'a>,
    place: Result<Placed, NoPlace>,
    territory: &'a Territory,
    source: Source,
) -> impl Iterator<Item = Result<Delegation, Unplaced>> + 'a {
    let heard = heard(client.last_heard_secs, source.received);
    let leases = client.leases().map(|lease| (prefix_of(lease.resource), lease));
    let wanted = leases.filter(|((kind, prefix), _)| territory.holds(*kind, *prefix));
    wanted.map(move |((kind, prefix), lease)| {
        let client = client.client_id.to_duid();
        let Placed { port, next_hop } = match place {
            Ok(placed) => placed,
            Err(why) => return Err(Unplaced { prefix, kind, client, server: source.server, why }),
        };
        let (preferred, valid) = lifetimes(lease, source.received);
        let told_by = Teller::Server(source.server);
        Ok(Delegation { prefix, kind, client, iaid: None, port, next_hop, preferred, valid, heard, told_by })
    })
}

/// No later than the client can have been heard, so that an answer wins only where it is newer for
/// certain.
fn heard(last_heard_secs: Option<u32>, received: Instant) -> Moment {
    last_heard_secs
        .map_or(Moment::UNKNOWN, |secs| Moment::before(received, Duration::from_secs(secs.into()) + CUT_OFF))
}

fn lifetimes(lease: Lease, received: Instant) -> (Lifetime, Lifetime) {
    let Lease { resource: _, preferred_secs, valid_secs } = lease;
    (Lifetime::from_secs(preferred_secs, received), Lifetime::from_secs(valid_secs, received))
}

fn prefix_of(resource: Resource) -> (IaKind, Prefix) {
    match resource {
        Resource::Prefix(prefix) => (IaKind::Prefix, prefix),
        Resource::Address(address) => (IaKind::Address, host(address)),
    }
}

fn host(address: Ipv6Addr) -> Prefix {
    Prefix::new(address, 128).expect("128 bits are a prefix")
}
