//! An operator of a relay: `clear delegation` and `refresh`, whenever it comes to their mind.
//!
//! That is a fault like the others and not a part of the load: what is cleared loses its route though its client
//! has it still, until somebody speaks of it anew, so an operator has to rest before everything can come right.

use relay::Filter;

use super::Fault;
use super::kernel::{befell, some_relay};
use crate::nodes::NodeId;
use crate::plan::one_of;
use crate::universe::Universe;

/// Gives a relay an order.
pub fn order(universe: &mut Universe) {
    let Some(number) = some_relay(universe, Fault::Operator) else { return };
    let Some(agent) = universe.nodes.relays[number].agent() else { return };
    let mut filters = vec![Filter::All];
    for held in agent.delegations().all(None) {
        let client = held.client.to_duid();
        filters.push(Filter::Prefix(held.prefix));
        filters.push(Filter::Client(client.clone()));
        filters.push(Filter::ClientOnPort(client, held.port));
        filters.push(Filter::Port(held.port));
    }
    let choices: Vec<Option<usize>> =
        (0..filters.len()).map(Some).chain(std::iter::repeat_n(None, filters.len())).collect();
    let choice = one_of(universe.faults.chance(Fault::Operator), &choices);
    befell(universe, Fault::Operator, number);
    universe.with(NodeId::Relay(number), |nodes, now, out| match choice {
        Some(filter) => nodes.relays[number].clear(&filters[filter], now, out),
        None => nodes.relays[number].refresh(now, out),
    });
}
