//! A site as an operator would configure it, before the server opens.

use std::net::Ipv6Addr;
use std::time::Duration;

use lease::{AddressPool, DelegationPool, InterfacePattern, Link, LinkId, Links, Table};
use server::Holdings;
use server::assign::{Assigner, Reservation, Subscriber};
use server::exchange::{Exchanges, LinkTerms, OfferedOptions, Rules, Terms};
use wire::{OptionCode, Prefix};

use super::{Server, address, prefix, resource, server_id};

/// Links 1 and 2, each with an interface, a prefix, 256 addresses and 256 prefixes of 56 bits.
/// Leases are preferred for an hour and valid for two.
pub(crate) struct Site {
    pub(crate) links: Vec<Link>,
    pub(crate) rules: Rules,
    pub(crate) reservations: Vec<Reservation>,
    /// How long an offer is kept.
    pub(crate) offer_for: Duration,
}

pub(crate) fn pool(first: &str, last: &str) -> AddressPool {
    AddressPool { first: address(first), last: address(last) }
}

/// A pool of prefixes, without anything excluded.
pub(crate) fn shared(from: &str, delegated_length: u8) -> DelegationPool {
    DelegationPool { prefix: prefix(from), delegated_length, excluded: None }
}

impl Site {
    pub(crate) fn usual() -> Self {
        let terms = LinkTerms { preferred_secs: 3600, valid_secs: 7200, ..LinkTerms::default() };
        let links = [LinkId(1), LinkId(2)].map(|id| (id, terms.clone()));
        Self {
            links: vec![link(1, "2001:db8:f000::/48"), link(2, "2001:db8:e000::/48")],
            rules: Rules { links: links.into(), ..Rules::default() },
            reservations: Vec::new(),
            offer_for: Duration::from_secs(30),
        }
    }

    /// Something is different from the usual.
    pub(crate) fn but(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub(crate) fn link(&mut self, id: u32) -> &mut Link {
        self.links.iter_mut().find(|link| link.id == LinkId(id)).unwrap()
    }

    pub(crate) fn terms(&mut self, id: u32) -> &mut LinkTerms {
        self.rules.links.get_mut(&LinkId(id)).unwrap()
    }

    /// Keeps a resource for a subscriber on link 1.
    pub(crate) fn keep(&mut self, subscriber: Subscriber, kept: &str) -> &mut Reservation {
        let kept = resource(kept);
        self.reservations.push(Reservation {
            link: LinkId(1),
            subscriber,
            addresses: kept.address().into_iter().collect(),
            prefixes: kept.prefix().into_iter().collect(),
            options: OfferedOptions::default(),
        });
        self.reservations.last_mut().unwrap()
    }

    /// Offers an option to everybody who asks for it.
    pub(crate) fn offer(&mut self, code: OptionCode, data: &[u8]) {
        self.rules.options.add(code, data);
    }

    pub(crate) fn open(self) -> Server {
        self.open_with(Table::default())
    }

    /// Opens with what was held before, under whatever configuration that was.
    pub(crate) fn open_with(self, table: Table) -> Server {
        let links = Links::new(self.links);
        let secret = [0x1bad_5eed, 0x0dd_ba11];
        let assigner = Assigner::new(&links, self.reservations, self.offer_for, secret, &table);
        let terms = Terms { server_id: server_id(), rules: self.rules };
        Server::new(Exchanges::new(terms, assigner), Holdings { table, links })
    }
}

fn link(id: u16, delegated_from: &str) -> Link {
    let on_link = |host: u16| Ipv6Addr::new(0x2001, 0xdb8, id, 0, 0, 0, 1, host);
    Link {
        id: LinkId(id.into()),
        name: format!("link {id}"),
        prefixes: vec![Prefix::new(on_link(0), 64).unwrap()],
        interfaces: vec![InterfacePattern(format!("lan{id}"))],
        address_pools: vec![AddressPool { first: on_link(0x100), last: on_link(0x1ff) }],
        delegation_pools: vec![shared(delegated_from, 56)],
        ..Link::default()
    }
}
