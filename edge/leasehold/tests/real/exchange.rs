//! What was said, read out of the captured messages with our own codec.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use wire::{
    ClientMessage, DhcpOption, Duid, Ia, Message, MessageType, RawOption, RelayMessage, TransactionId,
};

/// Addresses and prefixes, as text of one form: `2001:db8:1::1000`, `2001:db8:f000:100::/56`.
pub(crate) type Resources = BTreeSet<String>;

/// Seconds that an answer gives with a lease.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Terms {
    pub(crate) t1_secs: u32,
    pub(crate) t2_secs: u32,
    pub(crate) preferred_secs: u32,
    pub(crate) valid_secs: u32,
}

/// A message of a client or to one, without the relays around it.
#[derive(Debug, Clone)]
pub(crate) struct Utterance {
    pub(crate) message_type: MessageType,
    pub(crate) transaction: TransactionId,
    pub(crate) client: Option<Duid>,
    /// What it names; of an answer, what it grants: without what it says is over.
    pub(crate) resources: Resources,
    /// With what it grants that, each of them once.
    pub(crate) terms: BTreeSet<Terms>,
    /// The relays around it, outermost first, as `leasehold query` shows them.
    pub(crate) path: Vec<Value>,
}

impl Utterance {
    fn read(octets: &[u8]) -> Self {
        let (mut octets, mut path) = (octets, Vec::new());
        let message = loop {
            match Message::decode(octets).expect("we can read it") {
                Message::Client(message) => break message,
                Message::Relay(message) => {
                    path.push(hop(&message));
                    octets = message.relayed().expect("at most one").expect("a relay message");
                }
            }
        };
        let ClientMessage { message_type, transaction_id: transaction, options } = message;
        let client = options.client_id().expect("at most one").map(|duid| duid.to_duid());
        let mut said = Self {
            message_type,
            transaction,
            client,
            resources: Resources::new(),
            terms: BTreeSet::new(),
            path,
        };
        for raw in options.iter() {
            if let DhcpOption::IaNa(ia) | DhcpOption::IaPd(ia) = decode(raw) {
                said.collect(&ia);
            }
        }
        said
    }

    fn collect(&mut self, ia: &Ia<'_>) {
        for raw in ia.options.iter() {
            let (resource, preferred_secs, valid_secs) = match decode(raw) {
                DhcpOption::IaAddress(it) => (it.address.to_string(), it.preferred_secs, it.valid_secs),
                DhcpOption::IaPrefix(it) => (it.prefix.to_string(), it.preferred_secs, it.valid_secs),
                _ => continue,
            };
            if valid_secs > 0 || !self.is_answer() {
                let Ia { t1_secs, t2_secs, .. } = *ia;
                self.resources.insert(resource);
                self.terms.insert(Terms { t1_secs, t2_secs, preferred_secs, valid_secs });
            }
        }
    }

    /// Whether the server says it.
    pub(crate) fn is_answer(&self) -> bool {
        matches!(self.message_type, MessageType::Advertise | MessageType::Reply)
    }
}

fn hop(message: &RelayMessage<'_>) -> Value {
    let mut hop = json!({
        "link_address": message.link_address, "peer_address": message.peer_address,
        "interface_id": null, "interface_text": null, "remote_id": null, "relay_id": null,
    });
    let hex = |octets: &[u8]| octets.iter().map(|octet| format!("{octet:02x}")).collect::<String>();
    for raw in message.options.iter() {
        match decode(raw) {
            DhcpOption::InterfaceId(id) => {
                hop["interface_id"] = hex(id).into();
                let is_printable = !id.is_empty() && id.iter().all(|octet| (b' '..=b'~').contains(octet));
                hop["interface_text"] = is_printable.then(|| String::from_utf8_lossy(id)).into();
            }
            DhcpOption::RemoteId { enterprise, remote_id } => {
                hop["remote_id"] = format!("{enterprise}:{}", hex(remote_id)).into();
            }
            DhcpOption::RelayId(duid) => hop["relay_id"] = duid.to_duid().to_string().into(),
            _ => {}
        }
    }
    hop
}

fn decode(raw: RawOption<'_>) -> DhcpOption<'_> {
    DhcpOption::decode(raw).expect("every option decodes")
}

/// What clients and the server have said, in order, leasequeries left out.
pub(crate) fn utterances(messages: &[Vec<u8>]) -> Vec<Utterance> {
    let is_leasequery = |said: &Utterance| {
        matches!(said.message_type, MessageType::LeaseQuery | MessageType::LeaseQueryReply)
    };
    messages.iter().map(|octets| Utterance::read(octets)).filter(|said| !is_leasequery(said)).collect()
}

/// What clients named in messages of this type.
pub(crate) fn asked(said: &[Utterance], message_type: MessageType) -> Resources {
    let asking = said.iter().filter(|said| said.message_type == message_type);
    asking.flat_map(|said| said.resources.clone()).collect()
}

/// What clients named in messages of this type that were answered.
pub(crate) fn acknowledged(said: &[Utterance], message_type: MessageType) -> Resources {
    let answered = said.iter().filter(|asking| {
        let is_answer = |answer: &&Utterance| {
            answer.message_type == MessageType::Reply && answer.transaction == asking.transaction
        };
        asking.message_type == message_type && said.iter().any(|answer| is_answer(&answer))
    });
    answered.flat_map(|asking| asking.resources.clone()).collect()
}

/// What Replies to messages of this type granted.
pub(crate) fn granted(said: &[Utterance], message_type: MessageType) -> Resources {
    let replies = said.iter().filter(|reply| {
        let is_question = |asking: &&Utterance| {
            asking.message_type == message_type && asking.transaction == reply.transaction
        };
        reply.message_type == MessageType::Reply && said.iter().any(|asking| is_question(&asking))
    });
    replies.flat_map(|reply| reply.resources.clone()).collect()
}

/// How many messages of a transaction there were, retransmissions counted, and how many answers.
pub(crate) fn answers(said: &[Utterance], transaction: TransactionId) -> (usize, usize) {
    let of_it = said.iter().filter(|said| said.transaction == transaction);
    let answers = of_it.clone().filter(|said| said.is_answer()).count();
    (of_it.count() - answers, answers)
}
