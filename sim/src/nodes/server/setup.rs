//! What an operator has decided for a server.

use std::net::Ipv6Addr;
use std::time::Duration;

use lease::{AddressPool, DelegationPool, InterfacePattern, Link, LinkId};
use server::assign::Reservation;
use server::exchange::{Rules, Terms};
use server::leasequery::{Access, BulkLimits, Policy, Rule};
use wire::{OptionCode, Prefix};

use crate::plan::{LinkNumber, MayAsk, ServerPlan, Topology, addresses};

/// Bits of every prefix that is delegated.
const DELEGATED_LENGTH: u8 = 56;
/// Seconds that what a client had is remembered, and that what it declined rests: short, so that both end
/// within a run.
const REMEMBER_SECS: u32 = 120;
/// Seconds of an offer.
const OFFER: Duration = Duration::from_secs(30);

/// The configuration of a server.
#[derive(Debug, Clone)]
pub struct Setup {
    /// About clients.
    pub terms: Terms,
    /// About queries.
    pub policy: Policy,
    /// The links.
    pub links: Vec<Link>,
    /// What is kept for somebody.
    pub reservations: Vec<Reservation>,
    /// How long an offer stands.
    pub offer_for: Duration,
    /// Queries of one source over UDP, each second and at once.
    pub rate: (u32, u32),
    /// Its interface on each link that it is on itself: number and name.
    pub interfaces: Vec<(u32, String)>,
}

impl Setup {
    /// What a plan says.
    pub fn new(number: usize, plan: &ServerPlan, topology: &Topology) -> Self {
        let server_id = addresses::server_id(number);
        let links: Vec<Link> = (1..=topology.links).map(|link| of_link(number, link, plan)).collect();
        let on_links = links.iter().map(|link| (link.id, plan.terms.clone())).collect();
        let rules = Rules {
            grace_secs: plan.grace_secs,
            remember_secs: REMEMBER_SECS,
            decline_rest_secs: REMEMBER_SECS,
            links: on_links,
            ..Rules::default()
        };
        let bulk = BulkLimits {
            max_connections: plan.max_connections,
            max_connections_per_requestor: None,
            max_queries_per_connection: plan.max_queries_per_connection,
            max_queries_per_requestor: plan.max_queries_per_requestor,
            data_timeout: plan.data_timeout,
            idle_timeout: plan.data_timeout,
            close_after_reply: plan.close_after_reply,
        };
        let policy = Policy {
            server_id: server_id.clone(),
            access: access(topology),
            refuse_silently: plan.refuse_silently,
            sensitive_options: plan.names_are_secret.then_some(OptionCode::CLIENT_FQDN).into_iter().collect(),
            track_relays: plan.track_relays,
            relayed_hops: 0,
            bulk,
        };
        let interfaces =
            plan.direct_links.iter().map(|link| (u32::from(*link), interface_on(*link))).collect();
        Self {
            terms: Terms { server_id, rules },
            policy,
            links,
            reservations: Vec::new(),
            offer_for: OFFER,
            rate: (100, 100),
            interfaces,
        }
    }
}

/// Relays may ask everything, requestors what is said of each, nobody else anything.
fn access(topology: &Topology) -> Access {
    let one = |address| Prefix::new(address, 128).expect("128 bits");
    let relays = (0..topology.relays.len()).map(|number| (addresses::relay(number), &MayAsk::Everything));
    let requestors = topology.requestors.iter().enumerate();
    let requestors = requestors.map(|(number, plan)| (addresses::requestor(number), &plan.may_ask));
    let rules = relays.chain(requestors).filter_map(|(address, may_ask)| match may_ask {
        MayAsk::Everything => Some(Rule { from: one(address), queries: None }),
        MayAsk::Only(queries) => Some(Rule { from: one(address), queries: Some(queries.clone()) }),
        MayAsk::Nothing => None,
    });
    Access::new(rules.collect())
}

fn interface_on(link: LinkNumber) -> String {
    format!("eth{link}")
}

fn of_link(number: usize, link: LinkNumber, plan: &ServerPlan) -> Link {
    let first = addresses::first_assigned(link, number);
    let last = Ipv6Addr::from_bits(first.to_bits() + u128::from(plan.addresses - 1));
    Link {
        id: LinkId(link.into()),
        name: format!("link {link}"),
        prefixes: vec![addresses::link_prefix(link)],
        interfaces: vec![InterfacePattern(interface_on(link))],
        address_pools: vec![AddressPool { first, last }],
        delegation_pools: vec![DelegationPool {
            prefix: addresses::delegated(link, number, plan.pool_length),
            delegated_length: DELEGATED_LENGTH,
            excluded: None,
        }],
        ..Link::default()
    }
}
