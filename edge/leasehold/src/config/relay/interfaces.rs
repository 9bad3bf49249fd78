//! The interfaces that clients are on: `[[relay.interface]]`.

use std::net::Ipv6Addr;

use lease::InterfacePattern;
use relay::PortRules;
use wire::Prefix;

/// What goes for some interfaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientInterfaces {
    /// Which; at least one.
    pub names: Vec<InterfacePattern>,
    /// What their Interface-ID is made from.
    pub interface_id: String,
    /// What their Remote-ID is made from.
    pub remote_id: Option<RemoteId>,
    /// What their Subscriber-ID is made from.
    pub subscriber_id: Option<String>,
    /// What names their link.
    pub link_address: LinkAddress,
    /// What their clients may do.
    pub rules: PortRules,
    /// Messages a second that are taken from each, on the average; any number, if `None`.
    pub messages_per_second: Option<u32>,
}

/// What a Remote-ID is made from (RFC 4649).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteId {
    /// Whose numbering the value follows.
    pub enterprise: u32,
    /// The value.
    pub value: String,
}

/// What names the link of an interface in Relay-forwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkAddress {
    /// The lowest lasting address that the interface has: a global or unique-local one, else link-local.
    Lowest,
    /// The lowest one in this prefix.
    Within(Prefix),
    /// This one, whether or not the interface has it.
    Fixed(Ipv6Addr),
}
