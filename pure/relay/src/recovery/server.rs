//! One server in one epoch: which methods have been tried, what they covered, and what comes next.
//!
//! A method is left for the next one when the server declines all its questions, or has answered them
//! all and told of nobody: a server that never wrote Relay-IDs down says the same of them as one that
//! has no clients. The method that has told of somebody is the one that counts. If none has, the last
//! one tried has the last word.

use std::collections::BTreeSet;

use requestor::{Backoff, Refusal};
use wire::Duid;
use world::Instant;

use super::attempt::{Attempt, Why};
use super::questions::{About, Inquiry, Method, inquiries};
use super::unplaced::UnplacedLeases;
use crate::ports::{PortId, Ports};

/// How far it has come with a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It is not to be asked.
    NotAsked,
    /// It is asked at that time.
    Waiting {
        /// When.
        until: Instant,
    },
    /// It is being asked.
    Asking {
        /// How.
        method: Method,
        /// From when on.
        since: Instant,
    },
    /// It has said all that it knows.
    Done {
        /// When.
        at: Instant,
    },
    /// It declines to answer; things may have changed at that time.
    Refused {
        /// When it is asked again.
        until: Instant,
    },
}

/// What is wrong with a server, and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What.
    pub why: Why,
    /// When the first attempt failed of those that have failed in a row.
    pub since: Instant,
    /// How many have.
    pub attempts: u32,
}

/// What a server has told in this epoch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Clients; one that comes in several messages counts as often.
    pub clients: u64,
    /// Leases of theirs.
    pub leases: u64,
    /// Those for which no port or next hop is known.
    pub unplaced: u64,
    /// Those that are none of this relay's business.
    pub outside: u64,
}

/// A server, and what has been heard of it.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) phase: Phase,
    /// When it last had said all that it knew, in whatever epoch.
    pub(super) last_done: Option<Instant>,
    pub(super) backoff: Backoff,
    pub(super) trouble: Option<Trouble>,
    pub(super) tally: Tally,
    pub(super) unplaced: UnplacedLeases,
    /// One for each method, in their order.
    passes: Vec<Pass>,
}

/// What one method has brought.
#[derive(Debug, Default)]
struct Pass {
    answered: Coverage,
    declined: Coverage,
    refusal: Option<Refusal>,
    told: bool,
}

/// What has been asked about.
#[derive(Debug, Default)]
struct Coverage {
    everything: bool,
    ports: BTreeSet<PortId>,
}

/// What to do next about a server.
pub(super) enum Step {
    Ask(Method, Vec<Inquiry>),
    Done,
    Refused(Refusal),
    NothingToAsk,
}

impl Server {
    pub(super) fn new(is_asked: bool, methods: usize, backoff: Backoff, now: Instant) -> Self {
        let phase = if is_asked { Phase::Waiting { until: now } } else { Phase::NotAsked };
        let (trouble, tally, unplaced) = (None, Tally::default(), UnplacedLeases::default());
        let mut server =
            Self { phase, last_done: None, backoff, trouble, tally, unplaced, passes: Vec::new() };
        server.begin_anew(methods);
        server
    }

    /// Forgets what has been covered. What is known of the server itself stays.
    pub(super) fn begin_anew(&mut self, methods: usize) {
        self.passes.clear();
        self.passes.resize_with(methods, Pass::default);
    }

    /// Whether nothing is covered by any method: the next attempt is told everything from the start.
    pub(super) fn begins_at_nothing(&self) -> bool {
        self.passes.iter().all(|pass| pass.is_untouched())
    }

    pub(super) fn next_step(&self, methods: &[Method], relay_id: &Duid, ports: &Ports) -> Step {
        let mut last = None;
        for (pass, method) in self.passes.iter().zip(methods) {
            let mut left = inquiries(*method, relay_id, ports);
            left.retain(|inquiry| !pass.has_settled(&inquiry.about));
            if !left.is_empty() {
                return Step::Ask(*method, left);
            }
            if pass.told {
                return Step::Done;
            }
            if !pass.is_untouched() {
                last = Some(pass);
            }
        }
        match last {
            None => Step::NothingToAsk,
            Some(pass) => pass.last_word(),
        }
    }

    /// Writes down what an attempt has brought.
    pub(super) fn take_in(&mut self, methods: &[Method], attempt: &mut Attempt) {
        let place = methods.iter().position(|method| *method == attempt.method);
        let Some(pass) = place.and_then(|place| self.passes.get_mut(place)) else { return };
        pass.told |= attempt.counters().clients > 0;
        for about in attempt.course.answered.drain(..) {
            pass.answered.add(about);
        }
        for (about, refusal) in attempt.course.declined.drain(..) {
            pass.declined.add(about);
            pass.refusal = Some(refusal);
        }
    }

    /// Whether this server, having answered, would have told of a client on this port; `None` is any
    /// port.
    pub(super) fn covers(&self, port: Option<PortId>) -> bool {
        let covered = |pass: &Pass| pass.answered.holds(port);
        match self.passes.iter().find(|pass| pass.told) {
            Some(pass) => covered(pass),
            None => self.passes.iter().any(covered),
        }
    }

    pub(super) fn is_done(&self) -> bool {
        matches!(self.phase, Phase::Done { .. })
    }

    pub(super) fn is_asked(&self) -> bool {
        self.phase != Phase::NotAsked
    }

    /// One more attempt has failed.
    pub(super) fn fail(&mut self, why: Why, now: Instant) {
        let (since, attempts) = match &self.trouble {
            Some(trouble) => (trouble.since, trouble.attempts),
            None => (now, 0),
        };
        self.trouble = Some(Trouble { why, since, attempts: attempts.saturating_add(1) });
    }
}

impl Pass {
    fn is_untouched(&self) -> bool {
        self.answered.is_empty() && self.declined.is_empty()
    }

    fn has_settled(&self, about: &About) -> bool {
        self.answered.includes(about) || self.declined.includes(about)
    }

    /// A method that brought nothing, after which there is no other.
    fn last_word(&self) -> Step {
        match &self.refusal {
            Some(refusal) if self.answered.is_empty() => Step::Refused(refusal.clone()),
            _ => Step::Done,
        }
    }
}

impl Coverage {
    fn add(&mut self, about: About) {
        match about {
            About::Everything => self.everything = true,
            About::Ports(ports) => self.ports.extend(ports),
        }
    }

    fn includes(&self, about: &About) -> bool {
        match about {
            About::Everything => self.everything,
            About::Ports(ports) => ports.iter().all(|port| self.holds(Some(*port))),
        }
    }

    fn holds(&self, port: Option<PortId>) -> bool {
        self.everything || port.is_some_and(|port| self.ports.contains(&port))
    }

    fn is_empty(&self) -> bool {
        !self.everything && self.ports.is_empty()
    }
}
