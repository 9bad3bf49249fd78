//! `[[link]]`: prefixes, ways to it, pools, and what links may not share.

use lease::InterfacePattern;

use crate::{LINKS, assert_fault, assert_links_fault, faults, good};

#[test]
fn prefixes() {
    let bad = |bad: &str| format!("prefixes = [\"{bad}\"]");
    let good = "prefixes = [\"2001:db8:2::/64\"]";
    let key = "link.prefixes";
    assert_links_fault(good, &bad("2001:db8:2::1/64"), 12, key, &["bits set", "write \"2001:db8:2::/64\""]);
    assert_links_fault(good, &bad("2001:db8:2::/129"), 12, key, &["129"]);
    assert_links_fault(good, &bad("2001:db8:2::"), 12, key, &["is not a prefix", "a slash and a length"]);
    let same = bad("2001:db8:1::/64");
    assert_links_fault(good, &same, 12, key, &["2001:db8:1::/64", "line 4 already"]);
    let relay = format!("{good}\nrelay-addresses = [\"fe80\"]");
    assert_links_fault(good, &relay, 13, "link.relay-addresses", &["is not an IPv6 address"]);
}

#[test]
fn numbers_and_names_of_links() {
    assert_links_fault("id = 2", "id = 1", 10, "link.id", &["line 2 already", "such as 2"]);
    assert_links_fault("id = 2\n", "", 9, "link", &["id is missing", "add id = 1"]);
    assert_links_fault("name = \"two\"", "name = \"one\"", 11, "link.name", &["\"one\"", "line 3 already"]);
    assert_links_fault("name = \"two\"", "name = \"\"", 11, "link.name", &["is empty"]);
    assert_links_fault("name = \"two\"\n", "", 9, "link", &["name is missing"]);
}

#[test]
fn address_pools() {
    let pool = |pool: &str| format!("address-pools = [\"{pool}\"]");
    let good = "address-pools = [\"2001:db8:1::/80\"]";
    let key = "link.address-pools";
    let outside = pool("2001:db8:3::1 - 2001:db8:3::2");
    assert_links_fault(good, &outside, 5, key, &["outside", "in 2001:db8:1::/64"]);
    let half = pool("2001:db8:1::1 - 2001:db8:2::");
    assert_links_fault(good, &half, 5, key, &["outside"]);
    let backwards = pool("2001:db8:1::2 - 2001:db8:1::1");
    assert_links_fault(good, &backwards, 5, key, &["ends before it starts", "lowest"]);
    assert_links_fault(good, &pool("2001:db8:1::2"), 5, key, &["is not a range"]);
    assert_links_fault(good, &pool("2001:db8:1::2/80"), 5, key, &["write \"2001:db8:1::/80\""]);
    assert_links_fault("prefixes = [\"2001:db8:1::/64\"]", "", 5, key, &["outside", "it has none"]);
}

#[test]
fn delegation_pools() {
    let good = "delegated-length = 56";
    let key = "link.delegation-pools.delegated-length";
    assert_links_fault(good, "delegated-length = 39", 8, key, &["of line 7", "from 40 to 128"]);
    assert_links_fault(good, "delegated-length = 129", 8, key, &["out of range", "to 128"]);
    assert_links_fault(good, "", 6, "link.delegation-pools", &["delegated-length is missing"]);
    let excluded = |excluded: &str| format!("{good}\nexcluded-prefix = \"{excluded}\"");
    let key = "link.delegation-pools.excluded-prefix";
    assert_links_fault(
        good,
        &excluded("2001:db9::/64"),
        9,
        key,
        &["not inside", "2001:db8:f000::/40 of line 7"],
    );
    // DH-O-04
    assert_links_fault(good, &excluded("2001:db8:f000::/56"), 9, key, &["not smaller", "a longer prefix"]);
}

#[test]
fn overlapping_pools() {
    let good = "address-pools = [\"2001:db8:1::/80\"]";
    let within = "address-pools = [\"2001:db8:1::/80\",\n\"2001:db8:1::5 - 2001:db8:1::9\"]";
    let common = ["2001:db8:1::5 to 2001:db8:1::9", "line 5", "one pool"];
    assert_links_fault(good, within, 6, "link.address-pools", &common);
    let across = "prefixes = [\"2001:db8:1::/48\"]\naddress-pools = [\"2001:db8:1::ffff/128\"]";
    let second = "prefixes = [\"2001:db8:2::/64\"]";
    assert_links_fault(second, across, 13, "link.address-pools", &["of line 5"]);
    let delegation = "[[link.delegation-pools]]\nprefix = \"2001:db8::/32\"\ndelegated-length = 64";
    let text = LINKS.replace(second, delegation);
    let lines: Vec<_> = faults(&text).iter().map(|fault| fault.line).collect();
    assert_eq!(lines, [Some(13), Some(13)], "one fault for the pool and one for the link it runs into");
}

/// [`LINKS`] with this at the end of the first link's own keys, after line 5, and of the second's.
fn with(in_first: &str, in_second: &str) -> String {
    LINKS.replace("[[link.delegation-pools]]", &format!("{in_first}\n[[link.delegation-pools]]")) + in_second
}

#[test]
fn the_ways_to_a_link() {
    let config = good(&with(
        "interfaces = [\"eth1\", \"vlan?.*\"]\nrelay-ids = [\"00:01:02\"]\n\
         relay-addresses = [\"2001:db8:9::9\", \"fe80::1\"]\n\
         interface-ids = [\"ge-0/0/7\", \"0x00ff\", \"é\"]",
        "",
    ));
    assert!(config.warnings.is_empty());
    let link = &config.links[0];
    assert_eq!(link.interfaces, [InterfacePattern("eth1".into()), InterfacePattern("vlan?.*".into())]);
    assert_eq!(link.relay_ids, ["00:01:02".parse().unwrap()]);
    assert_eq!(link.relay_addresses.len(), 2);
    let expected: [&[u8]; 3] = [b"ge-0/0/7", &[0, 0xff], "é".as_bytes()];
    assert!(link.interface_ids.iter().map(|id| &**id).eq(expected));
}

#[test]
fn an_interface_is_on_one_link() {
    let key = "link.interfaces";
    let clash = |first: &str, second: &str, parts: &[&str]| {
        let text = with(&format!("interfaces = [\"{first}\"]"), &format!("interfaces = [\"{second}\"]"));
        assert_fault(&text, 14, key, parts);
    };
    clash("eth1", "eth1", &["an interface of another link together with eth1 of line 6"]);
    clash("vlan*", "vlan1?", &["together with vlan* of line 6", "on one link"]);
    clash("vlan*", "vlan7", &["together with vlan* of line 6"]);
    clash("vlan7", "*7", &["together with vlan7 of line 6"]);
    assert_fault(&with("interfaces = [\"eth1\", \"eth1\"]", ""), 6, key, &["the link already"]);
    good(&with("interfaces = [\"vlan*\", \"vlan7\"]", "interfaces = [\"eth?\"]"));
}

#[test]
fn a_relay_has_its_clients_on_one_link() {
    let relay = "relay-ids = [\"00:01:02\"]";
    assert_fault(&with(relay, relay), 14, "link.relay-ids", &["00:01:02 names the link of line 6 already"]);
}

// DH-L-05
#[test]
fn a_link_local_relay_address_needs_an_interface_id() {
    let config = good(&with("", "relay-addresses = [\"fe80::1\"]"));
    assert_eq!(config.warnings.len(), 1);
    let warning = config.warnings[0].to_string();
    assert!(warning.starts_with("test.toml:14: link.relay-addresses: fe80::1 is link-local"), "{warning}");
    assert!(warning.contains("add interface-ids"), "{warning}");
    let both = |id: &str| format!("relay-addresses = [\"fe80::1\"]\ninterface-ids = [\"{id}\"]");
    let text = with(&both("a"), &both("a"));
    assert_fault(&text, 16, "link.interface-ids", &["with fe80::1, it names the link of line 7 already"]);
    assert!(good(&with(&both("a"), &both("b"))).warnings.is_empty());
    assert_links_fault("id = 2", "id = 2\ninterface-ids = [\"\"]", 11, "link.interface-ids", &["is empty"]);
}

// DH-L-12
#[test]
fn what_is_delegated_is_on_no_link() {
    let key = "link.delegation-pools.prefix";
    let on_link = |prefix: &str| LINKS.replace("2001:db8:2::/64", prefix);
    assert_fault(&on_link("2001:db8:f000::/64"), 7, key, &["has 2001:db8:f000::/64 of line 12 in it"]);
    assert_fault(&on_link("2001:db8::/32"), 7, key, &["2001:db8::/32 of line 12", "or lies in it"]);
    assert_fault(&on_link("2001:db8:f000::/40"), 7, key, &["exclude from it"]);
}

// DH-L-12, DH-O-04
#[test]
fn what_is_excluded_may_be_on_a_link_in_each_delegated_prefix() {
    let excluded = "delegated-length = 56\nexcluded-prefix = \"2001:db8:f000:5::/64\"";
    let on_link =
        |prefix: &str| LINKS.replace("delegated-length = 56", excluded).replace("2001:db8:2::/64", prefix);
    good(&on_link("2001:db8:f000:5::/64"));
    good(&on_link("2001:db8:f012:3405::/72"));
    let beside = on_link("2001:db8:f012:3406::/64");
    assert_fault(&beside, 7, "link.delegation-pools.prefix", &["of line 13 in it"]);
    let wider = on_link("2001:db8:f000:4::/63");
    assert_fault(&wider, 7, "link.delegation-pools.prefix", &["of line 13 in it"]);
}
