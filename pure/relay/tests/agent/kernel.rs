//! A kernel with routes of the relay's and of strangers, and interfaces that come and go.

use std::collections::{BTreeMap, BTreeSet};

use relay::{Agent, Change, Failure, Owner, Route, Seen, Target};
use wire::Prefix;
use world::Instant;

/// What stands in the relay's places, and the interfaces that are up.
#[derive(Debug, Default)]
pub(super) struct Kernel {
    pub(super) routes: BTreeMap<Prefix, Owner>,
    pub(super) up: BTreeSet<u32>,
    /// Whether its routes cannot be dumped.
    pub(super) is_mute: bool,
    /// Every change that was made, in order.
    pub(super) changes: Vec<Change>,
}

pub(super) fn seen(destination: Prefix, owner: Owner) -> Seen {
    let interface_index = match owner {
        Owner::Ours(Target::Via { interface_index, .. }) => interface_index,
        _ => 0,
    };
    Seen { destination, in_our_place: true, metric: 512, interface_index, owner, on_link: false }
}

impl Kernel {
    /// Does all that the agent wants done now, and tells what became of it.
    pub(super) fn serve(&mut self, agent: &mut Agent, now: Instant) {
        if agent.routes().wants_dump(now) {
            if self.is_mute {
                agent.routes_mut().begin_dump();
                agent.routes_mut().dump_failed(now);
            } else {
                self.dump(agent, now);
            }
        }
        loop {
            let changes = agent.routes_mut().next(64);
            if changes.is_empty() {
                return;
            }
            for change in changes {
                let outcome = self.apply(&change);
                if outcome.is_ok() {
                    self.changes.push(change);
                }
                agent.routes_mut().done(&change, outcome, now);
            }
        }
    }

    fn dump(&self, agent: &mut Agent, now: Instant) {
        let routes = agent.routes_mut();
        routes.begin_dump();
        self.routes.iter().for_each(|(destination, owner)| routes.dumped(&seen(*destination, *owner)));
        routes.end_dump(now);
        agent.tick(now);
    }

    fn apply(&mut self, change: &Change) -> Result<(), Failure> {
        let destination = change.destination();
        match change {
            Change::Add(route) => {
                if self.routes.contains_key(&destination) {
                    return Err(Failure::Taken);
                }
                self.put(route)
            }
            Change::Replace { to, .. } => match self.routes.get(&destination) {
                None => Err(Failure::Missing),
                Some(Owner::Stranger) => panic!("{destination} is a stranger's"),
                Some(Owner::Ours(_)) => self.put(to),
            },
            Change::Delete(route) => {
                if self.routes.get(&destination) != Some(&Owner::Ours(route.target)) {
                    return Err(Failure::Missing);
                }
                self.routes.remove(&destination);
                Ok(())
            }
        }
    }

    fn put(&mut self, route: &Route) -> Result<(), Failure> {
        if let Target::Via { interface_index, .. } = route.target
            && !self.up.contains(&interface_index)
        {
            return Err(Failure::NoWay);
        }
        self.routes.insert(route.destination, Owner::Ours(route.target));
        Ok(())
    }

    /// An interface goes down, and takes its routes along; the agent is told.
    pub(super) fn down(&mut self, interface_index: u32, agent: &mut Agent) {
        self.up.remove(&interface_index);
        let leads_there = |owner: &Owner| matches!(owner, Owner::Ours(Target::Via { interface_index: by, .. }) if *by == interface_index);
        let gone: Vec<_> = self.routes.iter().filter(|(_, owner)| leads_there(owner)).collect();
        let gone: Vec<(Prefix, Owner)> = gone.into_iter().map(|(prefix, owner)| (*prefix, *owner)).collect();
        for (destination, owner) in gone {
            self.routes.remove(&destination);
            agent.routes_mut().kernel_removed(&seen(destination, owner));
        }
    }

    /// It comes up again; the agent is told.
    pub(super) fn up(&mut self, interface_index: u32, agent: &mut Agent) {
        self.up.insert(interface_index);
        agent.routes_mut().interfaces_changed(&BTreeSet::from([interface_index]));
    }

    /// Where routes of the relay's lead.
    pub(super) fn ours(&self) -> Vec<(Prefix, Target)> {
        let ours = self.routes.iter().filter_map(|(destination, owner)| match owner {
            Owner::Ours(target) => Some((*destination, *target)),
            Owner::Stranger => None,
        });
        ours.collect()
    }
}
