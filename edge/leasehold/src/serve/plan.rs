//! What a server is started with.

use std::collections::BTreeMap;
use std::net::SocketAddrV6;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::anyhow;
use lease::Links;
use server::Holdings;
use server::assign::Assigner;
use server::exchange::{Exchanges, Rules, Terms};
use server::leasequery::{Access, Policy, RateLimit, Rule};
use store::{MemoryStore, Store};
use wire::Duid;

use super::{Ports, UdpAddress};
use crate::config::{AllowRule, Config};
use crate::net::Patterns;

/// Everything that a server needs.
pub struct Plan {
    /// What is decided about queries.
    pub policy: Policy,
    /// What is held.
    pub holdings: Holdings,
    /// What is decided about clients.
    pub exchanges: Exchanges,
    /// Where changes are made durable.
    pub store: Box<dyn Store>,
    /// How often one source may ask over UDP.
    pub rate: RateLimit,
    /// Where bulk leasequery listens; port 0 lets the system choose one.
    pub bulk: Vec<SocketAddrV6>,
    /// Where datagrams are taken in.
    pub udp: Vec<UdpAddress>,
    /// Interfaces whose multicast groups are joined.
    pub patterns: Patterns,
    /// Where answers go.
    pub ports: Ports,
    /// Where an operator's commands come in.
    pub control: Option<PathBuf>,
}

impl Plan {
    /// What a configuration says.
    pub fn new(
        config: &Config,
        server_id: Duid,
        holdings: Holdings,
        store: Box<dyn Store>,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            policy: policy(config, server_id.clone()),
            exchanges: exchanges(config, server_id, Secrets::new()?, &holdings),
            holdings,
            store,
            rate: RateLimit::new(config.leasequery.udp.rate_per_second, config.leasequery.udp.burst),
            bulk: config.leasequery.bulk.listen.clone(),
            udp: udp_addresses(config),
            patterns: patterns(config),
            ports: ports(config),
            control: Some(config.control_socket()),
        })
    }

    /// A server that answers leasequeries from what it holds, and nothing else.
    pub fn leasequery(policy: Policy, holdings: Holdings, bulk: Vec<SocketAddrV6>) -> Self {
        let terms = Terms { server_id: policy.server_id.clone(), rules: Rules::default() };
        let assigner = Assigner::new(&Links::default(), Vec::new(), Duration::ZERO, [0; 2], &holdings.table);
        Self {
            policy,
            exchanges: Exchanges::new(terms, assigner),
            holdings,
            store: Box::new(MemoryStore::default()),
            rate: RateLimit::new(1, 1),
            bulk,
            udp: Vec::new(),
            patterns: Patterns::new::<&str>([]),
            ports: Ports { client: wire::CLIENT_PORT, relay: wire::SERVER_PORT },
            control: None,
        }
    }
}

/// What is decided about queries, as the pure server wants it.
pub(super) fn policy(config: &Config, server_id: Duid) -> Policy {
    let leasequery = &config.leasequery;
    let rule = |rule: &AllowRule| Rule { from: rule.from, queries: rule.queries.clone() };
    Policy {
        server_id,
        access: Access::new(leasequery.allow.iter().map(rule).collect()),
        refuse_silently: leasequery.refuse_silently,
        sensitive_options: leasequery.sensitive_options.iter().copied().collect(),
        track_relays: leasequery.track_relays,
        relayed_hops: leasequery.udp.relayed_hops,
        bulk: leasequery.bulk.limits.clone(),
    }
}

/// What keeps others from guessing what clients are given.
pub(super) struct Secrets {
    /// Which addresses.
    leases: [u64; 2],
    /// Which Reconfigure keys.
    keys: [u8; 32],
}

impl Secrets {
    /// Random ones.
    pub(super) fn new() -> anyhow::Result<Self> {
        let none = |error| anyhow!("the system gives no random octets: {error}");
        let mut keys = [0; 32];
        getrandom::fill(&mut keys).map_err(none)?;
        let random = || getrandom::u64().map_err(none);
        Ok(Self { leases: [random()?, random()?], keys })
    }
}

/// What is decided about clients.
pub(super) fn exchanges(
    config: &Config,
    server_id: Duid,
    secrets: Secrets,
    holdings: &Holdings,
) -> Exchanges {
    let dhcp = &config.dhcp;
    let offer_for = Duration::from_secs(dhcp.offer_secs.into());
    let assigner =
        Assigner::new(&config.links(), dhcp.reservations.clone(), offer_for, secrets.leases, &holdings.table);
    let mut exchanges = Exchanges::new(Terms { server_id, rules: dhcp.rules.clone() }, assigner);
    exchanges.seed_keys(secrets.keys);
    exchanges
}

/// One socket for each address, whatever it is for.
pub(super) fn udp_addresses(config: &Config) -> Vec<UdpAddress> {
    let mut addresses: BTreeMap<SocketAddrV6, UdpAddress> = BTreeMap::new();
    let none = |at: SocketAddrV6| UdpAddress { at, dhcp: false, leasequery: false };
    for at in &config.dhcp.listen {
        addresses.entry(*at).or_insert_with(|| none(*at)).dhcp = true;
    }
    for at in &config.leasequery.udp.listen {
        addresses.entry(*at).or_insert_with(|| none(*at)).leasequery = true;
    }
    addresses.into_values().collect()
}

/// The interfaces of links, and those named besides.
pub(super) fn patterns(config: &Config) -> Patterns {
    let of_links = config.links.iter().flat_map(|link| &link.interfaces);
    Patterns::new(of_links.chain(&config.dhcp.interfaces).map(|pattern| pattern.0.as_str()))
}

pub(super) fn ports(config: &Config) -> Ports {
    Ports { client: config.dhcp.client_port, relay: config.dhcp.relay_port }
}
