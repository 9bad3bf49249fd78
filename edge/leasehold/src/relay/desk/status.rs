//! `show relay`: how the relay is, in one look; and the same in one sentence.

use relay::recovery::{Progress, State, Trouble};
use relay::{Agent, Counters, Discard, RouteState, Routes, ServerId};
use world::Instant;

use super::{Profile, Relay};
use crate::control::door::{Reply, Stop};
use crate::control::{self, Delegated, RelayCounters, RelayMessages, RelayState, RelayStatus, RouteCounts};

/// Shows how it is.
pub(super) async fn show(relay: &impl Relay, reply: &mut Reply) -> Result<(), Stop> {
    reply.item(&status(relay));
    reply.send().await
}

/// How it is, for whoever has room for a line.
pub fn sentence(relay: &impl Relay) -> String {
    let RelayStatus { state, why, recovery, delegations: held, routes, .. } = status(relay);
    let amount =
        format!("{} prefixes, {} addresses, {} routes", held.prefixes, held.addresses, routes.installed);
    match state {
        RelayState::Recovering => format!("{state}: {recovery}; {amount}"),
        RelayState::Degraded => format!("{state}: {}; {amount}", why.unwrap_or_default()),
        RelayState::InSync | RelayState::NotAsking => format!("{state}: {amount}"),
    }
}

/// How it is.
pub(super) fn status(relay: &impl Relay) -> RelayStatus {
    let (profile, now) = (relay.profile(), relay.now());
    let counters = counted(relay.counters());
    relay.with(|agent| of_agent(agent, &profile, counters, now))
}

fn of_agent(agent: &Agent, profile: &Profile, counters: RelayCounters, now: Instant) -> RelayStatus {
    let recovery = agent.recovery();
    let (state, since, why) = state(recovery.state(), recovery.epoch().began, profile);
    let held = agent.delegations().counts();
    RelayStatus {
        relay_id: profile.relay_id.to_string(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        uptime_secs: now.since(Instant::default()).as_secs(),
        state,
        since_secs: now.since(since).as_secs(),
        why,
        recovery: progress(recovery.progress()),
        delegations: Delegated { prefixes: held.prefixes as u64, addresses: held.addresses as u64 },
        routes: routes(agent.routes()),
        ports: agent.ports().all_present().count() as u64,
        counters,
    }
}

fn state(state: State, began: Instant, profile: &Profile) -> (RelayState, Instant, Option<String>) {
    match state {
        State::NotAsking => (RelayState::NotAsking, Instant::default(), None),
        State::Recovering(_) => (RelayState::Recovering, began, None),
        State::InSync { since } => (RelayState::InSync, since, None),
        State::Degraded { lacking, .. } => {
            let since = lacking.iter().map(|(_, trouble)| trouble.since).min().unwrap_or(began);
            let said = |(id, trouble): &(ServerId, Trouble)| {
                format!("{}: {}", profile.server_name(*id), trouble.why)
            };
            let why: Vec<String> = lacking.iter().map(said).collect();
            (RelayState::Degraded, since, Some(why.join("; ")))
        }
    }
}

fn progress(progress: Progress) -> control::Progress {
    let Progress { done, asked, tally } = progress;
    control::Progress {
        servers: asked as u64,
        servers_done: done as u64,
        clients: tally.clients,
        leases: tally.leases,
        unplaced: tally.unplaced,
    }
}

fn routes(routes: &Routes) -> RouteCounts {
    let count = |state: RouteState| routes.state_count(state) as u64;
    let counts = RouteCounts {
        wanted: 0,
        installed: count(RouteState::Installed),
        pending: count(RouteState::Pending),
        waiting: count(RouteState::NoWay),
        unproven: count(RouteState::Unproven),
        conflicts: count(RouteState::Conflict),
        refused: count(RouteState::Refused),
        failed: count(RouteState::Failed),
        leaving: count(RouteState::Leaving),
    };
    let RouteCounts { installed, pending, waiting, conflicts, failed, .. } = counts;
    RouteCounts { wanted: installed + pending + waiting + conflicts + failed, ..counts }
}

/// What has been counted, as it is shown.
pub(in crate::relay) fn counted(counters: &Counters) -> RelayCounters {
    let of_type = |counted: relay::Messages| {
        let name = counted.message_type.map_or("unknown", |known| known.name());
        let received = counted.from_clients + counted.from_relays + counted.from_servers;
        let relay::Messages { forwarded, delivered, .. } = counted;
        (name.to_owned(), RelayMessages { received, forwarded, delivered })
    };
    let discards = Discard::ALL.iter();
    RelayCounters {
        messages: counters.messages().map(of_type).collect(),
        discards: discards.map(|reason| (reason.name().to_owned(), counters.discarded(*reason))).collect(),
    }
}
