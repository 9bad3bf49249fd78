//! `show routes`: every destination that is wanted or where a route of ours stands, portion by portion.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use relay::{Agent, ListedRoute, Target};
use tracing::warn;
use wire::Prefix;

use super::{LOOKED_AT_ONCE, Profile, Relay, route_state};
use crate::control::door::{Reply, Stop};
use crate::control::{Route, RouteFilter, RouteKind, RouteState};

/// Shows the routes that are meant.
pub(super) async fn show(
    relay: &Arc<impl Relay>,
    filter: RouteFilter,
    reply: &mut Reply,
) -> Result<(), Stop> {
    let profile = relay.profile();
    let strangers = strangers(relay).await;
    let mut after: Option<Prefix> = None;
    loop {
        let next = relay.with(|agent| {
            for (looked_at, route) in agent.routes().after(after).enumerate() {
                let item = item(&route, agent, &profile, &strangers);
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

/// Who stands where ours would, if anybody does. The kernel may have many routes to tell of, so others are
/// answered meanwhile.
async fn strangers(relay: &Arc<impl Relay>) -> BTreeMap<Prefix, String> {
    if relay.with(|agent| agent.routes().state_count(relay::RouteState::Conflict)) == 0 {
        return BTreeMap::new();
    }
    let asking = Arc::clone(relay);
    let strangers = tokio::task::spawn_blocking(move || asking.strangers()).await;
    let strangers = strangers.map_err(io::Error::from).flatten().unwrap_or_else(|error| {
        warn!("cannot read the kernel's routes: {error}");
        Vec::new()
    });
    strangers.into_iter().map(|stranger| (stranger.destination, stranger.to_string())).collect()
}

/// As it shall be, or as it is if nothing is wanted there.
fn item(
    route: &ListedRoute,
    agent: &Agent,
    profile: &Profile,
    strangers: &BTreeMap<Prefix, String>,
) -> Route {
    let (state, why) = route_state::of_route(route);
    let stranger = strangers.get(&route.destination).filter(|_| state == RouteState::Conflict);
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
        why: stranger.cloned().or(why),
        protocol: profile.routes.protocol,
        metric: profile.routes.metric,
        table: profile.routes.table,
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
