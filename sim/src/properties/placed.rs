//! Next hop and interface of every route are those of a client that has been told to hold the prefix, there: by a
//! Reply that this relay has passed on, or by the relay path that a server remembers. Nothing is guessed, and
//! nothing is mixed out of two.

use std::collections::{BTreeMap, BTreeSet};

use lease::ClientView;
use relay::{Change, Target};
use wire::Prefix;

use super::Property;
use super::places::{Way, granted, link_of, through, whole};
use crate::nodes::NodeId;
use crate::universe::{Observed, Universe};

/// Remembers every way that was ever told.
#[derive(Debug, Default)]
pub(super) struct Placed {
    told: BTreeMap<(usize, Prefix), BTreeSet<Way>>,
    exercised: u64,
}

impl Property for Placed {
    fn name(&self) -> &'static str {
        "placed"
    }

    fn observe(&mut self, observed: &Observed, universe: &Universe) -> Result<(), String> {
        let relays = &universe.nodes.relays;
        match observed {
            Observed::Arriving(NodeId::Relay(number), datagram) => {
                if let Some(granted) = granted(&relays[*number], &datagram.octets) {
                    for (prefix, ..) in granted.leases {
                        self.told.entry((*number, prefix)).or_default().insert(granted.way);
                    }
                }
            }
            Observed::Changed(_, images) => {
                let images = images.iter().filter_map(|image| image.image.as_deref());
                images.filter_map(|image| ClientView::decode(image).ok()).for_each(|client| {
                    let Some(path) = client.path() else { return };
                    for (number, relay) in relays.iter().enumerate() {
                        let Some(way) = through(number, relay, path) else { continue };
                        for held in client.leases() {
                            let prefix = whole(held.lease.resource);
                            self.told.entry((number, prefix)).or_default().insert(way);
                        }
                    }
                });
            }
            Observed::RouteChanged(
                NodeId::Relay(number),
                Change::Add(route) | Change::Replace { to: route, .. },
            ) => {
                let Target::Via { next_hop, interface_index } = route.target else { return Ok(()) };
                self.exercised += 1;
                let link = link_of(&relays[*number], interface_index);
                let told = self.told.get(&(*number, route.destination));
                let is_told =
                    link.is_some_and(|link| told.is_some_and(|told| told.contains(&Way { next_hop, link })));
                if !is_told {
                    return Err(format!(
                        "relay {number} routes {route:?}, which nobody has told; told was {told:?}"
                    ));
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
