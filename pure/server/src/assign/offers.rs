//! What was advertised a short while ago, and to whom. It lives in memory alone.
//!
//! Invariant: the three maps speak of the same offers.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv6Addr;

use lease::{ClientKey, Resource};
use wire::Prefix;
use world::Instant;

use super::spans::{Spans, span_of};
use crate::limits::MAX_OFFERS;

#[derive(Debug, Default)]
pub(super) struct Offers {
    by_span: Spans<Offer>,
    by_age: BTreeMap<u64, Prefix>,
    by_client: BTreeSet<(ClientKey, Resource)>,
    last_number: u64,
}

#[derive(Debug)]
struct Offer {
    resource: Resource,
    client: ClientKey,
    until: Instant,
    number: u64,
}

impl Offers {
    /// Keeps an offer, in place of an earlier one of the same; returns the one that had to make room.
    pub(super) fn keep(
        &mut self,
        resource: Resource,
        client: &ClientKey,
        until: Instant,
    ) -> Option<Resource> {
        self.forget(resource);
        let oldest = (self.by_span.len() >= MAX_OFFERS).then(|| self.oldest()).flatten();
        let oldest = oldest.map(|(resource, _)| resource);
        oldest.into_iter().for_each(|oldest| self.forget(oldest));
        self.last_number += 1;
        let offer = Offer { resource, client: client.clone(), until, number: self.last_number };
        self.by_age.insert(offer.number, span_of(resource));
        self.by_client.insert((client.clone(), resource));
        self.by_span.insert(span_of(resource), offer);
        oldest
    }

    pub(super) fn forget(&mut self, resource: Resource) {
        let Some(Offer { resource, client, until: _, number }) = self.by_span.remove(span_of(resource))
        else {
            return;
        };
        self.by_age.remove(&number);
        self.by_client.remove(&(client, resource));
    }

    /// Whether just this is offered to anybody.
    pub(super) fn knows(&self, resource: Resource) -> bool {
        self.by_span.get(span_of(resource)).is_some()
    }

    /// Forgets one offer whose time is over; all are kept for the same time, so the oldest ends first.
    pub(super) fn forget_expired(&mut self, now: Instant) -> Option<Resource> {
        let (resource, until) = self.oldest()?;
        if until > now {
            return None;
        }
        self.forget(resource);
        Some(resource)
    }

    fn oldest(&self) -> Option<(Resource, Instant)> {
        let (_, span) = self.by_age.first_key_value()?;
        self.by_span.get(*span).map(|offer| (offer.resource, offer.until))
    }

    /// What is offered between two addresses, in order.
    pub(super) fn between(&self, first: Ipv6Addr, last: Ipv6Addr) -> impl Iterator<Item = Prefix> {
        self.by_span.between(first, last).map(|(span, _)| span)
    }

    /// What is offered to others and has an address in common with a span.
    pub(super) fn to_others(&self, span: Prefix, client: &ClientKey) -> impl Iterator<Item = Prefix> {
        let others = self.by_span.overlapping(span).filter(move |(_, offer)| offer.client != *client);
        others.map(|(span, _)| span)
    }

    /// What is offered to a client.
    pub(super) fn to_client(&self, client: &ClientKey) -> impl Iterator<Item = Resource> {
        let from = (client.clone(), Resource::Address(Ipv6Addr::UNSPECIFIED));
        let own = self.by_client.range(from..).take_while(move |(other, _)| other == client);
        own.map(|(_, resource)| *resource)
    }
}
