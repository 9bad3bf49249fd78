//! What is known of one destination: what is wanted there, what stands there, and what is under way.
//!
//! There is one of these for each delegation, so it is packed: the way of a route that stands where it is
//! wanted is not kept twice.

use wire::Prefix;

use super::route::{Change, Failure, Owner, Route, Target};

/// What is known of one destination.
#[derive(Debug, Default)]
pub(super) struct Entry {
    /// By which way a delegation wants it.
    wanted: Option<Target>,
    /// The way of `Place::Elsewhere`.
    elsewhere: Option<Box<Target>>,
    place: Place,
    trouble: Trouble,
    pub(super) progress: Progress,
    /// Whether it is an aggregate that shall lead nowhere unless it is delegated.
    pub(super) aggregate: bool,
    /// Whether the delegation may have a route.
    refused: bool,
    /// Whether this host is connected to this very prefix.
    connected: bool,
    /// Whether anything has ever wanted it, or it was swept: then its route is known to be over when
    /// nothing wants it.
    claimed: bool,
    pub(super) sight: Sight,
}

/// What stands in the kernel, at our metric; the way is told without repeating what is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Place {
    #[default]
    Empty,
    AsWanted,
    Unreachable,
    Elsewhere,
    Stranger,
}

/// How far a change has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Progress {
    /// Nothing is under way.
    #[default]
    Idle,
    /// It waits to be handed out.
    Queued,
    /// It was handed out, and what became of it is not known yet.
    InFlight,
    /// The same, and somebody else has changed the route meanwhile.
    Disturbed,
    /// After that nobody can say what stands there: nothing is done before the next dump.
    Unsure,
}

/// What has been said of it since a dump was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Sight {
    #[default]
    Nothing,
    /// The dump has it.
    Dumped,
    /// It was changed, perhaps after the dump had read it: what the dump says does not count.
    Changed,
}

/// Why the last change was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Trouble {
    #[default]
    None,
    /// There is no way to the next hop now.
    NoWay,
    /// The route could not be made.
    NotMade(i32),
    /// The route could not be removed.
    NotRemoved(i32),
}

/// How it stands with a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RouteState {
    /// The kernel has it as it shall be.
    Installed,
    /// The kernel is about to be told.
    Pending,
    /// It is there since before this program started, and nobody has said yet whether it shall be.
    Unproven,
    /// A route of somebody else stands in its place.
    Conflict,
    /// It must not be.
    Refused,
    /// Its interface is down or gone.
    NoWay,
    /// The kernel would not; it is asked again.
    Failed,
    /// It shall be there no longer.
    Leaving,
}

impl RouteState {
    /// Every state, in the order of the counters.
    pub const ALL: [Self; 8] = [
        Self::Installed,
        Self::Pending,
        Self::Unproven,
        Self::Conflict,
        Self::Refused,
        Self::NoWay,
        Self::Failed,
        Self::Leaving,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Installed => "installed",
            Self::Pending => "pending",
            Self::Unproven => "unproven",
            Self::Conflict => "conflict",
            Self::Refused => "refused",
            Self::NoWay => "no-way",
            Self::Failed => "failed",
            Self::Leaving => "leaving",
        }
    }
}

impl Entry {
    pub(super) fn wanted(&self) -> Option<Target> {
        self.wanted
    }

    /// Has a delegation want it by this way, or none any more.
    pub(super) fn want(&mut self, target: Option<Target>) {
        if self.wanted != target {
            let standing = self.standing();
            self.wanted = target;
            self.stand(standing);
            self.trouble = Trouble::None;
        }
        self.claimed |= target.is_some();
    }

    /// It is known whether it shall be there: if nothing wants it, it shall not.
    pub(super) fn claim(&mut self) {
        self.claimed = true;
    }

    /// Has it be an aggregate, or no longer.
    pub(super) fn set_aggregate(&mut self, aggregate: bool) {
        self.aggregate = aggregate;
        self.claimed |= aggregate;
    }

    /// Takes what there may be: whether a delegation may not be here, and whether an aggregate may not.
    pub(super) fn judge(&mut self, refused: bool, connected: bool) {
        if (self.refused, self.connected) != (refused, connected) {
            self.trouble = Trouble::None;
        }
        (self.refused, self.connected) = (refused, connected);
    }

    /// What stands there, at our metric.
    pub(super) fn standing(&self) -> Option<Owner> {
        match self.place {
            Place::Empty => None,
            Place::AsWanted => self.wanted.map(Owner::Ours),
            Place::Unreachable => Some(Owner::Ours(Target::Unreachable)),
            Place::Elsewhere => self.elsewhere.as_deref().copied().map(Owner::Ours),
            Place::Stranger => Some(Owner::Stranger),
        }
    }

    /// The way of our route that stands there.
    pub(super) fn installed(&self) -> Option<Target> {
        match self.standing() {
            Some(Owner::Ours(target)) => Some(target),
            _ => None,
        }
    }

    pub(super) fn stand(&mut self, standing: Option<Owner>) {
        self.elsewhere = None;
        self.place = match standing {
            None => Place::Empty,
            Some(Owner::Stranger) => Place::Stranger,
            Some(Owner::Ours(target)) if Some(target) == self.wanted => Place::AsWanted,
            Some(Owner::Ours(Target::Unreachable)) => Place::Unreachable,
            Some(Owner::Ours(target)) => {
                self.elsewhere = Some(Box::new(target));
                Place::Elsewhere
            }
        };
    }

    /// What shall stand there.
    pub(super) fn desired(&self) -> Option<Target> {
        match self.wanted {
            Some(target) if !self.refused => Some(target),
            _ => (self.aggregate && !self.connected).then_some(Target::Unreachable),
        }
    }

    /// The next thing that the kernel is to do for it. `proven`: whether routes of ours that nothing
    /// wants are known to be over.
    pub(super) fn change(&self, destination: Prefix, proven: bool) -> Option<Change> {
        let route = |target| Route { destination, target };
        let way = match self.standing() {
            Some(Owner::Stranger) => return None,
            Some(Owner::Ours(way)) => Some(way),
            None => None,
        };
        match (way, self.desired(), self.trouble) {
            (_, _, Trouble::NotRemoved(_)) => None,
            (None, None, _) => None,
            (None, Some(target), Trouble::None) => Some(Change::Add(route(target))),
            (None, Some(_), _) => None,
            (Some(way), Some(target), _) if way == target => None,
            (Some(from), Some(target), Trouble::None) => Some(Change::Replace { to: route(target), from }),
            // It leads to nobody: no worse than no route.
            (Some(Target::Unreachable), Some(_), _) => None,
            // It leads somebody's traffic to somebody else: worse than no route.
            (Some(way), Some(_), _) => Some(Change::Delete(route(way))),
            (Some(way), None, _) => (proven || self.claimed).then_some(Change::Delete(route(way))),
        }
    }

    /// Takes in what became of a change.
    pub(super) fn learn(&mut self, change: &Change, outcome: Result<(), Failure>) {
        match (change, outcome) {
            (Change::Add(route), Ok(())) => self.made(route.target),
            (Change::Replace { to, .. }, Ok(())) => self.made(to.target),
            (Change::Add(_), Err(Failure::Taken)) => self.stand(Some(Owner::Stranger)),
            (Change::Add(_), Err(failure)) => {
                self.stand(None);
                self.trouble = Trouble::making(failure);
            }
            (Change::Replace { .. }, Err(Failure::Missing)) => self.stand(None),
            (Change::Replace { .. }, Err(failure)) => self.trouble = Trouble::making(failure),
            (Change::Delete(_), Err(Failure::Other(errno))) => self.trouble = Trouble::NotRemoved(errno),
            // If we have not taken it out, it had gone: by somebody else's hand, or with its interface.
            (Change::Delete(_), _) => self.stand(None),
        }
    }

    fn made(&mut self, target: Target) {
        self.stand(Some(Owner::Ours(target)));
        self.trouble = Trouble::None;
        self.sight = Sight::Changed;
    }

    pub(super) fn trouble(&self) -> Trouble {
        self.trouble
    }

    /// Has it tried again.
    pub(super) fn forget_trouble(&mut self) {
        self.trouble = Trouble::None;
    }

    /// Whether there is nothing that would have to be remembered.
    pub(super) fn is_idle(&self) -> bool {
        self.wanted.is_none()
            && !self.aggregate
            && self.installed().is_none()
            && self.progress == Progress::Idle
    }

    /// Whether the kernel is at work on it.
    pub(super) fn in_flight(&self) -> bool {
        matches!(self.progress, Progress::InFlight | Progress::Disturbed)
    }

    pub(super) fn state(&self, proven: bool) -> RouteState {
        if self.wanted.is_some() && self.refused {
            return RouteState::Refused;
        }
        match (self.standing(), self.desired(), self.trouble) {
            (Some(Owner::Stranger), Some(_), _) => RouteState::Conflict,
            (Some(Owner::Ours(way)), Some(target), _) if way == target => RouteState::Installed,
            (_, Some(_), Trouble::NoWay) => RouteState::NoWay,
            (_, _, Trouble::NotMade(_) | Trouble::NotRemoved(_)) => RouteState::Failed,
            (_, Some(_), _) => RouteState::Pending,
            (Some(Owner::Ours(_)), None, _) if !proven && !self.claimed => RouteState::Unproven,
            (Some(Owner::Ours(_)), None, _) => RouteState::Leaving,
            (_, None, _) if self.aggregate => RouteState::Refused,
            (_, None, _) => RouteState::Leaving,
        }
    }
}

impl Trouble {
    fn making(failure: Failure) -> Self {
        match failure {
            Failure::NoWay => Self::NoWay,
            Failure::Other(errno) => Self::NotMade(errno),
            // Neither is an answer to this change; it is tried again as after anything unforeseen.
            Failure::Taken | Failure::Missing => Self::NotMade(0),
        }
    }

    /// The kernel's number of what went wrong.
    pub(super) fn errno(self) -> Option<i32> {
        match self {
            Self::None | Self::NoWay => None,
            Self::NotMade(errno) | Self::NotRemoved(errno) => Some(errno),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_small() {
        assert!(size_of::<Entry>() <= 56, "{} octets", size_of::<Entry>());
    }
}
