//! Reading where a client is, as relays and servers have been told: a next hop, and a link of a relay.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;

use lease::Resource;
use relay::DelegationRef;
use wire::{IaKind, MessageType, OptionCode, Prefix, RelayMessage};
use world::Instant;

use crate::nodes::Relay;
use crate::nodes::relay::Side;
use crate::plan::{LinkNumber, addresses};
use crate::reading::named;
use crate::universe::Universe;

/// The way to a client, through one relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Way {
    pub(super) next_hop: Ipv6Addr,
    pub(super) link: LinkNumber,
}

/// What a Reply that a relay hears grants: each prefix, or address as a prefix, its client, and for how long.
pub(super) struct Granted {
    pub(super) way: Way,
    pub(super) leases: Vec<(Prefix, Vec<u8>, u32)>,
}

/// Reads a Relay-reply, if there is a Reply in it for a client of this relay.
pub(super) fn granted(relay: &Relay, octets: &[u8]) -> Option<Granted> {
    let hop = RelayMessage::decode(octets).ok()?;
    if hop.message_type != MessageType::RelayReply {
        return None;
    }
    let way = way(relay, &hop)?;
    let leases = named(octets, &[MessageType::Reply]);
    let leases = leases.map(|named| (whole(named.resource), named.client, named.valid_secs)).collect();
    Some(Granted { way, leases })
}

/// The way that a path of relays tells, if it leads through this one: the innermost hop that bears its DUID, or
/// failing that the outermost with one of its link-addresses.
pub(super) fn through(number: usize, relay: &Relay, path: &[u8]) -> Option<Way> {
    let own = addresses::relay_id(number);
    let (mut octets, mut by_relay_id, mut by_link) = (path, None, None);
    while let Ok(hop) = RelayMessage::decode(octets) {
        if hop.options.first(OptionCode::RELAY_ID) == Some(own.octets()) {
            by_relay_id = Some(way(relay, &hop));
        } else if has_link(relay, &hop) {
            by_link = by_link.or(way(relay, &hop));
        }
        let Some(inner) = hop.options.first(OptionCode::RELAY_MSG) else { break };
        octets = inner;
    }
    by_relay_id.unwrap_or(by_link)
}

fn has_link(relay: &Relay, hop: &RelayMessage<'_>) -> bool {
    relay.planned().ports.iter().any(|(_, port)| port.link_address == hop.link_address)
}

/// By Interface-ID, or without one by link-address.
fn way(relay: &Relay, hop: &RelayMessage<'_>) -> Option<Way> {
    let interface_id = hop.options.first(OptionCode::INTERFACE_ID).filter(|id| !id.is_empty());
    let mut ports = relay.planned().ports.iter();
    let (link, _) = ports.find(|(_, port)| match interface_id {
        Some(interface_id) => *port.interface_id == *interface_id,
        None => port.link_address == hop.link_address,
    })?;
    Some(Way { next_hop: hop.peer_address, link: *link })
}

/// An address is a prefix of all its bits.
pub(super) fn whole(resource: Resource) -> Prefix {
    match resource {
        Resource::Address(address) => Prefix::new(address, 128).expect("128 bits"),
        Resource::Prefix(prefix) => prefix,
    }
}

/// The link that an interface of a relay is on now.
pub(super) fn link_of(relay: &Relay, interface_index: u32) -> Option<LinkNumber> {
    match relay.kernel.with_index(interface_index)?.side {
        Side::Clients(link) => Some(link),
        Side::Upstream => None,
    }
}

/// A lease that is active at a server.
pub(super) struct Active<'a> {
    pub(super) prefix: Prefix,
    pub(super) client: &'a [u8],
    pub(super) path: Option<&'a [u8]>,
    pub(super) left_secs: u32,
    /// How long ago the client was heard; nothing if it was by a clock that has been set back since.
    pub(super) heard_secs_ago: Option<u64>,
}

/// Whether there is an active lease of this prefix at any server for which that holds.
pub(super) fn any_active(
    universe: &Universe,
    prefix: Prefix,
    mut holds: impl FnMut(&Active<'_>) -> bool,
) -> bool {
    let mut any = false;
    each_active(universe, |active| any |= active.prefix == prefix && holds(active));
    any
}

/// Looks at every active lease of every server that runs, one after the other.
pub(super) fn each_active(universe: &Universe, mut look: impl FnMut(&Active<'_>)) {
    for server in &universe.nodes.servers {
        let now = server.now(universe.now()).unix_secs;
        for client in server.clients() {
            for held in client.leases() {
                // More than its lifetime, if it was given by a clock that has been set back since.
                let end = held.lease.until_unix_secs().unwrap_or(u64::MAX);
                let left_secs = u32::try_from(end.saturating_sub(now)).unwrap_or(u32::MAX);
                if held.lease.state == lease::LeaseState::Active && left_secs > 0 {
                    look(&Active {
                        prefix: whole(held.lease.resource),
                        client: client.duid.octets(),
                        path: client.path(),
                        left_secs,
                        heard_secs_ago: now.checked_sub(client.heard_unix_secs),
                    });
                }
            }
        }
    }
}

/// Later by so many seconds.
pub(super) fn in_secs(now: Instant, secs: u32) -> Instant {
    now + std::time::Duration::from_secs(secs.into())
}

/// Whether there are as many delegations on a port, or of some client there, as may be.
pub(super) fn is_full<'a>(
    relay: &Relay,
    way: Way,
    held: impl Iterator<Item = &'a DelegationRef<'a>>,
) -> bool {
    let (mut of_clients, mut all) = (BTreeMap::<_, usize>::new(), BTreeMap::<_, usize>::new());
    for its in held.filter(|its| way_of(relay, its).is_some_and(|its| its.link == way.link)) {
        let is_prefix = its.kind == IaKind::Prefix;
        *of_clients.entry((its.client, is_prefix)).or_default() += 1;
        *all.entry(is_prefix).or_default() += 1;
    }
    let mut ports = relay.setup.ports.iter();
    let Some((_, port)) = ports.find(|(link, _)| *link == way.link) else { return true };
    let per_client = of_clients.values().max().copied().unwrap_or(0);
    let on_port = all.values().max().copied().unwrap_or(0);
    per_client >= port.rules.max_delegations_per_client || on_port >= port.rules.max_delegations
}

/// Where a delegation is.
pub(super) fn way_of(relay: &Relay, held: &DelegationRef<'_>) -> Option<Way> {
    let port = relay.agent()?.ports().present(held.port)?;
    Some(Way { next_hop: held.next_hop, link: link_of(relay, port.index)? })
}
