//! What the kernel is told of delegations: `[relay.routes]`.

use std::net::Ipv6Addr;
use std::ops::RangeInclusive;
use std::time::Duration;

use wire::Prefix;

use super::super::addresses::prefix;
use super::super::faults::Collector;
use super::super::interfaces;
use super::super::toml_tree::{Item, Place, Table};
use super::recovery::or_never;

/// The number by which routes are known to be the relay's, if the file does not say.
const DEFAULT_PROTOCOL: u8 = 220;
/// Better than what router advertisements bring (1024), worse than what an operator writes by hand (as
/// 1, say).
const DEFAULT_METRIC: u32 = 512;
/// The kernel's main table.
const MAIN_TABLE: u32 = 254;
/// The kernel's table of its own addresses.
const LOCAL_TABLE: u32 = 255;
/// How often it is looked whether the kernel has what it was told, besides when it says so.
const DEFAULT_RECONCILE: Duration = Duration::from_secs(60);

/// Seconds between looks; it is not longer than a day, lest it be thought to happen.
const RECONCILE_SECS: RangeInclusive<u64> = 0..=86_400;
/// Numbers of routing protocols that nobody has registered.
const FREE_PROTOCOLS: RangeInclusive<u8> = 200..=254;
/// Octets of a name in nftables (NFT_NAME_MAXLEN, less the zero at the end).
const MAX_FILTER_NAME_OCTETS: usize = 255;

pub(in crate::config) const FAMILIES: [(&str, FilterFamily); 2] =
    [("inet", FilterFamily::Inet), ("ip6", FilterFamily::Ip6)];
pub(in crate::config) const LOOP_POLICIES: [(&str, LoopPolicy); 3] =
    [("off", LoopPolicy::Off), ("drop", LoopPolicy::Drop), ("reject", LoopPolicy::Reject)];

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

/// Reads `[relay.routes]`; the inner `None` is that there are no routes.
pub(super) fn read(item: &Item<'_>, faults: &mut Collector) -> Option<Option<Routes>> {
    let mut table = item.table(faults)?;
    let mut enabled = true;
    table.read_into(&mut enabled, "enabled", faults, Item::boolean);
    let mut routes = Routes::default();
    table.read_into(&mut routes.aggregates, "aggregates", faults, aggregates);
    if enabled && !table.has("aggregates") {
        faults.fault(table.place(), NO_AGGREGATES, AGGREGATES_REMEDY);
    }
    table.read_into(&mut routes.host_routes, "host-routes", faults, Item::boolean);
    table.read_into(&mut routes.protocol, "protocol", faults, protocol);
    table.read_into(&mut routes.metric, "metric", faults, |item, faults| item.number(1..=u32::MAX, faults));
    routes.table = route_table(&mut table, faults).unwrap_or(routes.table);
    table.read_into(&mut routes.unreachable_aggregates, "unreachable-aggregates", faults, Item::boolean);
    table.read_into(&mut routes.reconcile, "reconcile-secs", faults, |item, faults| {
        or_never(item, RECONCILE_SECS, faults)
    });
    routes.filter = table.read("filter", faults, filter);
    table.read_into(&mut routes.loops, "loops", faults, |item, faults| item.word(&LOOP_POLICIES, faults));
    table.finish(faults);
    Some(enabled.then_some(routes))
}

const NO_AGGREGATES: &str = "aggregates is missing";
const AGGREGATES_REMEDY: &str = "add aggregates = [\"2001:db8:f000::/40\"] with what your servers delegate \
                                 from, or enabled = false";

/// Says what is missing where the whole of `[relay.routes]` is.
pub(super) fn note_absence(place: &Place, faults: &mut Collector) {
    faults.fault(place, format!("routes.{NO_AGGREGATES}"), format!("in [relay.routes], {AGGREGATES_REMEDY}"));
}

fn aggregates(item: &Item<'_>, faults: &mut Collector) -> Option<Vec<Prefix>> {
    let mut earlier: Vec<(Prefix, usize)> = Vec::new();
    let aggregates = item.list_of(faults, |item, faults| {
        let prefix = prefix(item, faults)?;
        if let Some(reason) = never_delegated(prefix) {
            faults.fault(item.place(), format!("{prefix} {reason}"), "write what your servers delegate from");
        }
        for (other, line) in earlier.iter().filter(|(other, _)| other.overlaps(prefix)) {
            let problem = format!("{prefix} and {other} of line {line} overlap");
            faults.fault(item.place(), problem, "leave the longer one out");
        }
        earlier.push((prefix, item.place().line));
        Some(prefix)
    })?;
    if aggregates.is_empty() {
        faults.fault(item.place(), "is empty", AGGREGATES_REMEDY);
    }
    Some(aggregates)
}

/// Why nothing in this prefix can be delegated, or not everything.
fn never_delegated(aggregate: Prefix) -> Option<&'static str> {
    let kept = [
        (Ipv6Addr::UNSPECIFIED, 64, "has the addresses of the host itself in it"),
        (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10, "has link-local addresses in it"),
        (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8, "has multicast groups in it"),
    ];
    let overlapping = kept.into_iter().find(|(address, length, _)| {
        Prefix::new(*address, *length).is_ok_and(|kept| kept.overlaps(aggregate))
    });
    overlapping.map(|(_, _, reason)| reason)
}

fn protocol(item: &Item<'_>, faults: &mut Collector) -> Option<u8> {
    let protocol = item.number(0..=u8::MAX, faults)?;
    let remedy = format!("write one from {} to {}", FREE_PROTOCOLS.start(), FREE_PROTOCOLS.end());
    if let Some(owner) = owner(protocol) {
        faults.fault(item.place(), format!("{protocol} marks routes of {owner}"), remedy);
        return None;
    }
    if !FREE_PROTOCOLS.contains(&protocol) {
        faults.warning(item.place(), format!("{protocol} may be registered for somebody"), remedy);
    }
    Some(protocol)
}

/// Whose routes bear this number, where that is known: they would be taken for ours, or ours for
/// theirs, and then deleted.
fn owner(protocol: u8) -> Option<&'static str> {
    match protocol {
        0..=4 => Some("the kernel and of administrators"),
        8..=18 | 42 | 99 => Some("a routing daemon"),
        186..=198 => Some("FRRouting, which deletes them when it starts"),
        _ => None,
    }
}

/// A table by number or by VRF, but not by both.
fn route_table(table: &mut Table<'_>, faults: &mut Collector) -> Option<RouteTable> {
    let number = table.read("table", faults, |item, faults| {
        let number = item.number(1..=u32::MAX, faults)?;
        if number == LOCAL_TABLE {
            let remedy = format!("write {MAIN_TABLE} for the main one, or another");
            faults.fault(item.place(), format!("{number} has the host's own addresses"), remedy);
        }
        Some(RouteTable::Number(number))
    });
    let vrf = table.read("vrf", faults, |item, faults| {
        let device = interfaces::name(item, faults)?;
        Some((device, item.place().clone()))
    });
    let (Some((device, place)), given) = (vrf, table.has("table")) else { return number };
    if given {
        faults.fault(&place, "names a table beside table", "leave one of them out");
    }
    Some(RouteTable::Vrf(device))
}

fn filter(item: &Item<'_>, faults: &mut Collector) -> Option<Filter> {
    let mut table = item.table(faults)?;
    let mut family = FilterFamily::Inet;
    table.read_into(&mut family, "family", faults, |item, faults| item.word(&FAMILIES, faults));
    let name = table.require("table", "\"leasehold\"", faults, filter_name);
    let set = table.require("set", "\"delegated\"", faults, filter_name);
    table.finish(faults);
    Some(Filter { family, table: name?, set: set? })
}

/// A name as nftables reads it.
fn filter_name(item: &Item<'_>, faults: &mut Collector) -> Option<String> {
    let remedy = "write a letter, and behind it letters, digits, \"_\", \"-\" or \".\"";
    item.parse(faults, remedy, |text| {
        let starts_well = text.starts_with(|c: char| c.is_ascii_alphabetic());
        let goes_on = text.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
        if starts_well && goes_on && text.len() <= MAX_FILTER_NAME_OCTETS {
            Ok(text.to_owned())
        } else {
            Err(format!("{text:?} is no name in nftables"))
        }
    })
}
