//! Queries that are open: from the moment in which a server has read one until it has made the end of its answer.
//!
//! For each is known who meets it now, who has met it at any time since it was read, and who has met it all the time:
//! found by looking at every client when it is read, and at each that changes afterwards.
//!
//! There is one docket for all that is judged by it. Whoever looks first keeps it, and whoever looks last
//! closes what has been answered.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv6Addr;
use std::rc::Rc;

use super::ledger::{Held, HeldLease, Key, Ledger};
use super::told::{self, Frames, Message, all, ipv6, message, only, option};
use crate::faults::Fault;
use crate::nodes::NodeId;
use crate::universe::{Observed, StreamId, Universe, Via};

/// The docket, in the hands of several.
pub(in crate::properties) type SharedDocket = Rc<RefCell<Docket>>;

/// Every query that is open, and what servers hold.
#[derive(Debug, Default)]
pub(in crate::properties) struct Docket {
    pub(super) ledger: Ledger,
    streams: BTreeMap<StreamId, Incoming>,
    open: BTreeMap<(usize, Via), BTreeMap<[u8; 3], Open>>,
}

#[derive(Debug)]
struct Incoming {
    requestor: NodeId,
    frames: Frames,
}

/// A query that is open.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) asked: Asked,
    pub(super) requestor: NodeId,
    /// Several have the same transaction id, or the rules have changed: no telling what is answered.
    pub(super) is_unclear: bool,
    /// Who has met it all the time.
    pub(super) always: BTreeMap<Key, Always>,
    /// Who has met it at any time, and how well: 0 is better than 1.
    pub(super) ever: BTreeMap<Key, u8>,
    /// Who has been told of.
    pub(super) told: BTreeSet<Key>,
    /// The latest time that the server's clock has shown since.
    pub(super) latest_unix_secs: u64,
    links: Option<BTreeSet<u32>>,
}

/// Somebody who has met a query all the time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Always {
    pub(super) rank: u8,
    /// Until when there was always something to tell.
    pub(super) until: u64,
}

/// What a LEASEQUERY says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) query_type: u8,
    pub(super) link: Ipv6Addr,
    pub(super) subject: Option<Subject>,
    pub(super) wishes: BTreeSet<u16>,
    /// Nothing about it is odd.
    pub(super) is_well_formed: bool,
}

/// By what is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Subject {
    Address(Ipv6Addr),
    Client(Vec<u8>),
    Relay(Vec<u8>),
    Link,
    Remote(Vec<u8>),
}

impl Docket {
    /// Follows what happens.
    pub(super) fn observe(&mut self, observed: &Observed, universe: &Universe) {
        self.ledger.observe(observed, universe);
        match observed {
            Observed::Opened(stream, requestor, NodeId::Server(_)) => {
                let incoming = Incoming { requestor: *requestor, frames: Frames::default() };
                self.streams.insert(*stream, incoming);
            }
            Observed::Over(stream) => {
                self.streams.remove(stream);
                self.open.retain(|(_, via), _| *via != Via::Stream(*stream));
            }
            Observed::Killed(NodeId::Server(server)) => self.open.retain(|(its, _), _| its != server),
            Observed::Befell(Fault::ReloadServer, Some(NodeId::Server(server))) => {
                self.of_server(*server).for_each(|open| open.is_unclear = true);
            }
            Observed::Read(NodeId::Server(server), stream, octets) => {
                self.reads(*server, *stream, octets, universe)
            }
            Observed::Arriving(NodeId::Server(server), datagram) => {
                let via = Via::Datagram(datagram.sender, datagram.source_port);
                self.open.remove(&(*server, via));
                self.query(*server, via, datagram.sender, &datagram.octets, universe);
            }
            Observed::Changed(NodeId::Server(server), images) => {
                images.iter().for_each(|image| self.changes(*server, &image.key));
            }
            _ => {}
        }
    }

    /// Looks at the clocks of servers with queries.
    pub(super) fn step(&mut self, universe: &Universe) {
        for ((server, _), queries) in &mut self.open {
            let unix_secs = universe.nodes.servers[*server].now(universe.now()).unix_secs;
            queries.values_mut().for_each(|open| open.note_time(unix_secs));
        }
    }

    fn of_server(&mut self, server: usize) -> impl Iterator<Item = &mut Open> {
        let its = self.open.iter_mut().filter(move |((its, _), _)| *its == server);
        its.flat_map(|(_, queries)| queries.values_mut())
    }

    fn reads(&mut self, server: usize, stream: StreamId, octets: &[u8], universe: &Universe) {
        let Some(Incoming { requestor, frames }) = self.streams.get_mut(&stream) else { return };
        let (requestor, messages) = (*requestor, frames.push(octets));
        for octets in messages {
            self.query(server, Via::Stream(stream), requestor, &octets, universe);
        }
    }

    fn query(&mut self, server: usize, via: Via, requestor: NodeId, octets: &[u8], universe: &Universe) {
        // Most datagrams are something else, and some of those are large.
        let asks = |kind: &&u8| [told::LEASEQUERY, told::ACTIVE].contains(kind);
        let Some(message) = octets.first().filter(asks).and_then(|_| message(octets)) else { return };
        let asked = Asked::read(&message);
        let queries = self.open.entry((server, via)).or_default();
        if let Some(open) = queries.get_mut(&message.id) {
            open.is_unclear = true;
            return;
        }
        let links = links_named(asked.link, server, universe);
        let mut open = Open {
            asked,
            requestor,
            is_unclear: message.kind == told::ACTIVE,
            always: BTreeMap::new(),
            ever: BTreeMap::new(),
            told: BTreeSet::new(),
            latest_unix_secs: 0,
            links,
        };
        for (key, held) in &self.ledger.holding(server).clients {
            if let Some(rank) = open.rank(held) {
                open.always.insert(key.clone(), Always { rank, until: open.until(held) });
                open.ever.insert(key.clone(), rank);
            }
        }
        queries.insert(message.id, open);
    }

    fn changes(&mut self, server: usize, key: &Key) {
        let held = self.ledger.holding(server).clients.get(key).cloned();
        for open in self.of_server(server) {
            let rank = held.as_ref().and_then(|held| open.rank(held));
            let until = held.as_ref().map_or(0, |held| open.until(held));
            match (rank, open.always.get_mut(key)) {
                (Some(rank), Some(always)) if rank == always.rank => always.until = always.until.min(until),
                _ => _ = open.always.remove(key),
            }
            if let Some(rank) = rank {
                let best = open.ever.get(key).map_or(rank, |before| rank.min(*before));
                open.ever.insert(key.clone(), best);
            }
            if held.is_none() {
                // Whoever comes after it is somebody else.
                open.told.remove(key);
            }
        }
    }

    /// A query that is open.
    pub(super) fn open(&self, server: usize, via: Via, id: [u8; 3]) -> Option<&Open> {
        self.open.get(&(server, via))?.get(&id)
    }

    /// The same, to note something.
    pub(super) fn open_mut(&mut self, server: usize, via: Via, id: [u8; 3]) -> Option<&mut Open> {
        self.open.get_mut(&(server, via))?.get_mut(&id)
    }

    /// The end of its answer has been made.
    pub(super) fn conclude(&mut self, server: usize, via: Via, id: [u8; 3]) -> Option<Open> {
        let queries = self.open.get_mut(&(server, via))?;
        let open = queries.remove(&id);
        if queries.is_empty() {
            self.open.remove(&(server, via));
        }
        open
    }
}

/// The links that an address names; `None` if no link is named.
fn links_named(address: Ipv6Addr, server: usize, universe: &Universe) -> Option<BTreeSet<u32>> {
    if address.is_unspecified() {
        return None;
    }
    let links = universe.nodes.servers[server].links()?.iter();
    let named = links.filter(|link| {
        link.relay_addresses.contains(&address) || link.prefixes.iter().any(|prefix| prefix.contains(address))
    });
    Some(named.map(|link| link.id.0).collect())
}

impl Open {
    /// It is answered now.
    pub(super) fn note_time(&mut self, unix_secs: u64) {
        self.latest_unix_secs = self.latest_unix_secs.max(unix_secs);
    }

    /// The links that it is limited to.
    pub(super) fn links(&self) -> Option<&BTreeSet<u32>> {
        self.links.as_ref()
    }

    /// How well a client meets it; `None` is not at all.
    pub(super) fn rank(&self, held: &Held) -> Option<u8> {
        if self.links.as_ref().is_some_and(|links| !links.contains(&held.link)) {
            return None;
        }
        match self.asked.subject.as_ref()? {
            Subject::Address(address) => {
                let around = held.leases.iter().filter(|lease| lease.range.contains(*address));
                around.map(|lease| u8::from(lease.range.length < 128)).min()
            }
            Subject::Client(duid) => (held.duid == *duid).then_some(0),
            Subject::Relay(duid) => held.relay_ids.contains(duid).then_some(0),
            Subject::Link => self.links.is_some().then_some(0),
            Subject::Remote(octets) => held.remote_ids.contains(octets).then_some(0),
        }
    }
}

impl Open {
    /// Until when a client has something to tell that answers it; 0 is never.
    fn until(&self, held: &Held) -> u64 {
        let address = match self.asked.subject {
            Some(Subject::Address(address)) => Some(address),
            _ => None,
        };
        let meant =
            held.leases.iter().filter(|lease| address.is_none_or(|address| lease.range.contains(address)));
        meant.map(HeldLease::until).max().unwrap_or(0)
    }
}

impl Asked {
    fn read(message: &Message<'_>) -> Self {
        Self::read_strictly(message).unwrap_or_else(|| Self {
            query_type: all(&message.options, option::LQ_QUERY)
                .first()
                .and_then(|data| data.first())
                .copied()
                .unwrap_or(0),
            link: Ipv6Addr::UNSPECIFIED,
            subject: None,
            wishes: BTreeSet::new(),
            is_well_formed: false,
        })
    }

    /// `None` if there is anything odd about it.
    fn read_strictly(message: &Message<'_>) -> Option<Self> {
        let data = only(&message.options, option::LQ_QUERY)?;
        let (query_type, link) = (*data.first()?, ipv6(data.get(1..17)?)?);
        let options = told::options(&data[17..])?;
        let duid =
            |code| only(&options, code).filter(|duid| (3..=130).contains(&duid.len())).map(<[u8]>::to_vec);
        let subject = match query_type {
            1 => {
                let data = only(&options, option::IAADDR).filter(|data| data.len() == 24)?;
                Subject::Address(ipv6(&data[..16])?)
            }
            2 => Subject::Client(duid(option::CLIENTID)?),
            3 => Subject::Relay(duid(option::RELAY_ID)?),
            4 if !link.is_unspecified() => Subject::Link,
            5 => Subject::Remote(only(&options, option::REMOTE_ID).filter(|data| data.len() > 4)?.to_vec()),
            _ => return None,
        };
        let wishes = match all(&options, option::ORO)[..] {
            [] => BTreeSet::new(),
            [data] if data.len() % 2 == 0 => {
                data.chunks(2).map(|code| u16::from_be_bytes([code[0], code[1]])).collect()
            }
            _ => return None,
        };
        Some(Self { query_type, link, subject: Some(subject), wishes, is_well_formed: true })
    }
}
