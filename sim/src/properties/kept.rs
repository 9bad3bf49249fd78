//! An active lease's route is never removed by the relay: of a lease whose Reply went through it, or that it has
//! recovered, while it is active at a server and its client has not given it back.
//!
//! A relay knows of a lease's end what it has been told. A renewal that went another way, or whose Reply was lost, it
//! has not been told of; so a lease counts from the last Reply that it passed on, or from what it has
//! recovered, and a little less because its clock may go too fast. What was active, then for a moment not, and
//! is active again may have been told of in that moment; and of a client that a server has heard another way
//! last, directly or through another relay, it tells this one nothing: from then on the lease is not asked
//! about until a Reply passes here again, and the server remembers that. When a clock steps nobody can say what
//! was told when. What an operator clears, and what another configuration forbids, is not asked about until it is
//! told of anew. The same where a relay has as many delegations as it may, or lets a DUID be on one port only, and
//! where a network that the host is connected to lies in the prefix, or did a short while ago: such a route must
//! not be. Nor is it asked about routes to vandals, who have servers remember any path.

use std::collections::BTreeMap;
use std::time::Duration;

use lease::{ClientView, LeaseState};
use relay::{Change, Target};
use requestor::Lifetime;
use wire::{ClientMessage, MessageType, Prefix};
use world::Instant;

use super::Property;
use super::places::{Way, any_active, in_secs, is_full, link_of, through, whole};
use crate::faults::Fault;
use crate::nodes::NodeId;
use crate::nodes::relay::Side;
use crate::reading::{innermost, named};
use crate::universe::{Datagram, Observed, Universe};

/// How long it may take until a relay has heard that a network is connected no more.
const UNHEARD: Duration = Duration::from_secs(20);

/// What is in the link-local addresses of vandals.
const OF_VANDALS: u16 = 0xd;

/// How long a change may be under way that was right when it was handed over: one Reply takes a lease back, as of a
/// server that gives another instead, and the next one, of another server, grants it.
const UNDER_WAY: Duration = Duration::from_millis(100);

/// What each relay has been told.
#[derive(Debug, Default)]
pub(super) struct Kept {
    known: BTreeMap<(usize, Prefix), Known>,
    /// When networks were connected last, wherever.
    connected: BTreeMap<Prefix, Instant>,
    exercised: u64,
}

#[derive(Debug)]
struct Known {
    client: Vec<u8>,
    way: Way,
    /// Since when it has known of it, without an end in between.
    since: Instant,
    /// Until when it is sure to know of it.
    until: Instant,
}

impl Property for Kept {
    fn name(&self) -> &'static str {
        "kept"
    }

    fn observe(&mut self, observed: &Observed, universe: &Universe) -> Result<(), String> {
        match observed {
            Observed::Sent(datagram) => self.deliver(datagram, universe),
            Observed::Arriving(NodeId::Relay(number), datagram) => self.hear(*number, &datagram.octets),
            Observed::Befell(Fault::Operator | Fault::ReloadRelay, Some(NodeId::Relay(number)))
            | Observed::Killed(NodeId::Relay(number)) => self.known.retain(|(relay, _), _| relay != number),
            Observed::Befell(Fault::ClockSteps | Fault::ClockDrifts, _) => self.known.clear(),
            Observed::Changed(_, images) => {
                let images = images.iter().filter_map(|image| image.image.as_deref());
                images
                    .filter_map(|image| ClientView::decode(image).ok())
                    .for_each(|client| self.follow(&client, universe));
            }
            Observed::Recovered(NodeId::Relay(number)) => self.recall(*number, universe),
            Observed::StrangerCame(_, place) | Observed::StrangerLeft(_, place) => {
                self.connected.insert(place.destination, universe.now());
            }
            Observed::RouteChanged(NodeId::Relay(number), Change::Delete(route)) => {
                let Target::Via { next_hop, interface_index } = route.target else { return Ok(()) };
                let Some(link) = link_of(&universe.nodes.relays[*number], interface_index) else {
                    return Ok(());
                };
                return self.judge(*number, route.destination, Way { next_hop, link }, universe);
            }
            _ => {}
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.exercised
    }
}

impl Kept {
    /// A Reply leaves a relay towards its client.
    fn deliver(&mut self, datagram: &Datagram, universe: &Universe) {
        let NodeId::Relay(number) = datagram.sender else { return };
        let way = Way { next_hop: datagram.destination, link: datagram.segment.0 };
        for granted in named(&datagram.octets, &[MessageType::Reply]) {
            let (prefix, client, valid_secs) = (whole(granted.resource), granted.client, granted.valid_secs);
            let before = self.known.remove(&(number, prefix)).filter(|known| known.until > universe.now());
            let since = before.map_or(universe.now(), |known| known.since);
            // Clocks go wrong by a fiftieth at most.
            let until = in_secs(universe.now(), valid_secs.saturating_sub(1 + valid_secs / 25));
            self.known.insert((number, prefix), Known { client, way, since, until });
        }
    }

    /// A client gives something back.
    fn hear(&mut self, number: usize, octets: &[u8]) {
        // Of an association all goes, whatever is named of it.
        if let Some(client) = gives_back(octets) {
            self.known.retain(|(at, _), known| *at != number || known.client != client);
        }
    }

    /// What is active no longer is another lease when it is again; and who was heard another way last is none of
    /// those that a server tells this relay of.
    fn follow(&mut self, client: &ClientView<'_>, universe: &Universe) {
        for held in client.leases() {
            let (prefix, is_active) = (whole(held.lease.resource), held.lease.state == LeaseState::Active);
            self.known.retain(|(number, at), known| {
                let is_its = *at == prefix && known.client == client.duid.octets();
                let relay = &universe.nodes.relays[*number];
                let way = client.path().and_then(|path| through(*number, relay, path));
                !is_its || is_active && way == Some(known.way)
            });
        }
    }

    /// What a relay says that it has been told.
    fn recall(&mut self, number: usize, universe: &Universe) {
        let relay = &universe.nodes.relays[number];
        let Some(agent) = relay.agent() else { return };
        for held in agent.delegations().all(None) {
            let port = agent.ports().present(held.port);
            let link = port.and_then(|port| link_of(relay, port.index));
            let (Some(link), Lifetime::Until(until)) = (link, held.valid) else { continue };
            let own = relay.clock.now(universe.now()).instant;
            let left_secs = u32::try_from(until.since(own).as_secs()).unwrap_or(u32::MAX);
            let until = in_secs(universe.now(), left_secs.saturating_sub(1 + left_secs / 25));
            let way = Way { next_hop: held.next_hop, link };
            let client = held.client.octets().to_vec();
            self.known.entry((number, held.prefix)).or_insert(Known {
                client,
                way,
                since: universe.now(),
                until,
            });
        }
    }

    fn judge(&mut self, number: usize, prefix: Prefix, way: Way, universe: &Universe) -> Result<(), String> {
        let now = universe.now();
        let Some(known) = self.known.get(&(number, prefix)) else { return Ok(()) };
        self.exercised += 1;
        let mut connected = self.connected.iter();
        let was_connected = connected.any(|(inside, at)| prefix.covers(*inside) && *at + UNHEARD >= now);
        let relay = &universe.nodes.relays[number];
        let is_port =
            relay.kernel.interface(Side::Clients(way.link)).is_some_and(|interface| interface.is_there);
        let held: Vec<_> = relay.agent().iter().flat_map(|agent| agent.delegations().all(None)).collect();
        let is_limited = is_full(relay, way, held.iter()) || relay.setup.agent.unique_clients;
        let is_vandal = way.next_hop.segments()[5] == OF_VANDALS;
        let is_forgiven =
            is_limited || is_vandal || was_connected || relay.kernel.covers_connected(prefix) || !is_port;
        let is_wanted = prefix.length() < 128 || universe.nodes.relays[number].setup.agent.host_routes;
        let is_new = known.since + UNDER_WAY > now;
        if known.way != way || known.until <= now || is_new || !is_wanted || is_forgiven {
            return Ok(());
        }
        if any_active(universe, prefix, |active| {
            let way = active.path.and_then(|path| through(number, relay, path));
            active.client == known.client && way == Some(known.way)
        }) {
            return Err(format!("relay {number} has removed its route to {prefix} by {way:?}: {known:?}"));
        }
        Ok(())
    }
}

/// The client that gives something back or declines it.
fn gives_back(octets: &[u8]) -> Option<Vec<u8>> {
    let message = ClientMessage::decode(innermost(octets).0).ok()?;
    let gives = matches!(message.message_type, MessageType::Release | MessageType::Decline);
    let client = message.options.client_id().ok()??;
    gives.then(|| client.octets().to_vec())
}
