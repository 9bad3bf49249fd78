//! `show delegations`: what is delegated, portion by portion (RFC 8987 §4.4 O-1).

use relay::{Agent, DelegationRef, Moment, Teller};
use wire::{IaKind, Prefix};
use world::Instant;

use super::selection::{Place, Selection};
use super::{LOOKED_AT_ONCE, Profile, Relay, route_state};
use crate::control::door::{Reply, Stop};
use crate::control::{Delegation, DelegationFilter, Leased, ToldBy};
use crate::relays;

/// Shows the delegations that are meant.
pub(super) async fn show(
    relay: &impl Relay,
    filter: DelegationFilter,
    reply: &mut Reply,
) -> Result<(), Stop> {
    let profile = relay.profile();
    let selection = relay.with(|agent| Selection::new(filter, &profile, agent.ports()));
    let selection = selection.map_err(Stop::Refused)?;
    let mut after = None;
    loop {
        let now = relay.now();
        let next = relay.with(|agent| {
            for (looked_at, held) in selection.look(agent, after).enumerate() {
                if selection.means(&held, agent) {
                    reply.item(&item(&held, agent, &profile, now));
                }
                if reply.is_full() || looked_at + 1 == LOOKED_AT_ONCE {
                    return Some(Place::from(held));
                }
            }
            None
        });
        reply.send().await?;
        match next {
            Some(place) => after = Some(place),
            None => return Ok(()),
        }
    }
}

/// A delegation as it is shown.
pub(super) fn item(held: &DelegationRef<'_>, agent: &Agent, profile: &Profile, now: Instant) -> Delegation {
    let (route, route_why) = route_state::of_delegation(agent, held);
    let interface_id = agent.ports().interface_id(held.port);
    Delegation {
        leased: leased(held.kind, held.prefix),
        client: held.client.to_string(),
        iaid: held.iaid.map(|iaid| iaid.0),
        interface: agent.ports().present(held.port).map(|port| port.name.clone()),
        interface_id: relays::hex(interface_id),
        interface_text: relays::printable(interface_id),
        next_hop: held.next_hop,
        preferred_secs: held.preferred.left_secs(now),
        valid_secs: held.valid.left_secs(now),
        last_transaction_secs: (held.heard != Moment::UNKNOWN).then(|| held.heard.age(now).as_secs()),
        told_by: match held.told_by {
            Teller::Reply => ToldBy::Reply,
            Teller::Server(id) => ToldBy::Server(profile.server_name(id)),
            Teller::Memory => ToldBy::Memory,
        },
        route,
        route_why,
    }
}

/// A prefix, or the address that stands for itself as a prefix of 128 bits.
pub(super) fn leased(kind: IaKind, prefix: Prefix) -> Leased {
    match kind {
        IaKind::Prefix => Leased::Prefix { prefix: prefix.to_string() },
        IaKind::Address => Leased::Address { address: prefix.address().to_string() },
    }
}
