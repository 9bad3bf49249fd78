//! What has become of a route, in the words of what is shown.

use std::io;

use relay::{Agent, DelegationRef, ListedRoute};

use crate::control::RouteState;

/// What has become of the route of a delegation, and why.
pub(super) fn of_delegation(agent: &Agent, held: &DelegationRef<'_>) -> (RouteState, Option<String>) {
    if agent.ports().present(held.port).is_none() {
        return (RouteState::Waiting, Some("its interface is absent".to_owned()));
    }
    agent.routes().find(held.prefix).map_or((RouteState::None, None), |route| of_route(&route))
}

/// What has become of a route, and why.
pub(super) fn of_route(route: &ListedRoute) -> (RouteState, Option<String>) {
    let state = state(route.state);
    let why = match state {
        RouteState::Waiting => Some("its interface is down or gone".to_owned()),
        RouteState::Conflict => Some("somebody else's route stands in its place".to_owned()),
        RouteState::Refused => route.refused.map(|why| why.to_string()),
        RouteState::Failed => {
            let errno = route.errno.filter(|errno| *errno != 0);
            errno.map(|errno| io::Error::from_raw_os_error(errno).to_string())
        }
        _ => None,
    };
    (state, why)
}

fn state(state: relay::RouteState) -> RouteState {
    match state {
        relay::RouteState::Installed => RouteState::Installed,
        relay::RouteState::Pending => RouteState::Pending,
        relay::RouteState::Unproven => RouteState::Unproven,
        relay::RouteState::Conflict => RouteState::Conflict,
        relay::RouteState::Refused => RouteState::Refused,
        relay::RouteState::NoWay => RouteState::Waiting,
        relay::RouteState::Failed => RouteState::Failed,
        relay::RouteState::Leaving => RouteState::Leaving,
    }
}
