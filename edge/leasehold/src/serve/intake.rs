//! Taking datagrams in: one thread for all sockets.
//!
//! It goes round: wait for a socket, take a batch of datagrams, answer all of them under one lock of
//! the table. Answers that speak of bindings go to the journal, to be released when those are
//! durable; the others are sent at once. In between it ends the leases whose time is over, and keeps
//! the sockets members of their groups as interfaces come and go.

use std::net::{Ipv6Addr, SocketAddrV6};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use lease::ClientKey;
use server::counters::add;
use server::exchange::{Answered, Arrival, Exchanges, Recipient, Unwrapped};
use server::leasequery::{Policy, datagram};
use server::{Discard, Holdings};
use tracing::{debug, info, warn};
use wire::MessageType;
use world::Now;

use super::reconfigure;
use super::release::Held;
use super::service::Service;
use crate::net::{self, Batch, Membership, Outgoing, Poller, Ready, Received, ServerSocket, Waker, Watcher};

/// How often it is looked whether a lease has run out: nobody is told the time of day more exactly.
const EXPIRY_INTERVAL: Duration = Duration::from_secs(1);
/// How long a change of interfaces is let grow before it is looked at: they come and go in swarms, and
/// looking at thousands takes a while.
const SETTLING: Duration = Duration::from_millis(50);
/// Clients whose leases are ended at once, so that answers do not wait for a whole city's.
const EXPIRY_BATCH: usize = 1_000;

/// Where to take datagrams in, and what to do with them there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UdpAddress {
    /// The address and port.
    pub at: SocketAddrV6,
    /// Whether clients and relays are answered.
    pub dhcp: bool,
    /// Whether leasequeries are answered.
    pub leasequery: bool,
}

/// The ports that answers go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    /// Of clients.
    pub client: u16,
    /// Of relays.
    pub relay: u16,
}

/// All sockets, and what watches over them.
pub(super) struct Intake {
    service: Arc<Service>,
    ports: Ports,
    sockets: Vec<Served>,
    poller: Poller,
    watcher: Watcher,
}

struct Served {
    address: UdpAddress,
    socket: Arc<ServerSocket>,
    membership: Membership,
}

impl Intake {
    /// Binds every address.
    pub(super) fn bind(
        service: Arc<Service>,
        addresses: &[UdpAddress],
        ports: Ports,
    ) -> anyhow::Result<Self> {
        let bind = |address: &UdpAddress| {
            let socket = ServerSocket::bind(address.at);
            let socket = socket.with_context(|| format!("cannot listen on {} (UDP)", address.at))?;
            let membership = Membership::new(service.interfaces());
            anyhow::Ok(Served { address: *address, socket: Arc::new(socket), membership })
        };
        let sockets = addresses.iter().map(bind).collect::<anyhow::Result<Vec<_>>>()?;
        let mut intake = Self {
            service,
            ports,
            sockets,
            poller: Poller::new().context("cannot make a poller")?,
            watcher: Watcher::start().context("cannot watch the interfaces")?,
        };
        intake.join_groups();
        Ok(intake)
    }

    /// Where each socket is bound.
    pub(super) fn addresses(&self) -> anyhow::Result<Vec<SocketAddrV6>> {
        let addresses = self.sockets.iter().map(|served| served.socket.local_address());
        addresses.collect::<std::io::Result<_>>().context("a socket without an address")
    }

    /// The sockets themselves.
    pub(super) fn sockets(&self) -> Vec<Arc<ServerSocket>> {
        self.sockets.iter().map(|served| Arc::clone(&served.socket)).collect()
    }

    /// What ends the waiting.
    pub(super) fn waker(&self) -> Waker {
        self.poller.waker()
    }

    /// Takes in and answers until the server stops, or no answer can be made durable any more.
    pub(super) fn run(mut self) -> anyhow::Result<()> {
        let stopping = self.service.stopping();
        let mut batch = Batch::new();
        let (mut expiry_at, mut tell_at, mut look_at) = (Instant::now(), Instant::now(), None);
        while !stopping.has_come() && self.service.journal.wait_for_room() {
            let now = Instant::now();
            if expiry_at <= now {
                let more = self.end_leases();
                expiry_at = now + if more { Duration::ZERO } else { EXPIRY_INTERVAL };
            }
            if tell_at <= now {
                tell_at = now + self.tell_clients();
            }
            if look_at.is_some_and(|at| at <= now) {
                self.join_groups();
                look_at = None;
            }
            let next = expiry_at.min(tell_at);
            let ready = self.wait(look_at.map_or(next, |at| next.min(at)))?;
            for (index, served) in self.sockets.iter().enumerate() {
                if ready.readable(index) {
                    self.take_in(served, &mut batch);
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

    /// Waits for a socket, for the watcher behind the last of them, or to be woken.
    fn wait(&self, until: Instant) -> anyhow::Result<Ready> {
        let mut sources: Vec<_> = self.sockets.iter().map(|served| served.socket.as_fd()).collect();
        sources.push(self.watcher.as_fd());
        self.poller.wait(&sources, Some(until)).context("cannot wait for datagrams")
    }

    /// Joins and leaves groups until the interfaces that are served are those that shall be.
    fn join_groups(&mut self) {
        for Served { address, socket, membership } in &mut self.sockets {
            membership.want(self.service.interfaces());
            if address.dhcp
                && let Err(error) = membership.reconcile(socket)
            {
                warn!("cannot list the interfaces: {error}");
            }
        }
    }

    /// Ends leases whose time is over; says whether there may be more.
    fn end_leases(&self) -> bool {
        let now = self.service.now();
        let (ended, _) = self.service.change(|exchanges, holdings| {
            let ended = exchanges.expire(holdings, now, EXPIRY_BATCH);
            let count = ended.len();
            (count, ended.into_iter().map(|ended| Held::Changes(ended.key, ended.changes)).collect())
        });
        ended == EXPIRY_BATCH
    }

    /// Tells clients by Reconfigure; says for how long there will be nothing to do. Any socket for
    /// clients will do: of those for all addresses and for one, the former is the first.
    fn tell_clients(&self) -> Duration {
        match self.sockets.iter().find(|served| served.address.dhcp) {
            Some(served) => reconfigure::tell(&self.service, &served.socket, self.ports),
            None => EXPIRY_INTERVAL,
        }
    }

    /// Takes in what one socket has, and answers it.
    fn take_in(&self, served: &Served, batch: &mut Batch) {
        if let Err(error) = served.socket.receive(batch) {
            debug!("cannot receive: {error}");
            return;
        }
        let turn = Turn {
            service: &self.service,
            served,
            ports: self.ports,
            policy: &self.service.policy(),
            now: self.service.now(),
        };
        let (at_once, _) = self.service.change(|exchanges, holdings| {
            let (mut at_once, mut held) = (Vec::new(), Vec::new());
            for received in batch.received() {
                turn.answer(&received, exchanges, holdings, &mut at_once, &mut held);
            }
            (at_once, held)
        });
        served.socket.send(&at_once);
    }
}

/// One batch being answered.
struct Turn<'a> {
    service: &'a Service,
    served: &'a Served,
    ports: Ports,
    policy: &'a Policy,
    now: Now,
}

impl Turn<'_> {
    fn answer(
        &self,
        received: &Received<'_>,
        exchanges: &mut Exchanges,
        holdings: &mut Holdings,
        at_once: &mut Vec<Outgoing>,
        held: &mut Vec<Held>,
    ) {
        let served = self.served.membership.admits(&received.arrival).then_some(()).ok_or(Discard::NotServed);
        let answered = served.and_then(|()| Unwrapped::decode(received.octets)).and_then(|unwrapped| {
            self.service.counters.received(unwrapped.message.message_type);
            match unwrapped.message.message_type {
                MessageType::LeaseQuery => self.leasequery(received, holdings).map(|out| held.push(out)),
                _ => self.exchange(&unwrapped, received, exchanges, holdings, at_once, held),
            }
        });
        if let Err(discard) = answered {
            self.service.counters.discard(discard);
            debug!(source = %received.arrival.source, reason = %discard, "discarded");
        }
    }

    /// Answers a client.
    fn exchange(
        &self,
        unwrapped: &Unwrapped<'_>,
        received: &Received<'_>,
        exchanges: &mut Exchanges,
        holdings: &mut Holdings,
        at_once: &mut Vec<Outgoing>,
        held: &mut Vec<Held>,
    ) -> Result<(), Discard> {
        if !self.served.address.dhcp {
            return Err(Discard::UnexpectedType);
        }
        let net::Arrival { source, destination, interface_index } = received.arrival;
        let arrival = Arrival {
            octets: received.octets,
            source: *source.ip(),
            destination,
            interface: self.served.membership.name(interface_index),
        };
        let mut out = Vec::with_capacity(512);
        let answered = exchanges.answer(unwrapped, &arrival, holdings, self.now, &mut out)?;
        self.service.counters.sent(answered.message_type);
        let outgoing = self.addressed(&answered, received, out);
        let Answered { client, link, changes, ignored, was_told_to, .. } = answered;
        if let Some(client) = &client {
            let says = "not held by the client that would give it back";
            ignored.iter().for_each(|lease| info!(%client, %lease, "{says}"));
        }
        if let (true, Some(client), Some(link)) = (was_told_to, &client, link) {
            info!(%client, %link, "heeds reconfigure");
        }
        match (client, link) {
            (Some(duid), Some(link)) if !changes.is_empty() => {
                held.push(Held::Answer(Arc::clone(&self.served.socket), outgoing));
                held.push(Held::Changes(ClientKey { link, duid }, changes));
            }
            _ => at_once.push(outgoing),
        }
        Ok(())
    }

    fn addressed(&self, answered: &Answered, received: &Received<'_>, octets: Vec<u8>) -> Outgoing {
        let arrival = received.arrival;
        match answered.recipient {
            Recipient::Client => arrival.answer_client(octets, self.ports.client),
            Recipient::Relay => arrival.answer_relay(octets, self.ports.relay),
            Recipient::RelayAtItsPort => arrival.answer_relay(octets, arrival.source.port()),
        }
    }

    /// Answers a leasequery, at the port that it came from. What it tells may not be durable yet, so
    /// the answer is held like all that speaks of bindings.
    fn leasequery(&self, received: &Received<'_>, holdings: &Holdings) -> Result<Held, Discard> {
        let source = received.arrival.source;
        let requestor: Ipv6Addr = *source.ip();
        if !self.served.address.leasequery {
            return Err(Discard::UnexpectedType);
        }
        if !self.service.rate().permits(requestor, self.now.instant) {
            return Err(Discard::TooFast);
        }
        let mut out = Vec::new();
        let begun = self.service.now().instant;
        let answered =
            datagram::answer(received.octets, requestor, self.policy, holdings, self.now, &mut out)?;
        add(&self.service.counters.datagrams_answered, 1);
        self.service.counters.status(answered.status);
        info!(
            transport = "udp", requestor = %source, transaction_id = %answered.transaction_id,
            query_type = %answered.query_type, sought = answered.sought, status = %answered.status,
            leases = answered.leases, octets = out.len(), "query"
        );
        self.service.queries.answered(source, &answered, out.len(), begun, self.service.now().instant);
        let outgoing = received.arrival.answer_relay(out, source.port());
        Ok(Held::Answer(Arc::clone(&self.served.socket), outgoing))
    }
}
