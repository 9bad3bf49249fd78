//! The configuration: one TOML file, read once, with every fault in it reported at one go.
//!
//! Reading has three steps. `toml_tree` parses the text into nodes that know their key and line.
//! Each part (`dhcp`, `links`, `leasequery`, `relay`) takes its keys from the tree and puts what is wrong into a
//! `faults::Collector` instead of stopping; a key that nobody has taken is unknown. In the end
//! either there is a fault, and then no configuration, or everything in it keeps its promises:
//! prefixes without host bits, pools inside their links, no number twice.
//!
//! An empty file is a configuration too, and means [`Config::default`]: the server listens, and
//! nobody may ask.

mod addresses;
mod codes;
mod dhcp;
mod faults;
mod interfaces;
mod leasequery;
mod lifetimes;
mod links;
mod octets;
mod options;
mod pools;
pub mod relay;
mod reservations;
mod taken;
mod toml_tree;
mod write;

use std::path::{Path, PathBuf};

use wire::Duid;

use faults::Collector;
use links::LinkSection;
use toml_tree::{Item, Table};

pub(crate) use codes::is_of_the_exchange;
pub use dhcp::Dhcp;
pub(crate) use dhcp::KEEPING_SECS;
pub use faults::{Fault, Faults};
pub use leasequery::{AllowRule, Bulk, DEFAULT_DATA_TIMEOUT, Leasequery, Udp};
pub(crate) use options::{MAX_DATA_OCTETS, SINGLE, fault_inside};
pub use relay::Relay;
pub use write::render;

/// Where the store is if the file does not say.
pub const DEFAULT_STATE: &str = "/var/lib/leasehold";

/// The control socket in the state folder, if the file does not say where it is.
const CONTROL_SOCKET: &str = "control";

/// What a configuration file means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The server's DUID; without it, one is made once and kept in the state folder.
    pub server_id: Option<Duid>,
    /// Folder of the store. A relative path starts at the working folder.
    pub state: PathBuf,
    /// The control socket; without it, one in the state folder.
    pub control_socket: Option<PathBuf>,
    /// Exchanges with clients.
    pub dhcp: Dhcp,
    /// Links, in the order of the file; no two share a number, a name or a prefix.
    pub links: Vec<lease::Link>,
    /// Who may ask what, and how much.
    pub leasequery: Leasequery,
    /// What `leasehold relay` does; the server does not look at it.
    pub relay: Option<Relay>,
    /// What is accepted but not recommended.
    pub warnings: Vec<Fault>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            server_id: None,
            state: PathBuf::from(DEFAULT_STATE),
            control_socket: None,
            dhcp: Dhcp::default(),
            links: Vec::new(),
            leasequery: Leasequery::default(),
            relay: None,
            warnings: Vec::new(),
        }
    }
}

impl Config {
    /// Reads a file. Fails if it cannot be opened, is not TOML, or has any fault; then with all of
    /// them.
    pub fn read(path: &Path) -> Result<Self, Faults> {
        let octets = std::fs::read(path).map_err(|error| Faults::unreadable(path, &error))?;
        Self::decode(path, &octets)
    }

    /// Reads the octets of a file; `path` only names it in faults.
    pub fn decode(path: &Path, octets: &[u8]) -> Result<Self, Faults> {
        let text = std::str::from_utf8(octets).map_err(|error| Faults::not_text(path, octets, error))?;
        Self::parse(path, text)
    }

    /// Reads the text of a file; `path` only names it in faults.
    pub fn parse(path: &Path, text: &str) -> Result<Self, Faults> {
        let mut faults = Collector::new(path);
        let config = toml_tree::with_root(text, &mut faults, Self::from_root).unwrap_or_default();
        let warnings = faults.finish()?;
        Ok(Self { warnings, ..config })
    }

    fn from_root(mut root: Table<'_>, faults: &mut Collector) -> Self {
        let server_id = root.read("server-id", faults, duid);
        let mut config = Self { server_id, ..Self::default() };
        root.read_into(&mut config.state, "state", faults, path);
        root.read_into(&mut config.leasequery, "leasequery", faults, leasequery::read);
        let (dhcp, for_links) = root.read("dhcp", faults, dhcp::read).unwrap_or_default();
        config.dhcp = dhcp;
        let links = root.read("link", faults, |item, faults| links::read(item, &for_links, faults));
        for LinkSection { link, terms, reservations } in links.unwrap_or_default() {
            config.dhcp.rules.links.insert(link.id, terms);
            config.dhcp.reservations.extend(reservations);
            config.links.push(link);
        }
        config.relay = root.read("relay", faults, relay::read);
        root.read_into(&mut config.control_socket, "control", faults, control);
        root.finish(faults);
        config
    }

    /// Where the control socket is.
    pub fn control_socket(&self) -> PathBuf {
        self.control_socket.clone().unwrap_or_else(|| self.state.join(CONTROL_SOCKET))
    }

    /// The links, to be found by number and by address.
    pub fn links(&self) -> lease::Links {
        lease::Links::new(self.links.iter().cloned())
    }
}

/// `[control]`: where the socket is.
fn control(item: &Item<'_>, faults: &mut Collector) -> Option<Option<PathBuf>> {
    let mut table = item.table(faults)?;
    let socket = table.read("socket", faults, path);
    table.finish(faults);
    Some(socket)
}

fn duid(item: &Item<'_>, faults: &mut Collector) -> Option<Duid> {
    let remedy = "write the DUID in hexadecimal, such as \"00:02:00:00:7e:d9:01\"";
    item.parse(faults, remedy, |text| text.parse::<Duid>().map_err(|error| error.to_string()))
}

fn path(item: &Item<'_>, faults: &mut Collector) -> Option<PathBuf> {
    let text = item.string(faults)?;
    if text.is_empty() {
        faults.fault(item.place(), "is empty", format!("write a path, such as \"{DEFAULT_STATE}\""));
        return None;
    }
    Some(PathBuf::from(text))
}
