//! What a relay knows of its routes, and which of them are meant.

use std::fmt;
use std::net::Ipv6Addr;

use serde::{Deserialize, Serialize};
use wire::Prefix;

use super::filter::{Said, text, write_said};

/// A route that shall be in the kernel, or that is there and is the relay's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// Where it leads.
    pub destination: String,
    /// Whether it leads to somebody.
    pub kind: RouteKind,
    /// The next hop.
    pub via: Option<Ipv6Addr>,
    /// The interface that the next hop is on; `None` while that is not there.
    pub interface: Option<String>,
    /// What has become of it.
    pub state: RouteState,
    /// Why it is not in the kernel, and who stands in its place.
    pub why: Option<String>,
    /// The number of the routing protocol that the relay's routes bear.
    pub protocol: u8,
    /// The metric that they have.
    pub metric: u32,
    /// The table that they are in.
    pub table: u32,
}

/// Whether a route leads to somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RouteKind {
    /// To a next hop.
    Unicast,
    /// To nobody: so that what is not delegated does not loop.
    Unreachable,
}

/// What has become of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RouteState {
    /// In the kernel, as it shall be
    Installed,
    /// On its way to the kernel
    Pending,
    /// Waiting for its interface
    Waiting,
    /// In the kernel, with nothing known yet that wants it
    Unproven,
    /// Not in the kernel: somebody else's route stands there
    Conflict,
    /// Not allowed by the configuration, or by what is connected
    Refused,
    /// Not taken by the kernel, which is asked again
    Failed,
    /// On its way out of the kernel
    Leaving,
    /// None is wanted
    None,
}

impl fmt::Display for RouteState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Installed => "installed",
            Self::Pending => "pending",
            Self::Waiting => "waiting",
            Self::Unproven => "unproven",
            Self::Conflict => "conflict",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Leaving => "leaving",
            Self::None => "none",
        })
    }
}

/// Routes, by what is known of them: all that is said has to hold. An empty one means all.
#[derive(Debug, Clone, Default, PartialEq, Eq, clap::Args, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RouteFilter {
    /// Routes to destinations inside this prefix, or around it
    #[arg(long, value_name = "PREFIX")]
    #[serde(with = "text", skip_serializing_if = "Option::is_none")]
    pub prefix: Option<Prefix>,
    /// Routes that lead to this address
    #[arg(long, value_name = "ADDRESS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Ipv6Addr>,
    /// Routes by the interface with this name
    #[arg(long, value_name = "INTERFACE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// Routes in one of these states; none is any.
    #[arg(skip)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub states: Vec<RouteState>,
}

/// As on the command line.
impl fmt::Display for RouteFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { prefix, address, interface, states } = self;
        let said: [Said<'_>; 3] = [
            ("prefix", prefix.as_ref().map(|value| value as _)),
            ("address", address.as_ref().map(|value| value as _)),
            ("interface", interface.as_ref().map(|value| value as _)),
        ];
        write_said(f, said, states)
    }
}
