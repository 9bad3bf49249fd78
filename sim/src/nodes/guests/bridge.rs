//! A bridge with a lightweight relay in it, between segments of clients and the one that the network is on. What it
//! does not take out of the bridge is not here: nobody in a transcript says anything else.

use relay::{Arrival, Delivery, Lightweight, PacedPort, Terms};
use wire::SERVER_PORT;
use world::Instant;

use crate::nodes::Node;
use crate::universe::{Clock, Datagram, Outbox, Outgoing};

/// The interface that faces the network.
pub const FACING_NETWORK: u32 = 1;

/// A lightweight relay.
#[derive(Debug)]
pub struct Bridge {
    relay: Lightweight,
    clock: Clock,
}

impl Bridge {
    /// One with these ports.
    pub fn new(terms: Terms, ports: Vec<PacedPort>, now: Instant) -> Self {
        let mut relay = Lightweight::new(terms);
        relay.update(ports);
        Self { relay, clock: Clock::new(now) }
    }
}

impl Node for Bridge {
    fn receive(&mut self, interface: u32, datagram: &Datagram, now: Instant, out: &mut Outbox) {
        let now = self.clock.now(now).instant;
        let Datagram { source, source_port, destination, octets, .. } = datagram;
        let arrival = Arrival {
            source: *source,
            source_port: *source_port,
            destination: *destination,
            interface_index: interface,
            link_layer: None,
        };
        if interface != FACING_NETWORK {
            let mut forwarded = Vec::new();
            let is_ours = Lightweight::takes_from_clients(*destination);
            if is_ours && self.relay.forward(&arrival, octets, now, &mut forwarded).is_ok() {
                out.send_as(
                    *source,
                    Outgoing {
                        interface: FACING_NETWORK,
                        source_port: SERVER_PORT,
                        destination: *destination,
                        destination_port: SERVER_PORT,
                        octets: forwarded,
                    },
                );
            }
            return;
        }
        if let Ok(Delivery { interface_index, to, to_port, octets, .. }) =
            self.relay.deliver(&arrival, octets)
        {
            out.send_as(
                *source,
                Outgoing {
                    interface: interface_index,
                    source_port: SERVER_PORT,
                    destination: to,
                    destination_port: to_port,
                    octets: octets.to_vec(),
                },
            );
        }
    }

    fn wake(&mut self, _now: Instant, _out: &mut Outbox) {}

    fn deadline(&self) -> Option<Instant> {
        None
    }
}
