//! What is said once for the whole server: interfaces, what is remembered and what rests, what relays may
//! supply, hooks.

use std::collections::BTreeSet;
use std::net::{Ipv6Addr, SocketAddrV6};

use lease::InterfacePattern;
use wire::{OptionCode, Prefix};

use super::definitions::DHCP6;
use super::json::{ConfigError, Json};
use super::options::OptionReader;
use super::scope::{Remarks, Scope};
use super::ways::is_interface_name;
use crate::config::{AllowRule, Config, Dhcp, KEEPING_SECS};

/// The hook that answers leasequeries.
const LEASEQUERY_HOOK: &str = "libdhcp_lease_query.so";
/// Its parameters that say nothing more than is done here anyway: this server answers bulk queries, remembers
/// relays, and listens on all addresses.
const LEASEQUERY_SILENT: [&str; 5] = [
    "extended-info-tables-enabled",
    "lease-query-ip",
    "max-bulk-query-threads",
    "max-leases-per-fetch",
    "comment",
];

/// Takes what is said once into a configuration.
pub(super) fn read(
    dhcp6: &Scope<'_>,
    options: &OptionReader,
    config: &mut Config,
    remarks: &mut Remarks,
) -> Result<(), ConfigError> {
    interfaces(dhcp6, &mut config.dhcp, remarks)?;
    let rules = &mut config.dhcp.rules;
    keeping(dhcp6, "decline-probation-period", &mut rules.decline_rest_secs, remarks)?;
    if let Some(expired) = dhcp6.member("expired-leases-processing") {
        keeping(&expired, "hold-reclaimed-time", &mut rules.remember_secs, remarks)?;
    }
    rules.accept_unicast = options.offers_unicast;
    relay_supplied(dhcp6, options, &mut rules.relay_supplied, remarks)?;
    if let Some(ddns) = dhcp6.member("dhcp-ddns")
        && ddns.boolean("enable-updates")? == Some(true)
    {
        remarks.not_translated(&ddns, "the DNS is not updated from here");
    }
    if let Some(database) = dhcp6.member("lease-database") {
        let kind = database.text("type")?.unwrap_or("memfile");
        if kind != "memfile" {
            let mark = &database.value.mark;
            remarks.warn(format!(
                "{mark}: leases are kept in {kind}: import what `kea-admin lease-dump {kind} -6` writes"
            ));
        }
    }
    for hook in dhcp6.list("hooks-libraries")? {
        read_hook(&hook, config, remarks)?;
    }
    Ok(())
}

/// How long something is kept, which has a limit here.
fn keeping(at: &Scope<'_>, key: &str, target: &mut u32, remarks: &mut Remarks) -> Result<(), ConfigError> {
    let Some((secs, at)) = at.number::<u32>(key)?.zip(at.member(key)) else { return Ok(()) };
    *target = secs.min(*KEEPING_SECS.end());
    if *target < secs {
        remarks.not_translated(&at, format!("{target} seconds is the most"));
    }
    Ok(())
}

/// Kea listens only where it is told to; we on every address, but to multicast only on these interfaces.
fn interfaces(dhcp6: &Scope<'_>, dhcp: &mut Dhcp, remarks: &mut Remarks) -> Result<(), ConfigError> {
    let list = match dhcp6.member("interfaces-config") {
        Some(at) => at.texts("interfaces")?,
        None => Vec::new(),
    };
    for (text, at) in &list {
        let name = text.split_once('/').map_or(*text, |(name, _)| name).trim();
        let pattern = InterfacePattern(name.to_owned());
        if name != "*" && !is_interface_name(name) {
            remarks.not_translated(at, "is no interface's name");
        } else if !dhcp.interfaces.contains(&pattern) {
            dhcp.interfaces.push(pattern);
        }
    }
    if list.is_empty() {
        dhcp.listen.clear();
        remarks.warn(
            "Kea listens on no interface, so DHCP is off: say in `dhcp.listen` and `dhcp.interfaces` where to"
                .to_owned(),
        );
    }
    Ok(())
}

fn relay_supplied(
    dhcp6: &Scope<'_>,
    options: &OptionReader,
    supplied: &mut BTreeSet<OptionCode>,
    remarks: &mut Remarks,
) -> Result<(), ConfigError> {
    for (text, at) in dhcp6.texts("relay-supplied-options")? {
        let code = text.trim().parse().ok().or_else(|| options.code(DHCP6, text.trim()));
        match code.map(super::options::of_operator) {
            Some(Ok(code)) => _ = supplied.insert(code),
            Some(Err(reason)) => remarks.not_translated(&at, reason),
            None => remarks.not_translated(&at, "there is no such option"),
        }
    }
    Ok(())
}

fn read_hook(at: &Scope<'_>, config: &mut Config, remarks: &mut Remarks) -> Result<(), ConfigError> {
    let library = at.text("library")?.unwrap_or_default();
    if !library.ends_with(LEASEQUERY_HOOK) {
        // What there are reservations by is read with them.
        if !library.contains("flex_id") {
            remarks.not_translated(at, "there are no hooks here");
        }
        return Ok(());
    }
    let Some(parameters) = at.member("parameters") else { return Ok(()) };
    for (text, at) in parameters.texts("requesters")? {
        match source(text) {
            Some(from) => config.leasequery.allow.push(AllowRule { from, queries: None }),
            None => remarks.not_translated(&at, "is neither an address nor a prefix"),
        }
    }
    let Some(advanced) = parameters.member("advanced") else { return Ok(()) };
    for (key, at) in advanced.members() {
        match (key, &at.value.json) {
            ("bulk-query-enabled", Json::Boolean(true)) | ("active-query-enabled", Json::Boolean(false)) => {}
            ("bulk-query-enabled", Json::Boolean(false)) => config.leasequery.bulk.listen.clear(),
            ("lease-query-tcp-port", Json::Integer(port))
                if u16::try_from(*port).is_ok_and(|port| port > 0) =>
            {
                let any = SocketAddrV6::new(Ipv6Addr::UNSPECIFIED, *port as u16, 0, 0);
                config.leasequery.bulk.listen.iter_mut().for_each(|listen| *listen = any);
            }
            (key, _) if LEASEQUERY_SILENT.contains(&key) => {}
            _ => remarks.not_translated(&at, "see `leasequery` in examples/leasehold.toml for what there is"),
        }
    }
    Ok(())
}

/// A prefix, or an address that means itself alone.
fn source(text: &str) -> Option<Prefix> {
    match text.parse() {
        Ok(address) => Prefix::new(address, 128).ok(),
        Err(_) => super::parts::subnet_prefix(text),
    }
}
