//! Which interfaces are served: those that are there and match the patterns, each in both groups.
//!
//! `reconcile` compares what is wanted with what is joined and mends the difference; it may be called at any
//! time. An interface whose groups cannot be joined stays wanted. What the kernel lists as joined is believed
//! more than what was asked of it: an interface that loses IPv6 for a moment (its MTU below 1280, say) loses
//! its groups without a word, and keeps index and name.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv6Addr;
use std::{fs, io};

use tracing::{debug, info, warn};

use super::arrival::Arrival;
use super::counters::add;
use super::interfaces::{Interface, Patterns};
use super::socket::ServerSocket;
use super::{ALL_RELAY_AGENTS_AND_SERVERS, ALL_SERVERS};

/// The groups that a server is in on each interface.
const GROUPS: [Ipv6Addr; 2] = [ALL_RELAY_AGENTS_AND_SERVERS, ALL_SERVERS];
/// Where the kernel lists the groups of each interface, in the network namespace of the calling thread.
const JOINED: &str = "/proc/thread-self/net/igmp6";

/// The served interfaces of one socket.
#[derive(Debug)]
pub struct Membership {
    patterns: Patterns,
    joined: BTreeMap<u32, String>,
    /// Interfaces whose trouble was told already.
    told: BTreeSet<u32>,
}

impl Membership {
    /// Nothing is joined before the first `reconcile`.
    pub fn new(patterns: Patterns) -> Self {
        Self { patterns, joined: BTreeMap::new(), told: BTreeSet::new() }
    }

    /// Has other interfaces served from the next `reconcile` on.
    pub fn want(&mut self, patterns: Patterns) {
        self.patterns = patterns;
    }

    /// Joins what has come, and forgets what has gone. Fails only if the system cannot say what is there.
    pub fn reconcile(&mut self, socket: &ServerSocket) -> io::Result<()> {
        let present = Interface::present()?.into_iter();
        let wanted = present.filter(|interface| self.patterns.matches(&interface.name));
        let wanted: BTreeMap<u32, String> = wanted.map(|found| (found.index, found.name)).collect();
        self.forget(socket, |index| !wanted.contains_key(&index), "no longer served");
        self.told.retain(|index| wanted.contains_key(index));
        if let Some(listed) = listed() {
            let lost = |index| GROUPS.iter().any(|group| !listed.contains(&(index, *group)));
            self.forget(socket, lost, "has lost its groups");
        }
        for (index, name) in wanted {
            self.join(socket, index, name);
        }
        Ok(())
    }

    /// Whether a datagram is for this server: what came for a group counts on served interfaces only. The
    /// kernel lets more in, when another process is in the group on another interface.
    pub fn admits(&self, arrival: &Arrival) -> bool {
        !arrival.destination.is_multicast() || self.joined.contains_key(&arrival.interface_index)
    }

    /// The name of a served interface; nothing for any other.
    pub fn name(&self, interface_index: u32) -> Option<&str> {
        self.joined.get(&interface_index).map(String::as_str)
    }

    /// The served interfaces: index and name.
    pub fn served(&self) -> impl Iterator<Item = (u32, &str)> {
        self.joined.iter().map(|(index, name)| (*index, name.as_str()))
    }

    /// Leaves the groups too: the socket remembers them even for an interface that is gone, and would refuse
    /// to join them on another one with its index.
    fn forget(&mut self, socket: &ServerSocket, gone: impl Fn(u32) -> bool, why: &str) {
        self.joined.retain(|index, name| {
            let gone = gone(*index);
            if gone {
                leave(socket, *index);
                info!(interface = %name, index, "{why}");
            }
            !gone
        });
    }

    fn join(&mut self, socket: &ServerSocket, index: u32, name: String) {
        if let Some(known) = self.joined.get_mut(&index) {
            *known = name;
            return;
        }
        match GROUPS.iter().try_for_each(|group| socket.join(*group, index)) {
            Ok(()) => {
                info!(interface = %name, index, "serving");
                self.told.remove(&index);
                self.joined.insert(index, name);
            }
            Err(error) => {
                leave(socket, index);
                add(&socket.counters().join_failures, 1);
                if self.told.insert(index) {
                    warn!(interface = %name, index, "cannot join its groups, will try again: {error}");
                }
            }
        }
    }
}

/// Leaves both groups, whichever of them was joined.
fn leave(socket: &ServerSocket, index: u32) {
    for group in GROUPS {
        if let Err(error) = socket.leave(group, index) {
            debug!(index, %group, "not left: {error}");
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
