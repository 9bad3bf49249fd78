//! `show counters`: all numbers there are, read one after the other.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use lease::Seq;
use server::Discard;
use wire::StatusCode;
use world::Instant;

use super::ServerDesk;
use crate::control::door::{Reply, Stop};
use crate::control::{Bulk, Counters, Leasequeries, Messages, SocketCounters};
use crate::net;

/// Status codes that have a name.
const STATUS_CODES: u16 = 16;

/// Shows the counters.
pub(super) async fn show(desk: &ServerDesk, reply: &mut Reply) -> Result<(), Stop> {
    reply.item(&counters(desk));
    reply.send().await
}

fn counters(desk: &ServerDesk) -> Counters {
    let service = &*desk.service;
    let (clients, Seq(changed_seq)) = {
        let table = &service.holdings().table;
        (table.len() as u64, table.last_seq())
    };
    let messages = service.counters.messages();
    let of_type = |(kind, received, sent): (wire::MessageType, u64, u64)| {
        (kind.name().to_owned(), Messages { received, sent })
    };
    let discards = Discard::ALL.iter();
    Counters {
        uptime_secs: service.now().instant.since(Instant::default()).as_secs(),
        clients,
        changed_seq,
        durable_seq: service.journal.latest_durable().0,
        messages: messages.map(of_type).collect(),
        discards: discards
            .map(|reason| (reason.name().to_owned(), service.counters.discarded(*reason)))
            .collect(),
        leasequeries: leasequeries(&service.counters),
        bulk: bulk(&service.counters, service.admission().connections()),
        sockets: desk.sockets.iter().filter_map(|socket| of_socket(socket)).collect(),
    }
}

fn leasequeries(counters: &server::Counters) -> Leasequeries {
    let answered = |code| (StatusCode(code), counters.answered(StatusCode(code)));
    let statuses: BTreeMap<String, u64> = (0..STATUS_CODES)
        .map(answered)
        .filter(|(_, count)| *count > 0)
        .map(|(code, count)| (code.to_string(), count))
        .collect();
    Leasequeries {
        udp: read(&counters.datagrams_answered),
        tcp: read(&counters.bulk_queries),
        duplicate_transaction_ids: read(&counters.duplicate_transaction_ids),
        statuses,
    }
}

fn bulk(counters: &server::Counters, connections: usize) -> Bulk {
    Bulk {
        connections: connections as u64,
        opened: read(&counters.connections_opened),
        refused: read(&counters.connections_refused),
        displaced: read(&counters.connections_displaced),
        timed_out: read(&counters.connections_timed_out),
        clients: read(&counters.clients_sent),
        leases: read(&counters.leases_sent),
        octets: read(&counters.bulk_octets),
    }
}

fn of_socket(socket: &net::ServerSocket) -> Option<(String, SocketCounters)> {
    let address = socket.local_address().ok()?;
    let net::Counters { received, cut, sent, refused, stalled, join_failures } = socket.counters();
    let counters = SocketCounters {
        received: read(received),
        cut: read(cut),
        sent: read(sent),
        refused: read(refused),
        stalled: read(stalled),
        join_failures: read(join_failures),
    };
    Some((address.to_string(), counters))
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Relaxed)
}
