//! A relay's machine starts again: no route of ours is left, its streams are gone without a word, and what was
//! written down is there, or not all of it.

use std::time::Duration;

use world::Chance;

use super::Fault;
use super::kernel::{befell, some_relay};
use super::process;
use crate::nodes::NodeId;
use crate::plan::{between, happens};
use crate::universe::Universe;

/// How long it takes.
const BOOT_MILLIS: (u64, u64) = (1_000, 90_000);

/// Has one start again.
pub fn reboot(universe: &mut Universe) {
    let Some(number) = some_relay(universe, Fault::Reboot) else { return };
    if !universe.nodes.relays[number].is_running() {
        return;
    }
    befell(universe, Fault::Reboot, number);
    process::end_relay(universe, Fault::Reboot, number);
    let mut chance = Chance::from_seed(universe.faults.chance(Fault::Reboot).next_u64());
    let relay = &mut universe.nodes.relays[number];
    relay.kernel.restart();
    if happens(&mut chance, 1, 3) {
        relay.notebook.forget(&mut chance);
    }
    let down = Duration::from_millis(between(&mut chance, BOOT_MILLIS.0, BOOT_MILLIS.1));
    process::gone(universe, NodeId::Relay(number), false, down);
}
