//! `release`: leases that the operator ends, portion by portion, each answered when it is durable.

use lease::{ClientKey, Cursor, Seq};
use server::exchange::Exchanges;
use server::{Discard, Holdings};
use tokio::net::unix::UCred;
use tracing::{info, warn};
use world::Now;

use super::super::release::Held;
use super::super::service::Service;
use super::bindings::{self, LOOKED_AT_ONCE};
use super::durable;
use super::selection::Selection;
use crate::control::door::{Reply, Stop};
use crate::control::{Client, Filter, State};

/// Clients whose leases are released under one lock of the table, so that answers to others do not
/// wait for a whole city's.
const RELEASED_AT_ONCE: usize = 256;

/// Shows what would be released.
pub(super) async fn rehearse(service: &Service, filter: Filter, reply: &mut Reply) -> Result<(), Stop> {
    bindings::show(service, of_active(filter)?, reply).await
}

/// Releases, and shows what was released.
pub(super) async fn release(
    service: &Service,
    filter: Filter,
    from: &UCred,
    reply: &mut Reply,
) -> Result<(), Stop> {
    let asked = filter.to_string();
    let selection = Selection::new(of_active(filter)?, &service.holdings().links).map_err(Stop::Refused)?;
    let mut done = Done::default();
    let result = go_through(service, &selection, &mut done, reply).await;
    info!(
        uid = from.uid(),
        pid = from.pid(),
        filter = asked,
        clients = done.clients,
        leases = done.leases,
        complete = result.is_ok(),
        "released by hand"
    );
    result
}

/// Only what is active can be released; and nobody means everything by saying nothing.
fn of_active(filter: Filter) -> Result<Filter, Stop> {
    if filter.is_empty() || !filter.states.is_empty() {
        return Err(Stop::Refused("what to release has to be said, and not by its state".to_owned()));
    }
    Ok(Filter { states: vec![State::Active], ..filter })
}

/// How much was released.
#[derive(Debug, Default)]
struct Done {
    clients: usize,
    leases: usize,
}

async fn go_through(
    service: &Service,
    selection: &Selection,
    done: &mut Done,
    reply: &mut Reply,
) -> Result<(), Stop> {
    let mut place = Some(Cursor::START);
    while let Some(from) = place {
        let (keys, next, mut told) = find(service, selection, from);
        if !keys.is_empty() {
            let now = service.now();
            let (portion, changed) = service.change(|exchanges, holdings| {
                let mut portion = Portion { selection, exchanges, holdings, now, shown: Vec::new() };
                let (failed, held) = portion.release(keys);
                ((portion.shown, failed), held)
            });
            let (shown, failed) = portion;
            done.clients += shown.len();
            done.leases += shown.iter().map(|client| client.leases.len()).sum::<usize>();
            shown.iter().for_each(|client| reply.item(client));
            told = changed;
            if let Some((key, why)) = failed {
                reply.send_when(durable(service, told)).await?;
                return Err(Stop::Failed(format!("the client {} cannot be changed: {why}", key.duid)));
            }
        }
        reply.send_when(durable(service, told)).await?;
        place = next;
    }
    Ok(())
}

/// Finds the clients of a portion, and the place to go on from.
pub(super) fn find(
    service: &Service,
    selection: &Selection,
    from: Cursor,
) -> (Vec<ClientKey>, Option<Cursor>, Seq) {
    let holdings = service.holdings();
    let told = holdings.table.last_seq();
    let mut keys = Vec::new();
    for (looked_at, (behind, client)) in selection.look(&holdings.table, from).enumerate() {
        if let Some(client) = client
            && !selection.leases(&client).is_empty()
        {
            keys.push(ClientKey { link: client.link, duid: client.duid.to_duid() });
        }
        if keys.len() == RELEASED_AT_ONCE || looked_at + 1 == LOOKED_AT_ONCE {
            return (keys, Some(behind), told);
        }
    }
    (keys, None, told)
}

/// A portion while the table is locked for it.
struct Portion<'a> {
    selection: &'a Selection,
    exchanges: &'a mut Exchanges,
    holdings: &'a mut Holdings,
    now: Now,
    shown: Vec<Client>,
}

impl Portion<'_> {
    /// Releases what is still meant. Stops at the first client that cannot be changed.
    fn release(&mut self, keys: Vec<ClientKey>) -> (Option<(ClientKey, Discard)>, Vec<Held>) {
        let mut held = Vec::with_capacity(keys.len());
        for key in keys {
            let Some(before) = self.as_shown(&key) else { continue };
            let selection = self.selection;
            let which = |lease: &lease::Lease| selection.means_lease(lease);
            match self.exchanges.release(key.clone(), self.holdings, self.now, which) {
                Ok(ended) => {
                    self.shown.push(before);
                    held.push(Held::Changes(ended.key, ended.changes));
                }
                Err(why) => {
                    warn!(client = %key.duid, link = %key.link, reason = %why, "cannot be released");
                    return (Some((key, why)), held);
                }
            }
        }
        (None, held)
    }

    /// The client as it is now, if it still has something that is meant.
    fn as_shown(&self, key: &ClientKey) -> Option<Client> {
        let client = self.holdings.table.client(key)?;
        let leases = self.selection.leases(&client);
        let shown = || bindings::item(&client, &leases, &self.holdings.links, self.now.unix_secs);
        (!leases.is_empty()).then(shown)
    }
}
