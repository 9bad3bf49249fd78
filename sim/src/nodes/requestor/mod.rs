//! A requestor: it asks servers what they hold, over streams and in datagrams.
//!
//! An honest one (`honest`) uses the library as `leasehold query` and relays do, asks again what was not answered,
//! and makes use of everything that the standard leaves to it. An odd one (`odd`) says what it likes.

mod curiosity;
mod errand;
mod honest;
mod odd;
mod talk;

use std::net::Ipv6Addr;

use world::{Chance, Instant};

use super::{Node, NodeId};
use crate::plan::{Manners, RequestorPlan, Topology};
use crate::universe::{Clock, Datagram, Ending, Outbox, StreamId};
use curiosity::Curiosity;
use honest::Honest;
use odd::Odd;

/// A requestor.
#[derive(Debug)]
pub struct Requestor {
    number: usize,
    /// Its clocks.
    pub clock: Clock,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Honest(Box<Honest>),
    Odd(Box<Odd>),
}

/// Does the same with either kind.
macro_rules! with_kind {
    ($kind:expr, $it:ident => $what:expr) => {
        match $kind {
            Kind::Honest($it) => $what,
            Kind::Odd($it) => $what,
        }
    };
}

impl Requestor {
    /// One that begins at once.
    pub fn new(
        number: usize,
        plan: &RequestorPlan,
        topology: &Topology,
        chance: Chance,
        now: Instant,
    ) -> Self {
        let (clock, curiosity) = (Clock::new(now), Curiosity::of(topology));
        let own = clock.now(now).instant;
        let kind = match &plan.manners {
            Manners::Honest(ways) => {
                Kind::Honest(Box::new(Honest::new(number, plan, ways.clone(), curiosity, chance, own)))
            }
            Manners::Odd => Kind::Odd(Box::new(Odd::new(number, plan, curiosity, chance, own))),
        };
        Self { number, clock, kind }
    }

    /// Who it is.
    pub fn id(&self) -> NodeId {
        NodeId::Requestor(self.number)
    }

    /// Whether it keeps to the standard.
    pub fn is_honest(&self) -> bool {
        matches!(self.kind, Kind::Honest(_))
    }

    /// How much it has undertaken and not ended.
    pub fn open_errands(&self) -> usize {
        match &self.kind {
            Kind::Honest(honest) => honest.open_errands(),
            Kind::Odd(_) => 0,
        }
    }
}

impl Node for Requestor {
    fn receive(&mut self, _interface: u32, datagram: &Datagram, now: Instant, out: &mut Outbox) {
        let own = self.clock.now(now).instant;
        with_kind!(&mut self.kind, it => it.receive(datagram, own, out));
    }

    fn wake(&mut self, now: Instant, out: &mut Outbox) {
        let own = self.clock.now(now).instant;
        with_kind!(&mut self.kind, it => it.wake(own, out));
    }

    fn deadline(&self) -> Option<Instant> {
        Some(self.clock.when(with_kind!(&self.kind, it => it.deadline())))
    }

    fn connected(&mut self, stream: StreamId, now: Instant, out: &mut Outbox) {
        let own = self.clock.now(now).instant;
        with_kind!(&mut self.kind, it => it.connected(stream, own, out));
    }

    fn wants_octets(&self, stream: StreamId) -> bool {
        with_kind!(&self.kind, it => it.wants_octets(stream))
    }

    fn hear(&mut self, stream: StreamId, octets: &[u8], now: Instant, out: &mut Outbox) {
        let own = self.clock.now(now).instant;
        with_kind!(&mut self.kind, it => it.hear(stream, octets, own, out));
    }

    fn ended(&mut self, stream: StreamId, ending: Ending, now: Instant, out: &mut Outbox) {
        let own = self.clock.now(now).instant;
        with_kind!(&mut self.kind, it => it.ended(stream, ending, own, out));
    }

    fn output(&self, stream: StreamId) -> &[u8] {
        with_kind!(&self.kind, it => it.output(stream))
    }

    fn wrote(&mut self, stream: StreamId, octets: usize, now: Instant, _out: &mut Outbox) {
        let own = self.clock.now(now).instant;
        with_kind!(&mut self.kind, it => it.wrote(stream, octets, own));
    }

    fn wants_half_close(&self, stream: StreamId) -> bool {
        with_kind!(&self.kind, it => it.wants_half_close(stream))
    }

    fn wants_close(&self, stream: StreamId) -> bool {
        with_kind!(&self.kind, it => it.wants_close(stream))
    }
}

/// By which interface it is in the core.
const INTERFACE: u32 = 100;

/// Where servers are to be found.
fn server_address(server: usize) -> Ipv6Addr {
    crate::plan::addresses::server(server)
}
