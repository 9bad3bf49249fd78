//! `[[link.reservations]]`: what is kept for subscribers, and for whom.

use lease::LinkId;
use server::assign::Subscriber;
use wire::{Iaid, OptionCode};

use crate::{LINKS, assert_fault, good};

/// [`LINKS`] with reservations on the second link; each is given by its keys, from line 14 on.
fn reservations(keys: &[&str]) -> String {
    let tables = keys.iter().map(|keys| format!("[[link.reservations]]\n{keys}\n"));
    LINKS.to_owned() + &tables.collect::<String>()
}

#[test]
fn a_subscriber_is_named_in_one_of_six_ways() {
    let relay = "relay-id = \"00:03:00:01:ff\"";
    let keys = [
        "duid = \"00:01:02\"".to_owned(),
        "duid = \"00:01:02\"\niaid = 5".to_owned(),
        "remote-id = { enterprise = 9, value = \"port 7\" }".to_owned(),
        format!("{relay}\nremote-id = {{ enterprise = 4294967295, value = \"0x00ff\" }}"),
        format!("{relay}\ninterface-id = \"ge-0/0/7\""),
        "link-layer = \"02:00:00:00:aa:01\"".to_owned(),
        "link-layer = \"0102\"\nlink-layer-type = 32".to_owned(),
    ];
    let keys = keys.map(|keys| keys + "\noptions = {}");
    let config = good(&reservations(&keys.each_ref().map(String::as_str)));
    let (client, relay) = ("00:01:02".parse().unwrap(), "00:03:00:01:ff".parse::<wire::Duid>().unwrap());
    let expected = [
        Subscriber::Client(client),
        Subscriber::Association("00:01:02".parse().unwrap(), Iaid(5)),
        Subscriber::RemoteId(None, b"\0\0\0\x09port 7".as_slice().into()),
        Subscriber::RemoteId(Some(relay.clone()), [255, 255, 255, 255, 0, 255].into()),
        Subscriber::InterfaceId(relay, b"ge-0/0/7".as_slice().into()),
        Subscriber::LinkLayer(1, [2, 0, 0, 0, 0xaa, 1].into()),
        Subscriber::LinkLayer(32, [1, 2].into()),
    ];
    assert!(config.dhcp.reservations.iter().map(|reservation| &reservation.subscriber).eq(&expected));
}

#[test]
fn what_is_kept_belongs_to_its_link() {
    let kept = "duid = \"00:01:02\"\naddresses = [\"2001:db8:2::5\"]\nprefixes = [\"2001:db8:e::/56\"]\n\
                options = { preference = 1 }";
    let config = good(&reservations(&[kept]));
    let [reservation] = config.dhcp.reservations.as_slice() else { panic!("one reservation") };
    assert_eq!(reservation.link, LinkId(2));
    assert_eq!(reservation.addresses, ["2001:db8:2::5".parse::<std::net::Ipv6Addr>().unwrap()]);
    assert_eq!(reservation.prefixes, ["2001:db8:e::/56".parse().unwrap()]);
    assert!(reservation.options.get(OptionCode::PREFERENCE).is_some());
}

#[test]
fn any_other_way_of_naming_is_refused() {
    let fault = |keys: &str, problem: &str| {
        let text = reservations(&[&format!("{keys}\naddresses = [\"2001:db8:2::5\"]")]);
        assert_fault(&text, 13, "link.reservations", &[problem, "name it by duid, duid and iaid, remote-id"]);
    };
    fault("", "does not say for whom");
    fault("iaid = 1", "iaid name no subscriber");
    fault("relay-id = \"00:01:02\"", "relay-id name no subscriber");
    fault("interface-id = \"x\"", "interface-id name no subscriber");
    fault("duid = \"00:01:02\"\nlink-layer = \"0102\"", "duid and link-layer name no subscriber together");
    fault("link-layer-type = 1", "link-layer-type name no subscriber");
}

#[test]
fn identifiers_that_are_none() {
    let fault = |keys: &str, line: usize, key: &str, parts: &[&str]| {
        let text = reservations(&[&format!("{keys}\naddresses = [\"2001:db8:2::5\"]")]);
        assert_fault(&text, line, &format!("link.reservations.{key}"), parts);
    };
    fault("duid = \"00\"", 14, "duid", &["3 to 130 octets"]);
    fault("duid = \"00:01:02\"\niaid = -1", 15, "iaid", &["from 0 to 4294967295"]);
    fault("remote-id = {enterprise = 9}", 14, "remote-id", &["value is missing"]);
    fault("remote-id = {enterprise = 9, value = \"\"}", 14, "remote-id.value", &["is empty"]);
    fault("remote-id = {enterprise = 9, value = \"0x0\"}", 14, "remote-id.value", &["not hexadecimal"]);
    fault("link-layer = \"\"", 14, "link-layer", &["has 0 octets", "02:00:00:00:aa:01"]);
    fault("link-layer = \"zz\"", 14, "link-layer", &["hexadecimal"]);
}

#[test]
fn reserved_addresses_lie_on_the_link() {
    let outside = reservations(&["duid = \"00:01:02\"\naddresses = [\"2001:db8:1::5\"]"]);
    let found: Vec<String> = crate::faults(&outside).iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[0].contains("outside the link's prefixes; choose addresses in 2001:db8:2::/64"),
        "{found:?}"
    );
    assert!(found[1].contains("lies in the pool of line 5, on another link"), "{found:?}");
}

#[test]
fn nothing_is_kept_twice() {
    let twice = |a: &str, b: &str| {
        reservations(&[&format!("duid = \"00:01:02\"\n{a}"), &format!("duid = \"00:01:03\"\n{b}")])
    };
    let address = "addresses = [\"2001:db8:2::5\"]";
    assert_fault(
        &twice(address, address),
        18,
        "link.reservations.addresses",
        &["has 2001:db8:2::5 to 2001:db8:2::5 in common with what is kept of line 15", "for one subscriber"],
    );
    assert_fault(
        &twice("prefixes = [\"2001:db8:e::/48\"]", "prefixes = [\"2001:db8:e:100::/56\"]"),
        18,
        "link.reservations.prefixes",
        &["in common with what is kept of line 15"],
    );
    let nothing = reservations(&["duid = \"00:01:02\""]);
    assert_fault(&nothing, 13, "link.reservations", &["keeps nothing"]);
}

#[test]
fn a_subscriber_has_one_reservation_on_a_link() {
    let of = |address: &str| format!("duid = \"00:01:02\"\naddresses = [\"{address}\"]");
    let (one, two) = (of("2001:db8:2::5"), of("2001:db8:2::6"));
    assert_fault(&reservations(&[&one, &two]), 16, "link.reservations", &["line 13 already", "of both"]);
    let on_both = LINKS.replace(
        "[[link]]\nid = 2",
        "[[link.reservations]]\nduid = \"00:01:02\"\naddresses = [\"2001:db8:1::5\"]\n[[link]]\nid = 2",
    );
    let on_both = on_both + "[[link.reservations]]\n" + &one;
    assert_eq!(good(&on_both).dhcp.reservations.len(), 2);
}

// DH-L-12
#[test]
fn a_reserved_prefix_is_used_for_nothing_else() {
    let prefix = |prefix: &str| reservations(&[&format!("duid = \"00:01:02\"\nprefixes = [\"{prefix}\"]")]);
    let key = "link.reservations.prefixes";
    assert_fault(&prefix("2001:db8:2::/56"), 15, key, &["has 2001:db8:2::/64 of line 12 in it"]);
    assert_fault(&prefix("2001:db8:f000:100::/56"), 15, key, &["pool of line 7, on another link"]);
    let own = LINKS.replace(
        "[[link]]\nid = 2",
        "[[link.reservations]]\nduid = \"00:01:02\"\nprefixes = [\"2001:db8:f000:100::/56\"]\n[[link]]\nid = 2",
    );
    assert_eq!(good(&own).dhcp.reservations.len(), 1);
}
