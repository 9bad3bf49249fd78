//! What a server has said in a Reply stays its client's, at that server and for at least that lifetime, until
//! the client gives it back or the server says otherwise.
//!
//! - It counts from when the Reply leaves, whether it arrives or not: it may have.
//! - What is given back is over when that reaches the server, whoever has sent it: nothing proves who a client is.
//!   The Reply to an earlier message may be on its way out then, waiting for its commit.
//! - A Reply is written when the question is heard and leaves when it is durable: so much later ([`SLACK_SECS`])
//!   the lifetime in it may end for the client.
//! - Lifetimes are counted by the server's time of day. When that steps, all that the server has said, and what
//!   was then waiting for its commit, is not judged; nor is what it has said when its clock has drifted since.
//! - A server that has read a configuration with shorter lifetimes grants those to a client that repeats itself,
//!   whose first Reply may still be waiting, and the Reply that says so may be lost. So what has been granted anew
//!   counts as it is in the table then, and what is said just after such a change is not judged.

use std::collections::BTreeMap;
use std::time::Duration;

use lease::{ClientKey, ClientView, LeaseState, LinkId, Resource, Seq};
use wire::{DuidRef, MessageType};
use world::Instant;

use super::Property;
use crate::faults::Fault;
use crate::nodes::{NodeId, Server};
use crate::plan::addresses;
use crate::reading::Said;
use crate::universe::{Datagram, Observed, Universe};

/// How long a commit takes, and parts of seconds that are rounded away.
const SLACK_SECS: u64 = 2;
/// The same where commits are slow: two of them, because a Reply may have to wait for the one that is under way.
const SLOW_SLACK_SECS: u64 = 14;

/// Remembers what was said.
#[derive(Debug, Default)]
pub(super) struct Acknowledged {
    servers: BTreeMap<usize, Promises>,
    exercised: u64,
}

#[derive(Debug, Default)]
struct Promises {
    made: BTreeMap<(ClientKey, Resource), Promise>,
    /// When a client has said last that it gives something up.
    given_up: BTreeMap<(ClientKey, Resource), Instant>,
    /// When the server's clocks, or its configuration, were others last.
    changed: Option<Instant>,
    /// The change that the table was looked at after, and whether anything was said since.
    seen: Option<Seq>,
    is_new: bool,
}

#[derive(Debug, Clone, Copy)]
struct Promise {
    /// By the server's time of day.
    said_unix_secs: u64,
    until_unix_secs: u64,
    /// How wrong that was then.
    error_secs: i64,
}

impl Property for Acknowledged {
    fn name(&self) -> &'static str {
        "acknowledged"
    }

    fn observe(&mut self, observed: &Observed, universe: &Universe) -> Result<(), String> {
        match observed {
            Observed::Sent(datagram @ Datagram { sender: NodeId::Server(number), .. }) => {
                self.said(*number, datagram, universe);
            }
            Observed::Arriving(NodeId::Server(number), datagram) => self.heard(*number, datagram, universe),
            Observed::Befell(Fault::ClockSteps | Fault::ClockDrifts, Some(NodeId::Server(number))) => {
                let promises = self.servers.entry(*number).or_default();
                promises.made.clear();
                promises.changed = Some(universe.now());
            }
            Observed::Befell(Fault::ReloadServer, Some(NodeId::Server(number))) => {
                self.servers.entry(*number).or_default().changed = Some(universe.now());
            }
            _ => {}
        }
        Ok(())
    }

    fn step(&mut self, universe: &Universe) -> Result<(), String> {
        for (number, promises) in &mut self.servers {
            let server = &universe.nodes.servers[*number];
            let seen = server.table().map(lease::Table::last_seq);
            if seen.is_none() || (seen == promises.seen && !promises.is_new) {
                continue;
            }
            (promises.seen, promises.is_new) = (seen, false);
            self.exercised += promises.made.len() as u64;
            promises.judge(server, universe)?;
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.exercised
    }
}

impl Acknowledged {
    fn said(&mut self, number: usize, datagram: &Datagram, universe: &Universe) {
        let Some(said) = Said::read_if(&datagram.octets, &[MessageType::Reply]) else { return };
        let server = &universe.nodes.servers[number];
        let (now, slack) = (universe.now(), slack_secs(universe));
        let (unix_secs, error_secs) = (server.now(now).unix_secs, server.clock.error_secs(now));
        let promises = self.servers.entry(number).or_default();
        let is_recent = |at: Instant| now.since(at) <= Duration::from_secs(slack);
        if promises.changed.is_some_and(is_recent) {
            return;
        }
        for lease in said.leases() {
            let Some(key) = key(&said, lease.resource) else { return };
            let about = (key, lease.resource);
            let is_given_up = promises.given_up.get(&about).is_some_and(|at| is_recent(*at));
            let until_unix_secs = (unix_secs + u64::from(lease.valid_secs)).saturating_sub(slack);
            if lease.valid_secs == 0 || is_given_up || until_unix_secs <= unix_secs {
                promises.made.remove(&about);
            } else {
                let promise = Promise { said_unix_secs: unix_secs, until_unix_secs, error_secs };
                promises.made.insert(about, promise);
                promises.is_new = true;
            }
        }
    }

    fn heard(&mut self, number: usize, datagram: &Datagram, universe: &Universe) {
        let gives_up = [MessageType::Release, MessageType::Decline];
        let Some(said) = Said::read_if(&datagram.octets, &gives_up) else { return };
        if said.server != Some(addresses::server_id(number).octets()) {
            return;
        }
        let promises = self.servers.entry(number).or_default();
        for lease in said.leases() {
            let Some(key) = key(&said, lease.resource) else { return };
            let about = (key, lease.resource);
            promises.made.remove(&about);
            promises.given_up.insert(about, universe.now());
        }
    }
}

impl Promises {
    fn judge(&mut self, server: &Server, universe: &Universe) -> Result<(), String> {
        let (now, error_secs) =
            (server.now(universe.now()).unix_secs, server.clock.error_secs(universe.now()));
        self.made.retain(|_, promise| now < promise.until_unix_secs && promise.error_secs == error_secs);
        // What one client was told stands together.
        let mut last: Option<(&ClientKey, Option<ClientView<'_>>)> = None;
        for ((key, resource), promise) in &mut self.made {
            let (_, client) = match last.take().filter(|(its, _)| *its == key) {
                Some(known) => last.insert(known),
                None => last.insert((key, server.table().and_then(|table| table.client(key)))),
            };
            let mut leases = client.iter().flat_map(ClientView::leases).map(|held| held.lease);
            let lease = leases.find(|lease| lease.resource == *resource && lease.state == LeaseState::Active);
            let end = lease.map(|lease| lease.until_unix_secs().unwrap_or(u64::MAX));
            let is_granted_anew =
                lease.is_some_and(|lease| lease.granted_unix_secs >= promise.said_unix_secs);
            match end {
                Some(end) if end >= promise.until_unix_secs => {}
                Some(end) if is_granted_anew => promise.until_unix_secs = end,
                end => {
                    let until = promise.until_unix_secs;
                    let has = end.map_or("has it not".to_owned(), |end| format!("has it until {end}"));
                    return Err(format!(
                        "{} has told {} on link {} that {resource} is its until {until} and {has}",
                        server.id(),
                        key.duid,
                        key.link,
                    ));
                }
            }
        }
        Ok(())
    }
}

fn slack_secs(universe: &Universe) -> u64 {
    let is_slow = universe.plan.faults.kinds().any(|fault| fault == Fault::SlowCommit);
    if is_slow { SLOW_SLACK_SECS } else { SLACK_SECS }
}

/// Whose it is, on the link that is in the very numbers of what is given out there.
fn key(said: &Said<'_>, resource: Resource) -> Option<ClientKey> {
    let address = match resource {
        Resource::Address(address) => address,
        Resource::Prefix(prefix) => prefix.address(),
    };
    let link = LinkId(address.segments()[2].into());
    Some(ClientKey { link, duid: DuidRef::new(said.client?).ok()?.to_duid() })
}
