//! A message that a client has sent as the standard has it, and that has reached a server which it is for, is
//! answered soon, unless the standard has the server say nothing.
//!
//! Judged is what arrives as a client has sent it, alone or in the Relay-forward of a relay: what somebody has
//! bent on the way may be dropped. A server that is killed meanwhile owes nothing any more.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use wire::{IaKind, MessageType, TransactionId};
use world::Instant;

use super::Property;
use crate::nodes::NodeId;
use crate::plan::addresses;
use crate::reading::{Said, innermost};
use crate::universe::{Datagram, Observed, Universe};

/// How soon: after two slow commits, the one that is under way and the next.
const SOON: Duration = Duration::from_secs(20);

/// Remembers who is owed an answer.
#[derive(Debug, Default)]
pub(super) struct Answered {
    /// What clients have sent.
    sent: BTreeSet<Rc<[u8]>>,
    owed: BTreeMap<Debt, Instant>,
    /// In the order in which they are due; some are paid.
    due: VecDeque<(Instant, Debt)>,
    exercised: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Debt {
    server: usize,
    transaction: TransactionId,
    client: Vec<u8>,
}

impl Property for Answered {
    fn name(&self) -> &'static str {
        "answered"
    }

    fn observe(&mut self, observed: &Observed, universe: &Universe) -> Result<(), String> {
        match observed {
            Observed::Sent(Datagram { sender: NodeId::Client(_), octets, .. }) => {
                self.sent.insert(octets.clone());
            }
            Observed::Sent(datagram @ Datagram { sender: NodeId::Server(number), .. }) => {
                self.paid(*number, datagram);
            }
            Observed::Arriving(NodeId::Server(number), datagram) => self.heard(*number, datagram, universe),
            Observed::Killed(NodeId::Server(number)) => self.owed.retain(|debt, _| debt.server != *number),
            _ => {}
        }
        Ok(())
    }

    fn step(&mut self, universe: &Universe) -> Result<(), String> {
        while let Some((at, debt)) = self.due.pop_front_if(|(at, _)| *at < universe.now()) {
            if self.owed.get(&debt) == Some(&at) {
                let Debt { server, transaction, .. } = debt;
                return Err(format!("server {server} has not answered {transaction} for {SOON:?}"));
            }
        }
        Ok(())
    }

    fn end(&mut self, _universe: &Universe) -> Result<(), String> {
        match self.owed.keys().next() {
            Some(Debt { server, transaction, .. }) => {
                Err(format!("server {server} owes an answer to {transaction}"))
            }
            None => Ok(()),
        }
    }

    fn exercised(&self) -> u64 {
        self.exercised
    }
}

impl Answered {
    fn heard(&mut self, server: usize, datagram: &Datagram, universe: &Universe) {
        let (message, _) = innermost(&datagram.octets);
        let is_running = universe.nodes.servers[server].is_running();
        if !is_running || !self.sent.contains(message) || is_bent(datagram) {
            return;
        }
        let Some(said) = Said::read(message) else { return };
        let (true, Some(client)) = (is_owed(&said, server), said.client) else { return };
        let debt = Debt { server, transaction: said.transaction_id, client: client.to_vec() };
        if !self.owed.contains_key(&debt) {
            self.exercised += 1;
            let at = universe.now() + SOON;
            self.owed.insert(debt.clone(), at);
            self.due.push_back((at, debt));
        }
    }

    fn paid(&mut self, server: usize, datagram: &Datagram) {
        let answers = [MessageType::Advertise, MessageType::Reply];
        let Some(said) = Said::read_if(&datagram.octets, &answers) else { return };
        let Some(client) = said.client else { return };
        self.owed.remove(&Debt { server, transaction: said.transaction_id, client: client.to_vec() });
    }
}

/// Whether a client's message is in a Relay-forward that no relay of ours has made.
fn is_bent(datagram: &Datagram) -> bool {
    match datagram.sender {
        NodeId::Client(_) => innermost(&datagram.octets).1 > 0,
        NodeId::Relay(_) => innermost(&datagram.octets).1 != 1,
        _ => true,
    }
}

/// Whether the standard has this server answer (RFC 9915 §16, §18.3).
fn is_owed(said: &Said<'_>, server: usize) -> bool {
    let is_for_it = said.server == Some(addresses::server_id(server).octets());
    match said.message_type {
        MessageType::Solicit | MessageType::InformationRequest => true,
        MessageType::Request | MessageType::Renew | MessageType::Release | MessageType::Decline => is_for_it,
        MessageType::Rebind => !said.associations.is_empty(),
        // Without an address there is nothing to confirm.
        MessageType::Confirm => {
            let mut addresses = said.associations.iter().filter(|asked| asked.kind == IaKind::Address);
            addresses.any(|asked| !asked.leases.is_empty())
        }
        _ => false,
    }
}
