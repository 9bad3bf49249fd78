//! Reading the configuration anew while the relay runs.
//!
//! A file with a fault changes nothing. What is bound to the start of the process stays as it was
//! until the next one, and is named in the log. Delegations do not depend on any of it.

use std::path::Path;

use anyhow::{Context, anyhow};
use tracing::{info, warn};

use super::Running;
use super::assembly::chance;
use super::setup::Setup;
use crate::config::Config;
use crate::config::relay::Relay;

/// Reads the file and goes on with it. Gives the configuration that is then in force.
pub(super) fn reload(running: &Running, file: &Path, current: &Config) -> anyhow::Result<Config> {
    let read = Config::read(file).map_err(|faults| anyhow!("{faults}"))?;
    read.warnings.iter().for_each(|warning| warn!("{warning}"));
    let relay = read.relay.clone().context("there is no [relay] in it any more")?;
    let service = &running.service;
    let before = service.setup();
    for key in fixed_at_start(current, &read).into_iter().chain(fixed_of_relay(&before.relay, &relay)) {
        warn!("{key} has changed, which the next start will heed");
    }
    let setup = Setup::new(with_what_is_fixed(relay, &before.relay), before.relay_id.clone())?;
    let (for_agent, chance, now) = (setup.for_agent(), chance()?, service.now().instant);
    let has_other_servers = setup.relay.servers != before.relay.servers;
    service.with(|agent| agent.configure(for_agent, has_other_servers, chance, now));
    service.decide(setup);
    running.waker.wake();
    info!("configuration read anew");
    Ok(read)
}

/// The keys that differ and that only a start can heed.
fn fixed_at_start(current: &Config, read: &Config) -> Vec<&'static str> {
    let compared = [
        ("state", current.state == read.state),
        ("control.socket", current.control_socket() == read.control_socket()),
    ];
    compared.into_iter().filter(|(_, same)| !same).map(|(key, _)| key).collect()
}

/// The same, of `[relay]`.
fn fixed_of_relay(before: &Relay, read: &Relay) -> Vec<&'static str> {
    let of_kernel = |relay: &Relay| {
        let routes = relay.routes.as_ref();
        routes.map(|routes| (routes.protocol, routes.metric, routes.table.clone()))
    };
    let compared = [
        ("relay.mode", before.mode == read.mode),
        ("relay.relay-id", before.relay_id == read.relay_id),
        ("relay.listen-port", before.listen_port == read.listen_port),
        ("relay.source-port", before.source_port == read.source_port),
        (
            "relay.client-link-layer-address",
            before.client_link_layer_address == read.client_link_layer_address,
        ),
        ("relay.recovery.remember", before.recovery.remembers == read.recovery.remembers),
        ("relay.routes.enabled, protocol, metric or table", of_kernel(before) == of_kernel(read)),
    ];
    compared.into_iter().filter(|(_, same)| !same).map(|(key, _)| key).collect()
}

/// What was read, but where only a start can heed it, as it was.
fn with_what_is_fixed(read: Relay, before: &Relay) -> Relay {
    let routes = match (read.routes, &before.routes) {
        (Some(routes), Some(before)) => Some(crate::config::relay::Routes {
            protocol: before.protocol,
            metric: before.metric,
            table: before.table.clone(),
            ..routes
        }),
        (_, before) => before.clone(),
    };
    Relay {
        mode: before.mode,
        relay_id: before.relay_id.clone(),
        listen_port: before.listen_port,
        source_port: before.source_port,
        client_link_layer_address: before.client_link_layer_address,
        routes,
        ..read
    }
}
