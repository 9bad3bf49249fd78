//! How a server is asked for what was delegated through this relay.
//!
//! By Relay-ID one question covers every port, present or not. By link-address and by Remote-ID a
//! question covers only the ports that it names, and an answer to it is evidence for no others.

use std::collections::BTreeMap;
use std::fmt;

use requestor::Question;
use wire::{Duid, OptionCode};

use super::place::names_a_link;
use crate::ports::{Port, PortId, Ports};

/// By what a server finds the clients of this relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// By the relay's DUID; only if its Relay-forwards bore it, and the server wrote it down.
    RelayId,
    /// By the link-addresses of its ports.
    LinkAddress,
    /// By the Remote-IDs of its ports.
    RemoteId,
}

impl Method {
    /// The word for it in configuration and output.
    pub fn name(self) -> &'static str {
        match self {
            Self::RelayId => "relay-id",
            Self::LinkAddress => "link",
            Self::RemoteId => "remote-id",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A question, and what a whole answer to it is evidence of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inquiry {
    /// The question.
    pub question: Question,
    /// What is asked about.
    pub about: About,
}

/// What a question asks about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// All clients of this relay.
    Everything,
    /// The clients of these ports.
    Ports(Vec<PortId>),
}

/// The questions to ask by this method, each of them once. There is none by link or Remote-ID while no
/// port has such a thing.
pub fn inquiries(method: Method, relay_id: &Duid, ports: &Ports) -> Vec<Inquiry> {
    match method {
        Method::RelayId => {
            vec![Inquiry::new(Question::by_relay(relay_id.clone()), About::Everything)]
        }
        Method::LinkAddress => for_each_key(ports, link_of, |link| Question::by_link(*link).ok()),
        Method::RemoteId => for_each_key(ports, remote_id_of, |(enterprise, value)| {
            Question::by_remote(*enterprise, value).ok()
        }),
    }
}

impl Inquiry {
    /// Without the relay data nothing of an answer could be placed.
    fn new(question: Question, about: About) -> Self {
        Self { question: question.requesting(&[OptionCode::LQ_RELAY_DATA]), about }
    }
}

/// Ports with the same key are asked about together.
fn for_each_key<'a, K: Ord>(
    ports: &'a Ports,
    key_of: impl Fn(&'a Port) -> Option<K>,
    ask: impl Fn(&K) -> Option<Question>,
) -> Vec<Inquiry> {
    let mut by_key: BTreeMap<K, Vec<PortId>> = BTreeMap::new();
    for (id, port) in ports.all_present() {
        if let Some(key) = key_of(port) {
            by_key.entry(key).or_default().push(id);
        }
    }
    let asked = by_key.into_iter().filter_map(|(key, ports)| Some((ask(&key)?, ports)));
    asked.map(|(question, ports)| Inquiry::new(question, About::Ports(ports))).collect()
}

/// The very address that the port's Relay-forwards bear: some servers compare for equality.
fn link_of(port: &Port) -> Option<std::net::Ipv6Addr> {
    Some(port.link_address).filter(|address| names_a_link(*address))
}

fn remote_id_of(port: &Port) -> Option<(u32, &[u8])> {
    port.remote_id.as_ref().map(|remote_id| (remote_id.enterprise, &*remote_id.value))
}
