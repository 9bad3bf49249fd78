//! Routes as rtnetlink writes them.

use std::net::Ipv6Addr;

use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, NLM_F_REQUEST, Parseable};
use netlink_packet_route::AddressFamily;
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteFlags, RouteHeader, RouteMessage, RouteProtocol, RouteScope, RouteType,
};
use nix::libc::{RTM_DELROUTE, RTM_NEWROUTE};
use relay::{Change, Owner, Route, Seen, Target};
use wire::Prefix;

use super::{MAIN_TABLE, RouteSettings};

/// The request for a change: its type, its flags, and what it is about.
pub fn request(settings: &RouteSettings, change: &Change) -> (u16, u16, RouteMessage) {
    match change {
        // EXCL: never in the place of another route, nor beside it as a second way.
        Change::Add(route) => {
            (RTM_NEWROUTE, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL, message(settings, route))
        }
        // Without CREATE: only where there is one.
        Change::Replace { to, .. } => (RTM_NEWROUTE, NLM_F_REQUEST | NLM_F_REPLACE, message(settings, to)),
        // Everything that the message names has to fit: protocol, metric, way.
        Change::Delete(route) => (RTM_DELROUTE, NLM_F_REQUEST, message(settings, route)),
    }
}

fn message(settings: &RouteSettings, route: &Route) -> RouteMessage {
    let mut message = RouteMessage::default();
    message.header = RouteHeader {
        address_family: AddressFamily::Inet6,
        destination_prefix_length: route.destination.length(),
        protocol: RouteProtocol::from(settings.protocol),
        scope: RouteScope::Universe,
        kind: match route.target {
            Target::Via { .. } => RouteType::Unicast,
            Target::Unreachable => RouteType::Unreachable,
        },
        ..RouteHeader::default()
    };
    message.attributes = Vec::with_capacity(5);
    message.attributes.extend([
        RouteAttribute::Destination(RouteAddress::Inet6(route.destination.address())),
        RouteAttribute::Priority(settings.metric),
        RouteAttribute::Table(settings.table),
    ]);
    if let Target::Via { next_hop, interface_index } = route.target {
        message.attributes.extend([
            RouteAttribute::Gateway(RouteAddress::Inet6(next_hop)),
            RouteAttribute::Oif(interface_index),
        ]);
    }
    message
}

/// Asks for the routes of a table.
pub(super) fn table_request(table: u32) -> RouteMessage {
    let mut message = RouteMessage::default();
    message.header.address_family = AddressFamily::Inet6;
    message.attributes.push(RouteAttribute::Table(table));
    message
}

/// What a message says of a route that may matter to us: one of our table, or a prefix that the host is connected
/// to.
pub fn seen(settings: &RouteSettings, payload: &[u8]) -> Option<Seen> {
    let message = RouteMessage::parse(payload).ok()?;
    let header = &message.header;
    let is_plain = header.source_prefix_length == 0 && !header.flags.contains(RouteFlags::Cloned);
    if header.address_family != AddressFamily::Inet6 || !is_plain {
        return None;
    }
    let facts = Facts::of(&message);
    let destination = Prefix::new(facts.destination, header.destination_prefix_length).ok()?;
    let in_our_place = facts.table == settings.table && facts.metric == settings.metric;
    let target = facts.target().filter(|_| in_our_place && u8::from(header.protocol) == settings.protocol);
    let counts = facts.table == settings.table || (facts.table == MAIN_TABLE && !settings.is_vrf);
    let on_link = counts && facts.is_on_link && !destination.address().is_unicast_link_local();
    (in_our_place || on_link).then_some(Seen {
        destination,
        in_our_place,
        metric: facts.metric,
        interface_index: facts.interface_index,
        owner: target.map_or(Owner::Stranger, Owner::Ours),
        on_link,
    })
}

/// Somebody else's route in our table, with our metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stranger {
    /// Where it leads.
    pub destination: Prefix,
    /// Who has made it: `rtm_protocol`.
    pub protocol: u8,
    /// The next hop, if there is one.
    pub gateway: Option<Ipv6Addr>,
    /// The interface that it leaves by; 0 if it leaves by none or by several.
    pub interface_index: u32,
}

/// What a message says of a route that stands in our place and is none of ours.
pub(super) fn stranger(settings: &RouteSettings, payload: &[u8]) -> Option<Stranger> {
    let seen = seen(settings, payload)?;
    if !seen.in_our_place || seen.owner != Owner::Stranger {
        return None;
    }
    let message = RouteMessage::parse(payload).ok()?;
    Some(Stranger {
        destination: seen.destination,
        protocol: message.header.protocol.into(),
        gateway: Facts::of(&message).gateway,
        interface_index: seen.interface_index,
    })
}

/// What the attributes of a route say.
struct Facts {
    destination: Ipv6Addr,
    table: u32,
    metric: u32,
    interface_index: u32,
    gateway: Option<Ipv6Addr>,
    kind: RouteType,
    /// Whether it leads somewhere by one way, and nothing else is to be done on that way.
    is_simple: bool,
    is_on_link: bool,
}

impl Facts {
    fn of(message: &RouteMessage) -> Self {
        let mut facts = Self {
            destination: Ipv6Addr::UNSPECIFIED,
            table: u32::from(message.header.table),
            metric: 0,
            interface_index: 0,
            gateway: None,
            kind: message.header.kind,
            is_simple: true,
            is_on_link: message.header.kind == RouteType::Unicast,
        };
        for attribute in &message.attributes {
            match attribute {
                RouteAttribute::Destination(RouteAddress::Inet6(address)) => facts.destination = *address,
                RouteAttribute::Table(table) => facts.table = *table,
                RouteAttribute::Priority(metric) => facts.metric = *metric,
                RouteAttribute::Oif(index) => facts.interface_index = *index,
                RouteAttribute::Gateway(RouteAddress::Inet6(gateway)) => {
                    facts.gateway = Some(*gateway);
                    facts.is_on_link = false;
                }
                RouteAttribute::MultiPath(_)
                | RouteAttribute::Via(_)
                | RouteAttribute::NhId(_)
                | RouteAttribute::Encap(_) => {
                    facts.is_simple = false;
                    facts.is_on_link = false;
                }
                _ => {}
            }
        }
        facts
    }

    /// The way, if it is such as we make.
    fn target(&self) -> Option<Target> {
        let interface_index = self.interface_index;
        match (self.kind, self.gateway) {
            (RouteType::Unicast, Some(next_hop)) if self.is_simple => {
                Some(Target::Via { next_hop, interface_index })
            }
            (RouteType::Unreachable, None) => Some(Target::Unreachable),
            _ => None,
        }
    }
}
