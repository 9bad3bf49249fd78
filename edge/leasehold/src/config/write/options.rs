//! Options for clients, with a key that knows their type where their octets allow it.

use std::collections::BTreeSet;
use std::net::Ipv6Addr;

use server::exchange::{Offered, OfferedOptions};
use toml::{Table, Value};
use wire::{DomainName, OptionCode, Options};

use super::code;
use super::section::{Section, strings};
use crate::config::lifetimes::show_secs;
use crate::config::octets::{printable, show_hexadecimal};

/// Octets from which on data that can be read as text is taken for text.
const MIN_TEXT_OCTETS: usize = 5;

/// Options under a heading of their own.
pub(super) fn write(heading: &'static str, options: &OfferedOptions, text: &mut String) {
    let mut section = Section::new(heading);
    for (key, value) in entries(options) {
        section.set(key, value);
    }
    section.write(text);
}

/// Options as one value.
pub(super) fn table(options: &OfferedOptions) -> Table {
    entries(options).into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn entries(options: &OfferedOptions) -> Vec<(&'static str, Value)> {
    let mut entries = Vec::new();
    let mut others = Vec::new();
    for (code, offered) in options.iter() {
        match typed(code, offered) {
            Some(entry) => entries.push(entry),
            None => others.extend(offered.instances.iter().map(|data| other(code, data, offered.always))),
        }
    }
    if !others.is_empty() {
        entries.push(("other", Value::Array(others)));
    }
    entries
}

/// The key and value that read back as these octets; `None` if there is no key for them.
fn typed(code: OptionCode, offered: &Offered) -> Option<(&'static str, Value)> {
    let Offered { instances, always: false } = offered else { return None };
    let all = |how: fn(&[u8]) -> Option<Value>| {
        Some(Value::Array(instances.iter().map(|data| how(data)).collect::<Option<Vec<_>>>()?))
    };
    match code {
        OptionCode::NTP_SERVER => return Some(("ntp-servers", all(ntp_server)?)),
        OptionCode::VENDOR_OPTS if each_of_another_vendor(instances) => {
            return Some(("vendor-options", all(vendor_options)?));
        }
        _ => {}
    }
    let [data] = instances.as_slice() else { return None };
    match code {
        OptionCode::DNS_SERVERS => Some(("dns-servers", addresses(data)?)),
        OptionCode::SNTP_SERVERS => Some(("sntp-servers", addresses(data)?)),
        OptionCode::DOMAIN_LIST => Some(("domain-list", names(data)?)),
        OptionCode::SOL_MAX_RT => Some(("sol-max-rt", secs(data)?)),
        OptionCode::INF_MAX_RT => Some(("inf-max-rt", secs(data)?)),
        OptionCode::INFORMATION_REFRESH_TIME => Some(("information-refresh-time", secs(data)?)),
        OptionCode::PREFERENCE => match **data {
            [preference] => Some(("preference", Value::from(u32::from(preference)))),
            _ => None,
        },
        _ => None,
    }
}

fn addresses(data: &[u8]) -> Option<Value> {
    let (addresses, []) = data.as_chunks::<16>() else { return None };
    Some(strings(addresses.iter().map(|octets| Ipv6Addr::from(*octets))))
}

fn secs(data: &[u8]) -> Option<Value> {
    data.try_into().ok().map(|octets| show_secs(u32::from_be_bytes(octets)))
}

fn names(mut data: &[u8]) -> Option<Value> {
    let mut names = Vec::new();
    while !data.is_empty() {
        let (name, behind) = data.split_at_checked(name_octets(data)?)?;
        names.push(show_name(name)?);
        data = behind;
    }
    Some(names.into())
}

/// Octets up to the end of the first name.
fn name_octets(data: &[u8]) -> Option<usize> {
    let mut end = 0;
    while let label @ 1.. = *data.get(end)? {
        end += 1 + usize::from(label);
    }
    Some(end + 1)
}

/// The name, if it is one that can be written without escapes.
fn show_name(octets: &[u8]) -> Option<String> {
    let text = DomainName::decode(octets).ok()?.to_string();
    text.parse::<DomainName>().is_ok_and(|name| name.octets() == octets).then_some(text)
}

/// The one suboption of NTP_SERVER: an address, a group or a name (RFC 5908 §4).
fn ntp_server(data: &[u8]) -> Option<Value> {
    let (number, inside) = only_option(data)?;
    let address = || <[u8; 16]>::try_from(inside).ok().map(Ipv6Addr::from);
    match number {
        1 => address().filter(|address| !address.is_multicast()).map(|address| address.to_string().into()),
        2 => address().filter(Ipv6Addr::is_multicast).map(|group| group.to_string().into()),
        3 => show_name(inside).filter(|name| name.parse::<Ipv6Addr>().is_err()).map(Value::from),
        _ => None,
    }
}

fn only_option(data: &[u8]) -> Option<(u16, &[u8])> {
    let options = Options::new(data).ok()?;
    let mut options = options.iter();
    let option = options.next()?;
    options.next().is_none().then_some((option.code.0, option.data))
}

fn each_of_another_vendor(instances: &[Box<[u8]>]) -> bool {
    let enterprises: BTreeSet<_> = instances.iter().map(|data| data.first_chunk::<4>()).collect();
    enterprises.len() == instances.len()
}

fn vendor_options(data: &[u8]) -> Option<Value> {
    let (enterprise, suboptions) = data.split_first_chunk()?;
    let options = Options::new(suboptions).ok()?;
    let options = options.iter().map(|option| {
        let code = Value::from(u32::from(option.code.0));
        Value::from(Table::from_iter([("code".to_owned(), code), show_data(option.data)]))
    });
    Some(Value::from(Table::from_iter([
        ("enterprise".to_owned(), Value::from(u32::from_be_bytes(*enterprise))),
        ("options".to_owned(), Value::Array(options.collect())),
    ])))
}

fn other(number: OptionCode, data: &[u8], always: bool) -> Value {
    let mut table = Table::from_iter([("code".to_owned(), code(&number)), show_data(data)]);
    if always {
        table.insert("always".to_owned(), Value::from(true));
    }
    table.into()
}

/// Data without a type, as text if it seems to be some.
pub(super) fn show_data(data: &[u8]) -> (String, Value) {
    match printable(data) {
        Some(text) if data.len() >= MIN_TEXT_OCTETS => ("text".to_owned(), Value::from(text)),
        _ => ("hex".to_owned(), Value::from(show_hexadecimal("", data))),
    }
}
