//! `[relay.routes]`.

use super::{assert_relay_fault, relay, spoiled};
use crate::{assert_fault, good, parse};

#[test]
fn a_relay_without_routes_needs_no_aggregates() {
    let disabled = relay(&spoiled("aggregates = [\"2001:db8:f000::/40\"]", "enabled = false"));
    assert_eq!(disabled.routes, None);
    let aggregates = "aggregates = [\"2001:db8:f000::/40\"]";
    assert_relay_fault(aggregates, "", 6, "relay.routes", &["aggregates is missing", "enabled = false"]);
    let whole = format!("[relay.routes]\n{aggregates}\n");
    assert_relay_fault(&whole, "", 1, "relay", &["routes.aggregates is missing", "[relay.routes]"]);
}

#[test]
fn aggregates_do_not_overlap_and_can_be_delegated() {
    let assert_aggregates = |aggregates: &str, parts: &[&str]| {
        assert_relay_fault("\"2001:db8:f000::/40\"", aggregates, 7, "relay.routes.aggregates", parts);
    };
    assert_aggregates("", &["is empty", "enabled = false"]);
    assert_aggregates("\"2001:db8:f000::1/40\"", &["bits set", "2001:db8:f000::/40"]);
    assert_aggregates(
        "\"2001:db8::/32\", \"2001:db8:1::/48\"",
        &["2001:db8:1::/48 and 2001:db8::/32 of line 7"],
    );
    assert_aggregates("\"::/0\"", &["::/0 has the addresses of the host itself in it"]);
    assert_aggregates("\"fe80::/16\"", &["link-local"]);
    assert_aggregates("\"ff00::/16\"", &["multicast"]);
}

#[test]
fn protocol_numbers_of_others_are_refused() {
    let with = |number: u8| spoiled("[relay.routes]", &format!("[relay.routes]\nprotocol = {number}"));
    let refused: Vec<u8> = (0..=255).filter(|number| parse(&with(*number)).is_err()).collect();
    let expected: Vec<u8> = (0..=4).chain(8..=18).chain([42, 99]).chain(186..=198).collect();
    assert_eq!(refused, expected);
    assert_fault(&with(4), 7, "relay.routes.protocol", &["4 marks routes of the kernel", "200 to 254"]);
    assert_fault(&with(12), 7, "relay.routes.protocol", &["a routing daemon"]);
    assert_fault(&with(196), 7, "relay.routes.protocol", &["FRRouting", "deletes"]);
    for number in [100, 199, 255] {
        let warnings = good(&with(number)).warnings;
        assert_eq!(warnings.len(), 1, "{number}");
        assert_eq!(warnings[0].key, "relay.routes.protocol");
    }
    assert!([200, 254].iter().all(|number| good(&with(*number)).warnings.is_empty()));
}

#[test]
fn tables_and_sets() {
    let assert_routes = |added: &str, line: usize, key: &str, parts: &[&str]| {
        let routes = format!("[relay.routes]\n{added}");
        assert_relay_fault("[relay.routes]", &routes, line, &format!("relay.routes.{key}"), parts);
    };
    assert_routes("table = 255", 7, "table", &["255 has the host's own addresses", "254"]);
    assert_routes("table = 5\nvrf = \"red\"", 8, "vrf", &["beside table"]);
    assert_routes("vrf = \"red*\"", 7, "vrf", &["several interfaces"]);
    assert_routes("filter = { table = \"x\" }", 7, "filter", &["set is missing"]);
    assert_routes("filter = { table = \"1x\", set = \"y\" }", 7, "filter.table", &["no name in nftables"]);
    let family = "filter = { family = \"ip\", table = \"x\", set = \"y\" }";
    assert_routes(family, 7, "filter.family", &["did you mean ip6?"]);
    assert_routes("loops = \"no\"", 7, "loops", &["\"off\", \"drop\", \"reject\""]);
}
