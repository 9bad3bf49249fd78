//! Time, the order of events, and what lies between nodes.
//!
//! One event happens after the other. Each is handed to a node, which says what it wants: that is observed,
//! then befallen by faults, and becomes later events. Nodes never see each other. [`Universe::step`] gives
//! what could be observed in an event, for those who judge.

mod carrying;
mod clock;
mod network;
mod observed;
mod outbox;
mod queue;
mod stream;
mod streaming;
mod trace;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use world::{Chance, Instant};

use crate::faults::{Fault, Faults};
use crate::nodes::{NodeId, Nodes};
use crate::plan::{self, Plan};
use queue::Queue;
use stream::{Side, Stream, Streams};

pub use clock::{Clock, START_UNIX_SECS};
pub use network::{ALL_RELAYS_AND_SERVERS, Attachment, Datagram, Network, Outgoing, Segment};
pub use observed::{Heard, Observed, Via};
pub use outbox::Outbox;
pub use stream::{Ending, StreamId};
pub use trace::Trace;

/// Everybody, and everything between them.
pub struct Universe {
    /// What was decided before the beginning.
    pub plan: Plan,
    /// Everybody.
    pub nodes: Nodes,
    /// Who is attached where.
    pub network: Network,
    /// What goes wrong.
    pub faults: Faults,
    /// What is written down of it all.
    pub trace: Trace,
    now: Instant,
    queue: Queue<Happening>,
    chance: Chance,
    streams: Streams,
    next_stream: StreamId,
    /// When each node is woken next.
    wakes: BTreeMap<NodeId, Instant>,
    /// Pairs that do not hear each other.
    partitions: BTreeSet<(NodeId, NodeId)>,
    /// How many of the next datagrams from one to another are lost.
    condemned: BTreeMap<(NodeId, NodeId), u32>,
    /// What ends troubles that last.
    reliefs: BTreeMap<u64, Relief>,
    next_relief: u64,
    observed: Vec<Observed>,
}

/// Ends a trouble.
type Relief = Box<dyn FnOnce(&mut Universe)>;

/// Something that is going to happen.
enum Happening {
    /// A datagram arrives.
    Arrive { node: NodeId, interface: u32, datagram: Datagram },
    /// A node is woken.
    Wake(NodeId),
    /// A dialled stream reaches who listens.
    Connect { stream: StreamId, from: (NodeId, std::net::Ipv6Addr), to: std::net::Ipv6Addr },
    /// Octets reach an end of a stream.
    Deliver(StreamId, Side),
    /// Something goes wrong that lasts.
    Trouble(Fault),
    /// It is over.
    Relief(u64),
}

impl fmt::Debug for Universe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Universe")
            .field("seed", &self.plan.seed)
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

impl Universe {
    /// Everybody is there, and nothing has happened yet.
    pub fn new(plan: Plan) -> Self {
        let mut universe = Self::empty(plan);
        crate::nodes::settle(&mut universe);
        let ids: Vec<NodeId> = universe.nodes.ids().collect();
        ids.into_iter().for_each(|node| universe.note_deadline(node));
        for fault in Fault::ALL {
            universe.await_trouble(*fault);
        }
        universe
    }

    /// Nobody is there.
    pub fn empty(plan: Plan) -> Self {
        Self {
            nodes: Nodes::default(),
            network: Network::default(),
            faults: Faults::new(&plan.faults, plan.seed),
            trace: Trace::default(),
            now: Instant::default(),
            queue: Queue::default(),
            chance: plan::chance(plan.seed, "latency"),
            streams: Streams::new(),
            next_stream: StreamId::default(),
            wakes: BTreeMap::new(),
            partitions: BTreeSet::new(),
            condemned: BTreeMap::new(),
            reliefs: BTreeMap::new(),
            next_relief: 0,
            observed: Vec::new(),
            plan,
        }
    }

    /// What time it is.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// How many streams are open.
    pub fn open_streams(&self) -> usize {
        self.streams.len()
    }

    /// How much is going to happen.
    pub fn pending(&self) -> usize {
        self.queue.len()
    }

    /// Lets the next thing happen, if it does until then, and gives what could be observed. Without one, it
    /// is that time.
    pub fn step(&mut self, until: Instant) -> Option<Vec<Observed>> {
        let Some((at, happening)) = self.queue.pop_until(until) else {
            self.now = until;
            return None;
        };
        self.now = at;
        match happening {
            Happening::Arrive { node, interface, datagram } => self.arrive(node, interface, datagram),
            Happening::Wake(node) => self.wake(node),
            Happening::Connect { stream, from, to } => self.connect(stream, from, to),
            Happening::Deliver(stream, side) => self.deliver(stream, side),
            // What was to come after all has calmed down does not.
            Happening::Trouble(fault) if self.faults.is_known(fault) => {
                crate::faults::begin(self, fault);
                self.await_trouble(fault);
            }
            Happening::Trouble(_) => {}
            Happening::Relief(number) => self.relieve(number),
        }
        Some(self.take_observed())
    }

    /// What could be observed since it was asked last.
    pub fn take_observed(&mut self) -> Vec<Observed> {
        std::mem::take(&mut self.observed)
    }

    /// Nothing goes wrong any more, and what was wrong is put right.
    pub fn calm(&mut self) {
        self.faults.end();
        for number in self.reliefs.keys().copied().collect::<Vec<_>>() {
            self.relieve(number);
        }
        self.streams.values_mut().for_each(Stream::calm);
        self.observe(Observed::Calm);
        self.wake_streams();
    }

    /// Lets others see something.
    pub fn observe(&mut self, observed: Observed) {
        self.trace.note(self.now, &observed);
        self.observed.push(observed);
    }

    /// Has a trouble end after a while, or when all troubles do.
    pub fn relieve_after(&mut self, after: Duration, relief: impl FnOnce(&mut Self) + 'static) {
        self.reliefs.insert(self.next_relief, Box::new(relief));
        self.queue.push(self.now + after, Happening::Relief(self.next_relief));
        self.next_relief += 1;
    }

    fn relieve(&mut self, number: u64) {
        if let Some(relief) = self.reliefs.remove(&number) {
            relief(self);
        }
    }

    /// Two nodes hear each other no longer, or again.
    pub fn part(&mut self, one: NodeId, other: NodeId, are_parted: bool) {
        for pair in [(one, other), (other, one)] {
            if are_parted {
                self.partitions.insert(pair)
            } else {
                self.partitions.remove(&pair)
            };
        }
    }

    /// So many of the next datagrams from one node to another are lost.
    pub fn condemn(&mut self, from: NodeId, to: NodeId, datagrams: u32) {
        *self.condemned.entry((from, to)).or_default() += datagrams;
    }

    /// Whether the next datagram from one node to another is lost.
    fn is_condemned(&mut self, from: NodeId, to: NodeId) -> bool {
        let left = self.condemned.get_mut(&(from, to)).filter(|left| **left > 0);
        left.map(|left| *left -= 1).is_some()
    }

    /// Whether two nodes do not hear each other.
    fn are_parted(&self, one: NodeId, other: NodeId) -> bool {
        self.partitions.contains(&(one, other))
    }

    fn await_trouble(&mut self, fault: Fault) {
        if let Some(at) = self.faults.next(fault, self.now) {
            self.queue.push(at, Happening::Trouble(fault));
        }
    }

    /// Does something with a node, and carries out what it wants then.
    pub fn with(&mut self, node: NodeId, work: impl FnOnce(&mut Nodes, Instant, &mut Outbox)) {
        let mut out = self.outbox();
        work(&mut self.nodes, self.now, &mut out);
        self.carry_out(node, out);
        self.pump(node);
        self.note_deadline(node);
    }

    /// For one node and one event; `carry_out` takes back what is lent with it.
    fn outbox(&mut self) -> Outbox {
        Outbox { faults: std::mem::take(&mut self.faults), ..Outbox::new(self.next_stream) }
    }

    fn wake(&mut self, node: NodeId) {
        if self.wakes.get(&node) == Some(&self.now) {
            self.wakes.remove(&node);
            self.with(node, |nodes, now, out| nodes.get_mut(node).wake(now, out));
        }
    }

    /// Has a node woken in time.
    fn note_deadline(&mut self, node: NodeId) {
        let Some(deadline) = self.nodes.get(node).deadline() else { return };
        let at = deadline.max(self.now + WAKE_PAUSE);
        if self.wakes.get(&node).is_none_or(|known| at < *known || *known < self.now) {
            self.wakes.insert(node, at);
            self.queue.push(at, Happening::Wake(node));
        }
    }
}

/// How soon a node is woken again at the earliest: a deadline that stays in the past must not stop time.
const WAKE_PAUSE: Duration = Duration::from_micros(100);
