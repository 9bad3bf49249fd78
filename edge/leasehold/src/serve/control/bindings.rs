//! `show bindings`: clients, portion by portion.

use lease::{ClientView, Cursor, HeldLease, LeaseState, Links, Resource, Seq};
use wire::{INFINITE, RelayChain, RelayMessage};

use super::super::service::Service;
use super::durable;
use super::selection::Selection;
use crate::control::door::{Reply, Stop};
use crate::control::{Client, Filter, Lease, Leased};
use crate::relays::{self, Hop, RemoteId};

/// Clients looked at for one portion, whether they are meant or not: a millisecond's worth.
pub(super) const LOOKED_AT_ONCE: usize = 2_048;

/// Shows the clients that hold or held what is meant.
pub(super) async fn show(service: &Service, filter: Filter, reply: &mut Reply) -> Result<(), Stop> {
    let selection = Selection::new(filter, &service.holdings().links).map_err(Stop::Refused)?;
    let mut place = Some(Cursor::START);
    while let Some(from) = place {
        let (next, told) = portion(service, &selection, from, reply);
        reply.send_when(durable(service, told)).await?;
        place = next;
    }
    Ok(())
}

/// Adds a portion; gives the place to go on from, and the latest change that it can speak of.
fn portion(
    service: &Service,
    selection: &Selection,
    from: Cursor,
    reply: &mut Reply,
) -> (Option<Cursor>, Seq) {
    let holdings = service.holdings();
    let now_unix_secs = service.now().unix_secs;
    let told = holdings.table.last_seq();
    for (looked_at, (behind, client)) in selection.look(&holdings.table, from).enumerate() {
        if let Some(client) = client {
            let leases = selection.leases(&client);
            if !leases.is_empty() {
                reply.item(&item(&client, &leases, &holdings.links, now_unix_secs));
            }
        }
        if reply.is_full() || looked_at + 1 == LOOKED_AT_ONCE {
            return (Some(behind), told);
        }
    }
    (None, told)
}

/// A client with some of its leases, as it is shown.
pub(super) fn item(
    client: &ClientView<'_>,
    leases: &[HeldLease],
    links: &Links,
    now_unix_secs: u64,
) -> Client {
    let path = client.path().and_then(|octets| RelayChain::decode_path(octets).ok());
    let heard = Some(client.heard_unix_secs).filter(|heard| *heard > 0);
    Client {
        duid: client.duid.to_string(),
        link: client.link.0,
        link_name: links.by_id(client.link).map(|link| link.name.clone()),
        last_transaction_secs: heard.map(|heard| now_unix_secs.saturating_sub(heard)),
        link_address: path.as_ref().map(|path| path.innermost().link_address),
        relay_path: path.iter().flat_map(|path| path.hops()).map(hop).collect(),
        leases: leases.iter().map(|held| lease(held, now_unix_secs)).collect(),
    }
}

fn hop(relay: &RelayMessage<'_>) -> Hop {
    let interface_id = relay.interface_id();
    Hop {
        link_address: relay.link_address,
        peer_address: relay.peer_address,
        interface_id: interface_id.map(relays::hex),
        interface_text: interface_id.and_then(relays::printable),
        remote_id: relay.remote_id().and_then(RemoteId::new).map(|id| id.to_string()),
        relay_id: relay.relay_id().map(|id| id.to_string()),
    }
}

fn lease(held: &HeldLease, now_unix_secs: u64) -> Lease {
    let lease = &held.lease;
    let kept_secs = |until: u64| u32::try_from(until.saturating_sub(now_unix_secs)).unwrap_or(INFINITE);
    let is_active = lease.state == LeaseState::Active;
    Lease {
        leased: match lease.resource {
            Resource::Address(address) => Leased::Address { address: address.to_string() },
            Resource::Prefix(prefix) => Leased::Prefix { prefix: prefix.to_string() },
        },
        iaid: held.iaid.0,
        state: lease.state.into(),
        preferred_secs: lease.preferred_remaining_secs(now_unix_secs),
        valid_secs: lease.valid_remaining_secs(now_unix_secs),
        kept_secs: (!is_active).then(|| lease.until_unix_secs().map_or(INFINITE, kept_secs)),
    }
}
