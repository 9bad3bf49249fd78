//! `show servers`: each server, and how asking it goes.

use relay::recovery::{Epoch, Phase, ServerView};
use relay::{Agent, ServerId};
use world::Instant;

use super::{Profile, Relay, Traffic};
use crate::control::door::{Reply, Stop};
use crate::control::{Server, ServerState};

/// Shows every server.
pub(super) async fn show(relay: &impl Relay, reply: &mut Reply) -> Result<(), Stop> {
    let (profile, now) = (relay.profile(), relay.now());
    let traffic = |id: ServerId| relay.traffic(id);
    relay.with(|agent| items(agent, &profile, traffic, now).iter().for_each(|item| reply.item(item)));
    reply.send().await
}

fn items(
    agent: &Agent,
    profile: &Profile,
    traffic: impl Fn(ServerId) -> Traffic,
    now: Instant,
) -> Vec<Server> {
    let recovery = agent.recovery();
    let item = |view: ServerView<'_>| item(&view, recovery.epoch(), profile, traffic(view.server), now);
    recovery.servers().map(item).collect()
}

fn item(view: &ServerView<'_>, epoch: Epoch, profile: &Profile, traffic: Traffic, now: Instant) -> Server {
    let configured = profile.servers.get(usize::from(view.server.0));
    let troubled = view.trouble.map(|trouble| trouble.since);
    let (state, since, until) = match view.phase {
        Phase::NotAsked => (ServerState::NotAsked, epoch.began, None),
        Phase::Waiting { until } => (ServerState::Waiting, troubled.unwrap_or(epoch.began), Some(until)),
        Phase::Asking { since, .. } => (ServerState::Asking, since, None),
        Phase::Done { at } => (ServerState::Done, at, None),
        Phase::Refused { until } => (ServerState::Refused, troubled.unwrap_or(epoch.began), Some(until)),
    };
    let method = match view.phase {
        Phase::Asking { method, .. } => Some(method.name().to_owned()),
        _ => None,
    };
    Server {
        name: profile.server_name(view.server),
        address: configured.map(|server| server.address.to_string()).unwrap_or_default(),
        leasequery_address: configured.and_then(|server| Some(server.leasequery?.to_string())),
        state,
        since_secs: now.since(since).as_secs(),
        method,
        failed_attempts: view.trouble.map_or(0, |trouble| trouble.attempts.into()),
        next_attempt_secs: until.map(|until| until.since(now).as_secs()),
        last_error: view.trouble.map(|trouble| trouble.why.to_string()),
        last_success_secs: view.last_done.map(|at| now.since(at).as_secs()),
        clients: view.tally.clients,
        leases: view.tally.leases,
        forwarded: traffic.forwarded,
        replies: traffic.replies,
    }
}
