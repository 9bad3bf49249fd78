//! Messages through a relay at a given rate, whatever it does: who sends them, and who counts those that come out.
//!
//! A message is due at a time that depends on the rate alone. Nothing is sent twice.

use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use wire::{MessageType, TransactionId};

use super::envelope::Envelope;
use super::site::Site;
use crate::bench::datagrams::{self, Inbox, Outbox, Train};
use crate::bench::exchange::case::{Case, Way, Wish};
use crate::bench::exchange::template::{Client, Leases, Template};
use crate::bench::process;
use crate::bench::processors::{Processors, pin};
use crate::bench::running::Running;

/// How long a relay may take until it forwards for the first time.
const START: Duration = Duration::from_secs(20);
/// How long the first message is waited for until it is sent again.
const TRY: Duration = Duration::from_millis(100);
/// What has not come when there was none for so long does not come any more.
const QUIET: Duration = Duration::from_millis(300);
/// A sender that is so far behind has not kept its pace.
const MAX_BEHIND: Duration = Duration::from_millis(100);
/// What comes so long after the last was sent has waited in a queue that grew.
const MAX_ENDING: Duration = Duration::from_millis(100);
/// A rate is sustained if fewer than this share is lost.
const MAX_LOST: f64 = 0.01;
/// What clients ask for.
const CASE: Case = Case { wish: Wish::Both, way: Way::Direct };
/// The server's DUID.
const SERVER_ID: [u8; 10] = [0, 3, 0, 1, 0x02, 0, 0, 0, 0, 0xdd];
/// Clients of whom Replies tell: they come again when all have come.
const CLIENTS: u64 = 5_000;

/// Which way messages go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// From clients to the server: Solicits.
    Up,
    /// From the server to clients: Advertises.
    Back,
    /// Likewise, but Replies, each of which grants an address and a prefix.
    Granting,
    /// From a client to the server and back to it: a Solicit, and what a turn makes of it.
    RoundTrip,
}

impl Direction {
    pub(super) const ALL: [Self; 4] = [Self::Up, Self::Back, Self::Granting, Self::RoundTrip];

    /// How often a relay forwards for a message that is sent.
    pub(super) fn forwarded(self) -> f64 {
        if self == Self::RoundTrip { 2.0 } else { 1.0 }
    }

    fn message_type(self) -> MessageType {
        match self {
            Self::Up | Self::RoundTrip => MessageType::Solicit,
            Self::Back => MessageType::Advertise,
            Self::Granting => MessageType::Reply,
        }
    }

    fn comes_from_clients(self) -> bool {
        matches!(self, Self::Up | Self::RoundTrip)
    }
}

/// What came of a step.
pub(super) struct Step {
    pub(super) seconds: f64,
    pub(super) sent: u64,
    pub(super) received: u64,
    /// Whether messages could not be sent as fast as was wanted.
    pub(super) sender_late: bool,
    /// From the last that was sent to the last that came.
    ending: Duration,
    pub(super) relay_cpu_seconds: f64,
    pub(super) own_cpu_seconds: f64,
}

impl Step {
    /// Whether the rate was reached, and kept.
    pub(super) fn is_sustained(&self) -> bool {
        let lost = 1.0 - self.received as f64 / self.sent as f64;
        !self.sender_late && lost < MAX_LOST && self.ending <= MAX_ENDING
    }
}

/// Both ends of a relay.
pub(super) struct Flow {
    client_sends: UdpSocket,
    client_receives: UdpSocket,
    server: UdpSocket,
    envelope: Envelope,
    processors: Vec<usize>,
}

impl Flow {
    /// Waits until the relay forwards, and learns what it puts around a message.
    pub(super) fn meet(site: &Site, processors: &Processors, relay: &mut Running) -> Result<Self> {
        let (client_sends, client_receives) = site.client_sockets()?;
        let server = site.server_socket()?;
        let solicit = Messages::new(Direction::Up, None)?;
        let begun = Instant::now();
        let mut inbox = Inbox::new();
        while begun.elapsed() < START {
            relay.ensure_running()?;
            let mut train = solicit.train();
            train.add(|octets| solicit.write(octets, 0));
            train.send(&client_sends)?;
            if !datagrams::wait(&server, TRY)? {
                continue;
            }
            inbox.receive(&server)?;
            if let Some((octets, from)) = inbox.datagrams().next() {
                let envelope = Envelope::learn(octets)?;
                let from = from.context("a datagram from nobody")?;
                // Sending is cheaper when there is only one destination.
                nix::sys::socket::connect(std::os::fd::AsRawFd::as_raw_fd(&server), &from)?;
                let processors = processors.generator.clone();
                return Ok(Self { client_sends, client_receives, server, envelope, processors });
            }
        }
        bail!("nothing is forwarded in {} s; {}", START.as_secs(), relay.last_words())
    }

    /// Makes a step.
    pub(super) fn step(
        &self,
        direction: Direction,
        rate: f64,
        seconds: f64,
        relay: &Running,
    ) -> Result<Step> {
        self.drain()?;
        let (relay_cpu, own_cpu) = (relay.cpu_seconds()?, process::cpu_seconds("self")?);
        let run = self.run(direction, rate, seconds)?;
        Ok(Step {
            relay_cpu_seconds: relay.cpu_seconds()? - relay_cpu,
            own_cpu_seconds: process::cpu_seconds("self")? - own_cpu,
            ..run
        })
    }

    fn run(&self, direction: Direction, rate: f64, seconds: f64) -> Result<Step> {
        let from_clients = direction.comes_from_clients();
        let envelope = (!from_clients).then_some(&self.envelope);
        let messages = Messages::new(direction, envelope)?;
        let (sends, receives) = match direction {
            Direction::Up => (&self.client_sends, &self.server),
            Direction::RoundTrip => (&self.client_sends, &self.client_receives),
            Direction::Back | Direction::Granting => (&self.server, &self.client_receives),
        };
        let ends = AtomicBool::new(false);
        thread::scope(|scope| {
            let turns = (direction == Direction::RoundTrip).then(|| scope.spawn(|| self.turn(&ends)));
            let counts = scope.spawn(|| self.count(receives, &ends));
            let sent = self.send(sends, &messages, rate, seconds);
            ends.store(true, Ordering::Release);
            let (received, last) = counts.join().map_err(|_| anyhow!("a receiver panicked"))??;
            if let Some(turns) = turns {
                turns.join().map_err(|_| anyhow!("a turn panicked"))??;
            }
            let (sent, behind, end) = sent?;
            Ok(Step {
                seconds,
                sent,
                received,
                sender_late: behind > MAX_BEHIND,
                ending: last.map_or(Duration::MAX, |last| last.saturating_duration_since(end)),
                relay_cpu_seconds: 0.0,
                own_cpu_seconds: 0.0,
            })
        })
    }

    /// Sends what is due when it is due: how many, how late the latest was, and when the last went.
    fn send(
        &self,
        by: &UdpSocket,
        messages: &Messages,
        rate: f64,
        seconds: f64,
    ) -> Result<(u64, Duration, Instant)> {
        pin(&self.processors)?;
        let count = (rate * seconds) as u64;
        let begun = Instant::now();
        let due = |number: u64| Duration::from_secs_f64(number as f64 / rate);
        let (mut next, mut behind) = (0, Duration::ZERO);
        let mut train = messages.train();
        while next < count {
            let now = begun.elapsed();
            while next < count && due(next) <= now && !train.is_full() {
                behind = behind.max(now - due(next));
                train.add(|octets| messages.write(octets, next));
                next += 1;
            }
            train.send(by)?;
            let now = begun.elapsed();
            if next < count && due(next) > now {
                thread::sleep(due(next) - now);
            }
        }
        Ok((count, behind, Instant::now()))
    }

    /// Counts what comes, until nothing comes any more: how many, and when the last.
    fn count(&self, at: &UdpSocket, ends: &AtomicBool) -> Result<(u64, Option<Instant>)> {
        pin(&self.processors)?;
        let mut inbox = Inbox::new();
        let (mut received, mut last) = (0, None);
        loop {
            let has_ended = ends.load(Ordering::Acquire);
            if datagrams::wait(at, QUIET)? {
                received += inbox.receive(at)? as u64;
                last = Some(Instant::now());
            } else if has_ended {
                return Ok((received, last));
            }
        }
    }

    /// Answers what comes to the server, until nothing comes any more.
    fn turn(&self, ends: &AtomicBool) -> Result<()> {
        pin(&self.processors)?;
        let to = nix::sys::socket::getpeername(std::os::fd::AsRawFd::as_raw_fd(&self.server))?;
        let (mut inbox, mut outbox) = (Inbox::new(), Outbox::new());
        loop {
            let has_ended = ends.load(Ordering::Acquire);
            if datagrams::wait(&self.server, QUIET)? {
                inbox.receive(&self.server)?;
                for (octets, _) in inbox.datagrams() {
                    outbox.add(to, octets.len(), |into| {
                        into.copy_from_slice(octets);
                        self.envelope.turn_round(into);
                    });
                }
                outbox.send(&self.server)?;
            } else if has_ended {
                return Ok(());
            }
        }
    }

    /// Throws away what still comes of an earlier step.
    fn drain(&self) -> Result<()> {
        let mut inbox = Inbox::new();
        for socket in [&self.server, &self.client_receives] {
            while datagrams::wait(socket, QUIET)? {
                inbox.receive(socket)?;
            }
        }
        Ok(())
    }
}

/// What is sent in a direction.
struct Messages {
    template: Template,
    /// What a server's message has around it.
    begin: Vec<u8>,
}

impl Messages {
    fn new(direction: Direction, envelope: Option<&Envelope>) -> Result<Self> {
        let template = Template::compile(direction.message_type(), CASE, 0, &SERVER_ID)?;
        let begin = envelope.map_or(Vec::new(), |envelope| {
            let mut begin = envelope.wrap(&vec![0; template.len()]);
            begin.truncate(envelope.octets());
            begin
        });
        Ok(Self { template, begin })
    }

    fn train(&self) -> Train {
        Train::new(self.begin.len() + self.template.len())
    }

    fn write(&self, into: &mut [u8], number: u64) {
        let (begin, message) = into.split_at_mut(self.begin.len());
        begin.copy_from_slice(&self.begin);
        let client = Client(number % CLIENTS);
        self.template.write(message, client, TransactionId::from_number(number as u32), &leases(client));
    }
}

/// An address and a prefix that no other client has.
fn leases(client: Client) -> Leases {
    let [_, _, .., a, b] = client.0.to_be_bytes();
    let mut leases = Leases::NONE;
    leases.address[..6].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8, 0, 1]);
    leases.address[14..].copy_from_slice(&[a, b]);
    leases.prefix[..4].copy_from_slice(&[56, 0x3f, 0xff, 0]);
    leases.prefix[4..8].copy_from_slice(&[0, a, b, 0]);
    leases
}
