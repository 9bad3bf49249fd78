//! What all threads and tasks of a relay share.

use std::sync::{Arc, PoisonError, RwLock};

use parking_lot::Mutex;
use relay::recovery::{Attempt, Next, Summary};
use relay::{Agent, Counters, Note, ServerId, Verdict};
use tokio::sync::watch;
use tracing::{debug, info, warn};
use world::{Instant, Now};

use super::desk::{self, Profile, Traffic};
use super::recovery::{Asked, Knowledge, Wake};
use super::setup::Setup;
use super::traffic::Tallies;
use super::ways::Way;
use crate::clock::Clock;
use crate::kernel::RouteSettings;
use crate::net::Waker;
use crate::stopping::{Stopper, Stopping};

/// The agent, and who is woken when it has something to do for them. It is locked for one batch of
/// datagrams, of answers, or of routes at a time.
#[derive(Debug)]
pub(super) struct Service {
    setup: RwLock<Arc<Setup>>,
    /// A lock that is fair after half a millisecond: a recovery takes it again and again, and must not keep
    /// datagrams waiting. A thread that panics with it stops the program.
    agent: Mutex<Agent>,
    pub(super) counters: Counters,
    tallies: RwLock<Arc<Tallies>>,
    /// Whom the sessions ask.
    asked: watch::Sender<Vec<Asked>>,
    settings: RouteSettings,
    ways: RwLock<Arc<[Way]>>,
    clock: Clock,
    wakers: Wakers,
    stopper: Stopper,
}

/// What ends the waiting of the threads that follow the agent.
#[derive(Debug)]
pub(super) struct Wakers {
    /// Of the one that carries routes to the kernel.
    pub(super) routing: Waker,
    /// Of the one that writes delegations down.
    pub(super) writing: Waker,
    /// Of the sessions with servers.
    pub(super) sessions: Wake,
}

impl Service {
    pub(super) fn new(
        setup: Setup,
        agent: Agent,
        settings: RouteSettings,
        clock: Clock,
        wakers: Wakers,
    ) -> Self {
        Self {
            tallies: RwLock::new(Arc::new(Tallies::new(&setup.relay.servers))),
            asked: watch::Sender::new(setup.asked()),
            settings,
            setup: RwLock::new(Arc::new(setup)),
            agent: Mutex::new(agent),
            counters: Counters::default(),
            ways: RwLock::new(Arc::new([])),
            clock,
            wakers,
            stopper: Stopper::default(),
        }
    }

    pub(super) fn now(&self) -> Now {
        self.clock.now()
    }

    pub(super) fn clock(&self) -> Clock {
        self.clock
    }

    /// What the operator has decided, now; it may be replaced any time.
    pub(super) fn setup(&self) -> Arc<Setup> {
        Arc::clone(&self.setup.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Goes on with other decisions. What was counted of servers stays if they are the same.
    pub(super) fn decide(&self, setup: Setup) {
        if setup.relay.servers != self.setup().relay.servers {
            let tallies = Arc::new(Tallies::new(&setup.relay.servers));
            *self.tallies.write().unwrap_or_else(PoisonError::into_inner) = tallies;
            self.asked.send_replace(setup.asked());
        }
        *self.setup.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(setup);
        self.wakers.routing.wake();
        self.wakers.sessions.wake();
    }

    /// What goes to servers and comes back.
    pub(super) fn tallies(&self) -> Arc<Tallies> {
        Arc::clone(&self.tallies.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whom to ask, now and later.
    pub(super) fn asked(&self) -> watch::Receiver<Vec<Asked>> {
        self.asked.subscribe()
    }

    /// Where what clients say is sent.
    pub(super) fn ways(&self) -> Arc<[Way]> {
        Arc::clone(&self.ways.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn set_ways(&self, ways: Vec<Way>) {
        *self.ways.write().unwrap_or_else(PoisonError::into_inner) = ways.into();
    }

    /// Does something with the agent, and wakes whoever has to follow.
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Agent) -> T) -> T {
        let mut agent = self.agent.lock();
        let (was_settled, was_written) = (agent.routes().is_settled(), !agent.has_unwritten());
        let was_due = agent.deadline();
        let result = work(&mut agent);
        let is_due_sooner = agent.deadline().is_some_and(|due| was_due.is_none_or(|was_due| due < was_due));
        let has_changes = is_due_sooner || was_settled && !agent.routes().is_settled();
        let has_unwritten = was_written && agent.has_unwritten();
        let notes = agent.take_notes();
        let lines: Vec<_> = notes.into_iter().map(|note| (place(&agent, &note), note)).collect();
        drop(agent);
        if has_changes {
            self.wakers.routing.wake();
        }
        if has_unwritten {
            self.wakers.writing.wake();
        }
        lines.iter().for_each(|(place, note)| log(place, note));
        result
    }

    /// Looks at the agent.
    pub(super) fn look<T>(&self, look: impl FnOnce(&Agent) -> T) -> T {
        look(&self.agent.lock())
    }

    /// There are no sessions with servers now: whoever was being asked is to be asked again.
    pub(super) fn hang_up(&self) {
        let now = self.now().instant;
        self.with(|agent| agent.hang_up(now));
    }

    /// Has all sessions with servers look again what there is to do.
    pub(super) fn wake_sessions(&self) {
        self.wakers.sessions.wake();
    }

    pub(super) fn wake_of_sessions(&self) -> Wake {
        self.wakers.sessions.clone()
    }

    pub(super) fn stop(&self) {
        self.stopper.stop();
        self.wakers.routing.wake();
        self.wakers.writing.wake();
    }

    pub(super) fn stopping(&self) -> Stopping {
        self.stopper.stopping()
    }
}

impl Knowledge for Service {
    fn begin(&self, server: ServerId) -> Next {
        let now = self.now().instant;
        self.with(|agent| agent.begin(server, now))
    }

    fn absorb(&self, attempt: &mut Attempt, octets: &[u8]) {
        let (server, now) = (attempt.server(), self.now().instant);
        self.with(|agent| attempt.receive(octets, now, &mut |client| agent.hear(server, client, now)));
    }

    fn finished(&self, attempt: Attempt) -> Summary {
        let now = self.now().instant;
        self.with(|agent| agent.finished(attempt, now))
    }
}

impl desk::Relay for Service {
    fn with<T>(&self, work: impl FnOnce(&mut Agent) -> T) -> T {
        self.with(work)
    }

    fn now(&self) -> Instant {
        self.now().instant
    }

    fn counters(&self) -> &Counters {
        &self.counters
    }

    fn profile(&self) -> Profile {
        let setup = self.setup();
        let servers = setup.relay.servers.clone();
        Profile { relay_id: setup.relay_id.clone(), servers, routes: self.settings }
    }

    fn traffic(&self, server: ServerId) -> Traffic {
        self.tallies().of(server)
    }

    fn ask_servers(&self) {
        self.wake_sessions();
    }
}

/// The name of the interface that a note is about.
fn place(agent: &Agent, note: &Note) -> String {
    match note {
        Note::Delegation { port, .. } => agent.ports().present(*port).map(|port| port.name.clone()),
        Note::Recovered { .. } => None,
    }
    .unwrap_or_default()
}

fn log(interface: &str, note: &Note) {
    match note {
        Note::Delegation { prefix, client, verdict, .. } => match verdict {
            Verdict::TooManyForClient => {
                warn!(%prefix, %client, interface, "not held: the client has as many as it may");
            }
            Verdict::TooManyOnPort => {
                warn!(%prefix, %client, interface, "not held: there are as many on the interface as may be");
            }
            Verdict::NotUnicast => warn!(%prefix, %client, interface, "not held: no unicast prefix"),
            Verdict::New => debug!(%prefix, %client, interface, "delegated"),
            Verdict::Moved { from, .. } => info!(%prefix, %client, interface, %from, "moved"),
            Verdict::Rerouted => info!(%prefix, %client, interface, "has another next hop"),
            Verdict::Ended => debug!(%prefix, %client, interface, "ended"),
            Verdict::Renewed | Verdict::Same | Verdict::Stale | Verdict::Withheld => {}
        },
        Note::Recovered { delegations, routes } => {
            info!(delegations_dropped = delegations, routes_removed = routes, "recovered: in sync");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use relay::{Delegation, Teller};
    use requestor::Lifetime;
    use wire::{Duid, IaKind};
    use world::Chance;

    use super::*;
    use crate::config::relay::Relay;
    use crate::net::Poller;

    impl Service {
        /// One that wakes nobody, and has neither servers that answer nor routes.
        pub(in crate::relay) fn of_nobody() -> Self {
            let waker = || Poller::new().unwrap().waker();
            Self::waking(Wakers { routing: waker(), writing: waker(), sessions: Wake::default() })
        }

        fn waking(wakers: Wakers) -> Self {
            let relay_id = Duid::new(&[0, 3, 0, 1, 9]).unwrap();
            let setup = Setup::new(Relay { routes: None, ..Relay::default() }, relay_id).unwrap();
            let clock = Clock::start();
            let agent = Agent::new(setup.for_agent(), Chance::from_seed(1), clock.now().instant);
            Self::new(setup, agent, RouteSettings::default(), clock, wakers)
        }
    }

    // PDR-11, PDR-14: whoever lets go of what has run out sleeps until the first end that it knows of.
    #[test]
    fn an_end_that_comes_sooner_than_all_others_wakes_who_waits_for_it() {
        let (routing, writing) = (Poller::new().unwrap(), Poller::new().unwrap());
        let service = Service::waking(Wakers {
            routing: routing.waker(),
            writing: writing.waker(),
            sessions: Wake::default(),
        });
        let now = service.now().instant;
        let hear = |number: u8, valid_secs| {
            let end = Lifetime::Until(now + Duration::from_secs(valid_secs));
            service.with(|agent| {
                let port = agent.port_of(b"eth1").unwrap();
                let delegation = Delegation {
                    prefix: format!("2001:db8:{number}::/48").parse().unwrap(),
                    kind: IaKind::Prefix,
                    client: Duid::new(&[0, 3, 0, 1, number]).unwrap(),
                    iaid: None,
                    port,
                    next_hop: "fe80::1".parse().unwrap(),
                    preferred: end,
                    valid: end,
                    heard: now.into(),
                    told_by: Teller::Memory,
                };
                agent.remember(delegation, now);
            });
            routing.wait(&[], Some(std::time::Instant::now())).unwrap().woken()
        };
        assert_eq!([(1, 300), (2, 600), (3, 60)].map(|(n, secs)| hear(n, secs)), [true, false, true]);
    }
}
