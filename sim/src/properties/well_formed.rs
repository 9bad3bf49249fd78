//! Every datagram that a node of ours sends says what it means: it decodes to the last octet, every option of it
//! by its own rules, and encodes again to the same octets; what a relay carries it carries unchanged, towards the
//! server and back; and a server says nothing but in answer to what it has heard.

use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv6Addr;
use std::time::Duration;

use wire::{
    ClientMessage, DhcpOption, Message, MessageType, OptionCode, Options, RelayMessage, TransactionId, Writer,
};
use world::Instant;

use super::Property;
use crate::nodes::NodeId;
use crate::plan::addresses;
use crate::reading::innermost;
use crate::universe::{Datagram, Observed, Universe};

/// Octets of a datagram at the most: what its length can say, less UDP's header.
const MAX_OCTETS: usize = 65_527;
/// How long what was heard may be answered.
const MEMORY: Duration = Duration::from_secs(60);

/// Remembers what was heard.
#[derive(Debug, Default)]
pub(super) struct WellFormed {
    /// What has come to each relay last.
    at_relay: BTreeMap<NodeId, (Instant, Datagram)>,
    at_server: BTreeMap<(NodeId, TransactionId), VecDeque<(Instant, Datagram)>>,
    order: VecDeque<(Instant, (NodeId, TransactionId))>,
    exercised: u64,
}

impl Property for WellFormed {
    fn name(&self) -> &'static str {
        "well-formed"
    }

    fn observe(&mut self, observed: &Observed, universe: &Universe) -> Result<(), String> {
        match observed {
            Observed::Arriving(node @ NodeId::Relay(_), datagram) => {
                self.at_relay.insert(*node, (universe.now(), datagram.clone()));
                Ok(())
            }
            Observed::Arriving(node @ NodeId::Server(_), datagram) => {
                self.heard(*node, datagram, universe.now());
                Ok(())
            }
            Observed::Sent(datagram) if is_ours(datagram.sender, universe) => {
                self.exercised += 1;
                self.judge(datagram, universe).map_err(|what| format!("{} sends {what}", datagram.sender))
            }
            _ => Ok(()),
        }
    }

    fn exercised(&self) -> u64 {
        self.exercised
    }
}

/// Whether a node means to keep to the standard.
fn is_ours(node: NodeId, universe: &Universe) -> bool {
    match node {
        NodeId::Server(_) | NodeId::Relay(_) | NodeId::Client(_) => true,
        NodeId::Requestor(number) => universe.nodes.requestors[number].is_honest(),
        NodeId::Vandal(_) | NodeId::Guest(_) => false,
    }
}

impl WellFormed {
    fn heard(&mut self, node: NodeId, datagram: &Datagram, now: Instant) {
        let Ok(message) = ClientMessage::decode(innermost(&datagram.octets).0) else { return };
        let key = (node, message.transaction_id);
        self.at_server.entry(key).or_default().push_back((now, datagram.clone()));
        self.order.push_back((now, key));
        while let Some((_, old)) = self.order.pop_front_if(|(at, _)| now.since(*at) > MEMORY) {
            if let Some(heard) = self.at_server.get_mut(&old) {
                heard.pop_front();
                if heard.is_empty() {
                    self.at_server.remove(&old);
                }
            }
        }
    }

    fn judge(&self, datagram: &Datagram, universe: &Universe) -> Result<(), String> {
        if datagram.octets.len() > MAX_OCTETS {
            return Err(format!("{} octets", datagram.octets.len()));
        }
        match datagram.sender {
            NodeId::Relay(_) => self.judge_relay(datagram, universe.now()),
            NodeId::Server(number) => {
                judge_message(&datagram.octets)?;
                self.judge_answer(number, datagram)
            }
            _ => judge_message(&datagram.octets),
        }
    }
}

/// Relays: what they carry is somebody else's, so only what is theirs is judged by its inside.
impl WellFormed {
    fn judge_relay(&self, sent: &Datagram, now: Instant) -> Result<(), String> {
        let heard = self.at_relay.get(&sent.sender).filter(|(at, _)| *at == now).map(|(_, heard)| heard);
        let heard = heard.ok_or("something of its own accord")?;
        if sent.octets.first() == Some(&(MessageType::RelayForward as u8)) {
            let level = level(&sent.octets)?;
            let is_relayed = heard.octets.first() == Some(&(MessageType::RelayForward as u8));
            let hop_count = if is_relayed { heard.octets[1] + 1 } else { 0 };
            if level.hop_count != hop_count || level.peer_address != heard.source {
                return Err("a Relay-forward with a header of its own invention".to_owned());
            }
            let inside = level.options.first(OptionCode::RELAY_MSG);
            if inside != Some(&heard.octets) {
                return Err("a Relay-forward around something else than it has heard".to_owned());
            }
            return judge_options(level.options, |code| code == OptionCode::RELAY_MSG);
        }
        let level = level(&heard.octets)?;
        let inside = level.options.first(OptionCode::RELAY_MSG);
        if level.message_type != MessageType::RelayReply || inside != Some(&sent.octets) {
            return Err("something else than was in the Relay-reply".to_owned());
        }
        if level.peer_address != sent.destination {
            return Err("to somebody else than the Relay-reply says".to_owned());
        }
        Ok(())
    }
}

fn level(octets: &[u8]) -> Result<RelayMessage<'_>, String> {
    RelayMessage::decode(octets).map_err(|error| format!("or hears no relay message: {error}"))
}

/// Servers: there is a question for every answer.
impl WellFormed {
    fn judge_answer(&self, number: usize, sent: &Datagram) -> Result<(), String> {
        let (message, _) = innermost(&sent.octets);
        let answer = ClientMessage::decode(message).map_err(|error| error.to_string())?;
        if answer.message_type == MessageType::Reconfigure {
            return Ok(());
        }
        let server_id = answer.options.first(OptionCode::SERVERID);
        if server_id != Some(addresses::server_id(number).octets()) {
            return Err(format!("{} under another name", answer.message_type));
        }
        let heard = self.at_server.get(&(sent.sender, answer.transaction_id)).into_iter().flatten();
        let mut heard = heard.map(|(_, datagram)| datagram);
        if heard.any(|datagram| is_answered_by(datagram, sent, &answer)) {
            return Ok(());
        }
        Err(format!("{} {} which answers nothing", answer.message_type, answer.transaction_id))
    }
}

fn is_answered_by(heard: &Datagram, sent: &Datagram, answer: &ClientMessage<'_>) -> bool {
    let Ok(question) = ClientMessage::decode(innermost(&heard.octets).0) else { return false };
    heard.source == sent.destination
        && question.options.first(OptionCode::CLIENTID) == answer.options.first(OptionCode::CLIENTID)
        && fits(&question, answer)
        && path(&heard.octets) == path(&sent.octets)
}

/// Which answer there is to what (RFC 9915 §18.3, RFC 5007 §4).
fn fits(question: &ClientMessage<'_>, answer: &ClientMessage<'_>) -> bool {
    use MessageType as M;
    let is_rapid = |message: &ClientMessage<'_>| message.options.has(OptionCode::RAPID_COMMIT);
    match (question.message_type, answer.message_type) {
        (M::Solicit, M::Advertise) => !is_rapid(answer),
        (M::Solicit, M::Reply) => is_rapid(question) && is_rapid(answer),
        (
            M::Request | M::Renew | M::Rebind | M::Confirm | M::Release | M::Decline | M::InformationRequest,
            M::Reply,
        ) => !is_rapid(answer),
        (M::LeaseQuery, M::LeaseQueryReply) => true,
        _ => false,
    }
}

/// A relay's level, but for what it carries.
#[derive(PartialEq, Eq)]
struct Hop<'a> {
    hop_count: u8,
    link_address: Ipv6Addr,
    peer_address: Ipv6Addr,
    interface_id: Option<&'a [u8]>,
}

/// What of every relay's level comes back as it went (RFC 9915 §18.3.10, §19.3).
fn path(mut octets: &[u8]) -> Vec<Hop<'_>> {
    let mut path = Vec::new();
    while let Ok(level) = RelayMessage::decode(octets) {
        let interface_id = level.options.first(OptionCode::INTERFACE_ID);
        path.push(Hop {
            hop_count: level.hop_count,
            link_address: level.link_address,
            peer_address: level.peer_address,
            interface_id,
        });
        octets = level.options.first(OptionCode::RELAY_MSG).unwrap_or_default();
    }
    path
}

fn judge_message(octets: &[u8]) -> Result<(), String> {
    let message = Message::decode(octets).map_err(|error| format!("what does not decode: {error}"))?;
    let mut again = Vec::with_capacity(octets.len());
    let mut writer = Writer::new(&mut again);
    message.encode(&mut writer);
    writer.finish().map_err(|error| error.to_string())?;
    if again != octets {
        return Err("what is encoded otherwise again".to_owned());
    }
    judge_options(message.options(), |_| false)
}

fn judge_options(options: Options<'_>, is_foreign: impl Fn(OptionCode) -> bool + Copy) -> Result<(), String> {
    for raw in options.iter().filter(|raw| !is_foreign(raw.code)) {
        let option =
            DhcpOption::decode(raw).map_err(|error| format!("{} that is none: {error}", raw.code))?;
        let mut again = Vec::with_capacity(raw.data.len() + 4);
        let mut writer = Writer::new(&mut again);
        option.encode(&mut writer);
        writer.finish().map_err(|error| error.to_string())?;
        if again.get(4..) != Some(raw.data) {
            return Err(format!("{} that is encoded otherwise again", raw.code));
        }
        match option {
            DhcpOption::IaNa(ia) | DhcpOption::IaPd(ia) => judge_options(ia.options, is_foreign)?,
            DhcpOption::IaAddress(inside) => judge_options(inside.options, is_foreign)?,
            DhcpOption::IaPrefix(inside) => judge_options(inside.options, is_foreign)?,
            DhcpOption::ClientData(inside) => judge_options(inside, is_foreign)?,
            DhcpOption::RelayMessage(inside) => judge_message(inside)?,
            _ => {}
        }
    }
    Ok(())
}
