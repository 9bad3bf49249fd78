//! What each server holds, by all that it has written down to become durable: kept without any index, so that
//! whoever wants to find somebody has to look at everybody.

use std::collections::BTreeMap;

use lease::{ClientView, LeaseState, Resource};

use super::told::{Path, Range, levels, only, option};
use crate::nodes::NodeId;
use crate::universe::{Observed, Universe};

/// What a client is kept under: link and DUID.
pub(super) type Key = Vec<u8>;

/// Every server's clients.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    servers: BTreeMap<usize, Holding>,
}

/// A server's clients, and how far they are durable.
#[derive(Debug, Default)]
pub(super) struct Holding {
    pub(super) clients: BTreeMap<Key, Held>,
    /// Changes since its start.
    pub(super) changes: usize,
    /// Those of them that are durable: the oldest.
    pub(super) durable: usize,
}

/// A client on a link.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) link: u32,
    pub(super) duid: Vec<u8>,
    pub(super) heard_unix_secs: u64,
    /// How its message came.
    pub(super) path: Option<Path>,
    pub(super) relay_ids: Vec<Vec<u8>>,
    pub(super) remote_ids: Vec<Vec<u8>>,
    pub(super) options: Vec<(u16, Vec<u8>)>,
    /// Only those that are active.
    pub(super) leases: Vec<HeldLease>,
}

/// An active lease.
#[derive(Debug, Clone, Copy)]
pub(super) struct HeldLease {
    pub(super) range: Range,
    granted_unix_secs: u64,
    preferred_secs: u32,
    valid_secs: u32,
    pub(super) excluded: Option<Range>,
}

impl Ledger {
    /// Follows what happens.
    pub(super) fn observe(&mut self, observed: &Observed, universe: &Universe) {
        if self.servers.is_empty() {
            (0..universe.nodes.servers.len()).for_each(|server| self.load(server, universe));
        }
        match observed {
            Observed::Started(NodeId::Server(server)) => self.load(*server, universe),
            Observed::Committed(NodeId::Server(server), count) => self.holding_mut(*server).durable += count,
            Observed::Changed(NodeId::Server(server), images) => {
                let holding = self.holding_mut(*server);
                holding.changes += images.len();
                for image in images.iter() {
                    match &image.image {
                        Some(octets) => holding.clients.insert(image.key.clone(), Held::read(octets)),
                        None => holding.clients.remove(&image.key),
                    };
                }
            }
            _ => {}
        }
    }

    /// A server that starts holds what it has left behind.
    fn load(&mut self, server: usize, universe: &Universe) {
        let mut holding = Holding::default();
        universe.nodes.servers[server].durable(|client| {
            let held = Held::of(&client);
            holding.clients.insert([&held.link.to_be_bytes()[..], &held.duid].concat(), held);
        });
        self.servers.insert(server, holding);
    }

    /// What a server holds.
    pub(super) fn holding(&self, server: usize) -> &Holding {
        &self.servers[&server]
    }

    fn holding_mut(&mut self, server: usize) -> &mut Holding {
        self.servers.get_mut(&server).expect("every server has been loaded")
    }
}

impl Held {
    fn read(image: &[u8]) -> Self {
        Self::of(&ClientView::decode(image).expect("a server writes what can be read"))
    }

    fn of(client: &ClientView<'_>) -> Self {
        let path = client.path().map(|path| (client.peer_address, path.to_vec()));
        let hops = path.iter().flat_map(|(_, path)| levels(path)).map(|level| level.options);
        let hops: Vec<_> = hops.collect();
        let of_hops = |code| hops.iter().filter_map(move |hop| only(hop, code)).map(<[u8]>::to_vec);
        let active = client.leases().map(|held| held.lease).filter(|lease| lease.state == LeaseState::Active);
        Self {
            link: client.link.0,
            duid: client.duid.octets().to_vec(),
            heard_unix_secs: client.heard_unix_secs,
            relay_ids: of_hops(option::RELAY_ID).collect(),
            remote_ids: of_hops(option::REMOTE_ID).collect(),
            options: client.options().iter().map(|option| (option.code.0, option.data.to_vec())).collect(),
            leases: active.map(HeldLease::of).collect(),
            path: path.clone(),
        }
    }

    /// The leases that have time left.
    pub(super) fn living(&self, unix_secs: u64) -> impl Iterator<Item = &HeldLease> {
        self.leases.iter().filter(move |lease| lease.left_secs(unix_secs).1 > 0)
    }
}

impl HeldLease {
    fn of(lease: lease::Lease) -> Self {
        let whole = |prefix: wire::Prefix| Range { address: prefix.address(), length: prefix.length() };
        let range = match lease.resource {
            Resource::Address(address) => Range { address, length: 128 },
            Resource::Prefix(prefix) => whole(prefix),
        };
        Self {
            range,
            granted_unix_secs: lease.granted_unix_secs,
            preferred_secs: lease.preferred_secs,
            valid_secs: lease.valid_secs,
            excluded: lease.excluded.map(whole),
        }
    }

    /// Until when it lasts.
    pub(super) fn until(&self) -> u64 {
        if self.valid_secs == u32::MAX {
            u64::MAX
        } else {
            self.granted_unix_secs + u64::from(self.valid_secs)
        }
    }

    /// Preferred and valid lifetime that are left then.
    pub(super) fn left_secs(&self, unix_secs: u64) -> (u32, u32) {
        let left = |secs: u32| match secs {
            u32::MAX => u32::MAX,
            // A clock that was set back does not make a lease longer than it was granted.
            secs => {
                let end = self.granted_unix_secs + u64::from(secs);
                end.saturating_sub(unix_secs).min(secs.into()) as u32
            }
        };
        let valid_secs = left(self.valid_secs);
        (left(self.preferred_secs).min(valid_secs), valid_secs)
    }
}
