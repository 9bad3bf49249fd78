//! A client, as the standard has it (RFC 9915 §18.2), and people who switch it off, carry it about and find
//! its addresses in use.
//!
//! | file | one thought |
//! | --- | --- |
//! | `course` | what it does next: which exchange begins, and what becomes of one that is given up |
//! | `answers` | what it makes of an answer |
//! | `deeds`, `diary` | what people do with it, and when |
//! | `exchange`, `retransmission` | one message, sent until it is answered |
//! | `writing`, `reading` | octets |
//! | `held` | what it has been given, until when |
//!
//! It is at most in one exchange. All its times are of its own clock, but for what is in its diary.

mod answers;
mod course;
mod deeds;
mod diary;
mod exchange;
mod held;
mod reading;
mod retransmission;
mod writing;

use std::time::Duration;

use wire::{CLIENT_PORT, Duid, IaKind, Iaid, SERVER_PORT};
use world::{Chance, Instant};

use super::{Node, NodeId};
use crate::plan::{ClientPlan, LinkNumber, Plan, addresses, chance};
use crate::universe::{ALL_RELAYS_AND_SERVERS, Clock, Datagram, Outbox, Outgoing};
use diary::Diary;
use exchange::Exchange;
use held::Held;
use reading::Answer;
use writing::Signature;

pub use held::HeldLease;

/// A client's only interface.
pub const INTERFACE: u32 = 1;

/// A client.
#[derive(Debug)]
pub struct Client {
    number: usize,
    /// What it wants.
    pub plan: ClientPlan,
    /// The link that it is on.
    pub link: LinkNumber,
    /// Its clock; the time of day means nothing to it.
    pub clock: Clock,
    /// How many links and servers there are.
    links: LinkNumber,
    servers: u64,
    duid: Duid,
    chance: Chance,
    diary: Diary,
    power: Power,
    held: Held,
    exchange: Option<Exchange>,
    /// When it may ask for something to hold, if it holds nothing.
    solicit_at: Instant,
    /// When one that wants nothing to hold asks what else there is to know.
    inform_at: Instant,
    /// How long it is switched off once it has given everything back.
    rests_for: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Power {
    On,
    Off { until: Instant },
}

impl Client {
    /// One that is switched on then.
    pub fn new(number: usize, plan: &Plan, now: Instant, on_at: Instant) -> Self {
        let its = plan.topology.clients[number].clone();
        let deeds = chance(plan.seed, &format!("deeds of client {number}"));
        let clock = Clock::new(now);
        Self {
            number,
            link: its.link,
            links: plan.topology.links,
            servers: plan.topology.servers.len() as u64,
            duid: addresses::client_id(its.identity),
            chance: chance(plan.seed, &format!("client {number}")),
            diary: Diary::new(&plan.load.habits, deeds, on_at, now + plan.safety),
            power: Power::Off { until: clock.now(on_at).instant },
            clock,
            plan: its,
            held: Held::default(),
            exchange: None,
            solicit_at: Instant::default(),
            inform_at: Instant::default(),
            rests_for: None,
        }
    }

    /// Who it is.
    pub fn id(&self) -> NodeId {
        NodeId::Client(self.number)
    }

    /// What it is known by; perhaps another one is, too.
    pub fn duid(&self) -> &Duid {
        &self.duid
    }

    /// What it holds.
    pub fn held(&self) -> &[HeldLease] {
        self.held.leases()
    }

    /// The server that it holds it from.
    pub fn server(&self) -> Option<&Duid> {
        self.held.server()
    }

    /// Every association that it wants something in.
    pub fn wants(&self) -> impl Iterator<Item = (IaKind, Iaid)> + use<> {
        let of = |kind, count| (0..count).map(move |number| (kind, Iaid(number)));
        of(IaKind::Prefix, self.plan.prefixes).chain(of(IaKind::Address, self.plan.addresses))
    }

    /// The associations in which it wants something and has nothing.
    pub fn lacks(&self) -> impl Iterator<Item = (IaKind, Iaid)> {
        self.wants().filter(|(kind, iaid)| self.held.of(*kind, *iaid).next().is_none())
    }

    /// Whether it is switched on.
    pub fn is_on(&self) -> bool {
        self.power == Power::On
    }

    /// Sends the message of its exchange.
    fn send(&self, now: Instant, out: &mut Outbox) {
        let Some(exchange) = &self.exchange else { return };
        let signature = Signature { client: &self.duid, rapid_commit: self.plan.rapid_commit };
        out.send(Outgoing {
            interface: INTERFACE,
            source_port: CLIENT_PORT,
            destination: ALL_RELAYS_AND_SERVERS,
            destination_port: SERVER_PORT,
            octets: exchange.message(&signature, now),
        });
    }
}

impl Node for Client {
    fn receive(&mut self, _interface: u32, datagram: &Datagram, now: Instant, out: &mut Outbox) {
        let now = self.clock.now(now).instant;
        let Some(exchange) = self.exchange.as_ref().filter(|_| self.is_on()) else { return };
        if let Some(answer) = Answer::read(&datagram.octets, &self.duid, exchange.transaction) {
            self.hear(answer, now, out);
        }
    }

    fn wake(&mut self, now: Instant, out: &mut Outbox) {
        let own = self.clock.now(now).instant;
        while let Some(deed) = self.diary.due(now) {
            self.suffer(deed, own, out);
        }
        self.step(own, out);
    }

    fn deadline(&self) -> Option<Instant> {
        let own = self.clock.when(self.next_look());
        Some(self.diary.deadline().map_or(own, |deed| deed.min(own)))
    }
}
