//! What a transcript says of a server: its links, what it gives and to whom it tells.

mod held;
mod links;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use lease::{Client, Link};
use server::assign::Reservation;
use server::exchange::{Rules, Terms};
use server::leasequery::{Access, BulkLimits, Policy, Rule};
use wire::leasequery::QueryType;
use wire::{Duid, Prefix};

use super::cast::Cast;
use super::fault::Fault;
use super::lines::Line;
use super::site;
use super::value::{Kind, Slot, Value};
use super::words::Words;
use crate::nodes::server::Setup;
use links::offers;

/// A server, as written.
#[derive(Debug)]
pub(super) struct ServerSite {
    pub(super) setup: Setup,
    /// Its interfaces on segments of clients.
    pub(super) interfaces: Vec<(u32, u16)>,
    /// What is in its store at the beginning.
    pub(super) held: Vec<(Vec<u8>, Box<[u8]>)>,
}

/// What lines have said so far.
struct Reading<'a> {
    cast: &'a Cast,
    rules: Rules,
    policy: Policy,
    access: Vec<Rule>,
    links: Vec<Link>,
    reservations: Vec<Reservation>,
    rate: (u32, u32),
    offer_for: Duration,
    interfaces: Vec<(String, u16)>,
    held: Vec<Client>,
}

/// Reads what is said of a server.
pub(super) fn server(
    duid: Duid,
    lines: &[Line],
    cast: &Cast,
    segments: &mut BTreeMap<String, u16>,
) -> Result<ServerSite, Fault> {
    let mut reading = Reading {
        cast,
        rules: Rules::default(),
        policy: policy(duid.clone()),
        access: Vec::new(),
        links: Vec::new(),
        reservations: Vec::new(),
        rate: (100, 100),
        offer_for: Duration::from_secs(30),
        interfaces: Vec::new(),
        held: Vec::new(),
    };
    lines.iter().try_for_each(|line| reading.line(line, segments))?;
    Ok(reading.finish(duid))
}

fn policy(server_id: Duid) -> Policy {
    Policy {
        server_id,
        access: Access::default(),
        refuse_silently: false,
        sensitive_options: BTreeSet::new(),
        track_relays: true,
        relayed_hops: 0,
        bulk: BulkLimits::default(),
    }
}

/// What may be said of a server.
const SETTINGS: [&str; 25] = [
    "link",
    "interface",
    "offers",
    "allows",
    "refuses silently",
    "hides",
    "forgets relays",
    "relayed queries",
    "connections",
    "queries per connection",
    "queries per requestor",
    "data timeout",
    "idle timeout",
    "closes after its answers",
    "rate",
    "accepts unicast",
    "ignores",
    "grace",
    "remembers",
    "declined rest",
    "leases per client",
    "leases per Remote-ID",
    "relays may supply",
    "offer stands",
    "holds",
];

impl Reading<'_> {
    fn line(&mut self, line: &Line, segments: &mut BTreeMap<String, u16>) -> Result<(), Fault> {
        let mut words = Words::new(line.number, &line.text);
        let w = &mut words;
        let takes_lines = ["link", "offers", "holds"].iter().any(|word| w.peek() == Some(word));
        if w.take("link") {
            self.link(line, w)?;
        } else if w.take("interface") {
            let name = w.next("the name of an interface")?;
            w.expect("on")?;
            let segment = site::segment(segments, w.next("the name of a segment")?);
            self.interfaces.push((name.to_owned(), segment.0));
        } else if w.take("offers") {
            offers(&mut self.rules.options, line, w, self.cast)?;
        } else if w.take("allows") {
            self.allows(w)?;
        } else if w.take("holds") {
            self.holds(line, w)?;
        } else if self.of_queries(w)? || self.of_clients(w)? {
        } else {
            return Err(Fault::unknown(line.number, &line.text, SETTINGS));
        }
        words.end()?;
        match line.inside.first().filter(|_| !takes_lines) {
            Some(first) => {
                Err(Fault::new(first.number, "this line belongs to none", "the depth of its neighbours"))
            }
            None => Ok(()),
        }
    }

    /// Settings that are about queries.
    fn of_queries(&mut self, w: &mut Words<'_>) -> Result<bool, Fault> {
        let Policy { bulk, .. } = &mut self.policy;
        if w.take("refuses silently") {
            self.policy.refuse_silently = true;
        } else if w.take("hides") {
            self.policy.sensitive_options.insert(w.parse("the name of an option")?);
        } else if w.take("forgets relays") {
            self.policy.track_relays = false;
        } else if w.take("relayed queries") {
            self.policy.relayed_hops = w.number()?;
        } else if w.take("connections") {
            bulk.max_connections = w.number()?;
        } else if w.take("queries per connection") {
            bulk.max_queries_per_connection = w.number()?;
        } else if w.take("queries per requestor") {
            bulk.max_queries_per_requestor = w.number()?;
        } else if w.take("data timeout") {
            bulk.data_timeout = w.duration()?;
        } else if w.take("idle timeout") {
            bulk.idle_timeout = w.duration()?;
        } else if w.take("closes after its answers") {
            bulk.close_after_reply = true;
        } else if w.take("rate") {
            let each_second = w.number()?;
            w.expect("each second")?;
            self.rate = (each_second, each_second);
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// Settings that are about clients.
    fn of_clients(&mut self, w: &mut Words<'_>) -> Result<bool, Fault> {
        let rules = &mut self.rules;
        if w.take("accepts unicast") {
            rules.accept_unicast = true;
        } else if w.take("ignores") {
            rules.ignored_clients.insert(site::duid(w, self.cast)?);
        } else if w.take("grace") {
            rules.grace_secs = w.secs()?;
        } else if w.take("remembers") {
            rules.remember_secs = w.secs()?;
        } else if w.take("declined rest") {
            rules.decline_rest_secs = w.secs()?;
        } else if w.take("leases per client") {
            rules.max_leases_per_client = w.number()?;
        } else if w.take("leases per Remote-ID") {
            rules.max_leases_per_remote_id = Some(w.number()?);
        } else if w.take("relays may supply") {
            while !w.is_empty() {
                rules.relay_supplied.insert(w.parse("the name of an option")?);
            }
        } else if w.take("offer stands") {
            self.offer_for = w.duration()?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn allows(&mut self, w: &mut Words<'_>) -> Result<(), Fault> {
        let from = match w.peek().and_then(|name| self.cast.address(name)) {
            Some(address) => {
                w.next("")?;
                Prefix::new(address, 128).expect("128 bits")
            }
            None => w.prefix()?,
        };
        let mut queries = Vec::new();
        while !w.is_empty() {
            if let Slot::Is(Value::Number(number)) = Kind::Query.read(w, self.cast)? {
                queries.push(QueryType(number as u8));
            }
        }
        self.access.push(Rule { from, queries: (!queries.is_empty()).then_some(queries) });
        Ok(())
    }
}

impl Reading<'_> {
    fn finish(self, server_id: Duid) -> ServerSite {
        let Self {
            rules, policy, access, mut links, reservations, rate, offer_for, interfaces, held, ..
        } = self;
        links.sort_by_key(|link| link.id);
        let access = Access::new(access);
        let numbered = (1..).zip(&interfaces);
        let interfaces_on = numbered.clone().map(|(number, (_, segment))| (number, *segment)).collect();
        let setup = Setup {
            terms: Terms { server_id, rules },
            policy: Policy { access, ..policy },
            links,
            reservations,
            offer_for,
            rate,
            interfaces: numbered.map(|(number, (name, _))| (number, name.clone())).collect(),
        };
        let held = held.iter().map(|client| (lease::image::key(&client.key), lease::image::encode(client)));
        ServerSite { setup, interfaces: interfaces_on, held: held.collect() }
    }
}
