//! What goes wrong. Some faults befall what passes ([`Faults::strikes`]): a datagram, a piece of a stream, a
//! commit. Others come when they like ([`Faults::next`]) and last for a while: a partition, a process that is
//! dead, an interface that is gone. Each has a chance of its own, so that one that is cut out of a plan
//! leaves the others as they were.
//!
//! Every fault that befell somebody is counted, so that a run can say what it has met.

pub mod clock;
pub mod disk;
pub mod interfaces;
pub mod kernel;
pub mod network;
pub mod operator;
pub mod process;
pub mod reboot;
pub mod reload;
pub mod reload_relay;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use world::{Chance, Instant};

use crate::plan::{between, chance, happens};
use crate::universe::Universe;

macro_rules! faults {
    ($($name:ident = $text:literal $manner:ident $does:literal;)*) => {
        /// A kind of fault.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Fault {
            $(#[doc = $does] $name,)*
        }

        impl Fault {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its name.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            fn manner(self) -> Manner {
                match self { $(Self::$name => Manner::$manner,)* }
            }
        }
    };
}

faults! {
    Loss = "loss" Often "A datagram is lost.";
    Double = "double" Often "A datagram arrives twice.";
    Delay = "delay" Often "A datagram arrives seconds late, and behind others.";
    Mtu = "mtu" Seldom "A datagram is too large for somebody on the way, and is cut.";
    Partition = "partition" Lasting "Two nodes do not hear each other for a while.";
    Chop = "chop" Often "A stream's octets arrive in small pieces.";
    Stall = "stall" Seldom "A stream stands still for a while.";
    NoRoom = "no-room" Seldom "A stream takes a few octets at a time.";
    Reset = "reset" Seldom "A stream is reset.";
    HalfClose = "half-close" Seldom "A requestor closes its half once it has asked.";
    CommitFails = "commit-fails" Seldom "A commit fails, and nobody can say whether it lasts.";
    SlowCommit = "slow-commit" Often "A commit takes seconds.";
    DiskFull = "disk-full" Lasting "No commit succeeds for a while.";
    ClockSteps = "clock-steps" Lasting "A node's wall clock steps.";
    ClockDrifts = "clock-drifts" Lasting "A node's clocks go too fast or too slow.";
    KillServer = "kill-server" Lasting "A server is killed, and starts again from its store.";
    StopServer = "stop-server" Lasting "A server is stopped in good order, and starts again.";
    KillRelay = "kill-relay" Lasting "A relay is killed, and starts again from what it wrote down.";
    Reboot = "reboot" Lasting "A relay's machine starts again, without any route.";
    RouteRefused = "route-refused" Seldom "The kernel refuses a change, or to say what it has.";
    RouteLost = "route-lost" Lasting "A route of ours goes without our doing.";
    NewsLost = "news-lost" Lasting "The kernel loses notifications, and says so.";
    NewsReordered = "news-reordered" Often "Notifications come late, behind dumps and changes that were made since.";
    Stranger = "stranger" Lasting "Somebody else sets or takes a route.";
    InterfaceGone = "interface-gone" Lasting "An interface goes, and comes back under another number.";
    InterfaceDown = "interface-down" Lasting "An interface goes down with its routes, and comes up.";
    Operator = "operator" Lasting "An operator clears delegations of a relay, or has it ask its servers again.";
    ReloadServer = "reload-server" Lasting "A server's configuration is read anew.";
    ReloadRelay = "reload-relay" Lasting "A relay's configuration is read anew.";
}

/// How a fault comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// It befalls something that passes, up to one in four.
    Often,
    /// The same, up to one in fifty.
    Seldom,
    /// It comes when it likes.
    Lasting,
}

impl Fault {
    /// The kind of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|fault| fault.name() == name)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How often what goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mix(BTreeMap<Fault, u64>);

impl Mix {
    /// Draws some faults, and how often each comes. Some seeds have none: what fails there is easy to read.
    pub fn draw(chance: &mut Chance) -> Self {
        let share = between(chance, 0, 3);
        let mut mix = BTreeMap::new();
        for fault in Fault::ALL {
            let rate = match fault.manner() {
                Manner::Often => between(chance, 5, 250),
                Manner::Seldom => between(chance, 1, 20),
                Manner::Lasting => between(chance, 10, 300),
            };
            if happens(chance, share, 4) {
                mix.insert(*fault, rate);
            }
        }
        Self(mix)
    }

    /// Takes out all others than these.
    pub fn retain(&mut self, keep: impl Fn(Fault) -> bool) {
        self.0.retain(|fault, _| keep(*fault));
    }

    /// Which there are.
    pub fn kinds(&self) -> impl Iterator<Item = Fault> {
        self.0.keys().copied()
    }
}

/// What goes wrong while a run goes on.
#[derive(Debug, Default)]
pub struct Faults {
    mix: Mix,
    chances: BTreeMap<Fault, Chance>,
    met: BTreeMap<Fault, u64>,
}

impl Faults {
    /// What a plan has mixed.
    pub fn new(mix: &Mix, seed: u64) -> Self {
        let chances = Fault::ALL.iter().map(|fault| (*fault, chance(seed, fault.name()))).collect();
        Self { mix: mix.clone(), chances, met: BTreeMap::new() }
    }

    /// Whether something that passes is befallen; then it is counted.
    pub fn strikes(&mut self, fault: Fault) -> bool {
        let Some(per_mille) = self.mix.0.get(&fault).copied() else { return false };
        let befalls = happens(self.chance(fault), per_mille, 1000);
        if befalls {
            self.meet(fault);
        }
        befalls
    }

    /// When a fault that comes when it likes comes next; `None` if it never does.
    pub fn next(&mut self, fault: Fault, now: Instant) -> Option<Instant> {
        let mean_secs = *self.mix.0.get(&fault).filter(|_| fault.manner() == Manner::Lasting)?;
        let millis = between(self.chance(fault), 0, 2_000 * mean_secs);
        Some(now + Duration::from_millis(millis))
    }

    /// Whether it can befall anybody.
    pub fn is_known(&self, fault: Fault) -> bool {
        self.mix.0.contains_key(&fault)
    }

    /// What decides the particulars of a fault.
    pub fn chance(&mut self, fault: Fault) -> &mut Chance {
        self.chances.get_mut(&fault).expect("every fault has a chance")
    }

    /// Counts a fault that has befallen somebody.
    pub fn meet(&mut self, fault: Fault) {
        *self.met.entry(fault).or_default() += 1;
    }

    /// How often each has befallen somebody.
    pub fn met(&self) -> &BTreeMap<Fault, u64> {
        &self.met
    }

    /// Nothing goes wrong any more.
    pub fn end(&mut self) {
        self.mix = Mix::default();
    }
}

/// Has a fault that lasts befall somebody.
pub fn begin(universe: &mut Universe, fault: Fault) {
    match fault {
        Fault::Partition => network::part(universe),
        Fault::KillServer => process::kill_server(universe),
        Fault::StopServer => process::stop_server(universe),
        Fault::KillRelay => process::kill_relay(universe),
        Fault::DiskFull => disk::fill(universe),
        Fault::ClockSteps => clock::step(universe),
        Fault::ClockDrifts => clock::drift(universe),
        Fault::ReloadServer => reload::reload_server(universe),
        Fault::Reboot => reboot::reboot(universe),
        Fault::RouteLost => kernel::lose_route(universe),
        Fault::NewsLost => kernel::lose_news(universe),
        Fault::Stranger => kernel::set_stranger(universe),
        Fault::InterfaceGone => interfaces::go_away(universe),
        Fault::InterfaceDown => interfaces::go_down(universe),
        Fault::Operator => operator::order(universe),
        Fault::ReloadRelay => reload_relay::reload_relay(universe),
        _ => {}
    }
}
