//! What a transcript says of a server: its links, what it gives and to whom it tells.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv6Addr;
use std::time::Duration;

use lease::{
    AddressPool, Binding, Client, ClientKey, DelegationPool, Heard, IaKind, InterfacePattern, Lease,
    LeaseState, Link, LinkId, RelayPath, Resource,
};
use server::assign::{Reservation, Subscriber};
use server::exchange::{LinkTerms, OfferedOptions, Rules, Terms};
use server::leasequery::{Access, BulkLimits, Policy, Rule};
use wire::leasequery::QueryType;
use wire::{Duid, Iaid, Options, Prefix};

use super::cast::Cast;
use super::fault::Fault;
use super::lines::Line;
use super::message::{self, Context, Purpose};
use super::octets;
use super::site;
use super::value::{Bindings, Kind, Slot, Value};
use super::words::Words;
use crate::nodes::server::Setup;
use crate::universe::START_UNIX_SECS;

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

/// What may be said of a link.
const LINK_SETTINGS: [&str; 14] = [
    "prefix",
    "interface",
    "relay-address",
    "interface-id",
    "relay-id",
    "addresses",
    "delegates",
    "lifetimes",
    "times",
    "rapid commit",
    "binds nothing on Renew",
    "reconfigure",
    "offers",
    "reserves",
];

/// Links.
impl Reading<'_> {
    fn link(&mut self, line: &Line, w: &mut Words<'_>) -> Result<(), Fault> {
        let id = LinkId(w.number()?);
        let mut link = Link { id, name: format!("link {id}"), ..Link::default() };
        let mut terms = LinkTerms::default();
        for line in &line.inside {
            let mut words = Words::new(line.number, &line.text);
            if !self.of_link(&mut link, &mut words)? && !self.of_terms(id, &mut terms, line, &mut words)? {
                return Err(Fault::unknown(line.number, &line.text, LINK_SETTINGS));
            }
            words.end()?;
        }
        self.links.push(link);
        self.rules.links.insert(id, terms);
        Ok(())
    }

    fn of_link(&mut self, link: &mut Link, w: &mut Words<'_>) -> Result<bool, Fault> {
        if w.take("prefix") {
            link.prefixes.push(w.prefix()?);
        } else if w.take("interface") {
            link.interfaces.push(InterfacePattern(w.next("the name of an interface")?.to_owned()));
        } else if w.take("relay-address") {
            link.relay_addresses.push(w.address()?);
        } else if w.take("interface-id") {
            link.interface_ids.push(w.octets()?.into());
        } else if w.take("relay-id") {
            link.relay_ids.push(site::duid(w, self.cast)?);
        } else if w.take("addresses") {
            let first = w.address()?;
            w.expect("to")?;
            link.address_pools.push(AddressPool { first, last: w.address()? });
        } else if w.take("delegates") {
            let prefix = w.prefix()?;
            w.expect("in")?;
            let length = w.next("a length such as /56")?;
            let delegated_length = length.strip_prefix('/').and_then(|length| length.parse().ok());
            let delegated_length = delegated_length
                .ok_or_else(|| Fault::new(w.line, format!("{length} is no length"), "/56"))?;
            let excluded = if w.take("excluding") { Some(w.prefix()?) } else { None };
            link.delegation_pools.push(DelegationPool { prefix, delegated_length, excluded });
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn of_terms(
        &mut self,
        link: LinkId,
        terms: &mut LinkTerms,
        line: &Line,
        w: &mut Words<'_>,
    ) -> Result<bool, Fault> {
        if w.take("lifetimes") {
            (terms.preferred_secs, terms.valid_secs) = (lifetime(w)?, lifetime(w)?);
        } else if w.take("times") {
            (terms.t1_secs, terms.t2_secs) = (Some(lifetime(w)?), Some(lifetime(w)?));
        } else if w.take("rapid commit") {
            terms.rapid_commit = true;
        } else if w.take("binds nothing on Renew") {
            terms.bind_on_renew = false;
        } else if w.take("reconfigure") {
            terms.reconfigure = true;
        } else if w.take("offers") {
            offers(&mut terms.options, line, w, self.cast)?;
        } else if w.take("reserves") {
            let reserved = self.reserved(link, line, w)?;
            self.reservations.push(reserved);
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn reserved(&self, link: LinkId, line: &Line, w: &mut Words<'_>) -> Result<Reservation, Fault> {
        let (mut addresses, mut prefixes) = (Vec::new(), Vec::new());
        while !w.take("for") {
            let word = w.next("addresses and prefixes, and for whom")?;
            match (word.parse(), word.parse()) {
                (Ok(address), _) => addresses.push(address),
                (_, Ok(prefix)) => prefixes.push(prefix),
                _ => return Err(Fault::new(w.line, format!("{word} is neither"), "an address or a prefix")),
            }
        }
        let subscriber = if w.take("Remote-ID") {
            let enterprise: u32 = w.number()?;
            let value = [enterprise.to_be_bytes().as_slice(), &w.octets()?].concat();
            Subscriber::RemoteId(None, value.into())
        } else if w.take("Interface-ID") {
            let value = w.octets()?;
            w.expect("of")?;
            Subscriber::InterfaceId(site::duid(w, self.cast)?, value.into())
        } else {
            Subscriber::Client(site::duid(w, self.cast)?)
        };
        let mut options = OfferedOptions::default();
        add_options(&mut options, line, self.cast)?;
        Ok(Reservation { link, subscriber, addresses, prefixes, options })
    }
}

/// Seconds, or for ever.
fn lifetime(w: &mut Words<'_>) -> Result<u32, Fault> {
    if w.take("infinite") { Ok(wire::INFINITE) } else { w.secs() }
}

/// Options on offer, indented below the line; `always` has them sent unasked.
fn offers(options: &mut OfferedOptions, line: &Line, w: &mut Words<'_>, cast: &Cast) -> Result<(), Fault> {
    let always = w.take("always");
    let codes = add_options(options, line, cast)?;
    if always {
        codes.into_iter().for_each(|code| options.always(code));
    }
    Ok(())
}

fn add_options(
    options: &mut OfferedOptions,
    line: &Line,
    cast: &Cast,
) -> Result<Vec<wire::OptionCode>, Fault> {
    let contents = message::contents(&line.inside, Context { cast, purpose: Purpose::Sent })?;
    let octets = octets::encode_options(&contents, &Bindings::new())
        .map_err(|what| Fault::new(line.number, what, "values"))?;
    let offered = Options::new(&octets).expect("they have just been written");
    offered.iter().for_each(|option| options.add(option.code, option.data));
    Ok(offered.iter().map(|option| option.code).collect())
}

/// What is in the store at the beginning.
impl Reading<'_> {
    fn holds(&mut self, line: &Line, w: &mut Words<'_>) -> Result<(), Fault> {
        if w.take("many") {
            return self.holds_many(w);
        }
        let duid = site::duid(w, self.cast)?;
        w.expect("on link")?;
        let key = ClientKey { link: LinkId(w.number()?), duid };
        w.expect("heard")?;
        let at_unix_secs = START_UNIX_SECS - u64::from(w.secs()?);
        w.expect("ago")?;
        let from = if w.take("from") { w.address()? } else { Ipv6Addr::UNSPECIFIED };
        let (path, options): (Vec<&Line>, Vec<&Line>) =
            line.inside.iter().partition(|line| line.text.starts_with("RELAY-FORW"));
        let context = Context { cast: self.cast, purpose: Purpose::Sent };
        let no_path = |line: &Line| Fault::new(line.number, "this is no path of relays", "nested RELAY-FORW");
        let path = path.first().map(|line| {
            let message = message::message(line, context)?;
            let octets = octets::encode(&message, &Bindings::new()).map_err(|_| no_path(line))?;
            RelayPath::new(from, &octets).map_err(|_| no_path(line))
        });
        let options: Vec<Line> = options.into_iter().cloned().collect();
        let contents = message::contents(&options, context)?;
        let written = octets::encode_options(&contents, &Bindings::new());
        let written = written.map_err(|what| Fault::new(line.number, what, "values"))?;
        let held = Options::new(&written).expect("they have just been written");
        let bindings = bindings(held, at_unix_secs);
        let bindings =
            bindings.ok_or_else(|| Fault::new(line.number, "its leases are wrong", "IA_NA and IA_PD"))?;
        let kept = held.iter().filter(|option| !is_ia(option.code));
        self.held.push(Client {
            key,
            heard: Heard { at_unix_secs, path: path.transpose()? },
            options: kept.map(|option| (option.code, option.data.into())).collect(),
            reconfigure: None,
            bindings,
        });
        Ok(())
    }

    /// `holds many 5000 on link 1 from 2001:db8:1::1:0`: so many clients, each with the next address.
    fn holds_many(&mut self, w: &mut Words<'_>) -> Result<(), Fault> {
        let count: u32 = w.number()?;
        w.expect("on link")?;
        let link = LinkId(w.number()?);
        w.expect("from")?;
        let first = w.address()?;
        for number in 0..count {
            let duid = [[0, 2].as_slice(), &number.to_be_bytes()].concat();
            let lease = Lease {
                resource: Resource::Address(Ipv6Addr::from_bits(first.to_bits() + u128::from(number))),
                state: LeaseState::Active,
                granted_unix_secs: START_UNIX_SECS,
                preferred_secs: wire::INFINITE,
                valid_secs: wire::INFINITE,
                excluded: None,
            };
            self.held.push(Client {
                key: ClientKey { link, duid: Duid::new(&duid).expect("six octets") },
                heard: Heard { at_unix_secs: START_UNIX_SECS, path: None },
                options: Vec::new(),
                reconfigure: None,
                bindings: vec![Binding { kind: IaKind::Address, iaid: Iaid(1), leases: vec![lease] }],
            });
        }
        Ok(())
    }

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

fn is_ia(code: wire::OptionCode) -> bool {
    [wire::OptionCode::IA_NA, wire::OptionCode::IA_PD].contains(&code)
}

fn bindings(options: Options<'_>, granted_unix_secs: u64) -> Option<Vec<Binding>> {
    options.ias().map(|ia| binding(ia.ok()?, granted_unix_secs)).collect()
}

fn binding((kind, ia): (IaKind, wire::Ia<'_>), granted_unix_secs: u64) -> Option<Binding> {
    let lease = |resource, preferred_secs, valid_secs, excluded| Lease {
        resource,
        state: LeaseState::Active,
        granted_unix_secs,
        preferred_secs,
        valid_secs,
        excluded,
    };
    let mut leases = Vec::new();
    for held in ia.options.ia_addresses() {
        let held = held.ok()?;
        leases.push(lease(Resource::Address(held.address), held.preferred_secs, held.valid_secs, None));
    }
    for held in ia.options.ia_prefixes() {
        let held = held.ok()?;
        let excluded = held.options.first(wire::OptionCode::PD_EXCLUDE);
        let excluded = excluded.and_then(|data| excluded_from(held.prefix, data));
        leases.push(lease(Resource::Prefix(held.prefix), held.preferred_secs, held.valid_secs, excluded));
    }
    Some(Binding { kind, iaid: Iaid(ia.iaid.0), leases })
}

fn excluded_from(delegated: Prefix, data: &[u8]) -> Option<Prefix> {
    let around = (delegated.address(), delegated.length());
    match Kind::Excluded.sent(Some(around), &mut wire::Reader::new(data))? {
        Value::Prefix(address, length) => Prefix::new(address, length).ok(),
        _ => None,
    }
}
