//! Steps about a relay's machine: its interfaces, and the routes of others in its kernel; and about who operates it.

use std::time::Duration;

use relay::Filter;
use wire::Prefix;

use super::cast::Cast;
use super::fault::Fault;
use super::stage::{Act, Mishap, Stage};
use super::value::{Kind, Slot};
use super::words::Words;
use crate::nodes::NodeId;
use crate::nodes::relay::{Place, Side, Standing};
use crate::universe::Universe;

/// How long it takes until a program is told what others have done to its kernel.
const NEWS_AFTER: Duration = Duration::from_millis(1);

enum What {
    /// An interface is taken out.
    Loses(String),
    /// It comes back under another number.
    GetsBack(String),
    /// It goes down with its routes.
    HasDown(String),
    HasUp(String),
    /// Somebody else sets a route in our place.
    GetsStranger(Slot),
    /// It is there.
    HasStranger(Slot),
    Clears(Slot),
    AsksAnew,
}

struct OfMachine {
    line: usize,
    relay: usize,
    what: What,
}

/// Steps whose verb is about a machine; none if it is not.
pub(super) fn of_machine(
    line: usize,
    relay: usize,
    w: &mut Words<'_>,
    cast: &Cast,
) -> Result<Option<Box<dyn Act>>, Fault> {
    let port = |w: &mut Words<'_>| w.next("the name of a port").map(str::to_owned);
    let what = if w.take("loses port") {
        What::Loses(port(w)?)
    } else if w.take("gets back port") {
        What::GetsBack(port(w)?)
    } else if w.take("has down port") {
        What::HasDown(port(w)?)
    } else if w.take("has up port") {
        What::HasUp(port(w)?)
    } else if w.take("gets a stranger's route to") {
        What::GetsStranger(Kind::Prefix.read(w, cast)?)
    } else if w.take("has a stranger's route to") {
        What::HasStranger(Kind::Prefix.read(w, cast)?)
    } else if w.take("clears") {
        What::Clears(Kind::Prefix.read(w, cast)?)
    } else if w.take("asks everybody anew") {
        What::AsksAnew
    } else {
        return Ok(None);
    };
    Ok(Some(Box::new(OfMachine { line, relay, what })))
}

impl Act for OfMachine {
    fn play(&self, stage: &mut Stage) -> Result<(), Mishap> {
        let prefix = |slot: &Slot| super::routing::prefix(slot, self.line, stage);
        match &self.what {
            What::Loses(port) => {
                self.down(port, &mut stage.universe)?;
                self.on_side(port, &mut stage.universe, |relay, side, now| {
                    relay.kernel.take_out(side, now, NEWS_AFTER);
                })?;
            }
            What::HasDown(port) => self.down(port, &mut stage.universe)?,
            What::GetsBack(port) => {
                let before = self.index(port, &stage.universe)?;
                self.on_side(port, &mut stage.universe, |relay, side, now| {
                    relay.kernel.put_in(side, now, NEWS_AFTER);
                })?;
                let after = self.index(port, &stage.universe)?;
                self.attached(before, after, true, &mut stage.universe);
            }
            What::HasUp(port) => {
                self.on_side(port, &mut stage.universe, |relay, side, now| {
                    relay.kernel.up(side, now, NEWS_AFTER);
                })?;
                let index = self.index(port, &stage.universe)?;
                self.attached(index, index, true, &mut stage.universe);
            }
            What::GetsStranger(slot) => {
                let place = Place::ours(prefix(slot)?);
                self.change(&mut stage.universe, |relay, now| {
                    relay.kernel.set_stranger(place, false, now, NEWS_AFTER);
                });
            }
            What::HasStranger(slot) => {
                let prefix = prefix(slot)?;
                return self.see_stranger(prefix, stage);
            }
            What::Clears(slot) => {
                let filter = Filter::Prefix(prefix(slot)?);
                let relay = self.relay;
                stage.universe.with(NodeId::Relay(relay), |nodes, now, out| {
                    nodes.relays[relay].clear(&filter, now, out);
                });
            }
            What::AsksAnew => {
                let relay = self.relay;
                stage
                    .universe
                    .with(NodeId::Relay(relay), |nodes, now, out| nodes.relays[relay].refresh(now, out));
            }
        }
        stage.keep_trace();
        Ok(())
    }
}

impl OfMachine {
    fn side(&self, port: &str, universe: &Universe) -> Result<Side, Mishap> {
        let ports = &universe.nodes.relays[self.relay].setup.ports;
        let found = ports.iter().find(|(_, known)| known.name == port);
        let (link, _) = found.ok_or_else(|| Mishap::new(self.line, format!("there is no port {port}")))?;
        Ok(Side::Clients(*link))
    }

    fn index(&self, port: &str, universe: &Universe) -> Result<u32, Mishap> {
        let side = self.side(port, universe)?;
        let interface = universe.nodes.relays[self.relay].kernel.interface(side);
        interface.map(|interface| interface.index).ok_or_else(|| Mishap::new(self.line, "it is nowhere"))
    }

    fn change(&self, universe: &mut Universe, change: impl FnOnce(&mut crate::nodes::Relay, world::Instant)) {
        let relay = self.relay;
        universe.with(NodeId::Relay(relay), |nodes, now, _| change(&mut nodes.relays[relay], now));
    }

    fn on_side(
        &self,
        port: &str,
        universe: &mut Universe,
        change: impl FnOnce(&mut crate::nodes::Relay, Side, world::Instant),
    ) -> Result<(), Mishap> {
        let side = self.side(port, universe)?;
        self.change(universe, |relay, now| change(relay, side, now));
        Ok(())
    }

    fn down(&self, port: &str, universe: &mut Universe) -> Result<(), Mishap> {
        let index = self.index(port, universe)?;
        self.attached(index, index, false, universe);
        self.on_side(port, universe, |relay, side, now| relay.kernel.down(side, now, NEWS_AFTER))
    }

    fn attached(&self, before: u32, after: u32, is_up: bool, universe: &mut Universe) {
        universe.network.change(NodeId::Relay(self.relay), before, |_, attachment| {
            (attachment.interface, attachment.is_up) = (after, is_up);
        });
    }

    fn see_stranger(&self, prefix: Prefix, stage: &mut Stage) -> Result<(), Mishap> {
        stage.pass(super::routing::SETTLES_WITHIN);
        let kernel = &stage.universe.nodes.relays[self.relay].kernel;
        match kernel.at(Place::ours(prefix)) {
            Some(Standing::Stranger { .. }) => Ok(()),
            Some(Standing::Ours(_)) => Err(Mishap::new(self.line, "the route there is ours")),
            None => Err(Mishap::new(self.line, "there is no route")),
        }
    }
}
