//! What the operator has decided, as the parts of a relay want it.

use anyhow::{Context, bail};
use relay::recovery::{Method, Territory};
use relay::{RouteRules, ServerId};
use requestor::Backoff;
use requestor::limits::BACKOFF_FIRST;
use wire::Duid;
use wire::leasequery::QueryType;

use super::ports::Layout;
use super::recovery::Asked;
use crate::config::relay::{FilterFamily, LoopPolicy, Recovery, Relay, RouteTable};
use crate::kernel::{self, FilterSettings, Loops, RouteSettings};
use crate::net::Patterns;

/// The configuration of a relay, and its DUID.
#[derive(Debug, Clone)]
pub(super) struct Setup {
    /// The relay's DUID, whether or not it goes with what is forwarded.
    pub(super) relay_id: Duid,
    /// The configuration.
    pub(super) relay: Relay,
    /// Which interfaces are ports, and how.
    pub(super) layout: Layout,
}

impl Setup {
    /// On this host.
    pub(super) fn new(relay: Relay, relay_id: Duid) -> anyhow::Result<Self> {
        let layout = Layout::new(&relay, &relay_id).context("cannot tell the host's name")?;
        Ok(Self { relay_id, relay, layout })
    }

    /// The interfaces that clients are on, by pattern.
    pub(super) fn client_interfaces(&self) -> Patterns {
        let patterns = self.relay.interfaces.iter().flat_map(|interfaces| &interfaces.names);
        Patterns::new(patterns.map(|pattern| &pattern.0))
    }

    /// What the agent goes by.
    pub(super) fn for_agent(&self) -> relay::Setup {
        let routes = self.relay.routes.as_ref();
        relay::Setup {
            terms: self.relay.terms(&self.relay_id),
            recovery: self.recovery(),
            routes: routes.map(|routes| RouteRules {
                aggregates: routes.aggregates.clone(),
                closes_aggregates: routes.unreachable_aggregates,
                look_every: routes.reconcile,
            }),
            host_routes: routes.is_some_and(|routes| routes.host_routes),
            unique_clients: self.relay.unique_clients,
            remembers: self.relay.recovery.remembers,
        }
    }

    fn recovery(&self) -> relay::recovery::Terms {
        let Recovery { ask_by, refresh, data_timeout, retry_max, remembers: _ } = &self.relay.recovery;
        let servers = self.relay.servers.iter().map(|server| server.leasequery.is_some()).collect();
        let routes = self.relay.routes.as_ref();
        relay::recovery::Terms {
            methods: ask_by.iter().filter_map(|query| method(*query)).collect(),
            territory: Territory {
                prefixes: routes.map_or_else(Vec::new, |routes| routes.aggregates.clone()),
                addresses: routes.filter(|routes| routes.host_routes).map(|_| Vec::new()),
            },
            refresh_every: *refresh,
            backoff: Backoff::between(BACKOFF_FIRST.min(*retry_max), *retry_max),
            data_timeout: *data_timeout,
            ..relay::recovery::Terms::new(self.relay_id.clone(), servers)
        }
    }

    /// The servers that are asked.
    pub(super) fn asked(&self) -> Vec<Asked> {
        let servers = (0..).map(ServerId).zip(&self.relay.servers);
        let asked = servers.filter_map(|(id, server)| {
            let address = server.leasequery?;
            let interface = server.interface.clone().filter(|_| address.ip().is_unicast_link_local());
            Some(Asked { server: id, address, interface, from: server.from })
        });
        asked.collect()
    }

    /// Which set of nftables is kept; nothing if there is none.
    pub(super) fn filter_settings(&self) -> Option<FilterSettings> {
        let routes = self.relay.routes.as_ref()?;
        let loops = match routes.loops {
            LoopPolicy::Off => Loops::Pass,
            LoopPolicy::Drop => Loops::Drop,
            LoopPolicy::Reject => Loops::Reject,
        };
        let Some(filter) = &routes.filter else {
            let own =
                FilterSettings { family: "inet", table: "leasehold".into(), set: "delegated".into(), loops };
            return (loops != Loops::Pass).then_some(own);
        };
        let family = match filter.family {
            FilterFamily::Inet => "inet",
            FilterFamily::Ip6 => "ip6",
        };
        Some(FilterSettings { family, table: filter.table.clone(), set: filter.set.clone(), loops })
    }

    /// By what our routes are known; nothing if there are to be none.
    pub(super) fn route_settings(&self) -> anyhow::Result<Option<RouteSettings>> {
        let Some(routes) = &self.relay.routes else { return Ok(None) };
        let (table, is_vrf) = match &routes.table {
            RouteTable::Number(number) => (*number, false),
            RouteTable::Vrf(name) => (table_of_vrf(name)?, true),
        };
        Ok(Some(RouteSettings { protocol: routes.protocol, table, metric: routes.metric, is_vrf }))
    }
}

fn method(query: QueryType) -> Option<Method> {
    [
        (QueryType::BY_RELAY_ID, Method::RelayId),
        (QueryType::BY_LINK_ADDRESS, Method::LinkAddress),
        (QueryType::BY_REMOTE_ID, Method::RemoteId),
    ]
    .into_iter()
    .find_map(|(of, method)| (of == query).then_some(method))
}

fn table_of_vrf(name: &str) -> anyhow::Result<u32> {
    let facts = kernel::interfaces().context("cannot list the interfaces")?;
    let Some(device) = facts.into_iter().find(|facts| facts.name == name) else {
        bail!("relay.routes.vrf: there is no interface {name}; make the VRF before the relay is started");
    };
    device.vrf_table.with_context(|| format!("relay.routes.vrf: {name} is no VRF"))
}
