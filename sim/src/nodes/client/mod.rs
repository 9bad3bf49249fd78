//! A client: it asks for what it wants, and renews what it has.

use std::time::Duration;

use wire::{
    CLIENT_PORT, ClientMessage, Duid, IaKind, Iaid, MessageType, OptionCode, SERVER_PORT, TransactionId,
    Writer,
};
use world::{Chance, Instant};

use super::{Node, NodeId};
use crate::plan::{ClientPlan, LinkNumber, addresses};
use crate::universe::{ALL_RELAYS_AND_SERVERS, Datagram, Outbox, Outgoing};

/// A client's only interface.
pub const INTERFACE: u32 = 1;
/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// A client.
#[derive(Debug)]
pub struct Client {
    number: usize,
    /// What it wants.
    pub plan: ClientPlan,
    /// The link that it is on.
    pub link: LinkNumber,
    duid: Duid,
    chance: Chance,
    transaction: TransactionId,
    server: Option<Duid>,
    has_lease: bool,
    act_at: Instant,
}

impl Client {
    /// One that is switched on then.
    pub fn new(number: usize, plan: &ClientPlan, chance: Chance, on_at: Instant) -> Self {
        Self {
            number,
            plan: plan.clone(),
            link: plan.link,
            duid: addresses::client_id(number),
            chance,
            transaction: TransactionId::from_number(0),
            server: None,
            has_lease: false,
            act_at: on_at,
        }
    }

    /// Who it is.
    pub fn id(&self) -> NodeId {
        NodeId::Client(self.number)
    }

    /// Whether it has all that it wants.
    pub fn is_served(&self) -> bool {
        self.has_lease
    }

    fn say(&mut self, message_type: MessageType, out: &mut Outbox) {
        let number = self.chance.below(1 << 24);
        self.transaction = TransactionId::from_number(u32::try_from(number).expect("24 bits"));
        let mut octets = Vec::new();
        let mut writer = Writer::new(&mut octets);
        ClientMessage::write(&mut writer, message_type, self.transaction, |w| {
            w.raw_option(OptionCode::CLIENTID, self.duid.octets());
            w.option(OptionCode::ELAPSED_TIME, |w| w.u16(0));
            if let Some(server) = self.server.as_ref().filter(|_| message_type == MessageType::Request) {
                w.raw_option(OptionCode::SERVERID, server.octets());
            }
            for iaid in 0..self.plan.prefixes {
                w.ia(IaKind::Prefix, Iaid(iaid), 0, 0, |_| {});
            }
            for iaid in 0..self.plan.addresses {
                w.ia(IaKind::Address, Iaid(iaid), 0, 0, |_| {});
            }
        });
        writer.finish().expect("a short message");
        out.send(Outgoing {
            interface: INTERFACE,
            source_port: CLIENT_PORT,
            destination: ALL_RELAYS_AND_SERVERS,
            destination_port: SERVER_PORT,
            octets,
        });
    }
}

impl Node for Client {
    fn receive(&mut self, _interface: u32, datagram: &Datagram, now: Instant, out: &mut Outbox) {
        let Ok(message) = ClientMessage::decode(&datagram.octets) else { return };
        if message.transaction_id != self.transaction {
            return;
        }
        match message.message_type {
            MessageType::Advertise => {
                self.server = message.options.server_id().ok().flatten().map(|duid| duid.to_duid());
                self.act_at = now + PATIENCE;
                self.say(MessageType::Request, out);
            }
            MessageType::Reply => {
                self.has_lease = true;
                self.act_at = now + Duration::from_secs(30);
            }
            _ => {}
        }
    }

    fn wake(&mut self, now: Instant, out: &mut Outbox) {
        if self.act_at <= now {
            self.act_at = now + PATIENCE;
            self.say(MessageType::Solicit, out);
        }
    }

    fn deadline(&self) -> Option<Instant> {
        Some(self.act_at)
    }
}
