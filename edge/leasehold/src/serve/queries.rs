//! Who is asking what, and what was asked last: for an operator to see.
//!
//! Each connection keeps its own entry up to date, once for each buffer that it fills. What has
//! ended is remembered for a while, the oldest forgotten first.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddrV6;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use server::leasequery::{Finished, InWork, Place, datagram};
use tokio::task::AbortHandle;
use wire::leasequery::QueryType;
use wire::{StatusCode, TransactionId};
use world::Instant;

/// Queries that are remembered when they have ended: as many as somebody reads.
const MAX_ENDED: usize = 100;

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Queries(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    connections: BTreeMap<Place, Connected>,
    ended: VecDeque<Ended>,
}

/// A connection, and what is being answered on it.
#[derive(Debug, Clone)]
pub(super) struct Connected {
    pub(super) requestor: SocketAddrV6,
    pub(super) opened: Instant,
    pub(super) in_work: Vec<InWork>,
    task: Option<AbortHandle>,
}

/// What has become of a query.
#[derive(Debug, Clone)]
pub(super) struct Ended {
    pub(super) transport: &'static str,
    pub(super) requestor: SocketAddrV6,
    pub(super) transaction_id: TransactionId,
    pub(super) query_type: QueryType,
    pub(super) sought: String,
    pub(super) status: StatusCode,
    pub(super) clients: Option<u64>,
    pub(super) leases: u64,
    pub(super) octets: u64,
    pub(super) took: Duration,
    pub(super) at: Instant,
}

impl Queries {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a connection.
    pub(super) fn opened(&self, place: Place, requestor: SocketAddrV6, now: Instant) {
        let connected = Connected { requestor, opened: now, in_work: Vec::new(), task: None };
        self.known().connections.insert(place, connected);
    }

    /// Notes which task carries a connection.
    pub(super) fn is_task(&self, place: Place, task: AbortHandle) {
        if let Some(connected) = self.known().connections.get_mut(&place) {
            connected.task = Some(task);
        }
    }

    /// Ends the task that carries a connection; gives whose it was.
    pub(super) fn end(&self, place: Place) -> Option<SocketAddrV6> {
        let known = self.known();
        let connected = known.connections.get(&place)?;
        connected.task.iter().for_each(AbortHandle::abort);
        Some(connected.requestor)
    }

    /// Notes what is being answered on a connection.
    pub(super) fn progress(&self, place: Place, in_work: impl Iterator<Item = InWork>) {
        if let Some(connected) = self.known().connections.get_mut(&place) {
            connected.in_work.clear();
            connected.in_work.extend(in_work);
        }
    }

    /// Notes that a connection is gone.
    pub(super) fn closed(&self, place: Place) {
        self.known().connections.remove(&place);
    }

    /// Remembers a query that was answered on a connection.
    pub(super) fn finished(&self, requestor: SocketAddrV6, finished: &Finished, now: Instant) {
        let Finished { transaction_id, query_type, sought, status, clients, leases, octets, took } = finished;
        self.remember(Ended {
            transport: "tcp",
            requestor,
            transaction_id: *transaction_id,
            query_type: *query_type,
            sought: sought.clone(),
            status: *status,
            clients: Some(*clients),
            leases: *leases,
            octets: *octets,
            took: *took,
            at: now,
        });
    }

    /// Remembers a query that was answered over UDP, in so many octets.
    pub(super) fn answered(
        &self,
        requestor: SocketAddrV6,
        answered: &datagram::Answered,
        octets: usize,
        begun: Instant,
        now: Instant,
    ) {
        let datagram::Answered { transaction_id, query_type, sought, status, leases } = answered;
        self.remember(Ended {
            transport: "udp",
            requestor,
            transaction_id: *transaction_id,
            query_type: *query_type,
            sought: sought.clone(),
            status: *status,
            clients: None,
            leases: *leases as u64,
            octets: octets as u64,
            took: now.since(begun),
            at: now,
        });
    }

    fn remember(&self, ended: Ended) {
        let mut known = self.known();
        if known.ended.len() == MAX_ENDED {
            known.ended.pop_front();
        }
        known.ended.push_back(ended);
    }

    /// The connections, and what has ended, the latest first.
    pub(super) fn shown(&self) -> (Vec<Connected>, Vec<Ended>) {
        let known = self.known();
        (known.connections.values().cloned().collect(), known.ended.iter().rev().cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use server::leasequery::{Admission, BulkLimits};

    fn answered(number: u32) -> datagram::Answered {
        datagram::Answered {
            transaction_id: TransactionId::from_number(number),
            query_type: QueryType::BY_ADDRESS,
            sought: String::new(),
            status: StatusCode::SUCCESS,
            leases: 1,
        }
    }

    #[test]
    fn the_latest_are_remembered_and_no_more_than_the_limit() {
        let (queries, now) = (Queries::default(), Instant::default());
        let requestor = SocketAddrV6::new(std::net::Ipv6Addr::LOCALHOST, 1, 0, 0);
        let many = MAX_ENDED as u32 + 7;
        (0..many).for_each(|number| queries.answered(requestor, &answered(number), 10, now, now));
        let (_, ended) = queries.shown();
        let numbers: Vec<_> = ended.iter().map(|ended| ended.transaction_id).collect();
        let expected: Vec<_> = (7..many).rev().map(TransactionId::from_number).collect();
        assert_eq!(numbers, expected);
    }

    #[test]
    fn a_connection_is_known_until_it_closes() {
        let (queries, now) = (Queries::default(), Instant::default());
        let requestor = SocketAddrV6::new(std::net::Ipv6Addr::LOCALHOST, 1, 0, 0);
        let (mut admission, limits) = (Admission::default(), BulkLimits::default());
        let mut open = || {
            let place = admission.open(*requestor.ip(), &limits, now).unwrap().place;
            queries.opened(place, requestor, now);
            place
        };
        let (first, second) = (open(), open());
        queries.closed(first);
        queries.progress(first, std::iter::empty());
        assert_eq!(queries.shown().0.len(), 1);
        queries.closed(second);
        assert!(queries.shown().0.is_empty());
    }
}
