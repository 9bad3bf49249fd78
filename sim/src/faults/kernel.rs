//! What others do in the kernels of relays: routes go, strangers' come and go, and what is told of it is late or
//! lost.

use std::time::Duration;

use wire::Prefix;

use super::Fault;
use crate::nodes::NodeId;
use crate::nodes::relay::{OUR_METRIC, Place, Relay, Standing};
use crate::plan::{between, happens, one_of};
use crate::universe::{Observed, Universe};

/// How late news of the kernel is, as a rule, and sometimes.
const NEWS_MICROS: (u64, u64) = (20, 800);
const LATE_NEWS_MILLIS: (u64, u64) = (5, 5_000);
/// How long a stranger stays.
const STAY_SECS: (u64, u64) = (1, 120);
/// Metrics of strangers beside ours.
const OTHER_METRICS: [u32; 2] = [256, 1024];

/// A relay, and what a fault decides about it.
pub(super) fn some_relay(universe: &mut Universe, fault: Fault) -> Option<usize> {
    let count = universe.nodes.relays.len() as u64;
    (count > 0).then(|| universe.faults.chance(fault).below(count) as usize)
}

/// How late what has just happened in a kernel is told.
pub(super) fn lateness(universe: &mut Universe, fault: Fault) -> Duration {
    let usual = between(universe.faults.chance(fault), NEWS_MICROS.0, NEWS_MICROS.1);
    let usual = Duration::from_micros(usual);
    if !universe.faults.strikes(Fault::NewsReordered) {
        return usual;
    }
    let chance = universe.faults.chance(Fault::NewsReordered);
    usual + Duration::from_millis(between(chance, LATE_NEWS_MILLIS.0, LATE_NEWS_MILLIS.1))
}

/// Does something with a relay, and has it look at its kernel's news in time.
pub(super) fn with_relay(
    universe: &mut Universe,
    number: usize,
    work: impl FnOnce(&mut Relay, world::Instant),
) {
    universe.with(NodeId::Relay(number), |nodes, now, _| work(&mut nodes.relays[number], now));
}

/// Somebody removes a route of ours.
pub fn lose_route(universe: &mut Universe) {
    let Some(number) = some_relay(universe, Fault::RouteLost) else { return };
    let ours = ours(universe, number);
    if ours.is_empty() {
        return;
    }
    let late = lateness(universe, Fault::RouteLost);
    let destination = one_of(universe.faults.chance(Fault::RouteLost), &ours);
    befell(universe, Fault::RouteLost, number);
    with_relay(universe, number, |relay, now| _ = relay.kernel.remove(Place::ours(destination), now, late));
}

/// More happens than the socket has room for; and as a rule what happens has taken a route of ours.
pub fn lose_news(universe: &mut Universe) {
    let Some(number) = some_relay(universe, Fault::NewsLost) else { return };
    let ours = ours(universe, number);
    let chance = universe.faults.chance(Fault::NewsLost);
    let gone = (!ours.is_empty() && happens(chance, 2, 3)).then(|| one_of(chance, &ours));
    befell(universe, Fault::NewsLost, number);
    with_relay(universe, number, |relay, now| {
        if let Some(destination) = gone {
            relay.kernel.remove(Place::ours(destination), now, Duration::ZERO);
        }
        relay.kernel.overrun(now);
    });
}

/// Where routes of ours lead.
fn ours(universe: &Universe, number: usize) -> Vec<Prefix> {
    universe.nodes.relays[number].kernel.ours().map(|(destination, _)| destination).collect()
}

/// Somebody puts a route where one of ours is or would be, beside it, or into it; and takes it out again.
pub fn set_stranger(universe: &mut Universe) {
    let Some(number) = some_relay(universe, Fault::Stranger) else { return };
    let Some(delegated) = some_delegated(universe) else { return };
    let late = lateness(universe, Fault::Stranger);
    let chance = universe.faults.chance(Fault::Stranger);
    let (place, on_link) = match chance.below(4) {
        0 | 1 => (Place::ours(delegated), false),
        2 => (Place { destination: delegated, metric: one_of(chance, &OTHER_METRICS) }, false),
        _ => {
            let inside =
                Prefix::new(delegated.address(), delegated.length().max(64)).expect("64 or 128 bits");
            (Place { destination: inside, metric: OTHER_METRICS[0] }, true)
        }
    };
    let stays = between(chance, STAY_SECS.0, STAY_SECS.1);
    if matches!(universe.nodes.relays[number].kernel.at(place), Some(Standing::Stranger { .. })) {
        return;
    }
    befell(universe, Fault::Stranger, number);
    universe.observe(Observed::StrangerCame(NodeId::Relay(number), place));
    with_relay(universe, number, |relay, now| relay.kernel.set_stranger(place, on_link, now, late));
    universe
        .relieve_after(Duration::from_secs(stays), move |universe| take_stranger(universe, number, place));
}

fn take_stranger(universe: &mut Universe, number: usize, place: Place) {
    // It may have been replaced.
    if !matches!(universe.nodes.relays[number].kernel.at(place), Some(Standing::Stranger { .. })) {
        return;
    }
    let late = lateness(universe, Fault::Stranger);
    universe.observe(Observed::StrangerLeft(NodeId::Relay(number), place));
    with_relay(universe, number, |relay, now| _ = relay.kernel.remove(place, now, late));
}

/// A prefix that some server has delegated.
fn some_delegated(universe: &mut Universe) -> Option<Prefix> {
    let mut all = Vec::new();
    for client in universe.nodes.servers.iter().flat_map(|server| server.clients()) {
        all.extend(client.leases().filter_map(|held| match held.lease.resource {
            lease::Resource::Prefix(prefix) => Some(prefix),
            lease::Resource::Address(_) => None,
        }));
    }
    (!all.is_empty()).then(|| one_of(universe.faults.chance(Fault::Stranger), &all))
}

pub(super) fn befell(universe: &mut Universe, fault: Fault, number: usize) {
    universe.faults.meet(fault);
    universe.observe(Observed::Befell(fault, Some(NodeId::Relay(number))));
}

const _: () = assert!(OTHER_METRICS[0] != OUR_METRIC && OTHER_METRICS[1] != OUR_METRIC);
