//! A server without sockets: a datagram in, an answer out, and the time is what the scenario says.

use std::time::Duration;

use lease::{ClientKey, ClientView, LeaseState, LinkId, Resource, Table};
use server::exchange::{Answered, ChangeKind, Ended, Exchanges};
use server::{Arrived, Discard, Holdings};
use world::{Instant, Now};

use super::{Client, Datagram, Told};

/// Seconds since 1970 when a scenario begins: some day in 2026.
const START_UNIX_SECS: u64 = 1_767_225_600;

/// The server under test, and what time it is there.
pub(crate) struct Server {
    pub(crate) exchanges: Exchanges,
    pub(crate) holdings: Holdings,
    elapsed: Duration,
}

impl Server {
    pub(crate) fn new(exchanges: Exchanges, holdings: Holdings) -> Self {
        Self { exchanges, holdings, elapsed: Duration::ZERO }
    }

    pub(crate) fn now(&self) -> Now {
        Now {
            instant: Instant::since_start(self.elapsed),
            unix_secs: START_UNIX_SECS + self.elapsed.as_secs(),
        }
    }

    /// Time passes, and nobody looks at what has run out.
    pub(crate) fn wait(&mut self, secs: u64) {
        self.elapsed += Duration::from_secs(secs);
    }

    /// Time passes, and what has run out ends.
    pub(crate) fn pass(&mut self, secs: u64) -> Vec<Ended> {
        self.wait(secs);
        let now = self.now();
        self.exchanges.expire(&mut self.holdings, now, usize::MAX)
    }

    /// What the server makes of a datagram.
    pub(crate) fn receive(&mut self, datagram: &Datagram) -> Result<(Vec<u8>, Answered), Discard> {
        let Datagram { octets, source, destination, interface } = datagram;
        let arrived = Arrived::decode(octets, *source, *destination, *interface)?;
        let (now, mut out) = (self.now(), Vec::new());
        let answered = self.exchanges.answer(&arrived, &mut self.holdings, now, &mut out);
        assert!(answered.is_ok() || out.is_empty(), "who is discarded is sent nothing");
        answered.map(|answered| (out, answered))
    }

    /// Asks for an answer that has to come, and has all that every answer must have.
    pub(crate) fn ask(&mut self, question: impl Into<Datagram>) -> Told {
        let question = question.into();
        let (octets, answered) = self.receive(&question).unwrap_or_else(|why| panic!("no answer: {why}"));
        Told::read(&question.octets, &octets, answered)
    }

    /// Asks what is to be met with silence; says why it was, and that nothing has changed.
    pub(crate) fn silence(&mut self, question: impl Into<Datagram>) -> Discard {
        let before = self.holdings.table.last_seq();
        let discard = self.receive(&question.into()).expect_err("there was an answer");
        assert_eq!(self.holdings.table.last_seq(), before, "what is discarded changes nothing");
        discard
    }

    /// Gives a client what it asks for, and tells what that is.
    pub(crate) fn bind(&mut self, question: impl Into<Datagram>) -> Vec<Resource> {
        let told = self.ask(question);
        assert!(told.answered.changes.iter().any(|change| change.kind == ChangeKind::Granted), "{told:?}");
        told.resources()
    }

    /// What the table has of a client on a link.
    pub(crate) fn client(&self, client: &Client, link: u32) -> Option<ClientView<'_>> {
        self.holdings.table.client(&ClientKey { link: LinkId(link), duid: client.duid.clone() })
    }

    /// What a client holds on link 1, in this state.
    pub(crate) fn in_state(&self, client: &Client, state: LeaseState) -> Vec<Resource> {
        let Some(client) = self.client(client, 1) else { return Vec::new() };
        let leases = client.leases().map(|held| held.lease);
        leases.filter(|lease| lease.state == state).map(|lease| lease.resource).collect()
    }

    /// What is a client's on link 1 now.
    pub(crate) fn held(&self, client: &Client) -> Vec<Resource> {
        self.in_state(client, LeaseState::Active)
    }

    /// Seconds for which a client's first lease on link 1 is still valid.
    pub(crate) fn remaining_secs(&self, client: &Client) -> u32 {
        let lease = self.client(client, 1).unwrap().leases().next().unwrap().lease;
        lease.valid_remaining_secs(self.now().unix_secs)
    }

    /// The server stops; what it held is left.
    pub(crate) fn close(self) -> Table {
        self.holdings.table
    }
}
