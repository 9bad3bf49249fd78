//! Servers: real ones, without sockets. They answer what a relay forwards to them, and what it asks in
//! bulk.

use std::collections::BTreeSet;
use std::net::Ipv6Addr;
use std::time::Duration;

use lease::{Cursor, DelegationPool, LeaseState, Link, LinkId, Links, Table};
use server::assign::Assigner;
use server::exchange::{Exchanges, LinkTerms, Rules, Terms};
use server::leasequery::{Access, Admission, BulkLimits, Connection, Policy, Rule};
use server::{Arrived, Counters, Holdings};
use wire::{Duid, Prefix};
use world::Now;

/// From where the relay speaks.
pub(super) const RELAY_ADDRESS: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 1);
/// Seconds for which everything is delegated.
pub(super) const VALID_SECS: u32 = 600;

/// One server.
pub(super) struct Server {
    pub(super) duid: Duid,
    pub(super) address: Ipv6Addr,
    pub(super) is_up: bool,
    exchanges: Exchanges,
    holdings: Holdings,
    policy: Policy,
    admission: Admission,
    counters: Counters,
}

/// What a server delegates on one of its links.
pub(super) fn pool(server: u8, link: u16) -> Prefix {
    Prefix::new(Ipv6Addr::new(0x3fff, server.into(), link, 0, 0, 0, 0, 0), 48).expect("48 bits")
}

impl Server {
    /// With links 1 to 4, `2001:db8:LINK::/64`, and 256 prefixes of 56 bits on each.
    pub(super) fn new(number: u8) -> Self {
        let duid = Duid::new(&[0, 2, 0, 0, 0x7e, 0xd9, number]).expect("seven octets");
        let links = Links::new((1..=4).map(|link| Self::link(number, link)));
        let terms =
            LinkTerms { preferred_secs: VALID_SECS / 2, valid_secs: VALID_SECS, ..LinkTerms::default() };
        let rules =
            Rules { links: (1..=4).map(|link| (LinkId(link), terms.clone())).collect(), ..Rules::default() };
        let table = Table::default();
        let secret = [u64::from(number), 0x5eed];
        let assigner = Assigner::new(&links, Vec::new(), Duration::from_secs(30), secret, &table);
        Self {
            address: Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 0x500 + u16::from(number)),
            is_up: true,
            exchanges: Exchanges::new(Terms { server_id: duid.clone(), rules }, assigner),
            holdings: Holdings { table, links },
            policy: Self::policy(duid.clone()),
            admission: Admission::default(),
            counters: Counters::default(),
            duid,
        }
    }

    fn link(number: u8, link: u16) -> Link {
        Link {
            id: LinkId(link.into()),
            name: format!("link {link}"),
            prefixes: vec![format!("2001:db8:{link}::/64").parse().expect("a prefix")],
            delegation_pools: vec![DelegationPool {
                prefix: pool(number, link),
                delegated_length: 56,
                excluded: None,
            }],
            ..Link::default()
        }
    }

    /// Everybody may ask everything.
    fn policy(server_id: Duid) -> Policy {
        Policy {
            server_id,
            access: Access::new(vec![Rule { from: "::/0".parse().expect("a prefix"), queries: None }]),
            refuse_silently: false,
            sensitive_options: BTreeSet::new(),
            track_relays: true,
            relayed_hops: 0,
            bulk: BulkLimits::default(),
        }
    }

    /// What it answers to a Relay-forward, if anything.
    pub(super) fn answer(&mut self, octets: &[u8], now: Now) -> Option<Vec<u8>> {
        let arrived = Arrived::decode(octets, RELAY_ADDRESS, self.address, None).expect("a Relay-forward");
        let mut out = Vec::new();
        self.exchanges.answer(&arrived, &mut self.holdings, now, &mut out).ok()?;
        Some(out)
    }

    /// Ends what has run out.
    pub(super) fn expire(&mut self, now: Now) {
        self.exchanges.expire(&mut self.holdings, now, usize::MAX);
    }

    /// What it has delegated: to whom, on which link, and until when, in seconds since 1970.
    pub(super) fn leases(&self, now: Now) -> Vec<(Prefix, Duid, u16, u64)> {
        let mut leases = Vec::new();
        for (_, client) in self.holdings.table.clients(Cursor::START) {
            let link = u16::try_from(client.link.0).expect("a few links");
            for held in client.leases() {
                let end = held.lease.until_unix_secs().expect("nothing is for ever");
                let is_active = held.lease.state == LeaseState::Active && end > now.unix_secs;
                if let (Some(prefix), true) = (held.lease.resource.prefix(), is_active) {
                    leases.push((prefix, client.duid.to_duid(), link, end));
                }
            }
        }
        leases
    }

    /// Forgets everybody.
    pub(super) fn forget_all(&mut self) {
        let links = std::mem::take(&mut self.holdings.links);
        self.holdings = Holdings { table: Table::default(), links };
    }

    /// All that it answers on a connection to these octets.
    pub(super) fn tell(&mut self, connection: &mut Connection, octets: &[u8], now: Now) -> Vec<u8> {
        let Self { holdings, policy, admission, counters, .. } = self;
        connection.receive(octets, now);
        let mut out = Vec::new();
        loop {
            let before = out.len();
            connection.begin(policy, holdings, admission, counters, now);
            connection.fill(policy, holdings, counters, now, &mut out);
            if out.len() > before {
                connection.sent(true, now);
            }
            if !connection.has_work() {
                return out;
            }
        }
    }
}
