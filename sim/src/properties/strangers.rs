//! A stranger's route is never changed or removed by a relay, whatever is wanted in its place.
//!
//! One exception is in the nature of rtnetlink: there is no replacing of a route that looks whose it is. A stranger
//! who has taken the place of a route of ours is replaced if the relay had not been told of that when it
//! handed the change over; the simulated kernel knows when that was, and says then that the stranger has left.

use std::collections::BTreeSet;

use super::Property;
use crate::nodes::NodeId;
use crate::nodes::relay::{Place, Standing};
use crate::universe::{Observed, Universe};

/// Keeps a list of strangers' routes beside the kernels.
#[derive(Debug, Default)]
pub(super) struct Strangers {
    here: BTreeSet<(NodeId, Place)>,
    exercised: u64,
}

impl Property for Strangers {
    fn name(&self) -> &'static str {
        "strangers"
    }

    fn observe(&mut self, observed: &Observed, universe: &Universe) -> Result<(), String> {
        match observed {
            Observed::StrangerCame(node, place) => _ = self.here.insert((*node, *place)),
            Observed::StrangerLeft(node, place) => _ = self.here.remove(&(*node, *place)),
            Observed::RouteChanged(node @ NodeId::Relay(number), change) => {
                let place = Place::ours(change.destination());
                self.exercised += self.here.iter().filter(|(whose, _)| whose == node).count() as u64;
                if self.here.contains(&(*node, place)) {
                    return Err(format!("{node} has changed a stranger's route: {change:?}"));
                }
                let kernel = &universe.nodes.relays[*number].kernel;
                let is_there = |place| matches!(kernel.at(place), Some(Standing::Stranger { .. }));
                let mut its = self.here.iter().filter(|(whose, _)| whose == node);
                if let Some((_, gone)) = its.find(|(_, place)| !is_there(*place)) {
                    return Err(format!("{node} has a stranger's route to {} no more", gone.destination));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.exercised
    }
}
