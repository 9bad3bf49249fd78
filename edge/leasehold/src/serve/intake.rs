//! Taking datagrams in: one thread for all sockets.
//!
//! It goes round: wait for a socket, take a batch of datagrams, answer all of them under one lock of
//! the table. Answers that speak of bindings go to the journal, to be released when those are
//! durable; the others are sent at once. In between it ends the leases whose time is over, and keeps
//! the sockets members of their groups as interfaces come and go.

use std::net::SocketAddrV6;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use tracing::{debug, warn};

use super::reconfigure;
use super::release::Held;
use super::service::Service;
use super::turn::Turn;
use crate::net::{Batch, GROUPS_OF_SERVERS, Membership, Poller, Ready, ServerSocket, Waker, Watcher};

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

/// A socket, what it is for, and where it hears multicast.
pub(super) struct Served {
    pub(super) address: UdpAddress,
    pub(super) socket: Arc<ServerSocket>,
    pub(super) membership: Membership,
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
            if address.dhcp && !address.at.ip().is_unspecified() && !service.interfaces().is_empty() {
                warn!("{} hears no multicast: clients on interfaces are heard at [::] only", address.at);
            }
            let membership = Membership::new(GROUPS_OF_SERVERS, service.interfaces());
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
            Some(served) => reconfigure::tell(&self.service, served, self.ports),
            None => EXPIRY_INTERVAL,
        }
    }

    /// Takes in what one socket has, and answers it.
    fn take_in(&self, served: &Served, batch: &mut Batch) {
        if let Err(error) = served.socket.receive(batch) {
            debug!("cannot receive: {error}");
            return;
        }
        let policy = self.service.policy();
        let (at_once, _) = self.service.change(|exchanges, holdings| {
            let mut turn = Turn::new(&self.service, served, self.ports, &policy, exchanges, holdings);
            batch.received().for_each(|received| turn.take(&received));
            turn.end()
        });
        served.socket.send(&at_once);
    }
}
