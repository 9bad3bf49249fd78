//! A client as it is shown: its leases, grouped by the relays through which it was heard.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;

use requestor::{HopRecord, MergedLease, RelayRecord, Resource, SourceId};
use serde::Serialize;

use super::Answers;
use crate::relays::{self, Hop, RemoteId};

/// A client on one link.
#[derive(Debug, Serialize)]
pub(super) struct ClientView {
    pub(super) duid: String,
    /// Seconds since a server last heard from it; null is unknown.
    pub(super) last_transaction_secs: Option<u64>,
    /// Of the relay nearest to the client.
    pub(super) link_address: Option<Ipv6Addr>,
    /// The relay nearest to the server first.
    pub(super) relay_path: Vec<Hop>,
    pub(super) leases: Vec<LeaseView>,
}

/// One lease; 4294967295 seconds are for ever.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum LeaseView {
    Address { address: String, preferred_secs: u32, valid_secs: u32, server: String },
    Prefix { prefix: String, preferred_secs: u32, valid_secs: u32, server: String },
}

impl ClientView {
    /// The relay nearest to the client.
    pub(super) fn nearest_relay(&self) -> Option<&Hop> {
        self.relay_path.last()
    }
}

/// Every client on every link, in order of DUID.
pub(super) fn clients<'a>(answers: &'a Answers<'_>) -> impl Iterator<Item = ClientView> + 'a {
    answers.merged.clients().flat_map(|(duid, leases)| {
        let mut by_path: BTreeMap<Vec<PathKey>, ClientView> = BTreeMap::new();
        for lease in leases {
            let relay = lease.told.relay.as_ref();
            let view = by_path.entry(path_key(relay)).or_insert_with(|| ClientView {
                duid: duid.to_string(),
                last_transaction_secs: None,
                link_address: relay.map(|relay| relay.innermost().link_address),
                relay_path: relay.map_or(&[][..], RelayRecord::hops).iter().map(hop).collect(),
                leases: Vec::new(),
            });
            let silent = lease.told.silent_secs(answers.now);
            view.last_transaction_secs = view.last_transaction_secs.into_iter().chain(silent).min();
            view.leases.push(LeaseView::new(lease, answers));
        }
        by_path.into_values()
    })
}

type PathKey = (Ipv6Addr, Ipv6Addr, Option<Vec<u8>>);

fn path_key(relay: Option<&RelayRecord>) -> Vec<PathKey> {
    let key = |hop: &HopRecord| (hop.link_address, hop.peer_address, hop.interface_id.clone());
    relay.map_or(&[][..], RelayRecord::hops).iter().map(key).collect()
}

fn hop(record: &HopRecord) -> Hop {
    let HopRecord { link_address, peer_address, interface_id, remote_id, relay_id } = record;
    Hop {
        link_address: *link_address,
        peer_address: *peer_address,
        interface_id: interface_id.as_deref().map(relays::hex),
        interface_text: interface_id.as_deref().and_then(relays::printable),
        remote_id: remote_id.as_deref().and_then(RemoteId::new).map(|id| id.to_string()),
        relay_id: relay_id.as_ref().map(ToString::to_string),
    }
}

impl LeaseView {
    fn new(merged: &MergedLease, answers: &Answers<'_>) -> Self {
        let SourceId(source) = merged.told.source;
        let server = answers.reports[source].address.clone();
        let preferred_secs = merged.lease.preferred.left_secs(answers.now);
        let valid_secs = merged.lease.valid.left_secs(answers.now);
        match merged.lease.resource {
            Resource::Address(address) => {
                Self::Address { address: address.to_string(), preferred_secs, valid_secs, server }
            }
            Resource::Prefix(prefix) => {
                Self::Prefix { prefix: prefix.to_string(), preferred_secs, valid_secs, server }
            }
        }
    }

    /// Kind, address or prefix, preferred and valid lifetime, server.
    pub(super) fn columns(&self) -> (&'static str, &str, u32, u32, &str) {
        match self {
            Self::Address { address, preferred_secs, valid_secs, server } => {
                ("address", address, *preferred_secs, *valid_secs, server)
            }
            Self::Prefix { prefix, preferred_secs, valid_secs, server } => {
                ("prefix", prefix, *preferred_secs, *valid_secs, server)
            }
        }
    }
}
