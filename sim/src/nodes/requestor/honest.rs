//! A requestor that keeps to the standard: it asks, hears what it is told, and asks again what was not answered.

use std::collections::BTreeMap;
use std::rc::Rc;

use requestor::{Asker, DatagramQuery, Event, Outcome};
use wire::SERVER_PORT;
use world::{Chance, Instant};

use super::curiosity::Curiosity;
use super::errand::Errand;
use super::talk::{Ended, Talk, understood};
use super::{INTERFACE, server_address};
use crate::nodes::NodeId;
use crate::plan::{RequestorPlan, Ways, addresses, happens};
use crate::universe::{Datagram, Ending, Observed, Outbox, Outgoing, StreamId, Via};

/// Undertakings at once: when so many are open nothing new is begun.
const MOST_ERRANDS: usize = 16;
/// The first port that it asks from over UDP.
const FIRST_PORT: u16 = 20_000;

/// What it does and waits for.
#[derive(Debug)]
pub(super) struct Honest {
    number: usize,
    plan: RequestorPlan,
    ways: Ways,
    curiosity: Curiosity,
    chance: Chance,
    talks: BTreeMap<StreamId, Talk>,
    datagrams: BTreeMap<u16, (DatagramQuery, Errand)>,
    next_port: u16,
    /// What is to be asked anew.
    again: Vec<Errand>,
    act_at: Instant,
}

impl Honest {
    pub(super) fn new(
        number: usize,
        plan: &RequestorPlan,
        ways: Ways,
        curiosity: Curiosity,
        chance: Chance,
        now: Instant,
    ) -> Self {
        Self {
            number,
            plan: plan.clone(),
            ways,
            curiosity,
            chance,
            talks: BTreeMap::new(),
            datagrams: BTreeMap::new(),
            next_port: FIRST_PORT,
            again: Vec::new(),
            act_at: now + plan.pause,
        }
    }

    pub(super) fn open_errands(&self) -> usize {
        self.again.len() + self.datagrams.len() + self.talks.values().map(Talk::open).sum::<usize>()
    }

    fn server(&mut self) -> usize {
        self.chance.below(self.curiosity.servers as u64) as usize
    }

    /// Begins something new.
    fn act(&mut self, now: Instant, out: &mut Outbox) {
        if self.open_errands() >= MOST_ERRANDS {
            return;
        }
        let question = self.curiosity.question(&mut self.chance);
        let server = self.server();
        let errand = Errand::new(question, server, now);
        let can_use_udp = !errand.question.query_type().is_bulk_only();
        if can_use_udp && happens(&mut self.chance, self.ways.over_udp, 10) {
            return self.ask_over_udp(errand, now, out);
        }
        let asked = if self.ways.asks_all { 0..self.curiosity.servers } else { server..server + 1 };
        for server in asked {
            let more = (1..self.plan.questions_at_once)
                .map(|_| Errand::new(self.curiosity.question(&mut self.chance), server, now));
            let first = Errand::new(errand.question.clone(), server, now);
            let errands = [first].into_iter().chain(more).collect();
            self.ask_over_stream(server, errands, now, out);
        }
    }

    /// On a connection that is there, or on a new one.
    fn ask_over_stream(&mut self, server: usize, errands: Vec<Errand>, now: Instant, out: &mut Outbox) {
        let to_server = self.talks.values_mut().filter(|talk| talk.server == server);
        let to_server: Vec<&mut Talk> = to_server.collect();
        if to_server.len() < self.plan.connections {
            let stream = out.dial(addresses::requestor(self.number), server_address(server));
            // What is asked anew does not breed more.
            let is_new = errands.iter().any(|errand| errand.attempts == 0);
            let more = if is_new { self.ways.asks_more } else { 0 };
            self.talks.insert(stream, Talk::dialled(server, stream, errands, more));
            return;
        }
        let at = self.chance.below(to_server.len() as u64) as usize;
        let talk = to_server.into_iter().nth(at).expect("there is one");
        let left: Vec<Errand> =
            errands.into_iter().filter_map(|errand| talk.ask(errand, self.number, now, out)).collect();
        self.again.extend(left);
    }

    fn ask_over_udp(&mut self, errand: Errand, now: Instant, out: &mut Outbox) {
        let asker = Asker { client_id: addresses::requestor_id(self.number), server_id: None };
        let chance = Chance::from_seed(self.chance.next_u64());
        let query = DatagramQuery::new(errand.question.clone(), asker, chance, now);
        let query = query.expect("a short question that can be asked over UDP");
        let (node, port) = (NodeId::Requestor(self.number), self.next_port);
        let question = Rc::new(errand.question.clone());
        let via = Via::Datagram(node, port);
        out.observe(Observed::Asked(node, NodeId::Server(errand.server), via, query.id(), question));
        self.datagrams.insert(port, (query, errand));
        self.next_port = self.next_port.checked_add(1).unwrap_or(FIRST_PORT);
        self.with_datagrams(port, now, out, |query, sink| {
            query.tick(now, &mut |e| sink(e)).map(<[u8]>::to_vec)
        });
    }

    /// Lets a question do something; sends what it wants to send.
    fn with_datagrams(
        &mut self,
        port: u16,
        now: Instant,
        out: &mut Outbox,
        work: impl FnOnce(&mut DatagramQuery, &mut dyn FnMut(Event<'_>)) -> Option<Vec<u8>>,
    ) {
        let Some((query, errand)) = self.datagrams.get_mut(&port) else { return };
        let node = NodeId::Requestor(self.number);
        let via = Via::Datagram(node, port);
        let mut ended = None;
        let to_send = work(query, &mut |event| match event {
            Event::Client { query, client } => {
                out.observe(Observed::Understood(node, via, query, Rc::new(understood(client))));
            }
            Event::Finished { query, outcome } => {
                out.observe(Observed::QuestionEnded(node, via, query, outcome.clone()));
                ended = Some(outcome);
            }
        });
        if let Some(octets) = to_send {
            let destination = server_address(errand.server);
            let (source_port, destination_port) = (port, SERVER_PORT);
            out.send(Outgoing { interface: INTERFACE, source_port, destination, destination_port, octets });
        }
        if let Some(outcome) = ended {
            let (_, errand) = self.datagrams.remove(&port).expect("it is there");
            self.conclude(Ended { errand, outcome }, now);
        }
    }

    fn conclude(&mut self, ended: Ended, now: Instant) {
        let Ended { errand, outcome } = ended;
        self.again.extend(errand.after(&outcome, &mut self.chance, now));
    }

    /// Lets a connection do something, and sees to what has come of it.
    fn with_talk(
        &mut self,
        stream: StreamId,
        now: Instant,
        out: &mut Outbox,
        work: impl FnOnce(&mut requestor::BulkConnection, &mut dyn FnMut(Event<'_>)),
    ) {
        let Some(talk) = self.talks.get_mut(&stream) else { return };
        let (ended, heard_before) = (talk.with(self.number, now, out, work), talk.heard);
        for Ended { errand, outcome } in ended {
            let is_good = !matches!(outcome, Outcome::Incomplete(_)) && self.open_errands() < MOST_ERRANDS;
            let talk = self.talks.get_mut(&stream).expect("it is there");
            if is_good && talk.more > 0 {
                talk.more -= 1;
                let next = Errand::new(self.curiosity.question(&mut self.chance), talk.server, now);
                self.again.extend(talk.ask(next, self.number, now, out));
            }
            self.conclude(Ended { errand, outcome }, now);
        }
        let hangs_up = self.ways.hangs_up && heard_before > 0 && happens(&mut self.chance, 1, 20);
        self.part(stream, hangs_up, now, out);
    }

    /// Closes a connection if it is time to.
    fn part(&mut self, stream: StreamId, hangs_up: bool, now: Instant, out: &mut Outbox) {
        let is_over = |talk: &Talk| talk.is_over(self.ways.keeps_for, now);
        if (hangs_up || self.talks.get(&stream).is_some_and(is_over))
            && let Some(talk) = self.talks.remove(&stream)
        {
            self.ask_again(talk.hang_up(self.number, out), now);
        }
    }

    fn ask_again(&mut self, errands: Vec<Errand>, now: Instant) {
        for errand in errands {
            self.again.extend(errand.again(&mut self.chance, now));
        }
    }
}

/// What the universe does with it.
impl Honest {
    pub(super) fn receive(&mut self, datagram: &Datagram, now: Instant, out: &mut Outbox) {
        self.with_datagrams(datagram.destination_port, now, out, |query, sink| {
            query.receive(&datagram.octets, now, &mut |event| sink(event));
            query.tick(now, &mut |event| sink(event)).map(<[u8]>::to_vec)
        });
    }

    pub(super) fn wake(&mut self, now: Instant, out: &mut Outbox) {
        for stream in self.talks.keys().copied().collect::<Vec<_>>() {
            self.talks.get_mut(&stream).expect("it is there").wake(now);
            self.with_talk(stream, now, out, |talk, sink| talk.tick(now, &mut |event| sink(event)));
        }
        for port in self.datagrams.keys().copied().collect::<Vec<_>>() {
            self.with_datagrams(port, now, out, |query, sink| {
                query.tick(now, &mut |event| sink(event)).map(<[u8]>::to_vec)
            });
        }
        let (due, later) = std::mem::take(&mut self.again).into_iter().partition(|errand| errand.due <= now);
        self.again = later;
        let due: Vec<Errand> = due;
        for errand in due {
            self.ask_over_stream(errand.server, vec![errand], now, out);
        }
        if self.act_at <= now {
            self.act_at = now + self.plan.pause;
            self.act(now, out);
        }
    }

    pub(super) fn deadline(&self) -> Instant {
        let of_talks = self.talks.values().filter_map(|talk| talk.deadline(self.ways.keeps_for));
        let of_datagrams = self.datagrams.values().filter_map(|(query, _)| query.next_deadline());
        let of_errands = self.again.iter().map(|errand| errand.due);
        of_talks
            .chain(of_datagrams.map(|deadline| deadline.at))
            .chain(of_errands)
            .fold(self.act_at, Instant::min)
    }

    pub(super) fn connected(&mut self, stream: StreamId, now: Instant, out: &mut Outbox) {
        if let Some(talk) = self.talks.get_mut(&stream) {
            talk.connected(self.number, &mut self.chance, now, out);
        }
    }

    pub(super) fn wants_octets(&self, stream: StreamId) -> bool {
        self.talks.get(&stream).is_some_and(Talk::wants_octets)
    }

    pub(super) fn hear(&mut self, stream: StreamId, octets: &[u8], now: Instant, out: &mut Outbox) {
        self.with_talk(stream, now, out, |talk, sink| talk.receive(octets, now, &mut |event| sink(event)));
        if let (Some(pause), Some(talk)) = (self.ways.reads_every, self.talks.get_mut(&stream)) {
            talk.pause(now + pause);
        }
    }

    pub(super) fn ended(&mut self, stream: StreamId, ending: Ending, now: Instant, out: &mut Outbox) {
        if ending == Ending::Refused {
            if let Some(talk) = self.talks.remove(&stream) {
                self.ask_again(talk.hang_up(self.number, out), now);
            }
            return;
        }
        self.with_talk(stream, now, out, |talk, sink| talk.peer_closed(&mut |event| sink(event)));
    }

    pub(super) fn output(&self, stream: StreamId) -> &[u8] {
        self.talks.get(&stream).map_or(&[], Talk::output)
    }

    pub(super) fn wrote(&mut self, stream: StreamId, octets: usize, now: Instant) {
        if let Some(talk) = self.talks.get_mut(&stream) {
            talk.wrote(octets, now);
        }
    }

    pub(super) fn wants_half_close(&self, _stream: StreamId) -> bool {
        false
    }

    pub(super) fn wants_close(&self, stream: StreamId) -> bool {
        !self.talks.contains_key(&stream)
    }
}
