//! Leasequery over UDP: one datagram, one answer (RFC 5007).

use std::net::Ipv6Addr;

use lease::{ClientView, Cursor};
use wire::leasequery::QueryType;
use wire::{ClientMessage, MessageType, OptionCode, StatusCode, TransactionId, Writer};
use world::Now;

use super::answer::{self, Head};
use super::query::{Asked, Query, Transport};
use super::{Policy, Refusal};
use crate::arrival::wrap;
use crate::limits::MAX_CLIENT_LINKS;
use crate::{Arrived, Discard, Holdings};

/// What was answered: one line in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The query's.
    pub transaction_id: TransactionId,
    /// What was asked by.
    pub query_type: QueryType,
    /// What was sought; empty if it was refused.
    pub sought: String,
    /// How it ended.
    pub status: StatusCode,
    /// Leases sent.
    pub leases: usize,
}

/// Answers a leasequery: the answer is appended to `out`, to be sent where the query came from. One
/// that came through relays passes only if the operator has said so: anybody behind a relay could
/// have sent it (RFC 5007 §5).
pub fn answer(
    arrived: &Arrived<'_>,
    policy: &Policy,
    holdings: &Holdings,
    now: Now,
    out: &mut Vec<u8>,
) -> Result<Answered, Discard> {
    let Arrived { source, message, relays, .. } = arrived;
    if arrived.hops() > policy.relayed_hops.into() {
        return Err(Discard::Relayed);
    }
    if message.message_type != MessageType::LeaseQuery {
        return Err(Discard::UnexpectedType);
    }
    if policy.refuse_silently && !policy.access.permits_source(*source) {
        return Err(Discard::NotAllowed);
    }
    let mut unwrapped = Vec::new();
    let answered = answer_message(message, *source, policy, holdings, now, &mut unwrapped)?;
    wrap(relays.as_ref(), &unwrapped, out)?;
    Ok(answered)
}

fn answer_message(
    message: &ClientMessage<'_>,
    source: Ipv6Addr,
    policy: &Policy,
    holdings: &Holdings,
    now: Now,
    out: &mut Vec<u8>,
) -> Result<Answered, Discard> {
    let asked = Asked::judge(message, source, Transport::Udp, policy, holdings, now)?;
    let head = Head::of(&asked);
    let mut w = Writer::new(out);
    let answered = match asked.query {
        Err(Refusal::NotAllowed) if policy.refuse_silently => return Err(Discard::NotAllowed),
        Err(refusal) => {
            head.reply(&mut w, policy, now, |w| w.status(refusal.status(), refusal.message()));
            Answered::new(&head, asked.query_type, String::new(), refusal.status(), 0)
        }
        Ok(query) => {
            let leases = reply(&mut w, &head, &query, policy, holdings, now);
            Answered::new(&head, asked.query_type, query.sought, StatusCode::SUCCESS, leases)
        }
    };
    w.finish().map_err(|_| Discard::TooLong)?;
    Ok(answered)
}

impl Answered {
    fn new(head: &Head, query_type: QueryType, sought: String, status: StatusCode, leases: usize) -> Self {
        Self { transaction_id: head.transaction_id, query_type, sought, status, leases }
    }
}

/// One client: its data. One that is on several links, and no link named: the links, no data
/// (RFC 5007 §4.1.2.5). Returns how many leases were told.
fn reply(
    w: &mut Writer<'_>,
    head: &Head,
    query: &Query,
    policy: &Policy,
    holdings: &Holdings,
    now: Now,
) -> usize {
    let found = found(query, holdings, now);
    match &found[..] {
        [] => {
            head.reply(w, policy, now, |_| {});
            0
        }
        [client, others @ ..] if others.is_empty() || !query.any_link => {
            // What does not fit into one datagram is left out, the oldest first.
            let leases = answer::portions(client, now).swap_remove(0);
            head.reply(w, policy, now, |w| {
                answer::client_data(w, client, leases.iter().copied(), &query.wanted, now);
            });
            leases.len()
        }
        clients => {
            let links = clients.iter().filter_map(|client| holdings.links.by_id(client.link)?.address());
            head.reply(w, policy, now, |w| {
                w.option(OptionCode::LQ_CLIENT_LINK, |w| links.for_each(|address| w.address(address)));
            });
            0
        }
    }
}

/// The clients with something to tell.
fn found<'a>(query: &'a Query, holdings: &'a Holdings, now: Now) -> Vec<ClientView<'a>> {
    let clients = query.searches.iter().flat_map(|search| holdings.table.search(search, Cursor::START));
    let telling =
        clients.map(|(_, client)| client).filter(|client| answer::told(client, now).next().is_some());
    telling.take(MAX_CLIENT_LINKS).collect()
}
