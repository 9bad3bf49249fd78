//! Partitions: two nodes do not hear each other for a while, and each may still hear everybody else.

use std::time::Duration;

use super::Fault;
use crate::nodes::NodeId;
use crate::plan::{between, one_of};
use crate::universe::{Observed, Universe};

/// How long: also longer than a lease.
const SECS: (u64, u64) = (1, 200);

/// Parts two nodes.
pub fn part(universe: &mut Universe) {
    let nodes: Vec<NodeId> = universe.nodes.ids().collect();
    let chance = universe.faults.chance(Fault::Partition);
    let (one, other) = (one_of(chance, &nodes), one_of(chance, &nodes));
    let secs = between(chance, SECS.0, SECS.1);
    universe.faults.meet(Fault::Partition);
    universe.observe(Observed::Befell(Fault::Partition, Some(one)));
    universe.part(one, other, true);
    universe.relieve_after(Duration::from_secs(secs), move |universe| universe.part(one, other, false));
}
