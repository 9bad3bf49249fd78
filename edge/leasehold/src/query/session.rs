//! One server asked, over TCP or UDP: sockets and clocks around the pure requestor.
//!
//! A session blocks, because it has a thread of its own. It reads large pieces, and hands them on as
//! they are.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs, UdpSocket};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use requestor::{
    Asker, Backoff, BulkConnection, ClientRecord, Counters, DatagramQuery, Event, Gap, Outcome, Question,
    Warnings,
};
use wire::{CLIENT_PORT, Duid};
use world::{Chance, Deadline, Instant};

/// Octets read at once: enough for thousands of clients a system call.
const READ_OCTETS: usize = 256 * 1024;
/// Octets of the largest datagram.
const DATAGRAM_OCTETS: usize = 65_535;

/// Routers that a question to all servers of the site may pass, as many as a relayed message
/// (RFC 8415 §7.6). Without it the question would stay on the first link.
const MULTICAST_HOPS: u32 = 8;

/// Whom to ask.
#[derive(Debug, Clone)]
pub struct Server {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
}

/// What to ask, and how patiently.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) question: Question,
    pub(super) asker: Asker,
    pub(super) udp: bool,
    pub(super) data_timeout: Duration,
    pub(super) connect_timeout: Duration,
    pub(super) retries: u32,
    /// Whether clients are kept, and not only counted.
    pub(super) keeps_clients: bool,
    pub(super) clock: Clock,
}

/// What came of asking one server.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) address: String,
    pub(super) status: Status,
    /// Of the attempt that brought the most.
    pub(super) counters: Counters,
    /// From the first connection attempt to the end.
    pub(super) elapsed: Duration,
    /// From the question to the first octet of an answer.
    pub(super) first_reply: Option<Duration>,
    pub(super) warnings: Warnings,
    /// Of every attempt.
    pub(super) clients: Vec<ClientRecord>,
}

/// How it went with one server.
#[derive(Debug)]
pub(super) enum Status {
    Answered(Outcome),
    Unreachable(String),
}

impl Status {
    /// One word that does not change.
    pub(super) fn key(&self) -> &'static str {
        match self {
            Self::Answered(Outcome::Done) => "done",
            Self::Answered(Outcome::Empty) => "empty",
            Self::Answered(Outcome::Refused(_)) => "refused",
            Self::Answered(Outcome::Partial(_)) => "partial",
            Self::Answered(Outcome::Incomplete(_)) => "incomplete",
            Self::Unreachable(_) => "unreachable",
        }
    }

    /// A line for a person.
    pub(super) fn explanation(&self) -> String {
        match self {
            Self::Answered(Outcome::Done) => "all told".into(),
            Self::Answered(Outcome::Empty) => "no such binding".into(),
            Self::Answered(Outcome::Refused(refusal)) => {
                let hint = match refusal {
                    _ if refusal.blames_the_question() => "; the question has to change",
                    _ if refusal.suggests_another_server() => "; another server may know",
                    _ => "",
                };
                format!("refused: {refusal}{hint}")
            }
            Self::Answered(Outcome::Partial(refusal)) => format!("stopped midway: {refusal}"),
            Self::Answered(Outcome::Incomplete(gap)) => format!("answer incomplete: {gap}"),
            Self::Unreachable(why) => format!("unreachable: {why}"),
        }
    }

    fn deserves_retry(&self) -> bool {
        match self {
            Self::Answered(outcome) => outcome.is_terminated() || matches!(outcome, Outcome::Incomplete(_)),
            Self::Unreachable(_) => true,
        }
    }
}

/// The clock that never steps, from the start of the command.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock(std::time::Instant);

impl Clock {
    pub(super) fn start() -> Self {
        Self(std::time::Instant::now())
    }

    pub(super) fn now(self) -> Instant {
        Instant::since_start(self.0.elapsed())
    }

    /// How long until then; never nothing, because a socket takes that for "for ever".
    fn until<Why>(self, deadline: Option<Deadline<Why>>) -> Option<Duration> {
        Some(deadline?.at.since(self.now()).max(Duration::from_millis(1)))
    }
}

/// Random numbers that nobody can tell beforehand.
pub(super) fn chance() -> Chance {
    Chance::from_seed(RandomState::new().hash_one("leasehold query"))
}

/// A DUID for this run: of type UUID, random (RFC 6355).
pub(super) fn own_duid(chance: &mut Chance) -> Duid {
    let mut octets = [0; 18];
    octets[1] = 4;
    octets[2..10].copy_from_slice(&chance.next_u64().to_be_bytes());
    octets[10..].copy_from_slice(&chance.next_u64().to_be_bytes());
    Duid::new(&octets).expect("18 octets are a DUID")
}

/// A line on the terminal while data come in.
pub(super) struct Progress(ProgressBar);

impl Progress {
    pub(super) fn new(visible: bool) -> Self {
        if !visible {
            return Self(ProgressBar::hidden());
        }
        let style = ProgressStyle::with_template("{spinner} {human_pos} clients, {per_sec}, {elapsed}");
        let bar = ProgressBar::new_spinner();
        Self(style.map(|style| bar.clone().with_style(style)).unwrap_or(bar))
    }

    fn add(&self, clients: u64) {
        self.0.inc(clients);
    }

    pub(super) fn finish(&self) {
        self.0.finish_and_clear();
    }
}

/// Asks one server, again if the plan says so.
pub(super) fn ask(server: &Server, plan: &Plan, progress: &Progress) -> Report {
    let started = plan.clock.now();
    let mut report = Report {
        address: format!("{}", ServerName(server)),
        status: Status::Unreachable(String::new()),
        counters: Counters::default(),
        elapsed: Duration::ZERO,
        first_reply: None,
        warnings: Warnings::default(),
        clients: Vec::new(),
    };
    let (mut backoff, mut chance) = (Backoff::default(), chance());
    for attempt in 0..=plan.retries {
        let result = if plan.udp {
            ask_over_udp(server, plan, &mut report)
        } else {
            ask_over_tcp(server, plan, progress, &mut report)
        };
        report.status = result.unwrap_or_else(|error| Status::Unreachable(error.to_string()));
        if attempt == plan.retries || !report.status.deserves_retry() {
            break;
        }
        if matches!(&report.status, Status::Answered(outcome) if outcome.is_terminated()) {
            backoff.terminated();
        }
        std::thread::sleep(backoff.next_wait(&mut chance));
    }
    report.elapsed = plan.clock.now().since(started);
    report
}

struct ServerName<'a>(&'a Server);

impl std::fmt::Display for ServerName<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Server { host, port } = self.0;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

/// The server's addresses, IPv6 first.
fn resolve(server: &Server) -> io::Result<Vec<SocketAddr>> {
    let mut addresses: Vec<_> = (server.host.as_str(), server.port).to_socket_addrs()?.collect();
    addresses.sort_by_key(|address| !address.is_ipv6());
    Ok(addresses)
}

fn connect(server: &Server, timeout: Duration) -> io::Result<TcpStream> {
    let mut last = io::Error::new(ErrorKind::NotFound, "the name has no address");
    for address in resolve(server)? {
        match TcpStream::connect_timeout(&address, timeout) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn ask_over_tcp(
    server: &Server,
    plan: &Plan,
    progress: &Progress,
    report: &mut Report,
) -> io::Result<Status> {
    let stream = connect(server, plan.connect_timeout)?;
    stream.set_nodelay(true)?;
    let asked = plan.clock.now();
    let mut connection =
        BulkConnection::new(plan.asker.clone(), &mut chance(), asked).with_data_timeout(plan.data_timeout);
    connection
        .ask(&plan.question, asked)
        .map_err(|error| io::Error::new(ErrorKind::InvalidInput, error.to_string()))?;
    let mut outcome = None;
    let mut buffer = vec![0; READ_OCTETS];
    while outcome.is_none() {
        let before = connection.counters();
        let received = plan.clock.now();
        let mut sink = |event: Event<'_>| match event {
            Event::Client { client, .. } if plan.keeps_clients => {
                report.clients.push(ClientRecord::new(client, plan.clock.now().max(received)));
            }
            Event::Client { .. } => {}
            Event::Finished { outcome: end, .. } => outcome = Some(end),
        };
        turn(&stream, &mut connection, plan.clock, &mut buffer, &mut sink);
        let after = connection.counters();
        progress.add(after.clients - before.clients);
        if after.octets > 0 {
            report.first_reply.get_or_insert_with(|| plan.clock.now().since(asked));
        }
    }
    report.note(connection.counters(), connection.warnings());
    Ok(Status::Answered(outcome.expect("the loop ends with an outcome")))
}

/// Sends if there is something to send, and otherwise waits for what comes.
fn turn(
    mut stream: &TcpStream,
    connection: &mut BulkConnection,
    clock: Clock,
    buffer: &mut [u8],
    sink: &mut impl FnMut(Event<'_>),
) {
    let wait = clock.until(connection.next_deadline());
    if connection.output().is_empty() {
        let read = stream.set_read_timeout(wait).and_then(|()| stream.read(buffer));
        match read {
            Ok(0) => connection.peer_closed(sink),
            Ok(octets) => connection.receive(&buffer[..octets], clock.now(), sink),
            Err(error) if is_timeout(&error) => connection.tick(clock.now(), sink),
            Err(_) => connection.peer_closed(sink),
        }
    } else {
        let written = stream.set_write_timeout(wait).and_then(|()| stream.write(connection.output()));
        match written {
            Ok(octets) => connection.wrote(octets, clock.now()),
            Err(error) if is_timeout(&error) => connection.tick(clock.now(), sink),
            Err(_) => connection.peer_closed(sink),
        }
    }
}

fn ask_over_udp(server: &Server, plan: &Plan, report: &mut Report) -> io::Result<Status> {
    let socket = udp_socket(server)?;
    let asked = plan.clock.now();
    let mut query = DatagramQuery::new(plan.question.clone(), plan.asker.clone(), chance(), asked)
        .map_err(|error| io::Error::new(ErrorKind::InvalidInput, error.to_string()))?;
    let mut outcome = None;
    let mut buffer = vec![0; DATAGRAM_OCTETS];
    while outcome.is_none() {
        let mut sink = |event: Event<'_>| match event {
            Event::Client { client, .. } if plan.keeps_clients => {
                report.clients.push(ClientRecord::new(client, plan.clock.now()));
            }
            Event::Client { .. } => {}
            Event::Finished { outcome: end, .. } => outcome = Some(end),
        };
        if let Some(datagram) = query.tick(plan.clock.now(), &mut sink) {
            socket.send(datagram)?;
        }
        socket.set_wait(plan.clock.until(query.next_deadline()))?;
        match socket.receive(&mut buffer) {
            Ok(octets) => {
                query.receive(&buffer[..octets], plan.clock.now(), &mut sink);
                report.first_reply.get_or_insert_with(|| plan.clock.now().since(asked));
            }
            Err(error) if is_timeout(&error) => {}
            Err(error) => return Err(error),
        }
    }
    report.note(query.counters(), query.warnings());
    Ok(match outcome {
        Some(Outcome::Incomplete(Gap::Silent)) if query.counters().messages == 0 => {
            Status::Unreachable("no answer".into())
        }
        outcome => Status::Answered(outcome.expect("the loop ends with an outcome")),
    })
}

impl Report {
    fn note(&mut self, counters: Counters, warnings: &Warnings) {
        if counters.clients >= self.counters.clients {
            self.counters = counters;
        }
        self.warnings.absorb(warnings);
    }
}

/// A socket and whom it talks to. It hears that server only, unless it asks many at once.
struct Datagrams {
    socket: UdpSocket,
    to: SocketAddr,
}

/// Sends from port 546 where that is allowed: some servers answer to that port whatever the
/// question came from.
fn udp_socket(server: &Server) -> io::Result<Datagrams> {
    let mut addresses = resolve(server)?.into_iter();
    let to =
        addresses.next().ok_or_else(|| io::Error::new(ErrorKind::NotFound, "the name has no address"))?;
    let any = if to.is_ipv6() { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() };
    let bind = |port| UdpSocket::bind(SocketAddr::new(any, port));
    let socket = bind(CLIENT_PORT).or_else(|_| bind(0))?;
    if !to.ip().is_multicast() {
        socket.connect(to)?;
    } else if to.is_ipv6() {
        socket2::SockRef::from(&socket).set_multicast_hops_v6(MULTICAST_HOPS)?;
    }
    Ok(Datagrams { socket, to })
}

impl Datagrams {
    fn send(&self, datagram: &[u8]) -> io::Result<()> {
        if self.to.ip().is_multicast() {
            self.socket.send_to(datagram, self.to)?;
        } else {
            self.socket.send(datagram)?;
        }
        Ok(())
    }

    fn set_wait(&self, wait: Option<Duration>) -> io::Result<()> {
        // Nothing to wait for means that the outcome is known, and the loop is about to end.
        self.socket.set_read_timeout(Some(wait.unwrap_or(Duration::from_millis(1))))
    }

    fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.recv(buffer)
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}
