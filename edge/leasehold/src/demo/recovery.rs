//! The requestor that has lost everything: it asks over one TCP connection, by Relay-ID.

use std::io::{Read, Write};
use std::net::{Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, bail};
use indicatif::ProgressBar;
use requestor::{Asker, BulkConnection, ClientData, Counters, Event, Outcome, Question, Resource};
use wire::{Duid, DuidRef, OptionCode, Prefix};
use world::Chance;

use super::duid_of_demo;
use super::held::{Held, Holding};
use crate::clock::Clock;
use crate::import::progress_bar;

/// Questions open at once: as many as a server answers at once.
const MAX_OPEN: usize = 4;
/// Octets read at once: thousands of clients a system call.
const READ_OCTETS: usize = 256 * 1024;
/// A server on the same host that is silent for so long is broken.
const SILENCE: Duration = Duration::from_secs(30);
/// Delegations that are kept to be shown.
const MAX_SHOWN: usize = 10;

/// What was told.
#[derive(Debug, Default)]
pub(super) struct Recovery {
    /// Who holds what, in the order told.
    pub(super) holdings: Vec<Holding>,
    /// The first delegations.
    pub(super) shown: Vec<Delegation>,
    /// Questions that were not answered in full, and why.
    pub(super) failures: Vec<String>,
    pub(super) counters: Counters,
    /// From the first question to the first octet of an answer.
    pub(super) first_reply: Duration,
    /// From before the connection was made to the last LEASEQUERY-DONE.
    pub(super) elapsed: Duration,
}

/// All that a router needs for a route to a delegated prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Delegation {
    pub(super) prefix: Prefix,
    pub(super) next_hop: Ipv6Addr,
    pub(super) interface_id: Option<Vec<u8>>,
    pub(super) valid_secs: u32,
    pub(super) client: Duid,
}

/// Asks for everything that was leased through the relays of `held`; of what else is in there, only
/// the number is used, for the bar.
pub(super) fn recover(server: SocketAddr, held: &Held) -> anyhow::Result<Recovery> {
    let bar = progress_bar("recovering", held.by_relay.len() as u64, "{human_pos}/{human_len} bindings");
    let clock = Clock::start();
    let mut stream = TcpStream::connect(server).with_context(|| format!("cannot connect to {server}"))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(SILENCE))?;
    let mut requestor = Requestor::new(held.relays.iter(), clock);
    let mut buffer = vec![0; READ_OCTETS];
    while requestor.ask_more()? {
        stream.write_all(requestor.connection.output()).context("cannot ask")?;
        requestor.wrote();
        let octets = stream.read(&mut buffer).context("the server fell silent")?;
        requestor.receive(&buffer[..octets], &bar)?;
    }
    bar.finish_and_clear();
    let counters = requestor.connection.counters();
    Ok(Recovery { counters, elapsed: clock.now().instant.since(Default::default()), ..requestor.recovery })
}

struct Requestor<'a, Relays> {
    relays: Relays,
    open: Vec<(wire::TransactionId, &'a Duid)>,
    connection: BulkConnection,
    clock: Clock,
    asked: world::Instant,
    recovery: Recovery,
}

impl<'a, Relays: Iterator<Item = &'a Duid>> Requestor<'a, Relays> {
    fn new(relays: Relays, clock: Clock) -> Self {
        let asker = Asker { client_id: duid_of_demo(2), server_id: None };
        let asked = clock.now().instant;
        Self {
            relays,
            open: Vec::new(),
            connection: BulkConnection::new(asker, &mut Chance::from_seed(0), asked),
            clock,
            asked,
            recovery: Recovery::default(),
        }
    }

    /// Asks as many questions as may be open; `false` if all have been answered.
    fn ask_more(&mut self) -> anyhow::Result<bool> {
        while self.open.len() < MAX_OPEN
            && let Some(relay) = self.relays.next()
        {
            let question = Question::by_relay(relay.clone()).requesting(&[OptionCode::LQ_RELAY_DATA]);
            let id = self.connection.ask(&question, self.clock.now().instant).context("cannot ask")?;
            self.open.push((id, relay));
        }
        Ok(!self.open.is_empty())
    }

    fn wrote(&mut self) {
        let octets = self.connection.output().len();
        self.connection.wrote(octets, self.clock.now().instant);
    }

    fn receive(&mut self, octets: &[u8], bar: &ProgressBar) -> anyhow::Result<()> {
        if octets.is_empty() {
            bail!("the server closed the connection");
        }
        let now = self.clock.now().instant;
        if self.recovery.first_reply.is_zero() {
            self.recovery.first_reply = now.since(self.asked);
        }
        let Self { connection, open, recovery, .. } = self;
        let before = connection.counters().bindings;
        connection.receive(octets, now, &mut |event| match event {
            Event::Client { client, .. } => recovery.note_client(client),
            Event::Finished { query, outcome } => {
                open.retain(|(id, relay)| {
                    if *id == query {
                        recovery.note_end(relay.as_ref(), &outcome);
                    }
                    *id != query
                });
            }
        });
        bar.inc(connection.counters().bindings - before);
        Ok(())
    }
}

impl Recovery {
    fn note_client(&mut self, client: &ClientData<'_>) {
        for lease in client.leases() {
            self.holdings.push((client.client_id.to_duid(), lease.resource));
            if self.shown.len() < MAX_SHOWN
                && let (Resource::Prefix(prefix), Some(path)) = (lease.resource, client.relay_path)
                && !self.shown.iter().any(|delegation| delegation.prefix == prefix)
            {
                self.shown.push(Delegation {
                    prefix,
                    next_hop: path.innermost().peer_address,
                    interface_id: path.innermost().interface_id().map(<[u8]>::to_vec),
                    valid_secs: lease.valid_secs,
                    client: client.client_id.to_duid(),
                });
            }
        }
    }

    fn note_end(&mut self, relay: DuidRef<'_>, outcome: &Outcome) {
        let why = match outcome {
            Outcome::Done | Outcome::Empty => return,
            Outcome::Refused(refusal) => format!("refused: {refusal}"),
            Outcome::Partial(refusal) => format!("stopped midway: {refusal}"),
            Outcome::Incomplete(gap) => gap.to_string(),
        };
        self.failures.push(format!("relay {relay}: {why}"));
    }
}
