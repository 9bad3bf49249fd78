//! What clients do of their own accord, apart from what the standard has them do.

use std::time::Duration;

use world::Chance;

use super::{between, one_of};

/// How busy everybody is.
#[derive(Debug, Clone)]
pub struct Load {
    /// How long it takes until all clients have been switched on.
    pub arrival: Duration,
    /// What clients do besides renewing.
    pub habits: Habits,
}

/// The mean time between two such things that one client does; none if it never does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Habits {
    /// It gives everything back, and asks anew a while later.
    pub releases: Option<Duration>,
    /// It finds that an address is in use.
    pub declines: Option<Duration>,
    /// It is switched off and on again, and has forgotten everything.
    pub forgets: Option<Duration>,
    /// It is carried to another link.
    pub moves: Option<Duration>,
    /// It asks what there is to know besides leases.
    pub informs: Option<Duration>,
}

impl Load {
    /// Draws it.
    pub fn draw(chance: &mut Chance) -> Self {
        let mut habit = |often: &[u64]| {
            let secs = one_of(chance, often);
            (secs > 0).then(|| Duration::from_secs(secs))
        };
        let habits = Habits {
            releases: habit(&[0, 0, 30, 60, 200]),
            declines: habit(&[0, 0, 0, 100]),
            forgets: habit(&[0, 0, 40, 150]),
            moves: habit(&[0, 0, 60, 200]),
            informs: habit(&[0, 0, 0, 100]),
        };
        Self { arrival: Duration::from_secs(between(chance, 1, 60)), habits }
    }
}
