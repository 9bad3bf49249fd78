//! A vandal on a link: it hears what clients say to everybody, and says whatever comes of that, bent, wrapped,
//! repeated, blown up; it asks in many names for what others have, and gives back what is not its own.
//!
//! What it does not do is to release or decline in another's name. Nothing proves who a client is, so that would
//! be obeyed, and rightly.

use std::collections::VecDeque;
use std::net::Ipv6Addr;
use std::rc::Rc;
use std::time::Duration;

use wire::{
    CLIENT_PORT, ClientMessage, IaKind, Iaid, MessageType, OptionCode, Options, RelayMessage, SERVER_PORT,
    TransactionId, Writer,
};
use world::{Chance, Instant};

use super::{Node, NodeId};
use crate::plan::{VandalPlan, addresses, between, one_of};
use crate::universe::{ALL_RELAYS_AND_SERVERS, Datagram, Outbox, Outgoing};

/// A vandal's only interface.
pub const INTERFACE: u32 = 1;
/// Messages that it remembers.
const MEMORY: usize = 16;
/// Names that it goes by.
const NAMES: u64 = 8;
/// Prefixes and addresses that it knows others may have, of each server.
const COVETED: u64 = 4;
/// Octets of what is meant to be too much, at the most.
const HUGE_OCTETS: u64 = 60_000;

/// A vandal.
#[derive(Debug)]
pub struct Vandal {
    number: usize,
    plan: VandalPlan,
    servers: u64,
    chance: Chance,
    heard: VecDeque<Rc<[u8]>>,
    act_at: Instant,
    end: Instant,
}

impl Vandal {
    /// One that is at it until then.
    pub fn new(number: usize, plan: &VandalPlan, servers: usize, chance: Chance, end: Instant) -> Self {
        let (plan, heard, act_at) = (plan.clone(), VecDeque::new(), Instant::default());
        Self { number, plan, servers: servers as u64, chance, heard, act_at, end }
    }

    /// Who it is.
    pub fn id(&self) -> NodeId {
        NodeId::Vandal(self.number)
    }

    fn message(&mut self) -> Vec<u8> {
        let heard = self.some_heard();
        match self.chance.below(8) {
            0 | 1 => self.bent(heard),
            2 => self.of_another_type(heard),
            3 => self.wrapped(heard),
            4 => self.repeated(heard),
            5 => self.huge(),
            6 => (0..self.chance.below(64)).map(|_| self.octet()).collect(),
            _ => self.in_its_own_names(),
        }
    }

    fn some_heard(&mut self) -> Vec<u8> {
        let at = self.chance.below(self.heard.len().max(1) as u64) as usize;
        self.heard.get(at).map(|octets| octets.to_vec()).unwrap_or_else(|| self.in_its_own_names())
    }

    fn bent(&mut self, mut octets: Vec<u8>) -> Vec<u8> {
        for _ in 0..=self.chance.below(4) {
            let at = self.chance.below(octets.len() as u64) as usize;
            octets[at] ^= 1 << self.chance.below(8);
        }
        octets
    }

    fn of_another_type(&mut self, mut octets: Vec<u8>) -> Vec<u8> {
        octets[0] = self.chance.below(40) as u8;
        octets
    }

    /// As if it were a relay, or many.
    fn wrapped(&mut self, mut octets: Vec<u8>) -> Vec<u8> {
        for level in 0..=self.chance.below(12) {
            let link = between(&mut self.chance, 0, 4) as u16;
            let header = RelayMessage {
                message_type: one_of(&mut self.chance, &[MessageType::RelayForward, MessageType::RelayReply]),
                hop_count: one_of(&mut self.chance, &[level as u8, self.plan.link as u8, 200]),
                link_address: addresses::on_link(link, 0),
                peer_address: one_of(&mut self.chance, &[Ipv6Addr::UNSPECIFIED, addresses::relay(0)]),
                options: Options::default(),
            };
            let mut wrapped = Vec::with_capacity(octets.len() + LEVEL_OCTETS);
            let mut writer = Writer::new(&mut wrapped);
            header.encode_header(&mut writer);
            writer.raw_option(OptionCode::RELAY_MSG, &octets);
            if writer.finish().is_err() {
                return octets;
            }
            octets = wrapped;
        }
        octets
    }

    /// Every option twice.
    fn repeated(&mut self, mut octets: Vec<u8>) -> Vec<u8> {
        let options = octets.get(4..).map(<[u8]>::to_vec).unwrap_or_default();
        octets.extend(options);
        octets
    }

    fn huge(&mut self) -> Vec<u8> {
        let len = self.chance.below(HUGE_OCTETS) as usize;
        let name = addresses::vandal_id(self.number, 0);
        let message_type = self.message_type();
        self.written(message_type, |w| {
            w.raw_option(OptionCode::CLIENTID, name.octets());
            w.raw_option(OptionCode::USER_CLASS, &vec![0; len]);
            (0..200).for_each(|iaid| w.ia(IaKind::Prefix, Iaid(iaid), 0, 0, |_| {}));
        })
    }

    /// Asks for what others have, in an exchange that may be another's, or gives it back.
    fn in_its_own_names(&mut self) -> Vec<u8> {
        let name = addresses::vandal_id(self.number, self.chance.below(NAMES) as u8);
        let server = self.chance.below(self.servers) as usize;
        let number = self.chance.below(COVETED) as u16;
        let (link, iaid) = (self.plan.link, Iaid(self.chance.below(4) as u32));
        let message_type = self.message_type();
        self.written(message_type, |w| {
            w.raw_option(OptionCode::CLIENTID, name.octets());
            if !matches!(message_type, MessageType::Solicit | MessageType::Rebind | MessageType::Confirm) {
                w.raw_option(OptionCode::SERVERID, addresses::server_id(server).octets());
            }
            w.option(OptionCode::ELAPSED_TIME, |w| w.u16(0));
            w.raw_option(OptionCode::RAPID_COMMIT, &[]);
            w.ia(IaKind::Prefix, iaid, 0, 0, |w| {
                w.ia_prefix(addresses::delegation(link, server, number), 0, 0, |_| {});
            });
            w.ia(IaKind::Address, iaid, 0, 0, |w| {
                w.ia_address(addresses::assigned(link, server, number), 0, 0);
            });
        })
    }

    fn message_type(&mut self) -> MessageType {
        use MessageType as M;
        one_of(
            &mut self.chance,
            &[M::Solicit, M::Request, M::Renew, M::Rebind, M::Confirm, M::Release, M::Decline],
        )
    }

    fn written(&mut self, message_type: MessageType, options: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
        let mut octets = Vec::new();
        let mut writer = Writer::new(&mut octets);
        let number = self.chance.below(1 << 24) as u32;
        let heard = self.heard.back().and_then(|octets| ClientMessage::decode(octets).ok());
        let others = heard.map(|message| message.transaction_id).filter(|_| number.is_multiple_of(2));
        let transaction = others.unwrap_or(TransactionId::from_number(number));
        ClientMessage::write(&mut writer, message_type, transaction, options);
        writer.finish().expect("less than an option can hold");
        octets
    }

    fn octet(&mut self) -> u8 {
        self.chance.below(256) as u8
    }
}

/// Whether it would take something from whoever it is named after.
fn takes_away(octets: &[u8]) -> bool {
    let taking = [MessageType::Release, MessageType::Decline];
    let (inside, _) = crate::reading::innermost(octets);
    inside.first().is_some_and(|number| taking.iter().any(|taking| *taking as u8 == *number))
}

/// A relay's header, and what an option around a message begins with.
const LEVEL_OCTETS: usize = 34 + 4;

impl Node for Vandal {
    fn receive(&mut self, _interface: u32, datagram: &Datagram, _now: Instant, _out: &mut Outbox) {
        if !datagram.octets.is_empty() && !takes_away(&datagram.octets) {
            self.heard.push_back(datagram.octets.clone());
        }
        if self.heard.len() > MEMORY {
            self.heard.pop_front();
        }
    }

    fn wake(&mut self, now: Instant, out: &mut Outbox) {
        if now < self.act_at || self.end <= now {
            return;
        }
        let pause = self.plan.pause.as_millis() as u64;
        self.act_at = now + Duration::from_millis(between(&mut self.chance, 1, 2 * pause));
        let octets = self.message();
        let own = addresses::vandal_id(self.number, 0);
        let is_own = || octets.windows(4).any(|part| part == &own.octets()[2..6]);
        if octets.is_empty() || (takes_away(&octets) && !is_own()) {
            return;
        }
        out.send(Outgoing {
            interface: INTERFACE,
            source_port: one_of(&mut self.chance, &[CLIENT_PORT, SERVER_PORT, 1_024]),
            destination: ALL_RELAYS_AND_SERVERS,
            destination_port: SERVER_PORT,
            octets,
        });
    }

    fn deadline(&self) -> Option<Instant> {
        (self.act_at < self.end).then_some(self.act_at)
    }
}
