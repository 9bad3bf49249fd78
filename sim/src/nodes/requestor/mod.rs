//! A requestor: it asks servers what they hold, over streams, one question or several at a time.

use std::collections::BTreeMap;

use requestor::{Asker, BulkConnection, Event, Question};
use world::{Chance, Instant};

use super::{Node, NodeId};
use crate::plan::{RequestorPlan, Topology, addresses};
use crate::universe::{Clock, Datagram, Ending, Observed, Outbox, StreamId, Via};

/// A requestor.
#[derive(Debug)]
pub struct Requestor {
    number: usize,
    plan: RequestorPlan,
    servers: usize,
    links: u16,
    clock: Clock,
    chance: Chance,
    talks: BTreeMap<StreamId, BulkConnection>,
    dialled: Option<StreamId>,
    act_at: Instant,
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
        Self {
            number,
            plan: plan.clone(),
            servers: topology.servers.len(),
            links: topology.links,
            clock: Clock::new(now),
            chance,
            talks: BTreeMap::new(),
            dialled: None,
            act_at: now + plan.pause,
        }
    }

    /// Who it is.
    pub fn id(&self) -> NodeId {
        NodeId::Requestor(self.number)
    }

    fn question(&mut self) -> Question {
        let link = 1 + self.chance.below(self.links.into()) as u16;
        Question::by_link(addresses::on_link(link, 0)).expect("a link")
    }

    /// Lets a connection do something, and sees what has come of it.
    fn with(
        &mut self,
        stream: StreamId,
        out: &mut Outbox,
        work: impl FnOnce(&mut BulkConnection, &mut dyn FnMut(Event<'_>)),
    ) {
        let id = self.id();
        let Some(talk) = self.talks.get_mut(&stream) else { return };
        work(talk, &mut |event| {
            if let Event::Finished { query, outcome } = event {
                out.observe(Observed::QuestionEnded(id, Via::Stream(stream), query, outcome));
            }
        });
        if talk.is_idle() || talk.ended().is_some() {
            self.talks.remove(&stream);
            self.dialled = None;
        }
    }
}

impl Node for Requestor {
    fn receive(&mut self, _interface: u32, _datagram: &Datagram, _now: Instant, _out: &mut Outbox) {}

    fn wake(&mut self, now: Instant, out: &mut Outbox) {
        let own = self.clock.now(now).instant;
        for stream in self.talks.keys().copied().collect::<Vec<_>>() {
            self.with(stream, out, |talk, sink| talk.tick(own, &mut |event| sink(event)));
        }
        if self.act_at <= now {
            self.act_at = now + self.plan.pause;
            if self.dialled.is_none() {
                let server = self.chance.below(self.servers as u64) as usize;
                let stream = out.dial(addresses::requestor(self.number), addresses::server(server));
                self.dialled = Some(stream);
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let of_talks = self.talks.values().filter_map(|talk| talk.next_deadline());
        let of_talks = of_talks.map(|deadline| self.clock.when(deadline.at)).min();
        of_talks.into_iter().chain([self.act_at]).min()
    }

    fn connected(&mut self, stream: StreamId, now: Instant, _out: &mut Outbox) {
        let own = self.clock.now(now).instant;
        let asker = Asker { client_id: addresses::requestor_id(self.number), server_id: None };
        let mut talk = BulkConnection::new(asker, &mut self.chance, own);
        for _ in 0..self.plan.questions_at_once {
            talk.ask(&self.question(), own).expect("a short question");
        }
        self.talks.insert(stream, talk);
    }

    fn wants_octets(&self, stream: StreamId) -> bool {
        self.talks.contains_key(&stream)
    }

    fn hear(&mut self, stream: StreamId, octets: &[u8], now: Instant, out: &mut Outbox) {
        let own = self.clock.now(now).instant;
        self.with(stream, out, |talk, sink| talk.receive(octets, own, &mut |event| sink(event)));
    }

    fn ended(&mut self, stream: StreamId, ending: Ending, _now: Instant, out: &mut Outbox) {
        if ending == Ending::Refused {
            self.dialled = None;
        }
        self.with(stream, out, |talk, sink| talk.peer_closed(&mut |event| sink(event)));
    }

    fn output(&self, stream: StreamId) -> &[u8] {
        self.talks.get(&stream).map_or(&[], |talk| talk.output())
    }

    fn wrote(&mut self, stream: StreamId, octets: usize, now: Instant, _out: &mut Outbox) {
        let own = self.clock.now(now).instant;
        if let Some(talk) = self.talks.get_mut(&stream) {
            talk.wrote(octets, own);
        }
    }

    fn wants_close(&self, stream: StreamId) -> bool {
        !self.talks.contains_key(&stream)
    }
}
