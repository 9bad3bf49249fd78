//! A server's program while it runs: all that is lost when it is killed.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;
use std::time::Duration;

use lease::{ClientKey, InTurn, LinkId, Links, Records, Table};
use server::assign::Assigner;
use server::exchange::{Announced, Destination, Exchanges, NotReconfigured, Recipient, Step};
use server::leasequery::{Admission, Policy, RateLimit, datagram};
use server::{Arrived, Batch, Counters, Discard, Holdings, Journal};
use store::{Change, CommitError, MemoryStore, Store};
use wire::{CLIENT_PORT, MessageType, SERVER_PORT};
use world::{Instant, Now};

use super::Burden;
use super::setup::Setup;
use super::talk::{Desk, Talk};
use crate::faults::disk;
use crate::nodes::NodeId;
use crate::nodes::disk::{Disk, Fate};
use crate::nodes::settling::IN_CORE;
use crate::universe::{Datagram, Ending, Observed, Outbox, Outgoing, StreamId, Via};

/// How often it is looked whether a lease has run out.
const EXPIRY_INTERVAL: Duration = Duration::from_secs(1);
/// Clients whose leases are ended at once; so few that there is more to do now and then.
const EXPIRY_BATCH: usize = 2;
/// How long a commit takes, as on a disk that is neither fast nor slow.
const COMMIT_TIME: Duration = Duration::from_millis(4);
/// How long connections may take to say goodbye when the server stops, as in the program.
const FAREWELL: Duration = Duration::from_secs(5);

/// The program.
#[derive(Debug)]
pub(super) struct Process {
    node: NodeId,
    pub(super) holdings: Holdings,
    pub(super) talks: BTreeMap<StreamId, Talk>,
    pub(super) policy: Policy,
    exchanges: Exchanges,
    rate: RateLimit,
    admission: Admission,
    pub(super) counters: Counters,
    journal: Journal<Outgoing>,
    commit: Option<Commit>,
    interfaces: Vec<(u32, String)>,
    expiry_at: Instant,
    /// It stops then at the latest.
    stops_at: Option<Instant>,
    /// What has happened since it was asked last.
    seen: Vec<Observed>,
}

/// A commit that is under way.
#[derive(Debug)]
struct Commit {
    batch: Batch<Outgoing>,
    done_at: Instant,
    fate: Fate,
}

impl Process {
    pub(super) fn start(
        node: NodeId,
        setup: &Setup,
        store: &MemoryStore,
        secret: [u64; 2],
        now: Now,
    ) -> Self {
        let mut records = Records::default();
        let loaded = store.load(&mut |_, image| records.push(image).map_err(Into::into));
        loaded.expect("what was committed can be read");
        let table = Table::load(records, &InTurn).expect("the store holds nothing twice");
        let journal = Journal::new(table.last_seq());
        let holdings = Holdings { table, links: Links::new(setup.links.clone()) };
        Self {
            node,
            exchanges: exchanges(setup, secret, &holdings),
            holdings,
            talks: BTreeMap::new(),
            policy: setup.policy.clone(),
            rate: RateLimit::new(setup.rate.0, setup.rate.1),
            admission: Admission::default(),
            counters: Counters::default(),
            journal,
            commit: None,
            interfaces: setup.interfaces.clone(),
            expiry_at: now.instant,
            stops_at: None,
            seen: Vec::new(),
        }
    }

    /// Begins to stop: says goodbye on every stream, answers nobody else, and ends when all that is said.
    pub(super) fn stop(&mut self, now: Now) {
        self.stops_at.get_or_insert(now.instant + FAREWELL);
        self.work(now);
    }

    /// Whether it has stopped in good order: everybody is gone or has had their time, and all is durable.
    pub(super) fn has_stopped(&self, now: Now) -> bool {
        let is_silent = self.talks.is_empty() || self.stops_at.is_some_and(|at| at <= now.instant);
        self.stops_at.is_some() && is_silent && self.commit.is_none() && self.journal.is_empty()
    }

    /// What others have it hold.
    pub(super) fn burden(&self) -> Burden {
        Burden {
            limits: self.policy.bulk.clone(),
            connections: self.admission.connections(),
            queries: self.talks.values().map(Talk::queries).max().unwrap_or_default(),
            output_octets: self.talks.values().map(Talk::output_octets).max().unwrap_or_default(),
        }
    }

    /// What has happened since it was asked last.
    pub(super) fn take_seen(&mut self) -> Vec<Observed> {
        std::mem::take(&mut self.seen)
    }

    pub(super) fn reload(&mut self, setup: &Setup, secret: [u64; 2], now: Now, out: &mut Outbox) {
        self.holdings.links = Links::new(setup.links.clone());
        let mut next = exchanges(setup, secret, &self.holdings);
        next.carry_on(&mut self.exchanges);
        self.exchanges = next;
        self.policy = setup.policy.clone();
        self.gather(Vec::new(), now, out);
    }

    /// When there is something to do.
    pub(super) fn deadline(&self) -> Instant {
        let of_commit = self.commit.as_ref().map(|commit| commit.done_at);
        let durable = self.journal.durable();
        let of_talks = self.talks.values().filter_map(|talk| talk.deadline(&self.policy, durable));
        let of_stop = self.stops_at.filter(|_| self.commit.is_none());
        let of_reconfigure = self.exchanges.next_reconfigure();
        of_talks.chain(of_commit).chain(of_stop).chain(of_reconfigure).fold(self.expiry_at, Instant::min)
    }

    /// Does what is due. An error is the end.
    pub(super) fn wake(&mut self, now: Now, disk: &mut Disk, out: &mut Outbox) -> Result<(), CommitError> {
        if self.commit.as_ref().is_some_and(|commit| commit.done_at <= now.instant) {
            let released = self.finish_commit(disk)?;
            released.into_iter().for_each(|outgoing| out.send(outgoing));
            self.gather(Vec::new(), now, out);
        }
        if self.expiry_at <= now.instant {
            let ended = self.exchanges.expire(&mut self.holdings, now, EXPIRY_BATCH).len();
            let pause = if ended == EXPIRY_BATCH { Duration::ZERO } else { EXPIRY_INTERVAL };
            self.expiry_at = now.instant + pause;
            self.gather(Vec::new(), now, out);
        }
        self.tell_reconfigure(now, out);
        self.work(now);
        Ok(())
    }

    /// The commit that is under way comes to its end: gives what may leave.
    pub(super) fn finish_commit(&mut self, disk: &mut Disk) -> Result<Vec<Outgoing>, CommitError> {
        let Some(Commit { batch, fate, .. }) = self.commit.take() else { return Ok(Vec::new()) };
        if !batch.images().is_empty() {
            let changes: Vec<Change<'_>> = batch
                .images()
                .iter()
                .map(|image| Change { key: &image.key, image: image.image.as_deref() })
                .collect();
            disk.commit_as(&changes, fate)?;
        }
        self.seen.push(Observed::Committed(self.node, batch.images().len()));
        Ok(self.journal.committed(batch))
    }

    /// Whatever has changed goes into the journal, with what waits for it; and a commit begins if none is
    /// under way.
    fn gather(&mut self, held: Vec<Outgoing>, now: Now, out: &mut Outbox) {
        let (images, latest) = (self.holdings.table.take_batch(), self.holdings.table.last_seq());
        if !images.is_empty() {
            self.seen.push(Observed::Changed(self.node, images.as_slice().into()));
        }
        self.journal.put(images, latest, held);
        if self.commit.is_none() && !self.journal.is_empty() {
            let (delay, fate) = disk::befall_commit(out);
            let (batch, done_at) = (self.journal.take(), now.instant + COMMIT_TIME + delay);
            self.commit = Some(Commit { batch, done_at, fate });
        }
    }
}

/// Reconfigure.
impl Process {
    /// An operator has a client told to send something.
    pub(super) fn reconfigure(
        &mut self,
        key: ClientKey,
        announced: Announced,
        now: Now,
        out: &mut Outbox,
    ) -> Result<(), NotReconfigured> {
        self.exchanges.reconfigure(key, announced, &mut self.holdings, now)?;
        self.gather(Vec::new(), now, out);
        Ok(())
    }

    /// What is due by now waits for its commit, as answers do.
    fn tell_reconfigure(&mut self, now: Now, out: &mut Outbox) {
        if self.exchanges.next_reconfigure().is_none_or(|at| now.instant < at) {
            return;
        }
        let steps = self.exchanges.reconfigure_due(&self.holdings, now, usize::MAX);
        let held = steps.into_iter().filter_map(|due| match due.step {
            Step::Send { to: Destination::Relay(relay), octets, .. } => Some(Outgoing {
                interface: IN_CORE,
                source_port: SERVER_PORT,
                destination: relay,
                destination_port: SERVER_PORT,
                octets,
            }),
            Step::Send { to: Destination::Client(address), octets, .. } => Some(Outgoing {
                interface: self.interface_on(due.key.link)?,
                source_port: SERVER_PORT,
                destination: address,
                destination_port: CLIENT_PORT,
                octets,
            }),
            Step::GivenUp | Step::Ended(_) => None,
        });
        let held: Vec<Outgoing> = held.collect();
        self.gather(held, now, out);
    }

    fn interface_on(&self, link: LinkId) -> Option<u32> {
        let patterns = &self.holdings.links.by_id(link)?.interfaces;
        let is_on_link = |name: &str| patterns.iter().any(|pattern| pattern.matches(name));
        self.interfaces.iter().find(|(_, name)| is_on_link(name)).map(|(number, _)| *number)
    }
}

/// Datagrams.
impl Process {
    pub(super) fn receive(&mut self, interface: u32, datagram: &Datagram, now: Now, out: &mut Outbox) {
        if self.stops_at.is_some() {
            return;
        }
        if let Err(discard) = self.answer(interface, datagram, now, out) {
            self.counters.discard(discard);
        }
    }

    fn answer(
        &mut self,
        interface: u32,
        datagram: &Datagram,
        now: Now,
        out: &mut Outbox,
    ) -> Result<(), Discard> {
        let names = self.interfaces.iter();
        let name = names.into_iter().find(|(number, _)| *number == interface).map(|(_, name)| name.clone());
        let Datagram { octets, source, destination, .. } = datagram;
        let arrived = Arrived::decode(octets, *source, *destination, name.as_deref())?;
        if arrived.message.message_type == MessageType::LeaseQuery {
            return self.leasequery(&arrived, interface, datagram, now, out);
        }
        let mut answer = Vec::new();
        let answered = self.exchanges.answer(&arrived, &mut self.holdings, now, &mut answer)?;
        let port = match answered.recipient {
            Recipient::Client => CLIENT_PORT,
            Recipient::Relay => SERVER_PORT,
            Recipient::RelayAtItsPort => datagram.source_port,
        };
        let outgoing = back(interface, datagram, port, answer);
        if answered.speaks_of_bindings {
            self.gather(vec![outgoing], now, out);
        } else {
            out.send(outgoing);
            self.gather(Vec::new(), now, out);
        }
        self.work(now);
        Ok(())
    }

    fn leasequery(
        &mut self,
        arrived: &Arrived<'_>,
        interface: u32,
        datagram: &Datagram,
        now: Now,
        out: &mut Outbox,
    ) -> Result<(), Discard> {
        if !self.rate.permits(datagram.source, now.instant) {
            return Err(Discard::TooFast);
        }
        let mut answer = Vec::new();
        datagram::answer(arrived, &self.policy, &self.holdings, now, &mut answer)?;
        let via = Via::Datagram(datagram.sender, datagram.source_port);
        self.seen.push(Observed::Made(self.node, via, answer.as_slice().into()));
        self.gather(vec![back(interface, datagram, datagram.source_port, answer)], now, out);
        Ok(())
    }
}

/// Streams.
impl Process {
    /// Whether anybody listens. Who is not permitted, or comes when there are too many, is turned away: the
    /// stream is there, and closed at once.
    pub(super) fn accept(&mut self, stream: StreamId, from: Ipv6Addr, now: Now) -> bool {
        if self.stops_at.is_some() {
            return false;
        }
        let permitted = self.policy.access.permits_source(from);
        let entry = permitted.then(|| self.admission.open(from, &self.policy.bulk, now.instant)).flatten();
        let Some(entry) = entry else {
            self.seen.push(Observed::TurnedAway(self.node, stream));
            return true;
        };
        let has_to_go = |talk: &Talk| Some(talk.place()) == entry.displaced;
        let displaced = self.talks.iter().find(|(_, talk)| has_to_go(talk)).map(|(stream, _)| *stream);
        if let Some(displaced) = displaced {
            self.talks.remove(&displaced).expect("it was there").end(&mut self.admission);
            self.seen.push(Observed::TurnedAway(self.node, displaced));
        }
        self.talks.insert(stream, Talk::new(entry.place, from, now));
        true
    }

    pub(super) fn wants_octets(&self, stream: StreamId) -> bool {
        self.talks.get(&stream).is_some_and(Talk::wants_octets)
    }

    pub(super) fn hear(&mut self, stream: StreamId, octets: &[u8], now: Now) {
        if let Some(talk) = self.talks.get_mut(&stream) {
            talk.hear(octets, now);
        }
        self.work(now);
    }

    pub(super) fn ended(&mut self, stream: StreamId, ending: Ending, now: Now) {
        match ending {
            Ending::Closed => _ = self.talks.get_mut(&stream).map(Talk::peer_closed),
            Ending::Reset | Ending::Refused => {
                if let Some(talk) = self.talks.remove(&stream) {
                    talk.end(&mut self.admission);
                }
            }
        }
        self.work(now);
    }

    /// What may be said by now.
    pub(super) fn output(&self, stream: StreamId) -> &[u8] {
        self.talks.get(&stream).map_or(&[], |talk| talk.output(self.journal.durable()))
    }

    pub(super) fn wrote(&mut self, stream: StreamId, octets: usize, now: Now) {
        if let Some(talk) = self.talks.get_mut(&stream) {
            talk.wrote(octets, now);
        }
        self.work(now);
    }

    /// One that is over is closed, and no more.
    pub(super) fn wants_close(&self, stream: StreamId) -> bool {
        !self.talks.contains_key(&stream)
    }

    /// One on which everything has been said.
    pub(super) fn wants_half_close(&self, stream: StreamId) -> bool {
        self.talks.get(&stream).is_some_and(Talk::lingers)
    }

    /// Lets every talk do what it can; those that are over are forgotten.
    fn work(&mut self, now: Now) {
        let Self { node, talks, holdings, policy, admission, counters, journal, seen, stops_at, .. } = self;
        let (durable, is_stopping) = (journal.durable(), stops_at.is_some());
        let mut desk = Desk { policy, holdings, admission, counters, durable, is_stopping, now };
        for (stream, talk) in talks.iter_mut() {
            let (made, left) = talk.work(&mut desk);
            seen.extend(made.map(|octets| Observed::Made(*node, Via::Stream(*stream), octets)));
            seen.extend(left.map(|close| Observed::Left(*node, *stream, close)));
        }
        let over: Vec<StreamId> =
            talks.iter().filter(|(_, talk)| talk.is_over()).map(|(stream, _)| *stream).collect();
        for stream in over {
            talks.remove(&stream).expect("it was there").end(admission);
        }
    }
}

/// An answer to a datagram, by the way that it came.
fn back(interface: u32, datagram: &Datagram, destination_port: u16, octets: Vec<u8>) -> Outgoing {
    Outgoing { interface, source_port: SERVER_PORT, destination: datagram.source, destination_port, octets }
}

fn exchanges(setup: &Setup, secret: [u64; 2], holdings: &Holdings) -> Exchanges {
    let assigner =
        Assigner::new(&holdings.links, setup.reservations.clone(), setup.offer_for, secret, &holdings.table);
    let mut exchanges = Exchanges::new(setup.terms.clone(), assigner);
    exchanges.seed_keys([secret[0] as u8 ^ secret[1] as u8; 32]);
    exchanges
}
