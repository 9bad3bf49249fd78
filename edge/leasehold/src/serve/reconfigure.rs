//! Telling clients by Reconfigure: what is due leaves as answers do, when all that is in the table is
//! durable, because the values that protect it from being replayed have to be.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::net::{Ipv6Addr, SocketAddrV6};
use std::sync::Arc;
use std::time::Duration;

use lease::{ClientKey, LinkId, Links};
use server::exchange::{Destination, Reconfiguring, Step};
use tracing::{debug, info, warn};
use wire::MessageType;

use super::intake::{Ports, Served};
use super::release::Held;
use super::service::Service;
use crate::control::Outcome;
use crate::net::{self, Outgoing};

/// How long it is until somebody looks again, if nothing is due: a client waits for its first message
/// for no longer than this.
const INTERVAL: Duration = Duration::from_secs(1);
/// Clients that are told under one lock of the table, so that answers do not wait for all of them.
const TOLD_AT_ONCE: usize = 256;

/// Tells the clients that are due; says for how long there will be nothing to do.
pub(super) fn tell(service: &Service, served: &Served, ports: Ports) -> Duration {
    let now = service.now();
    let (next, _) = service.change(|exchanges, holdings| {
        let steps = exchanges.reconfigure_due(holdings, now, TOLD_AT_ONCE);
        let ways = Ways { served, links: &holdings.links, ports, addresses: OnceCell::new() };
        let outgoing = steps.into_iter().filter_map(|step| take(service, step, &ways));
        let held = outgoing.map(|outgoing| Held::Answer(Arc::clone(&served.socket), outgoing));
        let held: Vec<Held> = held.collect();
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
fn take(service: &Service, due: Reconfiguring, ways: &Ways<'_>) -> Option<Outgoing> {
    let Reconfiguring { key, announced, step } = due;
    let (client, link, announced) = (&key.duid, key.link, announced.message_type());
    match step {
        Step::Send { to, octets, attempt } => {
            let outgoing = ways.outgoing(to, link, octets);
            match attempt {
                1 => info!(%client, %link, %announced, to = %outgoing.to, "reconfigure"),
                _ => debug!(%client, %link, %announced, to = %outgoing.to, attempt, "reconfigure"),
            }
            return Some(outgoing);
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

/// How clients and relays are reached.
struct Ways<'a> {
    served: &'a Served,
    links: &'a Links,
    ports: Ports,
    /// The link-local address of each interface, once one is needed.
    addresses: OnceCell<BTreeMap<String, Ipv6Addr>>,
}

impl Ways<'_> {
    /// A client on a link that one interface of ours is on is told from that interface's link-local
    /// address, as it was answered: dhcpcd 9.4 takes nothing else. All others are where the kernel's
    /// routes say.
    fn outgoing(&self, to: Destination, link: LinkId, octets: Vec<u8>) -> Outgoing {
        let anywhere = (0, Ipv6Addr::UNSPECIFIED);
        let (to, port, (interface_index, source)) = match to {
            Destination::Client(address) => {
                (address, self.ports.client, self.interface_on(link).unwrap_or(anywhere))
            }
            Destination::Relay(address) => (address, self.ports.relay, anywhere),
        };
        Outgoing { octets, to: SocketAddrV6::new(to, port, 0, 0), source, interface_index }
    }

    /// The only served interface that is on the link: its index and its link-local address.
    fn interface_on(&self, link: LinkId) -> Option<(u32, Ipv6Addr)> {
        let patterns = &self.links.by_id(link)?.interfaces;
        let is_on_link = |name: &str| patterns.iter().any(|pattern| pattern.matches(name));
        let mut on_link = self.served.membership.served().filter(|(_, name)| is_on_link(name));
        let (index, name) = on_link.next()?;
        let addresses = self.addresses.get_or_init(|| net::link_local_addresses().unwrap_or_default());
        let address = *addresses.get(name)?;
        on_link.next().is_none().then_some((index, address))
    }
}
