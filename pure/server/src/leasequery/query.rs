//! From a LEASEQUERY to what is to be searched (RFC 5007 §4.4.1, RFC 5460 §7.2).
//!
//! Judging goes from silence to status to data: what must be discarded, what is refused, and only
//! then what is searched. Every query type ends as a list of searches over the table, so that
//! answering knows nothing of query types.

use std::collections::BTreeSet;
use std::net::Ipv6Addr;

use lease::{ClientView, Identifier, LinkId, Resource, Search};
use wire::leasequery::{LqQuery, QueryType};
use wire::{ClientMessage, DecodeError, Duid, DuidRef, OptionCode, Options, TransactionId};
use world::Now;

use super::answer::told;
use super::{Policy, Refusal};
use crate::limits::MAX_REQUESTED_OPTIONS;
use crate::{Discard, Holdings};

/// On what a query came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// One datagram, one answer.
    Udp,
    /// A connection.
    Tcp,
}

/// A LEASEQUERY that is to be answered, one way or the other.
#[derive(Debug)]
pub struct Asked {
    /// What the answer is known by.
    pub transaction_id: TransactionId,
    /// Who asks, by its own account: the answer repeats it.
    pub requestor: Duid,
    /// Whether each message is to say what time it is (RFC 7653 §6.3.1).
    pub base_time: bool,
    /// What is asked by.
    pub query_type: QueryType,
    /// What is asked, or why it is not answered.
    pub query: Result<Query, Refusal>,
}

/// A question that makes sense.
#[derive(Debug, Clone)]
pub struct Query {
    /// What is sought, for a person to read.
    pub sought: String,
    /// Where to look, one after the other. No client is found by two of them.
    pub searches: Vec<Search>,
    /// Whether the link was left open: over UDP a client on several links is then answered with the
    /// links alone.
    pub any_link: bool,
    /// What is wanted of each client besides its leases.
    pub wanted: Wanted,
}

/// What is asked for in the query's ORO and may be given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// LQ_RELAY_DATA.
    pub relay_data: bool,
    /// PD_EXCLUDE in each prefix that has one.
    pub excluded: bool,
    /// The client's own options.
    pub options: BTreeSet<OptionCode>,
}

impl Asked {
    /// Judges a LEASEQUERY from `source`.
    pub fn judge(
        message: &ClientMessage<'_>,
        source: Ipv6Addr,
        transport: Transport,
        policy: &Policy,
        holdings: &Holdings,
        now: Now,
    ) -> Result<Self, Discard> {
        let asked = Self::refused(message, Refusal::Terminated, policy)?;
        let query = may_ask(asked.query_type, source, transport, policy)
            .and_then(|()| understand(message.options, policy, holdings, now));
        Ok(Self { query, ..asked })
    }

    /// A LEASEQUERY that is refused without a look at what it asks: if only it is one, and meant
    /// for this server (RFC 5007 §4.2.1).
    pub(crate) fn refused(
        message: &ClientMessage<'_>,
        refusal: Refusal,
        policy: &Policy,
    ) -> Result<Self, Discard> {
        let options = message.options;
        let requestor = options.client_id().ok().flatten().ok_or(Discard::NoClientId)?;
        if options.has(OptionCode::SERVERID) && options.server_id() != Ok(Some(policy.server_id.as_ref())) {
            return Err(Discard::OtherServer);
        }
        let first = options.first(OptionCode::LQ_QUERY).ok_or(Discard::NoQuery)?;
        Ok(Self {
            transaction_id: message.transaction_id,
            requestor: requestor.to_duid(),
            base_time: wants_base_time(options),
            query_type: QueryType(first.first().copied().unwrap_or(0)),
            query: Err(refusal),
        })
    }

    /// An ACTIVELEASEQUERY, which is refused in any case; it need not hold an LQ_QUERY.
    pub(crate) fn active(message: &ClientMessage<'_>) -> Result<Self, Discard> {
        let requestor = message.options.client_id().ok().flatten().ok_or(Discard::NoClientId)?;
        Ok(Self {
            transaction_id: message.transaction_id,
            requestor: requestor.to_duid(),
            base_time: wants_base_time(message.options),
            query_type: QueryType(0),
            query: Err(Refusal::NotSupported),
        })
    }
}

fn may_ask(
    query_type: QueryType,
    source: Ipv6Addr,
    transport: Transport,
    policy: &Policy,
) -> Result<(), Refusal> {
    if transport == Transport::Udp && query_type.is_bulk_only() {
        return Err(Refusal::NotOverUdp);
    }
    if !policy.access.permits(source, query_type) {
        return Err(Refusal::NotAllowed);
    }
    let by_relay = matches!(query_type, QueryType::BY_RELAY_ID | QueryType::BY_REMOTE_ID);
    if by_relay && !policy.track_relays { Err(Refusal::UnknownQueryType) } else { Ok(()) }
}

fn understand(
    options: Options<'_>,
    policy: &Policy,
    holdings: &Holdings,
    now: Now,
) -> Result<Query, Refusal> {
    let malformed = |_: DecodeError| Refusal::MalformedQuery;
    let lq_query = options.lq_query().map_err(malformed)?.ok_or(Refusal::MalformedQuery)?;
    let options = lq_query.options().map_err(malformed)?;
    let sought = Sought::read(lq_query, options)?;
    let links = named_links(lq_query.link_address, holdings)?;
    Ok(Query {
        sought: sought.to_string(),
        searches: sought.searches(links.as_ref(), holdings, now)?,
        any_link: links.is_none(),
        wanted: wanted(options, policy).map_err(malformed)?,
    })
}

/// The links that the query is limited to; `None` if it is not.
fn named_links(link_address: Ipv6Addr, holdings: &Holdings) -> Result<Option<BTreeSet<LinkId>>, Refusal> {
    if link_address.is_unspecified() {
        return Ok(None);
    }
    let links = holdings.links.named_by(link_address);
    if links.is_empty() { Err(Refusal::NotConfigured) } else { Ok(Some(links)) }
}

/// What a query is about, with the argument that its type needs.
enum Sought<'a> {
    Address(Ipv6Addr),
    Client(DuidRef<'a>),
    Relay(DuidRef<'a>),
    Link(Ipv6Addr),
    Remote(&'a [u8]),
}

impl<'a> Sought<'a> {
    fn read(lq_query: LqQuery<'a>, options: Options<'a>) -> Result<Self, Refusal> {
        fn needed<T>(argument: Result<Option<T>, DecodeError>) -> Result<T, Refusal> {
            argument.ok().flatten().ok_or(Refusal::MalformedQuery)
        }
        match lq_query.query_type {
            QueryType::BY_ADDRESS => needed(options.queried_address()).map(Self::Address),
            QueryType::BY_CLIENT_ID => needed(options.client_id()).map(Self::Client),
            QueryType::BY_RELAY_ID => needed(options.relay_id()).map(Self::Relay),
            QueryType::BY_LINK_ADDRESS if lq_query.link_address.is_unspecified() => {
                Err(Refusal::MalformedQuery)
            }
            QueryType::BY_LINK_ADDRESS => Ok(Self::Link(lq_query.link_address)),
            QueryType::BY_REMOTE_ID => {
                let remote_id = needed(options.only(OptionCode::REMOTE_ID))?;
                if remote_id.len() > 4 { Ok(Self::Remote(remote_id)) } else { Err(Refusal::MalformedQuery) }
            }
            _ => Err(Refusal::UnknownQueryType),
        }
    }

    fn searches(
        &self,
        links: Option<&BTreeSet<LinkId>>,
        holdings: &Holdings,
        now: Now,
    ) -> Result<Vec<Search>, Refusal> {
        let identifier = match *self {
            Self::Address(address) => return by_address(address, links, holdings, now),
            Self::Link(_) => return Ok(links.into_iter().flatten().copied().map(Search::on_link).collect()),
            Self::Client(duid) => Identifier::Client(duid.to_duid()),
            Self::Relay(duid) => Identifier::Relay(duid.to_duid()),
            Self::Remote(octets) => Identifier::Remote(octets.into()),
        };
        Ok(vec![match links {
            Some(links) => Search::on_links(identifier, links.iter().copied()),
            None => Search::everywhere(identifier),
        }])
    }
}

impl std::fmt::Display for Sought<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Address(address) | Self::Link(address) => write!(f, "{address}"),
            Self::Client(duid) | Self::Relay(duid) => write!(f, "{duid}"),
            Self::Remote(octets) => {
                let (enterprise, remote_id) = octets.split_at(4);
                let enterprise = enterprise.iter().fold(0, |sum, octet| sum << 8 | u32::from(*octet));
                write!(f, "{enterprise}:")?;
                remote_id.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
            }
        }
    }
}

/// The client that leases the address, else the one whose delegated prefix is around it; on the
/// links named, if any are. The part of a prefix that is excluded from its delegation counts only
/// if nothing else is there (RFC 5007 §4.1.2.1, RFC 6603).
fn by_address(
    address: Ipv6Addr,
    links: Option<&BTreeSet<LinkId>>,
    holdings: &Holdings,
    now: Now,
) -> Result<Vec<Search>, Refusal> {
    let table = &holdings.table;
    let is_meant = |client: &ClientView<'_>| {
        let on_link = links.is_none_or(|links| links.contains(&client.link));
        on_link && told(client, now).any(|held| holds(held.lease.resource, address))
    };
    let around = || table.holder_of_prefix_around(address).map(|(_, client)| client);
    match table.holder_of_address(address).filter(is_meant).or_else(|| around().filter(is_meant)) {
        Some(client) => Ok(vec![Search::on_links(Identifier::Client(client.duid.to_duid()), [client.link])]),
        None if links.is_some() || holdings.links.configures(address) => Ok(Vec::new()),
        None => Err(Refusal::NotConfigured),
    }
}

fn holds(resource: Resource, address: Ipv6Addr) -> bool {
    match resource {
        Resource::Address(leased) => leased == address,
        Resource::Prefix(prefix) => prefix.contains(address),
    }
}

fn wanted(options: Options<'_>, policy: &Policy) -> Result<Wanted, DecodeError> {
    let Some(codes) = options.option_request()? else { return Ok(Wanted::default()) };
    let given = codes.iter().take(MAX_REQUESTED_OPTIONS);
    let mut options: BTreeSet<_> = given.filter(|code| !policy.sensitive_options.contains(code)).collect();
    Ok(Wanted {
        relay_data: options.remove(&OptionCode::LQ_RELAY_DATA),
        excluded: options.remove(&OptionCode::PD_EXCLUDE),
        options,
    })
}

/// LQ_BASE_TIME is about messages, so the message's own ORO is its place; some ask for it inside
/// the query.
fn wants_base_time(options: Options<'_>) -> bool {
    let inside = options.lq_query().ok().flatten().and_then(|query| query.options().ok());
    [Some(options), inside].into_iter().flatten().any(|options| {
        let codes = options.option_request().ok().flatten();
        codes.is_some_and(|codes| codes.iter().any(|code| code == OptionCode::LQ_BASE_TIME))
    })
}
