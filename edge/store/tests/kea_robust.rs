//! Whatever is in a file, reading it gives leases or errors and never a panic.

use proptest::prelude::*;
use store::import::kea::leases::{Strictness, read_from};
use store::import::kea::{Summary, config};

const HEADER: &[u8] =
    b"address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,prefix_len,\
                        fqdn_fwd,fqdn_rev,hostname,state,user_context\n";

/// Octets that a lease file is made of, so that more than the first comparison is reached.
const FRAGMENTS: &[&str] = &[
    ",",
    "\n",
    "\r",
    "&#x",
    "&#x2c",
    "0",
    "1",
    "2",
    "128",
    "56",
    "4294967295",
    "18446744073709551615",
    "00:03:00:01:0a",
    "00:00:00",
    "2001:db8::",
    "2001:db8::1",
    "{",
    "}",
    "[",
    "]",
    "\"",
    ":",
    "\"ISC\"",
    "\"relays\"",
    "\"relay-info\"",
    "\"hop\"",
    "\"link\"",
    "\"peer\"",
    "\"options\"",
    "0x00090001",
    "a.b",
    "\\",
    "\\000",
    "-1",
];

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
    "\"ip-addresses\":",
    "\"ip-address\": \"::1\"",
    "1",
    "-1e400",
    "true",
    "\u{feff}",
];

fn read_leases(text: &[u8]) {
    let mut summary = Summary::default();
    if let Ok(leases) = read_from("x", text, Strictness::LeaveOut, &mut summary) {
        // What neither is bad nor deletes was a lease, which stands, or was replaced or deleted by a later
        // line.
        let leases_once = summary.lines - summary.bad_lines - summary.deletions;
        assert_eq!(leases_once, leases.len() as u64 + summary.superseded);
    }
}

fn read_config(text: &[u8]) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("kea.conf");
    std::fs::write(&path, text).unwrap();
    let _ = config::read(&path);
}

fn joined(fragments: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(fragments), 0..80)
        .prop_map(|parts| parts.concat().into_bytes())
}

proptest! {
    #[test]
    fn any_octets_as_a_lease_file(text in prop::collection::vec(any::<u8>(), 0..500)) {
        read_leases(&text);
        read_leases(&[HEADER, &text].concat());
    }

    #[test]
    fn any_fields_as_a_lease_file(text in joined(FRAGMENTS)) {
        read_leases(&[HEADER, &text].concat());
    }

    #[test]
    fn any_fields_in_a_line_that_begins_well(
        fields in prop::collection::vec(joined(FRAGMENTS), 14),
        good in prop::collection::vec(any::<bool>(), 14),
    ) {
        let model = b"2001:db8::,00:03:00:01:0a,1,9,1,1,2,1,56,1,1,a,0,{}".split(|&octet| octet == b',');
        let fields = fields.iter().map(|field| &field[..]).zip(model).zip(good);
        let choose = |((any, model), good)| if good { model } else { any };
        let line: Vec<&[u8]> = fields.map(choose).collect();
        read_leases(&[HEADER, &line.join(&b',')].concat());
    }

    #[test]
    fn any_octets_as_a_configuration(text in prop::collection::vec(any::<u8>(), 0..200)) {
        read_config(&text);
    }

    #[test]
    fn any_tokens_as_a_configuration(text in joined(TOKENS)) {
        read_config(&text);
        read_config(&[b"{\"Dhcp6\": {", &text[..]].concat());
    }
}
