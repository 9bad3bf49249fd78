//! What is leased.

use std::fmt;
use std::net::Ipv6Addr;

use wire::Prefix;

/// An address, or a delegated prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// Leased in an IA_NA.
    Address(Ipv6Addr),
    /// Delegated in an IA_PD.
    Prefix(Prefix),
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(f, "{address}"),
            Self::Prefix(prefix) => write!(f, "{prefix}"),
        }
    }
}
