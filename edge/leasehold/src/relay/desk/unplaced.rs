//! `show delegations --unplaced`: what servers have told of and no port is known for. There is a limit to
//! how much of it is kept, so it is shown in one go.

use relay::recovery::Unplaced;

use super::delegations::leased;
use super::selection::{means_lease, server_called};
use super::{Profile, Relay};
use crate::control::door::{Reply, Stop};
use crate::control::{self, DelegationFilter};

/// Shows the leases that are meant.
pub(super) async fn show(
    relay: &impl Relay,
    filter: &DelegationFilter,
    reply: &mut Reply,
) -> Result<(), Stop> {
    if filter.interface.is_some() || !filter.states.is_empty() {
        return Err(Stop::Refused("what has no place here has neither interface nor route".to_owned()));
    }
    let profile = relay.profile();
    let server = filter.server.as_deref().map(|name| server_called(name, &profile)).transpose();
    let server = server.map_err(Stop::Refused)?;
    let means = |lease: &&Unplaced| {
        means_lease(filter, lease.prefix, lease.client.as_ref()) && server.is_none_or(|id| lease.server == id)
    };
    let found: Vec<Unplaced> =
        relay.with(|agent| agent.recovery().unplaced().filter(means).cloned().collect());
    for lease in found {
        reply.item(&item(&lease, &profile));
        if reply.is_full() {
            reply.send().await?;
        }
    }
    reply.send().await
}

fn item(lease: &Unplaced, profile: &Profile) -> control::Unplaced {
    control::Unplaced {
        leased: leased(lease.kind, lease.prefix),
        client: lease.client.to_string(),
        server: profile.server_name(lease.server),
        why: lease.why.to_string(),
    }
}
