//! What a seed draws: who is there, with which limits, and what goes wrong how often.
//!
//! Small worlds find more than large ones: two clients that want the last prefix meet at once where ten
//! thousand never do. So everything here is a handful, and lifetimes are seconds to minutes.
//!
//! A plan is drawn from its seed alone. [`Cut`]s make it smaller afterwards, to see what a failure needs;
//! each part of a plan has a chance of its own, so that what is cut does not change the rest.

pub mod addresses;
mod asking;
mod cut;
mod load;
mod topology;

use std::time::Duration;

use world::Chance;

use crate::faults::Mix;

pub use asking::{Manners, MayAsk, RequestorPlan, Stock, Ways};
pub use cut::{Cut, CutError};
pub use load::{Habits, Load};
pub use topology::{ClientPlan, LinkNumber, RelayPlan, ServerPlan, Topology, VandalPlan};

/// Everything about a run that is decided before it begins.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What all else was drawn from.
    pub seed: u64,
    /// Who is there.
    pub topology: Topology,
    /// What they do of their own accord.
    pub load: Load,
    /// What goes wrong.
    pub faults: Mix,
    /// How long things go wrong.
    pub safety: Duration,
}

impl Plan {
    /// Draws a plan.
    pub fn draw(seed: u64) -> Self {
        Self {
            seed,
            topology: Topology::draw(&mut chance(seed, "topology")),
            load: Load::draw(&mut chance(seed, "load")),
            faults: Mix::draw(&mut chance(seed, "faults")),
            safety: Duration::from_secs(between(&mut chance(seed, "safety"), 60, 600)),
        }
    }

    /// The same, made smaller.
    pub fn drawn_with(seed: u64, cuts: &[Cut]) -> Self {
        let mut plan = Self::draw(seed);
        cuts.iter().for_each(|cut| cut.apply(&mut plan));
        plan
    }
}

/// The chance of one part of a run: another one for each purpose, so that none disturbs the others.
pub fn chance(seed: u64, purpose: &str) -> Chance {
    let mixed = purpose.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, |sum, octet| {
        (sum ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3)
    });
    Chance::from_seed(mixed)
}

/// A number from `least` to `most`, both included.
pub fn between(chance: &mut Chance, least: u64, most: u64) -> u64 {
    least + chance.below(most - least + 1)
}

/// Whether something happens that does so `times` times in `of`.
pub fn happens(chance: &mut Chance, times: u64, of: u64) -> bool {
    chance.below(of) < times
}

/// One of these.
pub fn one_of<T: Copy>(chance: &mut Chance, choices: &[T]) -> T {
    let at = chance.below(choices.len() as u64);
    choices[usize::try_from(at).expect("a few choices")]
}
