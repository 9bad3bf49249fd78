//! Who is who in every scenario, a small requestor, and a server without sockets.
//!
//! The relay and requestor, the server, clients 1 and 2, the links and the delegated prefixes are
//! those of the test vectors.

mod clients;
mod requestor;
#[path = "../../../wire/tests/support/vectors.rs"]
mod vectors;

use std::collections::BTreeSet;
use std::net::Ipv6Addr;
use std::time::Duration;

use lease::{DelegationPool, Link, LinkId, Links, Table};
use server::leasequery::{Access, Admission, BulkLimits, Connection, Policy, Rule, datagram};
use server::{Arrived, Counters, Holdings};
use wire::Duid;
use world::{Instant, Now};

pub(crate) use clients::{Known, client, path_of};
pub(crate) use requestor::{Answer, Question, answers, frames, types};
pub(crate) use vectors::vector;

/// Seconds since 1970 when a scenario begins: some day in 2026.
const START_UNIX_SECS: u64 = 1_767_225_600;

/// From where the requestor of most scenarios connects.
pub(crate) const REQUESTOR: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 1);

/// Where the server is asked.
pub(crate) const SERVER: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 2);

/// This long after the beginning of a scenario.
pub(crate) fn after(elapsed: Duration) -> Now {
    Now { instant: Instant::since_start(elapsed), unix_secs: START_UNIX_SECS + elapsed.as_secs() }
}

/// This many seconds after the beginning of a scenario.
pub(crate) fn at(secs: u64) -> Now {
    after(Duration::from_secs(secs))
}

pub(crate) fn address(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

pub(crate) fn duid(text: &str) -> Duid {
    text.parse().unwrap()
}

/// The relay, which is the requestor too.
pub(crate) fn relay() -> Duid {
    duid("00:03:00:01:02:00:00:00:aa:01")
}

/// Another relay.
pub(crate) fn other_relay() -> Duid {
    duid("00:03:00:01:02:00:00:00:aa:02")
}

/// Everybody may ask everything.
pub(crate) fn policy() -> Policy {
    Policy {
        server_id: duid("00:02:00:00:7e:d9:0c:c0:84:d3:03:00:09:12"),
        access: Access::new(vec![Rule { from: "::/0".parse().unwrap(), queries: None }]),
        refuse_silently: false,
        sensitive_options: BTreeSet::new(),
        track_relays: true,
        relayed_hops: 0,
        bulk: BulkLimits::default(),
    }
}

/// Links 1 and 2, and link 3, which shares a prefix with link 2.
pub(crate) fn links() -> Links {
    let pool = DelegationPool {
        prefix: "2001:db8:f000::/40".parse().unwrap(),
        delegated_length: 56,
        excluded: None,
    };
    let link = |id: u32, prefixes: &[&str], relay_addresses: &[&str]| Link {
        id: LinkId(id),
        name: format!("link {id}"),
        prefixes: prefixes.iter().map(|text| text.parse().unwrap()).collect(),
        relay_addresses: relay_addresses.iter().map(|text| address(text)).collect(),
        interface_ids: Vec::new(),
        relay_ids: Vec::new(),
        interfaces: Vec::new(),
        address_pools: Vec::new(),
        delegation_pools: vec![pool],
    };
    Links::new([
        link(1, &["2001:db8:1::/64"], &[]),
        link(2, &["2001:db8:2::/64"], &[]),
        link(3, &["2001:db8:2::/64", "2001:db8:3::/64"], &[]),
    ])
}

/// These clients, on the usual links.
pub(crate) fn holdings(clients: impl IntoIterator<Item = Known>) -> Holdings {
    let mut table = Table::default();
    for client in clients {
        table.put(&client.0).unwrap();
    }
    Holdings { table, links: links() }
}

/// Clients 1 and 2 as the test vectors tell of them.
pub(crate) fn two_clients() -> Holdings {
    holdings([
        client(1, 0x0101)
            .heard(600, "2001:db8:ffff::1", &path_of("V12"))
            .address("2001:db8:1::100", 1800, 2400)
            .prefix("2001:db8:f000:100::/56", 1800, 2400),
        client(1, 0x0102).heard(3300, "2001:db8:ffff::1", &path_of("V3")).prefix(
            "2001:db8:f000:200::/56",
            1800,
            3600,
        ),
    ])
}

/// So many clients on link 1, each with a prefix, all behind the relay of the vectors.
pub(crate) fn many_clients(count: u32) -> Holdings {
    holdings((0..count).map(|number| {
        client(1, number).heard(60, "2001:db8:ffff::1", &path_of("V3")).nth_prefix(number, 3600)
    }))
}

/// A server without sockets.
pub(crate) struct Server {
    pub(crate) policy: Policy,
    pub(crate) holdings: Holdings,
    pub(crate) admission: Admission,
    pub(crate) counters: Counters,
}

impl Server {
    pub(crate) fn new(holdings: Holdings) -> Self {
        Self { policy: policy(), holdings, admission: Admission::default(), counters: Counters::default() }
    }

    pub(crate) fn with(holdings: Holdings, change: impl FnOnce(&mut Policy)) -> Self {
        let mut server = Self::new(holdings);
        change(&mut server.policy);
        server
    }

    /// One round of a connection: what it has taken and filled is sent at once.
    pub(crate) fn round(&mut self, connection: &mut Connection, now: Now) -> Vec<u8> {
        let out = self.round_unsent(connection, now);
        if !out.is_empty() {
            connection.sent(true, now);
        }
        out
    }

    /// One round of a connection whose requestor does not read.
    pub(crate) fn round_unsent(&mut self, connection: &mut Connection, now: Now) -> Vec<u8> {
        let Self { policy, holdings, admission, counters } = self;
        let mut out = Vec::new();
        connection.begin(policy, holdings, admission, counters, now);
        connection.fill(policy, holdings, counters, now, &mut out);
        out
    }

    /// Rounds until there is nothing more to do.
    pub(crate) fn rounds(&mut self, connection: &mut Connection, now: Now) -> Vec<u8> {
        let mut out = self.round(connection, now);
        while connection.has_work() {
            out.append(&mut self.round(connection, now));
        }
        out
    }

    /// Everything that a connection gives back for these octets.
    pub(crate) fn tell(&mut self, connection: &mut Connection, octets: &[u8], now: Now) -> Vec<u8> {
        connection.receive(octets, now);
        self.rounds(connection, now)
    }

    /// Everything that a new connection gives back for these octets.
    pub(crate) fn give(&mut self, octets: &[u8]) -> Vec<u8> {
        self.tell(&mut Connection::new(REQUESTOR, at(0)), octets, at(0))
    }

    /// The answers to one question on a new connection.
    pub(crate) fn ask(&mut self, question: &Question) -> Vec<Answer> {
        answers(&self.give(&question.framed()))
    }

    /// The same over UDP: the answer, if there is one.
    pub(crate) fn ask_by_udp(&self, question: &Question) -> Option<Answer> {
        self.give_by_udp(&question.message(), at(0)).ok().map(|octets| Answer::read(&octets))
    }

    pub(crate) fn give_by_udp(&self, octets: &[u8], now: Now) -> Result<Vec<u8>, server::Discard> {
        self.give_to(SERVER, octets, now)
    }

    /// The same for a datagram that was sent to this address.
    pub(crate) fn give_to(
        &self,
        destination: Ipv6Addr,
        octets: &[u8],
        now: Now,
    ) -> Result<Vec<u8>, server::Discard> {
        let mut out = Vec::new();
        let arrived = Arrived::decode(octets, REQUESTOR, destination, None)?;
        datagram::answer(&arrived, &self.policy, &self.holdings, now, &mut out)?;
        Ok(out)
    }

    pub(crate) fn terminate(&mut self, connection: &mut Connection, because: &str, now: Now) -> Vec<u8> {
        let mut out = Vec::new();
        connection.terminate(because, &self.policy, &self.counters, now, &mut out);
        out
    }

    pub(crate) fn tick(&mut self, connection: &mut Connection, now: Now) {
        connection.tick(&self.policy, &self.counters, now);
    }
}
