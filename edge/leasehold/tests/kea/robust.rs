//! Whatever is in a file, reading it gives a good configuration or an error and never a panic.

use proptest::prelude::*;

use crate::{assert_good, translate_text};

const TOKENS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\n",
    "#",
    "//",
    "/*",
    "*/",
    "<?include \"x\"?>",
    "<?",
    "?>",
    "\"Dhcp6\":",
    "\"subnet6\":",
    "\"shared-networks\":",
    "\"subnet\": \"2001:db8::/64\"",
    "\"id\": 1",
    "\"id\":",
    "\"pools\":",
    "\"pool\": \"::1 - ::2\"",
    "\"pd-pools\":",
    "\"prefix\": \"::\"",
    "\"prefix-len\": 0",
    "\"delegated-len\": 200",
    "\"excluded-prefix\": \"::\"",
    "\"excluded-prefix-len\": 129",
    "\"server-id\":",
    "\"type\": \"LL\"",
    "\"identifier\": \"0\"",
    "\"htype\": 70000",
    "\"time\": -1",
    "\"relay\":",
    "\"option-data\":",
    "\"name\": \"dns-servers\"",
    "\"name\": \"vendor-opts\"",
    "\"space\": \"vendor-1\"",
    "\"data\": \"2001:db8::1\"",
    "\"data\": \"1\"",
    "\"code\": 23",
    "\"csv-format\": false",
    "\"reservations\":",
    "\"duid\": \"01:02:03\"",
    "\"hw-address\": \"01:02\"",
    "\"ip-addresses\": [\"2001:db8::1\"]",
    "\"prefixes\": [\"2001:db8::/64\"]",
    "\"valid-lifetime\": 1",
    "\"renew-timer\": 2",
    "\"reservations-global\": true",
    "\"interface\": \"a\"",
    "\"interface-id\": \"a\"",
    "\"ip-addresses\":",
    "\"ip-address\": \"::1\"",
    "1",
    "-1e400",
    "true",
    "\u{feff}",
];

/// Whole values, so that more is put together than is refused.
const SUBNETS: &[&str] = &[
    r#"{ "subnet": "2001:db8::/64", "interface": "a", "pools": [ { "pool": "2001:db8::/80" } ] }"#,
    r#"{ "subnet": "2001:db8::/63", "interface": "a", "valid-lifetime": 10, "renew-timer": 20 }"#,
    r#"{ "subnet": "2001:db8:1::/64", "pd-pools": [ { "prefix": "2001:db8::", "prefix-len": 40, "delegated-len": 64 } ] }"#,
    r#"{ "subnet": "2001:db8:2::/64", "pd-pools": [ { "prefix": "2001:db9::", "prefix-len": 40, "delegated-len": 64,
         "option-data": [ { "name": "aftr-name", "data": "a.example" } ] } ] }"#,
    r#"{ "subnet": "2001:db8:3::/64", "pd-pools": [ { "prefix": "2001:db9::", "prefix-len": 44, "delegated-len": 64,
         "excluded-prefix": "2001:db8::", "excluded-prefix-len": 72 } ] }"#,
    r#"{ "subnet": "2001:db8:4::/64", "relay": { "ip-addresses": [ "fe80::1" ] }, "interface-id": "x",
         "reservations": [ { "duid": "01:02:03", "ip-addresses": [ "2001:db8:4::1" ], "prefixes": [ "2001:db9::/64" ] } ] }"#,
    r#"{ "subnet": "2001:db8:5::/64", "relay": { "ip-addresses": [ "fe80::1" ] }, "interface-id": "x",
         "reservations": [ { "duid": "01:02:03", "prefixes": [ "2001:db9:0:1::/64" ] }, { "hw-address": "01",
         "option-data": [ { "code": 17, "data": "1" }, { "code": 1, "space": "vendor-1", "data": "00" } ] } ] }"#,
];

fn read(text: &str) {
    if let Ok(translation) = translate_text(text) {
        assert_good(&translation);
    }
}

fn joined(fragments: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(fragments), 0..80).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn any_characters(text in ".{0,200}") {
        read(&text);
    }

    #[test]
    fn any_tokens(text in joined(TOKENS)) {
        read(&text);
        read(&format!("{{\"Dhcp6\": {{{text}"));
    }

    #[test]
    fn any_subnets_together(
        shared in prop::collection::vec(prop::sample::select(SUBNETS), 0..5),
        alone in prop::collection::vec(prop::sample::select(SUBNETS), 0..5),
        global in any::<bool>(),
    ) {
        let (shared, alone) = (shared.join(","), alone.join(","));
        read(&format!(
            r#"{{ "Dhcp6": {{ "reservations-global": {global}, "subnet6": [ {alone} ],
            "reservations": [ {{ "duid": "01:02:03", "ip-addresses": [ "2001:db8:4::1", "2001:db8::1" ] }},
                              {{ "duid": "01:02:04", "option-data": [ {{ "code": 23, "data": "::1" }} ] }} ],
            "shared-networks": [ {{ "name": "n", "subnet6": [ {shared} ] }} ] }} }}"#
        ));
    }
}
