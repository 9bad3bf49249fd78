//! What a server said of a client, owned, with times that stay true while time passes.
//!
//! Lifetimes are counted from the receipt of the message on the clock that never steps; CLT_TIME
//! only says whose word is fresher and is never subtracted from a lifetime.

use std::net::Ipv6Addr;
use std::time::Duration;

use wire::{Duid, INFINITE, RelayMessage};
use world::Instant;

use crate::client_data::{ClientData, Lease, Resource};
use crate::relay_path::RelayPath;

/// One message's word on one client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientRecord {
    /// The client.
    pub client_id: Duid,
    /// When the message was received.
    pub received: Instant,
    /// Seconds between the client's last word to the server and the receipt; `None` is unknown.
    pub last_heard_secs: Option<u32>,
    /// The relays through which the server heard it.
    pub relay: Option<RelayRecord>,
    /// The leases with time left.
    pub leases: Vec<LeaseRecord>,
}

/// A lease and until when it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseRecord {
    /// What is leased.
    pub resource: Resource,
    /// Until when it is preferred.
    pub preferred: Lifetime,
    /// Until when it is valid.
    pub valid: Lifetime,
}

/// Until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lifetime {
    /// Until then.
    Until(Instant),
    /// For ever.
    Forever,
}

impl Lifetime {
    /// So many seconds as DHCPv6 writes them, counted from the receipt of the message.
    pub fn from_secs(secs: u32, received: Instant) -> Self {
        if secs == INFINITE {
            Self::Forever
        } else {
            Self::Until(received + Duration::from_secs(secs.into()))
        }
    }

    /// What is left of it, in seconds as DHCPv6 writes them; a second that has begun counts.
    pub fn left_secs(self, now: Instant) -> u32 {
        let Self::Until(end) = self else { return INFINITE };
        let left = end.since(now);
        let begun = u64::from(left.subsec_nanos() > 0);
        u32::try_from(left.as_secs() + begun).unwrap_or(INFINITE - 1)
    }
}

/// The relays, the one nearest to the server first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayRecord {
    /// At least one.
    hops: Vec<HopRecord>,
}

/// One relay's Relay-forward.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HopRecord {
    /// Names the client's link; may be unspecified.
    pub link_address: Ipv6Addr,
    /// Who sent to this relay: at the innermost level the client, and thus the next hop to it.
    pub peer_address: Ipv6Addr,
    /// The relay's name for where it heard that.
    pub interface_id: Option<Vec<u8>>,
    /// Enterprise number and identifier, as one string of octets.
    pub remote_id: Option<Vec<u8>>,
    /// The relay's DUID.
    pub relay_id: Option<Duid>,
}

impl ClientRecord {
    /// Keeps what a message that has just been received says.
    pub fn new(data: &ClientData<'_>, received: Instant) -> Self {
        let mut leases = Vec::with_capacity(data.lease_count);
        leases.extend(data.leases().map(|lease| LeaseRecord::new(lease, received)));
        Self {
            client_id: data.client_id.to_duid(),
            received,
            last_heard_secs: data.last_heard_secs,
            relay: data.relay_path.map(RelayRecord::new),
            leases,
        }
    }
}

impl LeaseRecord {
    fn new(lease: Lease, received: Instant) -> Self {
        let Lease { resource, preferred_secs, valid_secs } = lease;
        Self {
            resource,
            preferred: Lifetime::from_secs(preferred_secs, received),
            valid: Lifetime::from_secs(valid_secs, received),
        }
    }
}

impl RelayRecord {
    fn new(path: RelayPath<'_>) -> Self {
        let mut hops = Vec::with_capacity(path.hops().count());
        hops.extend(path.hops().map(|hop| HopRecord::new(&hop)));
        Self { hops }
    }

    /// The level of the relay nearest to the client.
    pub fn innermost(&self) -> &HopRecord {
        self.hops.last().expect("a relay path has at least one level")
    }

    /// All levels, the relay nearest to the server first.
    pub fn hops(&self) -> &[HopRecord] {
        &self.hops
    }
}

impl HopRecord {
    fn new(hop: &RelayMessage<'_>) -> Self {
        Self {
            link_address: hop.link_address,
            peer_address: hop.peer_address,
            interface_id: hop.interface_id().map(<[u8]>::to_vec),
            remote_id: hop.remote_id().map(<[u8]>::to_vec),
            relay_id: hop.relay_id().map(wire::DuidRef::to_duid),
        }
    }
}
