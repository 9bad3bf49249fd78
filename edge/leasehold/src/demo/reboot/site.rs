//! Where it happens: seven hosts, each in a namespace of its own, with nothing but cables between them.
//!
//! ```text
//! customers ==== line1 \                / internet ==== somebody far away
//! customers ==== line2  \   the relay  /
//! customers ==== line3  /              \
//! customers ==== line4 /                \ core ======== the server
//! ```
//!
//! The relay's host forwards packets, and knows the way to a customer's prefix only if it has a route to it.

use std::net::Ipv6Addr;

use anyhow::Result;
use wire::{Duid, Prefix};

use super::cables::{self, OnLink};
use super::namespace::{Namespace, set};

/// The lines to customers.
pub(super) const LINES: u16 = 4;
/// Where the server is.
pub(super) const SERVER: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 1);
/// What the relay has on the same cable: from there it asks.
pub(super) const RELAY: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 2);
/// Interfaces of the relay: the one to the server, and those to customers but for their number.
pub(super) const CORE: &str = "core";
pub(super) const LINE: &str = "line";
/// The only interface of everybody else.
pub(super) const UPLINK: &str = "uplink";

const INTERNET: &str = "internet";
/// What the relay has on every line.
const GATEWAY: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
const NEAR: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xeeee, 0, 0, 0, 0, 1);
const FAR: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xeeee, 0, 0, 0, 0, 2);

/// The hosts.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) relay: Namespace,
    pub(super) server: Namespace,
    pub(super) far: Namespace,
    lines: Vec<Namespace>,
}

/// Somebody who is to have a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Customer {
    /// The line, from 1.
    pub(super) line: u16,
    /// The address on that line, to which the route to the prefix will lead.
    pub(super) address: Ipv6Addr,
    pub(super) duid: Duid,
}

impl Customer {
    /// The customers of a site, from one line to the next in turn.
    pub(super) fn all(count: u16) -> Vec<Self> {
        (0..count).map(Self::numbered).collect()
    }

    fn numbered(number: u16) -> Self {
        let [high, low] = number.to_be_bytes();
        let duid = [0, 3, 0, 1, 0x02, 0, 0x5e, 0x10, high, low];
        Self {
            line: number % LINES + 1,
            address: Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0xc, number + 1),
            duid: Duid::new(&duid).expect("ten octets are a DUID"),
        }
    }
}

/// The link that a line is: a prefix in which the relay has the first address.
pub(super) fn link(line: u16) -> OnLink {
    (Ipv6Addr::new(0x2001, 0xdb8, line, 0, 0, 0, 0, 1), 64)
}

impl Site {
    /// Makes it, with customers that have nothing yet but an address on their line.
    pub(super) fn build(customers: &[Customer]) -> Result<Self> {
        let lines = (0..LINES).map(|_| Namespace::make()).collect::<Result<_>>()?;
        let (relay, server, far) = (Namespace::make()?, Namespace::make()?, Namespace::make()?);
        let site = Self { relay, server, far, lines };
        site.relay.within(|| {
            set("conf/all/forwarding", "1")?;
            // Everybody who is not reachable is to hear so, not only the first few in a second: errors are
            // limited as type 0 alone, which none has.
            set("icmp/ratemask", "0")
        })?;
        site.connect(&site.server, UPLINK, &[(SERVER, 64)], CORE, &[(RELAY, 64)])?;
        site.connect(&site.far, UPLINK, &[(FAR, 64)], INTERNET, &[(NEAR, 64)])?;
        site.far.within(|| cables::default_route(UPLINK, NEAR))?;
        for line in 1..=LINES {
            let here: Vec<_> = customers.iter().filter(|customer| customer.line == line).collect();
            let addresses: Vec<_> = here.iter().map(|customer| (customer.address, 64)).collect();
            let near = [(GATEWAY, 64), link(line)];
            site.connect(site.line(line), UPLINK, &addresses, &format!("{LINE}{line}"), &near)?;
            site.line(line).within(|| cables::default_route(UPLINK, GATEWAY))?;
        }
        Ok(site)
    }

    /// Lays a cable between somebody and the relay.
    fn connect(
        &self,
        there: &Namespace,
        far: &str,
        far_addresses: &[OnLink],
        near: &str,
        near_addresses: &[OnLink],
    ) -> Result<()> {
        cables::lay((&self.relay, near), (there, far))?;
        self.relay.within(|| cables::raise(near, near_addresses))?;
        there.within(|| cables::raise(far, far_addresses))
    }

    /// Those who are behind a line.
    pub(super) fn line(&self, line: u16) -> &Namespace {
        &self.lines[usize::from(line - 1)]
    }

    /// Has a customer use a prefix: every address in it answers.
    pub(super) fn move_in(&self, customer: &Customer, prefix: Prefix) -> Result<()> {
        self.line(customer.line).within(|| cables::answer_for(prefix))
    }

    /// Whether every address may be used.
    pub(super) fn is_settled(&self) -> Result<bool> {
        let mut all = self.lines.iter().chain([&self.relay, &self.server, &self.far]);
        all.try_fold(true, |settled, host| Ok(settled && host.within(cables::are_settled)?))
    }
}
