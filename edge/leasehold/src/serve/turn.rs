//! One batch of datagrams being answered, under one lock of the table.

use std::sync::Arc;

use lease::ClientKey;
use server::counters::add;
use server::exchange::{Answered, Exchanges, Recipient};
use server::leasequery::{Policy, datagram};
use server::{Arrived, Discard, Holdings};
use tracing::{debug, info};
use wire::MessageType;
use world::Now;

use super::intake::{Ports, Served};
use super::reconfigure;
use super::release::Held;
use super::service::Service;
use crate::net::{Outgoing, Received};

/// Octets of most answers.
const USUAL_OCTETS: usize = 512;

/// A batch from one socket, and what has come of it so far.
pub(super) struct Turn<'a> {
    service: &'a Service,
    served: &'a Served,
    ports: Ports,
    policy: &'a Policy,
    exchanges: &'a mut Exchanges,
    holdings: &'a mut Holdings,
    now: Now,
    at_once: Vec<Outgoing>,
    held: Vec<Held>,
}

impl<'a> Turn<'a> {
    pub(super) fn new(
        service: &'a Service,
        served: &'a Served,
        ports: Ports,
        policy: &'a Policy,
        exchanges: &'a mut Exchanges,
        holdings: &'a mut Holdings,
    ) -> Self {
        let now = service.now();
        let (at_once, held) = (Vec::new(), Vec::new());
        Self { service, served, ports, policy, exchanges, holdings, now, at_once, held }
    }

    /// What may be sent at once, and what has to wait until it is durable.
    pub(super) fn end(self) -> (Vec<Outgoing>, Vec<Held>) {
        (self.at_once, self.held)
    }

    /// Answers a datagram, or counts why not.
    pub(super) fn take(&mut self, received: &Received<'_>) {
        if let Err(discard) = self.answer(received) {
            self.service.counters.discard(discard);
            debug!(source = %received.arrival.source, reason = %discard, "discarded");
        }
    }

    fn answer(&mut self, received: &Received<'_>) -> Result<(), Discard> {
        let Served { address, membership, .. } = self.served;
        let arrival = &received.arrival;
        if !membership.admits(arrival) {
            return Err(Discard::NotServed);
        }
        let interface = membership.name(arrival.interface_index);
        let arrived = Arrived::decode(received.octets, *arrival.source.ip(), arrival.destination, interface)?;
        self.service.counters.received(arrived.message.message_type);
        match arrived.message.message_type {
            MessageType::LeaseQuery if address.leasequery => self.leasequery(&arrived, received),
            MessageType::LeaseQuery => Err(Discard::UnexpectedType),
            _ if address.dhcp => self.exchange(&arrived, received),
            _ => Err(Discard::UnexpectedType),
        }
    }

    /// Answers a client.
    fn exchange(&mut self, arrived: &Arrived<'_>, received: &Received<'_>) -> Result<(), Discard> {
        let mut out = Vec::with_capacity(USUAL_OCTETS);
        let answered = self.exchanges.answer(arrived, self.holdings, self.now, &mut out)?;
        self.service.counters.sent(answered.message_type);
        let outgoing = self.addressed(answered.recipient, received, out);
        note(self.service, &answered);
        if answered.speaks_of_bindings {
            self.held.push(Held::Answer(Arc::clone(&self.served.socket), outgoing));
        } else {
            self.at_once.push(outgoing);
        }
        if let Answered { client: Some(duid), link: Some(link), changes, .. } = answered
            && !changes.is_empty()
        {
            self.held.push(Held::Changes(ClientKey { link, duid }, changes));
        }
        Ok(())
    }

    fn addressed(&self, recipient: Recipient, received: &Received<'_>, octets: Vec<u8>) -> Outgoing {
        let arrival = received.arrival;
        match recipient {
            Recipient::Client => arrival.answer_client(octets, self.ports.client),
            Recipient::Relay => arrival.answer_relay(octets, self.ports.relay),
            Recipient::RelayAtItsPort => arrival.answer_relay(octets, arrival.source.port()),
        }
    }

    /// Answers a leasequery, at the port that it came from. What it tells may not be durable yet, so
    /// the answer is held like all that speaks of bindings.
    fn leasequery(&mut self, arrived: &Arrived<'_>, received: &Received<'_>) -> Result<(), Discard> {
        let requestor = received.arrival.source;
        if !self.service.rate().permits(*requestor.ip(), self.now.instant) {
            return Err(Discard::TooFast);
        }
        let mut out = Vec::new();
        let begun = self.service.now().instant;
        let answered = datagram::answer(arrived, self.policy, self.holdings, self.now, &mut out)?;
        add(&self.service.counters.datagrams_answered, 1);
        self.service.counters.status(answered.status);
        info!(
            transport = "udp", %requestor, transaction_id = %answered.transaction_id,
            query_type = %answered.query_type, sought = answered.sought, status = %answered.status,
            leases = answered.leases, octets = out.len(), "query"
        );
        self.service.queries.answered(requestor, &answered, out.len(), begun, self.service.now().instant);
        let outgoing = received.arrival.answer_relay(out, requestor.port());
        self.held.push(Held::Answer(Arc::clone(&self.served.socket), outgoing));
        Ok(())
    }
}

/// Notes what is worth a line and is no change of a lease.
fn note(service: &Service, answered: &Answered) {
    let Answered { client: Some(client), link, ignored, was_told_to, .. } = answered else { return };
    for lease in ignored {
        info!(%client, %lease, "not held by the client that would give it back");
    }
    if let (true, Some(link)) = (was_told_to, link) {
        reconfigure::heeded(service, ClientKey { link: *link, duid: client.clone() });
    }
}
