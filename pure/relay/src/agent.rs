//! The relay as a whole: what one datagram, one answer of a server or the passing of time brings about.
//!
//! [`Agent`] ties the parts together and decides nothing that they could decide. A datagram is forwarded
//! or delivered, and read along on its way: what a Reply grants and what a Release ends goes to the
//! [`Delegations`]. So does what servers answer to the [`Recovery`] and what was written down before.
//! Whatever changes there, [`Routes`] follow, by way of the [`Ports`]; and it is set aside to be written
//! down. Every call that may change something leaves routes wanted as the delegations are.

use std::collections::BTreeSet;

use requestor::{ClientData, Lifetime};
use wire::{IaKind, MessageType, Prefix};
use world::{Chance, Instant};

use crate::limits::{EXPIRED_AT_ONCE, MAX_NOTES, NOTES_PER_SECOND};
use crate::pace::Pace;
use crate::recovery::{self, Attempt, Completeness, Next, Recovery, Source, Summary};
use crate::{
    Arrival, Counters, Delegation, DelegationRef, Delegations, Delivery, Discard, Filter, Limits, Moment,
    Note, Peer, Port, PortId, Ports, RouteRules, Routes, ServerId, Target, Teller, Terms, Verdict, deliver,
    forward, learn,
};

/// All that the operator has decided.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Of forwarding.
    pub terms: Terms,
    /// Of asking servers.
    pub recovery: recovery::Terms,
    /// Of routes, if there are to be any.
    pub routes: Option<RouteRules>,
    /// Whether addresses have host routes. If not, they are not learnt either.
    pub host_routes: bool,
    /// Whether a DUID is on one port at a time.
    pub unique_clients: bool,
    /// Whether delegations are written down.
    pub remembers: bool,
}

/// A relay.
#[derive(Debug)]
pub struct Agent {
    terms: Terms,
    makes_routes: bool,
    host_routes: bool,
    ports: Ports,
    delegations: Delegations,
    routes: Routes,
    recovery: Recovery,
    /// The epoch that the delegations are in.
    epoch: u64,
    remembers: bool,
    /// The interfaces by which servers are heard; all that are no ports, while nobody has said.
    upstream: Option<BTreeSet<u32>>,
    /// What has changed since it was last written down.
    unwritten: BTreeSet<Prefix>,
    notes: Vec<Note>,
    /// How often somebody else can have something noted.
    pace_of_notes: Pace,
}

/// What becomes of a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passed<'a> {
    /// What was appended goes to every server.
    ToServers,
    /// This goes towards the client.
    ToClient(Delivery<'a>),
}

impl Agent {
    /// Nothing is known yet; the first recovery begins. `chance` is for transaction ids and waits.
    pub fn new(setup: Setup, chance: Chance, now: Instant) -> Self {
        let Setup { terms, recovery, routes, host_routes, unique_clients, remembers } = setup;
        let recovery = Recovery::new(recovery, chance, now);
        let mut delegations = Delegations::default();
        delegations.set_unique_duids(unique_clients);
        delegations.begin_epoch();
        Self {
            terms,
            makes_routes: routes.is_some(),
            host_routes,
            ports: Ports::default(),
            delegations,
            routes: Routes::new(routes.unwrap_or_default()),
            epoch: recovery.epoch().number,
            recovery,
            remembers,
            upstream: None,
            unwritten: BTreeSet::new(),
            notes: Vec::new(),
            pace_of_notes: Pace::of(NOTES_PER_SECOND),
        }
    }

    /// Goes on with other decisions. If it is decided otherwise how servers are asked, or they are others,
    /// everything is asked for anew.
    pub fn configure(&mut self, setup: Setup, has_other_servers: bool, chance: Chance, now: Instant) {
        let Setup { terms, recovery, routes, host_routes, unique_clients, remembers: _ } = setup;
        (self.terms, self.makes_routes, self.host_routes) = (terms, routes.is_some(), host_routes);
        self.delegations.set_unique_duids(unique_clients);
        self.routes.configure(routes.unwrap_or_default());
        if has_other_servers || *self.recovery.terms() != recovery {
            self.recovery.configure(recovery, chance, now);
            self.follow_epoch();
        }
        let all: Vec<Prefix> = self.delegations.all(None).map(|held| held.prefix).collect();
        all.into_iter().for_each(|prefix| self.lead(prefix));
    }

    /// Has these ports present from now on, and no others. Gives whether a server is to be asked earlier
    /// than was said.
    pub fn set_ports(&mut self, present: Vec<Port>, now: Instant) -> bool {
        let changed = BTreeSet::from_iter(self.ports.update(present));
        if !changed.is_empty() {
            let there = self.delegations.on_ports(|port| changed.contains(&port), None);
            let there: Vec<Prefix> = there.map(|held| held.prefix).collect();
            there.into_iter().for_each(|prefix| self.lead(prefix));
        }
        self.recovery.ports_changed(&self.ports, now)
    }

    /// Has servers heard by these interfaces only, told by their numbers. One that nobody has looked at yet
    /// may be a customer's, who could play the server.
    pub fn set_upstream(&mut self, interface_indices: BTreeSet<u32>) {
        self.upstream = Some(interface_indices);
    }

    /// The ports.
    pub fn ports(&self) -> &Ports {
        &self.ports
    }

    /// What is delegated.
    pub fn delegations(&self) -> &Delegations {
        &self.delegations
    }

    /// The routes that follow.
    pub fn routes(&self) -> &Routes {
        &self.routes
    }

    /// The same, for whoever carries changes to the kernel and tells what it has.
    pub fn routes_mut(&mut self) -> &mut Routes {
        &mut self.routes
    }

    /// What servers have said.
    pub fn recovery(&self) -> &Recovery {
        &self.recovery
    }
}

/// Datagrams.
impl Agent {
    /// Forwards or delivers a datagram, and learns from it. What goes to servers is appended to `out`.
    pub fn take<'a>(
        &mut self,
        arrival: &Arrival<'_>,
        octets: &'a [u8],
        now: Instant,
        counters: &Counters,
        out: &mut Vec<u8>,
    ) -> Result<Passed<'a>, Discard> {
        if self.ports.with_index(arrival.interface_index).is_none() {
            counters.received(Peer::Server, octets);
            if self.upstream.as_ref().is_some_and(|upstream| !upstream.contains(&arrival.interface_index)) {
                return Err(Discard::NotServed);
            }
            let delivery = deliver(&self.terms, &self.ports, arrival, octets)?;
            counters.delivered(delivery.octets);
            self.learn(&delivery, now);
            return Ok(Passed::ToClient(delivery));
        }
        let is_relayed = octets.first() == Some(&(MessageType::RelayForward as u8));
        counters.received(if is_relayed { Peer::Relay } else { Peer::Client }, octets);
        let forwarded = forward(&self.terms, &self.ports, arrival, octets, out)?;
        counters.forwarded(octets);
        if let Some(released) = learn::released(octets) {
            self.delegations.release(forwarded.port, &released, now);
            self.follow();
            if forwarded.from == Peer::Client {
                self.give_up(arrival, &released);
            }
        }
        Ok(Passed::ToServers)
    }

    /// Of what nobody has told yet whose it is, a route that leads to the very client who gives it back is over
    /// as well. Behind a relay that could be anybody.
    fn give_up(&mut self, arrival: &Arrival<'_>, released: &learn::Released<'_>) {
        let Arrival { source: next_hop, interface_index, .. } = *arrival;
        for prefix in released.associations().flat_map(|association| association.named().collect::<Vec<_>>())
        {
            self.routes.give_up(prefix, Target::Via { next_hop, interface_index });
        }
    }

    /// What a Reply grants is held by who it is delivered to, where it is delivered. Addresses matter only if
    /// there are routes to them, as in what servers are asked for.
    fn learn(&mut self, delivery: &Delivery<'_>, now: Instant) {
        let Some(granted) = learn::reply(delivery.octets) else { return };
        let limits = limits(&self.ports, delivery.port);
        let wants_addresses = self.host_routes;
        for lease in granted.leases().filter(|lease| wants_addresses || lease.kind == IaKind::Prefix) {
            let delegation = Delegation {
                prefix: lease.prefix,
                kind: lease.kind,
                client: granted.client.to_duid(),
                iaid: Some(lease.iaid),
                port: delivery.port,
                next_hop: delivery.to,
                preferred: Lifetime::from_secs(lease.preferred_secs, now),
                valid: Lifetime::from_secs(lease.valid_secs, now),
                heard: Moment::from(now),
                told_by: Teller::Reply,
            };
            let client = granted.client;
            let verdict = self.delegations.grant(delegation, limits, now);
            if !matches!(verdict, Verdict::Same | Verdict::Renewed | Verdict::Stale) {
                self.note(now, || Note::of(lease.prefix, client, delivery.port, verdict));
            }
        }
        self.follow();
    }
}

/// Recovery.
impl Agent {
    /// What a server's session is to do now.
    pub fn begin(&mut self, server: ServerId, now: Instant) -> Next {
        let next = self.recovery.begin(server, &self.ports, now);
        self.follow_epoch();
        next
    }

    /// Takes what a server tells of a client.
    pub fn hear(&mut self, server: ServerId, client: &ClientData<'_>, received: Instant) {
        let mut heard = Vec::with_capacity(client.lease_count);
        let source = Source { server, received };
        self.recovery.hear(source, client, &mut self.ports, |delegation| heard.push(delegation));
        for delegation in heard {
            let limits = limits(&self.ports, delegation.port);
            let (prefix, port) = (delegation.prefix, delegation.port);
            let verdict = self.delegations.hear(delegation, limits, received);
            if matches!(verdict, Verdict::TooManyForClient | Verdict::TooManyOnPort) {
                self.note(received, || Note::of(prefix, client.client_id, port, verdict));
            }
        }
        self.follow();
    }

    /// Concludes from an attempt. When it was the last word of the last server, what no server and no
    /// Reply has spoken of since the recovery began is over.
    pub fn finished(&mut self, attempt: Attempt, now: Instant) -> Summary {
        let summary = self.recovery.finished(attempt, &self.ports, now);
        self.conclude(now);
        summary
    }

    /// All attempts have been broken off, and none will be handed back: the sessions that made them are no
    /// more. Whoever was being asked is to be asked again.
    pub fn hang_up(&mut self, now: Instant) {
        self.recovery.hang_up(now);
    }

    /// Asks every server again, now.
    pub fn refresh(&mut self, now: Instant) {
        self.recovery.refresh(now);
        self.follow_epoch();
    }

    fn follow_epoch(&mut self) {
        if self.epoch != self.recovery.epoch().number {
            self.epoch = self.recovery.epoch().number;
            self.delegations.begin_epoch();
        }
    }

    /// Not before it is known which routes there are: of one that is seen only afterwards nobody would ask
    /// any more whether the servers' silence is about it.
    fn conclude(&mut self, now: Instant) {
        let knows_routes = self.routes.knows_kernel() || !self.makes_routes;
        if !self.delegations.epoch_is_running()
            || !knows_routes
            || self.recovery.completeness() != Completeness::Complete
        {
            return;
        }
        let Self { recovery, delegations, routes, ports, .. } = self;
        // Of what lies outside, nothing that servers say is heard.
        let territory = &recovery.terms().territory;
        let ended = delegations.end_epoch(|held| {
            territory.holds(held.kind, held.prefix) && recovery.may_sweep(Some(held.port), held.prefix)
        });
        let routes_swept = routes.sweep(|destination, target| {
            let port = match target {
                Target::Via { interface_index, .. } => ports.with_index(interface_index),
                Target::Unreachable => None,
            };
            recovery.may_sweep(port, destination)
        });
        self.notes.push(Note::Recovered { delegations: ended.swept, routes: routes_swept });
        self.follow();
        if ended.withheld > 0 {
            self.refresh(now);
        }
    }
}

/// Time, operators, and what was written down.
impl Agent {
    /// Ends what has run out, and tries again what the kernel would not do. To be called when all routes
    /// have been dumped, too.
    pub fn tick(&mut self, now: Instant) {
        self.delegations.expire(now, EXPIRED_AT_ONCE);
        self.routes.tick(now);
        self.follow();
        self.conclude(now);
    }

    /// When to call [`Self::tick`] at the latest.
    pub fn deadline(&self) -> Option<Instant> {
        let of_routes = self.routes.deadline().filter(|_| self.makes_routes);
        self.delegations.next_expiry().into_iter().chain(of_routes).min()
    }

    /// Ends delegations because an operator says so, at most so many; gives how many (RFC 8987 §4.4 O-2).
    pub fn clear(&mut self, filter: &Filter, now: Instant, most: usize) -> usize {
        let cleared = self.delegations.clear(filter, now, most);
        self.follow();
        cleared
    }

    /// Takes what was written down before this program began. It was once within the limits. What is
    /// over by now is to be struck out; so is what every server has been silent about already.
    pub fn remember(&mut self, delegation: Delegation, now: Instant) -> Verdict {
        if !self.delegations.epoch_is_running() {
            self.unwritten.insert(delegation.prefix);
            return Verdict::Stale;
        }
        let limits = Limits { per_client: usize::MAX, per_port: usize::MAX };
        let prefix = delegation.prefix;
        let verdict = self.delegations.hear(delegation, limits, now);
        self.follow();
        if verdict == Verdict::New {
            self.unwritten.remove(&prefix);
        } else if self.remembers {
            self.unwritten.insert(prefix);
        }
        verdict
    }

    /// The port of an Interface-ID that was written down, present or not.
    pub fn port_of(&mut self, interface_id: &[u8]) -> Option<PortId> {
        self.ports.intern(interface_id)
    }

    /// What was written down is lost: has all of it written once more.
    pub fn write_anew(&mut self) {
        if self.remembers {
            self.unwritten.extend(self.delegations.all(None).map(|held| held.prefix));
        }
    }

    /// Whether there is something to be written down.
    pub fn has_unwritten(&self) -> bool {
        !self.unwritten.is_empty()
    }

    /// What is to be written down next, at most so much; what is not held any more is to be struck out.
    pub fn take_unwritten(&mut self, most: usize) -> Vec<Prefix> {
        std::iter::from_fn(|| self.unwritten.pop_first()).take(most).collect()
    }

    /// What an operator may want to read in a log, since the last time.
    pub fn take_notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }
}

/// What follows from a change.
impl Agent {
    fn follow(&mut self) {
        while self.delegations.has_changed() {
            for changed in self.delegations.take_changed(usize::MAX) {
                if changed.way {
                    self.lead(changed.prefix);
                }
                if self.remembers {
                    self.unwritten.insert(changed.prefix);
                }
            }
        }
    }

    /// Wants the route that a prefix shall have now.
    fn lead(&mut self, prefix: Prefix) {
        let held = self.delegations.get(prefix);
        match held.and_then(|held| self.target(&held)) {
            // A refused one is remembered as refused, and shown.
            Some(target) => _ = self.routes.want(prefix, target),
            None => self.routes.unwant(prefix),
        }
    }

    /// Where the route of a delegation leads; nowhere if it shall have none, or its port is not there.
    fn target(&self, held: &DelegationRef<'_>) -> Option<Target> {
        if !self.makes_routes || held.kind == IaKind::Address && !self.host_routes {
            return None;
        }
        let port = self.ports.present(held.port)?;
        Some(Target::Via { next_hop: held.next_hop, interface_index: port.index })
    }

    fn note(&mut self, now: Instant, what: impl FnOnce() -> Note) {
        if self.notes.len() < MAX_NOTES && self.pace_of_notes.allows_one_more(now) {
            self.notes.push(what());
        }
    }
}

/// What may be held at a port. At one that is not there nobody can take more than a server tells of.
fn limits(ports: &Ports, port: PortId) -> Limits {
    let unlimited = Limits { per_client: usize::MAX, per_port: usize::MAX };
    ports.present(port).map_or(unlimited, |port| Limits::from(&port.rules))
}
