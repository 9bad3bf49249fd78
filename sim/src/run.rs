//! One seed: a phase in which things go wrong, then one in which nothing does and everything must come right.

use std::collections::BTreeMap;
use std::time::Duration;

use world::Instant;

use crate::faults::Fault;
use crate::plan::Plan;
use crate::properties::{self, Property, Violation};
use crate::universe::{Observed, Universe};
use crate::vocabulary::{Listener, Vocabulary};

/// How long it takes at most until everything has come right once nothing goes wrong any more.
pub const LIVENESS: Duration = Duration::from_secs(900);
/// How often it is looked whether it has; after the first time that it has, that is the end.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// How much may happen in a run: some hundred times as much as happens in an ordinary one. More is two nodes
/// that keep each other busy.
const MAX_STEPS: u64 = 3_000_000;

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What did not hold, and when.
    pub violation: Option<(Instant, Violation)>,
    /// What stands for everything that happened.
    pub digest: u64,
    /// How much happened.
    pub steps: u64,
    /// How long it went on.
    pub simulated: Duration,
    /// How often each fault befell somebody.
    pub met: BTreeMap<Fault, u64>,
    /// How often each property had something to judge.
    pub exercised: BTreeMap<&'static str, u64>,
    /// What was said.
    pub said: Vocabulary,
}

/// Where the lines of a trace go.
pub type Lines<'a> = Option<&'a mut dyn FnMut(&str)>;

/// Runs a plan to its end, or to the first thing that does not hold.
///
/// # Panics
///
/// When a node does: an assertion of production that does not hold.
pub fn run(plan: Plan, lines: Lines<'_>) -> Outcome {
    let safety_end = Instant::default() + plan.safety;
    let mut run = Run::new(plan, lines);
    let violation = run.go(safety_end).and_then(|()| run.come_right(safety_end + LIVENESS)).err();
    let now = run.universe.now();
    Outcome {
        violation: violation.map(|violation| (now, violation)),
        digest: run.universe.trace.digest(),
        steps: run.steps,
        simulated: now.since(Instant::default()),
        met: run.universe.faults.met().clone(),
        exercised: run.properties.iter().map(|property| (property.name(), property.exercised())).collect(),
        said: run.listener.heard().clone(),
    }
}

struct Run<'a> {
    universe: Universe,
    properties: Vec<Box<dyn Property>>,
    listener: Listener,
    steps: u64,
    lines: Lines<'a>,
}

impl<'a> Run<'a> {
    fn new(plan: Plan, lines: Lines<'a>) -> Self {
        let mut universe = Universe::new(plan);
        if lines.is_some() {
            universe.trace.keep_lines();
        }
        Self { universe, properties: properties::all(), listener: Listener::default(), steps: 0, lines }
    }

    /// Lets everything happen until then.
    fn go(&mut self, until: Instant) -> Result<(), Violation> {
        while let Some(observed) = self.universe.step(until) {
            self.steps += 1;
            if self.steps > MAX_STEPS {
                let what = format!("more than {MAX_STEPS} things have happened");
                return Err(Violation { property: "restful", what });
            }
            self.judge(&observed)?;
        }
        Ok(())
    }

    fn come_right(&mut self, until: Instant) -> Result<(), Violation> {
        self.universe.calm();
        let observed = self.universe.take_observed();
        self.judge(&observed)?;
        loop {
            let next = until.min(self.universe.now() + LOOK_EVERY);
            self.go(next)?;
            match self.is_right() {
                Err(violation) if next == until => return Err(violation),
                Err(violation) => self.tell(&format!("not yet: {violation}")),
                Ok(()) => return Ok(()),
            }
        }
    }

    fn tell(&mut self, text: &str) {
        if let Some(line) = &mut self.lines {
            line(text);
        }
    }

    fn is_right(&mut self) -> Result<(), Violation> {
        let universe = &self.universe;
        self.properties.iter_mut().try_for_each(|property| {
            let name = property.name();
            property.end(universe).map_err(|what| Violation { property: name, what })
        })
    }

    fn judge(&mut self, observed: &[Observed]) -> Result<(), Violation> {
        if let Some(line) = &mut self.lines {
            self.universe.trace.take_lines().iter().for_each(|text| line(text));
        }
        observed.iter().for_each(|seen| self.listener.observe(seen));
        let universe = &self.universe;
        let mut each = |look: &mut dyn FnMut(&mut dyn Property) -> Result<(), String>| {
            self.properties.iter_mut().try_for_each(|property| {
                let name = property.name();
                look(property.as_mut()).map_err(|what| Violation { property: name, what })
            })
        };
        observed.iter().try_for_each(|seen| each(&mut |property| property.observe(seen, universe)))?;
        each(&mut |property| property.step(universe))
    }
}
