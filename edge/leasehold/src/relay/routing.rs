//! Carrying routes to the kernel, and what the kernel says back: one thread.
//!
//! It goes round: look at what others have changed, and at the interfaces if they have; let time pass; dump
//! the kernel's routes when the agent wishes; then have changed what the agent wants changed, a batch at a
//! time, by the thread of `hand.rs`. All that concerns the kernel's routes happens here, one after the other, so the agent hears of it
//! in the order in which it happened.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use relay::{Agent, Change, Failure, Routes};
use tracing::warn;

use super::hand::{Done, Hand, UNDER_WAY};
use super::ports::Seeing;
use super::service::Service;
use super::ways::ways;
use crate::kernel::{self, BATCH, News, Notifications, RouteNews, RouteSettings, RouteWriter};
use crate::net::{Poller, Ready};

/// How long a change of interfaces is let grow before it is looked at: they come and go in swarms.
const SETTLING: Duration = Duration::from_millis(20);
/// How long to wait before the interfaces are looked at again that could not be listed.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// Routes of a dump that are compared under one lock, so that forwarding does not wait for all.
const COMPARED_AT_ONCE: usize = 2_000;

/// The thread's data.
pub(super) struct Routing {
    service: Arc<Service>,
    poller: Poller,
    settings: RouteSettings,
    /// Nothing if there are to be no routes.
    hand: Option<Hand>,
    notifications: Notifications,
    seeing: Seeing,
}

impl Routing {
    /// Opens the ways to the kernel, and looks at the interfaces for the first time.
    pub(super) fn start(
        service: Arc<Service>,
        poller: Poller,
        settings: Option<RouteSettings>,
    ) -> anyhow::Result<Self> {
        let writer = settings.map(RouteWriter::open).transpose().context("cannot write routes")?;
        let own = writer.as_ref().map(RouteWriter::port);
        let settings = settings.unwrap_or_default();
        let notifications =
            Notifications::open(settings, own).context("cannot watch routes and interfaces")?;
        let hand = writer.map(Hand::start).transpose()?;
        let mut routing = Self { service, poller, settings, hand, notifications, seeing: Seeing::default() };
        routing.look_at_interfaces().context("cannot list the interfaces")?;
        Ok(routing)
    }

    /// Goes round until the relay stops.
    pub(super) fn run(mut self) -> anyhow::Result<()> {
        let stopping = self.service.stopping();
        let mut look_at: Option<Instant> = None;
        while !stopping.has_come() {
            if look_at.is_some_and(|at| at <= Instant::now()) {
                look_at = None;
                if let Err(error) = self.look_at_interfaces() {
                    warn!("cannot list the interfaces, will try again: {error}");
                    look_at = Some(Instant::now() + LOOK_AGAIN);
                }
            }
            self.pass_time();
            if self.hand.is_some() {
                self.dump_if_wished();
                self.carry()?;
            }
            let ready = self.wait(look_at)?;
            if ready.readable(0) {
                let news = self.notifications.drain().context("cannot watch routes and interfaces")?;
                if self.take_news(news) {
                    look_at.get_or_insert(Instant::now() + SETTLING);
                }
            }
            if self.seeing.is_outdated(&self.service.setup().layout) {
                look_at = Some(Instant::now());
            }
        }
        Ok(())
    }

    /// Waits for news, for work, or for the time to come at which something is due.
    fn wait(&self, look_at: Option<Instant>) -> anyhow::Result<Ready> {
        let deadline = self.service.look(Agent::deadline);
        let clock = self.service.clock();
        let deadline = deadline.map(|at| Instant::now() + clock.until(at));
        let until = look_at.into_iter().chain(deadline).min();
        self.poller.wait(&[self.notifications.as_fd()], until).context("cannot wait for the kernel")
    }

    fn pass_time(&self) {
        let now = self.service.now().instant;
        self.service.with(|agent| agent.tick(now));
    }

    /// Tells the agent what others have done; says whether the interfaces have to be looked at.
    fn take_news(&self, news: News) -> bool {
        let News { routes, interfaces, lost } = news;
        let must_look = lost || !interfaces.is_empty();
        self.service.with(|agent| {
            let known = agent.routes_mut();
            for news in routes {
                match news {
                    RouteNews::Added(seen) => known.kernel_added(&seen),
                    RouteNews::Removed(seen) => known.kernel_removed(&seen),
                }
            }
            if lost {
                known.mistrust();
            }
            known.interfaces_changed(&interfaces);
        });
        must_look
    }

    /// Finds out which ports there are now, and by which ways servers are reached.
    fn look_at_interfaces(&mut self) -> io::Result<()> {
        let setup = self.service.setup();
        let facts = kernel::interfaces()?;
        let seen = self.seeing.look(&setup.layout, &facts);
        let index_of = |name: &str| facts.iter().find(|facts| facts.name == name).map(|facts| facts.index);
        self.service.set_ways(ways(&setup.relay.servers, index_of, &seen.upstream));
        let now = self.service.now().instant;
        let up: BTreeSet<u32> = facts.iter().filter(|facts| facts.is_up).map(|facts| facts.index).collect();
        let sooner = self.service.with(|agent| {
            agent.routes_mut().interfaces_changed(&up);
            agent.set_upstream(seen.heard);
            agent.set_ports(seen.ports, now)
        });
        if sooner {
            self.service.wake_sessions();
        }
        Ok(())
    }

    /// Compares all routes of the kernel with what is known of them.
    pub(super) fn dump_if_wished(&self) {
        let now = self.service.now().instant;
        let wished = self.service.with(|agent| {
            let wished = agent.routes().wants_dump(now);
            if wished {
                agent.routes_mut().begin_dump();
            }
            wished
        });
        if !wished {
            return;
        }
        match kernel::dump(&self.settings) {
            Ok(routes) => {
                for some in routes.chunks(COMPARED_AT_ONCE) {
                    self.service.with(|agent| some.iter().for_each(|seen| agent.routes_mut().dumped(seen)));
                }
                self.service.with(|agent| {
                    agent.routes_mut().end_dump(now);
                    agent.tick(now);
                });
            }
            Err(error) => {
                warn!("cannot read the kernel's routes, will try again: {error}");
                self.service.with(|agent| agent.routes_mut().dump_failed(now));
            }
        }
    }

    /// Has the kernel do all that is to be done. When this returns, nothing is under way.
    fn carry(&self) -> anyhow::Result<()> {
        let Some(hand) = &self.hand else { return Ok(()) };
        let (mut under_way, mut finished) = (0, None);
        loop {
            let changes = self.think(finished.take());
            let is_all = changes.is_empty();
            if !is_all {
                hand.give(changes)?;
                under_way += 1;
            } else if under_way == 0 {
                return Ok(());
            }
            if is_all || under_way == UNDER_WAY {
                finished = Some(hand.receive()?);
                under_way -= 1;
            }
        }
    }

    /// Tells the agent what became of a batch, and gives the next one, under one lock.
    fn think(&self, finished: Option<Done>) -> Vec<Change> {
        let now = self.service.now().instant;
        self.service.with(|agent| {
            let routes = agent.routes_mut();
            if let Some(Done { changes, outcomes }) = finished {
                let outcomes = outcomes.unwrap_or_else(|error| unknown(routes, &error, changes.len()));
                let outcomes = changes.iter().zip(outcomes);
                outcomes.for_each(|(change, outcome)| routes.done(change, outcome, now));
            }
            routes.next(BATCH)
        })
    }
}

/// If nobody can say what became of a batch, each change counts as failed, and the kernel is asked what it has.
fn unknown(routes: &mut Routes, error: &io::Error, count: usize) -> Vec<Result<(), Failure>> {
    warn!("cannot tell whether the kernel has taken {count} routes: {error}");
    routes.mistrust();
    vec![Err(Failure::Other(error.raw_os_error().unwrap_or(0))); count]
}
