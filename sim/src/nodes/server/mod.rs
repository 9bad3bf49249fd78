//! A server: the pure crate, a store that is committed to beside it, and streams of requestors.
//!
//! It does what the threads of `leasehold serve` do, one step after the other: a datagram is answered, what
//! waits for a commit goes into the journal, a commit takes its time, and then what it has made true is let go.

mod process;
mod setup;
mod stock;
mod talk;

use std::net::Ipv6Addr;

use lease::{ClientKey, ClientView, Cursor, LinkId, Links, Table, image};
use server::Counters;
use server::exchange::{Announced, NotReconfigured};
use server::leasequery::{BulkLimits, Policy};
use store::Store;
use wire::DuidRef;
use world::{Instant, Now};

use super::disk::Disk;
use super::{Node, NodeId};
use crate::plan::{ServerPlan, Topology};
use crate::universe::{Clock, Datagram, Ending, Outbox, StreamId};
use process::Process;

pub use setup::Setup;

/// What others have a server hold at this moment, and what is decided about that.
#[derive(Debug, Clone)]
pub struct Burden {
    /// The limits.
    pub limits: BulkLimits,
    /// Connections that have a place.
    pub connections: usize,
    /// Queries in work on the connection that has the most.
    pub queries: usize,
    /// Octets in the fullest buffer of answers.
    pub output_octets: usize,
}

/// A server, running or not.
#[derive(Debug)]
pub struct Server {
    number: usize,
    /// What it goes by from its next start on, or when it is told to read it anew.
    pub setup: Setup,
    /// What survives it.
    pub disk: Disk,
    /// Its clocks.
    pub clock: Clock,
    process: Option<Process>,
    /// How often it has started.
    starts: u64,
}

impl Server {
    /// One that has never run.
    pub fn new(number: usize, plan: &ServerPlan, topology: &Topology, now: Instant) -> Self {
        let (setup, clock, mut disk) = (Setup::new(number, plan, topology), Clock::new(now), Disk::default());
        stock::fill(&mut disk, number, plan.stock, topology.links, clock.now(now).unix_secs);
        Self { number, setup, disk, clock, process: None, starts: 0 }
    }

    /// One that goes by this, and has nothing on its disk.
    pub fn with_setup(number: usize, setup: Setup, now: Instant) -> Self {
        Self { number, setup, disk: Disk::default(), clock: Clock::new(now), process: None, starts: 0 }
    }

    /// Who it is.
    pub fn id(&self) -> NodeId {
        NodeId::Server(self.number)
    }

    /// Starts it with what it finds on its disk.
    pub fn start(&mut self, now: Instant) {
        self.starts += 1;
        self.clock.restart(now);
        let secret = [self.number as u64, self.starts];
        let (node, now) = (self.id(), self.clock.now(now));
        self.process = Some(Process::start(node, &self.setup, self.disk.store(), secret, now));
    }

    /// Kills it. What was being committed lasts or does not.
    pub fn kill(&mut self, lasts: bool) {
        if let Some(mut process) = self.process.take()
            && lasts
        {
            // If the disk is full it does not.
            let _ = process.finish_commit(&mut self.disk);
        }
    }

    /// Tells it to stop in good order.
    pub fn stop(&mut self, now: Instant, out: &mut Outbox) {
        let own = self.clock.now(now);
        if let Some(process) = &mut self.process {
            process.stop(own);
        }
        self.show(now, out);
    }

    /// Has it tell a client to send something.
    pub fn reconfigure(
        &mut self,
        key: ClientKey,
        announced: Announced,
        now: Instant,
        out: &mut Outbox,
    ) -> Result<(), NotReconfigured> {
        let own = self.clock.now(now);
        let process = self.process.as_mut().ok_or(NotReconfigured::Unknown)?;
        let outcome = process.reconfigure(key, announced, own, out);
        self.show(now, out);
        outcome
    }

    /// What an operator has decided about queries, as it goes by it now.
    pub fn policy(&self) -> Option<&Policy> {
        self.process.as_ref().map(|process| &process.policy)
    }

    /// The links, as it goes by them now.
    pub fn links(&self) -> Option<&Links> {
        self.process.as_ref().map(|process| &process.holdings.links)
    }

    /// Lets those who judge see what has happened in it, and ends a process that has stopped.
    fn show(&mut self, now: Instant, out: &mut Outbox) {
        let now = self.clock.now(now);
        let Some(process) = &mut self.process else { return };
        process.take_seen().into_iter().for_each(|seen| out.observe(seen));
        if process.has_stopped(now) {
            self.process = None;
            out.fail();
        }
    }

    /// Whether it runs.
    pub fn is_running(&self) -> bool {
        self.process.is_some()
    }

    /// Reads its configuration anew.
    pub fn reload(&mut self, now: Instant, out: &mut Outbox) {
        self.starts += 1;
        let secret = [self.number as u64, self.starts];
        if let Some(process) = &mut self.process {
            process.reload(&self.setup, secret, self.clock.now(now), out);
        }
    }

    /// What it holds in memory, if it runs.
    pub fn table(&self) -> Option<&Table> {
        self.process.as_ref().map(|process| &process.holdings.table)
    }

    /// What others have it hold, if it runs.
    pub fn burden(&self) -> Option<Burden> {
        self.process.as_ref().map(Process::burden)
    }

    /// What it has counted since it started, if it runs.
    pub fn counters(&self) -> Option<&Counters> {
        self.process.as_ref().map(|process| &process.counters)
    }

    /// Everything that is durable of it.
    pub fn durable(&self, mut visit: impl FnMut(ClientView<'_>)) {
        let loaded = self.disk.store().load(&mut |_, image| {
            visit(ClientView::decode(image)?);
            Ok(())
        });
        loaded.expect("a store in memory can be read");
    }

    /// What is durable of a client on a link.
    pub fn kept(&self, link: LinkId, duid: DuidRef<'_>) -> Option<ClientView<'_>> {
        let key = image::key(&ClientKey { link, duid: duid.to_duid() });
        let image = self.disk.store().image(&key)?;
        Some(ClientView::decode(image).expect("what was committed can be read"))
    }

    /// Every client that it holds, in order.
    pub fn clients(&self) -> impl Iterator<Item = ClientView<'_>> {
        self.table().into_iter().flat_map(|table| table.clients(Cursor::START)).map(|(_, client)| client)
    }

    /// What time it is for it.
    pub fn now(&self, now: Instant) -> Now {
        self.clock.now(now)
    }
}

impl Node for Server {
    fn receive(&mut self, interface: u32, datagram: &Datagram, now: Instant, out: &mut Outbox) {
        let own = self.clock.now(now);
        if let Some(process) = &mut self.process {
            process.receive(interface, datagram, own, out);
        }
        self.show(now, out);
    }

    fn wake(&mut self, now: Instant, out: &mut Outbox) {
        let own = self.clock.now(now);
        let Some(process) = &mut self.process else { return };
        if process.wake(own, &mut self.disk, out).is_err() {
            // As the program does: only the store, opened anew, knows what it holds.
            self.process = None;
            return out.fail();
        }
        self.show(now, out);
    }

    fn deadline(&self) -> Option<Instant> {
        self.process.as_ref().map(|process| self.clock.when(process.deadline()))
    }

    fn accept(&mut self, stream: StreamId, from: Ipv6Addr, now: Instant, out: &mut Outbox) -> bool {
        let own = self.clock.now(now);
        let listens = self.process.as_mut().is_some_and(|process| process.accept(stream, from, own));
        self.show(now, out);
        listens
    }

    fn wants_octets(&self, stream: StreamId) -> bool {
        self.process.as_ref().is_some_and(|process| process.wants_octets(stream))
    }

    fn hear(&mut self, stream: StreamId, octets: &[u8], now: Instant, out: &mut Outbox) {
        let own = self.clock.now(now);
        if let Some(process) = &mut self.process {
            process.hear(stream, octets, own);
        }
        self.show(now, out);
    }

    fn ended(&mut self, stream: StreamId, ending: Ending, now: Instant, out: &mut Outbox) {
        let own = self.clock.now(now);
        if let Some(process) = &mut self.process {
            process.ended(stream, ending, own);
        }
        self.show(now, out);
    }

    fn output(&self, stream: StreamId) -> &[u8] {
        self.process.as_ref().map_or(&[], |process| process.output(stream))
    }

    fn wrote(&mut self, stream: StreamId, octets: usize, now: Instant, out: &mut Outbox) {
        let own = self.clock.now(now);
        if let Some(process) = &mut self.process {
            process.wrote(stream, octets, own);
        }
        self.show(now, out);
    }

    fn wants_half_close(&self, stream: StreamId) -> bool {
        self.process.as_ref().is_some_and(|process| process.wants_half_close(stream))
    }

    fn wants_close(&self, stream: StreamId) -> bool {
        self.process.as_ref().is_none_or(|process| process.wants_close(stream))
    }
}
