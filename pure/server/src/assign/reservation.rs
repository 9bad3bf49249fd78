//! What is kept for somebody: a client, or whoever is behind a subscriber's port.

use std::net::Ipv6Addr;

use lease::{LinkId, Resource};
use wire::{Duid, Iaid, Prefix};

use crate::exchange::OfferedOptions;

/// For whom something is kept. Identifiers are compared whole and never read (RFC 9915 §13.1).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subscriber {
    /// A client, whatever the identity association.
    Client(Duid),
    /// One identity association of a client, by its number.
    Association(Duid, Iaid),
    /// Whoever is behind this port: a Remote-ID (enterprise number included), as one relay has said
    /// it, or as any has.
    RemoteId(Option<Duid>, Box<[u8]>),
    /// Whoever is behind this port: an Interface-ID, as one relay has said it.
    InterfaceId(Duid, Box<[u8]>),
    /// A client by its link-layer address, hardware type first, as the relay nearest to it has said
    /// (RFC 6939).
    LinkLayer(u16, Box<[u8]>),
}

/// What is kept for a subscriber on a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// The link.
    pub link: LinkId,
    /// For whom.
    pub subscriber: Subscriber,
    /// Addresses that nobody else is given.
    pub addresses: Vec<Ipv6Addr>,
    /// Prefixes that nobody else is delegated.
    pub prefixes: Vec<Prefix>,
    /// Options for this subscriber; they stand before those of the pool.
    pub options: OfferedOptions,
}

impl Reservation {
    /// All that is kept, addresses first.
    pub fn resources(&self) -> impl Iterator<Item = Resource> {
        let addresses = self.addresses.iter().map(|address| Resource::Address(*address));
        addresses.chain(self.prefixes.iter().map(|prefix| Resource::Prefix(*prefix)))
    }
}
