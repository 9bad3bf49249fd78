//! What the routing thread of the program does, and its hand: look at interfaces, let time pass, dump the kernel's
//! routes when the agent wishes, carry changes to the kernel, and take in what it says.
//!
//! A dump is read in portions, and others go on meanwhile. Changes go in batches, two of them under way at most;
//! the kernel makes them at one moment, and what became of them is told at a later one. While either is going
//! on nothing else is looked at, as in the thread.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use relay::{Agent, Change, Failure, Seen};
use world::{Chance, Instant};

use super::around::Around;
use super::kernel::{Kernel, News, Place, Told};
use super::setup::Setup;
use crate::faults::Fault;
use crate::plan::{happens, one_of};
use crate::universe::Observed;

/// How long a change of interfaces is let grow.
const SETTLING: Duration = Duration::from_millis(20);
/// Batches that may be under way.
const UNDER_WAY: usize = 2;
/// How long it takes until the kernel makes a batch, and then until that is told.
const MAKING: Duration = Duration::from_micros(300);
/// How long the kernel takes for a portion of a dump, and how large that is.
const READING: Duration = Duration::from_micros(500);
const PORTION: usize = 3;
/// What the kernel answers when it would not: EINVAL, ENOMEM, EPERM.
const REFUSALS: [i32; 3] = [22, 12, 1];

/// The thread's data.
#[derive(Debug)]
pub(super) struct Routing {
    look_at: Option<Instant>,
    has_begun: bool,
    work: Work,
}

/// What it is at.
#[derive(Debug)]
enum Work {
    /// It waits.
    Nothing,
    /// It reads what the kernel has.
    Dump { begun: Instant, read: Vec<Seen>, last: Option<Place>, next_at: Instant },
    /// It has changes made, the oldest batch first.
    Carry(VecDeque<Batch>),
}

#[derive(Debug)]
struct Batch {
    changes: Vec<Change>,
    /// When it was handed over, in the universe's time.
    handed_over: Instant,
    made_at: Instant,
    told_at: Instant,
    /// What became of it, if it has been made; an error if nobody can say.
    outcomes: Option<Result<Vec<Result<(), Failure>>, i32>>,
}

impl Routing {
    /// Looks at the interfaces for the first time.
    pub(super) fn start(agent: &mut Agent, setup: &Setup, around: &Around<'_>) -> Self {
        look(agent, setup, around);
        Self { look_at: None, has_begun: false, work: Work::Nothing }
    }

    /// Has the interfaces looked at soon: others of them may be ports.
    pub(super) fn look_again(&mut self, now: Instant) {
        self.look_at = Some(now);
    }

    /// When there is something to do; nothing is due for what the kernel may have to say.
    pub(super) fn deadline(&self, agent: &Agent, setup: &Setup) -> Option<Instant> {
        match &self.work {
            Work::Dump { next_at, .. } => Some(*next_at),
            Work::Carry(batches) => batches.iter().map(Batch::due_at).min(),
            Work::Nothing => {
                let makes_routes = setup.agent.routes.is_some();
                let has_changes =
                    makes_routes && agent.routes().knows_kernel() && !agent.routes().is_settled();
                if has_changes || !self.has_begun {
                    return Some(Instant::default());
                }
                agent.deadline().into_iter().chain(self.look_at).min()
            }
        }
    }

    /// Whether it waits for the kernel to say something.
    pub(super) fn listens(&self) -> bool {
        matches!(self.work, Work::Nothing)
    }

    /// Goes round once, as far as it comes. Gives whether servers are to be asked earlier than was said.
    pub(super) fn go_round(&mut self, agent: &mut Agent, setup: &Setup, around: &mut Around<'_>) -> bool {
        match &self.work {
            Work::Nothing => self.begin_round(agent, setup, around),
            Work::Dump { .. } => {
                self.read_on(agent, around);
                if self.listens() {
                    self.carry(agent, setup, around);
                }
                false
            }
            Work::Carry(_) => {
                self.carry(agent, setup, around);
                false
            }
        }
    }

    fn begin_round(&mut self, agent: &mut Agent, setup: &Setup, around: &mut Around<'_>) -> bool {
        let now = around.now.instant;
        self.has_begun = true;
        let told = around.kernel.read(around.real);
        if take_news(agent, &told) {
            self.look_at.get_or_insert(now + SETTLING);
        }
        let mut sooner = false;
        if self.look_at.is_some_and(|at| at <= now) {
            self.look_at = None;
            sooner = look(agent, setup, around);
        }
        agent.tick(now);
        if setup.agent.routes.is_none() {
            // Nobody carries anything to the kernel then.
        } else if agent.routes().wants_dump(now) {
            agent.routes_mut().begin_dump();
            self.work = Work::Dump { begun: now, read: Vec::new(), last: None, next_at: now + READING };
        } else {
            self.carry(agent, setup, around);
        }
        sooner
    }

    fn read_on(&mut self, agent: &mut Agent, around: &mut Around<'_>) {
        let Work::Dump { begun, read, last, next_at } = &mut self.work else { return };
        if around.now.instant < *next_at {
            return;
        }
        let begun = *begun;
        if around.out.strikes(Fault::RouteRefused) {
            agent.routes_mut().dump_failed(begun);
            self.work = Work::Nothing;
            return;
        }
        let portion = around.kernel.dump(*last, PORTION, around.real);
        *next_at = around.now.instant + READING;
        if let Some((place, _)) = portion.last() {
            *last = Some(*place);
            read.extend(portion.into_iter().map(|(_, seen)| seen));
            return;
        }
        let routes = agent.routes_mut();
        read.iter().for_each(|seen| routes.dumped(seen));
        routes.end_dump(begun);
        agent.tick(begun);
        self.work = Work::Nothing;
    }

    fn carry(&mut self, agent: &mut Agent, setup: &Setup, around: &mut Around<'_>) {
        let mut batches = match std::mem::replace(&mut self.work, Work::Nothing) {
            Work::Carry(batches) => batches,
            _ => VecDeque::new(),
        };
        let now = around.now.instant;
        for batch in &mut batches {
            if batch.outcomes.is_none() && batch.made_at <= now {
                batch.outcomes = Some(make(batch, around));
            }
        }
        while batches.front().is_some_and(|batch| batch.outcomes.is_some() && batch.told_at <= now) {
            batches.pop_front().expect("it is the first").tell(agent, now);
        }
        while batches.len() < UNDER_WAY {
            let changes = agent.routes_mut().next(setup.batch);
            if changes.is_empty() {
                break;
            }
            let from = batches.back().map_or(now, |batch| batch.told_at.max(now));
            let (made_at, told_at) = (from + MAKING, from + MAKING * 2);
            batches.push_back(Batch { changes, handed_over: around.real, made_at, told_at, outcomes: None });
        }
        if !batches.is_empty() {
            self.work = Work::Carry(batches);
        }
    }

    /// The program is killed: what the kernel has been handed it makes, or has not been handed yet.
    pub(super) fn die(self, chance: &mut Chance, around: &mut Around<'_>) {
        let Work::Carry(batches) = self.work else { return };
        for batch in batches.into_iter().filter(|batch| batch.outcomes.is_none()) {
            if happens(chance, 1, 2) {
                return;
            }
            let _ = make(&batch, around);
        }
    }
}

impl Batch {
    fn due_at(&self) -> Instant {
        if self.outcomes.is_none() { self.made_at } else { self.told_at }
    }

    /// Tells the agent what became of it.
    fn tell(self, agent: &mut Agent, now: Instant) {
        let routes = agent.routes_mut();
        let outcomes = self.outcomes.expect("it was made").unwrap_or_else(|errno| {
            routes.mistrust();
            vec![Err(Failure::Other(errno)); self.changes.len()]
        });
        let outcomes = self.changes.iter().zip(outcomes);
        outcomes.for_each(|(change, outcome)| routes.done(change, outcome, now));
    }
}

/// The kernel makes a batch. If something is wrong with the socket, nobody can say how much of it.
fn make(batch: &Batch, around: &mut Around<'_>) -> Result<Vec<Result<(), Failure>>, i32> {
    let mut outcomes = Vec::new();
    for change in &batch.changes {
        if around.out.strikes(Fault::RouteRefused) {
            let chance = around.out.chance(Fault::RouteRefused);
            let errno = one_of(chance, &REFUSALS);
            if happens(chance, 1, 4) {
                return Err(errno);
            }
            outcomes.push(Err(Failure::Other(errno)));
            continue;
        }
        if around.kernel.would_trample(change, batch.handed_over) {
            let place = Place::ours(change.destination());
            around.out.observe(Observed::StrangerLeft(around.node, place));
        }
        let outcome = around.kernel.apply(change);
        if outcome.is_ok() {
            around.out.observe(Observed::RouteChanged(around.node, *change));
        }
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

/// Tells the agent what others have done; gives whether the interfaces have to be looked at.
fn take_news(agent: &mut Agent, told: &Told) -> bool {
    let mut interfaces = BTreeSet::new();
    let routes = agent.routes_mut();
    for news in &told.news {
        match news {
            News::Added(seen) => routes.kernel_added(seen),
            News::Removed(seen) => routes.kernel_removed(seen),
            News::Interface(index) => _ = interfaces.insert(*index),
        }
    }
    if told.lost {
        routes.mistrust();
    }
    routes.interfaces_changed(&interfaces);
    told.lost || !interfaces.is_empty()
}

/// Finds out which ports there are now.
fn look(agent: &mut Agent, setup: &Setup, around: &Around<'_>) -> bool {
    let kernel: &Kernel = around.kernel;
    let up = kernel.interfaces().filter(|interface| interface.is_up).map(|interface| interface.index);
    agent.routes_mut().interfaces_changed(&up.collect());
    let upstream = kernel.interfaces().filter(|interface| interface.is_upstream());
    agent.set_upstream(upstream.map(|interface| interface.index).collect());
    agent.set_ports(setup.ports_of(kernel), around.now.instant)
}
