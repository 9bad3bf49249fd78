//! Configurations that are read anew while everything goes on: what is decided otherwise for a while, and then
//! as it was.

use std::time::Duration;

use super::Fault;
use crate::nodes::NodeId;
use crate::nodes::server::Setup;
use crate::plan::{between, happens, one_of};
use crate::universe::{Observed, Universe};
use world::Chance;

/// How long it stays otherwise.
const SECS: (u64, u64) = (1, 120);

/// Has a server read a configuration that differs.
pub fn reload_server(universe: &mut Universe) {
    let count = universe.nodes.servers.len() as u64;
    let chance = universe.faults.chance(Fault::ReloadServer);
    let number = chance.below(count) as usize;
    let original = Setup::new(number, &universe.plan.topology.servers[number], &universe.plan.topology);
    let mut changed = original.clone();
    change(&mut changed, chance);
    let secs = between(chance, SECS.0, SECS.1);
    universe.faults.meet(Fault::ReloadServer);
    decide(universe, number, changed);
    universe.relieve_after(Duration::from_secs(secs), move |universe| decide(universe, number, original));
}

fn decide(universe: &mut Universe, number: usize, setup: Setup) {
    universe.observe(Observed::Befell(Fault::ReloadServer, Some(NodeId::Server(number))));
    universe.with(NodeId::Server(number), |nodes, now, out| {
        nodes.servers[number].setup = setup;
        nodes.servers[number].reload(now, out);
    });
}

/// Decides one thing or several otherwise.
fn change(setup: &mut Setup, chance: &mut Chance) {
    for terms in setup.terms.rules.links.values_mut() {
        if happens(chance, 1, 2) {
            terms.valid_secs = one_of(chance, &[15, 45, 200]);
            terms.preferred_secs = terms.valid_secs / 2;
        }
        if happens(chance, 1, 3) {
            terms.rapid_commit = !terms.rapid_commit;
            terms.bind_on_renew = !terms.bind_on_renew;
        }
    }
    if happens(chance, 1, 4) {
        // The pools are taken away from one link: what was given out of them is nobody's on renewal.
        let at = chance.below(setup.links.len() as u64) as usize;
        setup.links[at].address_pools.clear();
        setup.links[at].delegation_pools.clear();
    }
    if happens(chance, 1, 4) {
        setup.policy.bulk.max_connections = one_of(chance, &[1, 3]);
        setup.policy.bulk.max_queries_per_connection = one_of(chance, &[1, 3]);
    }
}
