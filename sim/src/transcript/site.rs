//! Who takes part: what the first lines of a transcript say, and how it is put into a universe.
//!
//! Servers, relays, requestors and peers are in one core network, where each has an address by its kind and place
//! (`2001:db8:ffff::500` is the first server, `…::600` the first relay, `…::700` the first requestor); clients are on
//! segments of their own, named as the transcript likes.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;

use store::Change;
use wire::Duid;

use super::cast::Cast;
use super::fault::Fault;
use super::lines::Line;
use super::relaying::{self, RelaySite};
use super::serving::{self, ServerSite};
use super::value;
use super::words::Words;
use crate::nodes::guests::{Asker, Guest, Peer};
use crate::nodes::{Client, NodeId, Relay, Server};
use crate::plan::{ClientPlan, Habits, Plan, addresses};
use crate::universe::{Attachment, Outbox, Segment, StreamId, Universe};

/// The interface by which everybody is in the core.
pub(super) const IN_CORE: u32 = 100;
/// The interface of a client.
pub(super) const OF_CLIENT: u32 = 1;

/// Everybody, as written.
#[derive(Debug, Default)]
pub(super) struct Site {
    segments: BTreeMap<String, u16>,
    servers: Vec<ServerSite>,
    relays: Vec<RelaySite>,
    guests: Vec<GuestSite>,
    requestors: usize,
    clients: Vec<ClientPlan>,
    real_servers: usize,
    /// Servers, played by peers or not.
    server_count: usize,
}

/// Somebody who is played, or a requestor.
#[derive(Debug)]
struct GuestSite {
    segment: Segment,
    address: Ipv6Addr,
    /// One more address.
    other: Option<Ipv6Addr>,
    /// The DUID of a requestor; a peer needs none.
    asks_as: Option<Duid>,
    /// Whether it hears what is said to all relays and servers.
    hears_clients: bool,
}

/// The words with which a participant is introduced.
pub(super) const KINDS: [&str; 7] =
    ["server", "relay", "client", "peer", "requestor", "simulated", "somebody"];

impl Site {
    /// Takes in everybody that these lines speak of: first their names, because what is said of one may name
    /// another.
    pub(super) fn read(lines: &[Line], cast: &mut Cast) -> Result<Self, Fault> {
        let mut site = Self::default();
        let mut servers = Vec::new();
        let mut relays = Vec::new();
        for line in lines {
            let mut words = Words::new(line.number, &line.text);
            let kind = words.next("who takes part")?;
            if kind == "somebody" {
                mention(&mut words, cast)?;
                continue;
            }
            if kind == "simulated" {
                words.expect("client")?;
            }
            let name = unknown_name(&mut words, cast)?;
            match kind {
                "server" => servers.push((site.server(name, words, cast)?, line)),
                "relay" => relays.push((relay(relays.len(), name, words, cast)?, line)),
                "client" => site.client(name, line, words, cast)?,
                "peer" => site.peer(name, line, words, cast)?,
                "simulated" => site.simulated(name, words, cast)?,
                _ => site.requestor(name, line, words, cast)?,
            }
        }
        for (duid, line) in servers {
            let server = serving::server(duid, &line.inside, cast, &mut site.segments)?;
            site.servers.push(server);
        }
        for (duid, line) in relays {
            let relay = relaying::relay(duid, line, cast, &mut site.segments)?;
            site.relays.push(relay);
        }
        Ok(site)
    }

    fn server(&mut self, name: &str, mut words: Words<'_>, cast: &mut Cast) -> Result<Duid, Fault> {
        let number = self.real_servers;
        if self.server_count > number {
            return Err(Fault::new(
                words.line,
                "a server comes after a peer that plays one",
                "servers first",
            ));
        }
        self.real_servers += 1;
        self.server_count += 1;
        let duid = own_duid(&mut words, addresses::server_id(number), cast)?;
        words.end()?;
        cast.join(name, NodeId::Server(number), duid.octets(), addresses::server(number).into());
        Ok(duid)
    }

    fn client(
        &mut self,
        name: &str,
        line: &Line,
        mut words: Words<'_>,
        cast: &mut Cast,
    ) -> Result<(), Fault> {
        words.expect("on")?;
        let segment = segment(&mut self.segments, words.next("the name of a segment")?);
        words.expect("at")?;
        let address = words.address()?;
        let other = if words.take("and") { Some(words.address()?) } else { None };
        let duid = own_duid(&mut words, addresses::client_id(self.guests.len() + 1), cast)?;
        let site = GuestSite { segment, address, other, asks_as: None, hears_clients: false };
        self.guest(name, line, words, cast, site, &duid)
    }

    fn peer(&mut self, name: &str, line: &Line, mut words: Words<'_>, cast: &mut Cast) -> Result<(), Fault> {
        let mut segment = Segment::CORE;
        let (address, usual) = if words.take("as server") {
            let number = self.server_count;
            self.server_count += 1;
            (addresses::server(number), addresses::server_id(number))
        } else {
            if words.take("on") {
                segment = self::segment(&mut self.segments, words.next("the name of a segment")?);
            }
            words.expect("at")?;
            (words.address()?, addresses::requestor_id(100 + self.guests.len()))
        };
        let duid = own_duid(&mut words, usual, cast)?;
        let site = GuestSite {
            segment,
            address,
            other: None,
            asks_as: None,
            hears_clients: segment != Segment::CORE,
        };
        self.guest(name, line, words, cast, site, &duid)
    }

    /// A client that does of its own accord what the standard has it do.
    fn simulated(&mut self, name: &str, mut words: Words<'_>, cast: &mut Cast) -> Result<(), Fault> {
        words.expect("on")?;
        let link = segment(&mut self.segments, words.next("the name of a segment")?).0;
        let number = self.clients.len();
        let identity = SIMULATED + number;
        let mut plan =
            ClientPlan { link, addresses: 0, prefixes: 0, rapid_commit: false, hints: false, identity };
        words.expect("wants")?;
        while !words.is_empty() {
            if words.take("rapid commit") {
                plan.rapid_commit = true;
                continue;
            }
            let count = words.number()?;
            match words.next("addresses or prefixes")? {
                "address" | "addresses" => plan.addresses = count,
                "prefix" | "prefixes" => plan.prefixes = count,
                other => return Err(Fault::unknown(words.line, other, ["addresses", "prefixes"])),
            }
        }
        let address = addresses::link_local(0xc, number, link);
        cast.join(name, NodeId::Client(number), addresses::client_id(identity).octets(), address.into());
        self.clients.push(plan);
        Ok(())
    }

    fn requestor(
        &mut self,
        name: &str,
        line: &Line,
        mut words: Words<'_>,
        cast: &mut Cast,
    ) -> Result<(), Fault> {
        let number = self.requestors;
        self.requestors += 1;
        let duid = own_duid(&mut words, addresses::requestor_id(number), cast)?;
        let address = addresses::requestor(number);
        let site = GuestSite {
            segment: Segment::CORE,
            address,
            other: None,
            asks_as: Some(duid.clone()),
            hears_clients: false,
        };
        self.guest(name, line, words, cast, site, &duid)
    }

    fn guest(
        &mut self,
        name: &str,
        line: &Line,
        words: Words<'_>,
        cast: &mut Cast,
        site: GuestSite,
        duid: &Duid,
    ) -> Result<(), Fault> {
        words.end()?;
        if let Some(first) = line.inside.first() {
            return Err(Fault::new(first.number, "nothing is to be said of it", "no indented lines"));
        }
        cast.join(name, NodeId::Guest(self.guests.len()), duid.octets(), site.address.into());
        self.guests.push(site);
        Ok(())
    }

    /// Puts everybody in their places and starts them.
    pub(super) fn settle(self) -> Universe {
        let mut universe = Universe::empty(quiet(self.clients));
        let now = universe.now();
        for (number, site) in self.servers.into_iter().enumerate() {
            let mut server = Server::with_setup(number, site.setup, now);
            let changes: Vec<Change<'_>> =
                site.held.iter().map(|(key, image)| Change { key, image: Some(image) }).collect();
            server.disk.commit(&changes).expect("an empty disk has room");
            server.start(now);
            universe.nodes.servers.push(server);
            let node = NodeId::Server(number);
            attach(&mut universe, Segment::CORE, node, IN_CORE, 5, addresses::server(number).into());
            for (interface, segment) in site.interfaces {
                attach(&mut universe, Segment(segment), node, interface, 5, None);
            }
        }
        for (number, site) in self.relays.into_iter().enumerate() {
            let mut relay = Relay::with_setup(number, site.with_servers(self.server_count), now);
            relay.start(now, &mut Outbox::new(StreamId::default()));
            universe.nodes.relays.push(relay);
            let node = NodeId::Relay(number);
            let upstream = crate::nodes::relay::UPSTREAM;
            attach(&mut universe, Segment::CORE, node, upstream, 6, addresses::relay(number).into());
            for (port, segment) in site.ports {
                let global = port.addresses.iter().find(|address| !address.is_unicast_link_local()).copied();
                attach(&mut universe, Segment(segment), node, port.index, 6, global);
            }
        }
        for (number, site) in self.guests.into_iter().enumerate() {
            let guest = match site.asks_as {
                Some(duid) => Guest::Asker(Box::new(Asker::new(duid, now))),
                None => Guest::Peer(Peer::default()),
            };
            universe.nodes.guests.push(guest);
            let interface = if site.segment == Segment::CORE { IN_CORE } else { OF_CLIENT };
            let node = NodeId::Guest(number);
            if site.address.is_unicast_link_local() {
                let attachment = Attachment {
                    node,
                    interface,
                    addresses: [site.address].into_iter().chain(site.other).collect(),
                    hears_clients: site.hears_clients,
                    is_up: true,
                };
                universe.network.attach(site.segment, attachment);
            } else {
                attach(&mut universe, site.segment, node, interface, 8, site.address.into());
            }
        }
        let plan = universe.plan.clone();
        for (number, client) in plan.topology.clients.iter().enumerate() {
            universe.nodes.clients.push(Client::new(number, &plan, now, now));
            attach(&mut universe, Segment(client.link), NodeId::Client(number), OF_CLIENT, 0xc, None);
        }
        let everybody: Vec<NodeId> = universe.nodes.ids().collect();
        everybody.into_iter().for_each(|node| universe.with(node, |_, _, _| {}));
        universe
    }
}

fn relay(number: usize, name: &str, mut words: Words<'_>, cast: &mut Cast) -> Result<Duid, Fault> {
    let duid = own_duid(&mut words, addresses::relay_id(number), cast)?;
    words.end()?;
    cast.join(name, NodeId::Relay(number), duid.octets(), addresses::relay(number).into());
    Ok(duid)
}

/// Names of some who are spoken of only: with a DUID as given, or with any.
fn mention(words: &mut Words<'_>, cast: &mut Cast) -> Result<(), Fault> {
    let name = unknown_name(words, cast)?;
    if words.take("duid") {
        let duid = duid(words, cast)?;
        cast.mention(name, duid.octets());
        return words.end();
    }
    cast.mention(name, addresses::client_id(ABSENT + cast.names().count()).octets());
    if words.is_empty() { Ok(()) } else { mention(words, cast) }
}

/// Where the DUIDs begin of clients that act of their own accord.
const SIMULATED: usize = 0x40;
/// Where the DUIDs begin of those who are spoken of only.
const ABSENT: usize = 0x80;

fn unknown_name<'a>(words: &mut Words<'a>, cast: &Cast) -> Result<&'a str, Fault> {
    let name = words.next("a name")?;
    if cast.knows(name) {
        return Err(Fault::new(words.line, format!("there is a {name} already"), "another name"));
    }
    Ok(name)
}

/// A plan in which nobody does anything that the standard does not have them do, and nothing goes wrong.
fn quiet(clients: Vec<ClientPlan>) -> Plan {
    let mut plan = Plan::draw(0);
    plan.topology.clients = clients;
    plan.load.habits = Habits { releases: None, declines: None, forgets: None, moves: None, informs: None };
    plan.faults = crate::faults::Mix::default();
    plan
}

fn attach(
    universe: &mut Universe,
    segment: Segment,
    node: NodeId,
    interface: u32,
    kind: u16,
    global: Option<Ipv6Addr>,
) {
    let number = match node {
        NodeId::Server(number)
        | NodeId::Relay(number)
        | NodeId::Client(number)
        | NodeId::Requestor(number)
        | NodeId::Vandal(number)
        | NodeId::Guest(number) => number,
    };
    let link_local = addresses::link_local(kind, number, segment.0);
    let hears_clients = matches!(node, NodeId::Server(_) | NodeId::Relay(_)) && segment != Segment::CORE;
    let addresses = [link_local].into_iter().chain(global).collect();
    universe.network.attach(segment, Attachment { node, interface, addresses, hears_clients, is_up: true });
}

/// The number of a segment, by its name.
pub(super) fn segment(segments: &mut BTreeMap<String, u16>, name: &str) -> Segment {
    let next = u16::try_from(segments.len() + 1).expect("a few segments");
    Segment(*segments.entry(name.to_owned()).or_insert(next))
}

fn own_duid(words: &mut Words<'_>, usual: Duid, cast: &Cast) -> Result<Duid, Fault> {
    if words.take("duid") { duid(words, cast) } else { Ok(usual) }
}

/// A DUID by name or as octets.
pub(super) fn duid(words: &mut Words<'_>, cast: &Cast) -> Result<Duid, Fault> {
    let word = words.next(value::Kind::Duid.right())?;
    let octets = value::duid(word, cast);
    let duid = octets.and_then(|octets| Duid::new(&octets).ok());
    duid.ok_or_else(|| Fault::new(words.line, format!("{word} is no DUID"), value::Kind::Duid.right()))
}
