//! Who takes part: what the first lines of a transcript say.
//!
//! Servers, relays, requestors and peers are in one core network, where each has an address by its kind and place
//! (`2001:db8:ffff::500` is the first server, `…::600` the first relay, `…::700` the first requestor); clients are on
//! segments of their own, named as the transcript likes.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;

use wire::Duid;

use super::cast::Cast;
use super::fault::Fault;
use super::lines::Line;
use super::relaying::{self, BridgeSite, RelaySite};
use super::serving::{self, ServerSite};
use super::value;
use super::words::Words;
use crate::nodes::NodeId;
use crate::plan::{ClientPlan, addresses};
use crate::universe::Segment;

/// The interface by which everybody is in the core.
pub(super) const IN_CORE: u32 = 100;
/// The interface of a client.
pub(super) const OF_CLIENT: u32 = 1;

/// Everybody, as written.
#[derive(Debug, Default)]
pub(super) struct Site {
    pub(super) segments: BTreeMap<String, u16>,
    pub(super) servers: Vec<ServerSite>,
    pub(super) relays: Vec<RelaySite>,
    pub(super) guests: Vec<GuestSite>,
    requestors: usize,
    pub(super) clients: Vec<ClientPlan>,
    real_servers: usize,
    /// Servers, played by peers or not.
    pub(super) server_count: usize,
}

/// Somebody who is played, or a requestor.
#[derive(Debug)]
pub(super) struct GuestSite {
    pub(super) segment: Segment,
    pub(super) address: Ipv6Addr,
    /// One more address.
    pub(super) other: Option<Ipv6Addr>,
    pub(super) role: Role,
}

/// What it does.
#[derive(Debug)]
pub(super) enum Role {
    /// It is played.
    Peer {
        /// Whether it hears what is said to all relays and servers.
        hears_clients: bool,
    },
    /// It asks, under this DUID.
    Asker(Duid),
    /// It stands between clients and the network.
    Bridge(BridgeSite),
}

/// The words with which a participant is introduced.
pub(super) const KINDS: [&str; 8] =
    ["server", "relay", "lightweight", "client", "peer", "requestor", "simulated", "somebody"];

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
            match kind {
                "simulated" => words.expect("client")?,
                "lightweight" => words.expect("relay")?,
                _ => {}
            }
            let name = unknown_name(&mut words, cast)?;
            match kind {
                "server" => servers.push((site.server(name, words, cast)?, line)),
                "relay" => relays.push((relay(relays.len(), name, words, cast)?, line)),
                "client" => site.client(name, line, words, cast)?,
                "peer" => site.peer(name, line, words, cast)?,
                "simulated" => site.simulated(name, words, cast)?,
                "lightweight" => site.lightweight(name, line, words, cast)?,
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
        let site = GuestSite { segment, address, other, role: Role::Peer { hears_clients: false } };
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
            role: Role::Peer { hears_clients: segment != Segment::CORE },
        };
        self.guest(name, line, words, cast, site, &duid)
    }

    fn lightweight(
        &mut self,
        name: &str,
        line: &Line,
        mut words: Words<'_>,
        cast: &mut Cast,
    ) -> Result<(), Fault> {
        let bridge = relaying::bridge(line, &mut words, &mut self.segments)?;
        words.end()?;
        let number = self.guests.len();
        // It has neither a DUID nor an address; a name has one of the former.
        cast.join(name, NodeId::Guest(number), addresses::requestor_id(100 + number).octets(), None);
        self.guests.push(GuestSite {
            segment: Segment(bridge.network),
            address: Ipv6Addr::UNSPECIFIED,
            other: None,
            role: Role::Bridge(bridge),
        });
        Ok(())
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
        let site =
            GuestSite { segment: Segment::CORE, address, other: None, role: Role::Asker(duid.clone()) };
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
