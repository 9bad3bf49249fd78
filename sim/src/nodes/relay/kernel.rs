//! A simulated kernel: interfaces, a route table with strangers in it, and what it tells of both.
//!
//! It outlives the relay's program, and forgets its routes when the machine starts again. Changes are made one at
//! a time, as rtnetlink makes them: a route is added only where there is none, replaced where there is one,
//! whoever's it is, and removed only if everything about it fits. What others do is told through one socket: in
//! order, late, and not at all if more comes than it has room for. What the relay does itself is not told.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use relay::{Change, Failure, Owner, Route, Seen, Target};
use wire::Prefix;
use world::Instant;

use crate::plan::LinkNumber;

/// The metric of our routes.
pub const OUR_METRIC: u32 = 512;

/// Where a route stands: there is one at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Where it leads.
    pub destination: Prefix,
    /// Which of several is taken: the least.
    pub metric: u32,
}

impl Place {
    /// Where a route of ours would stand.
    pub fn ours(destination: Prefix) -> Self {
        Self { destination, metric: OUR_METRIC }
    }
}

/// A route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// One of ours.
    Ours(Target),
    /// Somebody else's, by another protocol.
    Stranger {
        /// Whether what it leads to is on the link.
        on_link: bool,
        /// When the relay was told of it.
        told: Option<Instant>,
    },
}

/// What an interface is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Servers are there, or a relay nearer to them.
    Upstream,
    /// Clients are there, on this link.
    Clients(LinkNumber),
}

/// An interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interface {
    /// What it is for; this is the same for as long as it is plugged in anywhere.
    pub side: Side,
    /// Its number now; another one when it comes back.
    pub index: u32,
    /// Whether it is there.
    pub is_there: bool,
    /// Whether it is switched on.
    pub is_up: bool,
}

impl Interface {
    /// Whether servers are there.
    pub fn is_upstream(&self) -> bool {
        self.side == Side::Upstream
    }
}

/// Something that others have done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// A route is there now.
    Added(Seen),
    /// A route is there no longer.
    Removed(Seen),
    /// This interface has come, gone or changed.
    Interface(u32),
}

/// What a socket has for its reader.
#[derive(Debug, Default)]
pub struct Told {
    /// What has been done, in order; nothing of routes if something was lost.
    pub news: Vec<News>,
    /// Whether more has happened than that.
    pub lost: bool,
}

/// The kernel of a relay's machine.
#[derive(Debug, Default)]
pub struct Kernel {
    routes: BTreeMap<Place, Standing>,
    interfaces: Vec<Interface>,
    /// What waits to be told, and from when on it can be read.
    news: VecDeque<(Instant, News)>,
    lost_at: Option<Instant>,
}

impl Kernel {
    /// With these interfaces, and no routes.
    pub fn new(interfaces: Vec<Interface>) -> Self {
        Self { interfaces, ..Self::default() }
    }

    /// Every route.
    pub fn routes(&self) -> impl Iterator<Item = (Place, Standing)> {
        self.routes.iter().map(|(place, standing)| (*place, *standing))
    }

    /// What stands somewhere.
    pub fn at(&self, place: Place) -> Option<Standing> {
        self.routes.get(&place).copied()
    }

    /// Where our routes lead.
    pub fn ours(&self) -> impl Iterator<Item = (Prefix, Target)> {
        self.routes.iter().filter_map(|(place, standing)| match standing {
            Standing::Ours(target) => Some((place.destination, *target)),
            Standing::Stranger { .. } => None,
        })
    }

    /// Whether a prefix is, or covers, one that is on a link of this machine.
    pub fn covers_connected(&self, prefix: Prefix) -> bool {
        let mut on_link = self
            .routes
            .iter()
            .filter(|(_, standing)| matches!(standing, Standing::Stranger { on_link: true, .. }));
        on_link.any(|(place, _)| prefix.covers(place.destination))
    }

    /// Every interface that is there.
    pub fn interfaces(&self) -> impl Iterator<Item = &Interface> {
        self.interfaces.iter().filter(|interface| interface.is_there)
    }

    /// The interface of a side, there or not.
    pub fn interface(&self, side: Side) -> Option<&Interface> {
        self.interfaces.iter().find(|interface| interface.side == side)
    }

    /// The interface with this number, if it is there.
    pub fn with_index(&self, index: u32) -> Option<&Interface> {
        self.interfaces().find(|interface| interface.index == index)
    }

    /// How many interfaces there are, there or not.
    pub fn sides(&self) -> Vec<Side> {
        self.interfaces.iter().map(|interface| interface.side).collect()
    }
}

/// What the relay does.
impl Kernel {
    /// Whether this change, handed over at that moment, would have a stranger's route go that the relay had not
    /// been told of by then. There is no replacing that looks whose a route is: who comes while a change is on its
    /// way is replaced.
    pub fn would_trample(&self, change: &Change, handed_over: Instant) -> bool {
        let standing = self.routes.get(&Place::ours(change.destination()));
        let is_unknown = |told: Option<Instant>| told.is_none_or(|told| told > handed_over);
        matches!((change, standing), (Change::Replace { .. }, Some(Standing::Stranger { told, .. })) if is_unknown(*told))
    }

    /// Makes a change.
    pub fn apply(&mut self, change: &Change) -> Result<(), Failure> {
        let place = Place::ours(change.destination());
        match (change, self.routes.get(&place)) {
            (Change::Add(_), Some(_)) => Err(Failure::Taken),
            (Change::Add(route), None) => self.put(route),
            (Change::Replace { .. }, None) => Err(Failure::Missing),
            (Change::Replace { to, .. }, Some(_)) => self.put(to),
            (Change::Delete(route), standing) => {
                if standing != Some(&Standing::Ours(route.target)) {
                    return Err(Failure::Missing);
                }
                self.routes.remove(&place);
                Ok(())
            }
        }
    }

    fn put(&mut self, route: &Route) -> Result<(), Failure> {
        if let Target::Via { interface_index, .. } = route.target
            && !self.with_index(interface_index).is_some_and(|interface| interface.is_up)
        {
            return Err(Failure::NoWay);
        }
        self.routes.insert(Place::ours(route.destination), Standing::Ours(route.target));
        Ok(())
    }

    /// A part of a dump: the routes in so many places, or in all that follow.
    pub fn dump(&mut self, from: Option<Place>, most: usize, now: Instant) -> Vec<(Place, Seen)> {
        use std::ops::Bound::{Excluded, Unbounded};
        let from = from.map_or(Unbounded, Excluded);
        let part = self.routes.range_mut((from, Unbounded)).take(most);
        part.map(|(place, standing)| {
            if let Standing::Stranger { told, .. } = standing {
                told.get_or_insert(now);
            }
            (*place, seen(*place, *standing))
        })
        .collect()
    }

    /// What the socket has for its reader now.
    pub fn read(&mut self, now: Instant) -> Told {
        let mut told = Told::default();
        if self.lost_at.is_some_and(|at| at <= now) {
            (self.lost_at, told.lost) = (None, true);
        }
        while let Some((_, news)) = self.news.front().copied().filter(|(at, _)| *at <= now) {
            self.news.pop_front();
            if let News::Added(seen) = news {
                self.is_told(&seen, now);
            }
            told.news.push(news);
        }
        told
    }

    fn is_told(&mut self, seen: &Seen, now: Instant) {
        let place = Place { destination: seen.destination, metric: seen.metric };
        if let Some(Standing::Stranger { told, .. }) = self.routes.get_mut(&place) {
            told.get_or_insert(now);
        }
    }

    /// When the socket has something.
    pub fn readable_at(&self) -> Option<Instant> {
        self.news.front().map(|(at, _)| *at).into_iter().chain(self.lost_at).min()
    }

    /// The socket is closed: what waits there is for nobody.
    pub fn close_socket(&mut self) {
        self.news.clear();
        self.lost_at = None;
    }
}

/// What others do. Each is told a while later.
impl Kernel {
    /// Somebody puts a route somewhere, in whose place ever.
    pub fn set_stranger(&mut self, place: Place, on_link: bool, now: Instant, late: Duration) {
        let standing = Standing::Stranger { on_link, told: None };
        self.routes.insert(place, standing);
        self.tell(News::Added(seen(place, standing)), now + late);
    }

    /// Somebody removes a route; gives whether there was one.
    pub fn remove(&mut self, place: Place, now: Instant, late: Duration) -> bool {
        let Some(standing) = self.routes.remove(&place) else { return false };
        self.tell(News::Removed(seen(place, standing)), now + late);
        true
    }

    /// An interface goes down, with the routes that lead there.
    pub fn down(&mut self, side: Side, now: Instant, late: Duration) {
        let Some(index) = self.change(side, |interface| interface.is_up = false) else { return };
        let leads_there = |standing: &Standing| matches!(standing, Standing::Ours(Target::Via { interface_index, .. }) if *interface_index == index);
        let gone = self.routes.iter().filter(|(_, standing)| leads_there(standing));
        for place in gone.map(|(place, _)| *place).collect::<Vec<_>>() {
            self.remove(place, now, late);
        }
        self.tell(News::Interface(index), now + late);
    }

    /// It comes up again.
    pub fn up(&mut self, side: Side, now: Instant, late: Duration) {
        if let Some(index) = self.change(side, |interface| interface.is_up = true) {
            self.tell(News::Interface(index), now + late);
        }
    }

    /// An interface that is down is taken out.
    pub fn take_out(&mut self, side: Side, now: Instant, late: Duration) {
        if let Some(index) = self.change(side, |interface| interface.is_there = false) {
            self.tell(News::Interface(index), now + late);
        }
    }

    /// It is put in again, and has another number.
    pub fn put_in(&mut self, side: Side, now: Instant, late: Duration) {
        let next = self.interfaces.iter().map(|interface| interface.index).max().unwrap_or(0) + 1;
        let changed = self.change(side, |interface| {
            (interface.is_there, interface.is_up, interface.index) = (true, true, next);
        });
        if changed.is_some() {
            self.tell(News::Interface(next), now + late);
        }
    }

    fn change(&mut self, side: Side, change: impl FnOnce(&mut Interface)) -> Option<u32> {
        let interface = self.interfaces.iter_mut().find(|interface| interface.side == side)?;
        change(interface);
        Some(interface.index)
    }

    /// The socket has no room: what waits there is lost, and its reader is told so.
    pub fn overrun(&mut self, now: Instant) {
        self.news.clear();
        self.lost_at = Some(now);
    }

    /// The machine starts again: no route is left of ours, and nobody has been told of anything.
    pub fn restart(&mut self) {
        self.close_socket();
        self.routes.retain(|_, standing| matches!(standing, Standing::Stranger { .. }));
        for standing in self.routes.values_mut() {
            if let Standing::Stranger { told, .. } = standing {
                *told = None;
            }
        }
    }

    fn tell(&mut self, news: News, at: Instant) {
        // One socket: what came before is read before.
        let last = self.news.back().map_or(at, |(last, _)| (*last).max(at));
        self.news.push_back((last, news));
    }
}

/// As rtnetlink tells of a route.
fn seen(place: Place, standing: Standing) -> Seen {
    let in_our_place = place.metric == OUR_METRIC;
    let (owner, on_link, interface_index) = match standing {
        Standing::Ours(target @ Target::Via { interface_index, .. }) => {
            (Owner::Ours(target), false, interface_index)
        }
        Standing::Ours(target) => (Owner::Ours(target), false, 0),
        Standing::Stranger { on_link, .. } => (Owner::Stranger, on_link, 0),
    };
    Seen {
        destination: place.destination,
        in_our_place,
        metric: place.metric,
        interface_index,
        owner,
        on_link,
    }
}
