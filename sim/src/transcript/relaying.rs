//! What a transcript says of a relay: its ports, and what it does with what comes by them.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;

use relay::recovery::{self, Method, Territory};
use relay::{EchoRequest, PacedPort, Port, PortRules, RemoteId, RouteRules, Setup, SuppliedOptions, Terms};
use requestor::limits::CONNECT_TIMEOUT;
use wire::{Duid, OptionCode, Options};

use super::cast::Cast;
use super::fault::Fault;
use super::lines::Line;
use super::message::{self, Context, Purpose};
use super::octets;
use super::site;
use super::value::Bindings;
use super::words::Words;
use crate::nodes::relay as relay_node;
use crate::plan::LinkNumber;

/// A relay, as written.
#[derive(Debug)]
pub(super) struct RelaySite {
    pub(super) setup: Setup,
    pub(super) ports: Vec<(Port, u16)>,
}

/// What may be said of a relay.
const SETTINGS: [&str; 16] = [
    "port",
    "no relay-id",
    "remembers",
    "host routes",
    "no routes",
    "aggregate",
    "closes aggregates",
    "echo",
    "supplies",
    "refuses supplied options",
    "source port",
    "accepts",
    "asks",
    "unique clients",
    "refreshes every",
    "data timeout",
];

/// Reads what is said of a relay.
pub(super) fn relay(
    duid: Duid,
    line: &Line,
    cast: &Cast,
    segments: &mut BTreeMap<String, u16>,
) -> Result<RelaySite, Fault> {
    let terms = Terms { relay_id: Some(duid.clone()), ..Terms::default() };
    let territory = Territory { prefixes: Vec::new(), addresses: None };
    let mut recovery = recovery::Terms { territory, ..recovery::Terms::new(duid, Vec::new()) };
    recovery.methods = Vec::new();
    let setup = Setup {
        terms,
        recovery,
        routes: Some(RouteRules::default()),
        host_routes: false,
        unique_clients: false,
        remembers: false,
    };
    let mut site = RelaySite { setup, ports: Vec::new() };
    for line in &line.inside {
        let mut words = Words::new(line.number, &line.text);
        if words.take("port") {
            let port = port(line, &mut words, segments)?;
            site.ports.push(port);
        } else if !site.setting(line, &mut words, cast)? {
            return Err(Fault::unknown(line.number, &line.text, SETTINGS));
        }
        words.end()?;
    }
    Ok(site)
}

impl RelaySite {
    fn setting(&mut self, line: &Line, w: &mut Words<'_>, cast: &Cast) -> Result<bool, Fault> {
        let Setup { terms, recovery, routes, host_routes, unique_clients, remembers } = &mut self.setup;
        if w.take("no relay-id") {
            terms.relay_id = None;
        } else if w.take("remembers") {
            *remembers = true;
        } else if w.take("host routes") {
            *host_routes = true;
        } else if w.take("unique clients") {
            *unique_clients = true;
        } else if w.take("no routes") {
            *routes = None;
        } else if w.take("aggregate") {
            routes.get_or_insert_default().aggregates.push(w.prefix()?);
        } else if w.take("closes aggregates") {
            routes.get_or_insert_default().closes_aggregates = true;
        } else if w.take("echo") {
            let mut codes: Vec<OptionCode> = Vec::new();
            while !w.is_empty() {
                codes.push(w.parse("the name of an option")?);
            }
            terms.echo_request = EchoRequest::new(codes)
                .map_err(|error| Fault::new(line.number, error.to_string(), "others"))?;
        } else if w.take("supplies") {
            terms.supplied = supplied(line, cast)?;
        } else if w.take("refuses supplied options") {
            terms.refuses_supplied_options = true;
        } else if w.take("source port") {
            terms.source_port = w.number()?;
        } else if w.take("accepts") {
            while let Some(name) = w.peek() {
                w.next("")?;
                let address = cast.address(name).or_else(|| name.parse().ok());
                terms.accepted_servers.extend(address);
            }
        } else if w.take("asks") {
            while !w.is_empty() {
                recovery.methods.push(match w.next("relay-id, link or remote-id")? {
                    "relay-id" => Method::RelayId,
                    "link" => Method::LinkAddress,
                    "remote-id" => Method::RemoteId,
                    other => return Err(Fault::unknown(w.line, other, ["relay-id", "link", "remote-id"])),
                });
            }
        } else if w.take("refreshes every") {
            recovery.refresh_every = Some(w.duration()?);
        } else if w.take("data timeout") {
            recovery.data_timeout = w.duration()?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }
}

fn supplied(line: &Line, cast: &Cast) -> Result<SuppliedOptions, Fault> {
    let contents = message::contents(&line.inside, Context { cast, purpose: Purpose::Sent })?;
    let wrong = |what: String| Fault::new(line.number, what, "options that a relay may supply");
    let octets = octets::encode_options(&contents, &Bindings::new()).map_err(wrong)?;
    let options = Options::new(&octets).expect("they have just been written");
    SuppliedOptions::new(options.iter()).map_err(|error| wrong(error.to_string()))
}

/// What may be said of a port.
const PORT_SETTINGS: [&str; 8] = [
    "interface-id",
    "remote-id",
    "subscriber-id",
    "no relays",
    "leasequery",
    "unicast",
    "delegations per client",
    "delegations",
];

fn port(line: &Line, w: &mut Words<'_>, segments: &mut BTreeMap<String, u16>) -> Result<(Port, u16), Fault> {
    let name = w.next("the name of a port")?;
    w.expect("on")?;
    let segment: LinkNumber = site::segment(segments, w.next("the name of a segment")?).0;
    w.expect("at")?;
    let link_address = w.address()?;
    let mut port = plain_port(name, segment, link_address);
    for line in &line.inside {
        let mut words = Words::new(line.number, &line.text);
        if !of_port(&mut port, &mut words)? {
            return Err(Fault::unknown(line.number, &line.text, PORT_SETTINGS));
        }
        words.end()?;
    }
    Ok((port, segment))
}

/// A bridge with a lightweight relay, as written.
#[derive(Debug)]
pub(super) struct BridgeSite {
    pub(super) network: u16,
    pub(super) terms: Terms,
    pub(super) ports: Vec<(PacedPort, u16)>,
}

/// Reads what is said of a lightweight relay, behind its name: the segment of the network, and its ports.
pub(super) fn bridge(
    line: &Line,
    w: &mut Words<'_>,
    segments: &mut BTreeMap<String, u16>,
) -> Result<BridgeSite, Fault> {
    w.expect("facing")?;
    let network = site::segment(segments, w.next("the name of a segment")?).0;
    let mut site = BridgeSite { network, terms: Terms::default(), ports: Vec::new() };
    for line in &line.inside {
        let mut words = Words::new(line.number, &line.text);
        words.expect("port")?;
        let name = words.next("the name of a port")?;
        words.expect("on")?;
        let segment = site::segment(segments, words.next("the name of a segment")?).0;
        words.end()?;
        let mut port = plain_port(name, segment, Ipv6Addr::UNSPECIFIED);
        let mut messages_per_second = None;
        for line in &line.inside {
            let mut words = Words::new(line.number, &line.text);
            if words.take("rate") {
                messages_per_second = Some(words.number()?);
                words.expect("each second")?;
            } else if !of_port(&mut port, &mut words)? {
                return Err(Fault::unknown(
                    line.number,
                    &line.text,
                    PORT_SETTINGS.into_iter().chain(["rate"]),
                ));
            }
            words.end()?;
        }
        site.ports.push((PacedPort { port, messages_per_second }, segment));
    }
    Ok(site)
}

fn plain_port(name: &str, segment: LinkNumber, link_address: Ipv6Addr) -> Port {
    Port {
        index: relay_node::first_index(segment),
        name: name.to_owned(),
        interface_id: name.as_bytes().into(),
        link_address,
        addresses: vec![link_address],
        remote_id: None,
        subscriber_id: None,
        rules: PortRules::default(),
    }
}

fn of_port(port: &mut Port, w: &mut Words<'_>) -> Result<bool, Fault> {
    let rules = &mut port.rules;
    if w.take("interface-id") {
        port.interface_id = w.octets()?.into();
    } else if w.take("remote-id") {
        port.remote_id = Some(RemoteId { enterprise: w.number()?, value: w.octets()?.into() });
    } else if w.take("subscriber-id") {
        port.subscriber_id = Some(w.octets()?.into());
    } else if w.take("no relays") {
        rules.accepts_relays = false;
    } else if w.take("leasequery") {
        rules.accepts_leasequery = true;
    } else if w.take("unicast") {
        rules.accepts_unicast = true;
    } else if w.take("delegations per client") {
        rules.max_delegations_per_client = w.number()?;
    } else if w.take("delegations") {
        rules.max_delegations = w.number()?;
    } else {
        return Ok(false);
    }
    Ok(true)
}

/// Changes of routes that the kernel makes at once: all that a transcript brings about.
const BATCH: usize = 512;

impl RelaySite {
    /// As the relay goes by it, with every server asked if there is a way to ask.
    pub(super) fn with_servers(&self, servers: usize) -> relay_node::Setup {
        let mut agent = self.setup.clone();
        agent.recovery.servers = vec![!agent.recovery.methods.is_empty(); servers];
        relay_node::Setup {
            agent,
            servers: (0..servers).collect(),
            ports: self.ports.iter().map(|(port, segment)| (*segment, port.clone())).collect(),
            connect_timeout: CONNECT_TIMEOUT,
            batch: BATCH,
        }
    }
}
