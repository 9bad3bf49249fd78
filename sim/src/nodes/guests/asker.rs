//! A requestor that asks what it is told to ask, by way of the crate that the program asks with: questions over a
//! stream or by datagrams. What it learns is kept until somebody looks.

use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv6Addr;

use requestor::{
    BulkConnection, ClientData, ClientRecord, DatagramQuery, Event, Lease, Lifetime, Merged, Outcome,
    Question, Resource, SourceId, Warning, Warnings,
};
use wire::{CLIENT_PORT, Duid, OptionCode, SERVER_PORT, Writer};
use world::{Chance, Instant};

use crate::nodes::Node;
use crate::universe::{Clock, Datagram, Ending, Outbox, Outgoing, StreamId};

/// The interface by which it asks.
const INTERFACE: u32 = 100;

/// How it asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Over a stream.
    Stream,
    /// By datagrams.
    Datagrams,
}

/// A requestor.
#[derive(Debug)]
pub struct Asker {
    asker: requestor::Asker,
    clock: Clock,
    chance: Chance,
    waiting: BTreeMap<StreamId, (Ipv6Addr, Vec<Question>)>,
    talks: BTreeMap<StreamId, (Ipv6Addr, BulkConnection)>,
    queries: Vec<(Ipv6Addr, DatagramQuery)>,
    warnings: Warnings,
    /// What it has learnt and nobody has looked at.
    pub learnt: VecDeque<Learnt>,
    /// What all servers together have said.
    pub merged: Merged,
}

/// Something that it has learnt.
#[derive(Debug, Clone)]
pub enum Learnt {
    /// Of a client, as options.
    Client(Vec<u8>),
    /// How a question has ended.
    Finished(String),
    /// Why a connection is over.
    Over(String),
    /// Why it could not ask.
    NotAsked(String),
}

impl Asker {
    /// One that has nothing to ask.
    pub fn new(client_id: Duid, now: Instant) -> Self {
        Self {
            asker: requestor::Asker { client_id, server_id: None },
            clock: Clock::new(now),
            chance: Chance::from_seed(1),
            waiting: BTreeMap::new(),
            talks: BTreeMap::new(),
            queries: Vec::new(),
            warnings: Warnings::default(),
            learnt: VecDeque::new(),
            merged: Merged::default(),
        }
    }

    /// Asks, on one stream all of these, or each by itself.
    pub fn ask(
        &mut self,
        questions: Vec<Question>,
        way: Way,
        from: Ipv6Addr,
        to: Ipv6Addr,
        now: Instant,
        out: &mut Outbox,
    ) {
        if way == Way::Stream {
            let stream = out.dial(from, to);
            self.waiting.insert(stream, (to, questions));
            return;
        }
        let own = self.clock.now(now).instant;
        for question in questions {
            let chance = Chance::from_seed(self.chance.next_u64());
            match DatagramQuery::new(question, self.asker.clone(), chance, own) {
                Ok(query) => self.queries.push((to, query)),
                Err(error) => self.learnt.push_back(Learnt::NotAsked(error.to_string())),
            }
        }
        self.wake(now, out);
    }

    fn with(
        &mut self,
        stream: StreamId,
        now: Instant,
        work: impl FnOnce(&mut BulkConnection, &mut dyn FnMut(Event<'_>)),
    ) {
        let own = self.clock.now(now).instant;
        let Self { talks, learnt, merged, warnings, .. } = self;
        let Some((server, talk)) = talks.get_mut(&stream) else { return };
        let server = *server;
        work(talk, &mut |event| take_in(&event, server, own, learnt, merged));
        if let Some(gap) = talk.ended() {
            warnings.absorb(talk.warnings());
            self.talks.remove(&stream);
            self.learnt.push_back(Learnt::Over(gap.to_string()));
        }
    }

    /// How often this has been odd.
    pub fn odd(&self, warning: Warning) -> u64 {
        let of_talks = self.talks.values().map(|(_, talk)| talk.warnings().count(warning));
        let of_queries = self.queries.iter().map(|(_, query)| query.warnings().count(warning));
        self.warnings.count(warning) + of_talks.chain(of_queries).sum::<u64>()
    }

    /// What all servers together have said of a client, as options.
    pub fn known(&self, client: &[u8], now: Instant) -> Vec<u8> {
        let own = self.clock.now(now).instant;
        let mut octets = Vec::new();
        let mut writer = Writer::new(&mut octets);
        for (_, leases) in self.merged.clients().filter(|(duid, _)| duid.octets() == client) {
            for merged in leases {
                let left = |lifetime: Lifetime| lifetime.left_secs(own);
                let (preferred_secs, valid_secs) = (left(merged.lease.preferred), left(merged.lease.valid));
                let lease = Lease { resource: merged.lease.resource, preferred_secs, valid_secs };
                write_lease(&lease, &mut writer);
            }
        }
        writer.finish().expect("it came in messages");
        octets
    }
}

fn take_in(
    event: &Event<'_>,
    server: Ipv6Addr,
    now: Instant,
    learnt: &mut VecDeque<Learnt>,
    merged: &mut Merged,
) {
    match event {
        Event::Client { client, .. } => {
            merged.add(SourceId(usize::from(server.segments()[7])), ClientRecord::new(client, now));
            learnt.push_back(Learnt::Client(options_of(client)));
        }
        Event::Finished { outcome, .. } => learnt.push_back(Learnt::Finished(in_words(outcome))),
    }
}

/// What is told of a client, as options: its leases as they are believed, and the relay next to it.
fn options_of(client: &ClientData<'_>) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut writer = Writer::new(&mut octets);
    writer.raw_option(OptionCode::CLIENTID, client.client_id.octets());
    client.leases().for_each(|lease| write_lease(&lease, &mut writer));
    if let Some(secs) = client.last_heard_secs {
        writer.option(OptionCode::CLT_TIME, |w| w.u32(secs));
    }
    if let Some(path) = client.relay_path {
        writer.option(OptionCode::LQ_RELAY_DATA, |w| {
            w.address(path.source_address());
            path.innermost().encode(w);
        });
    }
    writer.finish().expect("it came in a message");
    octets
}

fn write_lease(lease: &Lease, writer: &mut Writer<'_>) {
    match lease.resource {
        Resource::Address(address) => writer.ia_address(address, lease.preferred_secs, lease.valid_secs),
        Resource::Prefix(prefix) => {
            writer.ia_prefix(prefix, lease.preferred_secs, lease.valid_secs, |_| {});
        }
    }
}

fn in_words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done => "done".to_owned(),
        Outcome::Empty => "empty".to_owned(),
        Outcome::Refused(refusal) => format!("refused {}", refusal.code),
        Outcome::Partial(refusal) => format!("partial {}", refusal.code),
        Outcome::Incomplete(gap) => format!("incomplete: {gap}"),
    }
}

impl Node for Asker {
    fn receive(&mut self, _interface: u32, datagram: &Datagram, now: Instant, out: &mut Outbox) {
        let own = self.clock.now(now).instant;
        let Self { queries, learnt, merged, .. } = self;
        for (server, query) in queries.iter_mut().filter(|(server, _)| *server == datagram.source) {
            let server = *server;
            query.receive(&datagram.octets, own, &mut |event| take_in(&event, server, own, learnt, merged));
        }
        self.wake(now, out);
    }

    fn wake(&mut self, now: Instant, out: &mut Outbox) {
        let own = self.clock.now(now).instant;
        for stream in self.talks.keys().copied().collect::<Vec<_>>() {
            self.with(stream, now, |talk, sink| talk.tick(own, &mut |event| sink(event)));
        }
        let Self { queries, learnt, merged, warnings, .. } = self;
        for (to, query) in queries.iter_mut() {
            let server = *to;
            let octets = query.tick(own, &mut |event| take_in(&event, server, own, learnt, merged));
            if let Some(octets) = octets {
                out.send(Outgoing {
                    interface: INTERFACE,
                    source_port: CLIENT_PORT,
                    destination: *to,
                    destination_port: SERVER_PORT,
                    octets: octets.to_vec(),
                });
            }
        }
        queries.retain(|(_, query)| {
            let is_open = query.next_deadline().is_some();
            if !is_open {
                warnings.absorb(query.warnings());
            }
            is_open
        });
    }

    fn deadline(&self) -> Option<Instant> {
        let of_talks = self.talks.values().filter_map(|(_, talk)| talk.next_deadline());
        let of_queries = self.queries.iter().filter_map(|(_, query)| query.next_deadline());
        of_talks.chain(of_queries).map(|deadline| self.clock.when(deadline.at)).min()
    }

    fn connected(&mut self, stream: StreamId, now: Instant, _out: &mut Outbox) {
        let own = self.clock.now(now).instant;
        let mut talk = BulkConnection::new(self.asker.clone(), &mut self.chance, own);
        let Some((server, questions)) = self.waiting.remove(&stream) else { return };
        for question in questions {
            if let Err(error) = talk.ask(&question, own) {
                self.learnt.push_back(Learnt::NotAsked(error.to_string()));
            }
        }
        self.talks.insert(stream, (server, talk));
    }

    fn wants_octets(&self, stream: StreamId) -> bool {
        self.talks.contains_key(&stream)
    }

    fn hear(&mut self, stream: StreamId, octets: &[u8], now: Instant, _out: &mut Outbox) {
        let own = self.clock.now(now).instant;
        self.with(stream, now, |talk, sink| talk.receive(octets, own, &mut |event| sink(event)));
    }

    fn ended(&mut self, stream: StreamId, ending: Ending, now: Instant, _out: &mut Outbox) {
        if ending == Ending::Refused {
            self.learnt.push_back(Learnt::NotAsked("cannot connect".to_owned()));
        }
        self.with(stream, now, |talk, sink| talk.peer_closed(&mut |event| sink(event)));
    }

    fn output(&self, stream: StreamId) -> &[u8] {
        self.talks.get(&stream).map_or(&[], |(_, talk)| talk.output())
    }

    fn wrote(&mut self, stream: StreamId, octets: usize, now: Instant, _out: &mut Outbox) {
        let own = self.clock.now(now).instant;
        if let Some((_, talk)) = self.talks.get_mut(&stream) {
            talk.wrote(octets, own);
        }
    }

    fn wants_close(&self, stream: StreamId) -> bool {
        !self.talks.contains_key(&stream)
    }
}
