//! `show routes`: every destination that is wanted or where a route of ours stands, portion by portion.

use relay::{Agent, ListedRoute, Target};
use wire::Prefix;

use super::{LOOKED_AT_ONCE, Profile, Relay, route_state};
use crate::control::door::{Reply, Stop};
use crate::control::{Route, RouteFilter, RouteKind};

/// Shows the routes that are meant.
pub(super) async fn show(relay: &impl Relay, filter: RouteFilter, reply: &mut Reply) -> Result<(), Stop> {
    let profile = relay.profile();
    let mut after: Option<Prefix> = None;
    loop {
        let next = relay.with(|agent| {
            for (looked_at, route) in agent.routes().after(after).enumerate() {
                let item = item(&route, agent, &profile);
                if means(&filter, &route, &item) {
                    reply.item(&item);
                }
                if reply.is_full() || looked_at + 1 == LOOKED_AT_ONCE {
                    return Some(route.destination);
                }
            }
            None
        });
        reply.send().await?;
        match next {
            Some(destination) => after = Some(destination),
            None => return Ok(()),
        }
    }
}

/// As it shall be, or as it is if nothing is wanted there.
fn item(route: &ListedRoute, agent: &Agent, profile: &Profile) -> Route {
    let (state, why) = route_state::of_route(route);
    let (kind, via, interface) = match route.wanted.or(route.installed) {
        Some(Target::Via { next_hop, interface_index }) => {
            (RouteKind::Unicast, Some(next_hop), name(agent, interface_index))
        }
        Some(Target::Unreachable) | None => (RouteKind::Unreachable, None, None),
    };
    Route {
        destination: route.destination.to_string(),
        kind,
        via,
        interface,
        state,
        why,
        protocol: profile.protocol,
        metric: profile.metric,
        table: profile.table,
    }
}

fn name(agent: &Agent, interface_index: u32) -> Option<String> {
    let port = agent.ports().with_index(interface_index)?;
    agent.ports().present(port).map(|port| port.name.clone())
}

fn means(filter: &RouteFilter, route: &ListedRoute, item: &Route) -> bool {
    let RouteFilter { prefix, address, interface, states } = filter;
    prefix.is_none_or(|prefix| prefix.overlaps(route.destination))
        && address.is_none_or(|address| route.destination.contains(address))
        && interface.as_ref().is_none_or(|name| item.interface.as_ref() == Some(name))
        && (states.is_empty() || states.contains(&item.state))
}
