//! Steps about time and trouble: time passes, datagrams are lost, programs are killed and start again, clocks step.

use std::time::Duration;

use world::Chance;

use super::cast::Cast;
use super::fault::Fault;
use super::stage::{Act, Mishap, Stage};
use super::story::somebody;
use super::words::Words;
use crate::nodes::NodeId;
use crate::universe::Observed;

/// Time passes.
pub(super) struct After(pub(super) Duration);

impl Act for After {
    fn play(&self, stage: &mut Stage) -> Result<(), Mishap> {
        stage.pass(self.0);
        Ok(())
    }
}

/// Datagrams that are lost.
struct Lost {
    count: u32,
    from: NodeId,
    to: NodeId,
}

/// `the next 2 datagrams from R1 to S1 are lost`, behind `the next`.
pub(super) fn lost(w: &mut Words<'_>, cast: &Cast) -> Result<Box<dyn Act>, Fault> {
    let count = if w.take("datagram") {
        1
    } else {
        let count = w.number()?;
        w.expect("datagrams")?;
        count
    };
    w.expect("from")?;
    let from = somebody(w, cast)?;
    w.expect("to")?;
    let to = somebody(w, cast)?;
    w.expect(if count == 1 { "is lost" } else { "are lost" })?;
    Ok(Box::new(Lost { count, from, to }))
}

impl Act for Lost {
    fn play(&self, stage: &mut Stage) -> Result<(), Mishap> {
        stage.universe.condemn(self.from, self.to, self.count);
        Ok(())
    }
}

/// Something befalls a node.
enum What {
    IsKilled { lasts: bool },
    LosesPower,
    Stops,
    Starts,
    CannotHear(NodeId, bool),
    DiskIs { full: bool },
    Steps { secs: i64 },
}

struct Befalls {
    line: usize,
    who: NodeId,
    what: What,
}

/// Steps whose verb is about trouble; none if it is not.
pub(super) fn befalls(
    line: usize,
    who: NodeId,
    w: &mut Words<'_>,
    cast: &Cast,
) -> Result<Option<Box<dyn Act>>, Fault> {
    let what = if w.take("is killed before its commit lasts") {
        What::IsKilled { lasts: false }
    } else if w.take("is killed") {
        What::IsKilled { lasts: true }
    } else if w.take("loses its power") {
        What::LosesPower
    } else if w.take("is stopped") {
        What::Stops
    } else if w.take("starts") {
        What::Starts
    } else if w.take("is cut off from") {
        What::CannotHear(somebody(w, cast)?, true)
    } else if w.take("hears") {
        let other = somebody(w, cast)?;
        w.expect("again")?;
        What::CannotHear(other, false)
    } else if w.take("has no space left on its disk") {
        What::DiskIs { full: true }
    } else if w.take("has space on its disk again") {
        What::DiskIs { full: false }
    } else if w.take("has its clock set back by") {
        What::Steps { secs: -i64::from(w.secs()?) }
    } else if w.take("has its clock set forward by") {
        What::Steps { secs: i64::from(w.secs()?) }
    } else {
        return Ok(None);
    };
    Ok(Some(Box::new(Befalls { line, who, what })))
}

impl Act for Befalls {
    fn play(&self, stage: &mut Stage) -> Result<(), Mishap> {
        let who = self.who;
        let none = || Mishap::new(self.line, "that can befall a server or a relay alone");
        match self.what {
            What::IsKilled { lasts } => self.end(lasts, stage)?,
            What::LosesPower => {
                self.end(true, stage)?;
                if let NodeId::Relay(number) = who {
                    stage.universe.nodes.relays[number].kernel.restart();
                }
            }
            What::Stops => match who {
                NodeId::Server(number) => {
                    stage.universe.with(who, |nodes, now, out| nodes.servers[number].stop(now, out));
                }
                _ => return Err(none()),
            },
            What::Starts => {
                if !matches!(who, NodeId::Server(_) | NodeId::Relay(_)) {
                    return Err(none());
                }
                crate::faults::process::start(&mut stage.universe, who);
            }
            What::CannotHear(other, are_parted) => stage.universe.part(who, other, are_parted),
            What::DiskIs { full } => match who {
                NodeId::Server(number) => stage.universe.nodes.servers[number].disk.set_full(full),
                _ => return Err(none()),
            },
            What::Steps { secs } => {
                let now = stage.universe.now();
                match who {
                    NodeId::Server(number) => stage.universe.nodes.servers[number].clock.step(now, secs),
                    NodeId::Relay(number) => stage.universe.nodes.relays[number].clock.step(now, secs),
                    _ => return Err(none()),
                }
            }
        }
        stage.keep_trace();
        Ok(())
    }
}

impl Befalls {
    /// A program ends. Those at the other end of its streams are told by its system, unless that is gone too.
    fn end(&self, lasts: bool, stage: &mut Stage) -> Result<(), Mishap> {
        let who = self.who;
        match who {
            NodeId::Server(number) => stage.universe.nodes.servers[number].kill(lasts),
            NodeId::Relay(number) => {
                let mut chance = Chance::from_seed(0);
                stage.universe.with(who, |nodes, now, out| nodes.relays[number].kill(&mut chance, now, out));
            }
            _ => return Err(Mishap::new(self.line, "that can befall a server or a relay alone")),
        }
        stage.universe.observe(Observed::Killed(who));
        stage.universe.abandon_streams(who, !matches!(self.what, What::LosesPower));
        Ok(())
    }
}
