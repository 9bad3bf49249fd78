//! Who asks servers from outside, and how; and what servers hold from before the beginning, so that answers are long.

use std::time::Duration;

use wire::leasequery::QueryType;
use world::Chance;

use super::{between, happens, one_of};

/// A requestor.
#[derive(Debug, Clone)]
pub struct RequestorPlan {
    /// How long it waits between two undertakings.
    pub pause: Duration,
    /// Questions that it asks at once on a connection.
    pub questions_at_once: u64,
    /// Connections that it has at once.
    pub connections: usize,
    /// Which servers let it ask what.
    pub may_ask: MayAsk,
    /// Whether it keeps to the standard, and what it does within it.
    pub manners: Manners,
}

/// What a requestor may ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MayAsk {
    /// Everything.
    Everything,
    /// By these alone.
    Only(Vec<QueryType>),
    /// Nothing.
    Nothing,
}

/// How a requestor behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manners {
    /// As the standard says.
    Honest(Ways),
    /// In any way.
    Odd,
}

/// What the standard leaves to a requestor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ways {
    /// How long it does not read after it has read something.
    pub reads_every: Option<Duration>,
    /// How often it asks one more question on a connection when one has ended.
    pub asks_more: u32,
    /// Whether it hangs up in the middle now and then.
    pub hangs_up: bool,
    /// How long it keeps a connection on which nothing is asked.
    pub keeps_for: Duration,
    /// Of ten questions that can be asked over UDP, how many are.
    pub over_udp: u64,
    /// Whether it puts each question to every server.
    pub asks_all: bool,
}

impl RequestorPlan {
    /// Draws one.
    pub fn draw(chance: &mut Chance) -> Self {
        let manners = if happens(chance, 1, 4) { Manners::Odd } else { Manners::Honest(Ways::draw(chance)) };
        Self {
            pause: Duration::from_secs(one_of(chance, &[10, 20, 30])),
            questions_at_once: one_of(chance, &[1, 1, 2, 4, 10]),
            connections: one_of(chance, &[1, 1, 2, 3]),
            may_ask: MayAsk::draw(chance),
            manners,
        }
    }
}

impl MayAsk {
    fn draw(chance: &mut Chance) -> Self {
        match chance.below(10) {
            0 => Self::Nothing,
            1 | 2 => {
                let all = (QueryType::BY_ADDRESS.0..=QueryType::BY_REMOTE_ID.0).map(QueryType);
                Self::Only(all.filter(|_| happens(chance, 1, 2)).collect())
            }
            _ => Self::Everything,
        }
    }
}

impl Ways {
    fn draw(chance: &mut Chance) -> Self {
        let reads_every = one_of(chance, &[0, 0, 0, 10, 1_000, 3_000]);
        Self {
            reads_every: (reads_every > 0).then(|| Duration::from_millis(reads_every)),
            asks_more: one_of(chance, &[0, 0, 0, 3]),
            hangs_up: happens(chance, 1, 5),
            keeps_for: Duration::from_secs(one_of(chance, &[0, 0, 3, 8])),
            over_udp: one_of(chance, &[0, 3, 5, 10]),
            asks_all: happens(chance, 1, 4),
        }
    }
}

/// Clients that a server has from before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stock {
    /// How many.
    pub clients: u16,
    /// How many prefixes each of them has.
    pub prefixes: u16,
    /// Octets of what a relay has added to their messages.
    pub path_octets: u16,
}

impl Stock {
    /// Draws it: mostly none, for what is small is fast and finds as much.
    pub fn draw(chance: &mut Chance) -> Self {
        let path_octets = between(chance, 1, 900) as u16;
        let prefixes = between(chance, 0, 4) as u16;
        match chance.below(24) {
            0..=2 => Self { clients: between(chance, 10, 80) as u16, prefixes, path_octets },
            // More leases of one client than fit into a message.
            3 => Self { clients: 1, prefixes: between(chance, 995, 1_500) as u16, path_octets },
            _ => Self::default(),
        }
    }
}
