//! Keeping the set of nftables in step with the routes: one task.
//!
//! When routes have changed it goes through all of them, a portion under each lock, and has `nft` make the set the
//! same. It follows routes and not delegations, so that what must have no route cannot send either, and what
//! an earlier run has left may go on sending until it is known to be over.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::Ipv6Addr;
use std::sync::Arc;
use std::time::Duration;

use relay::{Agent, ListedRoute, RouteState, Target};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};
use tracing::warn;
use wire::Prefix;

use super::service::Service;
use crate::kernel::{Elements, Filter, FilterSettings, is_plain_name};

/// How long changes are gathered; a client that was just given a prefix may wait so long until it can send.
const GATHERING: Duration = Duration::from_millis(100);
/// How long `nft` is left alone after it has failed.
const AFTER_FAILURE: Duration = Duration::from_secs(10);
/// How often the set is listed, lest somebody else has changed it.
const LISTING: Duration = Duration::from_secs(300);
/// Routes that are read under one lock, so that forwarding does not wait for all.
const READ_AT_ONCE: usize = 2_000;

/// Keeps the set that the configuration names, if it names one.
pub(super) async fn keep(service: &Arc<Service>) -> Infallible {
    let mut kept: Option<Kept> = None;
    loop {
        let settings = service.setup().filter_settings();
        if kept.as_ref().map(|kept| &kept.settings) != settings.as_ref() {
            kept = settings.map(Kept::new);
        }
        let pause = match kept.take() {
            None => GATHERING,
            Some(mut before) => {
                let is_well = before.follow(service).await;
                kept = Some(before);
                if is_well { GATHERING } else { AFTER_FAILURE }
            }
        };
        sleep(pause).await;
    }
}

/// One set, and how far it has come.
struct Kept {
    settings: FilterSettings,
    /// Nothing only while it is at work on another thread.
    filter: Option<Filter>,
    /// The state of the routes that it follows.
    generation: Option<u64>,
    list_at: Instant,
}

impl Kept {
    fn new(settings: FilterSettings) -> Self {
        let filter = Some(Filter::new(settings.clone()));
        Self { settings, filter, generation: None, list_at: Instant::now() + LISTING }
    }

    /// Makes the set what the routes are; says whether it could be.
    async fn follow(&mut self, service: &Service) -> bool {
        let (generation, is_known) = service.look(|agent| {
            let routes = agent.routes();
            (routes.generation(), routes.knows_kernel())
        });
        let must_list = self.list_at <= Instant::now();
        let is_in_step = self.generation == Some(generation) && !must_list;
        // What an earlier run has left in the set stays until it is known which of its routes are there.
        if is_in_step || !is_known {
            return true;
        }
        let wanted = read(service);
        let mut filter = self.filter.take().unwrap_or_else(|| Filter::new(self.settings.clone()));
        if must_list {
            filter.mistrust();
            self.list_at = Instant::now() + LISTING;
        }
        let work = spawn_blocking(move || {
            let outcome = filter.keep(wanted);
            (filter, outcome)
        });
        let outcome = match work.await {
            Ok((filter, outcome)) => {
                self.filter = Some(filter);
                outcome.map_err(|error| error.to_string())
            }
            Err(error) => Err(error.to_string()),
        };
        match outcome {
            Ok(()) => self.generation = Some(generation),
            Err(error) => {
                self.generation = None;
                warn!("the set of nftables is not in step: {error}");
            }
        }
        self.generation.is_some()
    }
}

/// What the sets shall have now.
fn read(service: &Service) -> Elements {
    let mut gathered = Gathered::default();
    let mut last: Option<Prefix> = None;
    loop {
        let (read, end) = service.look(|agent| {
            let (mut read, mut end) = (0, None);
            for route in agent.routes().after(last).take(READ_AT_ONCE) {
                gathered.take(agent, &route);
                (read, end) = (read + 1, Some(route.destination));
            }
            (read, end)
        });
        if read < READ_AT_ONCE {
            return gathered.into_elements();
        }
        last = end;
    }
}

/// Routes that were read, by the name of their interface.
#[derive(Default)]
struct Gathered(BTreeMap<Arc<str>, OnInterface>);

#[derive(Default)]
struct OnInterface {
    prefixes: Vec<Prefix>,
    next_hop: Option<Ipv6Addr>,
    has_several: bool,
}

impl Gathered {
    fn take(&mut self, agent: &Agent, route: &ListedRoute) {
        let target = match route.state {
            RouteState::Refused | RouteState::Leaving => None,
            RouteState::Unproven => route.installed,
            _ => route.wanted,
        };
        let Some(Target::Via { next_hop, interface_index }) = target else { return };
        let port = agent.ports().with_index(interface_index).and_then(|id| agent.ports().present(id));
        let Some(port) = port.filter(|port| is_plain_name(&port.name)) else { return };
        if !self.0.contains_key(port.name.as_str()) {
            self.0.insert(port.name.as_str().into(), OnInterface::default());
        }
        let Some(there) = self.0.get_mut(port.name.as_str()) else { return };
        there.prefixes.push(route.destination);
        there.has_several |= there.next_hop.is_some_and(|other| other != next_hop);
        there.next_hop = Some(next_hop);
    }

    fn into_elements(self) -> Elements {
        let mut elements = Elements::default();
        for (interface, OnInterface { prefixes, has_several, .. }) in self.0 {
            let here = prefixes.into_iter().map(|prefix| (Arc::clone(&interface), prefix));
            if !has_several {
                elements.alone.extend(here.clone());
            }
            elements.delegated.extend(here);
        }
        elements
    }
}
