//! The lightweight relay at work: frames of a bridge's ports, taken out, changed and put back.
//!
//! The kernel drops the originals inside the bridge (`interception.rs`), behind the packet socket that hears them.
//! What the pure relay makes of a message leaves by another packet socket's way, past the bridge, in a frame with
//! the addresses of the one that came: a Relay-forward by every interface that faces the network, an answer by the
//! client's interface and by no other. One thread does it all; interfaces may come and go.

mod desk;
mod interception;
mod program;

use std::collections::BTreeSet;
use std::io;
use std::net::Ipv6Addr;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use anyhow::Context;
use lease::InterfacePattern;
use nix::errno::Errno;
use relay::{Arrival, Counters, Discard, Lightweight, PacedPort, Peer, Terms};
use tracing::{debug, info, warn};
use wire::{LinkLayerAddress, MessageType};

use crate::clock::Clock;
use crate::kernel::{self, InterfaceFacts};
use crate::net::{Frame, FrameSocket, NoFrame, Poller, Waker, Watcher};
use interception::Interception;

pub use program::run;

/// How long a change of interfaces is let grow before it is looked at.
const SETTLING: Duration = Duration::from_millis(50);
/// How long to wait before they are looked at again if they could not be.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// Frames that are taken between two looks at everything else.
const BATCH: usize = 64;
/// Ethernet, as ARP numbers it: a bridge has no other ports.
const ETHERNET: u16 = 1;

/// What the operator has decided.
pub struct Plan {
    /// What goes for the relay as a whole.
    pub terms: Terms,
    /// The interfaces that face clients, for the rules that keep originals from passing.
    pub clients: Vec<InterfacePattern>,
    /// The interfaces that face the network, likewise.
    pub network: Vec<InterfacePattern>,
    /// Whether servers are told clients' link-layer addresses (RFC 6939).
    pub tells_link_layer: bool,
    /// Says which interfaces are on which side.
    pub sides: FindSides,
}

/// Picks both sides out of the interfaces that are there.
pub type FindSides = Box<dyn FnMut(&[InterfaceFacts]) -> Sides + Send>;

/// The interfaces of a bridge that matter.
#[derive(Debug)]
pub struct Sides {
    /// Those that face clients.
    pub clients: Vec<PacedPort>,
    /// The numbers of those that face the network.
    pub network: BTreeSet<u32>,
}

/// What a lightweight relay is told while it runs.
pub enum Order {
    /// To end.
    Stop,
    /// To go on in another way.
    Follow(Plan),
}

/// A lightweight relay in the bridges of this thread's network namespace. As long as it is there, nothing that it
/// should take passes it by.
pub struct Bridge {
    plan: Plan,
    relay: Lightweight,
    counters: Arc<Counters>,
    clock: Clock,
    frames: FrameSocket,
    watcher: Watcher,
    poller: Poller,
    interception: Interception,
    /// The numbers of the interfaces that face the network.
    network: BTreeSet<u32>,
    /// How many interfaces that face clients are there.
    ports: Arc<AtomicUsize>,
    /// From where to where something could not be sent, and the number of the error, as far as that has been said.
    told: BTreeSet<(u32, u32, i32)>,
}

impl Bridge {
    /// Takes its place: from now on nothing passes, and what waits is taken once this runs.
    pub fn open(plan: Plan, clock: Clock, counters: Arc<Counters>) -> anyhow::Result<Self> {
        let watcher = Watcher::start().context("cannot watch the interfaces")?;
        let names = names(&kernel::interfaces().context("cannot list the interfaces")?);
        let interception = Interception::start(&plan.clients, &plan.network, &names)?;
        // Not before: what came earlier has passed.
        let frames = FrameSocket::open().context("cannot hear the bridge's frames (it takes CAP_NET_RAW)")?;
        let mut bridge = Self {
            relay: Lightweight::new(plan.terms.clone()),
            plan,
            counters,
            clock,
            frames,
            watcher,
            poller: Poller::new().context("cannot make a poller")?,
            interception,
            network: BTreeSet::new(),
            ports: Arc::default(),
            told: BTreeSet::new(),
        };
        bridge.look_around().context("cannot list the interfaces")?;
        Ok(bridge)
    }

    /// What ends the waiting.
    pub fn waker(&self) -> Waker {
        self.poller.waker()
    }

    /// How many interfaces that face clients are there, for as long as it runs.
    pub fn ports(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.ports)
    }

    /// Relays until it is told to stop; it asks for orders whenever it is woken.
    pub fn run(mut self, mut orders: impl FnMut() -> Option<Order>) -> anyhow::Result<()> {
        let mut look_at = None;
        loop {
            match orders() {
                None => {}
                Some(Order::Stop) => return Ok(()),
                Some(Order::Follow(plan)) => {
                    self.relay.agree(plan.terms.clone());
                    self.plan = plan;
                    look_at = Some(Instant::now());
                }
            }
            if look_at.is_some_and(|at| at <= Instant::now()) {
                look_at = None;
                if let Err(error) = self.look_around() {
                    warn!("cannot look at the interfaces, will try again: {error:#}");
                    look_at = Some(Instant::now() + LOOK_AGAIN);
                }
            }
            let sources = [self.frames.as_fd(), self.watcher.as_fd()];
            let ready = self.poller.wait(&sources, look_at).context("cannot wait for frames")?;
            if ready.readable(0) {
                self.take_batch();
            }
            if ready.readable(1) {
                self.watcher.drain().context("cannot watch the interfaces")?;
                look_at.get_or_insert(Instant::now() + SETTLING);
            }
        }
    }

    /// Finds the interfaces on both sides.
    fn look_around(&mut self) -> anyhow::Result<()> {
        let facts = kernel::interfaces()?;
        self.interception.replace(&self.plan.clients, &self.plan.network, &names(&facts))?;
        self.frames.look_around()?;
        let Sides { clients, network } = (self.plan.sides)(&facts);
        let network_changed = network != self.network;
        self.network = network;
        let clients_changed = !self.relay.update(clients).is_empty();
        self.ports.store(self.relay.ports().all_present().count(), Relaxed);
        if clients_changed || network_changed {
            self.tell_sides(&facts);
        }
        Ok(())
    }

    fn tell_sides(&mut self, facts: &[InterfaceFacts]) {
        self.told.clear();
        let ports = self.relay.ports();
        let (clients, network) = (ports.all_present().count(), self.network.len());
        info!(clients, network, "interfaces that face clients, and that face the network");
        let is_used = |index| self.network.contains(&index) || ports.with_index(index).is_some();
        for stray in facts.iter().filter(|facts| is_used(facts.index) && facts.master_index.is_none()) {
            warn!(interface = %stray.name, "is in no bridge: what it says otherwise goes nowhere");
        }
    }

    fn take_batch(&mut self) {
        for _ in 0..BATCH {
            match self.take() {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => return debug!("cannot receive: {error}"),
            }
        }
    }

    /// Takes one frame, if one waits.
    fn take(&mut self) -> io::Result<bool> {
        let Self { plan, relay, counters, clock, frames, network, .. } = self;
        let Some(caught) = frames.receive()? else { return Ok(false) };
        let index = caught.interface_index;
        let Some((source, destination)) = Frame::ends(caught.octets) else { return Ok(true) };
        let is_from_network = network.contains(&index);
        let is_ours = if is_from_network {
            Lightweight::takes_from_network(source, destination)
        } else {
            relay.ports().with_index(index).is_some() && Lightweight::takes_from_clients(destination)
        };
        if !is_ours {
            return Ok(true);
        }
        let leaving = Frame::parse(caught.octets, caught.beside).map_err(Discard::from).and_then(|frame| {
            counters.received(sender(is_from_network, frame.message()), frame.message());
            if is_from_network {
                to_client(relay, index, &frame, counters)
            } else {
                let link_layer = plan.tells_link_layer.then_some(frame.link_layer_source());
                to_network(relay, index, link_layer, &frame, clock, counters)
            }
        });
        match leaving {
            Ok(Leaving::ToClient { interface_index, octets }) => self.send(index, interface_index, &octets),
            Ok(Leaving::ToNetwork { octets }) => {
                let network: Vec<u32> = self.network.iter().copied().collect();
                network.into_iter().for_each(|interface_index| self.send(index, interface_index, &octets));
            }
            Err(reason) => {
                self.counters.discard(reason);
                debug!(%source, interface = index, %reason, "discarded");
            }
        }
        Ok(true)
    }

    /// Puts a frame onto a wire, on account of one that came in elsewhere.
    fn send(&mut self, came_by: u32, interface_index: u32, octets: &[u8]) {
        let Err(errno) = self.frames.send(interface_index, octets) else { return };
        if errno == Errno::EMSGSIZE {
            self.counters.discard(Discard::TooLong);
        }
        if self.told.insert((came_by, interface_index, errno as i32)) {
            let (from, to, octets) = (self.name(came_by), self.name(interface_index), octets.len());
            let why = if errno == Errno::EMSGSIZE { "too long for the MTU" } else { errno.desc() };
            warn!(from, to, octets, "not sent: {why}; said once until interfaces change");
        }
    }

    fn name(&self, interface_index: u32) -> String {
        let port = self.relay.ports().with_index(interface_index);
        let port = port.and_then(|id| self.relay.ports().present(id));
        port.map_or_else(|| interface_index.to_string(), |port| port.name.clone())
    }
}

/// A frame that was made, and where it goes.
enum Leaving {
    ToClient { interface_index: u32, octets: Vec<u8> },
    ToNetwork { octets: Vec<u8> },
}

fn to_network(
    relay: &mut Lightweight,
    interface_index: u32,
    link_layer: Option<&[u8]>,
    frame: &Frame<'_>,
    clock: &Clock,
    counters: &Counters,
) -> Result<Leaving, Discard> {
    let link_layer = link_layer.map(|address| LinkLayerAddress { hardware_type: ETHERNET, address });
    let arrival = Arrival { link_layer, ..arrival(interface_index, frame) };
    let mut message = Vec::new();
    relay.forward(&arrival, frame.message(), clock.now().instant, &mut message)?;
    let port = relay.terms().relay_port;
    let octets = frame.with(port, port, &message).ok_or(Discard::TooLong)?;
    counters.forwarded(frame.message());
    Ok(Leaving::ToNetwork { octets })
}

fn to_client(
    relay: &Lightweight,
    interface_index: u32,
    frame: &Frame<'_>,
    counters: &Counters,
) -> Result<Leaving, Discard> {
    let delivery = relay.deliver(&arrival(interface_index, frame), frame.message())?;
    let octets = frame.with(relay.terms().relay_port, delivery.to_port, delivery.octets);
    counters.delivered(delivery.octets);
    let octets = octets.ok_or(Discard::TooLong)?;
    Ok(Leaving::ToClient { interface_index: delivery.interface_index, octets })
}

fn arrival(interface_index: u32, frame: &Frame<'_>) -> Arrival<'static> {
    let (source, destination): (Ipv6Addr, Ipv6Addr) = (frame.source(), frame.destination());
    Arrival { source, source_port: frame.source_port(), destination, interface_index, link_layer: None }
}

fn sender(is_from_network: bool, message: &[u8]) -> Peer {
    match message.first() {
        _ if is_from_network => Peer::Server,
        Some(kind) if *kind == MessageType::RelayForward as u8 => Peer::Relay,
        _ => Peer::Client,
    }
}

impl From<NoFrame> for Discard {
    fn from(reason: NoFrame) -> Self {
        match reason {
            NoFrame::Fragment => Self::Fragment,
            NoFrame::Malformed => Self::Malformed,
        }
    }
}

fn names(facts: &[InterfaceFacts]) -> Vec<String> {
    facts.iter().map(|facts| facts.name.clone()).collect()
}
