//! Ports: the interfaces that clients are on, and the names by which servers remember them.
//!
//! A port is its Interface-ID. Its number in the kernel and its name may change at any time, and it
//! may be gone for a while; what is delegated on it is kept by its [`PortId`], which stands for the
//! Interface-ID for as long as the program runs. So a route finds its way back to an interface that
//! has come again under another number.

mod template;

use std::collections::BTreeMap;
use std::net::Ipv6Addr;

use crate::limits::MAX_PORTS;

pub use template::{ExpandError, Facts, Template, TemplateError};

/// A port, present or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PortId(u32);

impl PortId {
    /// Not after any other.
    pub(crate) const FIRST: Self = Self(0);
}

/// An interface that clients are on, as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// Its number in the kernel.
    pub index: u32,
    /// Its name in the kernel.
    pub name: String,
    /// The Interface-ID that goes with what its clients send; stable over restarts, and no other
    /// port's. At least one octet.
    pub interface_id: Box<[u8]>,
    /// What names its link in Relay-forwards: global or unique-local if there is such an address, else
    /// link-local, else unspecified.
    pub link_address: Ipv6Addr,
    /// All its addresses that may name it, `link_address` among them.
    pub addresses: Vec<Ipv6Addr>,
    /// The Remote-ID that goes with what its clients send (RFC 4649).
    pub remote_id: Option<RemoteId>,
    /// The Subscriber-ID that goes with what its clients send (RFC 4580); at least one octet.
    pub subscriber_id: Option<Box<[u8]>>,
    /// What its clients may do.
    pub rules: PortRules,
}

/// A Remote-ID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteId {
    /// Whose numbering the value follows.
    pub enterprise: u32,
    /// At least one octet.
    pub value: Box<[u8]>,
}

/// What the clients of a port may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortRules {
    /// Whether Relay-forwards are accepted: whether there are relays behind this port.
    pub accepts_relays: bool,
    /// Whether LEASEQUERY is relayed (RFC 5007 §5).
    pub accepts_leasequery: bool,
    /// Whether messages that a client has sent to an address of this relay are relayed (RFC 9915 §16).
    pub accepts_unicast: bool,
    /// Delegations of one client here (RFC 8987 §4.2 G-5).
    pub max_delegations_per_client: usize,
    /// Delegations of all clients here (RFC 8987 §4.2 G-6).
    pub max_delegations: usize,
}

impl Default for PortRules {
    fn default() -> Self {
        Self {
            accepts_relays: true,
            accepts_leasequery: false,
            accepts_unicast: false,
            max_delegations_per_client: crate::limits::DEFAULT_DELEGATIONS_PER_CLIENT,
            max_delegations: crate::limits::DEFAULT_DELEGATIONS_PER_PORT,
        }
    }
}

/// All ports, to be found by number and by Interface-ID.
#[derive(Debug, Default)]
pub struct Ports {
    /// By `PortId`; never shrinks.
    slots: Vec<Slot>,
    by_interface_id: BTreeMap<Box<[u8]>, PortId>,
    by_index: BTreeMap<u32, PortId>,
    /// Addresses of exactly one present port.
    by_address: BTreeMap<Ipv6Addr, Option<PortId>>,
}

#[derive(Debug)]
struct Slot {
    interface_id: Box<[u8]>,
    present: Option<Port>,
}

impl Ports {
    /// Has these ports present from now on, and no others. Of two with one Interface-ID the first one
    /// counts. Gives those that have come, gone or changed.
    pub fn update(&mut self, present: Vec<Port>) -> Vec<PortId> {
        let mut next: BTreeMap<PortId, Port> = BTreeMap::new();
        for port in present {
            if let Some(id) = self.intern(&port.interface_id) {
                next.entry(id).or_insert(port);
            }
        }
        let mut changed = Vec::new();
        for (number, slot) in self.slots.iter_mut().enumerate() {
            let id = PortId(u32::try_from(number).expect("there are at most MAX_PORTS"));
            let now = next.remove(&id);
            if slot.present != now {
                slot.present = now;
                changed.push(id);
            }
        }
        self.index();
        changed
    }

    fn index(&mut self) {
        self.by_index.clear();
        self.by_address.clear();
        for (id, port) in present(&self.slots) {
            self.by_index.insert(port.index, id);
            for address in &port.addresses {
                self.by_address.entry(*address).and_modify(|only| *only = None).or_insert(Some(id));
            }
        }
    }

    /// The port of an Interface-ID, present or not; nothing when there are `MAX_PORTS` already.
    pub fn intern(&mut self, interface_id: &[u8]) -> Option<PortId> {
        if let Some(id) = self.by_interface_id.get(interface_id) {
            return Some(*id);
        }
        if self.slots.len() >= MAX_PORTS {
            return None;
        }
        let id = PortId(u32::try_from(self.slots.len()).ok()?);
        self.slots.push(Slot { interface_id: interface_id.into(), present: None });
        self.by_interface_id.insert(interface_id.into(), id);
        Some(id)
    }

    /// A port that is present.
    pub fn present(&self, id: PortId) -> Option<&Port> {
        self.slots.get(id.0 as usize)?.present.as_ref()
    }

    /// Every port that is present.
    pub fn all_present(&self) -> impl Iterator<Item = (PortId, &Port)> {
        present(&self.slots)
    }

    /// The Interface-ID of a port, present or not.
    ///
    /// # Panics
    ///
    /// With a `PortId` of other `Ports`.
    pub fn interface_id(&self, id: PortId) -> &[u8] {
        &self.slots[id.0 as usize].interface_id
    }

    /// The port with this number in the kernel.
    pub fn with_index(&self, index: u32) -> Option<PortId> {
        self.by_index.get(&index).copied()
    }

    /// The port with this Interface-ID, if it has ever been heard of.
    pub fn with_interface_id(&self, interface_id: &[u8]) -> Option<PortId> {
        self.by_interface_id.get(interface_id).copied()
    }

    /// Whether a present port has this address, or several.
    pub fn have_address(&self, address: Ipv6Addr) -> bool {
        self.by_address.contains_key(&address)
    }

    /// The present port with this address, if there is only one.
    pub fn with_address(&self, address: Ipv6Addr) -> Option<PortId> {
        self.by_address.get(&address).copied().flatten()
    }
}

fn present(slots: &[Slot]) -> impl Iterator<Item = (PortId, &Port)> {
    (0..).zip(slots).filter_map(|(number, slot)| Some((PortId(number), slot.present.as_ref()?)))
}
