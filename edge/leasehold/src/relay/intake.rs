//! Taking datagrams in: one thread for all sockets.
//!
//! It goes round: wait for a socket, take a batch of datagrams, have the agent look at all of them under
//! one lock, and send on what goes on. Of what servers shall have, each gets a copy. In between it keeps
//! the socket a member of its group on every interface that clients are on, as they come and go.

use std::net::SocketAddrV6;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use relay::{Agent, Arrival, Delivery, Discard, Passed};
use tracing::{debug, warn};
use wire::LinkLayerAddress;

use super::service::Service;
use super::traffic::Tallies;
use super::ways::Way;
use crate::net::{
    Batch, GROUPS_OF_RELAYS, LinkLayerTap, Membership, Outgoing, Poller, Received, ServerSocket, Waker,
    Watcher,
};

/// How long a change of interfaces is let grow before it is looked at: they come and go in swarms, and
/// looking at thousands takes a while.
const SETTLING: Duration = Duration::from_millis(50);
/// Octets of most Relay-forwards.
const USUAL_OCTETS: usize = 512;

/// All sockets, and what watches over them.
pub(super) struct Intake {
    service: Arc<Service>,
    /// The one that is listened on, and behind it the one that servers answer to if that is another.
    sockets: Vec<ServerSocket>,
    tap: Option<LinkLayerTap>,
    membership: Membership,
    poller: Poller,
    watcher: Watcher,
}

impl Intake {
    /// Binds.
    pub(super) fn bind(service: Arc<Service>) -> anyhow::Result<Self> {
        let setup = service.setup();
        let relay = &setup.relay;
        let mut ports = vec![relay.listen_port];
        ports.extend((relay.source_port != relay.listen_port).then_some(relay.source_port));
        let bind = |port| {
            let at = SocketAddrV6::new(std::net::Ipv6Addr::UNSPECIFIED, port, 0, 0);
            ServerSocket::bind(at).with_context(|| format!("cannot listen on {at} (UDP)"))
        };
        let sockets = ports.into_iter().map(bind).collect::<anyhow::Result<Vec<_>>>()?;
        let tap = relay.client_link_layer_address.then(open_tap).flatten();
        let membership = Membership::new(GROUPS_OF_RELAYS, setup.client_interfaces());
        let mut intake = Self {
            sockets,
            tap,
            membership,
            poller: Poller::new().context("cannot make a poller")?,
            watcher: Watcher::start().context("cannot watch the interfaces")?,
            service,
        };
        intake.join_groups();
        Ok(intake)
    }

    /// Where it listens.
    pub(super) fn addresses(&self) -> anyhow::Result<Vec<SocketAddrV6>> {
        let addresses = self.sockets.iter().map(ServerSocket::local_address);
        addresses.collect::<std::io::Result<_>>().context("a socket without an address")
    }

    /// What ends the waiting.
    pub(super) fn waker(&self) -> Waker {
        self.poller.waker()
    }

    /// Takes in and sends on until the relay stops.
    pub(super) fn run(mut self) -> anyhow::Result<()> {
        let stopping = self.service.stopping();
        let mut batch = Batch::new();
        let mut look_at: Option<Instant> = None;
        while !stopping.has_come() {
            if look_at.is_some_and(|at| at <= Instant::now()) {
                self.join_groups();
                look_at = None;
            }
            let mut sources: Vec<_> = self.sockets.iter().map(AsFd::as_fd).collect();
            sources.push(self.watcher.as_fd());
            let ready = self.poller.wait(&sources, look_at).context("cannot wait for datagrams")?;
            for socket in 0..self.sockets.len() {
                if ready.readable(socket) {
                    self.take_in(socket, &mut batch);
                }
            }
            let interfaces_changed = ready.readable(self.sockets.len());
            if interfaces_changed {
                self.watcher.drain().context("cannot watch the interfaces")?;
            }
            if interfaces_changed || ready.woken() {
                look_at.get_or_insert(Instant::now() + SETTLING);
            }
        }
        Ok(())
    }

    /// Joins and leaves the group until the interfaces that are listened on are those of clients.
    fn join_groups(&mut self) {
        self.membership.want(self.service.setup().client_interfaces());
        if let Err(error) = self.membership.reconcile(&self.sockets[0]) {
            warn!("cannot list the interfaces: {error}");
        }
    }

    /// Takes in what one socket has, and sends it on.
    fn take_in(&mut self, socket: usize, batch: &mut Batch) {
        if let Err(error) = self.sockets[socket].receive(batch) {
            debug!("cannot receive: {error}");
            return;
        }
        if let Some(tap) = &mut self.tap
            && let Err(error) = tap.drain()
        {
            debug!("cannot see link-layer addresses: {error}");
        }
        let (ways, tallies) = (self.service.ways(), self.service.tallies());
        let mut turn = Turn {
            intake: self,
            ways: &ways,
            tallies: &tallies,
            to_servers: Vec::new(),
            to_clients: Vec::new(),
        };
        self.service.with(|agent| batch.received().for_each(|received| turn.take(agent, &received)));
        let Turn { to_servers, to_clients, .. } = turn;
        // What servers answer comes back to where it was sent from.
        let towards_servers = &self.sockets[self.sockets.len() - 1];
        towards_servers.send(&to_servers);
        self.sockets[0].send(&to_clients);
    }
}

/// Relays do without what is no more than a courtesy to servers.
fn open_tap() -> Option<LinkLayerTap> {
    let tap = LinkLayerTap::open();
    tap.inspect_err(|error| warn!("servers are not told the hardware addresses of clients: {error}")).ok()
}

/// A batch of datagrams, and what goes out because of it.
struct Turn<'a> {
    intake: &'a Intake,
    ways: &'a [Way],
    tallies: &'a Tallies,
    to_servers: Vec<Outgoing>,
    to_clients: Vec<Outgoing>,
}

impl Turn<'_> {
    fn take(&mut self, agent: &mut Agent, received: &Received<'_>) {
        if let Err(discard) = self.pass(agent, received) {
            self.intake.service.counters.discard(discard);
            debug!(source = %received.arrival.source, reason = %discard, "discarded");
        }
    }

    fn pass(&mut self, agent: &mut Agent, received: &Received<'_>) -> Result<(), Discard> {
        let Intake { service, tap, membership, .. } = self.intake;
        let arrival = &received.arrival;
        if !membership.admits(arrival) {
            return Err(Discard::NotServed);
        }
        let seen = tap.as_ref().and_then(|tap| tap.lookup(arrival.interface_index, *arrival.source.ip()));
        let arrival = Arrival {
            source: *arrival.source.ip(),
            source_port: arrival.source.port(),
            destination: arrival.destination,
            interface_index: arrival.interface_index,
            link_layer: seen
                .as_ref()
                .map(|seen| LinkLayerAddress { hardware_type: seen.hardware_type, address: seen.address() }),
        };
        let mut out = Vec::with_capacity(USUAL_OCTETS);
        let counters = &service.counters;
        match agent.take(&arrival, received.octets, service.now().instant, counters, &mut out)? {
            Passed::ToServers => self.send_to_servers(out),
            Passed::ToClient(delivery) => {
                self.tallies.replied(arrival.source);
                self.send_to_client(&delivery);
            }
        }
        Ok(())
    }

    /// A copy for each server, and as a rule there is one.
    fn send_to_servers(&mut self, octets: Vec<u8>) {
        let Some((last, others)) = self.ways.split_last() else { return };
        self.to_servers.extend(others.iter().map(|way| way.carry(octets.clone())));
        self.to_servers.push(last.carry(octets));
        self.ways.iter().for_each(|way| self.tallies.forwarded(way.server));
    }

    fn send_to_client(&mut self, delivery: &Delivery<'_>) {
        let scope = if delivery.to.is_unicast_link_local() { delivery.interface_index } else { 0 };
        self.to_clients.push(Outgoing {
            octets: delivery.octets.to_vec(),
            to: SocketAddrV6::new(delivery.to, delivery.to_port, 0, scope),
            source: std::net::Ipv6Addr::UNSPECIFIED,
            interface_index: delivery.interface_index,
        });
    }
}
