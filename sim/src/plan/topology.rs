//! Who is there, and where.

use std::time::Duration;

use relay::recovery::Method;
use server::exchange::LinkTerms;
use world::Chance;

use super::{Manners, RequestorPlan, Stock, between, happens, one_of};

/// The number of a link, from 1; it is in the addresses of all that is on it.
pub type LinkNumber = u16;

/// Everybody.
#[derive(Debug, Clone)]
pub struct Topology {
    /// How many links clients are on.
    pub links: LinkNumber,
    /// The servers; all of them serve all links, from pools of their own.
    pub servers: Vec<ServerPlan>,
    /// The relays; every link that no server is on has at least one.
    pub relays: Vec<RelayPlan>,
    /// The clients.
    pub clients: Vec<ClientPlan>,
    /// Who disturbs them.
    pub vandals: Vec<VandalPlan>,
    /// Who asks the servers from outside.
    pub requestors: Vec<RequestorPlan>,
}

/// A server.
#[derive(Debug, Clone)]
pub struct ServerPlan {
    /// What it gives, on every link.
    pub terms: LinkTerms,
    /// Addresses to give on each link.
    pub addresses: u16,
    /// Bits of the prefix that it delegates parts of 56 bits from, on each link.
    pub pool_length: u8,
    /// Seconds for which what has run out stays its client's.
    pub grace_secs: u32,
    /// Links that it is on itself.
    pub direct_links: Vec<LinkNumber>,
    /// Connections at once.
    pub max_connections: usize,
    /// Queries in work on a connection.
    pub max_queries_per_connection: usize,
    /// Queries in work of a requestor.
    pub max_queries_per_requestor: usize,
    /// How long a frame, or room to send, is waited for.
    pub data_timeout: Duration,
    /// Whether a connection is closed when everything on it has been answered.
    pub close_after_reply: bool,
    /// Whether one can ask by relay.
    pub track_relays: bool,
    /// Whether who may not ask over UDP hears nothing.
    pub refuse_silently: bool,
    /// Whether the names of clients are told to nobody.
    pub names_are_secret: bool,
    /// What it has from before.
    pub stock: Stock,
}

/// A relay.
#[derive(Debug, Clone)]
pub struct RelayPlan {
    /// The links that its ports are on.
    pub links: Vec<LinkNumber>,
    /// Whether it writes down what it knows.
    pub remembers: bool,
    /// Whether it makes routes for addresses too.
    pub host_routes: bool,
    /// Whether its Relay-forwards bear its DUID.
    pub bears_relay_id: bool,
    /// Whether they bear a Remote-ID.
    pub bears_remote_id: bool,
    /// How its Interface-IDs are made.
    pub interface_id: &'static str,
    /// How it asks servers, in this order.
    pub methods: Vec<Method>,
    /// How long between one recovery and the next, if there is another.
    pub refresh_every: Option<Duration>,
    /// How long it waits for a connection.
    pub connect_timeout: Duration,
    /// How long a server may be silent.
    pub data_timeout: Duration,
    /// After how long it looks at all routes of the kernel without a reason.
    pub look_every: Option<Duration>,
    /// Whether it is told what may be delegated, and has what nobody has lead nowhere.
    pub closes_aggregates: bool,
    /// Delegations of one client on one port.
    pub max_delegations_per_client: usize,
    /// Delegations on one port.
    pub max_delegations: usize,
    /// Whether a DUID is on one port at a time.
    pub unique_clients: bool,
    /// Whether it knows its servers by their addresses.
    pub knows_servers: bool,
    /// Changes of routes that it has the kernel make at once.
    pub batch: usize,
}

/// A client.
#[derive(Debug, Clone)]
pub struct ClientPlan {
    /// Where it is at first.
    pub link: LinkNumber,
    /// How many addresses it wants, each in an association of its own.
    pub addresses: u32,
    /// How many prefixes.
    pub prefixes: u32,
    /// Whether it would be answered at once.
    pub rapid_commit: bool,
    /// Whether it says what it would like to have.
    pub hints: bool,
    /// The client whose DUID it has: nearly always its own.
    pub identity: usize,
}

/// A vandal.
#[derive(Debug, Clone)]
pub struct VandalPlan {
    /// Where it is.
    pub link: LinkNumber,
    /// How long it waits between two messages, on average.
    pub pause: Duration,
}

impl Topology {
    /// Draws everybody.
    pub fn draw(chance: &mut Chance) -> Self {
        let links = one_of(chance, &[1, 1, 2, 2, 3]);
        let mut servers: Vec<ServerPlan> =
            (0..one_of(chance, &[1, 1, 1, 2, 2, 3])).map(|_| ServerPlan::draw(chance)).collect();
        let mut relays: Vec<RelayPlan> =
            (0..one_of(chance, &[1, 1, 1, 2])).map(|_| RelayPlan::draw(chance, links)).collect();
        for link in 1..=links {
            if happens(chance, 1, 6) {
                servers[0].direct_links.push(link);
            } else if !relays.iter().any(|relay| relay.links.contains(&link)) {
                relays[0].links.push(link);
            }
        }
        let clients = (0..between(chance, 1, 6) as usize)
            .map(|number| ClientPlan::draw(chance, links, number))
            .collect();
        let requestors: Vec<RequestorPlan> =
            (0..between(chance, 0, 3)).map(|_| RequestorPlan::draw(chance)).collect();
        // Who behaves oddly has one connection at a time: whoever comes beside it finds room.
        let odd = requestors.iter().filter(|plan| plan.manners == Manners::Odd).count();
        servers.iter_mut().for_each(|server| server.max_connections += odd);
        let vandals =
            (0..one_of(chance, &[0, 0, 0, 0, 1, 2])).map(|_| VandalPlan::draw(chance, links)).collect();
        Self { links, servers, relays, clients, requestors, vandals }
    }
}

impl ServerPlan {
    fn draw(chance: &mut Chance) -> Self {
        let valid_secs = one_of(chance, &[20, 40, 60, 120, 300]);
        let terms = LinkTerms {
            valid_secs,
            preferred_secs: valid_secs / 2,
            rapid_commit: happens(chance, 1, 2),
            bind_on_renew: happens(chance, 1, 2),
            ..LinkTerms::default()
        };
        Self {
            terms,
            addresses: one_of(chance, &[1, 2, 4, 16, 256]),
            pool_length: one_of(chance, &[48, 52, 53, 54, 55]),
            grace_secs: one_of(chance, &[0, 0, 0, 10]),
            direct_links: Vec::new(),
            max_connections: one_of(chance, &[1, 2, 10]),
            max_queries_per_connection: one_of(chance, &[1, 2, 4]),
            max_queries_per_requestor: one_of(chance, &[1, 4, 8]),
            data_timeout: Duration::from_secs(one_of(chance, &[5, 30, 300])),
            close_after_reply: happens(chance, 1, 6),
            track_relays: happens(chance, 9, 10),
            refuse_silently: happens(chance, 1, 4),
            names_are_secret: happens(chance, 1, 4),
            stock: Stock::draw(chance),
        }
    }
}

impl RelayPlan {
    fn draw(chance: &mut Chance, links: LinkNumber) -> Self {
        let (bears_relay_id, bears_remote_id) = (happens(chance, 4, 5), happens(chance, 1, 2));
        Self {
            links: (1..=links).filter(|_| happens(chance, 2, 3)).collect(),
            remembers: happens(chance, 1, 2),
            host_routes: happens(chance, 1, 4),
            bears_relay_id,
            bears_remote_id,
            interface_id: one_of(chance, &["{interface}", "{hostname}:{interface}", "{relay-id}/{vlan}"]),
            methods: methods(chance, bears_relay_id, bears_remote_id),
            refresh_every: one_of(chance, &[None, None, Some(60), Some(240)]).map(Duration::from_secs),
            connect_timeout: Duration::from_secs(one_of(chance, &[5, 30])),
            data_timeout: Duration::from_secs(one_of(chance, &[5, 30, 300])),
            look_every: one_of(chance, &[None, Some(20), Some(120)]).map(Duration::from_secs),
            closes_aggregates: happens(chance, 1, 4),
            max_delegations_per_client: one_of(chance, &[1, 2, 8, 8, 8]),
            max_delegations: one_of(chance, &[1, 3, 100, 100, 100]),
            unique_clients: happens(chance, 1, 5),
            knows_servers: happens(chance, 1, 3),
            batch: one_of(chance, &[1, 2, 512]),
        }
    }
}

/// Only such as can find something: a server knows nobody by a Relay-ID that it never saw.
fn methods(chance: &mut Chance, bears_relay_id: bool, bears_remote_id: bool) -> Vec<Method> {
    let by_link: &[Method] = &[Method::LinkAddress];
    let by_relay_id: &[Method] = &[Method::RelayId];
    let by_remote_id: &[Method] = &[Method::RemoteId];
    let all: &[Method] = &[Method::RelayId, Method::LinkAddress, Method::RemoteId];
    let choices = match (bears_relay_id, bears_remote_id) {
        (true, true) => vec![by_relay_id, all, by_link, by_remote_id],
        (true, false) => vec![by_relay_id, all, by_link],
        (false, true) => vec![by_link, all, by_remote_id],
        (false, false) => vec![by_link, all],
    };
    one_of(chance, &choices).to_vec()
}

impl VandalPlan {
    fn draw(chance: &mut Chance, links: LinkNumber) -> Self {
        let link = 1 + LinkNumber::try_from(chance.below(links.into())).expect("a few links");
        Self { link, pause: Duration::from_millis(one_of(chance, &[300, 1_000, 5_000])) }
    }
}

impl ClientPlan {
    fn draw(chance: &mut Chance, links: LinkNumber, number: usize) -> Self {
        let wants = [(0, 1), (0, 1), (0, 2), (1, 0), (1, 1), (2, 1), (2, 0), (0, 0)];
        let (addresses, prefixes) = one_of(chance, &wants);
        let link = 1 + LinkNumber::try_from(chance.below(links.into())).expect("a few links");
        let is_copy = happens(chance, 1, 20);
        Self {
            link,
            addresses,
            prefixes,
            rapid_commit: happens(chance, 1, 2),
            hints: happens(chance, 1, 4),
            identity: if is_copy { number.saturating_sub(1) } else { number },
        }
    }
}
