//! The generator: exchanges of new clients at a given rate, whatever the server does.
//!
//! Each sender is a thread with an address, a socket and a share of the exchanges of its own. An exchange is due at a time that
//! depends on the rate alone, and that is when its latency begins: a server that is slow is not asked less. Nothing is sent twice.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};

use super::answer::{self, Verdict};
use super::case::Case;
use super::flights::{Awaited, Flights, MAX_EXCHANGES};
use super::network::Network;
use super::sender::{Sender, random};
use super::step::Step;
use super::tally::{DROP_AFTER, ENDING, Tally};
use super::template::{Client, Leases, Questions};
use crate::bench::datagrams::{self, BATCH, Inbox, Train};
use crate::bench::process;
use crate::bench::processors::{Processors, pin};
use crate::bench::running::Running;

/// How long a server may take until it answers for the first time: it may have a million clients to load.
const START: Duration = Duration::from_secs(60);
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
        let senders = (0..processors.senders()).map(|number| Sender::open(number, case, network));
        let senders = senders.collect::<Result<_>>()?;
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
