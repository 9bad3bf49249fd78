//! A filter, made ready for the table of delegations: where to look, and what is meant of what is found
//! there.

use relay::{Agent, DelegationRef, PortId, Ports, ServerId, Teller};
use wire::{DuidRef, Prefix};

use super::{Profile, route_state};
use crate::control::DelegationFilter;
use crate::relays;

/// Which delegations are meant, on this relay.
#[derive(Debug)]
pub(super) struct Selection {
    filter: DelegationFilter,
    port: Option<PortId>,
    server: Option<ServerId>,
}

/// The last delegation that was looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    port: PortId,
    prefix: Prefix,
}

impl From<DelegationRef<'_>> for Place {
    fn from(held: DelegationRef<'_>) -> Self {
        Self { port: held.port, prefix: held.prefix }
    }
}

impl Selection {
    /// Refused with a reason if there is no such interface or server.
    pub(super) fn new(filter: DelegationFilter, profile: &Profile, ports: &Ports) -> Result<Self, String> {
        let port = filter.interface.as_deref().map(|name| port_called(name, ports)).transpose()?;
        let server = filter.server.as_deref().map(|name| server_called(name, profile)).transpose()?;
        Ok(Self { filter, port, server })
    }

    /// Looks at delegations, behind a place, where all that is meant can be found.
    pub(super) fn look<'a>(
        &self,
        agent: &'a Agent,
        after: Option<Place>,
    ) -> Box<dyn Iterator<Item = DelegationRef<'a>> + 'a> {
        let held = agent.delegations();
        let last = after.map(|place| place.prefix);
        match (&self.filter.client, self.port) {
            (Some(client), _) => {
                let place = after.map(|place| (place.port, place.prefix));
                Box::new(held.of_client(client.as_ref(), place))
            }
            (None, Some(port)) => Box::new(held.on_port(port, last)),
            (None, None) => Box::new(held.all(last)),
        }
    }

    /// Whether a delegation is meant.
    pub(super) fn means(&self, held: &DelegationRef<'_>, agent: &Agent) -> bool {
        let told_by = |server: ServerId| held.told_by == Teller::Server(server);
        means_lease(&self.filter, held.prefix, held.client)
            && self.port.is_none_or(|port| held.port == port)
            && self.server.is_none_or(told_by)
            && self.means_route(held, agent)
    }

    fn means_route(&self, held: &DelegationRef<'_>, agent: &Agent) -> bool {
        let states = &self.filter.states;
        states.is_empty() || states.contains(&route_state::of_delegation(agent, held).0)
    }
}

/// Whether what is said of the lease and of the client holds.
pub(super) fn means_lease(filter: &DelegationFilter, leased: Prefix, holder: DuidRef<'_>) -> bool {
    let DelegationFilter { prefix, address, client, interface: _, server: _, states: _ } = filter;
    prefix.is_none_or(|prefix| prefix.overlaps(leased))
        && address.is_none_or(|address| leased.contains(address))
        && client.as_ref().is_none_or(|client| client.as_ref() == holder)
}

/// A port by its name now, else by its Interface-ID as text or in hexadecimal.
fn port_called(name: &str, ports: &Ports) -> Result<PortId, String> {
    let by_name = ports.all_present().find(|(_, port)| port.name == name).map(|(id, _)| id);
    let by_text = || ports.with_interface_id(name.as_bytes());
    let by_hex = || ports.with_interface_id(&relays::octets_of_hex(name)?);
    let found = by_name.or_else(by_text).or_else(by_hex);
    found.ok_or_else(|| format!("no interface towards clients is called {name:?}, or ever was"))
}

/// A server by its name, or by its address if it has none.
pub(super) fn server_called(name: &str, profile: &Profile) -> Result<ServerId, String> {
    profile.server_called(name).ok_or_else(|| format!("no server is called {name:?}"))
}
