//! Lease lines of Kea, with all their habits: lines in, leases and counts out.

use std::net::Ipv6Addr;

use store::import::kea::leases::{LeaseLine, LeaseState, LeaseType, Leases, Strictness, read_from};
use store::import::kea::{ImportError, Summary};
use wire::{Duid, INFINITE, Iaid};

const HEADER: &str = "address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,\
                      prefix_len,fqdn_fwd,fqdn_rev,hostname,hwaddr,state,user_context,hwtype,\
                      hwaddr_source,pool_id";
const ADDRESS: &str = "2001:db8:1::1,00:03:00:01:0a,4000,1000004000,1,3000,0,7,128,0,0,,,0,,,,0";
const PREFIX: &str = "2001:db8:a000:100::,00:03:00:01:0a,4000,1000004000,1,3000,2,7,56,0,0,,,0,,,,0";

fn read(text: impl AsRef<[u8]>) -> (Leases, Summary) {
    let mut summary = Summary::default();
    let leases = read_from("leases6.csv", text.as_ref(), Strictness::LeaveOut, &mut summary).unwrap();
    (leases, summary)
}

fn read_lines(lines: &[&str]) -> (Leases, Summary) {
    read(format!("{HEADER}\n{}\n", lines.join("\n")))
}

fn one(line: &str) -> LeaseLine {
    let (leases, summary) = read_lines(&[line]);
    assert_eq!(summary.bad, []);
    leases.into_lines().pop().unwrap()
}

fn reasons(summary: &Summary) -> Vec<(u64, &str)> {
    summary.bad.iter().map(|bad| (bad.line, &*bad.reason)).collect()
}

fn address(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

#[test]
fn an_address_and_a_prefix() {
    let (leases, summary) = read_lines(&[ADDRESS, PREFIX]);
    let lease = leases.get(address("2001:db8:1::1")).unwrap();
    assert_eq!(lease.resource, "2001:db8:1::1/128".parse().unwrap());
    assert_eq!(lease.duid, Some("00:03:00:01:0a".parse::<Duid>().unwrap()));
    assert_eq!(
        (lease.lease_type, lease.state, lease.iaid),
        (LeaseType::Address, LeaseState::Assigned, Iaid(7))
    );
    assert_eq!((lease.subnet, lease.preferred_secs, lease.valid_secs), (1, 3000, 4000));
    assert_eq!((lease.heard_at, lease.expires_at()), (1_000_000_000, Some(1_000_004_000)));
    assert_eq!((lease.relays.clone(), lease.fqdn.clone(), lease.place.line), (Ok(None), None, 2));

    let lease = leases.get(address("2001:db8:a000:100::")).unwrap();
    assert_eq!(lease.resource, "2001:db8:a000:100::/56".parse().unwrap());
    assert_eq!((lease.lease_type, lease.place.line), (LeaseType::Prefix, 3));
    assert_eq!((summary.lines, summary.bad_lines, summary.warning_count), (2, 0, 0));
    assert_eq!(leases.written_at, 1_000_000_000);
}

#[test]
fn a_later_line_replaces_an_earlier_one() {
    let renewed = ADDRESS.replace("1000004000", "1000005000");
    let (leases, summary) = read_lines(&[ADDRESS, PREFIX, &renewed]);
    assert_eq!(leases.len(), 2);
    assert_eq!(leases.get(address("2001:db8:1::1")).unwrap().heard_at, 1_000_001_000);
    assert_eq!((summary.lines, summary.superseded, summary.deletions), (3, 1, 0));
    assert_eq!(leases.written_at, 1_000_001_000);
}

#[test]
fn kea_knows_a_lease_by_its_address_alone() {
    let longer = PREFIX.replace(",56,", ",64,");
    let (leases, summary) = read_lines(&[PREFIX, &longer]);
    assert_eq!((leases.len(), summary.superseded), (1, 1));
    assert_eq!(leases.get(address("2001:db8:a000:100::")).unwrap().resource.length(), 64);
}

#[test]
fn a_valid_lifetime_of_zero_deletes() {
    let deletion = ADDRESS.replace("4000,1000004000", "0,1000002000");
    let (leases, summary) = read_lines(&[ADDRESS, PREFIX, &deletion]);
    assert_eq!(leases.len(), 1);
    assert!(leases.get(address("2001:db8:a000:100::")).is_some());
    assert_eq!((summary.superseded, summary.deletions), (1, 1));
    assert_eq!(leases.written_at, 1_000_002_000);

    let (leases, summary) = read_lines(&[&deletion, ADDRESS]);
    assert_eq!((leases.len(), summary.superseded, summary.deletions), (1, 0, 1));
}

#[test]
fn states() {
    for (state, expected) in [
        ("0", LeaseState::Assigned),
        ("2", LeaseState::Reclaimed),
        ("3", LeaseState::Released),
        ("4", LeaseState::Registered),
    ] {
        let line = ADDRESS.replace(",128,0,0,,,0,", &format!(",128,0,0,,,{state},"));
        assert_eq!(one(&line).state, expected, "{state}");
    }
    let released = ADDRESS.replace("4000,1000004000", "0,1000002000").replace(",,,0,", ",,,3,");
    assert_eq!(one(&released).state, LeaseState::Released);
}

#[test]
fn a_declined_lease_is_nobodys() {
    for duid in ["00:00:00", "00", "", "00:03:00:01:0a"] {
        let line = ADDRESS.replace("00:03:00:01:0a", duid).replace(",,,0,", ",,,1,");
        let lease = one(&line);
        assert_eq!((lease.state, lease.duid), (LeaseState::Declined, None), "{duid}");
    }
    for duid in ["00:00:00", "00", ""] {
        let (_, summary) = read_lines(&[&ADDRESS.replace("00:03:00:01:0a", duid)]);
        assert_eq!(reasons(&summary), [(2, "`duid` is empty, and the lease is not declined")], "{duid}");
    }
}

#[test]
fn infinity_is_infinite_however_its_end_was_written() {
    for (expire, heard_at) in [("5294967295", 1_000_000_000), ("1000000000", 1_000_000_000), ("0", 0)] {
        let lease = one(&ADDRESS.replace("4000,1000004000", &format!("4294967295,{expire}")));
        assert_eq!(
            (lease.valid_secs, lease.heard_at, lease.expires_at()),
            (INFINITE, heard_at, None),
            "{expire}"
        );
    }
}

#[test]
fn octets_are_opaque_and_digits_of_either_case() {
    let lease = one(&ADDRESS.replace("00:03:00:01:0a", "00:02:00:00:09:BF:00:fF:00"));
    assert_eq!(lease.duid.unwrap().octets(), [0, 2, 0, 0, 9, 0xbf, 0, 0xff, 0]);
}

#[test]
fn names_are_unescaped() {
    let lease = one(&ADDRESS.replace(",128,0,0,,", ",128,1,0,a&#x2cb.example.org.,"));
    assert_eq!(lease.fqdn.as_deref(), Some(&b"\x01\x03a,b\x07example\x03org\0"[..]));
    let lease = one(&ADDRESS.replace(",128,0,0,,", ",128,0,1,a&#x26b,"));
    assert_eq!(lease.fqdn.as_deref(), Some(&b"\0\x03a&b\0"[..]));
}

#[test]
fn relays_are_read_from_an_escaped_context() {
    let relay = r#"{ "hop": 0&#x2c "link": "::"&#x2c "options": "0x00120001fF"&#x2c "peer": "fe80::1" }"#;
    let context = format!(r#"{{ "ISC": {{ "relay-info": [ {relay} ] }} }}"#);
    let relays = one(&ADDRESS.replace(",,,0,,", &format!(",,,0,{context},"))).relays.unwrap().unwrap();
    assert_eq!((relays.len(), &relays[..2], &relays[34..]), (39, &[12, 0][..], &[0, 0x12, 0, 1, 0xff][..]));
}

#[test]
fn a_lease_is_good_without_its_relays() {
    for context in [
        "{",
        "[]",
        r#"{"ISC":{"relays":[{"hop":0&#x2c"link":"::"&#x2c"peer":"::"&#x2c"options":"0x0012"}]}}"#,
    ] {
        let lease = one(&ADDRESS.replace(",,,0,,", &format!(",,,0,{context},")));
        assert!(lease.relays.is_err(), "{context}");
    }
}

#[test]
fn older_files_have_fewer_columns() {
    let columns = |line: &str, count: usize| line.split(',').take(count).collect::<Vec<_>>().join(",");
    for count in [12, 13, 14, 15, 17] {
        let (leases, summary) = read(format!("{}\n{}\n", columns(HEADER, count), columns(ADDRESS, count)));
        assert_eq!((leases.len(), summary.bad_lines, summary.warning_count), (1, 0, 0), "{count} columns");
        assert_eq!(leases.into_lines()[0].state, LeaseState::Assigned);
    }
}

#[test]
fn a_kea_upgraded_writes_longer_lines_below_an_old_header() {
    let columns = |line: &str, count: usize| line.split(',').take(count).collect::<Vec<_>>().join(",");
    let newer = PREFIX.replace(",,,0,", ",,,2,");
    let (leases, summary) = read(format!("{}\n{}\n{newer}\n", columns(HEADER, 12), columns(ADDRESS, 12)));
    assert_eq!(summary.bad, []);
    assert_eq!(leases.get(address("2001:db8:1::1")).unwrap().state, LeaseState::Assigned);
    assert_eq!(leases.get(address("2001:db8:a000:100::")).unwrap().state, LeaseState::Reclaimed);
}

#[test]
fn columns_go_by_their_names() {
    let reversed = |line: &str| line.split(',').rev().collect::<Vec<_>>().join(",");
    let (leases, summary) = read(format!("{}\n{}\n", reversed(HEADER), reversed(PREFIX)));
    assert_eq!((leases.into_lines(), summary.bad), (vec![one(PREFIX)], vec![]));
}

#[test]
fn unknown_columns_are_left_out_with_one_warning_each() {
    let (leases, summary) = read(format!("{HEADER},colour\n{ADDRESS},red\n{PREFIX},blue\n"));
    assert_eq!(leases.len(), 2);
    assert_eq!(summary.warnings, ["leases6.csv:1: column `colour` is not known and is left out"]);
}

#[test]
fn a_missing_column_is_an_error() {
    let mut summary = Summary::default();
    let text = HEADER.replace(",expire", "");
    let error = read_from("leases6.csv", text.as_bytes(), Strictness::LeaveOut, &mut summary).unwrap_err();
    assert!(error.to_string().starts_with("leases6.csv:1: the header has no column `expire`"), "{error}");
}

#[test]
fn line_ends_blank_lines_and_a_byte_order_mark_do_not_matter() {
    let (leases, summary) = read(format!("\u{feff}{HEADER}\r\n\r\n{ADDRESS}\r\n  \n\n{PREFIX}"));
    assert_eq!((leases.len(), summary.lines, summary.bad_lines), (2, 2, 0));
    assert_eq!(leases.get(address("2001:db8:a000:100::")).unwrap().place.line, 6);
}

#[test]
fn an_empty_file_has_no_leases() {
    for text in ["", "\n", "\u{feff}", HEADER] {
        assert!(read(text).0.is_empty());
    }
}

#[test]
fn a_torn_last_line_is_a_bad_line() {
    let whole = format!("{HEADER}\n{ADDRESS}\n{PREFIX}");
    let before_last_comma = whole.rfind(',').unwrap();
    for length in whole.len() - PREFIX.len() + 1..=before_last_comma {
        let (leases, summary) = read(&whole[..length]);
        assert_eq!((leases.len(), summary.bad_lines), (1, 1), "{}", &whole[length - 10..length]);
        assert_eq!(summary.bad[0].line, 3);
    }
}

#[test]
fn a_bad_line_says_what_is_wrong_and_harms_no_other() {
    let cases = [
        (ADDRESS.replace("2001:db8:1::1", "192.0.2.1"), "`address` is not an IPv6 address"),
        (ADDRESS.replace("00:03:00:01:0a", "00:03"), "`duid` is not a DUID of 3 to 130 octets"),
        (ADDRESS.replace("00:03:00:01:0a", "00:zz:01"), "`duid` is not a DUID of 3 to 130 octets"),
        (ADDRESS.replace("4000,", "4294967296,"), "`valid_lifetime` is not a number, or is too large"),
        (ADDRESS.replace(",7,128", ",-7,128"), "`iaid` is not a number, or is too large"),
        (ADDRESS.replace(",7,128", ",,128"), "`iaid` is not a number, or is too large"),
        (
            ADDRESS.replace(",0,7,128", ",3,7,128"),
            "`lease_type` 3 is none of 0 (IA_NA), 1 (IA_TA), 2 (IA_PD)",
        ),
        (
            ADDRESS.replace(",,,0,", ",,,5,"),
            "`state` 5 is none of 0 (default), 1 (declined), 2 (expired), 3 (released), 4 (registered)",
        ),
        (ADDRESS.replace(",,,0,", ",,,,"), "`state` is not a number, or is too large"),
        (ADDRESS.replace(",128,", ",64,"), "`prefix_len` 64 does not go with the lease type"),
        (PREFIX.replace(",56,", ",0,"), "`prefix_len` 0 does not go with the lease type"),
        (PREFIX.replace(",56,", ",129,"), "`prefix_len` 129 does not go with the lease type"),
        (PREFIX.replace(",56,", ",48,"), "`address` has bits set behind `prefix_len` 48"),
        (
            ADDRESS.replace("1000004000", "3999"),
            "`expire` less `valid_lifetime` is no moment between 1970 and 2106",
        ),
        (
            ADDRESS.replace("1000004000", "18446744073709551615"),
            "`expire` less `valid_lifetime` is no moment between 1970 and 2106",
        ),
        (ADDRESS.replace(",128,0,0", ",128,0,yes"), "`fqdn_rev` is neither 0 nor 1"),
        ("garbage".to_owned(), "1 fields where the header has 18 columns"),
        (format!("{ADDRESS},"), "19 fields where the header has 18 columns"),
        ("\0".repeat(5000), "1 fields where the header has 18 columns"),
    ];
    for (line, reason) in cases {
        let (leases, summary) = read_lines(&[&line, PREFIX]);
        assert_eq!((leases.len(), summary.lines), (1, 2), "{line}");
        assert_eq!(reasons(&summary), [(2, reason)], "{line}");
    }
}

#[test]
fn the_first_bad_line_stops_a_strict_reading() {
    let mut summary = Summary::default();
    let text = format!("{HEADER}\n{ADDRESS}\nbad\nworse\n");
    let error = read_from("leases6.csv", text.as_bytes(), Strictness::Stop, &mut summary).unwrap_err();
    assert_eq!(error.to_string(), "leases6.csv:3: 1 fields where the header has 18 columns");
    assert!(matches!(error, ImportError::Line(_)));
}

#[test]
fn lists_are_bounded_and_counts_are_not() {
    let (_, summary) = read(format!("{HEADER}\n{}", "bad\n".repeat(1000)));
    assert_eq!((summary.bad_lines, summary.bad.len()), (1000, 100));
}
