//! Reading what is known of routes.

use wire::Prefix;

use super::entry::{Entry, RouteState};
use super::route::Target;
use super::{Refused, RouteCounters, Routes};

/// A destination, to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedRoute {
    /// Where it leads.
    pub destination: Prefix,
    /// By which way it shall lead; nothing if nothing wants it.
    pub wanted: Option<Target>,
    /// By which way our route in the kernel leads.
    pub installed: Option<Target>,
    /// How it stands.
    pub state: RouteState,
    /// Why it must not be, in the state `Refused`.
    pub refused: Option<Refused>,
    /// The kernel's number of the last failure, in the state `Failed`.
    pub errno: Option<i32>,
}

/// What is shown.
impl Routes {
    /// How many destinations are in this state.
    pub fn state_count(&self, state: RouteState) -> usize {
        self.counts[state as usize]
    }

    /// A number that is another one when anything shown here may have changed.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// What has been done since the beginning.
    pub fn counters(&self) -> RouteCounters {
        self.counters
    }

    /// Whether no change waits to be handed out or to be told of.
    pub fn is_settled(&self) -> bool {
        self.queue.is_empty() && self.in_flight == 0
    }

    /// One destination.
    pub fn find(&self, destination: Prefix) -> Option<ListedRoute> {
        self.entries.get(&destination).map(|entry| self.listed(destination, entry))
    }

    /// The destinations behind this one, or all of them, in order.
    pub fn after(&self, last: Option<Prefix>) -> impl Iterator<Item = ListedRoute> {
        use std::ops::Bound::{Excluded, Unbounded};
        let from = last.map_or(Unbounded, Excluded);
        self.entries.range((from, Unbounded)).map(|(destination, entry)| self.listed(*destination, entry))
    }

    fn listed(&self, destination: Prefix, entry: &Entry) -> ListedRoute {
        let state = entry.state(self.proven);
        ListedRoute {
            destination,
            wanted: entry.wanted().or(entry.aggregate.then_some(Target::Unreachable)),
            installed: entry.installed(),
            state,
            refused: self.judge(destination).filter(|_| state == RouteState::Refused),
            errno: entry.trouble().errno().filter(|_| state == RouteState::Failed),
        }
    }
}
