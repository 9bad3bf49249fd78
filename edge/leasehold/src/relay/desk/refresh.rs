//! `refresh`: has all servers asked again, and follows how that goes if it is waited for.
//!
//! It is over when every server has told all it knows since, or has failed to at least once. A server
//! that was in trouble before is not believed to be so until it has been tried again.

use std::time::Duration;

use relay::recovery::{Phase, ServerView, Trouble};
use relay::{Agent, ServerId};
use tokio::net::unix::UCred;
use tokio::time::sleep;
use tracing::info;
use world::Instant;

use super::Relay;
use super::status::status;
use crate::control::RelayStatus;
use crate::control::door::{Reply, Stop};

/// How often it is looked how far it has come: as often as a person wants to see something move.
const LOOKING: Duration = Duration::from_millis(200);

/// Refreshes.
pub(super) async fn refresh(
    relay: &impl Relay,
    wait: bool,
    from: &UCred,
    reply: &mut Reply,
) -> Result<(), Stop> {
    let now = relay.now();
    let before = relay.with(|agent| {
        let before = Before::of(agent);
        if before.is_some() {
            agent.refresh(now);
        }
        before
    });
    let Some(before) = before else {
        return Err(Stop::Refused("no server is configured to be asked".to_owned()));
    };
    relay.ask_servers();
    info!(uid = from.uid(), pid = from.pid(), "servers are asked again, by hand");
    let begun = status(relay);
    reply.item(&begun);
    reply.send().await?;
    if wait { follow(relay, &before, begun, reply).await } else { Ok(()) }
}

/// Shows how it goes on whenever there is news, and how it ended.
async fn follow(
    relay: &impl Relay,
    before: &Before,
    mut shown: RelayStatus,
    reply: &mut Reply,
) -> Result<(), Stop> {
    loop {
        // First whether it is over: what is shown last is then how it ended.
        let is_over = relay.with(|agent| before.is_over(agent));
        let status = status(relay);
        if is_over || status.recovery != shown.recovery || status.state != shown.state {
            reply.item(&status);
            reply.send().await?;
            shown = status;
        }
        if is_over {
            return Ok(());
        }
        reply.unless_stopping(sleep(LOOKING)).await?;
    }
}

/// What was wrong with the servers before they were asked again.
struct Before(Vec<(ServerId, Option<Failures>)>);

/// How often it has failed since when: with every attempt that fails it is another one.
type Failures = (Instant, u32);

impl Before {
    /// Nothing if nobody is to be asked.
    fn of(agent: &Agent) -> Option<Self> {
        let asked = agent.recovery().servers().filter(|server| server.phase != Phase::NotAsked);
        let troubles: Vec<_> = asked.map(|server| (server.server, server.trouble.map(failures))).collect();
        (!troubles.is_empty()).then_some(Self(troubles))
    }

    fn is_over(&self, agent: &Agent) -> bool {
        agent.recovery().servers().all(|server| self.has_answered(&server))
    }

    fn has_answered(&self, server: &ServerView<'_>) -> bool {
        let before = self.0.iter().find(|(id, _)| *id == server.server).map(|(_, failures)| *failures);
        match server.phase {
            Phase::NotAsked | Phase::Done { .. } => true,
            _ => server.trouble.is_some_and(|trouble| before != Some(Some(failures(trouble)))),
        }
    }
}

fn failures(trouble: &Trouble) -> Failures {
    (trouble.since, trouble.attempts)
}
