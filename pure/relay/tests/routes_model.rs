//! Routes against a kernel in which others work too, whose news come late or never, and which refuses
//! things: whatever happens, it comes right once it is quiet, and on the way nothing is taken away that is a
//! stranger's, or of which nobody knows yet that it is over.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use proptest::prelude::*;
use relay::{Change, Failure, Owner, Route, RouteRules, RouteState, Routes, Seen, Target};
use wire::Prefix;
use world::Instant;

const INTERFACES: u32 = 3;
/// One that covers others, and two aggregates, of which one is delegated at times.
const DESTINATIONS: [&str; 7] = [
    "2001:db8::/32",
    "2001:db8:1::/48",
    "2001:db8:1:100::/56",
    "2001:db8:1:101::/64",
    "2001:db8:2::/48",
    "2001:db9:1::/48",
    "2001:dba::/48",
];
const AGGREGATES: [&str; 2] = ["2001:db8::/32", "2001:db9:1::/48"];

#[derive(Debug, Clone)]
enum Step {
    Want(usize, u32),
    Unwant(usize),
    /// Somebody puts a route in our place, over ours if need be.
    Stranger(usize),
    /// Somebody takes away whatever stands in our place.
    Flush(usize),
    Down(u32),
    Up(u32),
    Connect(usize, u32),
    Disconnect(usize, u32),
    /// The kernel does so many changes.
    Carry(usize),
    /// So many changes fail.
    Refuse(usize),
    /// So many results are told.
    Tell(usize),
    /// So many notifications are told, or lost.
    Notify(usize),
    Lose(usize),
    Dump,
    Wait(u64),
    Sweep,
}

fn step() -> impl Strategy<Value = Step> {
    let destination = || 0..DESTINATIONS.len();
    let interface = || 1..=INTERFACES;
    prop_oneof![
        5 => (destination(), interface()).prop_map(|(d, i)| Step::Want(d, i)),
        2 => destination().prop_map(Step::Unwant),
        1 => destination().prop_map(Step::Stranger),
        1 => destination().prop_map(Step::Flush),
        1 => interface().prop_map(Step::Down),
        1 => interface().prop_map(Step::Up),
        1 => (destination(), interface()).prop_map(|(d, i)| Step::Connect(d, i)),
        1 => (destination(), interface()).prop_map(|(d, i)| Step::Disconnect(d, i)),
        5 => (1..6_usize).prop_map(Step::Carry),
        1 => (1..3_usize).prop_map(Step::Refuse),
        4 => (1..6_usize).prop_map(Step::Tell),
        4 => (1..6_usize).prop_map(Step::Notify),
        1 => (1..6_usize).prop_map(Step::Lose),
        1 => Just(Step::Dump),
        1 => (1..100_u64).prop_map(Step::Wait),
        1 => Just(Step::Sweep),
    ]
}

#[derive(Debug, Clone, Copy)]
enum News {
    Added(Seen),
    Removed(Seen),
    Interface(u32),
}

struct World {
    routes: Routes,
    now: Instant,
    /// What stands in our place.
    kernel: BTreeMap<Prefix, Owner>,
    connected: BTreeSet<(Prefix, u32)>,
    up: BTreeSet<u32>,
    news: VecDeque<News>,
    results: VecDeque<(Change, Result<(), Failure>)>,
    /// Whether notifications tell of our own changes as well.
    echoes: bool,
    wanted: BTreeMap<Prefix, Target>,
    /// What was ever wanted.
    claimed: BTreeSet<Prefix>,
    swept: bool,
    /// Where a stranger's route stands of which nothing was told yet.
    untold: BTreeSet<Prefix>,
}

fn prefix(text: &str) -> Prefix {
    text.parse().unwrap()
}

fn via(interface_index: u32) -> Target {
    Target::Via { next_hop: "fe80::1".parse().unwrap(), interface_index }
}

fn in_place(destination: Prefix, owner: Owner) -> Seen {
    Seen { destination, in_our_place: true, metric: 512, interface_index: 1, owner, on_link: false }
}

fn on_link((destination, interface_index): (Prefix, u32)) -> Seen {
    let owner = Owner::Stranger;
    Seen { destination, in_our_place: false, metric: 256, interface_index, owner, on_link: true }
}

impl World {
    fn new(left_over: &[(usize, u32)], echoes: bool) -> Self {
        let aggregates: Vec<Prefix> = AGGREGATES.map(prefix).to_vec();
        let left_over = left_over.iter().map(|(d, i)| (prefix(DESTINATIONS[*d]), Owner::Ours(via(*i))));
        let mut world = Self {
            claimed: aggregates.iter().copied().collect(),
            routes: Routes::new(RouteRules {
                aggregates,
                closes_aggregates: true,
                look_every: Some(Duration::from_secs(300)),
            }),
            now: Instant::since_start(Duration::from_secs(1)),
            kernel: left_over.collect(),
            connected: BTreeSet::new(),
            up: (1..=INTERFACES).collect(),
            news: VecDeque::new(),
            results: VecDeque::new(),
            echoes,
            wanted: BTreeMap::new(),
            swept: false,
            untold: BTreeSet::new(),
        };
        world.dump();
        world
    }

    fn take(&mut self, step: &Step) {
        let destination = |number: &usize| prefix(DESTINATIONS[*number]);
        match step {
            Step::Want(number, interface) => {
                self.wanted.insert(destination(number), via(*interface));
                self.claimed.insert(destination(number));
                let _ = self.routes.want(destination(number), via(*interface));
            }
            Step::Unwant(number) => {
                self.wanted.remove(&destination(number));
                self.routes.unwant(destination(number));
            }
            Step::Stranger(number) => {
                self.untold.insert(destination(number));
                self.put(destination(number), Owner::Stranger, true);
            }
            Step::Flush(number) => self.remove(destination(number), true),
            Step::Down(interface) => self.down(*interface),
            Step::Up(interface) => {
                self.up.insert(*interface);
                self.news.push_back(News::Interface(*interface));
            }
            Step::Connect(number, interface) if self.up.contains(interface) => {
                let connected = (destination(number), *interface);
                self.connected.insert(connected);
                self.news.push_back(News::Added(on_link(connected)));
            }
            Step::Connect(..) => {}
            Step::Disconnect(number, interface) => self.disconnect((destination(number), *interface)),
            Step::Carry(most) => {
                for change in self.routes.next(*most) {
                    let result = self.carry_out(&change);
                    self.results.push_back((change, result));
                }
            }
            Step::Refuse(most) => {
                let refused = self.routes.next(*most).into_iter();
                self.results.extend(refused.map(|change| (change, Err(Failure::Other(12)))));
            }
            Step::Tell(most) => self.tell(*most),
            Step::Notify(most) => self.notify(*most),
            Step::Lose(most) => _ = self.news.drain(..self.news.len().min(*most)),
            Step::Dump => self.dump(),
            Step::Wait(secs) => {
                self.now = self.now + Duration::from_secs(*secs);
                self.routes.tick(self.now);
            }
            Step::Sweep => {
                self.swept = true;
                self.routes.sweep(|_, _| true);
            }
        }
    }

    /// What the kernel does.
    fn carry_out(&mut self, change: &Change) -> Result<(), Failure> {
        let destination = change.destination();
        let is_open = |up: &BTreeSet<u32>, target| match target {
            Target::Via { interface_index, .. } => up.contains(&interface_index),
            Target::Unreachable => true,
        };
        match change {
            Change::Add(_) if self.kernel.contains_key(&destination) => Err(Failure::Taken),
            Change::Add(Route { target, .. }) | Change::Replace { to: Route { target, .. }, .. }
                if !is_open(&self.up, *target) =>
            {
                Err(Failure::NoWay)
            }
            Change::Add(Route { target, .. }) => {
                self.put(destination, Owner::Ours(*target), self.echoes);
                Ok(())
            }
            Change::Replace { to, .. } => match self.kernel.get(&destination) {
                None => Err(Failure::Missing),
                Some(Owner::Stranger) if !self.untold.contains(&destination) => {
                    panic!("{destination} is a stranger's, and that was told")
                }
                Some(_) => {
                    self.put(destination, Owner::Ours(to.target), self.echoes);
                    Ok(())
                }
            },
            Change::Delete(Route { target, .. }) => {
                if self.kernel.get(&destination) != Some(&Owner::Ours(*target)) {
                    return Err(Failure::Missing);
                }
                assert!(self.swept || self.claimed.contains(&destination), "{destination} is not proven");
                self.remove(destination, self.echoes);
                Ok(())
            }
        }
    }

    fn put(&mut self, destination: Prefix, owner: Owner, is_told: bool) {
        self.kernel.insert(destination, owner);
        if is_told {
            self.news.push_back(News::Added(in_place(destination, owner)));
        }
    }

    fn remove(&mut self, destination: Prefix, is_told: bool) {
        if let (Some(owner), true) = (self.kernel.remove(&destination), is_told) {
            self.news.push_back(News::Removed(in_place(destination, owner)));
        }
    }

    fn down(&mut self, interface: u32) {
        self.up.remove(&interface);
        self.news.push_back(News::Interface(interface));
        let gone = self.kernel.iter().filter(|(_, owner)| **owner == Owner::Ours(via(interface)));
        for destination in gone.map(|(destination, _)| *destination).collect::<Vec<_>>() {
            self.remove(destination, true);
        }
        for connected in self.connected.clone() {
            if connected.1 == interface {
                self.disconnect(connected);
            }
        }
    }

    fn disconnect(&mut self, connected: (Prefix, u32)) {
        if self.connected.remove(&connected) {
            self.news.push_back(News::Removed(on_link(connected)));
        }
    }

    fn tell(&mut self, most: usize) {
        for (change, result) in self.results.drain(..self.results.len().min(most)) {
            self.routes.done(&change, result, self.now);
        }
    }

    fn notify(&mut self, most: usize) {
        for news in self.news.drain(..self.news.len().min(most)) {
            match news {
                News::Added(seen) => {
                    if seen.owner == Owner::Stranger && seen.in_our_place {
                        self.untold.remove(&seen.destination);
                    }
                    self.routes.kernel_added(&seen);
                }
                News::Removed(seen) => self.routes.kernel_removed(&seen),
                News::Interface(index) => self.routes.interfaces_changed(&BTreeSet::from([index])),
            }
        }
    }

    /// What was asked for before has been told before.
    fn dump(&mut self) {
        self.tell(usize::MAX);
        self.routes.begin_dump();
        self.kernel
            .iter()
            .for_each(|(destination, owner)| self.routes.dumped(&in_place(*destination, *owner)));
        self.connected.iter().for_each(|connected| self.routes.dumped(&on_link(*connected)));
        self.routes.end_dump(self.now);
        // What is not told yet is older than the dump, and may say otherwise once more.
        self.untold = self.news.iter().filter_map(strange).collect();
    }

    /// Nobody does anything any more, and everything is told.
    fn settle(&mut self) {
        for _ in 0..10 {
            self.tell(usize::MAX);
            self.notify(usize::MAX);
            self.take(&Step::Wait(400));
            if self.routes.wants_dump(self.now) {
                self.dump();
            }
            for _ in 0..3 {
                self.take(&Step::Carry(usize::MAX));
                self.tell(usize::MAX);
                self.notify(usize::MAX);
            }
        }
        assert!(self.routes.is_settled());
    }

    /// What shall stand at a destination.
    fn desired(&self, destination: Prefix) -> Option<Target> {
        let aggregates = AGGREGATES.map(prefix);
        let is_inside = aggregates.iter().any(|aggregate| aggregate.covers(destination));
        let takes_away = self.connected.iter().any(|(connected, _)| destination.covers(*connected));
        let is_connected = self.connected.iter().any(|(connected, _)| *connected == destination);
        match self.wanted.get(&destination) {
            Some(target) if is_inside && !takes_away => Some(*target),
            _ => (aggregates.contains(&destination) && !is_connected).then_some(Target::Unreachable),
        }
    }

    fn check(&self) {
        for destination in DESTINATIONS.map(prefix) {
            let (there, desired) = (self.kernel.get(&destination).copied(), self.desired(destination));
            let state = self.routes.find(destination).map(|listed| listed.state);
            let is_down = |target| matches!(target, Target::Via { interface_index, .. } if !self.up.contains(&interface_index));
            if self.wanted.get(&destination).is_some_and(|target| desired != Some(*target)) {
                assert_eq!(state, Some(RouteState::Refused), "{destination}");
                let stands = there.filter(|owner| *owner != Owner::Stranger);
                assert!(
                    stands == desired.map(Owner::Ours) || there == Some(Owner::Stranger),
                    "{destination}"
                );
                continue;
            }
            match (there, desired) {
                (Some(Owner::Ours(Target::Unreachable)), Some(target)) if is_down(target) => {
                    assert_eq!(state, Some(RouteState::NoWay), "{destination}");
                }
                (Some(Owner::Ours(way)), Some(target)) => {
                    assert_eq!((way, state), (target, Some(RouteState::Installed)), "{destination}");
                }
                (None, Some(target)) => {
                    assert!(is_down(target), "{destination} by {target:?} is not there: {state:?}");
                    assert_eq!(state, Some(RouteState::NoWay), "{destination}");
                }
                (Some(Owner::Stranger), Some(_)) => {
                    assert_eq!(state, Some(RouteState::Conflict), "{destination}")
                }
                (Some(Owner::Ours(_)), None) => {
                    let is_known = self.swept || self.claimed.contains(&destination);
                    assert!(!is_known, "{destination} is over: {state:?}");
                    assert_eq!(state, Some(RouteState::Unproven), "{destination}");
                }
                (Some(Owner::Stranger) | None, None) => {
                    let is_refused =
                        self.wanted.contains_key(&destination) || state == Some(RouteState::Refused);
                    assert!(state.is_none() || is_refused, "{destination}: {state:?}");
                }
            }
        }
        let counted: usize = RouteState::ALL.map(|state| self.routes.state_count(state)).iter().sum();
        assert_eq!(counted, self.routes.after(None).count());
    }
}

fn strange(news: &News) -> Option<Prefix> {
    match news {
        News::Added(seen) | News::Removed(seen) if seen.in_our_place => Some(seen.destination),
        _ => None,
    }
}

proptest! {
    // PDR-11, PDR-13, PDR-14, PDR-25
    #[test]
    fn it_comes_right_and_takes_nothing_from_others(
        left_over in prop::collection::vec((0..DESTINATIONS.len(), 1..=INTERFACES), 0..4),
        echoes: bool,
        steps in prop::collection::vec(step(), 0..80),
    ) {
        let mut world = World::new(&left_over, echoes);
        for step in &steps {
            world.take(step);
        }
        world.settle();
        world.check();
    }
}
