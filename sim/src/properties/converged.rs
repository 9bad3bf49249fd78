//! After quiet, what each relay holds equals what the servers have delegated through it, and its kernel routes just
//! that.
//!
//! What the servers have delegated is read from their tables, one client after the other: an active lease counts
//! for a relay if the client was last heard through it. The relay may hold more: what went through it before
//! its client was heard another way, as long as some server has it. It may hold less where it has as many as it
//! may, and where a server counts on for a lease that it gave when its clock was wrong: the relay counts
//! what the Reply said. Where two clients have one DUID, which servers remember as one client, either may be the
//! next hop on their link; and where a relay lets a DUID be on one port only, it lacks what the other one
//! has, and what the client has now, if a server heard it elsewhere by a clock that was ahead. Routes of before that nobody wants go if all servers have been asked for all that this relay has, by its
//! DUID, and have answered; one that refuses keeps them, and so does one that tells of the prefix without saying
//! where it is, until all are asked again. Of routes those are left out whose place a stranger has, and those that must not be.

use std::collections::{BTreeMap, BTreeSet};

use relay::recovery::Method;
use relay::{DelegationRef, Target};
use wire::{IaKind, Prefix};

use super::Property;
use super::places::{any_active, each_active, is_full, through, way_of};
use crate::nodes::relay::{Place, Side, Standing};
use crate::nodes::{NodeId, Relay};
use crate::plan::addresses;
use crate::universe::{Observed, Universe};

/// The longest lifetime that any server gives, in seconds: who has more left, or has not been heard for so long, has
/// it by a wrong clock.
const LONGEST_SECS: u32 = 300;
/// What has so few seconds left may end on one side first.
const SHORT_SECS: u32 = 5;

/// Looks when all should have come right.
#[derive(Debug, Default)]
pub(super) struct Converged {
    /// Relays whose program has been in sync.
    in_sync: BTreeSet<usize>,
    /// Routes that relays had then, of what servers told of and they could not place.
    withheld: BTreeSet<(usize, Prefix)>,
    exercised: u64,
}

impl Property for Converged {
    fn name(&self) -> &'static str {
        "converged"
    }

    fn observe(&mut self, observed: &Observed, universe: &Universe) -> Result<(), String> {
        match observed {
            Observed::Recovered(NodeId::Relay(number)) => {
                self.in_sync.insert(*number);
                self.withheld.retain(|(relay, _)| relay != number);
                let relay = &universe.nodes.relays[*number];
                let delegations = relay.agent().map(|agent| agent.delegations());
                let is_held = |prefix| delegations.is_some_and(|all| all.get(prefix).is_some());
                let routed = relay.kernel.ours().map(|(destination, _)| destination);
                for prefix in
                    routed.filter(|prefix| !is_held(*prefix) && any_active(universe, *prefix, |_| true))
                {
                    self.withheld.insert((*number, prefix));
                }
            }
            Observed::Killed(NodeId::Relay(number)) => _ = self.in_sync.remove(number),
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, universe: &Universe) -> Result<(), String> {
        for (number, relay) in universe.nodes.relays.iter().enumerate() {
            self.compare(number, relay, universe)?;
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.exercised
    }
}

impl Converged {
    fn compare(&mut self, number: usize, relay: &Relay, universe: &Universe) -> Result<(), String> {
        let agent = relay.agent().ok_or_else(|| format!("relay {number} does not run"))?;
        let held: BTreeMap<Prefix, DelegationRef<'_>> =
            agent.delegations().all(None).map(|held| (held.prefix, held)).collect();
        let mut missing = None;
        // They seem to have been heard just now, wherever they were then.
        let mut heard_ahead = BTreeSet::new();
        each_active(universe, |active| {
            if active.heard_secs_ago.is_none() {
                heard_ahead.insert(active.client.to_vec());
            }
        });
        each_active(universe, |active| {
            let counts = active.prefix.length() < 128 || relay.setup.agent.host_routes;
            let is_recent = active.heard_secs_ago.is_some_and(|secs| secs <= LONGEST_SECS.into());
            let is_sure = is_recent && (SHORT_SECS..=LONGEST_SECS).contains(&active.left_secs);
            let way = active.path.and_then(|path| through(number, relay, path));
            let Some(way) = way.filter(|_| counts && is_sure) else { return };
            self.exercised += 1;
            let its = held.get(&active.prefix);
            let is_shared = is_shared(active.client, universe);
            let is_there = |its: &DelegationRef<'_>| {
                let its_way = way_of(relay, its);
                its_way == Some(way) || is_shared && its_way.is_some_and(|its| its.link == way.link)
            };
            let is_held = its.is_some_and(|its| its.client.octets() == active.client && is_there(its));
            let may_be_elsewhere = is_shared || heard_ahead.contains(active.client);
            let is_elsewhere = may_be_elsewhere && relay.setup.agent.unique_clients;
            if !is_held && !is_elsewhere && !is_full(relay, way, held.values()) {
                let (prefix, left_secs) = (active.prefix, active.left_secs);
                missing = Some(format!(
                    "relay {number} lacks {prefix} by {way:?} for {left_secs} s, and has {its:?}"
                ));
            }
        });
        if let Some(missing) = missing {
            return Err(missing);
        }
        for its in held.values() {
            if !any_active(universe, its.prefix, |active| active.client == its.client.octets()) {
                return Err(format!("relay {number} holds {}, and no server does", its.prefix));
            }
        }
        self.compare_routes(number, relay, &held, universe)
    }

    fn compare_routes(
        &mut self,
        number: usize,
        relay: &Relay,
        held: &BTreeMap<Prefix, DelegationRef<'_>>,
        universe: &Universe,
    ) -> Result<(), String> {
        for its in held.values() {
            let stands = relay.kernel.at(Place::ours(its.prefix));
            let Some(target) = target_of(relay, its) else { continue };
            let is_stranger = matches!(stands, Some(Standing::Stranger { .. }));
            if is_stranger || relay.kernel.covers_connected(its.prefix) {
                continue;
            }
            self.exercised += 1;
            if stands != Some(Standing::Ours(target)) {
                return Err(format!(
                    "relay {number} holds {} by {target:?}, and there is {stands:?}",
                    its.prefix
                ));
            }
        }
        for (destination, target) in relay.kernel.ours() {
            // One that a server tells of and the relay cannot place stays.
            let is_told = held.contains_key(&destination) || any_active(universe, destination, |_| true);
            // An answer about some ports is no evidence of others, such as are none any more.
            // Addresses are asked for only while they have routes.
            let may_stay = destination.length() == 128;
            let asks_for_all = relay.planned().agent.recovery.methods.first() == Some(&Method::RelayId);
            let is_withheld = self.withheld.contains(&(number, destination));
            let is_known = asks_for_all && !is_withheld && self.in_sync.contains(&number);
            if target != Target::Unreachable && !is_told && is_known && !may_stay {
                return Err(format!("relay {number} routes {destination}, which nobody holds"));
            }
        }
        Ok(())
    }
}

/// Whether two clients have this DUID.
fn is_shared(client: &[u8], universe: &Universe) -> bool {
    let clients = universe.plan.topology.clients.iter();
    clients.filter(|its| addresses::client_id(its.identity).octets() == client).count() > 1
}

/// Where its route leads, if it shall have one.
fn target_of(relay: &Relay, held: &DelegationRef<'_>) -> Option<Target> {
    if held.kind == IaKind::Address && !relay.setup.agent.host_routes {
        return None;
    }
    let routes = relay.setup.agent.routes.as_ref()?;
    let mut aggregates = routes.aggregates.iter();
    if !routes.aggregates.is_empty() && !aggregates.any(|aggregate| aggregate.covers(held.prefix)) {
        return None;
    }
    let way = way_of(relay, held)?;
    let interface = relay.kernel.interface(Side::Clients(way.link))?;
    Some(Target::Via { next_hop: held.next_hop, interface_index: interface.index })
}
