//! No delegation and no route is dropped because of silence before every server that the relay knows has said all
//! it knows, on a connection that was opened in the epoch that is concluded from: seen on the wire, by the
//! DONE, or by the empty REPLY, of each.

use std::collections::BTreeMap;

use wire::{MessageType, OptionCode, Options};
use world::Instant;

use super::Property;
use crate::nodes::NodeId;
use crate::universe::{Observed, StreamId, Universe};

/// Reads along what servers tell relays.
#[derive(Debug, Default)]
pub(super) struct SweptLate {
    streams: BTreeMap<StreamId, Listening>,
    /// When a relay last heard the end of an answer on a connection with a server, and when that was opened.
    ended: BTreeMap<(usize, usize), Instant>,
    /// When, by its own clock, the epoch had begun in which a relay last opened a connection.
    began: BTreeMap<usize, Instant>,
    exercised: u64,
}

/// A connection of a relay.
#[derive(Debug)]
struct Listening {
    relay: usize,
    server: usize,
    opened: Instant,
    octets: Vec<u8>,
}

impl Property for SweptLate {
    fn name(&self) -> &'static str {
        "swept-late"
    }

    fn observe(&mut self, observed: &Observed, universe: &Universe) -> Result<(), String> {
        match observed {
            Observed::Opened(stream, NodeId::Relay(relay), NodeId::Server(server)) => {
                let (relay, server, opened) = (*relay, *server, universe.now());
                self.streams.insert(*stream, Listening { relay, server, opened, octets: Vec::new() });
                if let Some(agent) = universe.nodes.relays[relay].agent() {
                    self.began.insert(relay, agent.recovery().epoch().began);
                }
            }
            Observed::Read(NodeId::Relay(_), stream, octets) => {
                if let Some(listening) = self.streams.get_mut(stream)
                    && listening.reads_end(octets)
                {
                    let Listening { relay, server, opened, .. } = listening;
                    self.ended.insert((*relay, *server), *opened);
                }
            }
            Observed::Over(stream) => _ = self.streams.remove(stream),
            Observed::Killed(NodeId::Relay(number)) => self.ended.retain(|(relay, _), _| relay != number),
            Observed::Recovered(NodeId::Relay(number)) => return self.judge(*number, universe),
            _ => {}
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.exercised
    }
}

impl SweptLate {
    fn judge(&mut self, number: usize, universe: &Universe) -> Result<(), String> {
        let relay = &universe.nodes.relays[number];
        let Some(agent) = relay.agent() else { return Ok(()) };
        let own = relay.clock.now(universe.now()).instant;
        let mut began = agent.recovery().epoch().began;
        if began == own {
            // What was concluded from has made way for the next epoch, which was due already.
            began = self.began.get(&number).copied().unwrap_or(began);
        }
        let age = own.since(began);
        self.exercised += 1;
        // Its clock may go too slow by a fiftieth.
        let is_late = |opened: &Instant| universe.now().since(*opened) <= age + age / 25 + GRAIN;
        let silent = relay.setup.servers.iter().find(|server| {
            let opened = self.ended.get(&(number, **server));
            !opened.is_some_and(is_late)
        });
        match silent {
            None => Ok(()),
            Some(server) => Err(format!("relay {number} has concluded, and server {server} has not ended")),
        }
    }
}

/// What two clocks make of one moment, at the least.
const GRAIN: std::time::Duration = std::time::Duration::from_millis(1);

impl Listening {
    /// Takes octets, and says whether an answer ends in them.
    fn reads_end(&mut self, octets: &[u8]) -> bool {
        self.octets.extend_from_slice(octets);
        let mut ends = false;
        while let Some(length) = self.octets.first_chunk().map(|length| u16::from_be_bytes(*length)) {
            let Some(message) = self.octets.get(2..2 + usize::from(length)) else { break };
            ends |= is_end(message);
            self.octets.drain(..2 + usize::from(length));
        }
        ends
    }
}

/// Whether a message says that all has been told.
fn is_end(message: &[u8]) -> bool {
    let Some((message_type, rest)) = message.split_first() else { return false };
    let Some(Ok(options)) = rest.get(3..).map(Options::new) else { return false };
    let fails = options.first(OptionCode::STATUS_CODE).is_some_and(|status| !status.starts_with(&[0, 0]));
    let is_empty = options.first(OptionCode::CLIENT_DATA).is_none();
    let is_done = *message_type == MessageType::LeaseQueryDone as u8;
    let is_reply = *message_type == MessageType::LeaseQueryReply as u8;
    !fails && (is_done || is_reply && is_empty)
}
