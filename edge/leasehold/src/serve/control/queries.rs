//! `show queries`: connections with what is being answered on them, and what was answered last.

use server::leasequery;
use world::Instant;

use super::super::queries::{Connected, Ended};
use super::super::service::Service;
use crate::control::door::{Reply, Stop};
use crate::control::{self, Query};

/// Characters of what is sought that are shown: a person reads them, and a requestor chooses them.
const SOUGHT_CHARACTERS: usize = 200;

/// Shows all that is known.
pub(super) async fn show(service: &Service, reply: &mut Reply) -> Result<(), Stop> {
    let now = service.now().instant;
    let (connections, ended) = service.queries.shown();
    let connections = connections.into_iter().map(|connected| Query::Connection(connection(connected, now)));
    for query in connections.chain(ended.into_iter().map(|ended| Query::Ended(of_ended(ended, now)))) {
        reply.item(&query);
        if reply.is_full() {
            reply.send().await?;
        }
    }
    reply.send().await
}

fn connection(connected: Connected, now: Instant) -> control::Connection {
    let Connected { requestor, opened, in_work, .. } = connected;
    control::Connection {
        requestor: requestor.to_string(),
        open_secs: now.since(opened).as_secs(),
        in_work: in_work.into_iter().map(|query| of_work(query, now)).collect(),
    }
}

fn of_work(query: leasequery::InWork, now: Instant) -> control::InWork {
    let leasequery::InWork { transaction_id, query_type, sought, clients, leases, octets, begun } = query;
    control::InWork {
        transaction_id: transaction_id.to_string(),
        query_type: query_type.to_string(),
        sought: shortened(sought),
        clients,
        leases,
        octets,
        running_secs: now.since(begun).as_secs(),
    }
}

fn of_ended(ended: Ended, now: Instant) -> control::Ended {
    control::Ended {
        transport: ended.transport.to_owned(),
        requestor: ended.requestor.to_string(),
        transaction_id: ended.transaction_id.to_string(),
        query_type: ended.query_type.to_string(),
        sought: shortened(ended.sought),
        status: ended.status.to_string(),
        clients: ended.clients,
        leases: ended.leases,
        octets: ended.octets,
        seconds: ended.took.as_secs_f64(),
        ended_secs: now.since(ended.at).as_secs(),
    }
}

fn shortened(sought: String) -> String {
    match sought.char_indices().nth(SOUGHT_CHARACTERS) {
        Some((end, _)) => format!("{}…", &sought[..end]),
        None => sought,
    }
}
