//! Clocks: the time of day steps, and all clocks of a node go too fast or too slow, until somebody sets them.
//!
//! It is servers' and relays' clocks: what clients and requestors do hangs on how much time passes, and theirs
//! are their own affair.

use std::time::Duration;

use super::Fault;
use crate::nodes::NodeId;
use crate::plan::{between, happens, one_of};
use crate::universe::{Clock, Observed, Universe};

/// How far the time of day steps: from what a leap does to what a wrong zone does.
const STEP_SECS: [i64; 8] = [1, -1, 10, -10, 100, -100, 3_600, -3_600];
/// How wrong a clock goes, in millionths: ten times as wrong as the worst quartz, to find more.
const DRIFT_PPM: [i64; 6] = [100, -100, 1_000, -1_000, 20_000, -20_000];
/// How long it takes until somebody sets them.
const SECS: (u64, u64) = (1, 200);

/// Has the time of day of a node step.
pub fn step(universe: &mut Universe) {
    let secs = one_of(universe.faults.chance(Fault::ClockSteps), &STEP_SECS);
    befall(universe, Fault::ClockSteps, |clock, now| clock.step(now, secs));
}

/// Has the clocks of a node go wrong.
pub fn drift(universe: &mut Universe) {
    let ppm = one_of(universe.faults.chance(Fault::ClockDrifts), &DRIFT_PPM);
    befall(universe, Fault::ClockDrifts, |clock, now| clock.drift(now, ppm));
}

fn befall(universe: &mut Universe, fault: Fault, change: impl FnOnce(&mut Clock, world::Instant)) {
    let (servers, relays) = (universe.nodes.servers.len(), universe.nodes.relays.len());
    let chance = universe.faults.chance(fault);
    let is_server = relays == 0 || happens(chance, 1, 2);
    let number = chance.below(if is_server { servers } else { relays } as u64) as usize;
    let node = if is_server { NodeId::Server(number) } else { NodeId::Relay(number) };
    let secs = between(chance, SECS.0, SECS.1);
    universe.faults.meet(fault);
    set(universe, fault, node, change);
    universe.relieve_after(Duration::from_secs(secs), move |universe| {
        set(universe, Fault::ClockSteps, node, Clock::correct);
    });
}

fn set(universe: &mut Universe, fault: Fault, node: NodeId, change: impl FnOnce(&mut Clock, world::Instant)) {
    universe.observe(Observed::Befell(fault, Some(node)));
    universe.with(node, |nodes, now, _| match node {
        NodeId::Server(number) => change(&mut nodes.servers[number].clock, now),
        NodeId::Relay(number) => change(&mut nodes.relays[number].clock, now),
        NodeId::Client(_) | NodeId::Requestor(_) | NodeId::Vandal(_) | NodeId::Guest(_) => {}
    });
}
