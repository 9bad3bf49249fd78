//! Programs that are killed between any two steps, or give up, and start again.

use std::time::Duration;

use world::Chance;

use super::Fault;
use crate::nodes::NodeId;
use crate::plan::{between, happens};
use crate::universe::{Observed, Universe};

/// How long it takes until a program has been started again.
const DOWN_MILLIS: (u64, u64) = (10, 60_000);
/// The same, of one that has given up.
const RESTART_AFTER: Duration = Duration::from_secs(2);

/// Kills a server that runs.
pub fn kill_server(universe: &mut Universe) {
    let count = universe.nodes.servers.len() as u64;
    let chance = universe.faults.chance(Fault::KillServer);
    let number = chance.below(count) as usize;
    let (lasts, down) = (happens(chance, 1, 2), between(chance, DOWN_MILLIS.0, DOWN_MILLIS.1));
    let are_told = happens(chance, 3, 4);
    if universe.nodes.servers[number].is_running() {
        universe.faults.meet(Fault::KillServer);
        universe.nodes.servers[number].kill(lasts);
        gone(universe, NodeId::Server(number), are_told, Duration::from_millis(down));
    }
}

/// Stops a server that runs, in good order.
pub fn stop_server(universe: &mut Universe) {
    let count = universe.nodes.servers.len() as u64;
    let number = universe.faults.chance(Fault::StopServer).below(count) as usize;
    if universe.nodes.servers[number].is_running() {
        universe.faults.meet(Fault::StopServer);
        universe.observe(Observed::Befell(Fault::StopServer, Some(NodeId::Server(number))));
        universe.with(NodeId::Server(number), |nodes, now, out| nodes.servers[number].stop(now, out));
    }
}

/// Kills a relay that runs.
pub fn kill_relay(universe: &mut Universe) {
    let count = universe.nodes.relays.len() as u64;
    if count == 0 {
        return;
    }
    let chance = universe.faults.chance(Fault::KillRelay);
    let number = chance.below(count) as usize;
    let down = between(chance, DOWN_MILLIS.0, DOWN_MILLIS.1);
    if universe.nodes.relays[number].is_running() {
        universe.faults.meet(Fault::KillRelay);
        end_relay(universe, Fault::KillRelay, number);
        gone(universe, NodeId::Relay(number), true, Duration::from_millis(down));
    }
}

/// A relay's program ends, of this fault.
pub(super) fn end_relay(universe: &mut Universe, fault: Fault, number: usize) {
    let mut chance = Chance::from_seed(universe.faults.chance(fault).next_u64());
    universe.with(NodeId::Relay(number), |nodes, now, out| {
        nodes.relays[number].kill(&mut chance, now, out);
    });
}

/// A program has ended of its own accord.
pub fn failed(universe: &mut Universe, node: NodeId) {
    gone(universe, node, true, RESTART_AFTER);
}

/// Those at the other end of its streams are told by its system, unless its machine is gone too.
pub(super) fn gone(universe: &mut Universe, node: NodeId, are_told: bool, down: Duration) {
    universe.observe(Observed::Killed(node));
    universe.abandon_streams(node, are_told);
    universe.relieve_after(down, move |universe| start(universe, node));
}

/// Starts a program.
pub(crate) fn start(universe: &mut Universe, node: NodeId) {
    universe.with(node, |nodes, now, out| match node {
        NodeId::Server(number) => nodes.servers[number].start(now),
        NodeId::Relay(number) => nodes.relays[number].start(now, out),
        NodeId::Client(_) | NodeId::Requestor(_) | NodeId::Vandal(_) | NodeId::Guest(_) => {}
    });
    universe.observe(Observed::Started(node));
}
