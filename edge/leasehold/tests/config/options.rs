//! Options for clients: those with keys of their own, those without, and those that may not be.

use lease::LinkId;
use server::exchange::{Offered, OfferedOptions};
use wire::{INFINITE, OptionCode};

use crate::{LINKS, assert_fault, good};

fn options(text: &str) -> OfferedOptions {
    good(&format!("[dhcp.options]\n{text}")).dhcp.rules.options
}

#[track_caller]
fn assert_data(text: &str, code: OptionCode, expected: &[&[u8]]) {
    let options = options(text);
    let offered = options.get(code).unwrap_or_else(|| panic!("{code} is not offered"));
    let data: Vec<&[u8]> = offered.instances.iter().map(|data| &**data).collect();
    assert_eq!(data, expected);
    assert!(!offered.always);
    assert_eq!(options.iter().count(), 1);
}

/// A fault in the one line of `[dhcp.options]`.
#[track_caller]
fn assert_option_fault(text: &str, key: &str, parts: &[&str]) {
    assert_fault(&format!("[dhcp.options]\n{text}"), 2, &format!("dhcp.options.{key}"), parts);
}

const ADDRESS: [u8; 16] = [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x53];

#[test]
fn options_with_a_key_of_their_own() {
    let two = [ADDRESS, [0; 16]].concat();
    assert_data("dns-servers = [\"2001:db8::53\", \"::\"]", OptionCode::DNS_SERVERS, &[&two]);
    assert_data("sntp-servers = [\"2001:db8::53\"]", OptionCode(31), &[&ADDRESS]);
    assert_data(
        "domain-list = [\"example.net\", \"a.b.\"]",
        OptionCode::DOMAIN_LIST,
        &[b"\x07example\x03net\x00\x01a\x01b\x00"],
    );
    assert_data("sol-max-rt = 60", OptionCode::SOL_MAX_RT, &[&[0, 0, 0, 60]]);
    assert_data("inf-max-rt = 86400", OptionCode::INF_MAX_RT, &[&86_400u32.to_be_bytes()]);
    let refresh = OptionCode::INFORMATION_REFRESH_TIME;
    assert_data("information-refresh-time = 600", refresh, &[&600u32.to_be_bytes()]);
    assert_data("information-refresh-time = \"infinite\"", refresh, &[&INFINITE.to_be_bytes()]);
    // DH-S-07
    assert_data("preference = 255", OptionCode::PREFERENCE, &[&[255]]);
}

/// One option for each source of time, with one suboption in it (RFC 5908 §4).
#[test]
fn each_time_server_is_an_option() {
    let address = [&[0, 1, 0, 16][..], &ADDRESS].concat();
    let group = [&[0, 2, 0, 16, 0xff, 5][..], &[0; 13], &[1]].concat();
    let name = b"\x00\x03\x00\x05\x03ntp\x00";
    assert_data(
        "ntp-servers = [\"2001:db8::53\", \"ff05::1\", \"ntp\"]",
        OptionCode::NTP_SERVER,
        &[&address, &group, name],
    );
}

// DH-R-55
#[test]
fn each_vendor_is_an_option() {
    assert_data(
        "vendor-options = [{ enterprise = 4491, options = [{ code = 1, text = \"x\" }, \
         { code = 258, hex = \"\" }] }, { enterprise = 9, options = [] }]",
        OptionCode::VENDOR_OPTS,
        &[b"\x00\x00\x11\x8b\x00\x01\x00\x01x\x01\x02\x00\x00", b"\x00\x00\x00\x09"],
    );
    let twice = "vendor-options = [{ enterprise = 9, options = [] }, { enterprise = 9, options = [] }]";
    assert_option_fault(twice, "vendor-options.enterprise", &["enterprise 9 stand here twice", "one list"]);
}

#[test]
fn any_option_as_octets_or_with_a_type() {
    let other = |data: &str| format!("other = [{{ code = 65000, {data} }}]");
    let cases: [(&str, &[u8]); 9] = [
        ("text = \"é\"", "é".as_bytes()),
        ("hex = \"00:1F\"", &[0, 0x1f]),
        ("hex = \"0x001f\"", &[0, 0x1f]),
        ("hex = \"\"", &[]),
        ("addresses = [\"2001:db8::53\"]", &ADDRESS),
        ("names = [\"a\", \"b\"]", b"\x01a\x00\x01b\x00"),
        ("u8 = 1", &[1]),
        ("u16 = 1", &[0, 1]),
        ("u32 = 1", &[0, 0, 0, 1]),
    ];
    for (data, expected) in cases {
        assert_data(&other(data), OptionCode(65_000), &[expected]);
    }
    let twice = "other = [{ code = 65000, u8 = 1 }, { code = 65000, u8 = 2, always = true }]";
    let expected = Offered { instances: vec![[1].into(), [2].into()], always: true };
    assert_eq!(options(twice).get(OptionCode(65_000)), Some(&expected));
    let by_name = "other = [{ code = \"captive-portal\", text = \"https://a\", always = false }]";
    assert_data(by_name, OptionCode(103), &[b"https://a"]);
}

#[test]
fn data_is_given_in_exactly_one_way() {
    let keys = "text, hex, addresses, names, u8, u16, u32";
    assert_option_fault("other = [{ code = 65000 }]", "other", &["has no data", keys]);
    assert_option_fault("other = [{ code = 65000, u8 = 1, text = \"\" }]", "other", &["data twice", keys]);
    assert_option_fault("other = [{ u8 = 1 }]", "other", &["code is missing"]);
    assert_option_fault("other = [{ code = 65000, hex = \"0\" }]", "other.hex", &["two hexadecimal digits"]);
    assert_option_fault("other = [{ code = 65000, u8 = 256 }]", "other.u8", &["from 0 to 255"]);
    assert_option_fault("other = [{ code = 0, u8 = 1 }]", "other.code", &["from 1 to 65535"]);
    assert_option_fault("other = [{ code = \"CAPTIV_PORTAL\", u8 = 1 }]", "other.code", &["did you mean"]);
    let long = format!("other = [{{ code = 65000, hex = \"{}\" }}]", "00".repeat(4_097));
    assert_option_fault(&long, "other", &["has 4097 octets", "4096 at the most"]);
}

// DH-S-18
#[test]
fn the_longest_waits_of_clients_are_from_a_minute_to_a_day() {
    for key in ["sol-max-rt", "inf-max-rt"] {
        for secs in [10, 59, 86_401] {
            assert_option_fault(&format!("{key} = {secs}"), key, &["out of range", "from 60 to 86400"]);
        }
    }
    assert_option_fault("other = [{ code = \"SOL_MAX_RT\", u32 = 59 }]", "other", &["is no SOL_MAX_RT"]);
    assert_option_fault("other = [{ code = 83, u32 = 86401 }]", "other", &["is no INF_MAX_RT"]);
}

// DH-R-39
#[test]
fn what_is_told_without_a_lease_is_not_asked_for_more_than_every_ten_minutes() {
    let key = "information-refresh-time";
    for secs in [60, 599] {
        assert_option_fault(&format!("{key} = {secs}"), key, &["out of range", "from 600"]);
    }
    assert_option_fault("other = [{ code = 32, u32 = 599 }]", "other", &["write 600 or more"]);
}

// DH-V-24
#[test]
fn what_the_exchange_itself_says_may_not_be_offered() {
    assert_option_fault(
        "other = [{ code = 12, hex = \"00\" }]",
        "other.code",
        &["UNICAST may not be offered"],
    );
    for code in [1, 2, 3, 4, 5, 6, 8, 9, 11, 13, 14, 18, 19, 20, 25, 26, 37, 43, 44, 48, 53, 66, 67, 79, 135]
    {
        let text = format!("other = [{{ code = {code}, hex = \"0000\" }}]");
        assert_option_fault(&text, "other.code", &["may not be offered", "leave it out"]);
    }
}

#[test]
fn what_is_known_of_an_option_has_to_hold_wherever_it_stands() {
    assert_option_fault("other = [{ code = 23, hex = \"00\" }]", "other", &["is no DNS_SERVERS"]);
    assert_option_fault("other = [{ code = 24, text = \"a.b\" }]", "other", &["is no DOMAIN_LIST"]);
    assert_option_fault("other = [{ code = 7, u16 = 1 }]", "other", &["is no PREFERENCE"]);
    let twice = "preference = 1\nother = [{ code = 7, u8 = 1 }]";
    assert_fault(
        &format!("[dhcp.options]\n{twice}"),
        3,
        "dhcp.options.other",
        &["PREFERENCE stands here twice"],
    );
}

#[test]
fn what_is_no_address_or_name() {
    assert_option_fault("dns-servers = []", "dns-servers", &["is empty"]);
    assert_option_fault("dns-servers = [\"10.0.0.1\"]", "dns-servers", &["is not an IPv6 address"]);
    assert_option_fault("domain-list = [\"a..b\"]", "domain-list", &["is not a domain name"]);
    assert_option_fault("domain-list = [\"é\"]", "domain-list", &["xn--"]);
    let long = format!("domain-list = [\"{}\"]", "a".repeat(64));
    assert_option_fault(&long, "domain-list", &["1 to 63 octets, not 64"]);
    assert_option_fault("ntp-servers = [\"a b\"]", "ntp-servers", &["is not a domain name"]);
    assert_option_fault("dns-server = []", "dns-server", &["did you mean dns-servers?"]);
}

#[test]
fn links_and_pools_have_options_of_their_own() {
    let table = "{ range = \"2001:db8:1::/80\", options = { preference = 2 } }";
    let text = LINKS.replace("\"2001:db8:1::/80\"", table).replace(
        "delegated-length = 56",
        "delegated-length = 56\noptions = { preference = 3 }\n[link.options]\npreference = 1",
    );
    let config = good(&text);
    let terms = &config.dhcp.rules.links[&LinkId(1)];
    let preference = |options: &OfferedOptions| options.get(OptionCode::PREFERENCE).unwrap().instances[0][0];
    assert_eq!(preference(&terms.options), 1);
    let pools: Vec<_> = terms.pools.iter().map(|pool| (pool.first, preference(&pool.options))).collect();
    assert_eq!(pools, [("2001:db8:1::".parse().unwrap(), 2), ("2001:db8:f000::".parse().unwrap(), 3)]);
    assert!(config.dhcp.rules.links[&LinkId(2)].pools.is_empty());
}
