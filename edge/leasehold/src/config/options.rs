//! Options for clients: `options` of `[dhcp]`, of a link, of a pool, and of a reservation.
//!
//! What is often wanted has a key that knows its type. All else stands in `other`, as a value of
//! some type or as octets; it is held against what the wire format says of that option.

use std::net::Ipv6Addr;
use std::ops::RangeInclusive;

use server::exchange::OfferedOptions;
use wire::{DhcpOption, DomainName, INFINITE, NtpServer, OptionCode, RawOption, Writer};

use super::addresses::address;
use super::faults::Collector;
use super::toml_tree::{Item, Table};
use super::{codes, lifetimes, octets};

/// Seconds of SOL_MAX_RT and INF_MAX_RT (RFC 9915 §21.24, §21.25).
const MAX_RT_SECS: RangeInclusive<u32> = 60..=86_400;
/// Seconds between Information-requests: IRT_MINIMUM and longer (RFC 9915 §21.23).
const REFRESH_SECS: RangeInclusive<u32> = 600..=INFINITE;
/// Octets of one option's data: room in a datagram for some of this size and for the leases.
pub(crate) const MAX_DATA_OCTETS: usize = 4_096;
/// Octets of an option's code and length.
const HEADER_OCTETS: usize = 4;

/// Options that a message carries once at the most.
pub(crate) const SINGLE: [OptionCode; 7] = [
    OptionCode::PREFERENCE,
    OptionCode::DNS_SERVERS,
    OptionCode::DOMAIN_LIST,
    OptionCode::SNTP_SERVERS,
    OptionCode::INFORMATION_REFRESH_TIME,
    OptionCode::SOL_MAX_RT,
    OptionCode::INF_MAX_RT,
];

type ReadData = fn(&Item<'_>, &mut Collector) -> Option<Vec<u8>>;

/// The keys of options with a type, each of which is one option.
const TYPED: [(&str, OptionCode, ReadData); 7] = [
    ("dns-servers", OptionCode::DNS_SERVERS, addresses),
    ("domain-list", OptionCode::DOMAIN_LIST, names),
    ("sntp-servers", OptionCode::SNTP_SERVERS, addresses),
    ("sol-max-rt", OptionCode::SOL_MAX_RT, max_rt),
    ("inf-max-rt", OptionCode::INF_MAX_RT, max_rt),
    ("information-refresh-time", OptionCode::INFORMATION_REFRESH_TIME, refresh_time),
    ("preference", OptionCode::PREFERENCE, u8_data),
];

/// The keys of data without a type of its own.
const DATA: [(&str, ReadData); 7] = [
    ("text", text),
    ("hex", octets::hexadecimal),
    ("addresses", addresses),
    ("names", names),
    ("u8", u8_data),
    ("u16", u16_data),
    ("u32", u32_data),
];

/// Reads a table of options.
pub(super) fn read(item: &Item<'_>, faults: &mut Collector) -> Option<OfferedOptions> {
    let mut table = item.table(faults)?;
    let mut options = OfferedOptions::default();
    for (key, code, how) in TYPED {
        table.read(key, faults, |item, faults| {
            let data = how(item, faults)?;
            add(&mut options, item, code, data, faults)
        });
    }
    table.read("ntp-servers", faults, |list, faults| {
        list.list_of(faults, |item, faults| {
            let data = ntp_server(item, faults)?;
            add(&mut options, item, OptionCode::NTP_SERVER, data, faults)
        })
    });
    let mut enterprises = Vec::new();
    table.read("vendor-options", faults, |list, faults| {
        list.list_of(faults, |item, faults| {
            let data = vendor_options(item, &mut enterprises, faults)?;
            add(&mut options, item, OptionCode::VENDOR_OPTS, data, faults)
        })
    });
    table.read("other", faults, |list, faults| {
        list.list_of(faults, |item, faults| other(item, &mut options, faults))
    });
    table.finish(faults);
    Some(options)
}

fn add(
    options: &mut OfferedOptions,
    item: &Item<'_>,
    code: OptionCode,
    data: Vec<u8>,
    faults: &mut Collector,
) -> Option<()> {
    if data.len() > MAX_DATA_OCTETS {
        let problem = format!("{code} has {} octets", data.len());
        faults.fault(item.place(), problem, format!("offer {MAX_DATA_OCTETS} at the most"));
    }
    if SINGLE.contains(&code) && options.get(code).is_some() {
        faults.fault(item.place(), format!("{code} stands here twice"), "leave one of them out");
    }
    options.add(code, data);
    Some(())
}

/// Several addresses, as octets.
fn addresses(item: &Item<'_>, faults: &mut Collector) -> Option<Vec<u8>> {
    let all = item.list_of(faults, address)?;
    let data: Vec<u8> = all.iter().flat_map(Ipv6Addr::octets).collect();
    not_empty(data, item, faults)
}

/// Several domain names, as octets.
fn names(item: &Item<'_>, faults: &mut Collector) -> Option<Vec<u8>> {
    let data = item.list_of(faults, |item, faults| Some(name(item, faults)?.octets().to_vec()))?.concat();
    not_empty(data, item, faults)
}

fn name(item: &Item<'_>, faults: &mut Collector) -> Option<DomainName> {
    item.parse(faults, "write a domain name, such as \"example.net\"", |text| {
        text.parse::<DomainName>().map_err(|error| format!("{text:?} is not a domain name: {error}"))
    })
}

fn not_empty(data: Vec<u8>, item: &Item<'_>, faults: &mut Collector) -> Option<Vec<u8>> {
    if data.is_empty() {
        faults.fault(item.place(), "is empty", "name at least one, or leave the key out");
        return None;
    }
    Some(data)
}

fn max_rt(item: &Item<'_>, faults: &mut Collector) -> Option<Vec<u8>> {
    Some(item.number(MAX_RT_SECS, faults)?.to_be_bytes().to_vec())
}

fn refresh_time(item: &Item<'_>, faults: &mut Collector) -> Option<Vec<u8>> {
    Some(lifetimes::secs(item, REFRESH_SECS, faults)?.to_be_bytes().to_vec())
}

fn u8_data(item: &Item<'_>, faults: &mut Collector) -> Option<Vec<u8>> {
    Some(vec![item.number(0..=u8::MAX, faults)?])
}

fn u16_data(item: &Item<'_>, faults: &mut Collector) -> Option<Vec<u8>> {
    Some(item.number(0..=u16::MAX, faults)?.to_be_bytes().to_vec())
}

fn u32_data(item: &Item<'_>, faults: &mut Collector) -> Option<Vec<u8>> {
    Some(item.number(0..=u32::MAX, faults)?.to_be_bytes().to_vec())
}

fn text(item: &Item<'_>, faults: &mut Collector) -> Option<Vec<u8>> {
    Some(item.string(faults)?.as_bytes().to_vec())
}

/// A time server, by address, multicast group or name; each is an option (RFC 5908 §4).
fn ntp_server(item: &Item<'_>, faults: &mut Collector) -> Option<Vec<u8>> {
    let mut option = Vec::new();
    let mut writer = Writer::new(&mut option);
    match item.string(faults)?.parse::<Ipv6Addr>() {
        Ok(group) if group.is_multicast() => NtpServer::Multicast(group).encode(&mut writer),
        Ok(address) => NtpServer::Address(address).encode(&mut writer),
        Err(_) => NtpServer::Name(&name(item, faults)?).encode(&mut writer),
    }
    Some(option.split_off(HEADER_OCTETS))
}

/// One vendor's options; no vendor's stand in two (RFC 9915 §21.17).
fn vendor_options(item: &Item<'_>, enterprises: &mut Vec<u32>, faults: &mut Collector) -> Option<Vec<u8>> {
    let mut table = item.table(faults)?;
    let enterprise = table.require("enterprise", "4491, or another enterprise number", faults, |item, f| {
        let enterprise = item.number(0..=u32::MAX, f)?;
        if enterprises.contains(&enterprise) {
            let problem = format!("the options of enterprise {enterprise} stand here twice");
            f.fault(item.place(), problem, "put them into one list");
        }
        enterprises.push(enterprise);
        Some(enterprise)
    });
    let options = table.require("options", "[{ code = 1, text = \"x\" }]", faults, |list, faults| {
        list.list_of(faults, vendor_option)
    });
    table.finish(faults);
    Some([enterprise?.to_be_bytes().to_vec(), options?.concat()].concat())
}

fn vendor_option(item: &Item<'_>, faults: &mut Collector) -> Option<Vec<u8>> {
    let mut table = item.table(faults)?;
    let code = table.require("code", "1", faults, |item, faults| item.number(0..=u16::MAX, faults));
    let data = data(&mut table, faults);
    table.finish(faults);
    let (code, data) = (code?, data?);
    let Ok(length) = u16::try_from(data.len()) else {
        faults.fault(item.place(), format!("has {} octets", data.len()), "write 65535 at the most");
        return None;
    };
    Some([code.to_be_bytes().to_vec(), length.to_be_bytes().to_vec(), data].concat())
}

/// Any option, with data of any type.
fn other(item: &Item<'_>, options: &mut OfferedOptions, faults: &mut Collector) -> Option<()> {
    let mut table = item.table(faults)?;
    let code = table.require("code", "\"CAPTIVE_PORTAL\", or a number", faults, codes::for_clients);
    let data = data(&mut table, faults);
    let always = table.read("always", faults, Item::boolean);
    table.finish(faults);
    let (code, data) = (code?, data?);
    check_layout(item, code, &data, faults);
    add(options, item, code, data, faults)?;
    if always == Some(true) {
        options.always(code);
    }
    Some(())
}

/// The data of an option, given in exactly one way.
pub(super) fn data(table: &mut Table<'_>, faults: &mut Collector) -> Option<Vec<u8>> {
    let mut data = None;
    for (key, how) in DATA {
        data = table.read(key, faults, how).or(data);
    }
    let keys = DATA.map(|(key, _)| key);
    let given = keys.iter().filter(|key| table.has(key)).count();
    if given != 1 {
        let problem = if given == 0 { "has no data" } else { "has its data twice" };
        faults.fault(table.place(), problem, format!("write one of {}", keys.join(", ")));
        return None;
    }
    data
}

/// What the standard says of the inside of this option, if it is one that the wire format knows.
pub(super) fn check_layout(item: &Item<'_>, code: OptionCode, data: &[u8], faults: &mut Collector) {
    if let Some((problem, remedy)) = fault_inside(code, data) {
        faults.fault(item.place(), problem, remedy);
    }
}

/// What is wrong with the inside of an option, and what would be right.
pub(crate) fn fault_inside(code: OptionCode, data: &[u8]) -> Option<(String, String)> {
    if let Err(error) = DhcpOption::decode(RawOption { code, data }) {
        Some((format!("is no {code}: {error}"), "write what its standard lays down".to_owned()))
    } else if code == OptionCode::INFORMATION_REFRESH_TIME && data < &REFRESH_SECS.start().to_be_bytes()[..] {
        let remedy = format!("write {} or more", REFRESH_SECS.start());
        Some(("is shorter than clients obey".to_owned(), remedy))
    } else {
        None
    }
}
