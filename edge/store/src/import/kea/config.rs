//! Kea's configuration, as far as it says where leases belong: subnets, pools, relays, and who the server is.
//!
//! Kea's subnet is a prefix with pools; what DHCPv6 calls a link is, in Kea, either a shared network with all
//! of its subnets, or a subnet outside any. [`Network`] stands for both. Everything else in the file
//! (options, classes, hooks, timers) is read over: it does not say whose a lease is. Host reservations are
//! counted, so that whoever relies on them is told that they were left behind.

use std::collections::HashMap;
use std::net::Ipv6Addr;
use std::path::{Path, PathBuf};

use lease::DelegationPool;
use wire::Prefix;

use super::json::{self, Value};
pub use super::json::{ConfigError, Mark};
use super::server_id::ServerId;

/// What a configuration says.
#[derive(Debug, Clone)]
pub struct KeaConfig {
    /// Shared networks, then the subnets outside of them, each in the order of the file.
    pub networks: Vec<Network>,
    /// Who the server is.
    pub server_id: ServerId,
    /// The lease file, if one is named.
    pub lease_file: Option<PathBuf>,
    /// Where Kea keeps its files, if that is said.
    pub data_directory: Option<PathBuf>,
    /// What an operator should know about what was left out or guessed.
    pub warnings: Vec<String>,
}

/// One link: a shared network, or a subnet outside any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// The name of a shared network.
    pub name: Option<String>,
    /// Its subnets: one, if it is not shared.
    pub subnets: Vec<Subnet>,
    /// Addresses of relays in front of all of it.
    pub relays: Vec<Ipv6Addr>,
    /// The interface of the server that it is connected to.
    pub interface: Option<String>,
}

/// A prefix that is on a link, and what is assigned from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subnet {
    /// The number by which leases name it.
    pub id: u32,
    /// The prefix.
    pub prefix: Prefix,
    /// Addresses to assign: first and last of each pool.
    pub pools: Vec<(Ipv6Addr, Ipv6Addr)>,
    /// Prefixes to delegate from.
    pub pd_pools: Vec<DelegationPool>,
    /// Addresses of relays in front of it.
    pub relays: Vec<Ipv6Addr>,
    /// The interface of the server that it is connected to.
    pub interface: Option<String>,
    /// Where it stands.
    pub mark: Mark,
}

/// Reads a configuration and the files it includes.
pub fn read(path: &Path) -> Result<KeaConfig, ConfigError> {
    let root = json::read(path)?;
    let dhcp6 = root
        .member("Dhcp6")
        .ok_or_else(|| root.error("this is no configuration of kea-dhcp6: no `Dhcp6` in it"))?;
    let mut reader = Reader::default();
    reader.count_reservations(dhcp6)?;
    // Shared networks first: that is the order in which Kea numbers subnets without an id.
    let mut networks = Vec::new();
    for network in dhcp6.list("shared-networks")? {
        networks.push(reader.shared_network(network)?);
    }
    for subnet in dhcp6.list("subnet6")? {
        networks.push(Network {
            name: None,
            subnets: vec![reader.subnet(subnet)?],
            relays: Vec::new(),
            interface: None,
        });
    }
    let lease_file = reader.lease_file(dhcp6)?;
    let data_directory = dhcp6.text("data-directory")?.map(PathBuf::from);
    let server_id = ServerId::from_config(dhcp6.member("server-id"))?;
    Ok(KeaConfig { networks, server_id, lease_file, data_directory, warnings: reader.into_warnings() })
}

/// What must be remembered from one subnet to the next.
#[derive(Default)]
struct Reader {
    /// The number last given to a subnet without one.
    last_number: u32,
    /// Where each number was first used.
    numbers: HashMap<u32, Mark>,
    reservations: usize,
    warnings: Vec<String>,
}

impl Reader {
    fn shared_network(&mut self, value: &Value) -> Result<Network, ConfigError> {
        self.count_reservations(value)?;
        let name = value.text("name")?.ok_or_else(|| value.error("a shared network must have a `name`"))?;
        let subnets =
            value.list("subnet6")?.iter().map(|subnet| self.subnet(subnet)).collect::<Result<_, _>>()?;
        Ok(Network {
            name: Some(name.to_owned()),
            subnets,
            relays: relays(value)?,
            interface: interface(value)?,
        })
    }

    fn subnet(&mut self, value: &Value) -> Result<Subnet, ConfigError> {
        self.count_reservations(value)?;
        let text = value.text("subnet")?;
        let prefix = text
            .and_then(subnet_prefix)
            .ok_or_else(|| value.error("a subnet must have a `subnet` as in \"2001:db8:1::/64\""))?;
        Ok(Subnet {
            id: self.number(value, prefix)?,
            prefix,
            pools: value.list("pools")?.iter().map(pool).collect::<Result<_, _>>()?,
            pd_pools: value.list("pd-pools")?.iter().map(pd_pool).collect::<Result<_, _>>()?,
            relays: relays(value)?,
            interface: interface(value)?,
            mark: value.mark.clone(),
        })
    }

    /// The number of a subnet: its `id`, or, as Kea does it where there is none or 0, one more than the last
    /// so given.
    fn number(&mut self, value: &Value, prefix: Prefix) -> Result<u32, ConfigError> {
        let given = value.number("id")?.filter(|&id: &u32| id != 0);
        let number = given.unwrap_or(self.last_number + 1);
        if given.is_none() {
            self.last_number = number;
            let mark = &value.mark;
            self.warnings
                .push(format!("{mark}: subnet {prefix} has no id; taken for number {number}, as Kea counts"));
        }
        if let Some(other) = self.numbers.insert(number, value.mark.clone()) {
            return Err(
                value.error(format!("the subnet at {other} has number {number} too; give each its own `id`"))
            );
        }
        Ok(number)
    }

    fn lease_file(&mut self, dhcp6: &Value) -> Result<Option<PathBuf>, ConfigError> {
        let Some(database) = dhcp6.member("lease-database") else { return Ok(None) };
        let kind = database.text("type")?.unwrap_or("memfile");
        if kind == "memfile" {
            return Ok(database.text("name")?.map(PathBuf::from));
        }
        let mark = &database.mark;
        self.warnings.push(format!(
            "{mark}: leases are kept in {kind}: import what `kea-admin lease-dump {kind} -6` writes"
        ));
        Ok(None)
    }

    fn count_reservations(&mut self, value: &Value) -> Result<(), ConfigError> {
        self.reservations += value.list("reservations")?.len();
        Ok(())
    }

    fn into_warnings(mut self) -> Vec<String> {
        if self.reservations > 0 {
            self.warnings.push(format!("{} host reservations are not imported", self.reservations));
        }
        self.warnings
    }
}

/// Kea allows bits behind the length of a subnet, and does not regard them.
fn subnet_prefix(text: &str) -> Option<Prefix> {
    let (address, length) = text.trim().split_once('/')?;
    Prefix::new(address.parse().ok()?, length.parse().ok()?).ok()
}

/// The first and last address of `"first - last"` or `"prefix/length"`.
fn pool(value: &Value) -> Result<(Ipv6Addr, Ipv6Addr), ConfigError> {
    let wrong = || {
        value.error("a pool must have a `pool` as in \"2001:db8::10 - 2001:db8::ff\" or \"2001:db8::/80\"")
    };
    let text = value.text("pool")?.ok_or_else(wrong)?;
    let range = match text.split_once('-') {
        Some((first, last)) => first.trim().parse().ok().zip(last.trim().parse().ok()),
        None => subnet_prefix(text).map(|prefix| (prefix.address(), prefix.last_address())),
    };
    range.filter(|(first, last)| first <= last).ok_or_else(wrong)
}

fn pd_pool(value: &Value) -> Result<DelegationPool, ConfigError> {
    let prefix = prefix_of(value, "prefix", "prefix-len")?.ok_or_else(|| {
        value.error("a pd-pool must have a `prefix` as in \"2001:db8:a000::\" and a `prefix-len`")
    })?;
    let delegated_length = value.number("delegated-len")?.unwrap_or(prefix.length());
    if !(prefix.length()..=128).contains(&delegated_length) {
        return Err(value.error(format!("`delegated-len` must be {} to 128", prefix.length())));
    }
    let excluded = prefix_of(value, "excluded-prefix", "excluded-prefix-len")?;
    if excluded.is_some_and(|excluded| excluded.length() <= delegated_length) {
        return Err(value.error(format!(
            "`excluded-prefix-len` must be more than {delegated_length}, the length delegated"
        )));
    }
    Ok(DelegationPool { prefix, delegated_length, excluded })
}

/// A prefix whose address and length stand behind two keys; `None` if it is not given, or given as `::` and
/// 0, as Kea writes what it does not have.
fn prefix_of(value: &Value, address_key: &str, length_key: &str) -> Result<Option<Prefix>, ConfigError> {
    let Some(address) = value.text(address_key)? else { return Ok(None) };
    let length: u8 = value.number(length_key)?.unwrap_or(0);
    if length == 0 {
        return Ok(None);
    }
    let prefix = address.parse().ok().and_then(|address| Prefix::new(address, length).ok());
    prefix.map(Some).ok_or_else(|| {
        value.error(format!("`{address_key}` must be an address and `{length_key}` at most 128"))
    })
}

/// `"relay": {"ip-addresses": [...]}`, or `"ip-address"` in old configurations.
fn relays(value: &Value) -> Result<Vec<Ipv6Addr>, ConfigError> {
    let Some(relay) = value.member("relay") else { return Ok(Vec::new()) };
    let old = relay.member("ip-address").into_iter();
    let addresses = relay.list("ip-addresses")?.iter().chain(old);
    let parse = |address: &Value| {
        let text = address.as_text("ip-addresses")?;
        text.parse().map_err(|_| address.error(format!("`{text}` is not an IPv6 address")))
    };
    // Kea writes `::` for a relay that it was not told of.
    let named = |address: &Result<Ipv6Addr, ConfigError>| !matches!(address, Ok(Ipv6Addr::UNSPECIFIED));
    addresses.map(parse).filter(named).collect()
}

fn interface(value: &Value) -> Result<Option<String>, ConfigError> {
    Ok(value.text("interface")?.filter(|name| !name.is_empty()).map(str::to_owned))
}
