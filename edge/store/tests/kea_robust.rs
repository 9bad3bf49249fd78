//! Whatever is in a file, reading it gives leases or errors and never a panic.

use proptest::prelude::*;
use store::import::kea::Summary;
use store::import::kea::leases::{Strictness, read_from};

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

fn read_leases(text: &[u8]) {
    let mut summary = Summary::default();
    if let Ok(leases) = read_from("x", text, Strictness::LeaveOut, &mut summary) {
        // What neither is bad nor deletes was a lease, which stands, or was replaced or deleted by a later
        // line.
        let leases_once = summary.lines - summary.bad_lines - summary.deletions;
        assert_eq!(leases_once, leases.len() as u64 + summary.superseded);
    }
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
}
