//! A route, and what the kernel is told of it.
//!
//! All routes of one relay share protocol number, table and metric; so a destination has at most one of
//! ours.

use std::net::Ipv6Addr;

use wire::Prefix;

/// A route as the kernel has it, or shall have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    /// Where it leads.
    pub destination: Prefix,
    /// By which way.
    pub target: Target,
}

/// The way of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// To a neighbour.
    Via {
        /// The neighbour's address.
        next_hop: Ipv6Addr,
        /// The number of the interface that it is on.
        interface_index: u32,
    },
    /// To nobody: what is sent there comes back as unreachable, and does not loop.
    Unreachable,
}

/// What the kernel is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// To have a route where there is none.
    Add(Route),
    /// To have another way to a destination to which there is a route of ours.
    Replace {
        /// The route that shall be there.
        to: Route,
        /// The way of the one that is.
        from: Target,
    },
    /// To have a route of ours no longer.
    Delete(Route),
}

impl Change {
    /// Which route is meant.
    pub fn destination(&self) -> Prefix {
        match self {
            Self::Add(route) | Self::Delete(route) | Self::Replace { to: route, .. } => route.destination,
        }
    }
}

/// Why the kernel did not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Failure {
    /// To add: somebody else's route stands in that place.
    Taken,
    /// The interface is gone or down, or the next hop cannot be reached by it.
    NoWay,
    /// To delete or replace: there is no such route.
    Missing,
    /// Anything else, by the kernel's number.
    Other(i32),
}

/// A route that the kernel has told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Where it leads.
    pub destination: Prefix,
    /// Whether it stands where ours would: in our table, with our metric. There is one such at most.
    pub in_our_place: bool,
    /// Which of several to one destination is taken: the least.
    pub metric: u32,
    /// The interface that it leaves by; 0 if it leaves by none or by several.
    pub interface_index: u32,
    /// Whose it is.
    pub owner: Owner,
    /// Whether the destination lies on the link itself: a prefix that this host is connected to.
    pub on_link: bool,
}

/// Whose a route is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// It stands in our place, bears our protocol number, and is such as we make.
    Ours(Target),
    /// Anybody else's.
    Stranger,
}
