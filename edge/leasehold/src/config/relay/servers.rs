//! Servers: `[[relay.server]]`.

use std::net::{Ipv6Addr, SocketAddr, SocketAddrV6};

use wire::SERVER_PORT;

use super::super::addresses::address;
use super::super::faults::Collector;
use super::super::interfaces;
use super::super::toml_tree::{Item, Place, Table};
use crate::net::ALL_SERVERS;

/// Servers of one relay: what a client says is sent to each.
const MAX_SERVERS: usize = 64;

const ADDRESS_REMEDY: &str = "write \"2001:db8::1\", \"[2001:db8::1]:547\" or, with the interface that it is on, \
                              \"fe80::1%eth0\"";

/// A server, or a group of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// What it is called in what is shown; without it, by its address.
    pub name: Option<String>,
    /// Where it is: an address or a multicast group, and the port.
    pub address: SocketAddrV6,
    /// By which interface: of a link-local address always, of a group if not by all that are upstream.
    pub interface: Option<String>,
    /// Whether it is sent what clients say. If not, it is only asked.
    pub forwards: bool,
    /// Where it is asked for what it knows, by bulk leasequery; `None` if it is not asked. If that is
    /// link-local, the interface is the same.
    pub leasequery: Option<SocketAddrV6>,
    /// The address of ours that it is asked from; without it, the kernel chooses one.
    pub from: Option<Ipv6Addr>,
}

impl Default for Server {
    /// All_DHCP_Servers (RFC 9915 §19).
    fn default() -> Self {
        Self::at(SocketAddrV6::new(ALL_SERVERS, SERVER_PORT, 0, 0))
    }
}

impl Server {
    /// A server of which nothing but the address is said: a single one is asked at that address, too.
    pub fn at(address: SocketAddrV6) -> Self {
        let leasequery = (!address.ip().is_multicast()).then_some(address);
        Self { name: None, address, interface: None, forwards: true, leasequery, from: None }
    }

    /// What it is called in what is shown: its name, else its address.
    pub fn label(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.address.to_string())
    }
}

/// A server, and where it stands in the file.
pub(super) type Placed = (Server, Place);

/// Reads all servers.
pub(super) fn read(item: &Item<'_>, faults: &mut Collector) -> Option<Vec<Placed>> {
    let mut earlier: Vec<(Location, usize)> = Vec::new();
    let mut names: Vec<(String, usize)> = Vec::new();
    let servers = item.list_of(faults, |item, faults| {
        let (server, place) = server(item.table(faults)?, faults)?;
        let location = Location { address: server.address, interface: server.interface.clone() };
        note(&mut earlier, location, "the address of a server", &place, faults);
        if let Some(name) = &server.name {
            note(&mut names, name.clone(), "the name of a server", &place, faults);
        }
        Some((server, place))
    })?;
    if servers.is_empty() || servers.len() > MAX_SERVERS {
        let problem = format!("has {} servers", servers.len());
        let remedy = format!("name {MAX_SERVERS} at the most, or leave the key out to send to {ALL_SERVERS}");
        faults.fault(item.place(), problem, remedy);
    }
    if !servers.is_empty() && !servers.iter().any(|(server, _)| server.forwards) {
        let problem = "nobody is sent what clients say";
        faults.fault(item.place(), problem, "leave forward = false out at one server at least");
    }
    Some(servers)
}

fn note<T: PartialEq + std::fmt::Display>(
    earlier: &mut Vec<(T, usize)>,
    here: T,
    what: &str,
    place: &Place,
    faults: &mut Collector,
) {
    if let Some((_, line)) = earlier.iter().find(|(other, _)| *other == here) {
        let problem = format!("{here} is {what} in line {line} already");
        faults.fault(place, problem, "leave one of them out, or change it");
    }
    earlier.push((here, place.line));
}

fn server(mut table: Table<'_>, faults: &mut Collector) -> Option<Placed> {
    let place = table.place().clone();
    let name = table.read("name", faults, name);
    let location = table.require("address", "\"2001:db8::1\"", faults, server_location);
    let mut forwards = true;
    table.read_into(&mut forwards, "forward", faults, Item::boolean);
    let mut leasequery = location.as_ref().and_then(|location| Server::at(location.address).leasequery);
    table.read_into(&mut leasequery, "leasequery", faults, |item, faults| {
        where_asked(item, location.as_ref()?, faults)
    });
    let from = table.read("from", faults, |item, faults| {
        let from = address(item, faults)?;
        if from.is_multicast() || from.is_unspecified() {
            faults.fault(item.place(), format!("{from} is no address of this host"), "write one that is");
        } else if location.is_some() && leasequery.is_none() {
            let remedy = "say where with leasequery, or leave the key out";
            faults.fault(item.place(), "means nothing where nobody is asked", remedy);
        }
        Some(from)
    });
    table.finish(faults);
    let Location { address, interface } = location?;
    if !forwards && leasequery.is_none() {
        let remedy = "leave forward = false out, or say with leasequery where it is asked";
        faults.fault(&place, format!("{address} is sent nothing and asked nothing"), remedy);
    }
    Some((Server { name, address, interface, forwards, leasequery, from }, place))
}

fn name(item: &Item<'_>, faults: &mut Collector) -> Option<String> {
    let remedy = "write what you call the server, in one word";
    item.parse(faults, remedy, |text| match text {
        "" => Err("is empty".to_owned()),
        _ if text.contains(|c: char| c.is_control() || c.is_whitespace()) => {
            Err(format!("{text:?} is not one word"))
        }
        _ => Ok(text.to_owned()),
    })
}

/// Where a server is.
#[derive(Clone, PartialEq, Eq)]
struct Location {
    address: SocketAddrV6,
    interface: Option<String>,
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&show_location(self.address, self.interface.as_deref()))
    }
}

/// What reads as this place.
pub(in crate::config) fn show_location(address: SocketAddrV6, interface: Option<&str>) -> String {
    let (ip, port) = (address.ip(), address.port());
    let interface = interface.map(|interface| format!("%{interface}")).unwrap_or_default();
    if port == SERVER_PORT { format!("{ip}{interface}") } else { format!("[{ip}{interface}]:{port}") }
}

fn server_location(item: &Item<'_>, faults: &mut Collector) -> Option<Location> {
    let location = item.parse(faults, ADDRESS_REMEDY, location)?;
    let ip = *location.address.ip();
    let problem = match &location.interface {
        None if ip.is_unicast_link_local() => format!("{ip} is on every link"),
        Some(interface) if !ip.is_unicast_link_local() && !ip.is_multicast() => {
            let remedy = format!("write \"{ip}\": the way there is the kernel's to know");
            faults.fault(item.place(), format!("{ip} does not belong to {interface} alone"), remedy);
            return None;
        }
        _ => return Some(location),
    };
    faults.fault(item.place(), problem, format!("say by which interface, as in \"{ip}%eth0\""));
    None
}

/// Where a server at this place is asked.
fn where_asked(item: &Item<'_>, server: &Location, faults: &mut Collector) -> Option<Option<SocketAddrV6>> {
    let own = Server::at(server.address).leasequery;
    if !item.is_text() {
        let asked = item.boolean(faults)?;
        if asked && own.is_none() {
            let problem = format!("{} is a group, and one server is asked", server.address.ip());
            faults.fault(item.place(), problem, "write the address of one, or false");
        }
        return Some(own.filter(|_| asked));
    }
    let Location { address, interface } = item.parse(faults, ADDRESS_REMEDY, location)?;
    let ip = address.ip();
    if ip.is_multicast() {
        let problem = format!("{ip} is a group, and one server is asked");
        faults.fault(item.place(), problem, "write the address of one");
        return None;
    }
    let fits = if ip.is_unicast_link_local() {
        server.interface.is_some() && interface == server.interface
    } else {
        interface.is_none()
    };
    if !fits {
        let problem = format!("{ip} and the server's address are not by the same interface");
        let remedy = "write a global address, or a link-local one with the interface of the server's address";
        faults.fault(item.place(), problem, remedy);
        return None;
    }
    Some(Some(address))
}

/// An address, with or without an interface and a port.
fn location(text: &str) -> Result<Location, String> {
    let bracketed = text.strip_prefix('[').and_then(|rest| rest.rsplit_once("]:"));
    let (host, port) = match bracketed {
        Some((host, port)) => (host, port.parse().ok().filter(|port| *port != 0)),
        None => (text, Some(SERVER_PORT)),
    };
    let (host, interface) = match host.split_once('%') {
        Some((host, interface)) => (host, Some(interfaces::checked_name(interface)?)),
        None => (host, None),
    };
    let (Ok(ip), Some(port)) = (host.parse::<Ipv6Addr>(), port) else {
        let is_ipv4 = text.parse::<std::net::Ipv4Addr>().is_ok()
            || matches!(text.parse::<SocketAddr>(), Ok(SocketAddr::V4(_)));
        let what =
            if is_ipv4 { "is an IPv4 address" } else { "is not an IPv6 address with or without a port" };
        return Err(format!("{text:?} {what}"));
    };
    if ip.is_unspecified() {
        return Err(format!("{text:?} is the address of nobody"));
    }
    Ok(Location { address: SocketAddrV6::new(ip, port, 0, 0), interface })
}
