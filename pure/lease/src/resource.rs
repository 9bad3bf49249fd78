//! What is leased.

use std::fmt;
use std::net::Ipv6Addr;

use wire::Prefix;

use crate::IaKind;

/// An address, or a delegated prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// Leased in an IA_NA.
    Address(Ipv6Addr),
    /// Delegated in an IA_PD.
    Prefix(Prefix),
}

impl Resource {
    /// The address, if it is one.
    #[inline]
    pub fn address(self) -> Option<Ipv6Addr> {
        match self {
            Self::Address(address) => Some(address),
            Self::Prefix(_) => None,
        }
    }

    /// The prefix, if it is one.
    #[inline]
    pub fn prefix(self) -> Option<Prefix> {
        match self {
            Self::Address(_) => None,
            Self::Prefix(prefix) => Some(prefix),
        }
    }

    /// Whether an identity association of this kind can hold it.
    pub fn is_of(self, kind: IaKind) -> bool {
        match self {
            Self::Address(_) => kind == IaKind::Address,
            Self::Prefix(_) => kind == IaKind::Prefix,
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(f, "{address}"),
            Self::Prefix(prefix) => write!(f, "{prefix}"),
        }
    }
}
