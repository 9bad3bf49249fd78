//! The configuration of a relay is read anew while everything goes on: with something changed, and changed back later.

use std::time::Duration;

use world::Chance;

use super::Fault;
use super::kernel::some_relay;
use crate::nodes::NodeId;
use crate::nodes::relay::Setup;
use crate::plan::{addresses, between, happens, one_of};
use crate::universe::{Observed, Universe};

/// How long what was changed stays.
const STAYS_SECS: (u64, u64) = (1, 200);

/// A relay goes on with other decisions.
pub fn reload_relay(universe: &mut Universe) {
    let Some(number) = some_relay(universe, Fault::ReloadRelay) else { return };
    let mut chance = Chance::from_seed(universe.faults.chance(Fault::ReloadRelay).next_u64());
    let before = universe.nodes.relays[number].planned().clone();
    universe.faults.meet(Fault::ReloadRelay);
    let mut setup = before.clone();
    change(&mut setup, &mut chance);
    go_on_with(universe, number, setup);
    let stays = Duration::from_secs(between(&mut chance, STAYS_SECS.0, STAYS_SECS.1));
    universe.relieve_after(stays, move |universe| go_on_with(universe, number, before));
}

/// If it does not run, it starts with that.
fn go_on_with(universe: &mut Universe, number: usize, setup: Setup) {
    universe.observe(Observed::Befell(Fault::ReloadRelay, Some(NodeId::Relay(number))));
    universe.with(NodeId::Relay(number), |nodes, now, out| {
        nodes.relays[number].setup = setup;
        nodes.relays[number].reload(now, out);
    });
}

/// Only what need not wait for the next start.
fn change(setup: &mut Setup, chance: &mut Chance) {
    let agent = &mut setup.agent;
    let (per_client, per_port) = (one_of(chance, &[1, 2, 8]), one_of(chance, &[1, 3, 100]));
    let rules = setup.ports.iter_mut().map(|(_, port)| &mut port.rules);
    match chance.below(7) {
        0 => rules.for_each(|rules| rules.max_delegations_per_client = per_client),
        1 => rules.for_each(|rules| rules.max_delegations = per_port),
        2 => {
            agent.host_routes = !agent.host_routes;
            agent.recovery.territory.addresses = agent.host_routes.then(Vec::new);
        }
        3 => {
            if let Some(routes) = &mut agent.routes {
                routes.closes_aggregates = !routes.closes_aggregates;
                routes.aggregates = vec![addresses::all_delegated()];
            }
        }
        4 => agent.unique_clients = !agent.unique_clients,
        5 => {
            let mut servers = setup.servers.clone();
            servers.reverse();
            servers.truncate(between(chance, 1, servers.len() as u64) as usize);
            setup.know(servers);
        }
        _ => setup.ports.retain(|_| happens(chance, 1, 2)),
    }
}
