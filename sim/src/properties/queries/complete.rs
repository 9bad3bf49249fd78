//! An answer is whole. Who meets a query all the time from the moment in which it was read until the end of its
//! answer, and has something to tell all that time, is told of, once, whatever happens around it, and however often it
//! changes. Nobody is told of twice, unless it was forgotten in between and came anew. What a query by address finds
//! is the client that holds just the address, else the one that holds a prefix around it.
//!
//! Over UDP there is one answer: the client that meets the query, or if there are several the links that they are on.

use super::docket::{Always, Open, SharedDocket, Subject};
use super::ledger::{Holding, Key};
use super::told::{
    self, Message, ToldClient, all, client_data, error_status, message, option, whole_messages,
};
use crate::nodes::NodeId;
use crate::properties::Property;
use crate::universe::{Observed, Universe, Via};

/// Leases that one message tells of at the most; who has more is told of in several, one after the other.
const LEASES_IN_MESSAGE: usize = 1_000;

/// Looks at all answers that servers make.
#[derive(Debug)]
pub(in crate::properties) struct Complete {
    docket: SharedDocket,
    exercised: u64,
}

impl Complete {
    /// Closes what has been answered, and so is to look after everybody else who has the docket.
    pub(in crate::properties) fn new(docket: SharedDocket) -> Self {
        Self { docket, exercised: 0 }
    }
}

impl Property for Complete {
    fn name(&self) -> &'static str {
        "complete"
    }

    fn observe(&mut self, observed: &Observed, universe: &Universe) -> Result<(), String> {
        let Observed::Made(node @ NodeId::Server(server), via, octets) = observed else { return Ok(()) };
        let judged = match via {
            Via::Stream(_) => self.on_stream(*server, *via, octets, universe),
            Via::Datagram(..) => self.in_datagram(*server, *via, octets, universe),
        };
        judged.map_err(|what| format!("{node} by {via}: {what}"))
    }

    fn exercised(&self) -> u64 {
        self.exercised
    }
}

impl Complete {
    fn on_stream(
        &mut self,
        server: usize,
        via: Via,
        octets: &[u8],
        universe: &Universe,
    ) -> Result<(), String> {
        // Of whom the message before this one has told, as much as a message can.
        let mut goes_on: Option<([u8; 3], Key)> = None;
        for octets in whole_messages(octets) {
            let Some(message) = message(octets) else { continue };
            let client =
                all(&message.options, option::CLIENT_DATA).first().and_then(|data| client_data(data));
            match client {
                Some(client) => {
                    let key = self.tells(server, via, &message, &client, goes_on.as_ref())?;
                    let is_full = client.leases.len() == LEASES_IN_MESSAGE;
                    goes_on = key.filter(|_| is_full).map(|key| (message.id, key));
                }
                None => self.ends(server, via, &message, universe)?,
            }
        }
        Ok(())
    }

    fn tells(
        &mut self,
        server: usize,
        via: Via,
        message: &Message<'_>,
        client: &ToldClient,
        goes_on: Option<&([u8; 3], Key)>,
    ) -> Result<Option<Key>, String> {
        let mut docket = self.docket.borrow_mut();
        let key = whose(docket.ledger.holding(server), client);
        let Some(key) = key else { return Ok(None) };
        let Some(open) = docket.open_mut(server, via, message.id) else { return Ok(None) };
        let is_rest = goes_on.is_some_and(|(id, before)| *id == message.id && *before == key);
        if !open.told.insert(key.clone()) && !is_rest && !open.is_unclear {
            return Err(format!("{:02x?} tells twice of {:02x?}", message.id, client.duid));
        }
        Ok(Some(key))
    }

    fn ends(
        &mut self,
        server: usize,
        via: Via,
        message: &Message<'_>,
        universe: &Universe,
    ) -> Result<(), String> {
        let open = self.docket.borrow_mut().conclude(server, via, message.id);
        let Some(mut open) = open else { return Ok(()) };
        if open.is_unclear || error_status(&message.options).is_some() {
            return Ok(());
        }
        self.exercised += 1;
        open.note_time(universe.nodes.servers[server].now(universe.now()).unix_secs);
        let was_held = open.ever.values().any(|rank| *rank == 0);
        let missing = owed(&open, was_held).into_iter().find(|key| !open.told.contains(*key));
        match missing {
            None => Ok(()),
            Some(key) => Err(format!("{:02x?} ({:?}) does not tell of {key:02x?}", message.id, open.asked)),
        }
    }

    fn in_datagram(
        &mut self,
        server: usize,
        via: Via,
        octets: &[u8],
        universe: &Universe,
    ) -> Result<(), String> {
        let Some(message) = message(octets).filter(|message| message.kind == told::REPLY) else {
            return Ok(());
        };
        let open = self.docket.borrow_mut().conclude(server, via, message.id);
        let Some(mut open) = open else { return Ok(()) };
        if error_status(&message.options).is_some() {
            return Ok(());
        }
        self.exercised += 1;
        let unix_secs = universe.nodes.servers[server].now(universe.now()).unix_secs;
        open.note_time(unix_secs);
        let is_living = |always: &Always| always.until > unix_secs;
        let is_held = open.always.values().any(|always| always.rank == 0 && is_living(always));
        let owed = owed(&open, is_held);
        let clients = all(&message.options, option::CLIENT_DATA);
        let links =
            all(&message.options, option::LQ_CLIENT_LINK).iter().map(|data| data.len() / 16).sum::<usize>();
        let docket = self.docket.borrow();
        let holding = docket.ledger.holding(server);
        let told = clients.first().and_then(|data| whose(holding, &client_data(data)?));
        let is_whole = match owed.len() {
            0 => clients.is_empty() && links == 0,
            1 => links == 0 && told.as_ref() == owed.first().copied(),
            count if open.links().is_none() => clients.is_empty() && links == count,
            _ => links == 0 && told.is_some_and(|told| owed.contains(&&told)),
        };
        if is_whole {
            return Ok(());
        }
        let owed = owed.len();
        Err(format!(
            "{:02x?} ({:?}) tells of {} clients and {links} links, and {owed} meet it",
            message.id,
            open.asked,
            clients.len()
        ))
    }
}

/// Who must have been told of; whoever holds a prefix around an address only if nobody holds the address itself.
fn owed(open: &Open, is_held: bool) -> Vec<&Key> {
    let living = open.always.iter().filter(|(_, always)| always.until > open.latest_unix_secs);
    let is_by_address = matches!(open.asked.subject, Some(Subject::Address(_)));
    let owed = living.filter(|(_, always)| !(is_by_address && always.rank == 1 && is_held));
    owed.map(|(key, _)| key).collect()
}

/// Under what a client is kept that was told of: nobody else has any of its leases.
fn whose(holding: &Holding, client: &ToldClient) -> Option<Key> {
    let has = |lease: &told::ToldLease, held: &super::ledger::Held| {
        held.leases.iter().any(|held| held.range == lease.range)
    };
    let mut found = holding
        .clients
        .iter()
        .filter(|(_, held)| held.duid == client.duid && client.leases.iter().any(|lease| has(lease, held)));
    found.next().map(|(key, _)| key.clone())
}
