//! Telling clients by Reconfigure: what is due leaves as answers do, when all that is in the table is
//! durable, because the values that protect it from being replayed have to be.

use std::net::{Ipv6Addr, SocketAddrV6};
use std::sync::Arc;
use std::time::Duration;

use lease::ClientKey;
use server::exchange::{Destination, Reconfiguring, Step};
use tracing::{debug, info, warn};
use wire::MessageType;

use super::intake::Ports;
use super::release::Held;
use super::service::Service;
use crate::control::Outcome;
use crate::net::{Outgoing, ServerSocket};

/// How long it is until somebody looks again, if nothing is due: a client waits for its first message
/// for no longer than this.
const INTERVAL: Duration = Duration::from_secs(1);
/// Clients that are told under one lock of the table, so that answers do not wait for all of them.
const TOLD_AT_ONCE: usize = 256;

/// Tells the clients that are due; says for how long there will be nothing to do.
pub(super) fn tell(service: &Service, socket: &Arc<ServerSocket>, ports: Ports) -> Duration {
    let now = service.now();
    let (next, _) = service.change(|exchanges, holdings| {
        let steps = exchanges.reconfigure_due(holdings, now, TOLD_AT_ONCE);
        let outgoing = steps.into_iter().filter_map(|step| take(service, step, ports));
        let held: Vec<Held> = outgoing.map(|outgoing| Held::Answer(Arc::clone(socket), outgoing)).collect();
        held.iter().for_each(|_| service.counters.sent(MessageType::Reconfigure));
        (exchanges.next_reconfigure(), held)
    });
    next.map_or(INTERVAL, |at| service.clock().until(at).min(INTERVAL))
}

/// A client has sent what it was told to.
pub(super) fn heeded(service: &Service, key: ClientKey) {
    info!(client = %key.duid, link = %key.link, "heeds reconfigure");
    service.tell_outcome(key, Outcome::Heeded);
}

/// Notes what has become of a client, and gives what is to be sent to it.
fn take(service: &Service, due: Reconfiguring, ports: Ports) -> Option<Outgoing> {
    let Reconfiguring { key, announced, step } = due;
    let (client, link, announced) = (&key.duid, key.link, announced.message_type());
    match step {
        Step::Send { to, octets, attempt } => {
            let to = match to {
                Destination::Client(address) => SocketAddrV6::new(address, ports.client, 0, 0),
                Destination::Relay(address) => SocketAddrV6::new(address, ports.relay, 0, 0),
            };
            match attempt {
                1 => info!(%client, %link, %announced, %to, "reconfigure"),
                _ => debug!(%client, %link, %announced, %to, attempt, "reconfigure"),
            }
            return Some(Outgoing { octets, to, source: Ipv6Addr::UNSPECIFIED, interface_index: 0 });
        }
        Step::GivenUp => {
            warn!(%client, %link, %announced, "does not heed reconfigure, given up");
            service.tell_outcome(key, Outcome::Silent);
        }
        Step::Ended(why) => {
            info!(%client, %link, %announced, %why, "reconfigure ends");
            service.tell_outcome(key, Outcome::of(why).unwrap_or(Outcome::Gone));
        }
    }
    None
}
