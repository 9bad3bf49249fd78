//! Reading what has been sent, for those who judge and those who trace: as simple as can be, and none of it from
//! the code that is judged but the outline of messages.

use lease::Resource;
use wire::{ClientMessage, MessageType, OptionCode, RelayMessage, TransactionId};

/// The message inside all relay messages, and how many of those there are.
pub fn innermost(mut octets: &[u8]) -> (&[u8], usize) {
    let mut hops = 0;
    while let Ok(RelayMessage { options, .. }) = RelayMessage::decode(octets) {
        let Some(inner) = options.first(OptionCode::RELAY_MSG) else { break };
        (octets, hops) = (inner, hops + 1);
    }
    (octets, hops)
}

/// A client's transaction.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Transaction {
    client: Vec<u8>,
    id: TransactionId,
}

impl Transaction {
    /// The one that a message is of, if it says whose.
    pub fn of(octets: &[u8]) -> Option<Self> {
        let message = ClientMessage::decode(innermost(octets).0).ok()?;
        let client = message.options.client_id().ok()??.octets().to_vec();
        Some(Self { client, id: message.transaction_id })
    }
}

/// A lease as a message names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The message's client.
    pub client: Vec<u8>,
    /// The address or prefix.
    pub resource: Resource,
    /// Its valid lifetime there.
    pub valid_secs: u32,
}

/// The leases that a message names, if it is one of these types and says whose they are.
pub fn named(octets: &[u8], types: &[MessageType]) -> impl Iterator<Item = Named> {
    let message = ClientMessage::decode(innermost(octets).0).ok();
    let message = message.filter(|message| types.contains(&message.message_type));
    let options = message.map(|message| message.options).unwrap_or_default();
    let client = options.client_id().ok().flatten().map(|client| client.octets().to_vec());
    let ias = options.ias().filter_map(Result::ok);
    let leases = ias.flat_map(|(_, ia)| {
        let addresses = ia.options.ia_addresses().filter_map(Result::ok);
        let addresses = addresses.map(|held| (Resource::Address(held.address), held.valid_secs));
        let prefixes = ia.options.ia_prefixes().filter_map(Result::ok);
        addresses.chain(prefixes.map(|held| (Resource::Prefix(held.prefix), held.valid_secs)))
    });
    let named = client.map(|client| {
        leases.map(move |(resource, valid_secs)| Named { client: client.clone(), resource, valid_secs })
    });
    named.into_iter().flatten()
}
