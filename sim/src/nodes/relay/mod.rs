//! A relay: the pure agent, and around it what the threads of `leasehold relay` do with sockets, sessions, routes
//! and memory, one step after the other; and a machine, whose kernel and disk outlive the program.

mod around;
mod kernel;
mod memory;
mod notebook;
mod process;
mod routing;
mod sessions;
mod setup;

use relay::{Agent, Filter};
use world::{Chance, Instant};

use super::{Node, NodeId};
use crate::plan::{LinkNumber, RelayPlan, Topology};
use crate::universe::{Clock, Datagram, Ending, Outbox, StreamId};
use around::Around;
use process::Process;

pub use kernel::{Interface, Kernel, News, OUR_METRIC, Place, Side, Standing, Told};
pub use notebook::Notebook;
pub use setup::Setup;

/// The interface that servers are on, at first.
pub const UPSTREAM: u32 = 1;
/// The first number of an interface that clients are on.
const FIRST_PORT: u32 = 10;

/// A relay, running or not.
#[derive(Debug)]
pub struct Relay {
    number: usize,
    planned: Setup,
    /// What it goes by from its next start on, or when it is told to read it anew.
    pub setup: Setup,
    /// What its machine has for routes and interfaces.
    pub kernel: Kernel,
    /// What it has written down.
    pub notebook: Notebook,
    /// Its clocks.
    pub clock: Clock,
    process: Option<Process>,
    starts: u64,
}

/// The number of the interface on a link, at first.
pub fn first_index(link: LinkNumber) -> u32 {
    FIRST_PORT + u32::from(link)
}

fn interfaces(setup: &Setup) -> Vec<Interface> {
    let upstream = Interface { side: Side::Upstream, index: UPSTREAM, is_there: true, is_up: true };
    let ports = setup.ports.iter().map(|(link, port)| Interface {
        side: Side::Clients(*link),
        index: port.index,
        ..upstream
    });
    [upstream].into_iter().chain(ports).collect()
}

impl Relay {
    /// One that has never run.
    pub fn new(number: usize, plan: &RelayPlan, topology: &Topology, now: Instant) -> Self {
        Self::with_setup(number, Setup::new(number, plan, topology.servers.len()), now)
    }

    /// One that has never run and goes by this.
    pub fn with_setup(number: usize, setup: Setup, now: Instant) -> Self {
        Self {
            number,
            kernel: Kernel::new(interfaces(&setup)),
            planned: setup.clone(),
            setup,
            notebook: Notebook::default(),
            clock: Clock::new(now),
            process: None,
            starts: 0,
        }
    }

    /// Who it is.
    pub fn id(&self) -> NodeId {
        NodeId::Relay(self.number)
    }

    /// Starts it.
    pub fn start(&mut self, now: Instant, out: &mut Outbox) {
        self.clock.restart(now);
        let (setup, chance) = (self.setup.clone(), self.next_chance());
        let (_, around) = self.parts(now, out);
        self.process = Some(Process::start(&setup, chance, &around));
    }

    /// Kills it.
    pub fn kill(&mut self, chance: &mut Chance, now: Instant, out: &mut Outbox) {
        let process = self.process.take();
        let (_, mut around) = self.parts(now, out);
        if let Some(process) = process {
            process.die(chance, &mut around);
        }
        self.kernel.close_socket();
    }

    /// Has it read its configuration anew.
    pub fn reload(&mut self, now: Instant, out: &mut Outbox) {
        let (setup, chance) = (self.setup.clone(), self.next_chance());
        self.with(now, out, |process, around| process.reload(&setup, chance, around));
    }

    /// An operator has it forget delegations.
    pub fn clear(&mut self, filter: &Filter, now: Instant, out: &mut Outbox) {
        self.with(now, out, |process, around| process.clear(filter, around));
    }

    /// An operator has it ask all servers again.
    pub fn refresh(&mut self, now: Instant, out: &mut Outbox) {
        self.with(now, out, Process::refresh);
    }

    /// What it goes by if nobody changes it.
    pub fn planned(&self) -> &Setup {
        &self.planned
    }

    /// Whether it runs.
    pub fn is_running(&self) -> bool {
        self.process.is_some()
    }

    /// What it knows, if it runs.
    pub fn agent(&self) -> Option<&Agent> {
        self.process.as_ref().map(|process| &process.agent)
    }

    fn next_chance(&mut self) -> Chance {
        self.starts += 1;
        Chance::from_seed(self.starts << 8 | self.number as u64)
    }

    /// The program, if it runs, and what is around it.
    fn parts<'a>(&'a mut self, real: Instant, out: &'a mut Outbox) -> (Option<&'a mut Process>, Around<'a>) {
        let now = self.clock.now(real);
        let node = NodeId::Relay(self.number);
        let Self { kernel, notebook, process, .. } = self;
        (process.as_mut(), Around { node, kernel, notebook, now, real, out })
    }

    fn with(&mut self, now: Instant, out: &mut Outbox, work: impl FnOnce(&mut Process, &mut Around<'_>)) {
        if let (Some(process), mut around) = self.parts(now, out) {
            work(process, &mut around);
        }
    }
}

impl Node for Relay {
    fn receive(&mut self, interface: u32, datagram: &Datagram, now: Instant, out: &mut Outbox) {
        self.with(now, out, |process, around| process.receive(interface, datagram, around));
    }

    fn wake(&mut self, now: Instant, out: &mut Outbox) {
        self.with(now, out, Process::wake);
    }

    fn deadline(&self) -> Option<Instant> {
        let process = self.process.as_ref()?;
        let of_process = process.deadline().map(|deadline| self.clock.when(deadline));
        let of_kernel = self.kernel.readable_at().filter(|_| process.listens_to_kernel());
        of_process.into_iter().chain(of_kernel).min()
    }

    fn connected(&mut self, stream: StreamId, now: Instant, out: &mut Outbox) {
        self.with(now, out, |process, around| process.connected(stream, around));
    }

    fn wants_octets(&self, stream: StreamId) -> bool {
        self.process.as_ref().is_some_and(|process| process.has_stream(stream))
    }

    fn hear(&mut self, stream: StreamId, octets: &[u8], now: Instant, out: &mut Outbox) {
        self.with(now, out, |process, around| process.hear(stream, octets, around));
    }

    fn ended(&mut self, stream: StreamId, ending: Ending, now: Instant, out: &mut Outbox) {
        self.with(now, out, |process, around| process.ended(stream, ending, around));
    }

    fn output(&self, stream: StreamId) -> &[u8] {
        self.process.as_ref().map_or(&[], |process| process.output(stream))
    }

    fn wrote(&mut self, stream: StreamId, octets: usize, now: Instant, out: &mut Outbox) {
        self.with(now, out, |process, around| process.wrote(stream, octets, around.now.instant));
    }

    fn wants_close(&self, stream: StreamId) -> bool {
        !self.wants_octets(stream)
    }
}
