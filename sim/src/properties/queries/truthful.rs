//! What is told is true. When a message is made, the client in it is kept by the server, on a link that was asked
//! about, and meets the query or has met it since it was read; its leases are all those that are active and have
//! time left, with just the time that is left by the server's clock; CLT_TIME is when it was heard, LQ_RELAY_DATA
//! the way that its message came, octet for octet as relays have sent it; and no option is there that was not asked
//! for, is secret, or is not the client's.
//!
//! What is told lasts: it is written to a stream, or sent, only when every change before it is durable. And what
//! is written to a stream is what was made for it, in order.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use super::docket::{Asked, Open, SharedDocket};
use super::ledger::{Held, Holding, Key};
use super::told::{
    self, Message, Path, ToldClient, ToldLease, all, client_data, error_status, message, option, path_of,
    whole_messages,
};
use crate::nodes::NodeId;
use crate::properties::Property;
use crate::reading::innermost;
use crate::universe::{Datagram, Observed, Universe, Via};

/// Leases that one message tells of at the most.
const LEASES_IN_MESSAGE: usize = 1_000;

/// Looks at all answers that servers make.
#[derive(Debug)]
pub(in crate::properties) struct Truthful {
    docket: SharedDocket,
    /// Answers that have been made and have not left whole, for each server.
    made: BTreeMap<(usize, Via), VecDeque<Made>>,
    /// How each client has been heard by each server: by whom the message was sent, and the relays' messages.
    paths: BTreeMap<(usize, Vec<u8>), BTreeSet<Path>>,
    exercised: u64,
}

/// An answer, or what is left of it.
#[derive(Debug)]
struct Made {
    octets: Rc<[u8]>,
    left: usize,
    /// Changes that it can speak of.
    changes: usize,
}

impl Truthful {
    /// Keeps the docket, and so is to look before anybody else who has it.
    pub(in crate::properties) fn new(docket: SharedDocket) -> Self {
        Self { docket, made: BTreeMap::new(), paths: BTreeMap::new(), exercised: 0 }
    }
}

impl Property for Truthful {
    fn name(&self) -> &'static str {
        "truthful"
    }

    fn observe(&mut self, observed: &Observed, universe: &Universe) -> Result<(), String> {
        self.docket.borrow_mut().observe(observed, universe);
        match observed {
            Observed::Arriving(NodeId::Server(server), datagram) => self.note_path(*server, datagram),
            Observed::Made(node @ NodeId::Server(server), via, octets) => {
                self.note_made(*server, *via, octets);
                let judged = self.judge(*server, *via, octets, universe);
                judged.map_err(|what| format!("{node} by {via}: {what}"))?;
            }
            Observed::Wrote(node @ NodeId::Server(server), stream, octets) => {
                let left = self.leaves(*server, Via::Stream(*stream), octets);
                left.map_err(|what| format!("{node} on {stream}: {what}"))?;
            }
            Observed::Sent(datagram @ Datagram { sender: node @ NodeId::Server(server), .. }) => {
                self.is_sent(*server, datagram).map_err(|what| format!("{node}: {what}"))?;
            }
            Observed::Over(stream) => self.made.retain(|(_, via), _| *via != Via::Stream(*stream)),
            Observed::Killed(NodeId::Server(server)) => self.made.retain(|(its, _), _| its != server),
            _ => {}
        }
        Ok(())
    }

    fn step(&mut self, universe: &Universe) -> Result<(), String> {
        self.docket.borrow_mut().step(universe);
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.exercised
    }
}

/// What leaves.
impl Truthful {
    fn note_made(&mut self, server: usize, via: Via, octets: &Rc<[u8]>) {
        let changes = self.docket.borrow().ledger.holding(server).changes;
        let made = Made { octets: octets.clone(), left: octets.len(), changes };
        self.made.entry((server, via)).or_default().push_back(made);
    }

    fn leaves(&mut self, server: usize, via: Via, mut octets: &[u8]) -> Result<(), String> {
        let durable = self.docket.borrow().ledger.holding(server).durable;
        let queue = self.made.entry((server, via)).or_default();
        while !octets.is_empty() {
            let first = queue.front_mut().ok_or("writes what was not made")?;
            let from = first.octets.len() - first.left;
            let count = first.left.min(octets.len());
            let (now, later) = octets.split_at(count);
            if first.octets[from..from + count] != *now {
                return Err("writes something else than was made".to_owned());
            }
            if first.changes > durable {
                return Err(format!(
                    "says what {} changes made true, and {durable} are durable",
                    first.changes
                ));
            }
            first.left -= count;
            octets = later;
            if first.left == 0 {
                queue.pop_front();
            }
        }
        Ok(())
    }

    fn is_sent(&mut self, server: usize, datagram: &Datagram) -> Result<(), String> {
        if innermost(&datagram.octets).0.first() != Some(&told::REPLY) {
            return Ok(());
        }
        let to_port = |via: &Via| matches!(via, Via::Datagram(_, port) if *port == datagram.destination_port);
        let durable = self.docket.borrow().ledger.holding(server).durable;
        let mut queues = self.made.iter_mut().filter(|((its, via), _)| *its == server && to_port(via));
        let found = queues.find_map(|(its, queue)| {
            let at = queue.iter().position(|made| made.octets == datagram.octets)?;
            Some((*its, queue.remove(at)?, queue.is_empty()))
        });
        if let Some((its, _, true)) = found {
            self.made.remove(&its);
        }
        match found {
            None => Err("sends an answer that was not made".to_owned()),
            Some((_, made, _)) if made.changes > durable => {
                Err(format!("sends what {} changes made true, and {durable} are durable", made.changes))
            }
            Some(_) => Ok(()),
        }
    }

    fn note_path(&mut self, server: usize, datagram: &Datagram) {
        let Some(path) = path_of(&datagram.octets) else { return };
        let client = message(innermost(&datagram.octets).0);
        let duid =
            client.and_then(|message| told::only(&message.options, option::CLIENTID).map(<[u8]>::to_vec));
        if let Some(duid) = duid {
            self.paths.entry((server, duid)).or_default().insert((datagram.source, path));
        }
    }
}

/// What is said.
impl Truthful {
    fn judge(&mut self, server: usize, via: Via, octets: &[u8], universe: &Universe) -> Result<(), String> {
        let messages = match via {
            Via::Stream(_) => whole_messages(octets).collect(),
            Via::Datagram(..) => vec![octets],
        };
        let docket = Rc::clone(&self.docket);
        // Of which the end has come in these octets: what follows under the same id answers something else.
        let mut ended = BTreeSet::new();
        for octets in messages {
            let Some(message) = message(octets) else { continue };
            let clients = all(&message.options, option::CLIENT_DATA);
            for data in &clients {
                self.exercised += 1;
                let client =
                    client_data(data).ok_or_else(|| format!("CLIENT_DATA that is none: {data:02x?}"))?;
                let docket = docket.borrow();
                let open = docket.open(server, via, message.id).filter(|_| !ended.contains(&message.id));
                let holding = docket.ledger.holding(server);
                let judged = self.client(holding, open, (server, via), &message, &client, universe);
                judged.map_err(|what| format!("{:02x?}: {what}", message.id))?;
            }
            if clients.is_empty() {
                let mut docket = docket.borrow_mut();
                let open = docket.open_mut(server, via, message.id);
                let is_first = ended.insert(message.id);
                let open = open.filter(|open| is_first && !open.is_unclear && message.kind == told::REPLY);
                if let Some(open) = open {
                    open.note_time(universe.nodes.servers[server].now(universe.now()).unix_secs);
                    self.exercised += 1;
                    refusal(server, via, &message, open, universe)?;
                }
            }
        }
        Ok(())
    }

    fn client(
        &self,
        holding: &Holding,
        open: Option<&Open>,
        (server, via): (usize, Via),
        message: &Message<'_>,
        told: &ToldClient,
        universe: &Universe,
    ) -> Result<(), String> {
        let unix_secs = universe.nodes.servers[server].now(universe.now()).unix_secs;
        let (key, held) = whose(holding, told, unix_secs).ok_or_else(|| {
            format!("what is told is not what is kept: {told:?}, {:?}", of_duid(holding, told))
        })?;
        if u64::from(told.clt_time) != unix_secs.saturating_sub(held.heard_unix_secs) {
            return Err(format!(
                "CLT_TIME is {}, heard at {}, now {unix_secs}",
                told.clt_time, held.heard_unix_secs
            ));
        }
        self.path(server, told, held)?;
        let Some(open) = open.filter(|open| !open.is_unclear) else {
            return Ok(());
        };
        if !open.ever.contains_key(key) {
            return Err(format!("{key:02x?} does not meet {:?}", open.asked));
        }
        let is_first = message.kind == told::REPLY;
        if is_first && refusal_due(server, via, open, universe).is_some() {
            return Err(format!("{:?} was to be refused", open.asked));
        }
        let secret = |code: &u16| {
            let policy = universe.nodes.servers[server].policy();
            policy.is_some_and(|policy| policy.sensitive_options.iter().any(|option| option.0 == *code))
        };
        extras(told, held, &open.asked, secret)
    }

    /// The way of the message is that of one that has come.
    fn path(&self, server: usize, told: &ToldClient, held: &Held) -> Result<(), String> {
        let Some(relay_data) = &told.relay_data else { return Ok(()) };
        if held.path.as_ref() != Some(relay_data) {
            return Err(format!("LQ_RELAY_DATA is not what is kept: {relay_data:02x?}"));
        }
        let heard = self.paths.get(&(server, told.duid.clone()));
        // Who was there before the beginning has not been heard.
        let is_stocked = told.duid.get(6) == Some(&4) && told.duid.len() == 10 && told.duid[1] == 2;
        if is_stocked || heard.is_some_and(|heard| heard.contains(relay_data)) {
            return Ok(());
        }
        Err(format!("LQ_RELAY_DATA is no way by which a message came: {relay_data:02x?}"))
    }
}

/// A refusal is the one that is due.
fn refusal(
    server: usize,
    via: Via,
    message: &Message<'_>,
    open: &Open,
    universe: &Universe,
) -> Result<(), String> {
    const TERMINATED: u16 = 11;
    let status = error_status(&message.options);
    if status == Some(TERMINATED) || refusal_due(server, via, open, universe) == status {
        return Ok(());
    }
    // What is odd is refused for one reason or another.
    if !open.asked.is_well_formed && status.is_some() {
        return Ok(());
    }
    Err(format!("{:02x?} ({:?}) is refused with {status:?}", message.id, open.asked))
}

/// The status with which a well-formed query is to be refused, if it is.
fn refusal_due(server: usize, via: Via, open: &Open, universe: &Universe) -> Option<u16> {
    const UNKNOWN_QUERY_TYPE: u16 = 7;
    const NOT_CONFIGURED: u16 = 9;
    const NOT_ALLOWED: u16 = 10;
    let Open { asked, requestor, .. } = open;
    let by_relay = asked.query_type == 3 || asked.query_type == 5;
    let policy = universe.nodes.servers[server].policy()?;
    if matches!(via, Via::Datagram(..)) && (3..=5).contains(&asked.query_type)
        || !may_ask(*requestor, asked, universe)
    {
        return Some(NOT_ALLOWED);
    }
    if by_relay && !policy.track_relays {
        return Some(UNKNOWN_QUERY_TYPE);
    }
    let names_no_link = open.links().is_some_and(BTreeSet::is_empty);
    let is_nowhere = || {
        let Some(super::docket::Subject::Address(address)) = asked.subject else { return false };
        let mut links = universe.nodes.servers[server].links().into_iter().flat_map(|links| links.iter());
        let is_there = links.any(|link| {
            let mut pools = link.delegation_pools.iter();
            link.prefixes.iter().any(|prefix| prefix.contains(address))
                || pools.any(|pool| pool.prefix.contains(address))
        });
        let is_held = open
            .ever
            .keys()
            .any(|key| open.always.get(key).is_some_and(|always| always.until > open.latest_unix_secs));
        open.links().is_none() && !is_there && !is_held
    };
    (names_no_link || is_nowhere()).then_some(NOT_CONFIGURED)
}

fn may_ask(requestor: NodeId, asked: &Asked, universe: &Universe) -> bool {
    use crate::plan::MayAsk;
    let NodeId::Requestor(number) = requestor else { return true };
    match &universe.plan.topology.requestors[number].may_ask {
        MayAsk::Everything => true,
        // What nobody knows is nobody's secret.
        MayAsk::Only(queries) => {
            !(1..=5).contains(&asked.query_type) || queries.iter().any(|query| query.0 == asked.query_type)
        }
        MayAsk::Nothing => false,
    }
}

/// The client that just these leases are kept for.
fn whose<'a>(holding: &'a Holding, told: &ToldClient, unix_secs: u64) -> Option<(&'a Key, &'a Held)> {
    let mut its = holding.clients.iter().filter(|(_, held)| held.duid == told.duid);
    its.find(|(_, held)| {
        let living = held.living(unix_secs).count();
        let is_part = living > LEASES_IN_MESSAGE && told.leases.len() <= LEASES_IN_MESSAGE;
        let is_kept = |lease: &ToldLease| {
            held.living(unix_secs).any(|kept| {
                let lifetimes = (lease.preferred_secs, lease.valid_secs);
                kept.range == lease.range && kept.left_secs(unix_secs) == lifetimes
            })
        };
        let different: BTreeSet<_> = told.leases.iter().map(|lease| lease.range).collect();
        !told.leases.is_empty()
            && different.len() == told.leases.len()
            && (is_part || living == told.leases.len())
            && told.leases.iter().all(is_kept)
    })
}

fn of_duid<'a>(holding: &'a Holding, told: &ToldClient) -> Vec<&'a Held> {
    holding.clients.values().filter(|held| held.duid == told.duid).collect()
}

/// What stands beside the leases is what was asked for and may be told.
fn extras(
    told: &ToldClient,
    held: &Held,
    asked: &Asked,
    secret: impl Fn(&u16) -> bool,
) -> Result<(), String> {
    let wants = |code: &u16| asked.wishes.contains(code) && !secret(code);
    if told.relay_data.is_some() != (wants(&option::LQ_RELAY_DATA) && held.path.is_some()) {
        return Err(format!(
            "LQ_RELAY_DATA is there: {}, wanted {:?}",
            told.relay_data.is_some(),
            asked.wishes
        ));
    }
    let excluded = told.leases.iter().filter(|lease| lease.excluded.is_some()).count();
    let has_excluded = |lease: &&ToldLease| {
        held.leases.iter().any(|kept| kept.range == lease.range && kept.excluded.is_some())
    };
    let due = if wants(&option::PD_EXCLUDE) { told.leases.iter().filter(has_excluded).count() } else { 0 };
    if excluded != due {
        return Err(format!("{excluded} times PD_EXCLUDE, and {due} are due"));
    }
    let due: Vec<_> = held.options.iter().filter(|(code, _)| wants(code)).cloned().collect();
    if told.others != due {
        return Err(format!("options {:?}, and {due:?} are due", told.others));
    }
    Ok(())
}
