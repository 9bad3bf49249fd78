//! One stream of an honest requestor, with the questions on it.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use requestor::{Asker, BulkConnection, ClientData, Event, Outcome};
use wire::TransactionId;
use world::{Chance, Instant};

use super::errand::Errand;
use crate::nodes::NodeId;
use crate::plan::addresses;
use crate::universe::{Heard, Observed, Outbox, StreamId, Via};

/// A stream that is dialled or open.
#[derive(Debug)]
pub(super) struct Talk {
    pub(super) server: usize,
    stream: StreamId,
    /// `None` until it is connected.
    connection: Option<BulkConnection>,
    waiting: Vec<Errand>,
    asked: BTreeMap<TransactionId, Errand>,
    /// It does not read before.
    reads_at: Option<Instant>,
    /// Since when nothing is asked.
    idle_since: Option<Instant>,
    pub(super) more: u32,
    pub(super) heard: u32,
}

/// What has come of a question.
pub(super) struct Ended {
    pub(super) errand: Errand,
    pub(super) outcome: Outcome,
}

impl Talk {
    pub(super) fn dialled(server: usize, stream: StreamId, waiting: Vec<Errand>, more: u32) -> Self {
        Self {
            server,
            stream,
            connection: None,
            waiting,
            asked: BTreeMap::new(),
            reads_at: None,
            idle_since: None,
            more,
            heard: 0,
        }
    }

    /// Questions that are open.
    pub(super) fn open(&self) -> usize {
        self.waiting.len() + self.asked.len()
    }

    pub(super) fn connected(&mut self, node: usize, chance: &mut Chance, now: Instant, out: &mut Outbox) {
        let asker = Asker { client_id: addresses::requestor_id(node), server_id: None };
        self.connection = Some(BulkConnection::new(asker, chance, now));
        for errand in std::mem::take(&mut self.waiting) {
            self.ask(errand, node, now, out);
        }
    }

    /// Asks something on the connection; gives it back if that cannot be.
    pub(super) fn ask(
        &mut self,
        errand: Errand,
        node: usize,
        now: Instant,
        out: &mut Outbox,
    ) -> Option<Errand> {
        let Some(connection) = &mut self.connection else {
            self.waiting.push(errand);
            return None;
        };
        let Ok(id) = connection.ask(&errand.question, now) else { return Some(errand) };
        let (via, server) = (Via::Stream(self.stream), NodeId::Server(self.server));
        let question = Rc::new(errand.question.clone());
        out.observe(Observed::Asked(NodeId::Requestor(node), server, via, id, question));
        self.asked.insert(id, errand);
        self.idle_since = None;
        None
    }

    /// Lets the connection do something, and gives the questions that have ended.
    pub(super) fn with(
        &mut self,
        node: usize,
        now: Instant,
        out: &mut Outbox,
        work: impl FnOnce(&mut BulkConnection, &mut dyn FnMut(Event<'_>)),
    ) -> Vec<Ended> {
        let Self { connection, asked, stream, heard, .. } = self;
        let (node, via) = (NodeId::Requestor(node), Via::Stream(*stream));
        let mut ended = Vec::new();
        let Some(connection) = connection else { return ended };
        work(connection, &mut |event| match event {
            Event::Client { query, client } => {
                *heard += 1;
                out.observe(Observed::Understood(node, via, query, Rc::new(understood(client))));
            }
            Event::Finished { query, outcome } => {
                out.observe(Observed::QuestionEnded(node, via, query, outcome.clone()));
                let errand = asked.remove(&query).expect("what has ended has been asked");
                ended.push(Ended { errand, outcome });
            }
        });
        if connection.is_idle() {
            self.idle_since.get_or_insert(now);
        }
        ended
    }

    /// Does not read for a while.
    pub(super) fn pause(&mut self, until: Instant) {
        self.reads_at = Some(until);
    }

    pub(super) fn wake(&mut self, now: Instant) {
        self.reads_at = self.reads_at.filter(|at| *at > now);
    }

    pub(super) fn wants_octets(&self) -> bool {
        self.connection.is_some() && self.reads_at.is_none()
    }

    pub(super) fn output(&self) -> &[u8] {
        self.connection.as_ref().map_or(&[], |connection| connection.output())
    }

    pub(super) fn wrote(&mut self, octets: usize, now: Instant) {
        if let Some(connection) = &mut self.connection {
            connection.wrote(octets, now);
        }
    }

    pub(super) fn deadline(&self, keeps_for: Duration) -> Option<Instant> {
        let of_connection = self.connection.as_ref().and_then(|connection| connection.next_deadline());
        let of_idling = self.idle_since.map(|since| since + keeps_for);
        of_connection.map(|deadline| deadline.at).into_iter().chain(self.reads_at).chain(of_idling).min()
    }

    /// Whether it is to be closed: the connection has ended, or has had nothing to do for long enough.
    pub(super) fn is_over(&self, keeps_for: Duration, now: Instant) -> bool {
        let has_ended = self.connection.as_ref().is_some_and(|connection| connection.ended().is_some());
        has_ended || self.idle_since.is_some_and(|since| since + keeps_for <= now)
    }

    /// Hangs up: gives back what has not been answered.
    pub(super) fn hang_up(self, node: usize, out: &mut Outbox) -> Vec<Errand> {
        let via = Via::Stream(self.stream);
        for id in self.asked.keys() {
            out.observe(Observed::QuestionDropped(NodeId::Requestor(node), via, *id));
        }
        self.waiting.into_iter().chain(self.asked.into_values()).collect()
    }
}

/// What is kept of a client that was told of.
pub(super) fn understood(client: &ClientData<'_>) -> Heard {
    let innermost =
        client.relay_path.map(|path| (path.innermost().link_address, path.innermost().peer_address));
    Heard {
        client: client.client_id.to_duid(),
        last_heard_secs: client.last_heard_secs,
        leases: client.leases().collect(),
        innermost,
    }
}
