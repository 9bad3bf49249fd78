//! The generator: exchanges of new clients at a given rate, whatever the server does.
//!
//! Each sender is a thread with an address, a socket and a share of the exchanges of its own. An exchange is due at a time that
//! depends on the rate alone, and that is when its latency begins: a server that is slow is not asked less. Nothing is sent twice.

use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv6Addr, SocketAddrV6, UdpSocket};
use std::os::fd::AsRawFd;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrIn6, bind, setsockopt, socket, sockopt};
use wire::{CLIENT_PORT, MessageType, SERVER_PORT};

use super::answer::{self, Verdict};
use super::case::{Case, Way};
use super::datagrams::{self, BATCH, Inbox, Train};
use super::flights::{Awaited, Flights, MAX_EXCHANGES};
use super::network::{CLIENT_INTERFACE, Network, SERVER, client_address, relay_address};
use super::processors::{Processors, pin};
use super::servers::Running;
use super::step::Step;
use super::tally::{DROP_AFTER, ENDING, Tally};
use super::template::{Client, Leases, Questions};
use crate::bench::process;

/// All_DHCP_Relay_Agents_and_Servers (RFC 9915 §7.1).
const ALL_SERVERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2);
/// How long a server may take until it answers for the first time: it may have a million clients to load.
const START: Duration = Duration::from_secs(60);
/// How long the first answer is waited for before the next try.
const TRY: Duration = Duration::from_millis(100);
/// Answers to an earlier step have ended when there is none for so long.
const QUIET: Duration = Duration::from_millis(200);
/// A generator that is so far behind has not kept its pace: less than what drops an exchange, more than a hiccup.
const MAX_BEHIND: Duration = Duration::from_millis(100);

/// All senders, for one case and one server.
pub(super) struct Generator {
    case: Case,
    senders: Vec<Sender>,
    processors: Vec<usize>,
    next_client: u64,
}

impl Generator {
    /// Waits until the server answers, and learns its DUID.
    pub(super) fn meet(
        case: Case,
        network: &Network,
        processors: &Processors,
        server: &mut Running,
    ) -> Result<Self> {
        let interface = network.client.interface_number(CLIENT_INTERFACE)?;
        let (to, scope) = match case.way {
            Way::Direct => (ALL_SERVERS, interface),
            Way::Relayed => (SERVER, 0),
        };
        let to = SocketAddrV6::new(to, SERVER_PORT, 0, scope);
        let mut senders = Vec::new();
        for number in 0..processors.senders() {
            let at = match case.way {
                Way::Direct => SocketAddrV6::new(client_address(number), CLIENT_PORT, 0, interface),
                Way::Relayed => SocketAddrV6::new(relay_address(number), SERVER_PORT, 0, 0),
            };
            let (receives, sends) = network.client.within(|| sockets(at, to))?;
            senders.push(Sender {
                number,
                receives,
                sends,
                questions: Questions::compile(case, number, &[])?,
            });
        }
        let mut generator = Self { case, senders, processors: processors.generator.clone(), next_client: 1 };
        let server_id = generator.first_answer(server)?;
        for sender in &mut generator.senders {
            sender.questions = Questions::compile(case, sender.number, &server_id)?;
        }
        Ok(generator)
    }

    /// Asks until the server answers; returns its DUID.
    fn first_answer(&mut self, server: &mut Running) -> Result<Vec<u8>> {
        let begun = Instant::now();
        while begun.elapsed() < START {
            server.ensure_running()?;
            let client = Client(self.next_client);
            self.next_client += 1;
            if let Some(server_id) = self.senders[0].ask_once(self.case, client)? {
                return Ok(server_id);
            }
        }
        bail!("no Advertise in {} s; {}", START.as_secs(), server.last_words())
    }

    /// Makes a step.
    pub(super) fn step(&mut self, rate: f64, seconds: f64, server: &Running) -> Result<Step> {
        for sender in &self.senders {
            sender.drain()?;
        }
        let (server_cpu, own_cpu) = (server.cpu_seconds()?, process::cpu_seconds("self")?);
        let tally = self.run(rate, seconds)?;
        Ok(Step {
            seconds,
            generator_late: tally.behind > MAX_BEHIND,
            server_cpu_seconds: server.cpu_seconds()? - server_cpu,
            generator_cpu_seconds: process::cpu_seconds("self")? - own_cpu,
            tally,
        })
    }

    fn run(&mut self, rate: f64, seconds: f64) -> Result<Tally> {
        let count = ((rate * seconds) as u64).clamp(1, MAX_EXCHANGES);
        let (case, first_client) = (self.case, self.next_client);
        self.next_client += count;
        let pace = Pace { start: Instant::now(), rate, count, senders: self.senders.len() as u64 };
        let processors = &self.processors;
        let tallies = thread::scope(|scope| {
            let spawn = |sender| {
                scope.spawn(move || {
                    pin(processors)?;
                    Run::new(sender, pace, case, first_client)?.finish()
                })
            };
            let running: Vec<_> = self.senders.iter().map(spawn).collect();
            let ended =
                running.into_iter().map(|sender| sender.join().map_err(|_| anyhow!("a sender panicked"))?);
            ended.collect::<Result<Vec<Tally>>>()
        })?;
        let mut all = Tally::new()?;
        for tally in &tallies {
            all.add(tally)?;
        }
        Ok(all)
    }
}

/// The socket that receives and the one that sends. The latter is connected, which makes sending cheaper; what answers a
/// multicast comes from an address that it is not connected to, and so the former is another one then.
fn sockets(at: SocketAddrV6, to: SocketAddrV6) -> Result<(UdpSocket, UdpSocket)> {
    let open = || -> Result<UdpSocket> {
        let socket = socket(AddressFamily::Inet6, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)?;
        setsockopt(&socket, sockopt::ReusePort, &true)?;
        bind(socket.as_raw_fd(), &SockaddrIn6::from(at)).with_context(|| format!("cannot bind {at}"))?;
        let socket = UdpSocket::from(socket);
        datagrams::prepare(&socket)?;
        Ok(socket)
    };
    let sends = open()?;
    sends.connect(to)?;
    let receives = if to.ip().is_multicast() { open()? } else { sends.try_clone()? };
    Ok((receives, sends))
}

/// Sends a share of the exchanges.
struct Sender {
    number: u16,
    receives: UdpSocket,
    sends: UdpSocket,
    questions: Questions,
}

impl Sender {
    /// Sends a Solicit; the server's DUID, if an Advertise comes soon.
    fn ask_once(&self, case: Case, client: Client) -> Result<Option<Vec<u8>>> {
        let mut flights = Flights::new(1, random());
        let id = flights.begin(0);
        let solicit = &self.questions.solicit;
        let mut train = Train::new(solicit.len());
        train.add(|octets| solicit.write(octets, client, id, &Leases::NONE));
        train.send(&self.sends)?;
        let mut inbox = Inbox::new();
        while datagrams::wait(&self.receives, TRY)? {
            inbox.receive(&self.receives)?;
            for (octets, _) in inbox.datagrams() {
                let Some(message) = answer::unwrap(octets, case.way) else { continue };
                if message.message_type == MessageType::Advertise && message.transaction_id == id {
                    let server_id = message.options.server_id()?.context("an Advertise without SERVERID")?;
                    return Ok(Some(server_id.octets().to_vec()));
                }
            }
        }
        Ok(None)
    }

    /// Throws away what still comes of an earlier step.
    fn drain(&self) -> Result<()> {
        let mut inbox = Inbox::new();
        let begun = Instant::now();
        while begun.elapsed() < START && datagrams::wait(&self.receives, QUIET)? {
            inbox.receive(&self.receives)?;
        }
        Ok(())
    }
}

/// When which exchange is due.
#[derive(Clone, Copy)]
struct Pace {
    start: Instant,
    rate: f64,
    /// Exchanges of all senders together.
    count: u64,
    senders: u64,
}

impl Pace {
    /// When the exchange with this number is due, after the start.
    fn due(&self, number: u64) -> Duration {
        Duration::from_secs_f64(number as f64 / self.rate)
    }
}

/// A sender in a step.
struct Run<'a> {
    sender: &'a Sender,
    pace: Pace,
    case: Case,
    first_client: u64,
    /// The next exchange to begin.
    next: u64,
    /// Exchanges that wait for an answer, among them those that are lost.
    open: u64,
    flights: Flights,
    solicits: Train,
    requests: Train,
    tally: Tally,
}

impl<'a> Run<'a> {
    fn new(sender: &'a Sender, pace: Pace, case: Case, first_client: u64) -> Result<Self> {
        // As many as are begun until the first of them is dropped, and a little more: twice.
        let at_once = 2.0 * pace.rate / pace.senders as f64 * DROP_AFTER.as_secs_f64() + BATCH as f64;
        Ok(Self {
            sender,
            pace,
            case,
            first_client,
            next: u64::from(sender.number),
            open: 0,
            flights: Flights::new(at_once as usize, random()),
            solicits: Train::new(sender.questions.solicit.len()),
            requests: Train::new(sender.questions.request.len()),
            tally: Tally::new()?,
        })
    }

    fn finish(mut self) -> Result<Tally> {
        let mut inbox = Inbox::new();
        let end = self.pace.due(self.pace.count) + DROP_AFTER;
        loop {
            self.begin_due();
            self.solicits.send(&self.sender.sends)?;
            let received = inbox.receive(&self.sender.receives)?;
            let now = self.pace.start.elapsed();
            for (octets, _) in inbox.datagrams() {
                self.take(octets, now);
            }
            self.requests.send(&self.sender.sends)?;
            let (now, all_begun) = (self.pace.start.elapsed(), self.next >= self.pace.count);
            if all_begun && (self.open == 0 || now > end) {
                return Ok(self.tally);
            }
            let until = if all_begun { end } else { self.pace.due(self.next) };
            if received == 0 && until > now {
                datagrams::wait(&self.sender.receives, until - now)?;
            }
        }
    }

    /// Writes the Solicits that are due.
    fn begin_due(&mut self) {
        let now = self.pace.start.elapsed();
        let solicit = &self.sender.questions.solicit;
        while self.next < self.pace.count && !self.solicits.is_full() {
            let due = self.pace.due(self.next);
            if due > now {
                break;
            }
            let client = Client(self.first_client + self.next);
            let number = self.place(self.next);
            let id = self.flights.begin(number);
            self.solicits.add(|octets| solicit.write(octets, client, id, &Leases::NONE));
            self.tally.messages.solicits += 1;
            self.tally.behind = self.tally.behind.max(now - due);
            self.open += 1;
            self.next += self.pace.senders;
        }
    }

    /// Takes what has been received, and goes on with its exchange.
    fn take(&mut self, octets: &[u8], now: Duration) {
        let Some(message) = answer::unwrap(octets, self.case.way) else {
            self.tally.messages.strays += 1;
            return;
        };
        let Some((place, awaited)) = self.flights.find(message.transaction_id) else {
            self.tally.messages.strays += 1;
            return;
        };
        let number = u64::from(place) * self.pace.senders + u64::from(self.sender.number);
        let client = Client(self.first_client + number);
        let duid_begin = &self.sender.questions.duid_begin;
        match (answer::judge(&message, awaited, client, duid_begin, self.case), awaited) {
            (Verdict::Invalid, _) => self.tally.messages.strays += 1,
            (Verdict::Refused, _) => {
                self.tally.messages.refusals += 1;
                self.close(place);
            }
            (Verdict::Granted(leases), Awaited::Advertise) => {
                self.tally.messages.advertises += 1;
                self.request(place, client, &leases);
            }
            (Verdict::Granted(_), Awaited::Reply) => {
                let is_ending = number >= self.pace.count - self.pace.count / ENDING;
                self.tally.note_reply(now.saturating_sub(self.pace.due(number)), is_ending);
                self.close(place);
            }
        }
    }

    /// Asks for what has been offered.
    fn request(&mut self, place: u32, client: Client, leases: &Leases) {
        let request = &self.sender.questions.request;
        let id = self.flights.go_on(place);
        self.requests.add(|octets| request.write(octets, client, id, leases));
        self.tally.messages.requests += 1;
    }

    fn close(&mut self, place: u32) {
        self.flights.end(place);
        self.open -= 1;
    }

    /// The number of an exchange among those of this sender.
    fn place(&self, number: u64) -> u32 {
        (number / self.pace.senders) as u32
    }
}

/// What nobody can foresee.
fn random() -> u32 {
    RandomState::new().hash_one(0) as u32
}
