//! The clients of Debian, one module each.
//!
//! Every one asks for an address and a prefix on `cli0` of its host. The address is read from the interface, where the client
//! has put it; the prefix from wherever the client keeps it.

mod dhclient;
mod dhcpcd;
mod dibbler;
mod networkd;
mod wide;

use wire::MessageType;

use crate::bell::Bell;
use crate::exchange::Resources;
use crate::host::Host;
use crate::process::Process;
use crate::server::Lifetimes;

/// How fast a client lives.
#[derive(Clone, Copy)]
pub(crate) struct Pace {
    /// What the server should give it. T1 is a half of the preferred lifetime, T2 four fifths.
    pub(crate) lifetimes: Lifetimes,
    /// The last message that goes unanswered before the server comes back. One that goes unanswered is repeated after ten seconds.
    pub(crate) in_vain: MessageType,
}

/// Seconds between the steps: T1 after 5, T2 after 8. A Renew in vain is followed by a Rebind.
const FAST: Pace =
    Pace { lifetimes: Lifetimes { preferred_secs: 10, valid_secs: 20 }, in_vain: MessageType::Renew };
/// For a client that renews no sooner than after 18 seconds and rebinds no sooner than after 30, or is up to ten seconds late:
/// T1 after 20, T2 after 32. A Renew in vain is followed by another, so that a Rebind has to be in vain.
const SLOW: Pace =
    Pace { lifetimes: Lifetimes { preferred_secs: 40, valid_secs: 80 }, in_vain: MessageType::Rebind };

/// A client program.
pub(crate) struct Program {
    pub(crate) name: &'static str,
    /// What has to be installed.
    pub(crate) tool: &'static str,
    pub(crate) pace: Pace,
    /// Whether it asks for Rapid Commit.
    pub(crate) commits_rapidly: bool,
    /// Whether it goes on well after it was killed.
    pub(crate) restarts: bool,
    /// Whether it ever sends a Release.
    pub(crate) releases: bool,
    pub(crate) start: fn(&Host, &Bell) -> Box<dyn Client>,
}

/// A client that runs.
pub(crate) trait Client {
    /// The prefixes that it believes to be delegated to it.
    fn prefixes(&self, host: &Host) -> Resources;
    /// Has it give back what it holds, and end. What is told of it is in its packets.
    fn release(&mut self, host: &Host, bell: &Bell);
    /// The process, for its log.
    fn process(&self) -> &Process;
}

pub(crate) const DHCLIENT: Program = dhclient::PROGRAM;
pub(crate) const DECLINING: Program = dhclient::DECLINING;
pub(crate) const DHCPCD: Program = dhcpcd::PROGRAM;
pub(crate) const DHCPCD_TOLD: Program = dhcpcd::TOLD;
pub(crate) const DIBBLER: Program = dibbler::PROGRAM;
pub(crate) const DIBBLER_TOLD: Program = dibbler::TOLD;
pub(crate) const NETWORKD: Program = networkd::PROGRAM;
pub(crate) const WIDE: Program = wide::PROGRAM;

/// The prefixes in the routes that a client has set against loops: packets for a delegated prefix go nowhere.
fn unreachable_prefixes(host: &Host) -> Resources {
    let routes = host.ip("-6 route show type unreachable");
    let prefix = |line: &str| line.split_whitespace().nth(1).map(str::to_owned);
    routes.lines().filter_map(prefix).filter(|prefix| prefix.contains('/')).collect()
}

/// The word behind each occurrence of a marker.
fn words_behind(text: &str, marker: &str) -> Resources {
    let behind = text.split(marker).skip(1);
    behind.filter_map(|rest| rest.split_whitespace().next()).map(str::to_owned).collect()
}
