//! The relay: `[relay]`.
//!
//! Everything under the heading is read here or in the part that has its name: where the servers
//! are (`servers`), how is learnt from them what was delegated (`recovery`), what the kernel is told of it
//! (`routes`), and what goes for the interfaces that clients are on (`interfaces`). What the parts
//! promise one another is checked last: no interface faces both clients and servers, and what is
//! asked for can be asked.

mod interfaces;
mod options;
mod recovery;
mod routes;
mod servers;

use ::relay::{EchoRequest, Terms};
use lease::InterfacePattern;
use wire::leasequery::QueryType;
use wire::{CLIENT_PORT, Duid, OptionCode, SERVER_PORT};

use super::duid;
use super::faults::Collector;
use super::interfaces::{overlap, pattern};
use super::toml_tree::{Item, Place, Table};

pub use interfaces::{ClientInterfaces, LinkAddress, RemoteId};
pub use options::SuppliedOption;
pub use recovery::Recovery;
pub(super) use routes::{FAMILIES, LOOP_POLICIES};
pub use routes::{Filter, FilterFamily, LoopPolicy, RouteTable, Routes};
pub use servers::Server;
pub(super) use servers::show_location;

pub(super) const MODES: [(&str, Mode); 2] = [("routed", Mode::Routed), ("lightweight", Mode::Lightweight)];

/// Keys that have a meaning only where there are addresses and routes.
const ROUTED_KEYS: [&str; 7] =
    ["listen-port", "source-port", "client-port", "unique-clients", "server", "recovery", "routes"];

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
    /// The UDP port that is sent from, and that servers answer to; another than `listen_port` goes with
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
    /// The interfaces that servers are on; Relay-replies come by no other, if there are any. In
    /// lightweight mode, those that face the network, of which there is one at least.
    pub upstream: Vec<InterfacePattern>,
    /// Whether Relay-replies are taken from the addresses of `servers` alone, which then has no group.
    pub listed_servers_only: bool,
    /// Where what clients say is sent, and who is asked; empty in lightweight mode alone. A
    /// `relay::ServerId` is a place in this list.
    pub servers: Vec<Server>,
    /// How delegations come back after a restart.
    pub recovery: Recovery,
    /// What the kernel is told of delegations; nothing, if `None`, and in lightweight mode.
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
            listed_servers_only: false,
            servers: vec![Server::default()],
            recovery: Recovery::default(),
            routes: Some(Routes::default()),
            interfaces: Vec::new(),
        }
    }
}

impl Relay {
    /// What goes for all messages; `relay_id` is the configured DUID, or the one that was made.
    ///
    /// # Panics
    ///
    /// If an option is in here that no file can have.
    pub fn terms(&self, relay_id: &Duid) -> Terms {
        let listed = self.servers.iter().filter(|_| self.listed_servers_only);
        Terms {
            relay_id: self.sends_relay_id.then(|| relay_id.clone()),
            client_port: self.client_port,
            relay_port: self.listen_port,
            source_port: self.source_port,
            accepted_servers: listed.map(|server| *server.address.ip()).collect(),
            refuses_supplied_options: self.refuses_supplied_options,
            supplied: options::supplied(&self.supplied_options).expect("unsuitable options are faults"),
            echo_request: EchoRequest::new(self.echo_request.iter().copied())
                .expect("unsuitable options are faults"),
        }
    }
}

/// Reads `[relay]`.
pub(super) fn read(item: &Item<'_>, faults: &mut Collector) -> Option<Relay> {
    let mut table = item.table(faults)?;
    let mut relay = Relay::default();
    table.read_into(&mut relay.mode, "mode", faults, |item, faults| item.word(&MODES, faults));
    read_sending(&mut table, &mut relay, faults);
    table.read("upstream", faults, |item, faults| read_upstream(item, &mut relay, faults));
    if relay.mode == Mode::Lightweight {
        without_meaning(relay.mode, &ROUTED_KEYS, &mut table, faults);
        if relay.upstream.is_empty() {
            let problem = "upstream.interfaces is missing";
            let remedy = "in [relay.upstream], add interfaces = [\"eth0\"] with those that face the network";
            faults.fault(table.place(), problem, remedy);
        }
        (relay.servers, relay.routes) = (Vec::new(), None);
    } else {
        read_routed(&mut table, &mut relay, faults);
    }
    let (mode, upstream) = (relay.mode, &relay.upstream);
    let interfaces =
        table.read("interface", faults, |item, faults| interfaces::read(item, mode, upstream, faults));
    if !table.has("interface") {
        faults.fault(table.place(), "interface is missing", interfaces::NAMES_REMEDY);
    }
    if let Some(interfaces) = interfaces {
        relay.interfaces = interfaces;
        check_questions(&relay, table.place(), faults);
    }
    table.finish(faults);
    Some(relay)
}

/// From which ports is sent, and what is added to what clients say.
fn read_sending(table: &mut Table<'_>, relay: &mut Relay, faults: &mut Collector) {
    let port = |item: &Item<'_>, faults: &mut Collector| item.number(1..=u16::MAX, faults);
    relay.relay_id = table.read("relay-id", faults, duid);
    table.read_into(&mut relay.sends_relay_id, "send-relay-id", faults, Item::boolean);
    table.read_into(&mut relay.listen_port, "listen-port", faults, port);
    relay.source_port = relay.listen_port;
    table.read_into(&mut relay.source_port, "source-port", faults, port);
    table.read_into(&mut relay.client_port, "client-port", faults, port);
    let link_layer = &mut relay.client_link_layer_address;
    table.read_into(link_layer, "client-link-layer-address", faults, Item::boolean);
    let refuses = &mut relay.refuses_supplied_options;
    table.read_into(refuses, "refuse-supplied-options", faults, Item::boolean);
    table.read_into(&mut relay.echo_request, "echo-request", faults, options::echo_request);
    table.read_into(&mut relay.supplied_options, "supplied-options", faults, options::supplied_options);
    table.read_into(&mut relay.unique_clients, "unique-clients", faults, Item::boolean);
}

fn read_upstream(item: &Item<'_>, relay: &mut Relay, faults: &mut Collector) -> Option<()> {
    let mut table = item.table(faults)?;
    table.read_into(&mut relay.upstream, "interfaces", faults, |list, faults| list.list_of(faults, pattern));
    table.read_into(&mut relay.listed_servers_only, "listed-servers-only", faults, Item::boolean);
    if relay.mode == Mode::Lightweight {
        without_meaning(relay.mode, &["listed-servers-only"], &mut table, faults);
    }
    table.finish(faults);
    Some(())
}

/// Where the servers are, how they are asked, and what follows for the kernel.
fn read_routed(table: &mut Table<'_>, relay: &mut Relay, faults: &mut Collector) {
    let usual = vec![(Server::default(), table.place().clone())];
    let servers = table.read("server", faults, servers::read);
    if servers.is_some() || !table.has("server") {
        let servers = servers.unwrap_or(usual);
        check_servers(&servers, relay, table.place(), faults);
        relay.servers = servers.into_iter().map(|(server, _)| server).collect();
    }
    table.read_into(&mut relay.recovery, "recovery", faults, recovery::read);
    table.read_into(&mut relay.routes, "routes", faults, routes::read);
    if !table.has("routes") {
        routes::note_absence(table.place(), faults);
    }
}

fn check_servers(servers: &[servers::Placed], relay: &Relay, whole: &Place, faults: &mut Collector) {
    for (server, place) in servers.iter().filter(|(server, _)| server.address.ip().is_multicast()) {
        let group = server.address.ip();
        if server.interface.is_none() && relay.upstream.is_empty() {
            let problem = format!("{group} is a group, and it is not said by which interfaces");
            let remedy = "in [relay.upstream], add interfaces = [\"eth0\"] with those that servers are on";
            faults.fault(place, problem, remedy);
        }
        if relay.listed_servers_only {
            let problem = format!("{group} is a group, and answers come from the addresses of its members");
            faults.fault(place, problem, "name each server, or leave listed-servers-only = true out");
        }
    }
    if servers.iter().all(|(server, _)| server.leasequery.is_none()) {
        let problem = "no server is asked what it has delegated, after a restart";
        let remedy =
            "add a [[relay.server]] with the address of each, and forward = false where it hears the group";
        faults.warning(whole, problem, remedy);
    }
}

/// Whether servers can know what they are asked by.
fn check_questions(relay: &Relay, place: &Place, faults: &mut Collector) {
    let asks_by = |query| relay.mode == Mode::Routed && relay.recovery.ask_by.contains(&query);
    if asks_by(QueryType::BY_RELAY_ID) && !relay.sends_relay_id {
        let problem = "recovery.ask-by has relay-id, which servers are not told";
        faults.fault(place, problem, "leave send-relay-id = false out, or ask by \"link\" or \"remote-id\"");
    }
    let has_remote_id = relay.interfaces.iter().any(|section| section.remote_id.is_some());
    if asks_by(QueryType::BY_REMOTE_ID) && !has_remote_id {
        let problem = "recovery.ask-by has remote-id, which no interface has";
        faults.fault(place, problem, "leave it out, or add remote-id to a [[relay.interface]]");
    }
}

/// Tells of every key that says nothing to a relay of this mode.
fn without_meaning(mode: Mode, keys: &[&'static str], table: &mut Table<'_>, faults: &mut Collector) {
    let (here, elsewhere) = match mode {
        Mode::Routed => ("routed", "lightweight"),
        Mode::Lightweight => ("lightweight", "routed"),
    };
    for key in keys {
        table.read(key, faults, |item, faults| {
            let remedy = format!("leave it out, or write mode = \"{elsewhere}\"");
            faults.fault(item.place(), format!("means nothing in {here} mode"), remedy);
            None::<()>
        });
    }
}
