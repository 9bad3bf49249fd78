//! Disks: commits that take long, that fail, of which nobody can say whether they last; and disks that are full
//! for a while.

use std::time::Duration;

use super::Fault;
use crate::nodes::NodeId;
use crate::nodes::disk::Fate;
use crate::plan::{between, happens};
use crate::universe::{Observed, Outbox, Universe};

/// How long a slow commit takes.
const SLOW_MILLIS: (u64, u64) = (50, 6_000);
/// How long a disk is full.
const FULL_SECS: (u64, u64) = (1, 60);

/// What befalls a commit that begins: how much longer it takes, and what becomes of it.
pub fn befall_commit(out: &mut Outbox) -> (Duration, Fate) {
    let delay = if out.strikes(Fault::SlowCommit) {
        let (least, most) = SLOW_MILLIS;
        Duration::from_millis(between(out.chance(Fault::SlowCommit), least, most))
    } else {
        Duration::ZERO
    };
    let fate = if !out.strikes(Fault::CommitFails) {
        Fate::Succeeds
    } else if happens(out.chance(Fault::CommitFails), 1, 2) {
        Fate::SeemsToFail
    } else {
        Fate::Fails
    };
    (delay, fate)
}

/// Fills a server's disk.
pub fn fill(universe: &mut Universe) {
    let count = universe.nodes.servers.len() as u64;
    let chance = universe.faults.chance(Fault::DiskFull);
    let (number, secs) = (chance.below(count) as usize, between(chance, FULL_SECS.0, FULL_SECS.1));
    universe.faults.meet(Fault::DiskFull);
    universe.observe(Observed::Befell(Fault::DiskFull, Some(NodeId::Server(number))));
    universe.nodes.servers[number].disk.set_full(true);
    universe.relieve_after(Duration::from_secs(secs), move |universe| {
        universe.nodes.servers[number].disk.set_full(false);
    });
}
