//! Who may ask, what is never told, and how much is done at a time: `[leasequery]`.
//!
//! Nobody may ask until a rule lets them, because an answer tells where a customer is
//! (RFC 5007 §5). What RFC 5460 §8 recommends to configure is here: permitted sources, number of
//! connections, queries in process, idle time.

use std::net::{Ipv6Addr, SocketAddrV6};
use std::ops::RangeInclusive;
use std::time::Duration;

use server::leasequery::BulkLimits;
use wire::leasequery::QueryType;
use wire::{OptionCode, Prefix};

use super::addresses::{self, any_address};
use super::codes;
use super::faults::Collector;
use super::toml_tree::{Item, Table, suggest};

/// BULK_LQ_DATA_TIMEOUT (RFC 5460 §5.6); a shorter one is not recommended.
pub const DEFAULT_DATA_TIMEOUT: Duration = Duration::from_secs(300);

/// Relays a message can pass: HOP_COUNT_LIMIT was 32 in RFC 3315, and is 8 in RFC 8415.
const HOPS: RangeInclusive<u8> = 0..=32;

/// Queries a second. Above a million a token bucket with a clock of microseconds means nothing.
const RATE: RangeInclusive<u32> = 1..=1_000_000;

/// Connections at a time: each is a file descriptor, of which a process seldom has more.
const CONNECTIONS: RangeInclusive<usize> = 1..=65_536;

/// Queries in process at a time, each of which holds a position in the table.
const QUERIES: RangeInclusive<usize> = 1..=65_536;

/// Seconds of patience. Whoever waits for more than a day waits for ever.
const TIMEOUT_SECS: RangeInclusive<u64> = 1..=86_400;

/// Every query that can be permitted.
const QUERY_TYPES: [QueryType; 5] = [
    QueryType::BY_ADDRESS,
    QueryType::BY_CLIENT_ID,
    QueryType::BY_RELAY_ID,
    QueryType::BY_LINK_ADDRESS,
    QueryType::BY_REMOTE_ID,
];

/// Options that are the answer itself; who must not see them must not be answered.
const ANSWER: [OptionCode; 9] = [
    OptionCode::CLIENTID,
    OptionCode::SERVERID,
    OptionCode::IAADDR,
    OptionCode::IAPREFIX,
    OptionCode::STATUS_CODE,
    OptionCode::LQ_QUERY,
    OptionCode::CLIENT_DATA,
    OptionCode::CLT_TIME,
    OptionCode::LQ_CLIENT_LINK,
];

/// Leasequery over both transports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leasequery {
    /// Who may ask what. What any rule permits is permitted; without a rule, nothing is.
    pub allow: Vec<AllowRule>,
    /// Over UDP: discard what is not permitted instead of answering NotAllowed.
    pub refuse_silently: bool,
    /// Options never given out.
    pub sensitive_options: Vec<OptionCode>,
    /// Whether relays are remembered; if not, queries by relay-id and by remote-id are unknown.
    pub track_relays: bool,
    /// Leasequery over UDP (RFC 5007).
    pub udp: Udp,
    /// Bulk leasequery, over TCP (RFC 5460).
    pub bulk: Bulk,
}

/// Permission to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowRule {
    /// Requestors with an address in here.
    pub from: Prefix,
    /// What they may ask; `None` is everything.
    pub queries: Option<Vec<QueryType>>,
}

/// Leasequery over UDP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Udp {
    /// Where to listen; nowhere switches it off.
    pub listen: Vec<SocketAddrV6>,
    /// Relays a query may have passed; with more it is discarded.
    pub relayed_hops: u8,
    /// Queries a second that one source may go on asking.
    pub rate_per_second: u32,
    /// Queries one source may ask at once after it was quiet.
    pub burst: u32,
}

/// Leasequery over TCP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bulk {
    /// Where to listen; nowhere switches it off.
    pub listen: Vec<SocketAddrV6>,
    /// How much is done at a time, and how long is waited.
    pub limits: BulkLimits,
}

impl Default for Leasequery {
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            refuse_silently: false,
            sensitive_options: Vec::new(),
            track_relays: true,
            udp: Udp::default(),
            bulk: Bulk::default(),
        }
    }
}

impl Default for Udp {
    fn default() -> Self {
        Self { listen: vec![any_address()], relayed_hops: 0, rate_per_second: 1000, burst: 2000 }
    }
}

impl Default for Bulk {
    fn default() -> Self {
        Self { listen: vec![any_address()], limits: BulkLimits::default() }
    }
}

/// Reads `[leasequery]`.
pub(super) fn read(item: &Item<'_>, faults: &mut Collector) -> Option<Leasequery> {
    let mut table = item.table(faults)?;
    let mut read = Leasequery::default();
    table.read_into(&mut read.allow, "allow", faults, |list, faults| list.list_of(faults, allow_rule));
    table.read_into(&mut read.refuse_silently, "refuse-silently", faults, Item::boolean);
    table.read_into(&mut read.sensitive_options, "sensitive-options", faults, |list, faults| {
        list.list_of(faults, sensitive_option)
    });
    table.read_into(&mut read.track_relays, "track-relays", faults, Item::boolean);
    table.read_into(&mut read.udp, "udp", faults, |item, faults| Some(udp(item.table(faults)?, faults)));
    table.read_into(&mut read.bulk, "bulk", faults, |item, faults| Some(bulk(item.table(faults)?, faults)));
    table.finish(faults);
    Some(read)
}

fn allow_rule(item: &Item<'_>, faults: &mut Collector) -> Option<AllowRule> {
    let mut table = item.table(faults)?;
    let from = table.require("from", "\"2001:db8::/32\"", faults, source);
    let queries = table.read("queries", faults, queries);
    table.finish(faults);
    Some(AllowRule { from: from?, queries })
}

/// A prefix, or an address that means itself alone.
fn source(item: &Item<'_>, faults: &mut Collector) -> Option<Prefix> {
    match item.string(faults)?.parse::<Ipv6Addr>() {
        Ok(address) => Prefix::new(address, 128).ok(),
        Err(_) => addresses::prefix(item, faults),
    }
}

fn queries(item: &Item<'_>, faults: &mut Collector) -> Option<Vec<QueryType>> {
    let queries = item.list_of(faults, query)?;
    if queries.is_empty() {
        faults.fault(item.place(), "permits nothing", "name a query, or leave the rule out");
    }
    Some(queries)
}

fn query(item: &Item<'_>, faults: &mut Collector) -> Option<QueryType> {
    let text = item.string(faults)?;
    let found = QUERY_TYPES.into_iter().find(|query| query.to_string() == text);
    if found.is_none() {
        let names = QUERY_TYPES.map(|query| query.to_string());
        let names = names.each_ref().map(String::as_str);
        let remedy = suggest(text, &names).unwrap_or_else(|| format!("the queries are {}", names.join(", ")));
        faults.fault(item.place(), format!("there is no query {text:?}"), remedy);
    }
    found
}

fn sensitive_option(item: &Item<'_>, faults: &mut Collector) -> Option<OptionCode> {
    let code = codes::any(item, faults)?;
    if ANSWER.contains(&code) {
        let remedy = "leave it out, and keep those who must not see it out of leasequery.allow";
        faults.fault(item.place(), format!("{code} is the answer itself and cannot be withheld"), remedy);
        return None;
    }
    Some(code)
}

fn udp(mut table: Table<'_>, faults: &mut Collector) -> Udp {
    let mut read = Udp::default();
    table.read_into(&mut read.listen, "listen", faults, addresses::listen);
    table.read_into(&mut read.relayed_hops, "relayed-hops", faults, |item, f| item.number(HOPS, f));
    table.read_into(&mut read.rate_per_second, "rate-per-second", faults, |item, f| item.number(RATE, f));
    table.read_into(&mut read.burst, "burst", faults, |item, f| item.number(RATE, f));
    table.finish(faults);
    read
}

fn bulk(mut table: Table<'_>, faults: &mut Collector) -> Bulk {
    let Bulk { mut listen, mut limits } = Bulk::default();
    let connections = |item: &Item<'_>, f: &mut Collector| item.number(CONNECTIONS, f);
    let queries = |item: &Item<'_>, f: &mut Collector| item.number(QUERIES, f);
    table.read_into(&mut listen, "listen", faults, addresses::listen);
    table.read_into(&mut limits.max_connections, "max-connections", faults, connections);
    limits.max_connections_per_requestor = table
        .read("max-connections-per-requestor", faults, connections)
        .or(limits.max_connections_per_requestor);
    table.read_into(&mut limits.max_queries_per_connection, "max-queries-per-connection", faults, queries);
    table.read_into(&mut limits.max_queries_per_requestor, "max-queries-per-requestor", faults, queries);
    table.read_into(&mut limits.data_timeout, "data-timeout-secs", faults, data_timeout);
    table.read_into(&mut limits.idle_timeout, "idle-timeout-secs", faults, timeout);
    table.read_into(&mut limits.close_after_reply, "close-after-reply", faults, Item::boolean);
    table.finish(faults);
    Bulk { listen, limits }
}

fn timeout(item: &Item<'_>, faults: &mut Collector) -> Option<Duration> {
    item.number(TIMEOUT_SECS, faults).map(Duration::from_secs)
}

pub(super) fn data_timeout(item: &Item<'_>, faults: &mut Collector) -> Option<Duration> {
    let timeout = timeout(item, faults)?;
    if timeout < DEFAULT_DATA_TIMEOUT {
        let problem = format!("{} is shorter than RFC 5460 recommends", timeout.as_secs());
        faults.warning(item.place(), problem, format!("{} is recommended", DEFAULT_DATA_TIMEOUT.as_secs()));
    }
    Some(timeout)
}
