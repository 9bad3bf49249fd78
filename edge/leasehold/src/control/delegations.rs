//! What a relay knows of what is delegated through it, and which of it is meant.

use std::fmt;
use std::net::Ipv6Addr;

use serde::{Deserialize, Serialize};
use wire::{Duid, Prefix};

use super::filter::{Said, text, write_said};
use super::{Leased, RouteState};

/// A delegated prefix, or an assigned address. 4294967295 seconds are for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delegation {
    /// What is delegated.
    #[serde(flatten)]
    pub leased: Leased,
    /// The client's identifier.
    pub client: String,
    /// The client's number for the identity association; servers do not tell it.
    pub iaid: Option<u32>,
    /// The interface that the client is on; `None` while that is not there.
    pub interface: Option<String>,
    /// The Interface-ID by which servers remember the interface; hexadecimal.
    pub interface_id: String,
    /// The same as text, where it is printable ASCII.
    pub interface_text: Option<String>,
    /// The client's address there, or that of the relay before it.
    pub next_hop: Ipv6Addr,
    /// Seconds that remain of the preferred lifetime.
    pub preferred_secs: u32,
    /// Seconds that remain of the valid lifetime.
    pub valid_secs: u32,
    /// Seconds since client and server last spoke of it; `None` is unknown.
    pub last_transaction_secs: Option<u64>,
    /// How it is known.
    pub told_by: ToldBy,
    /// What has become of its route.
    pub route: RouteState,
    /// Why the route is not in the kernel.
    pub route_why: Option<String>,
}

impl Delegation {
    /// Where the client is, in the form that is easiest to read.
    pub fn port(&self) -> String {
        let absent = || format!("{} (absent)", self.interface_text.as_ref().unwrap_or(&self.interface_id));
        self.interface.clone().unwrap_or_else(absent)
    }
}

/// How a delegation is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToldBy {
    /// A Reply was delivered that granted it.
    Reply,
    /// This server has told of it, when it was asked.
    Server(String),
    /// The relay had written it down before it was started again.
    Memory,
}

impl fmt::Display for ToldBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reply => f.write_str("reply"),
            Self::Server(name) => f.write_str(name),
            Self::Memory => f.write_str("memory"),
        }
    }
}

/// A lease that a server has told of, and whose place here is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unplaced {
    /// What is leased.
    #[serde(flatten)]
    pub leased: Leased,
    /// The client's identifier.
    pub client: String,
    /// The server that has told of it.
    pub server: String,
    /// Why it has no place here.
    pub why: String,
}

/// Delegations, by what is known of them: all that is said has to hold. An empty one means all.
#[derive(Debug, Clone, Default, PartialEq, Eq, clap::Args, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DelegationFilter {
    /// Delegations inside this prefix, or around it
    #[arg(long, value_name = "PREFIX")]
    #[serde(with = "text", skip_serializing_if = "Option::is_none")]
    pub prefix: Option<Prefix>,
    /// This address, or a prefix around it
    #[arg(long, value_name = "ADDRESS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Ipv6Addr>,
    /// Delegations of the client with this DUID
    #[arg(long, value_name = "DUID")]
    #[serde(with = "text", skip_serializing_if = "Option::is_none")]
    pub client: Option<Duid>,
    /// Delegations on the interface with this name or Interface-ID
    #[arg(long, value_name = "INTERFACE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// Delegations that this server has told of
    #[arg(long, value_name = "SERVER")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Delegations whose route is in one of these states; none is any.
    #[arg(skip)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub states: Vec<RouteState>,
}

impl DelegationFilter {
    /// Whether it means every delegation there is.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// As on the command line.
impl fmt::Display for DelegationFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { prefix, address, client, interface, server, states } = self;
        let said: [Said<'_>; 5] = [
            ("prefix", prefix.as_ref().map(|value| value as _)),
            ("address", address.as_ref().map(|value| value as _)),
            ("client", client.as_ref().map(|value| value as _)),
            ("interface", interface.as_ref().map(|value| value as _)),
            ("server", server.as_ref().map(|value| value as _)),
        ];
        write_said(f, said, states)
    }
}

/// Which delegations a relay is to forget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clearing {
    /// Those that are meant.
    pub filter: DelegationFilter,
    /// All: an empty filter alone does not mean everything.
    pub all: bool,
    /// Only say which these are.
    pub dry_run: bool,
}

/// As on the command line.
impl fmt::Display for Clearing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { filter, all, dry_run } = self;
        let dry_run = if *dry_run { "--dry-run " } else { "" };
        let all = if *all { "--all" } else { "" };
        write!(f, "{dry_run}{all}{filter}")
    }
}
