//! What a client does of its own accord, and when: what its people do with it. In the universe's time, and
//! only as long as things go wrong.

use std::time::Duration;

use world::{Chance, Instant};

use crate::plan::{Habits, between};

/// Something that people do with a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    /// It gives everything back, and rests.
    Release,
    /// It finds an address in use.
    Decline,
    /// It is switched off, and forgets.
    Forget,
    /// It is carried to another link.
    Move,
    /// It asks what else there is to know.
    Inform,
}

/// What is planned.
#[derive(Debug)]
pub(super) struct Diary {
    entries: Vec<Entry>,
    chance: Chance,
    end: Instant,
}

#[derive(Debug)]
struct Entry {
    deed: Deed,
    mean: Duration,
    at: Instant,
}

impl Diary {
    /// One with these habits, from when a client is switched on until there is peace.
    pub(super) fn new(habits: &Habits, mut chance: Chance, from: Instant, end: Instant) -> Self {
        let Habits { releases, declines, forgets, moves, informs } = *habits;
        let all = [
            (Deed::Release, releases),
            (Deed::Decline, declines),
            (Deed::Forget, forgets),
            (Deed::Move, moves),
            (Deed::Inform, informs),
        ];
        let kept = all.into_iter().filter_map(|(deed, mean)| Some((deed, mean?)));
        let entries =
            kept.map(|(deed, mean)| Entry { deed, mean, at: later(from, mean, &mut chance) }).collect();
        Self { entries, chance, end }
    }

    /// What there is to do by now; it is entered anew.
    pub(super) fn due(&mut self, now: Instant) -> Option<Deed> {
        let entry = self.entries.iter_mut().find(|entry| entry.at <= now && entry.at < self.end)?;
        entry.at = later(now, entry.mean, &mut self.chance);
        Some(entry.deed)
    }

    /// When there is something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.entries.iter().map(|entry| entry.at).filter(|at| *at < self.end).min()
    }
}

fn later(now: Instant, mean: Duration, chance: &mut Chance) -> Instant {
    now + Duration::from_millis(between(chance, 0, 2 * mean.as_millis() as u64))
}
