//! The parts that subnets are made of: prefixes, pools, the relays in front.

use std::net::Ipv6Addr;

use lease::DelegationPool;
use wire::Prefix;

use super::json::{ConfigError, Value};

/// Kea allows bits behind the length of a subnet, and does not regard them.
pub(super) fn subnet_prefix(text: &str) -> Option<Prefix> {
    let (address, length) = text.trim().split_once('/')?;
    Prefix::new(address.parse().ok()?, length.parse().ok()?).ok()
}

/// The first and last address of `"first - last"` or `"prefix/length"`.
pub(super) fn pool(value: &Value) -> Result<(Ipv6Addr, Ipv6Addr), ConfigError> {
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

pub(super) fn pd_pool(value: &Value) -> Result<DelegationPool, ConfigError> {
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
pub(super) fn relays(value: &Value) -> Result<Vec<Ipv6Addr>, ConfigError> {
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
