//! Reconfigurations under way: who was told what, how often, and when again.
//!
//! `by_deadline` has every client of `clients` once, at its next deadline.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use lease::{ClientKey, LinkId};
use wire::{Duid, MessageType};
use world::Instant;

use super::Announced;
use crate::limits::{RECONFIGURE_ATTEMPTS, RECONFIGURE_FIRST_WAIT};

/// Every client that has been told something and has not answered yet.
#[derive(Debug, Default)]
pub(in crate::exchange) struct Progress {
    clients: BTreeMap<ClientKey, Told>,
    by_deadline: BTreeSet<(Instant, ClientKey)>,
}

#[derive(Debug)]
struct Told {
    announced: Announced,
    /// How often.
    attempts: u32,
    /// When to tell it again, or to give up.
    next: Instant,
}

/// What time has come for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// To tell it, for the first time or again.
    Attempt(u32),
    /// To tell it no more.
    GiveUp,
}

impl Progress {
    pub(super) fn len(&self) -> usize {
        self.clients.len()
    }

    pub(super) fn has(&self, key: &ClientKey) -> bool {
        self.clients.contains_key(key)
    }

    /// Begins with an attempt that is due now.
    pub(super) fn begin(&mut self, key: ClientKey, announced: Announced, now: Instant) {
        self.by_deadline.insert((now, key.clone()));
        self.clients.insert(key, Told { announced, attempts: 0, next: now });
    }

    /// Ends, if that is what the client was told to send; says whether it was.
    pub(in crate::exchange) fn heard(
        &mut self,
        client: Option<&Duid>,
        link: Option<LinkId>,
        message_type: MessageType,
    ) -> bool {
        let (false, Some(duid), Some(link)) = (self.clients.is_empty(), client, link) else { return false };
        let key = ClientKey { link, duid: duid.clone() };
        let told = self.clients.get(&key);
        let obeyed =
            told.is_some_and(|told| told.attempts > 0 && told.announced.message_type() == message_type);
        if obeyed {
            self.end(&key);
        }
        obeyed
    }

    pub(super) fn end(&mut self, key: &ClientKey) {
        if let Some(told) = self.clients.remove(key) {
            self.by_deadline.remove(&(told.next, key.clone()));
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.by_deadline.first().map(|(at, _)| *at)
    }

    /// Takes the earliest deadline that has passed.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<(ClientKey, Announced, Due)> {
        let (_, key) = self.by_deadline.first().filter(|(at, _)| *at <= now)?.clone();
        let told = self.clients.get_mut(&key).expect("each deadline is of a client that was told");
        let announced = told.announced;
        if told.attempts == RECONFIGURE_ATTEMPTS {
            self.end(&key);
            return Some((key, announced, Due::GiveUp));
        }
        let wait = wait_after(told.attempts);
        told.attempts += 1;
        let due = Due::Attempt(told.attempts);
        self.by_deadline.remove(&(told.next, key.clone()));
        told.next = now + wait;
        self.by_deadline.insert((told.next, key.clone()));
        Some((key, announced, due))
    }
}

/// Twice as long each time (RFC 9915 §18.3.11).
fn wait_after(earlier_attempts: u32) -> Duration {
    RECONFIGURE_FIRST_WAIT * 2_u32.pow(earlier_attempts)
}
