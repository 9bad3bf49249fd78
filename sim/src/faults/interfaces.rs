//! Interfaces of relays that go down, with the routes that lead there, and come up; and such as go altogether and
//! come back under another number.

use std::time::Duration;

use super::Fault;
use super::kernel::{befell, lateness, some_relay, with_relay};
use crate::nodes::NodeId;
use crate::nodes::relay::Side;
use crate::plan::{between, one_of};
use crate::universe::Universe;

/// How long they are away.
const AWAY_MILLIS: (u64, u64) = (1, 60_000);

/// An interface goes down, and comes up.
pub fn go_down(universe: &mut Universe) {
    let Some((number, side)) = some_interface(universe, Fault::InterfaceDown) else { return };
    befell(universe, Fault::InterfaceDown, number);
    set_down(universe, Fault::InterfaceDown, number, side);
    let away = between(universe.faults.chance(Fault::InterfaceDown), AWAY_MILLIS.0, AWAY_MILLIS.1);
    universe.relieve_after(Duration::from_millis(away), move |universe| {
        let late = lateness(universe, Fault::InterfaceDown);
        with_relay(universe, number, |relay, now| relay.kernel.up(side, now, late));
        let kernel = &universe.nodes.relays[number].kernel;
        let index = kernel.interface(side).expect("it is there").index;
        universe.network.change(NodeId::Relay(number), index, |_, attachment| attachment.is_up = true);
    });
}

/// An interface goes, and comes back under another number.
pub fn go_away(universe: &mut Universe) {
    let Some((number, side)) = some_interface(universe, Fault::InterfaceGone) else { return };
    befell(universe, Fault::InterfaceGone, number);
    let index = set_down(universe, Fault::InterfaceGone, number, side);
    let late = lateness(universe, Fault::InterfaceGone);
    with_relay(universe, number, |relay, now| relay.kernel.take_out(side, now, late));
    let away = between(universe.faults.chance(Fault::InterfaceGone), AWAY_MILLIS.0, AWAY_MILLIS.1);
    universe.relieve_after(Duration::from_millis(away), move |universe| {
        let late = lateness(universe, Fault::InterfaceGone);
        with_relay(universe, number, |relay, now| relay.kernel.put_in(side, now, late));
        let kernel = &universe.nodes.relays[number].kernel;
        let next = kernel.interface(side).expect("it is there").index;
        universe.network.change(NodeId::Relay(number), index, |_, attachment| {
            (attachment.interface, attachment.is_up) = (next, true);
        });
    });
}

/// One that is there and up, so that one trouble befalls it at a time.
fn some_interface(universe: &mut Universe, fault: Fault) -> Option<(usize, Side)> {
    let number = some_relay(universe, fault)?;
    let up = universe.nodes.relays[number].kernel.interfaces().filter(|interface| interface.is_up);
    let sides: Vec<Side> = up.map(|interface| interface.side).collect();
    (!sides.is_empty()).then(|| (number, one_of(universe.faults.chance(fault), &sides)))
}

fn set_down(universe: &mut Universe, fault: Fault, number: usize, side: Side) -> u32 {
    let late = lateness(universe, fault);
    let index = universe.nodes.relays[number].kernel.interface(side).expect("it is there").index;
    universe.network.change(NodeId::Relay(number), index, |_, attachment| attachment.is_up = false);
    with_relay(universe, number, |relay, now| relay.kernel.down(side, now, late));
    index
}
