//! How delegations come back after a restart: `[relay.recovery]`.

use std::ops::RangeInclusive;
use std::time::Duration;

use wire::leasequery::QueryType;

use super::super::faults::Collector;
use super::super::leasequery::{DEFAULT_DATA_TIMEOUT, data_timeout};
use super::super::toml_tree::Item;

/// What BULK_LQ_MAX_RETRY was before RFC 5460 left it out: no server is left alone for longer.
const DEFAULT_RETRY_MAX: Duration = Duration::from_secs(60);
/// The longest wait that can be configured is the usual one.
const RETRY_MAX_SECS: RangeInclusive<u64> = 1..=60;
/// Seconds between one asking and the next; a week is as good as never.
const REFRESH_SECS: RangeInclusive<u64> = 0..=604_800;

/// What can be asked for everything that is behind a relay.
const QUERY_TYPES: [QueryType; 3] =
    [QueryType::BY_RELAY_ID, QueryType::BY_LINK_ADDRESS, QueryType::BY_REMOTE_ID];

/// How servers are asked, and what is kept here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// What is asked by, in this order, until a server knows it: relay-id, link, remote-id. Never
    /// empty, and nothing twice.
    pub ask_by: Vec<QueryType>,
    /// After how long everything is asked for again; `None` is never.
    pub refresh: Option<Duration>,
    /// How long a connection may be silent while an answer is under way.
    pub data_timeout: Duration,
    /// The longest wait before a server that cannot be reached is tried again.
    pub retry_max: Duration,
    /// Whether delegations are kept in the state folder, too.
    pub remembers: bool,
}

impl Default for Recovery {
    fn default() -> Self {
        Self {
            ask_by: vec![QueryType::BY_RELAY_ID],
            refresh: None,
            data_timeout: DEFAULT_DATA_TIMEOUT,
            retry_max: DEFAULT_RETRY_MAX,
            remembers: true,
        }
    }
}

pub(super) fn read(item: &Item<'_>, faults: &mut Collector) -> Option<Recovery> {
    let mut table = item.table(faults)?;
    let mut recovery = Recovery::default();
    table.read_into(&mut recovery.ask_by, "ask-by", faults, ask_by);
    table.read_into(&mut recovery.refresh, "refresh-secs", faults, |item, faults| {
        or_never(item, REFRESH_SECS, faults)
    });
    table.read_into(&mut recovery.data_timeout, "data-timeout-secs", faults, data_timeout);
    table.read_into(&mut recovery.retry_max, "retry-max-secs", faults, |item, faults| {
        item.number(RETRY_MAX_SECS, faults).map(Duration::from_secs)
    });
    table.read_into(&mut recovery.remembers, "remember", faults, Item::boolean);
    table.finish(faults);
    Some(recovery)
}

/// Seconds, with 0 for never.
pub(super) fn or_never(
    item: &Item<'_>,
    secs: RangeInclusive<u64>,
    faults: &mut Collector,
) -> Option<Option<Duration>> {
    let secs = item.number(secs, faults)?;
    Some((secs != 0).then(|| Duration::from_secs(secs)))
}

fn ask_by(item: &Item<'_>, faults: &mut Collector) -> Option<Vec<QueryType>> {
    let names = QUERY_TYPES.map(|query| query.to_string());
    let words: Vec<(&str, QueryType)> = names.iter().map(String::as_str).zip(QUERY_TYPES).collect();
    let mut asked = Vec::new();
    let queries = item.list_of(faults, |item, faults| {
        let query = item.word(&words, faults)?;
        if asked.contains(&query) {
            faults.fault(item.place(), format!("{query} stands here twice"), "leave one of them out");
        }
        asked.push(query);
        Some(query)
    })?;
    if queries.is_empty() {
        let remedy = "to ask nobody, write leasequery = false at each server";
        faults.fault(item.place(), "asks for nothing", remedy);
    }
    Some(queries)
}
