//! A transcript at work: the universe in which it is played, and what its names stand for by now.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use world::Instant;

use super::cast::Cast;
use super::value::Bindings;
use crate::nodes::NodeId;
use crate::nodes::guests::{Asker, Peer};
use crate::universe::{StreamId, Universe};

/// How many of the last lines of the trace are kept to be shown.
const LAST_LINES: usize = 12;
/// How long something is waited for, unless the transcript says so.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// Something that did not come as it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mishap {
    /// The line that says how it should have.
    pub(super) line: usize,
    /// What is wrong.
    pub(super) what: String,
    /// What was expected and what has come, as far as there is something to show.
    pub(super) shown: Vec<(&'static str, String)>,
}

impl Mishap {
    pub(super) fn new(line: usize, what: impl Into<String>) -> Self {
        Self { line, what: what.into(), shown: Vec::new() }
    }

    pub(super) fn show(mut self, title: &'static str, text: String) -> Self {
        self.shown.push((title, text));
        self
    }
}

/// A step of a transcript.
pub(super) trait Act {
    /// Does it, and sees what comes of it.
    fn play(&self, stage: &mut Stage) -> Result<(), Mishap>;
}

/// Where a transcript is played.
pub(super) struct Stage {
    pub(super) universe: Universe,
    pub(super) cast: Cast,
    pub(super) bindings: Bindings,
    /// Streams by the names that the transcript gives them.
    pub(super) streams: BTreeMap<String, (NodeId, StreamId)>,
    pub(super) trace: VecDeque<String>,
    /// Who has been sent what nobody has to look at.
    pub(super) heedless: Vec<NodeId>,
}

impl Stage {
    pub(super) fn new(mut universe: Universe, cast: Cast) -> Self {
        universe.trace.keep_lines();
        Self {
            universe,
            cast,
            bindings: Bindings::new(),
            streams: BTreeMap::new(),
            trace: VecDeque::new(),
            heedless: Vec::new(),
        }
    }

    /// Lets so much time pass.
    pub(super) fn pass(&mut self, time: Duration) {
        let until = self.universe.now() + time;
        self.run(until, |_| false);
    }

    /// Lets things happen until then, or until something is so. Gives whether it is.
    pub(super) fn run(&mut self, until: Instant, mut is_so: impl FnMut(&mut Self) -> bool) -> bool {
        loop {
            if is_so(self) {
                return true;
            }
            let happened = self.universe.step(until).is_some();
            self.keep_trace();
            if !happened {
                return is_so(self);
            }
        }
    }

    /// The same, for so long at most.
    pub(super) fn within(&mut self, time: Duration, is_so: impl FnMut(&mut Self) -> bool) -> bool {
        let until = self.universe.now() + time;
        self.run(until, is_so)
    }

    pub(super) fn keep_trace(&mut self) {
        self.trace.extend(self.universe.trace.take_lines());
        let surplus = self.trace.len().saturating_sub(LAST_LINES);
        self.trace.drain(..surplus);
    }

    /// The peer that a node is.
    pub(super) fn peer(&mut self, node: NodeId) -> Option<&mut Peer> {
        let NodeId::Guest(number) = node else { return None };
        self.universe.nodes.guests[number].peer()
    }

    /// The requestor that a node is.
    pub(super) fn asker(&mut self, node: NodeId) -> Option<&mut Asker> {
        let NodeId::Guest(number) = node else { return None };
        self.universe.nodes.guests[number].asker()
    }

    /// Who it is, in the transcript's words.
    pub(super) fn name(&self, node: NodeId) -> String {
        self.cast.name_of(node).map_or_else(|| node.to_string(), str::to_owned)
    }

    /// Everything that came and that the transcript has not spoken of is too much.
    pub(super) fn end(&mut self, line: usize) -> Result<(), Mishap> {
        self.pass(PATIENCE);
        for number in 0..self.universe.nodes.guests.len() {
            let node = NodeId::Guest(number);
            if self.heedless.contains(&node) {
                continue;
            }
            let name = self.name(node);
            let Some(peer) = self.peer(node) else { continue };
            if let Some(datagram) = peer.letters.pop_front() {
                let came = super::told::tell(&super::octets::decode(&datagram.octets), &self.cast);
                return Err(Mishap::new(line, format!("{name} has received what nobody speaks of"))
                    .show("came", came));
            }
            if peer.streams.values().any(|stream| !stream.input.is_empty()) {
                return Err(Mishap::new(line, format!("{name} could read on, and nobody speaks of that")));
            }
        }
        Ok(())
    }
}
