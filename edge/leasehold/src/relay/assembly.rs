//! All parts of a relay, made from its configuration, and none of them running yet.

use std::sync::Arc;

use anyhow::{Context, bail};
use relay::Agent;
use tracing::info;
use world::Chance;

use super::recovery::Wake;
use super::service::{Service, Wakers};
use super::setup::Setup;
use crate::clock::Clock;
use crate::config::Config;
use crate::kernel::RouteSettings;
use crate::net::Poller;
use crate::state;

/// The parts that the threads of a relay are made of.
pub(super) struct Assembly {
    pub(super) service: Arc<Service>,
    /// By what our routes are known; nothing if there are to be none.
    pub(super) settings: Option<RouteSettings>,
    pub(super) routing_poller: Poller,
    pub(super) writing_poller: Poller,
}

/// Whether the relay is about to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It is.
    Run,
    /// It is only tried what it would do.
    Rehearse,
}

impl Assembly {
    /// Names the relay, and makes the agent.
    pub(super) fn new(config: &Config, purpose: Purpose) -> anyhow::Result<Self> {
        let Some(relay) = config.relay.clone() else {
            bail!("there is no [relay] in the configuration");
        };
        if purpose == Purpose::Rehearse && relay.relay_id.is_none() && !state::has_relay_id(&config.state) {
            bail!("the relay has no DUID yet, so no server knows it: one is made at the first start");
        }
        let relay_id = state::relay_id(relay.relay_id.clone(), &config.state)?;
        let setup = Setup::new(relay, relay_id)?;
        let settings = setup.route_settings()?;
        let clock = Clock::start();
        let agent = Agent::new(setup.for_agent(), chance()?, clock.now().instant);
        let (routing_poller, writing_poller) = (poller()?, poller()?);
        let wakers = Wakers {
            routing: routing_poller.waker(),
            writing: writing_poller.waker(),
            sessions: Wake::default(),
        };
        info!(relay_id = %setup.relay_id, "relaying");
        let service = Service::new(setup, agent, settings.unwrap_or_default(), clock, wakers);
        Ok(Self { service: Arc::new(service), settings, routing_poller, writing_poller })
    }
}

fn poller() -> anyhow::Result<Poller> {
    Poller::new().context("cannot make a poller")
}

/// Numbers that nobody can tell beforehand.
pub(super) fn chance() -> anyhow::Result<Chance> {
    let mut seed = [0; 8];
    getrandom::fill(&mut seed)
        .map_err(|error| anyhow::anyhow!("the system gives no random octets: {error}"))?;
    Ok(Chance::from_seed(u64::from_be_bytes(seed)))
}
