//! What the kernel is told of delegations: `[relay.routes]`.

use std::time::Duration;

use wire::Prefix;

/// The number by which routes are known to be the relay's, if the file does not say.
const DEFAULT_PROTOCOL: u8 = 220;
/// Better than what router advertisements bring (1024), worse than what an operator writes by hand (as
/// 1, say).
const DEFAULT_METRIC: u32 = 512;
/// The kernel's main table.
const MAIN_TABLE: u32 = 254;
/// How often it is looked whether the kernel has what it was told, besides when it says so.
const DEFAULT_RECONCILE: Duration = Duration::from_secs(60);

/// Kernel routes and what follows from them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routes {
    /// What delegated prefixes lie in; there is no route to any other. None covers another, and a
    /// file has one at least.
    pub aggregates: Vec<Prefix>,
    /// Whether there are routes to assigned addresses, too.
    pub host_routes: bool,
    /// The number of the routing protocol that routes bear (rtm_protocol).
    pub protocol: u8,
    /// Which of several routes to one destination counts: the lowest.
    pub metric: u32,
    /// Where routes are put.
    pub table: RouteTable,
    /// Whether what is in an aggregate and is not delegated is unreachable.
    pub unreachable_aggregates: bool,
    /// After how long the kernel's routes are looked through; `None` is only when it tells of a change.
    pub reconcile: Option<Duration>,
    /// The nftables set that has every delegated prefix with its interface.
    pub filter: Option<Filter>,
    /// What becomes of packets that would go back to where they have come from (RFC 8987 R-5).
    pub loops: LoopPolicy,
}

/// A routing table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouteTable {
    /// By its number.
    Number(u32),
    /// That of a VRF device, by the device's name.
    Vrf(String),
}

/// A set of nftables, of the type `ifname . ipv6_addr` with intervals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The family of its table.
    pub family: FilterFamily,
    /// The table that it is in.
    pub table: String,
    /// Its name.
    pub set: String,
}

/// The family of a table of nftables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilterFamily {
    /// IPv4 and IPv6.
    Inet,
    /// IPv6 alone.
    Ip6,
}

/// What becomes of packets from clients into a prefix delegated on the same interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoopPolicy {
    /// They are routed like any other.
    Off,
    /// They are dropped.
    Drop,
    /// They are dropped, and their sender is told (ICMPv6 type 1, code 6).
    Reject,
}

impl Default for Routes {
    fn default() -> Self {
        Self {
            aggregates: Vec::new(),
            host_routes: false,
            protocol: DEFAULT_PROTOCOL,
            metric: DEFAULT_METRIC,
            table: RouteTable::Number(MAIN_TABLE),
            unreachable_aggregates: true,
            reconcile: Some(DEFAULT_RECONCILE),
            filter: None,
            loops: LoopPolicy::Off,
        }
    }
}
