//! All servers, and what follows from what they have said so far.

use std::time::Duration;

use requestor::{Asker, Backoff, ClientData, Refusal};
use wire::Duid;
use world::{Chance, Instant};

use super::answer::{Source, Territory, delegations_of};
use super::attempt::{Attempt, Plan, Why};
use super::place::place;
use super::questions::Method;
use super::server::{Phase, Server, Step, Tally};
use crate::delegations::{Delegation, ServerId};
use crate::limits::{MAX_UNPLACED, PORTS_SETTLE};
use crate::moment::Moment;
use crate::ports::Ports;

/// Whom to ask, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The relay's DUID: what its Relay-forwards bear as Relay-ID, and by which it asks (RFC 8987 §4.3).
    pub relay_id: Duid,
    /// For each server, in the order of their [`ServerId`]s, whether it is asked.
    pub servers: Vec<bool>,
    /// How, in this order; each at most once.
    pub methods: Vec<Method>,
    /// What is of interest.
    pub territory: Territory,
    /// How long between one recovery and the next, if there is to be another without being asked for.
    pub refresh_every: Option<Duration>,
    /// The waits after a failure.
    pub backoff: Backoff,
    /// How long a server may be silent or blocked.
    pub data_timeout: Duration,
}

impl Terms {
    /// By Relay-ID, then by link-address, then by Remote-ID, as patiently as RFC 5460 says.
    pub fn new(relay_id: Duid, servers: Vec<bool>) -> Self {
        Self {
            relay_id,
            servers,
            methods: vec![Method::RelayId, Method::LinkAddress, Method::RemoteId],
            territory: Territory::default(),
            refresh_every: None,
            backoff: Backoff::default(),
            data_timeout: requestor::limits::DATA_TIMEOUT,
        }
    }
}

/// A recovery from beginning to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Epoch {
    /// Counted from 1.
    pub number: u64,
    /// When it began. Who has been heard of since is known by this recovery or is newer.
    pub began: Instant,
}

/// What the servers have said, and what they have not.
#[derive(Debug)]
pub struct Recovery {
    terms: Terms,
    pub(super) servers: Vec<Server>,
    pub(super) epoch: Epoch,
    chance: Chance,
}

/// What a server's session is to do.
#[derive(Debug)]
pub enum Next {
    /// To connect, and to carry octets until the attempt is over.
    Ask(Box<Attempt>),
    /// To come back then; never, unless something changes, if there is no time.
    Wait(Option<Instant>),
}

/// What an attempt has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Whom it asked.
    pub server: ServerId,
    /// How.
    pub method: Method,
    /// Clients it was told of.
    pub clients: u64,
    /// Leases of theirs.
    pub leases: u64,
    /// Octets received.
    pub octets: u64,
    /// From the first try to connect to the end.
    pub elapsed: Duration,
    /// What went wrong, if anything did.
    pub trouble: Option<Why>,
    /// What follows for the server.
    pub phase: Phase,
}

impl Recovery {
    /// Begins the first epoch. `chance` is for transaction ids and waits.
    pub fn new(terms: Terms, chance: Chance, now: Instant) -> Self {
        let server = |is_asked: &bool| {
            let is_asked = *is_asked && !terms.methods.is_empty();
            Server::new(is_asked, terms.methods.len(), terms.backoff.clone(), now)
        };
        let servers = terms.servers.iter().map(server).collect();
        Self { terms, servers, epoch: Epoch { number: 1, began: now }, chance }
    }

    /// Begins an epoch on other terms. Its number is none that there has been: an attempt of before is none
    /// of this epoch's.
    pub fn configure(&mut self, terms: Terms, chance: Chance, now: Instant) {
        let number = self.epoch.number + 1;
        *self = Self { epoch: Epoch { number, began: now }, ..Self::new(terms, chance, now) };
    }

    /// No attempt that is under way will ever be handed back: whoever is being asked is to be asked anew.
    pub fn hang_up(&mut self, now: Instant) {
        for server in &mut self.servers {
            if matches!(server.phase, Phase::Asking { .. }) {
                server.phase = Phase::Waiting { until: now };
            }
        }
    }

    /// Whom to ask, and how.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// What a server's session is to do now.
    pub fn begin(&mut self, server: ServerId, ports: &Ports, now: Instant) -> Next {
        self.refresh_if_due(now);
        match self.server(server).map(|server| server.phase) {
            Some(Phase::Waiting { until }) if until <= now => {}
            Some(Phase::Refused { until }) if until <= now => self.begin_anew(server),
            _ => return self.wait(server),
        }
        self.proceed(server, ports, now)
    }

    fn wait(&self, server: ServerId) -> Next {
        let refresh = self.next_refresh();
        Next::Wait(match self.server(server).map(|server| server.phase) {
            None | Some(Phase::NotAsked | Phase::Asking { .. }) => None,
            Some(Phase::Done { .. }) => refresh,
            Some(Phase::Waiting { until } | Phase::Refused { until }) => {
                refresh.into_iter().chain([until]).min()
            }
        })
    }

    /// Asks if there is anything to ask, else concludes.
    fn proceed(&mut self, server: ServerId, ports: &Ports, now: Instant) -> Next {
        let Some(step) = self.next_step(server, ports) else { return Next::Wait(None) };
        let Step::Ask(method, inquiries) = step else {
            self.conclude(server, step, now);
            return self.wait(server);
        };
        let plan = Plan {
            server,
            method,
            inquiries,
            epoch: self.epoch.number,
            asker: Asker { client_id: self.terms.relay_id.clone(), server_id: None },
            data_timeout: self.terms.data_timeout,
        };
        let attempt = Attempt::new(plan, &mut self.chance, now);
        if let Some(asked) = self.server_mut(server) {
            asked.phase = Phase::Asking { method, since: now };
            if asked.begins_at_nothing() {
                asked.tally = Tally::default();
                asked.unplaced.clear();
            }
        }
        Next::Ask(Box::new(attempt))
    }

    /// Takes what a server tells of a client: gives each lease that can be placed to `take`, and lists
    /// the others.
    pub fn hear(
        &mut self,
        source: Source,
        client: &ClientData<'_>,
        ports: &mut Ports,
        mut take: impl FnMut(Delegation),
    ) {
        let mut room = self.servers.iter().map(|server| server.unplaced.kept()).sum::<usize>();
        let Some(server) = self.servers.get_mut(usize::from(source.server.0)) else { return };
        let asked = match server.phase {
            Phase::Asking { since, .. } => since.into(),
            _ => Moment::UNKNOWN,
        };
        let place = place(client.relay_path, self.terms.relay_id.as_ref(), ports);
        let mut wanted = 0;
        for lease in delegations_of(client, place, &self.terms.territory, source) {
            wanted += 1;
            match lease {
                Ok(delegation) => {
                    server.unplaced.remove(delegation.prefix);
                    // However long it was on its way: what we have heard since the question is newer.
                    take(Delegation { heard: delegation.heard.min(asked), ..delegation });
                }
                Err(unplaced) => {
                    server.unplaced.add(unplaced, room < MAX_UNPLACED);
                    room += 1;
                }
            }
        }
        let leases = client.lease_count as u64;
        server.tally.clients += 1;
        server.tally.leases += leases;
        server.tally.outside += leases.saturating_sub(wanted);
        server.tally.unplaced = server.unplaced.count();
    }

    /// Concludes from an attempt that is over, or that never came to a connection.
    pub fn finished(&mut self, mut attempt: Attempt, ports: &Ports, now: Instant) -> Summary {
        let (id, counters) = (attempt.server, attempt.counters());
        let trouble = self.judge(&mut attempt, ports, now);
        Summary {
            server: id,
            method: attempt.method,
            clients: counters.clients,
            leases: counters.bindings,
            octets: counters.octets,
            elapsed: now.since(attempt.began),
            trouble,
            phase: self.server(id).map_or(Phase::NotAsked, |server| server.phase),
        }
    }

    /// Says what went wrong, if anything did.
    fn judge(&mut self, attempt: &mut Attempt, ports: &Ports, now: Instant) -> Option<Why> {
        let Self { servers, terms, epoch, chance } = self;
        let server = servers.get_mut(usize::from(attempt.server.0))?;
        if matches!(server.phase, Phase::Asking { .. }) {
            server.phase = Phase::Waiting { until: now };
        }
        if attempt.epoch != epoch.number {
            return attempt.course.trouble.take();
        }
        let declined = attempt.course.declined.last().map(|(_, refusal)| Why::Refused(refusal.clone()));
        let goes_on = attempt.made_progress_until_closed();
        server.take_in(&terms.methods, attempt);
        if let Some(why) = attempt.course.trouble.take() {
            if !goes_on {
                if is_termination(&why) {
                    server.backoff.terminated();
                }
                server.fail(why.clone(), now);
                server.phase = Phase::Waiting { until: now + server.backoff.next_wait(chance) };
            }
            return Some(why);
        }
        match self.next_step(attempt.server, ports)? {
            Step::Ask(..) => {}
            conclusion => self.conclude(attempt.server, conclusion, now),
        }
        declined
    }

    fn next_step(&self, server: ServerId, ports: &Ports) -> Option<Step> {
        let Terms { methods, relay_id, .. } = &self.terms;
        Some(self.server(server)?.next_step(methods, relay_id, ports))
    }

    fn conclude(&mut self, server: ServerId, step: Step, now: Instant) {
        let Self { servers, chance, .. } = self;
        let Some(server) = servers.get_mut(usize::from(server.0)) else { return };
        match step {
            Step::Ask(..) => {}
            Step::Done => {
                server.phase = Phase::Done { at: now };
                server.last_done = Some(now);
                server.trouble = None;
                server.backoff.succeeded();
            }
            Step::Refused(refusal) => {
                server.backoff.refused();
                server.fail(Why::Refused(refusal), now);
                server.phase = Phase::Refused { until: now + server.backoff.next_wait(chance) };
            }
            Step::NothingToAsk => {
                server.fail(Why::NothingToAsk, now);
                server.phase = Phase::Waiting { until: now + server.backoff.next_wait(chance) };
            }
        }
    }

    /// Ports have come, gone or changed: where servers are asked by port, there may be more to ask.
    /// Gives whether any server is now to be asked earlier than was said.
    pub fn ports_changed(&mut self, ports: &Ports, now: Instant) -> bool {
        let mut sooner = false;
        for id in (0..).map(ServerId).take(self.servers.len()) {
            let waits_for_ports = self.server(id).is_some_and(|server| match &server.trouble {
                _ if server.is_done() => true,
                Some(trouble) => trouble.why == Why::NothingToAsk,
                None => false,
            });
            if waits_for_ports && matches!(self.next_step(id, ports), Some(Step::Ask(..))) {
                let until = now + PORTS_SETTLE;
                self.servers[usize::from(id.0)].phase = Phase::Waiting { until };
                sooner = true;
            }
        }
        sooner
    }

    /// Begins a new epoch and asks every server at once, whatever it was waiting for.
    pub fn refresh(&mut self, now: Instant) {
        self.begin_epoch(now);
        for server in &mut self.servers {
            if let Phase::Waiting { until } | Phase::Refused { until } = &mut server.phase {
                *until = now;
                server.backoff.succeeded();
            }
        }
    }

    /// Servers that do not answer keep their pace.
    fn refresh_if_due(&mut self, now: Instant) {
        if self.next_refresh().is_some_and(|at| at <= now) {
            self.begin_epoch(now);
        }
    }

    /// Not while a server is being asked: what it is telling would have to be asked for again, and with
    /// many clients and a short interval that would never end.
    fn next_refresh(&self) -> Option<Instant> {
        let is_asking = |server: &Server| matches!(server.phase, Phase::Asking { .. });
        if self.servers.iter().any(is_asking) {
            return None;
        }
        Some(self.epoch.began + self.terms.refresh_every?)
    }

    fn begin_epoch(&mut self, now: Instant) {
        self.epoch = Epoch { number: self.epoch.number + 1, began: now };
        for id in (0..).map(ServerId).take(self.servers.len()) {
            self.begin_anew(id);
        }
        for server in &mut self.servers {
            if server.is_done() {
                server.phase = Phase::Waiting { until: now };
            }
        }
    }

    fn begin_anew(&mut self, server: ServerId) {
        let methods = self.terms.methods.len();
        if let Some(server) = self.server_mut(server) {
            server.begin_anew(methods);
        }
    }

    /// The recovery that is going on, or was the last.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    pub(super) fn numbered(&self) -> impl Iterator<Item = (ServerId, &Server)> {
        (0..).map(ServerId).zip(&self.servers)
    }

    fn server(&self, id: ServerId) -> Option<&Server> {
        self.servers.get(usize::from(id.0))
    }

    fn server_mut(&mut self, id: ServerId) -> Option<&mut Server> {
        self.servers.get_mut(usize::from(id.0))
    }
}

/// Whether the server said that it is busy or going down.
fn is_termination(why: &Why) -> bool {
    let terminated = |refusal: &Refusal| refusal.code == wire::StatusCode::QUERY_TERMINATED;
    matches!(why, Why::Stopped(refusal) if terminated(refusal))
}
