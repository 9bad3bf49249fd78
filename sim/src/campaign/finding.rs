//! What a seed has found: a property that does not hold, an assertion of production, or a run that is not the
//! same twice.

use std::cell::RefCell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use std::time::Duration;

use world::Instant;

use super::Case;
use crate::plan::Plan;
use crate::run::Outcome;

/// A failure, and how to see it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The seed, and what its plan was made smaller by.
    pub case: Case,
    /// The property.
    pub property: String,
    /// In what way it does not hold.
    pub what: String,
    /// When, in simulated time; not known of what stopped the run from within.
    pub after: Option<Duration>,
}

impl Finding {
    /// What an outcome says, if it says so.
    pub(super) fn of(case: &Case, outcome: Outcome) -> Option<Self> {
        let (at, violation) = outcome.violation?;
        Some(Self {
            case: case.clone(),
            property: violation.property.to_owned(),
            what: violation.what,
            after: Some(at.since(Instant::default())),
        })
    }

    pub(super) fn differs(case: &Case, one: u64, other: u64) -> Self {
        let what = format!("it ended as {one:016x} and, run again, as {other:016x}");
        Self { case: case.clone(), property: "repeatable".to_owned(), what, after: None }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { case, property, what, after } = self;
        write!(f, "seed {}: {property}", case.seed)?;
        if let Some(after) = after {
            write!(f, " after {:.3} s", after.as_secs_f64())?;
        }
        writeln!(f, ": {what}")?;
        write!(f, "  see it: cargo run --release -p sim -- {case} --trace")
    }
}

thread_local! {
    /// What the last panic of this thread said.
    static LAST_WORDS: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Runs a case. A panic is an assertion of production, or of the simulator, that does not hold.
pub fn attempt(case: &Case, run: impl FnOnce(Plan) -> Outcome) -> Result<Outcome, Finding> {
    listen_to_panics();
    let plan = Plan::drawn_with(case.seed, &case.cuts);
    catch_unwind(AssertUnwindSafe(|| run(plan))).map_err(|_| Finding {
        case: case.clone(),
        property: "sound".to_owned(),
        what: LAST_WORDS.take(),
        after: None,
    })
}

/// Panics are kept to be told with their seed, instead of being printed between others.
fn listen_to_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| std::panic::set_hook(Box::new(|panic| LAST_WORDS.set(panic.to_string()))));
}
