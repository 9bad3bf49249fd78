//! What all runs have met together.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::faults::Fault;
use crate::properties;
use crate::run::Outcome;
use crate::vocabulary::Vocabulary;

/// Seeds from which on everything should have been met: fewer may miss something by chance.
const ENOUGH_SEEDS: u64 = 500;

/// Counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Seeds run.
    pub seeds: u64,
    /// Of those that once failed.
    pub once_failing: u64,
    /// Seeds run twice.
    pub twice: u64,
    /// How much happened.
    pub steps: u64,
    /// Simulated time.
    pub simulated: Duration,
    /// Real time.
    pub took: Duration,
    /// How often each fault befell somebody.
    pub met: BTreeMap<Fault, u64>,
    /// How often each property had something to judge.
    pub exercised: BTreeMap<&'static str, u64>,
    /// What was said.
    pub said: Vocabulary,
}

impl Tally {
    /// Adds what a run has met.
    pub(super) fn note(&mut self, outcome: &Outcome) {
        self.steps += outcome.steps;
        self.simulated += outcome.simulated;
        self.said.add(&outcome.said);
        outcome.met.iter().for_each(|(fault, times)| *self.met.entry(*fault).or_default() += times);
        for (property, times) in &outcome.exercised {
            *self.exercised.entry(property).or_default() += times;
        }
    }

    /// Adds what others have met.
    pub(super) fn add(&mut self, other: &Self) {
        self.twice += other.twice;
        self.steps += other.steps;
        self.simulated += other.simulated;
        self.said.add(&other.said);
        other.met.iter().for_each(|(fault, times)| *self.met.entry(*fault).or_default() += times);
        for (property, times) in &other.exercised {
            *self.exercised.entry(property).or_default() += times;
        }
    }

    /// Faults and properties that should have been met and were not.
    pub fn missing(&self) -> Vec<String> {
        if self.seeds < ENOUGH_SEEDS {
            return Vec::new();
        }
        let faults = Fault::ALL.iter().filter(|fault| !self.met.contains_key(fault));
        let faults = faults.map(|fault| format!("the fault {fault} never befell anybody"));
        let properties = properties::all();
        let idle = properties.iter().map(|property| property.name());
        let idle = idle.filter(|name| self.exercised.get(name).is_none_or(|times| *times == 0));
        faults.chain(idle.map(|name| format!("the property {name} never had anything to judge"))).collect()
    }

    /// Seeds each second.
    pub fn rate(&self) -> f64 {
        self.seeds as f64 / self.took.as_secs_f64().max(f64::EPSILON)
    }
}
