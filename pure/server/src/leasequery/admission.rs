//! Who may be connected, and how many queries of whom are in work, over all connections.
//!
//! There are as many places for connections as the operator says. A connection *rests* while nothing is
//! being answered on it, and it *leaves* once it is closed and only waits for the requestor to close as
//! well. When all places are taken, a newcomer gets the place of one that leaves, or of one that rests
//! ([`Admission::open`]): so whoever takes many places and does nothing with them keeps nobody out. What
//! all this holds is bounded by the limits themselves, and a newcomer costs the same however many are here.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv6Addr;

use world::Instant;

use super::BulkLimits;
use crate::limits::KEPT_AT_REST;

/// A connection's place; no other connection ever has the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(u64);

/// A connection that was let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The place that it has now.
    pub place: Place,
    /// The connection that had to go for it: it is counted out already, and has to be closed.
    pub displaced: Option<Place>,
}

/// The counts that limits are held against.
#[derive(Debug, Default)]
pub struct Admission {
    opened: u64,
    places: BTreeMap<Place, Taken>,
    leaving: BTreeSet<Place>,
    requestors: BTreeMap<Ipv6Addr, Requestor>,
    /// For each requestor with connections that rest, which of them would go first.
    candidates: BTreeSet<Candidate>,
}

/// Whose place it is, and since when the connection rests.
#[derive(Debug, Clone, Copy)]
struct Taken {
    requestor: Ipv6Addr,
    rests_since: Option<Instant>,
}

/// What one source has: connections that do not leave, those of them that rest, and queries in work.
#[derive(Debug, Default)]
struct Requestor {
    connections: usize,
    resting: BTreeSet<(Instant, Place)>,
    queries: usize,
}

/// The last of them goes first: of the source with the most connections, the one that has rested longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    connections: usize,
    resting: Reverse<(Instant, Place)>,
}

impl Requestor {
    fn candidate(&self) -> Option<Candidate> {
        Some(Candidate { connections: self.connections, resting: Reverse(*self.resting.first()?) })
    }
}

impl Admission {
    /// Counts a connection in, which rests from now on; `None` if there is no room (RFC 5460 §7.1).
    ///
    /// When all places are taken, one that leaves gives way. Otherwise one that rests does (RFC 5460
    /// §7.4), of the source with the most connections: at once if that source is left with no fewer than
    /// the newcomer's has then, and after [`KEPT_AT_REST`] if they only change roles. So nobody gains by
    /// connecting again and again, and two sources never drive each other out for ever.
    pub fn open(&mut self, requestor: Ipv6Addr, limits: &BulkLimits, now: Instant) -> Option<Entry> {
        let own = self.requestors.get(&requestor).map_or(0, |requestor| requestor.connections);
        if limits.max_connections_per_requestor.is_some_and(|most| own >= most) {
            return None;
        }
        let is_full = self.places.len() >= limits.max_connections;
        let displaced = if is_full { Some(self.who_gives_way(own, now)?) } else { None };
        displaced.into_iter().for_each(|place| self.close(place));
        let place = Place(self.opened);
        self.opened += 1;
        self.places.insert(place, Taken { requestor, rests_since: None });
        self.change(requestor, |requestor| requestor.connections += 1);
        self.rest(place, Some(now));
        Some(Entry { place, displaced })
    }

    /// Whose place a newcomer gets that has so many connections already.
    fn who_gives_way(&self, own: usize, now: Instant) -> Option<Place> {
        if let Some(place) = self.leaving.first() {
            return Some(*place);
        }
        let Candidate { connections, resting: Reverse((since, place)) } = *self.candidates.last()?;
        let gives_way = match connections.saturating_sub(own) {
            0 => false,
            1 => now.since(since) >= KEPT_AT_REST,
            _ => true,
        };
        gives_way.then_some(place)
    }

    /// Notes since when nothing is being answered on a connection, or that something is.
    pub fn rest(&mut self, place: Place, since: Option<Instant>) {
        let Some(taken) = self.places.get_mut(&place) else { return };
        if taken.rests_since == since || self.leaving.contains(&place) {
            return;
        }
        let before = std::mem::replace(&mut taken.rests_since, since);
        let requestor = taken.requestor;
        self.change(requestor, |requestor| {
            before.into_iter().for_each(|since| _ = requestor.resting.remove(&(since, place)));
            since.into_iter().for_each(|since| _ = requestor.resting.insert((since, place)));
        });
    }

    /// Notes that a connection is closed, but still there because its requestor has not closed it.
    pub fn leave(&mut self, place: Place) {
        if self.leaving.contains(&place) {
            return;
        }
        self.rest(place, None);
        if let Some(taken) = self.places.get(&place) {
            let requestor = taken.requestor;
            self.leaving.insert(place);
            self.change(requestor, |requestor| requestor.connections -= 1);
        }
    }

    /// Counts a connection out that is gone; nothing happens if it was displaced.
    pub fn close(&mut self, place: Place) {
        self.leave(place);
        self.leaving.remove(&place);
        self.places.remove(&place);
    }

    /// Connections that are there now.
    pub fn connections(&self) -> usize {
        self.places.len()
    }

    /// Counts a requestor's query in; `false` if it has too many in work already (RFC 5460 §7.3).
    pub fn begin(&mut self, requestor: Ipv6Addr, limits: &BulkLimits) -> bool {
        let has_room = |requestor: &Requestor| requestor.queries < limits.max_queries_per_requestor;
        let room = self.requestors.get(&requestor).is_none_or(has_room);
        if room {
            self.change(requestor, |requestor| requestor.queries += 1);
        }
        room
    }

    /// Counts a requestor's queries out.
    pub fn end(&mut self, requestor: Ipv6Addr, queries: usize) {
        if queries > 0 {
            self.change(requestor, |requestor| {
                requestor.queries = requestor.queries.checked_sub(queries).expect("only queries in work end");
            });
        }
    }

    /// Changes what a requestor has, and forgets one that has nothing any more.
    fn change(&mut self, requestor: Ipv6Addr, change: impl FnOnce(&mut Requestor)) {
        let has = self.requestors.entry(requestor).or_default();
        has.candidate().into_iter().for_each(|before| _ = self.candidates.remove(&before));
        change(has);
        has.candidate().into_iter().for_each(|after| _ = self.candidates.insert(after));
        if has.connections == 0 && has.queries == 0 {
            self.requestors.remove(&requestor);
        }
    }
}
