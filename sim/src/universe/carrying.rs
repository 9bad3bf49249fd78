//! What becomes of what a node wants: datagrams, and all that can befall them on the way.

use std::time::Duration;

use super::{Datagram, Happening, Observed, Outbox, Universe};
use crate::faults::Fault;
use crate::nodes::NodeId;
use crate::plan::between;

/// How long a datagram is on its way, if nothing delays it.
const LATENCY_MICROS: (u64, u64) = (50, 3_000);
/// How long it is, if something does.
const DELAY_MILLIS: (u64, u64) = (100, 8_000);
/// Where a datagram is cut that is too large for somebody on the way: between the least that IPv6 carries
/// whole and Ethernet's, less headers.
const MTU_OCTETS: (u64, u64) = (1_232, 1_452);
/// Where one is cut that would have passed.
const SHORT_OCTETS: (u64, u64) = (1, 200);

impl Universe {
    /// Carries out all that a node wants.
    pub(super) fn carry_out(&mut self, node: NodeId, out: Outbox) {
        let Outbox { sent, dialled, observed, next_stream, relocated, has_failed, faults } = out;
        (self.next_stream, self.faults) = (next_stream, faults);
        if let Some((interface, segment)) = relocated {
            self.network.change(node, interface, |its, _| *its = segment);
            self.observe(Observed::Moved(node, segment));
        }
        observed.into_iter().for_each(|observed| self.observe(observed));
        for (source, outgoing) in sent {
            if let Some(datagram) = self.network.datagram(node, outgoing) {
                let datagram = Datagram { source: source.unwrap_or(datagram.source), ..datagram };
                self.observe(Observed::Sent(datagram.clone()));
                self.carry(datagram);
            }
        }
        for dial in dialled {
            self.dial(node, dial);
        }
        if has_failed {
            crate::faults::process::failed(self, node);
        }
    }

    /// Brings a datagram to whoever would receive it, unless something befalls it.
    fn carry(&mut self, datagram: Datagram) {
        for (node, interface) in self.network.receivers(&datagram) {
            if self.are_parted(datagram.sender, node)
                || self.is_condemned(datagram.sender, node)
                || self.faults.strikes(Fault::Loss)
            {
                continue;
            }
            let times = if self.faults.strikes(Fault::Double) { 2 } else { 1 };
            for _ in 0..times {
                let datagram = self.cut(datagram.clone());
                let at = self.now + self.delay();
                self.queue.push(at, Happening::Arrive { node, interface, datagram });
            }
        }
    }

    fn cut(&mut self, datagram: Datagram) -> Datagram {
        if !self.faults.strikes(Fault::Mtu) {
            return datagram;
        }
        let len = datagram.octets.len() as u64;
        let chance = self.faults.chance(Fault::Mtu);
        let mtu = between(chance, MTU_OCTETS.0, MTU_OCTETS.1);
        let keep = if len > mtu { mtu } else { between(chance, SHORT_OCTETS.0, SHORT_OCTETS.1).min(len) };
        Datagram { octets: datagram.octets[..keep as usize].into(), ..datagram }
    }

    fn delay(&mut self) -> Duration {
        let usual = Duration::from_micros(between(&mut self.chance, LATENCY_MICROS.0, LATENCY_MICROS.1));
        if !self.faults.strikes(Fault::Delay) {
            return usual;
        }
        let chance = self.faults.chance(Fault::Delay);
        usual + Duration::from_millis(between(chance, DELAY_MILLIS.0, DELAY_MILLIS.1))
    }

    /// A datagram has come, if the interface that it came to is still there, and still on that segment.
    pub(super) fn arrive(&mut self, node: NodeId, interface: u32, datagram: Datagram) {
        if !self.network.is_up(node, interface, datagram.segment) {
            return;
        }
        self.observe(Observed::Arriving(node, datagram.clone()));
        self.with(node, |nodes, now, out| nodes.get_mut(node).receive(interface, &datagram, now, out));
    }
}
