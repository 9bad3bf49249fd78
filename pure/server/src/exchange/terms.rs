//! What the operator has decided about exchanges with clients.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv6Addr;

use lease::LinkId;
use wire::{Duid, OptionCode};

use super::OfferedOptions;

/// Settings that stay while the server runs, or until it reads its configuration anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The server's own identifier; it is no matter of the configuration alone, and outlives it.
    pub server_id: Duid,
    /// What the configuration says.
    pub rules: Rules,
}

/// What the operator has decided, apart from who the server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Take messages that a client sent to one of our own addresses (RFC 9915 §16).
    pub accept_unicast: bool,
    /// Clients that get no answer.
    pub ignored_clients: BTreeSet<Duid>,
    /// What relays may supply for clients (RFC 6422 §6).
    pub relay_supplied: BTreeSet<OptionCode>,
    /// Seconds that a lease stays its client's after it has run out, for nobody else to be given.
    pub grace_secs: u32,
    /// Seconds that what a client had is remembered, to be given to it again if it is still free.
    pub remember_secs: u32,
    /// Seconds that a declined address rests.
    pub decline_rest_secs: u32,
    /// Leases that one client may hold on one link.
    pub max_leases_per_client: usize,
    /// Leases that all clients with one Remote-ID may hold; `None` is any number.
    pub max_leases_per_remote_id: Option<usize>,
    /// Options for everybody.
    pub options: OfferedOptions,
    /// What differs from link to link; every configured link is here.
    pub links: BTreeMap<LinkId, LinkTerms>,
}

impl Default for Rules {
    /// What is lost for a week comes back as it was; what is declined rests for a day.
    fn default() -> Self {
        Self {
            accept_unicast: false,
            ignored_clients: BTreeSet::new(),
            relay_supplied: BTreeSet::from([OptionCode::ERP_LOCAL_DOMAIN_NAME]),
            grace_secs: 0,
            remember_secs: 604_800,
            decline_rest_secs: 86_400,
            max_leases_per_client: 64,
            max_leases_per_remote_id: None,
            options: OfferedOptions::default(),
            links: BTreeMap::new(),
        }
    }
}

/// What is decided for one link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkTerms {
    /// Seconds, or [`wire::INFINITE`]; not more than the valid lifetime.
    pub preferred_secs: u32,
    /// Seconds, or [`wire::INFINITE`].
    pub valid_secs: u32,
    /// T1 in seconds; without it, half of the shortest preferred lifetime.
    pub t1_secs: Option<u32>,
    /// T2 in seconds; without it, four fifths of the shortest preferred lifetime.
    pub t2_secs: Option<u32>,
    /// Answer a Solicit with Rapid Commit at once, and let a Rebind make a binding.
    pub rapid_commit: bool,
    /// Let a Renew make a binding that is not known.
    pub bind_on_renew: bool,
    /// Give clients that accept Reconfigure a key for it, and let them be told.
    pub reconfigure: bool,
    /// Options for clients on this link; they stand before those for everybody.
    pub options: OfferedOptions,
    /// Options of single pools; they stand before those of the link.
    pub pools: Vec<PoolTerms>,
}

impl Default for LinkTerms {
    /// A day preferred and two days valid: long enough to sleep through an outage of the server.
    fn default() -> Self {
        Self {
            preferred_secs: 86_400,
            valid_secs: 172_800,
            t1_secs: None,
            t2_secs: None,
            rapid_commit: false,
            bind_on_renew: true,
            reconfigure: false,
            options: OfferedOptions::default(),
            pools: Vec::new(),
        }
    }
}

/// What is decided for one pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolTerms {
    /// The lowest address in it.
    pub first: Ipv6Addr,
    /// The highest address in it.
    pub last: Ipv6Addr,
    /// Options for clients that hold something out of it.
    pub options: OfferedOptions,
}
