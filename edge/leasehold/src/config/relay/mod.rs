//! The relay: `[relay]`.
//!
//! Everything under the heading is read here or in the part that has its name: where the servers
//! are (`servers`), how is learnt from them what was delegated (`recovery`), what the kernel is told of it
//! (`routes`), and what goes for the interfaces that clients are on (`interfaces`). What the parts
//! promise one another is checked last: no interface faces both clients and servers, and what is
//! asked for can be asked.

mod interfaces;
mod recovery;
mod routes;
mod servers;

use lease::InterfacePattern;
use wire::{CLIENT_PORT, Duid, OptionCode, SERVER_PORT};

pub use interfaces::{ClientInterfaces, LinkAddress, RemoteId};
pub use recovery::Recovery;
pub use routes::{Filter, FilterFamily, LoopPolicy, RouteTable, Routes};
pub use servers::Server;

/// What `leasehold relay` does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relay {
    /// Between networks, or inside a bridge.
    pub mode: Mode,
    /// The relay's DUID; without it, one is made once and kept in the state folder.
    pub relay_id: Option<Duid>,
    /// Whether servers are told the relay's DUID with every message (RFC 5460 §5.4.1).
    pub sends_relay_id: bool,
    /// The UDP port that clients and other relays send to.
    pub listen_port: u16,
    /// The UDP port that is sent from, and that servers answer to; another than 547 goes with
    /// RELAY_PORT (RFC 8357).
    pub source_port: u16,
    /// The UDP port of clients.
    pub client_port: u16,
    /// Whether servers are told the hardware address of clients (RFC 6939).
    pub client_link_layer_address: bool,
    /// Whether a Relay-forward with an RSOO is discarded (RFC 6422 §5).
    pub refuses_supplied_options: bool,
    /// Options that servers are to send back in the Relay-reply (RFC 4994).
    pub echo_request: Vec<OptionCode>,
    /// What is supplied for clients in an RSOO (RFC 6422); each code once.
    pub supplied_options: Vec<SuppliedOption>,
    /// Whether one DUID is at one port at a time, so that what it has elsewhere ends when it turns up
    /// anew (RFC 8987 G-4).
    pub unique_clients: bool,
    /// The interfaces that servers are on; Relay-replies come by no other, if there are any.
    pub upstream: Vec<InterfacePattern>,
    /// Where what clients say is sent, and who is asked; never empty. A `relay::ServerId` is a place in
    /// this list.
    pub servers: Vec<Server>,
    /// How delegations come back after a restart.
    pub recovery: Recovery,
    /// What the kernel is told of delegations; nothing, if `None`.
    pub routes: Option<Routes>,
    /// The interfaces that clients are on: of several that match a name, the first one counts.
    pub interfaces: Vec<ClientInterfaces>,
}

/// What kind of relay it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It has addresses, and forwards between networks (RFC 9915 §19).
    Routed,
    /// It has none, and sits in a bridge between clients and the network (RFC 6221).
    Lightweight,
}

/// An option that the relay proposes for clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuppliedOption {
    /// Which.
    pub code: OptionCode,
    /// What is in it.
    pub data: Box<[u8]>,
}

impl Default for Relay {
    /// What goes without saying; a file must name interfaces, and aggregates for the routes.
    fn default() -> Self {
        Self {
            mode: Mode::Routed,
            relay_id: None,
            sends_relay_id: true,
            listen_port: SERVER_PORT,
            source_port: SERVER_PORT,
            client_port: CLIENT_PORT,
            client_link_layer_address: true,
            refuses_supplied_options: false,
            echo_request: Vec::new(),
            supplied_options: Vec::new(),
            unique_clients: false,
            upstream: Vec::new(),
            servers: vec![Server::default()],
            recovery: Recovery::default(),
            routes: Some(Routes::default()),
            interfaces: Vec::new(),
        }
    }
}
