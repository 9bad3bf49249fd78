//! Which routes there shall be, which there are, and what the kernel is told to make the first the second.
//!
//! There is one [`Entry`] for each destination that is wanted or where a route of ours stands. Whatever
//! changes an entry goes through `edit`, which counts states and puts the entry into the queue when it
//! differs from the kernel; `next` hands differences out, `done` takes in what became of them, and a
//! destination has one change under way at most. So the kernel's view and ours meet however the two are
//! changed, and nobody compares all of them but after a dump.
//!
//! A route of a stranger in one of our places is left alone: what is wanted there waits until it goes.
//! A route of ours that nothing has wanted since this program started is unproven, and stays until
//! [`Routes::sweep`]. What somebody once wanted and nobody wants now goes at once.
//!
//! The order of calls is the kernel's: what is handed out by `next` and the dumps are to be carried out one
//! after the other as they were asked for, and told of in this order.

mod entry;
mod looks;
mod reads;
mod route;
mod rules;
mod told;

use std::collections::{BTreeMap, BTreeSet, VecDeque, btree_map};

use wire::Prefix;
use world::Instant;

pub use entry::RouteState;
pub use reads::ListedRoute;
pub use route::{Change, Failure, Owner, Route, Seen, Target};
pub use rules::{Refused, RouteRules};

use entry::{Entry, Progress, Trouble};
use looks::{Looks, Retry};
use rules::Connected;

/// Routes as they shall be, against routes as they are.
#[derive(Debug)]
pub struct Routes {
    rules: RouteRules,
    connected: Connected,
    entries: BTreeMap<Prefix, Entry>,
    /// Destinations of entries that wait; each once.
    queue: VecDeque<Prefix>,
    /// Changes that were handed out and not told of yet.
    in_flight: usize,
    /// How many entries there are of each state, in the order of `RouteState::ALL`.
    counts: [usize; RouteState::ALL.len()],
    counters: RouteCounters,
    /// Whether what nothing wants is known to be over.
    proven: bool,
    /// What a dump that is under way has told of connected prefixes so far.
    dumping: Option<Connected>,
    looks: Looks,
    retry: Retry,
    generation: u64,
}

/// What has been done since the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RouteCounters {
    /// Routes put in.
    pub added: u64,
    /// Routes that got another way.
    pub replaced: u64,
    /// Routes taken out.
    pub deleted: u64,
    /// Routes not put in because a stranger's was there.
    pub taken: u64,
    /// Routes not put in because there was no way to the next hop.
    pub no_way: u64,
    /// Changes that failed otherwise.
    pub failed: u64,
    /// Routes of ours that somebody else has taken out.
    pub lost: u64,
    /// Dumps that were compared.
    pub dumps: u64,
}

impl Routes {
    /// Nothing wanted but what the rules say, and nothing known of the kernel.
    pub fn new(rules: RouteRules) -> Self {
        let mut routes = Self {
            rules: RouteRules::default(),
            connected: Connected::default(),
            entries: BTreeMap::new(),
            queue: VecDeque::new(),
            in_flight: 0,
            counts: [0; RouteState::ALL.len()],
            counters: RouteCounters::default(),
            proven: false,
            dumping: None,
            looks: Looks::default(),
            retry: Retry::default(),
            generation: 0,
        };
        routes.configure(rules);
        routes
    }

    /// Has other aggregates count from now on.
    pub fn configure(&mut self, rules: RouteRules) {
        let before = std::mem::replace(&mut self.rules, rules);
        for aggregate in before.aggregates {
            self.edit(aggregate, |entry| entry.set_aggregate(false));
        }
        if self.rules.closes_aggregates {
            for aggregate in self.rules.aggregates.clone() {
                self.edit(aggregate, |entry| entry.set_aggregate(true));
            }
        }
        let all: Vec<Prefix> = self.entries.keys().copied().collect();
        for destination in all {
            self.edit(destination, |_| ());
        }
    }

    /// Wants a route. What is refused is remembered, and made as soon as it may be.
    pub fn want(&mut self, destination: Prefix, target: Target) -> Result<(), Refused> {
        if self.entries.get(&destination).is_none_or(|entry| entry.wanted() != Some(target)) {
            self.edit(destination, |entry| entry.want(Some(target)));
        }
        self.judge(destination).map_or(Ok(()), Err)
    }

    /// Wants it no longer: if it is there, it goes.
    pub fn unwant(&mut self, destination: Prefix) {
        if self.entries.get(&destination).is_some_and(|entry| entry.wanted().is_some()) {
            self.edit(destination, |entry| entry.want(None));
        }
    }

    /// Whoever is reached by this way has no more use for it: if nothing wants the route, it goes, proven or
    /// not.
    pub fn give_up(&mut self, destination: Prefix, target: Target) {
        let is_that = |entry: &Entry| entry.wanted().is_none() && entry.installed() == Some(target);
        if self.entries.get(&destination).is_some_and(is_that) {
            self.edit(destination, Entry::claim);
        }
    }

    /// Every server has said all it knows: what nothing wants is over, where `may_go` says that this is
    /// so for this destination and way. Gives how many routes go.
    pub fn sweep(&mut self, may_go: impl Fn(Prefix, Target) -> bool) -> usize {
        let over = |destination: Prefix, entry: &Entry| {
            entry.installed().is_some_and(|target| may_go(destination, target))
        };
        let unproven =
            self.entries.iter().filter(|(_, entry)| entry.state(self.proven) == RouteState::Unproven);
        let (going, staying): (Vec<_>, Vec<_>) = unproven
            .map(|(destination, entry)| (*destination, over(*destination, entry)))
            .partition(|(_, over)| *over);
        for (destination, _) in &going {
            self.edit(*destination, Entry::claim);
        }
        self.proven = staying.is_empty();
        going.len()
    }

    /// Whether there has been a sweep that left nothing unproven.
    pub fn is_proven(&self) -> bool {
        self.proven
    }
}

/// What is handed out, and what becomes of it.
impl Routes {
    /// The next changes, so many at most; nothing before the first dump, because until then everything may be
    /// there already.
    pub fn next(&mut self, most: usize) -> Vec<Change> {
        let mut changes = Vec::new();
        if !self.looks.begun() {
            return changes;
        }
        while changes.len() < most {
            let Some(destination) = self.queue.pop_front() else {
                // After a burst the room for it is given back.
                self.queue = VecDeque::new();
                break;
            };
            let Some(entry) = self.entries.get_mut(&destination) else { continue };
            entry.progress = Progress::Idle;
            match entry.change(destination, self.proven) {
                Some(change) => {
                    entry.progress = Progress::InFlight;
                    changes.push(change);
                }
                None => self.edit(destination, |_| ()),
            }
        }
        self.in_flight += changes.len();
        changes
    }

    /// What became of a change that was handed out. To be told of each of them, once.
    pub fn done(&mut self, change: &Change, outcome: Result<(), Failure>, now: Instant) {
        self.in_flight -= 1;
        self.count(change, outcome);
        let (disturbed, has_failed) = self.edit(change.destination(), |entry| {
            let disturbed = entry.progress == Progress::Disturbed;
            entry.progress = if disturbed { Progress::Unsure } else { Progress::Idle };
            entry.learn(change, outcome);
            (disturbed, entry.trouble().errno().is_some())
        });
        if disturbed || outcome == Err(Failure::Taken) {
            self.looks.doubt();
        }
        if has_failed {
            self.retry.expect(now);
        } else if self.is_settled() {
            self.retry.relax();
        }
    }

    fn count(&mut self, change: &Change, outcome: Result<(), Failure>) {
        let counters = &mut self.counters;
        let counter = match (change, outcome) {
            (Change::Add(_), Ok(())) => &mut counters.added,
            (Change::Replace { .. }, Ok(())) => &mut counters.replaced,
            (Change::Delete(_), Ok(())) => &mut counters.deleted,
            (_, Err(Failure::Taken)) => &mut counters.taken,
            (_, Err(Failure::NoWay)) => &mut counters.no_way,
            (_, Err(Failure::Missing)) => &mut counters.lost,
            (_, Err(Failure::Other(_))) => &mut counters.failed,
        };
        *counter += 1;
    }

    /// These interfaces may have come up: what waits for them is tried again.
    pub fn interfaces_changed(&mut self, interface_indices: &BTreeSet<u32>) {
        if self.state_count(RouteState::NoWay) == 0 {
            return;
        }
        let leads_there = |entry: &Entry| match entry.wanted() {
            Some(Target::Via { interface_index, .. }) => interface_indices.contains(&interface_index),
            _ => true,
        };
        self.try_again(|entry| entry.trouble() == Trouble::NoWay && leads_there(entry));
    }

    /// Tries again what is due.
    pub fn tick(&mut self, now: Instant) {
        if self.retry.is_due(now) {
            self.try_again(|entry| entry.trouble().errno().is_some());
        }
    }

    fn try_again(&mut self, which: impl Fn(&Entry) -> bool) {
        let again =
            self.entries.iter().filter(|(_, entry)| which(entry)).map(|(destination, _)| *destination);
        for destination in again.collect::<Vec<_>>() {
            self.edit(destination, Entry::forget_trouble);
        }
    }

    /// When to call `tick`, and to ask `wants_dump`, at the latest.
    pub fn deadline(&self) -> Option<Instant> {
        [self.retry.at(), self.looks.at(self.rules.look_every)].into_iter().flatten().min()
    }
}

/// How entries change.
impl Routes {
    /// The only way by which an entry changes: keeps count, and has done what follows. One look-up, because
    /// a city's routes are changed at once after a restart.
    fn edit<T>(&mut self, destination: Prefix, change: impl FnOnce(&mut Entry) -> T) -> T {
        self.generation += 1;
        let refused = self.judge(destination);
        let Self { entries, counts, queue, proven, .. } = self;
        let mut settle = |entry: &mut Entry| {
            entry.judge(refused.is_some(), refused == Some(Refused::CoversConnected(destination)));
            if entry.is_idle() {
                return false;
            }
            counts[entry.state(*proven) as usize] += 1;
            if entry.progress == Progress::Idle && entry.change(destination, *proven).is_some() {
                entry.progress = Progress::Queued;
                queue.push_back(destination);
            }
            true
        };
        match entries.entry(destination) {
            btree_map::Entry::Vacant(vacant) => {
                let mut entry = Entry::default();
                let result = change(&mut entry);
                if settle(&mut entry) {
                    vacant.insert(entry);
                }
                result
            }
            btree_map::Entry::Occupied(mut occupied) => {
                let before = occupied.get().state(*proven);
                let result = change(occupied.get_mut());
                if !settle(occupied.get_mut()) {
                    occupied.remove();
                }
                counts[before as usize] -= 1;
                result
            }
        }
    }

    /// Why there may be no route to this prefix.
    fn judge(&self, destination: Prefix) -> Option<Refused> {
        if !self.rules.allow(destination) {
            return Some(Refused::OutsideAggregates);
        }
        self.connected.within(destination).map(Refused::CoversConnected)
    }

    /// Judges anew what a change of this connected prefix can matter to: what covers it.
    fn judge_around(&mut self, connected: Prefix) {
        for length in 0..=connected.length() {
            let covering = Prefix::new(connected.address(), length).expect("no longer than a prefix");
            if self.entries.contains_key(&covering) {
                self.edit(covering, |_| ());
            }
        }
    }

    fn all(&self, which: impl Fn(&Entry) -> bool) -> Vec<Prefix> {
        self.entries.iter().filter(|(_, entry)| which(entry)).map(|(destination, _)| *destination).collect()
    }
}
