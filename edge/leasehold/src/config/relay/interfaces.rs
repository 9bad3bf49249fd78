//! The interfaces that clients are on: `[[relay.interface]]`.

use std::net::Ipv6Addr;
use std::ops::RangeInclusive;

use lease::InterfacePattern;
use relay::{Facts, PortRules, Template};
use wire::Prefix;

use super::super::addresses::{address, prefix};
use super::super::faults::Collector;
use super::super::interfaces::{covers, is_name, pattern};
use super::super::toml_tree::{Item, Place, Table};
use super::{Mode, without_meaning};

/// Delegations on an interface: more than any edge box has had.
const DELEGATIONS: RangeInclusive<usize> = 1..=16_777_216;
/// Messages a second from an interface. Above a million nothing is kept back.
const RATE: RangeInclusive<u32> = 0..=1_000_000;
/// Messages a second in lightweight mode, if the file does not say: its interfaces are lines of single
/// subscribers, and a house full of clients stays below.
const LIGHTWEIGHT_RATE: u32 = 100;

/// Keys that have a meaning only where there are addresses and routes.
const ROUTED_KEYS: [&str; 4] =
    ["link-address", "accept-unicast", "max-delegations", "max-delegations-per-client"];

/// Keys that have a meaning only where interfaces are lines of single subscribers.
const LIGHTWEIGHT_KEYS: [&str; 1] = ["messages-per-second"];

/// What goes for some interfaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientInterfaces {
    /// Which; at least one.
    pub names: Vec<InterfacePattern>,
    /// What their Interface-ID is made from.
    pub interface_id: Template,
    /// What their Remote-ID is made from.
    pub remote_id: Option<RemoteId>,
    /// What their Subscriber-ID is made from.
    pub subscriber_id: Option<Template>,
    /// What names their link.
    pub link_address: LinkAddress,
    /// What their clients may do.
    pub rules: PortRules,
    /// Messages a second that are taken from each, on the average; any number, if `None`, and in routed
    /// mode.
    pub messages_per_second: Option<u32>,
}

/// What a Remote-ID is made from (RFC 4649).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteId {
    /// Whose numbering the value follows.
    pub enterprise: u32,
    /// The value.
    pub value: Template,
}

/// What names the link of an interface in Relay-forwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkAddress {
    /// The lowest lasting address that the interface has: a global or unique-local one, else link-local.
    Lowest,
    /// The lowest one in this prefix.
    Within(Prefix),
    /// This one, whether or not the interface has it.
    Fixed(Ipv6Addr),
}

impl ClientInterfaces {
    /// Interfaces of which only the names are said. In lightweight mode they are untrusted (RFC 6221
    /// §6.1.2) and slowed down (RFC 6221 §9).
    pub fn usual(names: Vec<InterfacePattern>, mode: Mode) -> Self {
        let routed = mode == Mode::Routed;
        Self {
            names,
            interface_id: Template::default(),
            remote_id: None,
            subscriber_id: None,
            link_address: LinkAddress::Lowest,
            rules: PortRules { accepts_relays: routed, ..PortRules::default() },
            messages_per_second: (!routed).then_some(LIGHTWEIGHT_RATE),
        }
    }
}

/// Reads all interfaces; `upstream` are those that servers are on.
pub(super) fn read(
    item: &Item<'_>,
    mode: Mode,
    upstream: &[InterfacePattern],
    faults: &mut Collector,
) -> Option<Vec<ClientInterfaces>> {
    let mut earlier: Vec<(InterfacePattern, usize)> = Vec::new();
    let sections = item.list_of(faults, |item, faults| {
        section(item.table(faults)?, mode, faults, |list, faults| {
            list.list_of(faults, |item, faults| {
                let pattern = pattern(item, faults)?;
                note(&pattern, item.place(), &mut earlier, upstream, faults);
                Some(pattern)
            })
        })
    })?;
    if sections.is_empty() {
        faults.fault(item.place(), "is empty", NAMES_REMEDY);
    }
    Some(sections)
}

pub(super) const NAMES_REMEDY: &str =
    "add [[relay.interface]] with names = [\"eth1\"] for the interfaces that clients are on";

/// The first section that matches a name counts, so that what is special stands before what is general;
/// the other way round, the special is never reached.
fn note(
    pattern: &InterfacePattern,
    place: &Place,
    earlier: &mut Vec<(InterfacePattern, usize)>,
    upstream: &[InterfacePattern],
    faults: &mut Collector,
) {
    if let Some((other, line)) = earlier.iter().find(|(other, _)| covers(other, pattern)) {
        let problem = format!("{pattern} is meant by {other} of line {line} already");
        faults.fault(place, problem, "leave one of them out, or put the special before the general");
    }
    if let Some(other) = upstream.iter().find(|other| super::overlap(other, pattern)) {
        let problem = format!("{pattern} and {other} of upstream.interfaces mean the same interface");
        faults.fault(place, problem, "let each interface face clients or servers");
    }
    earlier.push((pattern.clone(), place.line));
}

fn section(
    mut table: Table<'_>,
    mode: Mode,
    faults: &mut Collector,
    names: impl FnOnce(&Item<'_>, &mut Collector) -> Option<Vec<InterfacePattern>>,
) -> Option<ClientInterfaces> {
    let names = table.require("names", "[\"eth1\"]", faults, |item, faults| {
        let names = names(item, faults)?;
        if names.is_empty() {
            faults.fault(item.place(), "is empty", "name an interface, or leave the section out");
        }
        Some(names)
    });
    let mut section = ClientInterfaces::usual(names.clone().unwrap_or_default(), mode);
    let delegations = |item: &Item<'_>, faults: &mut Collector| item.number(DELEGATIONS, faults);
    let ClientInterfaces { names: _, interface_id, remote_id, subscriber_id, link_address, rules, .. } =
        &mut section;
    let PortRules {
        accepts_relays,
        accepts_leasequery,
        accepts_unicast,
        max_delegations_per_client,
        max_delegations,
    } = rules;
    table.read_into(interface_id, "interface-id", faults, |item, faults| {
        let template = template(item, faults)?;
        note_sameness(&template, names.as_deref().unwrap_or_default(), item, faults);
        Some(template)
    });
    *remote_id = table.read("remote-id", faults, read_remote_id);
    *subscriber_id = table.read("subscriber-id", faults, template);
    table.read_into(link_address, "link-address", faults, read_link_address);
    table.read_into(accepts_relays, "accept-relays", faults, Item::boolean);
    table.read_into(accepts_leasequery, "accept-leasequery", faults, Item::boolean);
    table.read_into(accepts_unicast, "accept-unicast", faults, Item::boolean);
    table.read_into(max_delegations, "max-delegations", faults, delegations);
    table.read_into(max_delegations_per_client, "max-delegations-per-client", faults, delegations);
    table.read_into(&mut section.messages_per_second, "messages-per-second", faults, |item, faults| {
        let rate = item.number(RATE, faults)?;
        Some((rate != 0).then_some(rate))
    });
    let others: &[&str] = if mode == Mode::Routed { &LIGHTWEIGHT_KEYS } else { &ROUTED_KEYS };
    without_meaning(mode, others, &mut table, faults);
    table.finish(faults);
    names.map(|_| section)
}

fn template(item: &Item<'_>, faults: &mut Collector) -> Option<Template> {
    let remedy = "write a text such as \"{hostname}/{interface}\"";
    item.parse(faults, remedy, |text| text.parse::<Template>().map_err(|error| error.to_string()))
}

/// An Interface-ID belongs to one interface, so several need one that is made of what tells them apart.
fn note_sameness(template: &Template, names: &[InterfacePattern], item: &Item<'_>, faults: &mut Collector) {
    let of = |interface: &str, octet: u8| {
        let link_layer: &[u8] = &[2, 0, 0, 0, 0, octet];
        let vlan = Some(octet.into());
        template.expand(&Facts {
            interface,
            vlan,
            link_layer: Some(link_layer),
            hostname: "host",
            relay_id: None,
        })
    };
    let several = names.len() > 1 || names.iter().any(|pattern| !is_name(pattern));
    if several && of("eth1", 1).is_ok() && of("eth1", 1) == of("eth2", 2) {
        let problem = "gives several interfaces one Interface-ID";
        faults.fault(item.place(), problem, "put {interface}, {vlan} or {mac} into it");
    }
}

fn read_remote_id(item: &Item<'_>, faults: &mut Collector) -> Option<RemoteId> {
    let mut table = item.table(faults)?;
    let enterprise =
        table.require("enterprise", "32473, or your enterprise number", faults, |item, faults| {
            item.number(0..=u32::MAX, faults)
        });
    let value = table.require("value", "\"{interface}\"", faults, template);
    table.finish(faults);
    Some(RemoteId { enterprise: enterprise?, value: value? })
}

/// An address, or a prefix in which it lies.
fn read_link_address(item: &Item<'_>, faults: &mut Collector) -> Option<LinkAddress> {
    if item.string(faults)?.contains('/') {
        return prefix(item, faults).map(LinkAddress::Within);
    }
    let address = address(item, faults)?;
    if address.is_multicast() || address.is_unspecified() || address.is_loopback() {
        let problem = format!("{address} names no link");
        faults.fault(item.place(), problem, "write an address or a prefix of the clients' link");
        return None;
    }
    Some(LinkAddress::Fixed(address))
}
