//! Subnets, pools, relays, who the server is; and errors with their places.

use std::net::Ipv6Addr;
use std::path::PathBuf;

use lease::{AddressPool, DelegationPool, InterfacePattern, LinkId};
use leasehold::import::kea::{ServerId, Translation, translate};
use wire::Prefix;

use crate::{assert_good, file, translate_text};

fn read_test_file(name: &str) -> Translation {
    let translation = translate(&file("conf").join(name)).unwrap();
    assert_good(&translation);
    translation
}

fn address(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

fn prefix(text: &str) -> Prefix {
    text.parse().unwrap()
}

#[test]
fn a_shared_network_is_one_link_and_so_is_a_subnet_outside() {
    let Translation { config, subnets, .. } = read_test_file("everything.conf");
    let [shared, single] = &config.links[..] else { panic!("{:?}", config.links) };
    assert_eq!((shared.id, shared.name.as_str()), (LinkId(20), "city // not a comment"));
    assert_eq!((single.id, single.name.as_str()), (LinkId(1), "subnet-1"));
    assert_eq!(subnets, [vec![20, 30], vec![1]]);
    assert_eq!(shared.prefixes, ["2001:db8:2::/64", "2001:db8:3::/64"].map(prefix));
    assert_eq!(shared.relay_addresses, ["2001:db8:2::1", "2001:db8:3::1"].map(address));
    assert_eq!(single.relay_addresses, [address("fe80::1")]);
    assert_eq!(shared.interfaces, [InterfacePattern("eth1".to_owned())]);
    assert_eq!(single.interfaces, [InterfacePattern("eth0".to_owned())]);
}

#[test]
fn pools_are_ranges_or_prefixes() {
    let config = read_test_file("everything.conf").config;
    let pool = |first: &str, last: &str| AddressPool { first: address(first), last: address(last) };
    let expected =
        [pool("2001:db8:2::1000", "2001:db8:2::1fff"), pool("2001:db8:2::8000", "2001:db8:2::ffff")];
    assert_eq!(config.links[0].address_pools, expected);
}

#[test]
fn prefixes_to_delegate_and_what_is_left_out_of_them() {
    let config = read_test_file("everything.conf").config;
    let excluded = Some(prefix("2001:db8:a000:80::/64"));
    let expected = [
        DelegationPool { prefix: prefix("2001:db8:a000::/40"), delegated_length: 56, excluded },
        DelegationPool { prefix: prefix("2001:db8:b000::/56"), delegated_length: 56, excluded: None },
    ];
    assert_eq!(config.links[0].delegation_pools, expected);
}

#[test]
fn the_rest_of_the_file() {
    let translation = read_test_file("everything.conf");
    assert_eq!(translation.lease_file, Some(PathBuf::from("/srv/kea/leases6.csv")));
    assert_eq!(translation.data_directory, Some(PathBuf::from("/srv/kea")));
    let [warning] = &translation.warnings[..] else { panic!("{:?}", translation.warnings) };
    assert!(warning.contains("five eighths"), "{warning}");
}

#[test]
fn subnets_without_a_number_are_numbered_as_kea_does() {
    let Translation { config, subnets, warnings, .. } = read_test_file("numbers.conf");
    let prefixes = config.links.iter().flat_map(|link| &link.prefixes).map(ToString::to_string);
    let mut numbers: Vec<_> = subnets.into_iter().flatten().zip(prefixes).collect();
    numbers.sort();
    let expected = [(1, "3"), (2, "4"), (3, "1"), (4, "2"), (77, "5")];
    assert_eq!(numbers, expected.map(|(id, n)| (id, format!("2001:db8:{n}::/64"))));
    assert_eq!(warnings.len(), 6);
    let warnings: Vec<_> = warnings.iter().filter(|warning| warning.contains("has no id")).collect();
    let first = "numbers.conf:4: subnet 2001:db8:3::/64 has no id; taken for number 1, as Kea counts";
    assert!(warnings[0].ends_with(first), "{}", warnings[0]);
}

#[test]
fn the_server_keeps_its_duid() {
    let given = |text: &str| {
        let config = translate_text(&format!("{{\"Dhcp6\": {{ \"server-id\": {{ {text} }} }} }}")).unwrap();
        match config.server_id {
            ServerId::Given(duid) => duid.to_string(),
            ServerId::Stored(kind) => format!("stored {kind}"),
        }
    };
    for (text, expected) in [
        (r#""type": "LL", "htype": 8, "identifier": "A65DC7410F05""#, "00:03:00:08:a6:5d:c7:41:0f:05"),
        (r#""type": "LL", "identifier": "A65DC7410F05""#, "00:03:00:01:a6:5d:c7:41:0f:05"),
        (r#""type": "LL", "htype": 8"#, "stored 3"),
        (r#""type": "LLT", "time": 2518920967, "identifier": "6500""#, "00:01:00:01:96:23:af:07:65:00"),
        (r#""time": 1, "htype": 0, "identifier": "00""#, "00:01:00:01:00:00:00:01:00"),
        (r#""type": "LLT", "identifier": "6500""#, "stored 1"),
        (r#""type": "EN", "enterprise-id": 0, "identifier": "ABC1""#, "00:02:00:00:09:bf:ab:c1"),
        (r#""type": "EN", "enterprise-id": 4294967295, "identifier": "00""#, "00:02:ff:ff:ff:ff:00"),
        (r#""type": "EN""#, "stored 2"),
        ("", "stored 1"),
    ] {
        assert_eq!(given(text), expected, "{text}");
    }
    assert_eq!(translate_text(r#"{"Dhcp6": {}}"#).unwrap().server_id, ServerId::Stored(1));
}

#[test]
fn errors_say_where_and_what_would_be_right() {
    let subnet = |text: &str| {
        format!("{{\"Dhcp6\": {{\n\"subnet6\": [\n{{ \"subnet\": \"2001:db8::/64\", {text} }} ] }} }}")
    };
    let pd_pool = "\"prefix\": \"2001:db8::\", \"prefix-len\": 40, \"delegated-len\": 56";
    for (text, error) in [
        (
            "{\n\"Dhcp4\": {} }".to_owned(),
            "kea.conf:1: this is no configuration of kea-dhcp6: no `Dhcp6` in it",
        ),
        (
            "{\"Dhcp6\": {\"subnet6\": [\n{}]}}".to_owned(),
            "kea.conf:2: a subnet must have a `subnet` as in \"2001:db8:1::/64\"",
        ),
        (
            "{\"Dhcp6\": {\"subnet6\": [\n{\"subnet\":\"192.0.2.0/24\"}]}}".to_owned(),
            "kea.conf:2: a subnet must have a `subnet` as in \"2001:db8:1::/64\"",
        ),
        (
            "{\"Dhcp6\": {\"shared-networks\": [\n{}]}}".to_owned(),
            "kea.conf:2: a shared network must have a `name`",
        ),
        (subnet("\"id\":\n\"one\""), "kea.conf:4: `id` must be a number, not negative and not too large"),
        (subnet("\"id\": 4294967296"), "kea.conf:3: `id` must be a number, not negative and not too large"),
        (subnet("\"pools\": 1"), "kea.conf:3: `pools` must be a list in brackets"),
        (
            subnet("\"pools\": [\n{\"pool\": \"::2 - ::1\"}]"),
            "kea.conf:4: a pool must have a `pool` as in \"2001:db8::10 - 2001:db8::ff\" or \"2001:db8::/80\"",
        ),
        (
            subnet("\"pd-pools\": [{\"prefix\": \"2001:db8::\"}]"),
            "kea.conf:3: a pd-pool must have a `prefix` as in \"2001:db8:a000::\" and a `prefix-len`",
        ),
        (
            subnet("\"pd-pools\": [{\"prefix\": \"2001:db8::\", \"prefix-len\": 40, \"delegated-len\": 32}]"),
            "kea.conf:3: `delegated-len` must be 40 to 128",
        ),
        (
            subnet("\"pd-pools\": [{\"prefix\": \"::\", \"prefix-len\": 129}]"),
            "kea.conf:3: `prefix` must be an address and `prefix-len` at most 128",
        ),
        (
            subnet(&format!(
                "\"pd-pools\": [{{{pd_pool}, \"excluded-prefix\": \"::\", \"excluded-prefix-len\": 56}}]"
            )),
            "kea.conf:3: `excluded-prefix-len` must be more than 56, the length delegated",
        ),
        (subnet("\"relay\": {\"ip-addresses\": [\"me\"]}"), "kea.conf:3: `me` is not an IPv6 address"),
        (subnet("\"interface\": 0"), "kea.conf:3: `interface` must be a text in double quotes"),
        (
            "{\"Dhcp6\": {\"server-id\": {\"type\": \"UUID\"}}}".to_owned(),
            "kea.conf:1: `type` of `server-id` must be LLT, LL or EN, not UUID",
        ),
        (
            "{\"Dhcp6\": {\"server-id\": {\"identifier\": \"abc\"}}}".to_owned(),
            "kea.conf:1: `identifier` of `server-id` must be hexadecimal, two digits an octet",
        ),
    ] {
        assert_eq!(translate_text(&text).map(|_| ()), Err(error.to_owned()), "{text}");
    }
    let error =
        translate_text(&subnet("\"id\": 9},\n{ \"subnet\": \"2001:db9::/64\", \"id\": 9")).unwrap_err();
    assert_eq!(error, "kea.conf:4: the subnet at kea.conf:3 has number 9 too; give each its own `id`");
}

#[test]
fn leases_in_a_database_have_to_be_dumped() {
    let text = "{\"Dhcp6\": {\"lease-database\":\n{\"type\": \"mysql\", \"name\": \"kea\"}}}";
    let translation = translate_text(text).unwrap();
    assert_eq!(translation.lease_file, None);
    let warnings = translation.warnings;
    assert!(warnings.iter().any(|warning| warning.contains(":2: leases are kept in mysql")), "{warnings:?}");
}
