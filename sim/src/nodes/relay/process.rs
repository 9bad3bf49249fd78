//! A relay's program while it runs: all that is lost when it is killed.

use relay::{Agent, Arrival, Counters, Discard, Filter, Note, Passed};
use wire::SERVER_PORT;
use world::{Chance, Instant};

use super::around::Around;
use super::kernel::{Interface, Side};
use super::memory::Memory;
use super::routing::Routing;
use super::sessions::Sessions;
use super::setup::Setup;
use crate::plan::addresses;
use crate::universe::{Datagram, Ending, Observed, Outgoing, StreamId};

/// The program.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) agent: Agent,
    setup: Setup,
    routing: Routing,
    sessions: Sessions,
    memory: Option<Memory>,
    counters: Counters,
}

impl Process {
    pub(super) fn start(setup: &Setup, chance: Chance, around: &Around<'_>) -> Self {
        let now = around.now.instant;
        let mut agent = Agent::new(setup.agent.clone(), chance, now);
        Self {
            routing: Routing::start(&mut agent, setup, around),
            sessions: Sessions::with(setup),
            memory: setup.agent.remembers.then(|| Memory::new(now)),
            setup: setup.clone(),
            agent,
            counters: Counters::default(),
        }
    }

    /// Goes on with another configuration.
    pub(super) fn reload(&mut self, setup: &Setup, chance: Chance, around: &mut Around<'_>) {
        let now = around.now.instant;
        let has_other_servers = setup.servers != self.setup.servers;
        self.agent.configure(setup.agent.clone(), has_other_servers, chance, now);
        self.setup = setup.clone();
        if has_other_servers {
            self.sessions = Sessions::with(setup);
            self.agent.hang_up(now);
        }
        self.routing.look_again(now);
        self.sessions.wake();
        self.follow(around);
    }

    pub(super) fn die(self, chance: &mut Chance, around: &mut Around<'_>) {
        if let Some(memory) = self.memory {
            memory.die(chance, around.notebook);
        }
        self.routing.die(chance, around);
    }

    /// When there is something to do, but for what the kernel says.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let of_memory = self.memory.as_ref().and_then(|memory| memory.deadline(&self.agent));
        let of_routing = self.routing.deadline(&self.agent, &self.setup);
        of_routing.into_iter().chain(self.sessions.deadline()).chain(of_memory).min()
    }

    /// Whether what the kernel says would be read now.
    pub(super) fn listens_to_kernel(&self) -> bool {
        self.routing.listens()
    }

    pub(super) fn wake(&mut self, around: &mut Around<'_>) {
        if self.routing.go_round(&mut self.agent, &self.setup, around) {
            self.sessions.wake();
        }
        if let Some(memory) = &mut self.memory {
            memory.go_on(&mut self.agent, around);
        }
        self.follow(around);
    }

    /// Sessions do what is due, and what is worth a line is told.
    fn follow(&mut self, around: &mut Around<'_>) {
        self.sessions.go_on(&mut self.agent, &self.setup, around);
        for note in self.agent.take_notes() {
            if matches!(note, Note::Recovered { .. }) {
                around.out.observe(Observed::Recovered(around.node));
            }
        }
    }
}

/// Datagrams.
impl Process {
    pub(super) fn receive(&mut self, interface: u32, datagram: &Datagram, around: &mut Around<'_>) {
        if let Err(discard) = self.pass(interface, datagram, around) {
            self.counters.discard(discard);
        }
        self.follow(around);
    }

    fn pass(&mut self, interface: u32, datagram: &Datagram, around: &mut Around<'_>) -> Result<(), Discard> {
        let arrival = Arrival {
            source: datagram.source,
            source_port: datagram.source_port,
            destination: datagram.destination,
            interface_index: interface,
            link_layer: None,
        };
        let mut forwarded = Vec::new();
        let now = around.now.instant;
        match self.agent.take(&arrival, &datagram.octets, now, &self.counters, &mut forwarded)? {
            Passed::ToServers => {
                let Some(Interface { index, .. }) = around.kernel.interface(Side::Upstream) else {
                    return Ok(());
                };
                for server in &self.setup.servers {
                    around.out.send(Outgoing {
                        interface: *index,
                        source_port: self.setup.agent.terms.source_port,
                        destination: addresses::server(*server),
                        destination_port: SERVER_PORT,
                        octets: forwarded.clone(),
                    });
                }
            }
            Passed::ToClient(delivery) => {
                let port = self.agent.ports().present(delivery.port);
                around.out.send(Outgoing {
                    interface: port.expect("it was delivered there").index,
                    source_port: SERVER_PORT,
                    destination: delivery.to,
                    destination_port: delivery.to_port,
                    octets: delivery.octets.to_vec(),
                });
            }
        }
        Ok(())
    }
}

/// An operator.
impl Process {
    /// Has delegations cleared.
    pub(super) fn clear(&mut self, filter: &Filter, around: &mut Around<'_>) {
        self.agent.clear(filter, around.now.instant, usize::MAX);
        self.follow(around);
    }

    /// Has servers asked again.
    pub(super) fn refresh(&mut self, around: &mut Around<'_>) {
        self.agent.refresh(around.now.instant);
        self.sessions.wake();
        self.follow(around);
    }
}

/// Streams.
impl Process {
    pub(super) fn connected(&mut self, stream: StreamId, around: &mut Around<'_>) {
        self.sessions.connected(stream, &mut self.agent, around.now.instant);
        self.follow(around);
    }

    pub(super) fn has_stream(&self, stream: StreamId) -> bool {
        self.sessions.wants(stream)
    }

    pub(super) fn hear(&mut self, stream: StreamId, octets: &[u8], around: &mut Around<'_>) {
        self.sessions.hear(stream, octets, &mut self.agent, around.now.instant);
        self.follow(around);
    }

    pub(super) fn ended(&mut self, stream: StreamId, ending: Ending, around: &mut Around<'_>) {
        self.sessions.ended(stream, ending, &mut self.agent, around.now.instant);
        self.follow(around);
    }

    pub(super) fn output(&self, stream: StreamId) -> &[u8] {
        self.sessions.output(stream)
    }

    pub(super) fn wrote(&mut self, stream: StreamId, octets: usize, now: Instant) {
        self.sessions.wrote(stream, octets, now);
    }
}
