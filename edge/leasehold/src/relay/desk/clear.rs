//! `clear delegation`: what the operator has the relay forget, with its routes, portion by portion (RFC
//! 8987 §4.4 O-2). Nobody else is told of it.

use relay::{Agent, Filter};
use tokio::net::unix::UCred;
use tracing::info;
use wire::Prefix;
use world::Instant;

use super::delegations::{self, item};
use super::selection::{Place, Selection};
use super::{LOOKED_AT_ONCE, Profile, Relay};
use crate::control::door::{Reply, Stop};
use crate::control::{Clearing, Delegation};

/// Delegations that are ended under one lock: each of them has a route changed.
const CLEARED_AT_ONCE: usize = 256;

/// Clears, or says what would be cleared.
pub(super) async fn clear(
    relay: &impl Relay,
    clearing: Clearing,
    from: &UCred,
    reply: &mut Reply,
) -> Result<(), Stop> {
    let asked = clearing.to_string();
    let Clearing { filter, all, dry_run } = clearing;
    if filter.is_empty() != all || !filter.states.is_empty() {
        return Err(Stop::Refused("what to clear has to be said, and not by its route".to_owned()));
    }
    if dry_run {
        return delegations::show(relay, filter, reply).await;
    }
    let profile = relay.profile();
    let selection = relay.with(|agent| Selection::new(filter, &profile, agent.ports()));
    let selection = selection.map_err(Stop::Refused)?;
    let mut cleared = 0;
    let result = go_through(relay, &selection, &profile, &mut cleared, reply).await;
    let complete = result.is_ok();
    info!(uid = from.uid(), pid = from.pid(), filter = asked, cleared, complete, "cleared by hand");
    result
}

async fn go_through(
    relay: &impl Relay,
    selection: &Selection,
    profile: &Profile,
    cleared: &mut usize,
    reply: &mut Reply,
) -> Result<(), Stop> {
    let mut after = None;
    loop {
        let now = relay.now();
        let (shown, next) = relay.with(|agent| portion(agent, selection, profile, after, now));
        *cleared += shown.len();
        shown.iter().for_each(|item| reply.item(item));
        reply.send().await?;
        match next {
            Some(place) => after = Some(place),
            None => return Ok(()),
        }
    }
}

/// Ends a portion of what is meant; gives it as it was before, and the place to go on from.
fn portion(
    agent: &mut Agent,
    selection: &Selection,
    profile: &Profile,
    after: Option<Place>,
    now: Instant,
) -> (Vec<Delegation>, Option<Place>) {
    let (mut meant, mut shown, mut next) = (Vec::<Prefix>::new(), Vec::new(), None);
    for (looked_at, held) in selection.look(agent, after).enumerate() {
        if selection.means(&held, agent) {
            shown.push(item(&held, agent, profile, now));
            meant.push(held.prefix);
        }
        if meant.len() == CLEARED_AT_ONCE || looked_at + 1 == LOOKED_AT_ONCE {
            next = Some(Place::from(held));
            break;
        }
    }
    for prefix in meant {
        agent.clear(&Filter::Prefix(prefix), now, 1);
    }
    (shown, next)
}
