//! Who takes part, by name: in a transcript a name stands for a DUID where there is one, and for an address where
//! there is one.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;

use crate::nodes::NodeId;

/// Everybody's names.
#[derive(Debug, Clone, Default)]
pub(super) struct Cast {
    nodes: BTreeMap<String, NodeId>,
    duids: BTreeMap<String, Vec<u8>>,
    addresses: BTreeMap<String, Ipv6Addr>,
}

impl Cast {
    /// Somebody joins.
    pub(super) fn join(&mut self, name: &str, node: NodeId, duid: &[u8], address: Option<Ipv6Addr>) {
        self.nodes.insert(name.to_owned(), node);
        self.duids.insert(name.to_owned(), duid.to_vec());
        if let Some(address) = address {
            self.addresses.insert(name.to_owned(), address);
        }
    }

    /// A name for a DUID alone: somebody who is spoken of and does not take part.
    pub(super) fn mention(&mut self, name: &str, duid: &[u8]) {
        self.duids.insert(name.to_owned(), duid.to_vec());
    }

    pub(super) fn node(&self, name: &str) -> Option<NodeId> {
        self.nodes.get(name).copied()
    }

    pub(super) fn name_of(&self, node: NodeId) -> Option<&str> {
        self.nodes.iter().find(|(_, known)| **known == node).map(|(name, _)| name.as_str())
    }

    pub(super) fn knows(&self, name: &str) -> bool {
        self.duids.contains_key(name)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.duids.keys().map(String::as_str)
    }

    pub(super) fn duid(&self, name: &str) -> Option<&[u8]> {
        self.duids.get(name).map(Vec::as_slice)
    }

    pub(super) fn address(&self, name: &str) -> Option<Ipv6Addr> {
        self.addresses.get(name).copied()
    }

    /// Whose DUID it is.
    pub(super) fn called(&self, duid: &[u8]) -> Option<&str> {
        self.duids.iter().find(|(_, known)| *known == duid).map(|(name, _)| name.as_str())
    }
}
