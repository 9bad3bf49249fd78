//! Queries of one connection take turns. While a query is being answered it has its turn at least in every second
//! buffer that is made for its connection, and none adds more in one turn than a turn may, and the client with which it
//! comes to that.

use std::collections::BTreeMap;

use super::told::{self, all, message, option, whole_messages};
use crate::nodes::NodeId;
use crate::properties::Property;
use crate::universe::{Observed, StreamId, Universe, Via};

/// Octets of a turn.
const TURN_OCTETS: usize = 64 * 1024;
/// Buffers in which a query may be passed over, one after the other.
const MOST_PASSES: u32 = 1;

/// Looks at all buffers that servers make.
#[derive(Debug, Default)]
pub(in crate::properties) struct Fair {
    /// The queries that are being answered, and how often each has been passed over.
    talks: BTreeMap<StreamId, BTreeMap<[u8; 3], u32>>,
    exercised: u64,
}

impl Property for Fair {
    fn name(&self) -> &'static str {
        "fair"
    }

    fn observe(&mut self, observed: &Observed, _universe: &Universe) -> Result<(), String> {
        match observed {
            Observed::Made(node @ NodeId::Server(_), Via::Stream(stream), octets) => {
                self.turns(*stream, octets).map_err(|what| format!("{node} on {stream}: {what}"))
            }
            Observed::Over(stream) => {
                self.talks.remove(stream);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn exercised(&self) -> u64 {
        self.exercised
    }
}

/// What a query has added to a buffer.
#[derive(Debug, Default)]
struct Turn {
    octets: usize,
    /// What it has added for the last client.
    last: usize,
    client: Vec<u8>,
    has_ended: bool,
}

impl Fair {
    fn turns(&mut self, stream: StreamId, octets: &[u8]) -> Result<(), String> {
        let mut turns: BTreeMap<[u8; 3], Turn> = BTreeMap::new();
        for octets in whole_messages(octets) {
            let Some(message) = message(octets) else { continue };
            let turn = turns.entry(message.id).or_default();
            let data = all(&message.options, option::CLIENT_DATA).first().copied();
            let client = data.and_then(told::client_data).map_or(Vec::new(), |client| client.duid);
            turn.last = if client == turn.client { turn.last + octets.len() + 2 } else { octets.len() + 2 };
            turn.client = client;
            turn.octets += octets.len() + 2;
            turn.has_ended = data.is_none();
        }
        let talk = self.talks.entry(stream).or_default();
        self.exercised += u64::from(talk.len() > 1);
        for (id, passed) in talk.iter_mut() {
            *passed = if turns.contains_key(id) { 0 } else { *passed + 1 };
            if *passed > MOST_PASSES {
                return Err(format!("{id:02x?} is passed over {passed} times"));
            }
        }
        for (id, turn) in turns {
            let before = turn.octets - turn.last;
            if before >= TURN_OCTETS {
                return Err(format!("{id:02x?} adds {} octets in one turn", turn.octets));
            }
            if turn.has_ended { _ = talk.remove(&id) } else { _ = talk.insert(id, 0) }
        }
        Ok(())
    }
}
