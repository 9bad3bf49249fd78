//! What a server says on a stream obeys the grammar of RFC 5460 §5.2, judged by its octets alone. For each
//! transaction id: as many LEASEQUERY-REPLYs as there were queries at the most, each alone if it has no client;
//! else LEASEQUERY-DATAs with one client each and at the end one LEASEQUERY-DONE. Nothing answers what was not asked,
//! nothing follows a DONE, and where the server leaves in good order everything is answered.

use std::collections::{BTreeMap, BTreeSet};

use server::leasequery::Close;

use super::told::{self, Frames, Message, all, message, only, option};
use crate::nodes::NodeId;
use crate::plan::addresses;
use crate::properties::Property;
use crate::universe::{Observed, StreamId, Universe};

/// Looks at all that servers read and write.
#[derive(Debug, Default)]
pub(in crate::properties) struct Grammar {
    talks: BTreeMap<StreamId, Talk>,
    exercised: u64,
}

/// A stream between a requestor and a server.
#[derive(Debug)]
struct Talk {
    server: usize,
    heard: Frames,
    said: Frames,
    conversations: BTreeMap<[u8; 3], Conversation>,
    /// A query was ended in the middle.
    is_terminated: bool,
}

/// What has been said with one transaction id.
#[derive(Debug, Default)]
struct Conversation {
    asked: u32,
    answered: u32,
    tls_asked: u32,
    tls_answered: u32,
    is_streaming: bool,
    requestors: BTreeSet<Vec<u8>>,
    /// Of each query, whether it asks for the time.
    wants_time: BTreeSet<bool>,
}

impl Property for Grammar {
    fn name(&self) -> &'static str {
        "grammar"
    }

    fn observe(&mut self, observed: &Observed, _universe: &Universe) -> Result<(), String> {
        match observed {
            Observed::Opened(stream, _, NodeId::Server(server)) => {
                let (heard, said) = (Frames::default(), Frames::default());
                let conversations = BTreeMap::new();
                let talk = Talk { server: *server, heard, said, conversations, is_terminated: false };
                self.talks.insert(*stream, talk);
            }
            Observed::Read(NodeId::Server(_), stream, octets) => {
                if let Some(talk) = self.talks.get_mut(stream) {
                    talk.heard.push(octets).iter().for_each(|octets| talk.hears(octets));
                }
            }
            Observed::Wrote(node @ NodeId::Server(_), stream, octets) => {
                let Some(talk) = self.talks.get_mut(stream) else { return Ok(()) };
                for octets in talk.said.push(octets) {
                    self.exercised += 1;
                    talk.says(&octets).map_err(|what| format!("{node} on {stream}: {what}"))?;
                }
            }
            Observed::Left(node, stream, close) => {
                let Some(talk) = self.talks.get(stream) else { return Ok(()) };
                talk.is_left(*close).map_err(|what| format!("{node} leaves {stream} ({close:?}): {what}"))?;
            }
            Observed::Over(stream) => _ = self.talks.remove(stream),
            _ => {}
        }
        Ok(())
    }

    fn exercised(&self) -> u64 {
        self.exercised
    }
}

impl Talk {
    fn hears(&mut self, octets: &[u8]) {
        let Some(&[kind, a, b, c]) = octets.first_chunk() else { return };
        let conversation = self.conversations.entry([a, b, c]).or_default();
        match kind {
            told::LEASEQUERY | told::ACTIVE => conversation.asked += 1,
            told::START_TLS => conversation.tls_asked += 1,
            _ => {}
        }
        let Some(message) = message(octets) else { return };
        conversation.requestors.extend(only(&message.options, option::CLIENTID).map(<[u8]>::to_vec));
        conversation.wants_time.insert(wants_time(&message));
    }

    fn says(&mut self, octets: &[u8]) -> Result<(), String> {
        let message =
            message(octets).ok_or_else(|| format!("{} octets that are no message", octets.len()))?;
        let id = message.id;
        let Some(conversation) = self.conversations.get_mut(&id) else {
            return Err(format!("an answer ({}) to {id:02x?}, which nobody has asked", message.kind));
        };
        if let [wants_time] = conversation.wants_time.iter().copied().collect::<Vec<_>>()[..]
            && message.kind != told::PLAIN_REPLY
            && (all(&message.options, option::LQ_BASE_TIME).len() == 1) != wants_time
        {
            return Err(format!("{id:02x?} wants the time ({wants_time}), and is answered otherwise"));
        }
        let said = match message.kind {
            told::REPLY => conversation.reply(&message, self.server),
            told::DATA => conversation.data(&message),
            told::DONE => conversation.done(&message),
            told::PLAIN_REPLY => conversation.tls(),
            kind => Err(format!("a message of type {kind}")),
        };
        said.map_err(|what| format!("{id:02x?}: {what}"))?;
        let goes_on = message.kind == told::DATA || message.kind == told::REPLY && conversation.is_streaming;
        if self.is_terminated && goes_on {
            return Err(format!("{id:02x?} goes on after a query has been terminated"));
        }
        self.is_terminated |= message.kind == told::DONE && told::error_status(&message.options).is_some();
        Ok(())
    }

    /// In good order nothing is left in the middle, and where all has been answered, all has been.
    fn is_left(&self, close: Close) -> Result<(), String> {
        let is_orderly =
            matches!(close, Close::PeerDone | Close::Answered | Close::Terminated | Close::Refused);
        let has_answered_all = matches!(close, Close::PeerDone | Close::Answered);
        if is_orderly && self.said.has_rest() {
            return Err("half a message was said".to_owned());
        }
        for (id, conversation) in &self.conversations {
            let Conversation { asked, answered, is_streaming, .. } = conversation;
            if is_orderly && *is_streaming {
                return Err(format!("{id:02x?} has not been ended"));
            }
            if has_answered_all && *asked > 0 && *answered == 0 {
                return Err(format!("{id:02x?} has not been answered"));
            }
        }
        Ok(())
    }
}

impl Conversation {
    fn reply(&mut self, message: &Message<'_>, server: usize) -> Result<(), String> {
        let options = &message.options;
        self.answered += 1;
        if self.is_streaming {
            return Err("a second LEASEQUERY-REPLY in the middle".to_owned());
        }
        if self.answered > self.asked {
            return Err(format!("{} LEASEQUERY-REPLYs to {} queries", self.answered, self.asked));
        }
        if only(options, option::SERVERID) != Some(addresses::server_id(server).octets()) {
            return Err("a LEASEQUERY-REPLY without this server's DUID".to_owned());
        }
        if !only(options, option::CLIENTID).is_some_and(|duid| self.requestors.contains(duid)) {
            return Err("a LEASEQUERY-REPLY without the requestor's DUID".to_owned());
        }
        let clients = all(options, option::CLIENT_DATA).len();
        let statuses = all(options, option::STATUS_CODE).len();
        self.is_streaming = clients == 1;
        match (clients, statuses) {
            (0, 0 | 1) | (1, 0) if options.len() <= 4 && all(options, option::LQ_CLIENT_LINK).is_empty() => {
                Ok(())
            }
            _ => Err(format!(
                "a LEASEQUERY-REPLY with {clients} clients, {statuses} statuses, {} options",
                options.len()
            )),
        }
    }

    fn data(&self, message: &Message<'_>) -> Result<(), String> {
        if !self.is_streaming {
            return Err("LEASEQUERY-DATA before the LEASEQUERY-REPLY or after the end".to_owned());
        }
        holds_only(message, option::CLIENT_DATA, 1)
    }

    fn done(&mut self, message: &Message<'_>) -> Result<(), String> {
        if !self.is_streaming {
            return Err("LEASEQUERY-DONE without any client before".to_owned());
        }
        self.is_streaming = false;
        let statuses = all(&message.options, option::STATUS_CODE).len();
        holds_only(message, option::STATUS_CODE, statuses.min(1))
    }

    fn tls(&mut self) -> Result<(), String> {
        self.tls_answered += 1;
        if self.tls_answered > self.tls_asked {
            Err("a REPLY that nobody asked for".to_owned())
        } else {
            Ok(())
        }
    }
}

/// Nothing but so many of this option, and perhaps the time.
fn holds_only(message: &Message<'_>, code: u16, count: usize) -> Result<(), String> {
    let others = message.options.iter().filter(|(its, _)| *its != code && *its != option::LQ_BASE_TIME);
    let codes: Vec<u16> = others.map(|(code, _)| *code).collect();
    let found = all(&message.options, code).len();
    if found == count && codes.is_empty() {
        return Ok(());
    }
    Err(format!("a message of type {} with {found} times option {code} and options {codes:?}", message.kind))
}

/// LQ_BASE_TIME is asked for in an ORO of the message, or of the query.
fn wants_time(message: &Message<'_>) -> bool {
    let query =
        all(&message.options, option::LQ_QUERY).first().and_then(|data| told::options(data.get(17..)?));
    let asks = |options: &[(u16, &[u8])]| {
        let oro = only(options, option::ORO).filter(|data| data.len() % 2 == 0);
        oro.is_some_and(|data| data.chunks(2).any(|code| code == option::LQ_BASE_TIME.to_be_bytes()))
    };
    asks(&message.options) || query.is_some_and(|options| asks(&options))
}
