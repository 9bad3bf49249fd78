//! Kea's configurations: files in; links, pools and errors with their places out.

use std::net::Ipv6Addr;
use std::path::{Path, PathBuf};

use lease::DelegationPool;
use store::import::kea::ServerId;
use store::import::kea::config::{KeaConfig, Network, read};
use wire::Prefix;

fn read_test_file(name: &str) -> KeaConfig {
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kea/conf").join(name)).unwrap()
}

fn read_text(text: &str) -> Result<KeaConfig, String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("kea.conf");
    std::fs::write(&path, text).unwrap();
    read(&path).map_err(|error| error.to_string().replace(&format!("{}/", directory.path().display()), ""))
}

fn address(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

fn prefix(text: &str) -> Prefix {
    text.parse().unwrap()
}

fn outline(network: &Network) -> (Option<&str>, Vec<(u32, String)>) {
    (
        network.name.as_deref(),
        network.subnets.iter().map(|subnet| (subnet.id, subnet.prefix.to_string())).collect(),
    )
}

#[test]
fn a_shared_network_is_one_network_and_so_is_a_subnet_outside() {
    let config = read_test_file("everything.conf");
    let [shared, single] = &config.networks[..] else { panic!("{:?}", config.networks) };
    let subnets = vec![(20, "2001:db8:2::/64".to_owned()), (30, "2001:db8:3::/64".to_owned())];
    assert_eq!(outline(shared), (Some("city // not a comment"), subnets));
    assert_eq!(shared.relays, ["2001:db8:2::1", "2001:db8:3::1"].map(address));
    assert_eq!((shared.interface.as_deref(), &shared.subnets[1].interface), (Some("eth1"), &None));
    assert_eq!(outline(single), (None, vec![(1, "2001:db8:1::/64".to_owned())]));
    assert_eq!(single.subnets[0].relays, [address("fe80::1")]);
    assert_eq!(single.subnets[0].interface.as_deref(), Some("eth0"));
}

#[test]
fn pools_are_ranges_or_prefixes() {
    let config = read_test_file("everything.conf");
    let pools = &config.networks[0].subnets[0].pools;
    assert_eq!(pools[0], (address("2001:db8:2::1000"), address("2001:db8:2::1fff")));
    assert_eq!(pools[1], (address("2001:db8:2::8000"), address("2001:db8:2::ffff")));
}

#[test]
fn prefixes_to_delegate_and_what_is_left_out_of_them() {
    let config = read_test_file("everything.conf");
    let excluded = Some(prefix("2001:db8:a000:80::/64"));
    let expected = [
        DelegationPool { prefix: prefix("2001:db8:a000::/40"), delegated_length: 56, excluded },
        DelegationPool { prefix: prefix("2001:db8:b000::/56"), delegated_length: 56, excluded: None },
    ];
    assert_eq!(config.networks[0].subnets[1].pd_pools, expected);
}

#[test]
fn the_rest_of_the_file() {
    let config = read_test_file("everything.conf");
    assert_eq!(config.lease_file, Some(PathBuf::from("/srv/kea/leases6.csv")));
    assert_eq!(config.data_directory, Some(PathBuf::from("/srv/kea")));
    assert_eq!(config.warnings, ["3 host reservations are not imported"]);
}

#[test]
fn subnets_without_a_number_are_numbered_as_kea_does() {
    let config = read_test_file("numbers.conf");
    let mut numbers: Vec<_> = config.networks.iter().flat_map(|network| outline(network).1).collect();
    numbers.sort();
    let expected = [(1, "3"), (2, "4"), (3, "1"), (4, "2"), (77, "5")];
    assert_eq!(numbers, expected.map(|(id, n)| (id, format!("2001:db8:{n}::/64"))));
    assert_eq!(config.warnings.len(), 4);
    assert!(
        config.warnings[0]
            .ends_with("numbers.conf:4: subnet 2001:db8:3::/64 has no id; taken for number 1, as Kea counts")
    );
}

#[test]
fn the_server_keeps_its_duid() {
    let given = |text: &str| {
        let config = read_text(&format!("{{\"Dhcp6\": {{ \"server-id\": {{ {text} }} }} }}")).unwrap();
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
    assert_eq!(read_text(r#"{"Dhcp6": {}}"#).unwrap().server_id, ServerId::Stored(1));
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
        assert_eq!(read_text(&text).map(|_| ()), Err(error.to_owned()), "{text}");
    }
    let error = read_text(&subnet("\"id\": 9},\n{ \"subnet\": \"2001:db9::/64\", \"id\": 9")).unwrap_err();
    assert_eq!(error, "kea.conf:4: the subnet at kea.conf:3 has number 9 too; give each its own `id`");
}

#[test]
fn leases_in_a_database_have_to_be_dumped() {
    let config =
        read_text("{\"Dhcp6\": {\"lease-database\":\n{\"type\": \"mysql\", \"name\": \"kea\"}}}").unwrap();
    assert_eq!(config.lease_file, None);
    assert!(config.warnings[0].contains("kea.conf:2: leases are kept in mysql"), "{:?}", config.warnings);
}

#[test]
fn what_kea_itself_ran_with() {
    for name in ["kea-2.2-dhcp6.conf", "kea-3.3-dhcp6.conf"] {
        let config =
            read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples/kea").join(name)).unwrap();
        assert_eq!(config.networks.len(), 1);
        assert_eq!(outline(&config.networks[0]), (None, vec![(1, "2001:db8:1::/64".to_owned())]));
        assert_eq!(config.lease_file, Some(PathBuf::from("/var/lib/kea/kea-leases6.csv")));
        let ServerId::Given(duid) = config.server_id else { panic!("{name}") };
        assert_eq!(duid.to_string(), "00:03:00:01:02:00:00:00:00:aa");
        assert_eq!(config.warnings, Vec::<String>::new());
    }
}
