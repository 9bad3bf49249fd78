//! Which interfaces are served: those that are there and match the patterns, each in all the groups.
//!
//! `reconcile` compares what is wanted with what is joined and mends the difference; it may be called at any
//! time. An interface whose groups cannot be joined stays wanted. What the kernel lists as joined is believed
//! more than what was asked of it: an interface that loses IPv6 for a moment (its MTU below 1280, say) loses
//! its groups without a word, and keeps index and name.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv6Addr;
use std::{fs, io};

use lease::InterfacePattern;
use tracing::{info, warn};

use super::arrival::Arrival;
use super::counters::add;
use super::holders::Holders;
use super::interfaces::{Interface, Patterns};
use super::socket::ServerSocket;
use super::{ALL_RELAY_AGENTS_AND_SERVERS, ALL_SERVERS};

/// The groups that a server is in on each interface that it serves.
pub const GROUPS_OF_SERVERS: &[Ipv6Addr] = &[ALL_RELAY_AGENTS_AND_SERVERS, ALL_SERVERS];
/// The group that a relay is in on each interface that clients are on.
pub const GROUPS_OF_RELAYS: &[Ipv6Addr] = &[ALL_RELAY_AGENTS_AND_SERVERS];
/// Where the kernel lists the groups of each interface, in the network namespace of the calling thread.
const JOINED: &str = "/proc/thread-self/net/igmp6";

/// The served interfaces of one socket.
#[derive(Debug)]
pub struct Membership {
    groups: &'static [Ipv6Addr],
    patterns: Patterns,
    holders: Holders,
    joined: BTreeMap<u32, Joined>,
    /// Interfaces whose trouble was told already.
    told: BTreeSet<u32>,
    /// Patterns that match no interface, as was told already.
    idle: BTreeSet<InterfacePattern>,
}

/// A served interface, and which socket holds its groups.
#[derive(Debug)]
struct Joined {
    name: String,
    holder: usize,
}

impl Membership {
    /// Of these groups; nothing is joined before the first `reconcile`.
    pub fn new(groups: &'static [Ipv6Addr], patterns: Patterns) -> Self {
        let holders = Holders::new(groups);
        Self {
            groups,
            patterns,
            holders,
            joined: BTreeMap::new(),
            told: BTreeSet::new(),
            idle: BTreeSet::new(),
        }
    }

    /// Has other interfaces served from the next `reconcile` on.
    pub fn want(&mut self, patterns: Patterns) {
        self.patterns = patterns;
    }

    /// Joins what has come, and forgets what has gone; the socket counts what fails. An error means that the
    /// system cannot say what is there. It takes some 17 µs for each interface of the system.
    pub fn reconcile(&mut self, socket: &ServerSocket) -> io::Result<()> {
        let present = Interface::present()?;
        self.tell_idle(&present);
        let wanted = present.into_iter().filter(|interface| self.patterns.matches(&interface.name));
        let wanted: BTreeMap<u32, String> = wanted.map(|found| (found.index, found.name)).collect();
        self.forget(|index| !wanted.contains_key(&index), "no longer served");
        self.told.retain(|index| wanted.contains_key(index));
        if let Some(listed) = listed() {
            let groups = self.groups;
            let lost = |index| groups.iter().any(|group| !listed.contains(&(index, *group)));
            self.forget(lost, "has lost its groups");
        }
        for (index, name) in wanted {
            self.join(socket, index, name);
        }
        Ok(())
    }

    /// A pattern without an interface may be misspelt, or its interface may come later.
    fn tell_idle(&mut self, present: &[Interface]) {
        let names: Vec<String> = present.iter().map(|interface| interface.name.clone()).collect();
        let idle: BTreeSet<InterfacePattern> = self.patterns.idle(&names).cloned().collect();
        for pattern in idle.difference(&self.idle) {
            warn!(%pattern, "there is no such interface; it will be served when it comes");
        }
        self.idle = idle;
    }

    /// Whether a datagram is for us: sent to one of its addresses, or to one of the groups on a served
    /// interface. The kernel lets more in: whatever group any process has joined on any interface.
    pub fn admits(&self, arrival: &Arrival) -> bool {
        !arrival.destination.is_multicast()
            || self.groups.contains(&arrival.destination)
                && self.joined.contains_key(&arrival.interface_index)
    }

    /// The name of a served interface; nothing for any other.
    pub fn name(&self, interface_index: u32) -> Option<&str> {
        self.joined.get(&interface_index).map(|joined| joined.name.as_str())
    }

    /// The served interfaces: index and name.
    pub fn served(&self) -> impl Iterator<Item = (u32, &str)> {
        self.joined.iter().map(|(index, joined)| (*index, joined.name.as_str()))
    }

    fn forget(&mut self, gone: impl Fn(u32) -> bool, why: &str) {
        let holders = &self.holders;
        self.joined.retain(|index, joined| {
            let gone = gone(*index);
            if gone {
                holders.leave(joined.holder, *index);
                info!(interface = %joined.name, index, "{why}");
            }
            !gone
        });
    }

    fn join(&mut self, socket: &ServerSocket, index: u32, name: String) {
        if let Some(joined) = self.joined.get_mut(&index) {
            joined.name = name;
            return;
        }
        match self.holders.join(index) {
            Ok(holder) => {
                info!(interface = %name, index, "serving");
                self.told.remove(&index);
                self.joined.insert(index, Joined { name, holder });
            }
            Err(error) => {
                add(&socket.counters().join_failures, 1);
                if self.told.insert(index) {
                    warn!(interface = %name, index, "cannot join its groups, will try again: {error}");
                }
            }
        }
    }
}

/// What the kernel lists: an interface and a group. Nothing if it does not say.
fn listed() -> Option<BTreeSet<(u32, Ipv6Addr)>> {
    Some(fs::read_to_string(JOINED).ok()?.lines().filter_map(listed_group).collect())
}

/// A line: index, name, group in hexadecimal digits, and more that is not needed.
fn listed_group(line: &str) -> Option<(u32, Ipv6Addr)> {
    let mut words = line.split_whitespace();
    let index = words.next()?.parse().ok()?;
    let group = u128::from_str_radix(words.nth(1)?, 16).ok()?;
    Some((index, group.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listed_group_is_read() {
        let line = "12   eth0.100        ff020000000000000000000000010002     1 00000004 0";
        assert_eq!(listed_group(line), Some((12, ALL_RELAY_AGENTS_AND_SERVERS)));
        assert_eq!(listed_group("12"), None);
        assert_eq!(listed_group(""), None);
    }
}
