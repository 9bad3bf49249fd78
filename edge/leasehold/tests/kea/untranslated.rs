//! Single settings: what they come to, or why they come to nothing.

use leasehold::import::kea::Translation;
use server::assign::Subscriber;
use wire::OptionCode;

use crate::{translate_dhcp6, translate_text};

/// Paths and reasons of what is not translated.
fn reasons(translation: &Translation) -> Vec<String> {
    translation.not_translated.iter().map(|remark| format!("{}: {}", remark.path, remark.reason)).collect()
}

fn subnet(text: &str) -> String {
    format!("\"subnet6\": [ {{ \"id\": 1, \"subnet\": \"2001:db8:1::/64\", {text} }} ]")
}

#[test]
fn what_changes_nothing_is_passed_over_in_silence() {
    for text in [
        r#""client-classes": [], "hosts-database": {}, "cache-threshold": 0.0, "dhcp4o6-port": 0"#,
        r#""allocator": "iterative", "store-extended-info": false, "comment": "x", "user-context": {}"#,
        r#""loggers": [], "control-sockets": [], "multi-threading": {}, "sanity-checks": {}"#,
        r#""dhcp-ddns": { "enable-updates": false }, "ddns-send-updates": true"#,
        r#""hooks-libraries": [ { "library": "/usr/lib/kea/hooks/libdhcp_flex_id.so" } ]"#,
        &subnet(r#""client-class": "", "reservations-out-of-pool": false, "metadata": {}"#),
    ] {
        assert_eq!(reasons(&translate_dhcp6(text)), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn what_would_change_something_is_named_with_its_place() {
    for (text, expected) in [
        (r#""no-such-key": 1"#.to_owned(), "no-such-key: this key is not known"),
        (
            r#""decline-probation-period": 4000000000"#.to_owned(),
            "decline-probation-period: 315360000 seconds is",
        ),
        (r#""hosts-databases": [ {} ]"#.to_owned(), "hosts-databases: reservations in a database"),
        (r#""config-control": { "x": 1 }"#.to_owned(), "config-control: what is configured in a database"),
        (r#""allocator": "flq""#.to_owned(), "allocator: addresses and prefixes are chosen in one way"),
        (
            r#""hooks-libraries": [ { "library": "/x/libdhcp_ha.so" } ]"#.to_owned(),
            "hooks-libraries[0]: there are",
        ),
        (
            r#""relay-supplied-options": [ "nonsense" ]"#.to_owned(),
            "relay-supplied-options[0]: there is no such",
        ),
        (
            r#""option-def": [ { "name": "x", "code": 1, "type": "float" } ]"#.to_owned(),
            "option-def[0]: there is no type `float`",
        ),
        (
            r#""option-data": [ { "name": "nonsense" } ]"#.to_owned(),
            "option-data[0]: it is not known which option",
        ),
        (
            r#""option-data": [ { "code": 65000, "csv-format": true } ]"#.to_owned(),
            "option-data[0]: the types of",
        ),
        (
            r#""option-data": [ { "code": 65000, "data": "xyz" } ]"#.to_owned(),
            "option-data[0]: `data` is not hexadecimal",
        ),
        (
            r#""option-data": [ { "code": 7, "data": "256" } ]"#.to_owned(),
            "option-data[0]: `256` is not a number from 0 to 255",
        ),
        (
            r#""option-data": [ { "code": 23, "data": "192.0.2.1" } ]"#.to_owned(),
            "option-data[0]: `192.0.2.1` is not an IPv6",
        ),
        (
            r#""option-data": [ { "code": 59, "data": "a, b" } ]"#.to_owned(),
            "option-data[0]: has more than 1 values",
        ),
        (r#""option-data": [ { "code": 23 } ]"#.to_owned(), "option-data[0]: has 0 of 1 values"),
        (
            r#""option-data": [ { "code": 32, "data": "60" } ]"#.to_owned(),
            "option-data[0]: is shorter than clients obey",
        ),
        (
            r#""option-data": [ { "code": 1, "space": "no", "data": "00" } ]"#.to_owned(),
            "option-data[0]: no option carries the space `no`",
        ),
        (
            r#""option-data": [ { "code": 65000, "never-send": true, "data": "00" } ]"#.to_owned(),
            "option-data[0].never-send: what is",
        ),
        (
            subnet(r#""evaluate-additional-classes": [ "a" ]"#),
            "subnet6[0].evaluate-additional-classes: there are",
        ),
        (subnet(r#""interface-id": "port""#), "subnet6[0].interface-id: an Interface-ID alone"),
        (
            subnet(r#""interface": "a name that is far too long""#),
            "subnet6[0].interface: is no interface's name",
        ),
        (subnet(r#""renew-timer": 9000"#), "subnet6[0].renew-timer: is longer than the valid lifetime"),
        (subnet(r#""pools": [ { "pool": "2001:db8:2::/80" } ]"#), "subnet6[0].pools[0]: lies outside of"),
        (
            subnet(
                r#""pools": [ { "pool": "2001:db8:1::/80" }, { "pool": "2001:db8:1::5-2001:db8:1::9" } ]"#,
            ),
            "subnet6[0].pools[1]: has addresses in common with subnet6[0].pools[0]",
        ),
        (
            subnet(r#""pd-pools": [ { "prefix": "2001:db8:1::", "prefix-len": 48, "delegated-len": 64 } ]"#),
            "subnet6[0].pd-pools[0]: 2001:db8:1::/64 of subnet6[0] is on a link",
        ),
        (
            subnet(r#""reservations": [ { "duid": "01:02:03", "ip-addresses": [ "2001:db8:2::1" ] } ]"#),
            "subnet6[0].reservations[0].ip-addresses[0]: is not on the link",
        ),
        (
            subnet(r#""reservations": [ { "duid": "zz", "ip-addresses": [ "2001:db8:1::1" ] } ]"#),
            "subnet6[0].reservations[0]: `duid` cannot be read",
        ),
        (
            subnet(r#""reservations": [ { "duid": "01:02:03", "prefixes": [ "2001:db8:1:0::/72" ] } ]"#),
            "subnet6[0].reservations[0].prefixes[0]: 2001:db8:1::/64 of subnet6[0] is on a link",
        ),
        (
            subnet(
                r#""reservations": [ { "duid": "01:02:03", "ip-addresses": [ "2001:db8:1::1" ] }, { "duid": "01:02:04", "ip-addresses": [ "2001:db8:1::1" ] } ]"#,
            ),
            "subnet6[0].reservations[1].ip-addresses[0]: is reserved at subnet6[0].reservations[0].ip-addresses[0] already",
        ),
        (
            subnet(r#""reservations-in-subnet": false, "reservations": [ { "duid": "01:02:03" } ]"#),
            "subnet6[0].reservations[0]: Kea does not regard it",
        ),
    ] {
        let reasons = reasons(&translate_dhcp6(&text));
        assert!(reasons.len() == 1 && reasons[0].starts_with(expected), "{text}: {reasons:?}");
    }
}

#[test]
fn a_remark_says_what_stands_where_and_in_which_line() {
    let translation = translate_dhcp6("\n\"client-classes\": [ { \"name\": \"a\" } ]");
    let [remark] = &translation.not_translated[..] else { panic!("{:?}", translation.not_translated) };
    assert_eq!(remark.path, "client-classes");
    assert_eq!(remark.value, serde_json::json!([{ "name": "a" }]));
    assert!(remark.place.ends_with("kea.conf:3"), "{}", remark.place);
}

#[test]
fn lifetimes_are_settled_as_kea_settles_them() {
    let terms = |text: &str| {
        let translation = translate_dhcp6(&subnet(text));
        let terms = translation.config.dhcp.rules.links.into_values().next().unwrap();
        (terms.preferred_secs, terms.valid_secs, terms.t1_secs, terms.t2_secs)
    };
    assert_eq!(terms(r#""comment": """#), (4500, 7200, None, None));
    assert_eq!(terms(r#""valid-lifetime": 4000, "preferred-lifetime": 5000"#), (2500, 4000, None, None));
    assert_eq!(terms(r#""t1-percent": 0.25"#), (4500, 7200, Some(1125), None));
    assert_eq!(terms(r#""calculate-tee-times": false"#), (4500, 7200, Some(0), Some(0)));
    assert_eq!(terms(r#""rebind-timer": 1000"#), (4500, 7200, Some(0), Some(1000)));
    assert_eq!(terms(r#""renew-timer": 1000, "rebind-timer": 2000"#), (4500, 7200, Some(1000), Some(2000)));
    let forever = u32::MAX;
    let infinite = format!("\"valid-lifetime\": {forever}, \"preferred-lifetime\": {forever}");
    assert_eq!(terms(&infinite), (forever, forever, None, None));
}

#[test]
fn a_remote_id_is_known_where_a_hook_makes_it_the_identifier() {
    let hook = r#""host-reservation-identifiers": [ "flex-id" ], "hooks-libraries": [ { "library":
        "/x/libdhcp_flex_id.so", "parameters": { "identifier-expression": "relay6[0].option[37].hex" } } ]"#;
    let reservation =
        subnet(r#""reservations": [ { "flex-id": "0x00000009aabb", "ip-addresses": [ "2001:db8:1::1" ] } ]"#);
    let translation = translate_dhcp6(&format!("{hook}, {reservation}"));
    assert_eq!(reasons(&translation), Vec::<String>::new());
    let subscriber = &translation.config.dhcp.reservations[0].subscriber;
    assert_eq!(*subscriber, Subscriber::RemoteId(None, [0, 0, 0, 9, 0xaa, 0xbb].into()));
}

#[test]
fn without_an_interface_dhcp_is_off() {
    let translation = translate_text("{ \"Dhcp6\": {} }").unwrap();
    assert!(translation.config.dhcp.listen.is_empty());
    assert!(translation.warnings[0].contains("DHCP is off"), "{:?}", translation.warnings);
}

#[test]
fn one_vendors_options_are_gathered_from_all_around() {
    let text = format!(
        r#""option-data": [
            {{ "name": "tftp-servers", "space": "vendor-4491", "data": "2001:db8::69" }},
            {{ "code": 1, "space": "vendor-9", "data": "01" }} ], {}"#,
        subnet(r#""option-data": [ { "name": "config-file", "space": "vendor-4491", "data": "a" } ]"#)
    );
    let rules = translate_dhcp6(&text).config.dhcp.rules;
    let terms = rules.links.into_values().next().unwrap();
    let offered = &terms.options.get(OptionCode::VENDOR_OPTS).unwrap().instances;
    let address = [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x69];
    let docsis = [&[0, 0, 0x11, 0x8b, 0, 32, 0, 16][..], &address, &[0, 33, 0, 1, b'a']].concat();
    assert_eq!(offered[..], [vec![0, 0, 0, 9, 0, 1, 0, 1, 1].into(), docsis.into()]);
}
