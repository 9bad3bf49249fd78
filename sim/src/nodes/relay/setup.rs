//! What the operator has decided for a relay, and what its ports are.

use std::time::Duration;

use relay::recovery::{self, Territory};
use relay::{Facts, Port, PortRules, RemoteId, RouteRules, Template, Terms};
use requestor::Backoff;
use requestor::limits::{BACKOFF_CEILING, BACKOFF_FIRST};

use super::kernel::{Interface, Kernel, Side};
use crate::plan::{LinkNumber, RelayPlan, addresses};

/// Whose numbering Remote-IDs follow: the one for examples.
const ENTERPRISE: u32 = 32_473;

/// The configuration of a relay.
#[derive(Debug, Clone)]
pub struct Setup {
    /// What the agent goes by; it asks the servers below, in their order.
    pub agent: relay::Setup,
    /// The servers that it knows, by their numbers.
    pub servers: Vec<usize>,
    /// The links whose interfaces are ports, and what those are but for their numbers.
    pub ports: Vec<(LinkNumber, Port)>,
    /// How long it waits for a connection.
    pub connect_timeout: Duration,
    /// Changes of routes that it has the kernel make at once.
    pub batch: usize,
}

impl Setup {
    /// What a plan says; all servers are known.
    pub fn new(number: usize, plan: &RelayPlan, servers: usize) -> Self {
        let links = plan.links.iter();
        let mut setup = Self {
            agent: for_agent(number, plan, servers),
            servers: Vec::new(),
            ports: links.map(|link| (*link, port(number, plan, *link))).collect(),
            connect_timeout: plan.connect_timeout,
            batch: plan.batch,
        };
        setup.know((0..servers).collect());
        setup
    }

    /// Has it know these servers and no others.
    pub fn know(&mut self, servers: Vec<usize>) {
        self.agent.recovery.servers = vec![true; servers.len()];
        if !self.agent.terms.accepted_servers.is_empty() {
            self.agent.terms.accepted_servers =
                servers.iter().map(|server| addresses::server(*server)).collect();
        }
        self.servers = servers;
    }

    /// The interfaces that are ports, as they are now.
    pub(super) fn ports_of(&self, kernel: &Kernel) -> Vec<Port> {
        kernel.interfaces().filter_map(|interface| self.port(interface)).collect()
    }

    fn port(&self, interface: &Interface) -> Option<Port> {
        let mut ports = self.ports.iter();
        let (_, port) = ports.find(|(link, _)| interface.side == Side::Clients(*link))?;
        Some(Port { index: interface.index, ..port.clone() })
    }
}

fn for_agent(number: usize, plan: &RelayPlan, servers: usize) -> relay::Setup {
    let relay_id = addresses::relay_id(number);
    let aggregates = if plan.closes_aggregates { vec![addresses::all_delegated()] } else { Vec::new() };
    let all_servers = (0..servers).map(addresses::server);
    let territory =
        Territory { prefixes: vec![addresses::all_delegated()], addresses: plan.host_routes.then(Vec::new) };
    relay::Setup {
        terms: Terms {
            relay_id: plan.bears_relay_id.then(|| relay_id.clone()),
            accepted_servers: if plan.knows_servers { all_servers.collect() } else { Vec::new() },
            ..Terms::default()
        },
        recovery: recovery::Terms {
            methods: plan.methods.clone(),
            territory,
            refresh_every: plan.refresh_every,
            backoff: Backoff::between(BACKOFF_FIRST, BACKOFF_CEILING),
            data_timeout: plan.data_timeout,
            ..recovery::Terms::new(relay_id, vec![true; servers])
        },
        routes: Some(RouteRules {
            aggregates,
            closes_aggregates: plan.closes_aggregates,
            look_every: plan.look_every,
        }),
        host_routes: plan.host_routes,
        unique_clients: plan.unique_clients,
        remembers: plan.remembers,
    }
}

fn port(number: usize, plan: &RelayPlan, link: LinkNumber) -> Port {
    let (name, hostname) = (format!("eth0.{link}"), format!("relay{number}"));
    let relay_id = addresses::relay_id(number);
    let expand = |template: &str| {
        let template: Template = template.parse().expect("a template");
        let facts = Facts {
            interface: &name,
            vlan: None,
            link_layer: None,
            hostname: &hostname,
            relay_id: Some(relay_id.as_ref()),
        };
        template.expand(&facts).expect("all that it names is there")
    };
    let link_address = addresses::on_link(link, number);
    let remote_id =
        plan.bears_remote_id.then(|| RemoteId { enterprise: ENTERPRISE, value: expand("{hostname} {vlan}") });
    Port {
        index: super::first_index(link),
        interface_id: expand(plan.interface_id),
        link_address,
        addresses: vec![link_address],
        remote_id,
        subscriber_id: None,
        rules: PortRules {
            max_delegations_per_client: plan.max_delegations_per_client,
            max_delegations: plan.max_delegations,
            ..PortRules::default()
        },
        name,
    }
}
