//! Every question of a requestor that keeps to the standard ends, and once nothing goes wrong any more it ends well:
//! with all that there is, or with a status that its sender will not get rid of by asking again. Nobody who may ask is
//! kept from asking for ever, whatever others do.
//!
//! What may happen all the same: a server closes a connection that has nothing to do, or one after its answer if an
//! operator wants that, or gives the place of one that rests to somebody else, just when a requestor asks something
//! more on it. Then the requestor asks again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use requestor::{Gap, Outcome};
use server::leasequery::{Close, Waiting};
use wire::TransactionId;
use world::Instant;

use crate::nodes::NodeId;
use crate::plan::{Manners, MayAsk};
use crate::properties::Property;
use crate::universe::{Observed, StreamId, Universe, Via};

/// How long it takes at most until everybody is there again.
const GRACE: Duration = Duration::from_secs(20);
/// So many questions of somebody are to end well then.
const ENOUGH: u64 = 3;
/// How long a question may take that nothing befalls: silence ends it after 300 seconds.
const PATIENCE: Duration = Duration::from_secs(400);

/// Looks at all questions.
#[derive(Debug, Default)]
pub(in crate::properties) struct Ends {
    open: BTreeMap<(NodeId, Via, TransactionId), Question>,
    calm_since: Option<Instant>,
    /// Streams that were opened when nothing went wrong any more.
    sound: BTreeSet<StreamId>,
    turned_away: BTreeSet<StreamId>,
    left: BTreeMap<StreamId, Close>,
    /// How many questions of each have ended well that were asked when everybody was there again.
    well: BTreeMap<NodeId, u64>,
    exercised: u64,
}

#[derive(Debug, Clone, Copy)]
struct Question {
    server: usize,
    at: Instant,
}

impl Property for Ends {
    fn name(&self) -> &'static str {
        "ends"
    }

    fn observe(&mut self, observed: &Observed, universe: &Universe) -> Result<(), String> {
        let now = universe.now();
        match observed {
            Observed::Calm => self.calm_since = Some(now),
            Observed::Opened(stream, ..) if self.calm_since.is_some() => _ = self.sound.insert(*stream),
            Observed::TurnedAway(_, stream) => _ = self.turned_away.insert(*stream),
            Observed::Left(_, stream, close) => _ = self.left.insert(*stream, *close),
            Observed::Asked(node, NodeId::Server(server), via, id, _) => {
                let question = Question { server: *server, at: now };
                if self.open.insert((*node, *via, *id), question).is_some() {
                    return Err(format!("{node} uses {id} twice by {via}"));
                }
            }
            Observed::QuestionDropped(node, via, id) => _ = self.open.remove(&(*node, *via, *id)),
            Observed::QuestionEnded(node, via, id, outcome) => {
                let question = self.open.remove(&(*node, *via, *id));
                let question = question.ok_or_else(|| format!("{node}: {id} by {via} ends twice"))?;
                self.exercised += 1;
                if is_good(outcome) {
                    *self.well.entry(*node).or_default() += u64::from(self.is_late(question.at));
                } else if self.was_to_end_well(*via, question)
                    && !self.is_excused(*node, *via, question, outcome, universe)
                {
                    return Err(format!("{node}: {id} by {via} ends with {outcome:?}"));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, universe: &Universe) -> Result<(), String> {
        let now = universe.now();
        for ((node, via, id), question) in &self.open {
            if now.since(question.at) > PATIENCE {
                return Err(format!("{node}: {id} by {via} has been open since {:?}", question.at));
            }
        }
        let requestors = universe.plan.topology.requestors.iter().enumerate();
        for (number, plan) in requestors.filter(|(_, plan)| plan.may_ask != MayAsk::Nothing) {
            let node = NodeId::Requestor(number);
            let well = self.well.get(&node).copied().unwrap_or(0);
            if matches!(plan.manners, Manners::Honest(_)) && well < ENOUGH {
                return Err(format!("{node} has been answered {well} times since all is calm"));
            }
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.exercised
    }
}

impl Ends {
    fn is_late(&self, at: Instant) -> bool {
        self.calm_since.is_some_and(|calm| at >= calm + GRACE)
    }

    fn was_to_end_well(&self, via: Via, question: Question) -> bool {
        let is_sound = match via {
            Via::Stream(stream) => self.sound.contains(&stream),
            Via::Datagram(..) => true,
        };
        is_sound && self.is_late(question.at)
    }

    fn is_excused(
        &self,
        node: NodeId,
        via: Via,
        question: Question,
        outcome: &Outcome,
        universe: &Universe,
    ) -> bool {
        let NodeId::Requestor(number) = node else { return false };
        let topology = &universe.plan.topology;
        match (via, outcome) {
            (Via::Stream(stream), Outcome::Incomplete(Gap::Closed)) => {
                let is_farewell =
                    |close: &Close| matches!(close, Close::Answered | Close::TimedOut(Waiting::Work));
                self.turned_away.contains(&stream) || self.left.get(&stream).is_some_and(is_farewell)
            }
            (Via::Datagram(..), Outcome::Incomplete(Gap::Silent)) => {
                let refuses_silently = topology.servers[question.server].refuse_silently;
                refuses_silently && topology.requestors[number].may_ask != MayAsk::Everything
            }
            _ => false,
        }
    }
}

/// Asking again would bring nothing else.
fn is_good(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Done | Outcome::Empty => true,
        Outcome::Refused(_) => !outcome.is_terminated(),
        Outcome::Partial(_) | Outcome::Incomplete(_) => false,
    }
}
