//! Looking at the table. Where there may be many, a look goes on behind the last one seen, so that
//! whoever lists them need not hold everybody else up, and meets what does not change exactly once.

use wire::{DuidRef, Prefix};

use super::Delegations;
use super::endings::Filter;
use super::groups::Counts;
use super::held::DelegationRef;
use crate::ports::PortId;

impl Delegations {
    /// What is delegated under a prefix.
    pub fn get(&self, prefix: Prefix) -> Option<DelegationRef<'_>> {
        self.table.get(prefix).map(|held| held.view(prefix))
    }

    /// All that are meant, behind the last one seen. Those of a client on several ports are in the
    /// order of the ports; all others in that of the prefixes.
    pub fn matching<'a>(
        &'a self,
        filter: &Filter,
        after: Option<DelegationRef<'_>>,
    ) -> Box<dyn Iterator<Item = DelegationRef<'a>> + 'a> {
        let last = after.map(|seen| seen.prefix);
        match filter {
            Filter::All => Box::new(self.all(last)),
            Filter::Prefix(prefix) => {
                Box::new(self.get(*prefix).filter(|held| Some(held.prefix) != last).into_iter())
            }
            Filter::Port(port) => Box::new(self.on_port(*port, last)),
            Filter::Client(client) => {
                Box::new(self.of_client(client.as_ref(), after.map(|seen| (seen.port, seen.prefix))))
            }
            Filter::ClientOnPort(client, port) => {
                let its = self.table.of_holder_after(client.as_ref(), *port, last);
                Box::new(its.map(|(prefix, held)| held.view(prefix)))
            }
        }
    }

    /// All, in the order of the prefixes, behind the last one seen.
    pub fn all(&self, after: Option<Prefix>) -> impl Iterator<Item = DelegationRef<'_>> {
        self.table.all_after(after).map(|(prefix, held)| held.view(prefix))
    }

    /// Those on a port, in the order of the prefixes, behind the last one seen. All are looked through for
    /// them.
    pub fn on_port(&self, port: PortId, after: Option<Prefix>) -> impl Iterator<Item = DelegationRef<'_>> {
        self.on_ports(move |other| other == port, after)
    }

    /// Those on ports that are meant, likewise.
    pub fn on_ports(
        &self,
        is_meant: impl Fn(PortId) -> bool,
        after: Option<Prefix>,
    ) -> impl Iterator<Item = DelegationRef<'_>> {
        let all = self.table.all_after(after).filter(move |(_, held)| is_meant(held.holder.port));
        all.map(|(prefix, held)| held.view(prefix))
    }

    /// Those of a client on all ports, in the order of the ports and then of the prefixes, behind the
    /// last one seen.
    pub fn of_client(
        &self,
        client: DuidRef<'_>,
        after: Option<(PortId, Prefix)>,
    ) -> impl Iterator<Item = DelegationRef<'_>> + use<'_> {
        self.table.of_client_after(client, after).map(|(prefix, held)| held.view(prefix))
    }

    /// How many there are.
    pub fn counts(&self) -> Counts {
        self.table.counts()
    }

    /// How many there are on a port.
    pub fn counts_on_port(&self, port: PortId) -> Counts {
        self.table.on_port(port)
    }

    /// Every port on which there are some, and how many.
    pub fn counts_by_port(&self) -> impl Iterator<Item = (PortId, Counts)> {
        self.table.ports()
    }

    /// How many clients hold them; one on two ports counts twice.
    pub fn clients(&self) -> usize {
        self.table.holders()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.counts().total() == 0
    }
}
