//! What has to hold, whatever happens: a file for each.
//!
//! A property sees everything that can be observed as it happens, and may look at every node then. What it
//! remembers is its own: an oracle as simple as can be, which shares nothing with the code that it judges.

mod acknowledged;
mod answered;
mod bounded;
mod converged;
mod durable;
mod exclusive;
mod given_back;
mod kept;
mod lifetimes;
mod placed;
mod places;
mod queries;
mod released;
mod remembered;
mod served;
mod strangers;
mod swept_late;
mod well_formed;

use std::fmt;
use std::time::Duration;

use crate::universe::{Observed, Universe};

/// How long a Reply may wait: for a slow commit that is under way, and for its own.
const WAITING: Duration = Duration::from_secs(15);

/// Something that has to hold.
pub trait Property {
    /// What it is called.
    fn name(&self) -> &'static str;

    /// Looks at something that has just happened.
    fn observe(&mut self, _observed: &Observed, _universe: &Universe) -> Result<(), String> {
        Ok(())
    }

    /// Looks at everything after a step.
    fn step(&mut self, _universe: &Universe) -> Result<(), String> {
        Ok(())
    }

    /// Whether everything has come right, once nothing goes wrong any more; it has some time for that, and is
    /// looked at now and then.
    fn end(&mut self, _universe: &Universe) -> Result<(), String> {
        Ok(())
    }

    /// How often there was something to judge.
    fn exercised(&self) -> u64;
}

/// A property that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub property: &'static str,
    /// In what way.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.property, self.what)
    }
}

/// All of them, at the beginning of a run, in the order in which they are to look at what happens.
pub fn all() -> Vec<Box<dyn Property>> {
    let docket = queries::SharedDocket::default();
    vec![
        Box::new(acknowledged::Acknowledged::default()),
        Box::new(answered::Answered::default()),
        Box::new(bounded::Bounded::default()),
        Box::new(durable::Durable::default()),
        Box::new(exclusive::Exclusive::default()),
        Box::new(lifetimes::Lifetimes::default()),
        Box::new(served::Served::default()),
        Box::new(well_formed::WellFormed::default()),
        Box::new(queries::grammar::Grammar::default()),
        Box::new(queries::truthful::Truthful::new(docket.clone())),
        Box::new(queries::complete::Complete::new(docket)),
        Box::new(queries::understood::Understood::default()),
        Box::new(queries::fair::Fair::default()),
        Box::new(queries::ends::Ends::default()),
        Box::new(converged::Converged::default()),
        Box::new(given_back::GivenBack::default()),
        Box::new(kept::Kept::default()),
        Box::new(placed::Placed::default()),
        Box::new(released::Released::default()),
        Box::new(remembered::Remembered::default()),
        Box::new(strangers::Strangers::default()),
        Box::new(swept_late::SweptLate::default()),
    ]
}
