//! What a requestor could want to know: about whom and what there is in a world, and about what there is not.

use std::net::Ipv6Addr;

use requestor::Question;
use wire::{Duid, OptionCode};
use world::Chance;

use crate::plan::{LinkNumber, Topology, addresses, between, happens, one_of};

/// Options that can be asked for, and how they are asked for together.
const WISHES: [&[OptionCode]; 6] = [
    &[],
    &[],
    &[OptionCode::LQ_RELAY_DATA],
    &[OptionCode::LQ_RELAY_DATA],
    &[OptionCode::LQ_RELAY_DATA, OptionCode::CLIENT_FQDN, OptionCode::VENDOR_CLASS, OptionCode::PD_EXCLUDE],
    &[OptionCode::CLIENT_FQDN, OptionCode::LQ_BASE_TIME],
];

/// What there is, by number.
#[derive(Debug, Clone)]
pub(super) struct Curiosity {
    pub(super) servers: usize,
    relays: usize,
    clients: usize,
    links: LinkNumber,
    /// Clients of each server from before.
    stocks: Vec<u16>,
}

impl Curiosity {
    pub(super) fn of(topology: &Topology) -> Self {
        Self {
            servers: topology.servers.len(),
            relays: topology.relays.len(),
            clients: topology.clients.len(),
            links: topology.links,
            stocks: topology.servers.iter().map(|server| server.stock.clients).collect(),
        }
    }

    /// A question that a server can answer.
    pub(super) fn question(&self, chance: &mut Chance) -> Question {
        let question = match chance.below(6) {
            0 => Question::by_address(self.address(chance)),
            1 => Question::by_client(self.client(chance)),
            2 => Question::by_relay(self.relay(chance)),
            3 => remote(chance),
            _ => Question::by_link(self.on_some_link(chance)).expect("a link"),
        };
        let question = if happens(chance, 1, 3) {
            // One by link has its link already.
            question.clone().on_link(self.on_some_link(chance)).unwrap_or(question)
        } else {
            question
        };
        question.requesting(one_of(chance, &WISHES))
    }

    fn link(&self, chance: &mut Chance) -> LinkNumber {
        between(chance, 1, self.links.into()) as LinkNumber
    }

    fn server(&self, chance: &mut Chance) -> usize {
        chance.below(self.servers as u64) as usize
    }

    /// A client that a server has from before, if it has any.
    fn stocked(&self, server: usize, chance: &mut Chance) -> u16 {
        chance.below(u64::from(self.stocks[server]) + 1) as u16
    }

    /// An address by which a link can be named, seldom one that names none.
    fn on_some_link(&self, chance: &mut Chance) -> Ipv6Addr {
        let link = if happens(chance, 1, 10) { self.links + 1 } else { self.link(chance) };
        match chance.below(3) {
            0 => addresses::on_link(link, 0),
            1 => addresses::first_assigned(link, 0),
            _ => addresses::link_prefix(link).last_address(),
        }
    }

    fn address(&self, chance: &mut Chance) -> Ipv6Addr {
        let (link, server) = (self.link(chance), self.server(chance));
        let near = |address: Ipv6Addr, by: u128| Ipv6Addr::from_bits(address.to_bits() + by);
        match chance.below(8) {
            0..=2 => near(addresses::first_assigned(link, server), chance.below(4).into()),
            3 | 4 => {
                let pool = addresses::delegated(link, server, 48).address();
                near(pool, u128::from(chance.below(4)) << 72 | u128::from(chance.below(3)))
            }
            5 => addresses::stocked_address(link, server, self.stocked(server, chance)),
            6 => {
                let prefix = addresses::stocked_prefix(link, server, self.stocked(server, chance), 0);
                near(prefix.address(), chance.below(5).into())
            }
            _ => addresses::on_link(self.links + 1, 7),
        }
    }

    fn client(&self, chance: &mut Chance) -> Duid {
        let server = self.server(chance);
        match chance.below(4) {
            0 => addresses::stocked_client_id(server, self.stocked(server, chance)),
            _ => addresses::client_id(chance.below(self.clients as u64 + 1) as usize),
        }
    }

    fn relay(&self, chance: &mut Chance) -> Duid {
        if happens(chance, 1, 3) {
            return addresses::absent_relay_id(chance.below(addresses::ABSENT_RELAYS as u64) as usize);
        }
        addresses::relay_id(chance.below(self.relays as u64 + 1) as usize)
    }
}

/// A Remote-ID that some have been heard with, or one that nobody has.
fn remote(chance: &mut Chance) -> Question {
    let number = chance.below(addresses::ABSENT_RELAYS as u64 + 1) as usize;
    let [.., kind, which] = addresses::absent_remote_id(number);
    let enterprise = if happens(chance, 1, 8) { 10 } else { 9 };
    Question::by_remote(enterprise, &[kind, which]).expect("two octets")
}
