//! What is kept, found by whom it is kept for and by what it is.

use std::collections::BTreeMap;

use lease::LinkId;
use wire::{Iaid, OptionCode, Prefix, RelayMessage};

use super::spans::{Spans, span_of};
use super::{Identity, Reservation, Subscriber};

/// Every reservation, by its place in the configuration.
#[derive(Debug, Default)]
pub(super) struct Reserved {
    all: Vec<Reservation>,
    by_subscriber: BTreeMap<(LinkId, Subscriber), Vec<usize>>,
    by_span: Spans<Vec<usize>>,
}

impl Reserved {
    pub(super) fn new(all: Vec<Reservation>) -> Self {
        let mut by_subscriber: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        let mut by_span: Spans<Vec<usize>> = Spans::default();
        for (place, reservation) in all.iter().enumerate() {
            let whose = (reservation.link, reservation.subscriber.clone());
            by_subscriber.entry(whose).or_default().push(place);
            for span in reservation.resources().map(span_of) {
                match by_span.get_mut(span) {
                    Some(places) => places.push(place),
                    None => _ = by_span.insert(span, vec![place]),
                }
            }
        }
        Self { all, by_subscriber, by_span }
    }

    /// Everything that is kept for somebody, as spans.
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(super) fn spans(&self) -> &Spans<Vec<usize>> {
        &self.by_span
    }

    /// What is kept for a client on a link, that for whom it is named most closely first.
    pub(super) fn of_client(&self, link: LinkId, identity: &Identity<'_>) -> Vec<&Reservation> {
        if self.all.is_empty() {
            return Vec::new();
        }
        let associations = self.of_associations(link, identity);
        let subscribers = names(identity).into_iter();
        let others = subscribers.filter_map(|name| self.by_subscriber.get(&(link, name))).flatten();
        let mut places: Vec<usize> = Vec::new();
        for place in associations.chain(others) {
            if !places.contains(place) {
                places.push(*place);
            }
        }
        places.into_iter().map(|place| &self.all[place]).collect()
    }

    fn of_associations(&self, link: LinkId, identity: &Identity<'_>) -> impl Iterator<Item = &usize> {
        let name = |iaid| (link, Subscriber::Association(identity.duid.clone(), Iaid(iaid)));
        self.by_subscriber.range(name(0)..=name(u32::MAX)).flat_map(|(_, places)| places)
    }

    /// Whether this is kept for somebody who is not this client on this link, or not this association
    /// of it.
    pub(super) fn is_for_others(
        &self,
        reserved: &[usize],
        link: LinkId,
        identity: &Identity<'_>,
        association: Option<Iaid>,
    ) -> bool {
        let names = names(identity);
        let is_own = |reservation: &Reservation| {
            reservation.link == link
                && match &reservation.subscriber {
                    Subscriber::Association(duid, iaid) => {
                        duid == identity.duid && association.is_none_or(|own| own == *iaid)
                    }
                    subscriber => names.contains(subscriber),
                }
        };
        reserved.iter().any(|place| !is_own(&self.all[*place]))
    }

    /// Whether just this is kept for somebody on a link.
    pub(super) fn is_kept_on(&self, link: LinkId, span: Prefix) -> bool {
        let places = self.by_span.get(span).into_iter().flatten();
        places.map(|place| &self.all[*place]).any(|reservation| reservation.link == link)
    }
}

/// What a client may be called in a reservation, the closest first; its identity associations are
/// not among it.
fn names(identity: &Identity<'_>) -> Vec<Subscriber> {
    let mut names = vec![Subscriber::Client(identity.duid.clone())];
    let Some(relays) = identity.relays else { return names };
    // From the relay at the client's door towards the server.
    for hop in relays.hops().iter().rev() {
        names.extend(port_names(hop));
    }
    names.extend(link_layer_name(relays.innermost()));
    names
}

fn port_names(hop: &RelayMessage<'_>) -> impl Iterator<Item = Subscriber> {
    let relay = hop.relay_id().map(|id| id.to_duid());
    let interface = relay.clone().zip(hop.interface_id());
    let remote_of_relay = relay.zip(hop.remote_id());
    let remote = hop.remote_id().map(|id| Subscriber::RemoteId(None, id.into()));
    let interface = interface.map(|(relay, id)| Subscriber::InterfaceId(relay, id.into()));
    let remote_of_relay = remote_of_relay.map(|(relay, id)| Subscriber::RemoteId(Some(relay), id.into()));
    interface.into_iter().chain(remote_of_relay).chain(remote)
}

/// Hardware type, then the address (RFC 6939 §4); only the relay nearest to the client can know it.
fn link_layer_name(hop: &RelayMessage<'_>) -> Option<Subscriber> {
    let data = hop.options.first(OptionCode::CLIENT_LINKLAYER_ADDR)?;
    let (hardware_type, address) = data.split_first_chunk::<2>()?;
    Some(Subscriber::LinkLayer(u16::from_be_bytes(*hardware_type), address.into()))
}
