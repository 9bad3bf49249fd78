//! A delegation: what this relay believes of a prefix (or an address) that a server has given to a
//! client behind it.

use std::net::Ipv6Addr;

use requestor::Lifetime;
use wire::{Duid, IaKind, Iaid, Prefix};

use crate::moment::Moment;
use crate::ports::PortId;

/// A server, by its place in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServerId(pub u16);

/// What was delegated, to whom, where, until when, and how we know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delegation {
    /// The prefix, or an address as a prefix of 128 bits.
    pub prefix: Prefix,
    /// Which of the two.
    pub kind: IaKind,
    /// The client.
    pub client: Duid,
    /// The client's number of the association; leasequery does not tell it.
    pub iaid: Option<Iaid>,
    /// Where the client is.
    pub port: PortId,
    /// The client's address there, or that of a relay behind which it is.
    pub next_hop: Ipv6Addr,
    /// Until when it is preferred.
    pub preferred: Lifetime,
    /// Until when it holds.
    pub valid: Lifetime,
    /// When the client and its server last spoke of it.
    pub heard: Moment,
    /// How we know.
    pub told_by: Teller,
}

/// How a delegation has become known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Teller {
    /// A Reply that was forwarded.
    Reply,
    /// A server's answer to a leasequery.
    Server(ServerId),
    /// What this relay had written down before it was started again.
    Memory,
}
