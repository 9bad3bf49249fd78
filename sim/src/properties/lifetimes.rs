//! T1 is not after T2, nothing is preferred longer than it is valid, and nothing is valid for longer than some
//! configuration has said; T1 and T2 are the same in all of a message (RFC 9915 §18.3, §21.4). And nobody uses
//! what its last word from a server does not cover.

use std::collections::BTreeMap;
use std::time::Duration;

use lease::Resource;
use wire::MessageType;
use world::Instant;

use super::Property;
use crate::faults::Fault;
use crate::nodes::NodeId;
use crate::reading::Said;
use crate::universe::{Datagram, Observed, Universe};

/// How late a client may look at its clock.
const SLACK: Duration = Duration::from_millis(10);

/// Looks at all that servers tell and at all that clients hold.
#[derive(Debug, Default)]
pub(super) struct Lifetimes {
    /// The longest lifetime that a server has ever had configured.
    longest: BTreeMap<usize, u32>,
    /// Until when each client may use what.
    told: BTreeMap<(usize, Resource), Instant>,
    exercised: u64,
}

impl Property for Lifetimes {
    fn name(&self) -> &'static str {
        "lifetimes"
    }

    fn observe(&mut self, observed: &Observed, universe: &Universe) -> Result<(), String> {
        match observed {
            Observed::Sent(datagram @ Datagram { sender: NodeId::Server(number), .. }) => {
                self.judge_answer(*number, datagram, universe)
            }
            Observed::Befell(Fault::ReloadServer, Some(NodeId::Server(number))) => {
                self.note_configured(*number, universe);
                Ok(())
            }
            Observed::Arriving(NodeId::Client(number), datagram) => {
                self.note(*number, datagram, universe);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn step(&mut self, universe: &Universe) -> Result<(), String> {
        if self.longest.is_empty() {
            (0..universe.nodes.servers.len()).for_each(|number| _ = self.note_configured(number, universe));
        }
        let now = universe.now();
        for (number, client) in universe.nodes.clients.iter().enumerate() {
            for held in client.held() {
                let until = self.told.get(&(number, held.resource));
                if until.is_none_or(|until| *until + SLACK < now) && client.clock.error_secs(now) == 0 {
                    return Err(format!("{} uses {} and may not any more", client.id(), held.resource));
                }
            }
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.exercised
    }
}

impl Lifetimes {
    /// The longest lifetime that a server was ever told to give.
    fn note_configured(&mut self, number: usize, universe: &Universe) -> u32 {
        let rules = &universe.nodes.servers[number].setup.terms.rules;
        let configured = rules.links.values().map(|terms| terms.valid_secs).max().unwrap_or(0);
        let longest = self.longest.entry(number).or_default();
        *longest = configured.max(*longest);
        *longest
    }

    fn judge_answer(
        &mut self,
        number: usize,
        datagram: &Datagram,
        universe: &Universe,
    ) -> Result<(), String> {
        let longest = self.note_configured(number, universe);
        let answers = [MessageType::Advertise, MessageType::Reply];
        let Some(said) = Said::read_if(&datagram.octets, &answers) else { return Ok(()) };
        let wrong = |what: &str| Err(format!("{} of {} has {what}", said.message_type, datagram.sender));
        let Some(first) = said.associations.first() else { return Ok(()) };
        let ends = said.leases().map(|lease| lease.valid_secs).max();
        for association in &said.associations {
            self.exercised += 1;
            if (association.t1_secs, association.t2_secs) != (first.t1_secs, first.t2_secs) {
                return wrong("several T1 or T2");
            }
            if association.t1_secs > association.t2_secs
                || ends.is_some_and(|ends| association.t2_secs > ends)
            {
                return wrong("T1, T2 and the end out of order");
            }
        }
        for lease in said.leases() {
            if lease.preferred_secs > lease.valid_secs {
                return wrong("something preferred longer than valid");
            }
            if lease.valid_secs > longest {
                return wrong("a lifetime that nobody has configured");
            }
        }
        Ok(())
    }

    /// The latest word counts, as soon as it is heard.
    fn note(&mut self, number: usize, datagram: &Datagram, universe: &Universe) {
        let Some(said) = Said::read_if(&datagram.octets, &[MessageType::Reply]) else { return };
        let client = &universe.nodes.clients[number];
        if said.client != Some(client.duid().octets()) {
            return;
        }
        for lease in said.leases() {
            let until = universe.now() + Duration::from_secs(lease.valid_secs.into());
            let known = self.told.entry((number, lease.resource)).or_default();
            *known = until.max(*known);
        }
    }
}
