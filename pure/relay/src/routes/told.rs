//! What the kernel tells of its routes: a whole dump at times, and each change that others make.
//!
//! What is told while a dump is read counts for more than the dump, which may have been written before. An entry with
//! a change under way is judged by what becomes of that; if somebody else was there meanwhile, nobody can say
//! which of the two came last, and the next dump decides.

use wire::Prefix;
use world::Instant;

use super::Routes;
use super::entry::{Entry, Progress, Sight, Trouble};
use super::route::{Owner, Seen};
use super::rules::{Connected, OnLink};

/// What the kernel says.
impl Routes {
    /// Whether all routes of the table shall be dumped: at the beginning, from time to time, and when something
    /// does not fit.
    pub fn wants_dump(&self, now: Instant) -> bool {
        self.dumping.is_none() && self.looks.is_due(self.rules.look_every, now)
    }

    /// Whether there has been a whole dump: before, what an earlier run has left is not known.
    pub fn knows_kernel(&self) -> bool {
        self.looks.begun()
    }

    /// Notifications were lost: there has to be a dump.
    pub fn mistrust(&mut self) {
        self.looks.doubt();
    }

    /// A dump is asked for: to be called before the kernel is, so that what is told meanwhile is known to be newer.
    pub fn begin_dump(&mut self) {
        self.looks.begin();
        self.dumping = Some(Connected::default());
        for entry in self.entries.values_mut() {
            entry.sight = Sight::Nothing;
        }
    }

    /// A dump has this route.
    pub fn dumped(&mut self, seen: &Seen) {
        if let (Some(connected), Some(on_link)) = (&mut self.dumping, on_link(seen)) {
            connected.insert(on_link);
        }
        let counts = |entry: &Entry| entry.sight != Sight::Changed && !entry.in_flight();
        if seen.in_our_place && self.entries.get(&seen.destination).is_none_or(counts) {
            self.stands(seen, Sight::Dumped);
        }
    }

    /// The dump is complete: what it does not have is not there.
    pub fn end_dump(&mut self, now: Instant) {
        let Some(connected) = self.dumping.take() else { return };
        self.counters.dumps += 1;
        self.looks.end(now);
        let changed = self.connected.difference(&connected);
        self.connected = connected;
        changed.into_iter().for_each(|prefix| self.judge_around(prefix));
        let gone = |entry: &Entry| entry.sight == Sight::Nothing && !entry.in_flight();
        for destination in self.all(|entry| gone(entry) && entry.standing().is_some()) {
            self.lost(destination);
        }
        for destination in self.all(|entry| entry.progress == Progress::Unsure) {
            self.edit(destination, |entry| match entry.sight {
                Sight::Changed => {}
                Sight::Nothing | Sight::Dumped => entry.progress = Progress::Idle,
            });
        }
        self.try_again(|entry| entry.trouble() == Trouble::NoWay);
    }

    /// The dump could not be read to its end; what it had is believed, and nothing concluded from the rest.
    pub fn dump_failed(&mut self, now: Instant) {
        self.dumping = None;
        self.looks.failed(now);
    }

    /// The kernel has a new route, or another one in its place.
    pub fn kernel_added(&mut self, seen: &Seen) {
        if let Some(on_link) = on_link(seen) {
            if let Some(connected) = &mut self.dumping {
                connected.insert(on_link);
            }
            if self.connected.insert(on_link) {
                self.judge_around(on_link.prefix);
            }
        }
        if !seen.in_our_place {
            return;
        }
        match self.entries.get_mut(&seen.destination) {
            Some(entry) if entry.in_flight() => {
                entry.sight = Sight::Changed;
                let expected = entry.desired().map(Owner::Ours) == Some(seen.owner);
                if !expected {
                    entry.progress = Progress::Disturbed;
                }
            }
            _ => self.stands(seen, Sight::Changed),
        }
    }

    /// The kernel has a route no longer.
    pub fn kernel_removed(&mut self, seen: &Seen) {
        if let Some(on_link) = on_link(seen) {
            if let Some(connected) = &mut self.dumping {
                connected.remove(on_link);
            }
            if self.connected.remove(on_link) {
                self.judge_around(on_link.prefix);
            }
        }
        if !seen.in_our_place {
            return;
        }
        let Some(entry) = self.entries.get_mut(&seen.destination) else { return };
        entry.sight = Sight::Changed;
        if entry.in_flight() {
            // That what shall not be has gone is what is being done.
            if seen.owner == Owner::Stranger || entry.desired().map(Owner::Ours) == Some(seen.owner) {
                entry.progress = Progress::Disturbed;
            }
        } else if entry.standing() == Some(seen.owner) {
            self.lost(seen.destination);
        }
    }

    /// Somebody else's doing: it is not there any more.
    fn lost(&mut self, destination: Prefix) {
        if self.entries.get(&destination).is_some_and(|entry| entry.installed().is_some()) {
            self.counters.lost += 1;
        }
        self.edit(destination, |entry| entry.stand(None));
    }

    fn stands(&mut self, seen: &Seen, sight: Sight) {
        // A stranger's route matters only where we want one; otherwise `Failure::Taken` tells of it in time.
        if seen.owner == Owner::Stranger && !self.entries.contains_key(&seen.destination) {
            return;
        }
        self.edit(seen.destination, |entry| {
            entry.sight = sight;
            if entry.standing() != Some(seen.owner) {
                entry.stand(Some(seen.owner));
                entry.forget_trouble();
            }
        });
    }
}

fn on_link(seen: &Seen) -> Option<OnLink> {
    let Seen { destination: prefix, metric, interface_index, .. } = *seen;
    (seen.on_link && seen.owner == Owner::Stranger).then_some(OnLink { prefix, interface_index, metric })
}
