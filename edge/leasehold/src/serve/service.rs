//! What all threads and tasks of a server share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use lease::{ClientKey, Seq};
use server::exchange::Exchanges;
use server::leasequery::{Admission, Policy, RateLimit};
use server::limits::MAX_RECONFIGURATIONS;
use server::{Counters, Holdings};
use tokio::sync::broadcast;
use world::Now;

use super::journal::Journal;
use super::queries::Queries;
use super::release::Held;
use crate::clock::Clock;
use crate::control::Outcome;
use crate::net::Patterns;
use crate::stopping::{Stopper, Stopping};

/// The server's decisions and data. The table is read by many tasks at once, each for as long as it
/// takes to fill one buffer. Whoever changes it holds the exchanges first and the table second, so
/// there is one at a time, and the journal has its changes in their order.
#[derive(Debug)]
pub(super) struct Service {
    policy: RwLock<Arc<Policy>>,
    pub(super) counters: Counters,
    pub(super) journal: Journal<Held>,
    pub(super) queries: Queries,
    clock: Clock,
    exchanges: Mutex<Exchanges>,
    holdings: RwLock<Holdings>,
    admission: Mutex<Admission>,
    rate: Mutex<RateLimit>,
    interfaces: RwLock<Patterns>,
    outcomes: broadcast::Sender<(ClientKey, Outcome)>,
    stopper: Stopper,
}

impl Service {
    pub(super) fn new(
        policy: Policy,
        exchanges: Exchanges,
        holdings: Holdings,
        rate: RateLimit,
        interfaces: Patterns,
    ) -> Self {
        Self {
            policy: RwLock::new(Arc::new(policy)),
            counters: Counters::default(),
            journal: Journal::new(holdings.table.last_seq()),
            queries: Queries::default(),
            clock: Clock::start(),
            exchanges: Mutex::new(exchanges),
            holdings: RwLock::new(holdings),
            admission: Mutex::new(Admission::default()),
            rate: Mutex::new(rate),
            interfaces: RwLock::new(interfaces),
            outcomes: broadcast::Sender::new(MAX_RECONFIGURATIONS),
            stopper: Stopper::default(),
        }
    }

    pub(super) fn now(&self) -> Now {
        self.clock.now()
    }

    pub(super) fn clock(&self) -> Clock {
        self.clock
    }

    /// What is decided about queries, now; it may be replaced any time.
    pub(super) fn policy(&self) -> Arc<Policy> {
        Arc::clone(&self.policy.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What is held, to be read.
    ///
    /// # Panics
    ///
    /// When a change has panicked: then nobody knows what the table holds.
    pub(super) fn holdings(&self) -> RwLockReadGuard<'_, Holdings> {
        self.holdings.read().expect("a change has panicked")
    }

    /// Does something that may change the table. What it changes goes to the journal, together with
    /// what it returns to be released when that is durable. Gives the rest of what it returns, and
    /// the number of the latest change.
    ///
    /// # Panics
    ///
    /// When an earlier change has panicked: then nobody knows what the table holds.
    pub(super) fn change<T>(
        &self,
        work: impl FnOnce(&mut Exchanges, &mut Holdings) -> (T, Vec<Held>),
    ) -> (T, Seq) {
        let mut exchanges = self.exchanges.lock().expect("an earlier change has panicked");
        let mut holdings = self.holdings.write().expect("an earlier change has panicked");
        let (result, held) = work(&mut exchanges, &mut holdings);
        let (images, seq) = (holdings.table.take_batch(), holdings.table.last_seq());
        drop(holdings);
        self.journal.put(images, seq, held);
        (result, seq)
    }

    /// Goes on with other decisions, after a configuration has been read anew.
    pub(super) fn decide(
        &self,
        policy: Policy,
        links: lease::Links,
        exchanges: impl FnOnce(&Holdings) -> Exchanges,
    ) {
        self.change(|current, holdings| {
            holdings.links = links;
            let mut next = exchanges(holdings);
            next.carry_on(current);
            *current = next;
            ((), Vec::new())
        });
        *self.policy.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(policy);
    }

    pub(super) fn admission(&self) -> MutexGuard<'_, Admission> {
        self.admission.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn rate(&self) -> MutexGuard<'_, RateLimit> {
        self.rate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which interfaces' multicast groups are joined.
    pub(super) fn interfaces(&self) -> Patterns {
        self.interfaces.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Has other interfaces' groups joined, as soon as the intake is woken.
    pub(super) fn serve_interfaces(&self, interfaces: Patterns) {
        *self.interfaces.write().unwrap_or_else(PoisonError::into_inner) = interfaces;
    }

    /// What becomes of clients that are told by Reconfigure, from now on.
    pub(super) fn outcomes(&self) -> broadcast::Receiver<(ClientKey, Outcome)> {
        self.outcomes.subscribe()
    }

    /// Says what has become of a client; as a rule nobody waits to hear it.
    pub(super) fn tell_outcome(&self, key: ClientKey, outcome: Outcome) {
        let _ = self.outcomes.send((key, outcome));
    }

    pub(super) fn stop(&self) {
        self.stopper.stop();
    }

    pub(super) fn stopping(&self) -> Stopping {
        self.stopper.stopping()
    }
}
