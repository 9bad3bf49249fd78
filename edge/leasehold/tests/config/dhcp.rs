//! `[dhcp]` and `[control]`: exchanges with clients, as far as they are the same for all links.

use std::path::Path;

use lease::{InterfacePattern, LinkId};
use leasehold::config::{Config, Dhcp};
use server::exchange::{LinkTerms, Rules};
use wire::{INFINITE, OptionCode};

use crate::{LINKS, assert_fault, good};

#[test]
fn an_empty_file_means_a_server_that_listens() {
    let Dhcp { listen, interfaces, client_port, relay_port, offer_secs, rules, reservations } = good("").dhcp;
    assert_eq!(listen, ["[::]:547".parse().unwrap()]);
    assert_eq!((client_port, relay_port, offer_secs), (546, 547, 30));
    assert!(interfaces.is_empty() && reservations.is_empty());
    assert_eq!(rules, Rules::default());
    assert_eq!(rules.relay_supplied.into_iter().collect::<Vec<_>>(), [OptionCode(65)]);
}

#[test]
fn every_key_is_read() {
    let config = good(
        r#"
        [dhcp]
        listen = []
        interfaces = ["eth7", "vlan*"]
        client-port = 10546
        relay-port = 10547
        accept-unicast = true
        ignored-clients = ["00:01:02", "000305"]
        relay-supplied-options = [65, "CAPTIVE_PORTAL"]
        offer-secs = 1
        grace-secs = 2
        remember-secs = 3
        decline-rest-secs = 4
        max-leases-per-client = 5
        max-leases-per-remote-id = 6
        options = { preference = 7 }
        [control]
        socket = "/run/control"
        "#,
    );
    let dhcp = &config.dhcp;
    assert!(dhcp.listen.is_empty());
    assert_eq!(dhcp.interfaces, [InterfacePattern("eth7".into()), InterfacePattern("vlan*".into())]);
    assert_eq!((dhcp.client_port, dhcp.relay_port, dhcp.offer_secs), (10546, 10547, 1));
    let rules = &dhcp.rules;
    assert!(rules.accept_unicast);
    let ignored: Vec<String> = rules.ignored_clients.iter().map(ToString::to_string).collect();
    assert_eq!(ignored, ["00:01:02", "00:03:05"]);
    let supplied = [OptionCode::ERP_LOCAL_DOMAIN_NAME, OptionCode::CAPTIVE_PORTAL];
    assert!(rules.relay_supplied.iter().eq(&supplied));
    assert_eq!((rules.grace_secs, rules.remember_secs, rules.decline_rest_secs), (2, 3, 4));
    assert_eq!((rules.max_leases_per_client, rules.max_leases_per_remote_id), (5, Some(6)));
    assert_eq!(*rules.options.get(OptionCode::PREFERENCE).unwrap().instances[0], [7]);
    assert_eq!(config.control_socket(), Path::new("/run/control"));
    assert_eq!(good("state = \"/srv\"").control_socket(), Path::new("/srv/control"));
}

/// The terms of the two links of [`LINKS`], with something before them and at the end of the second.
fn terms(before: &str, in_second: &str) -> [LinkTerms; 2] {
    let Config { mut dhcp, .. } = good(&format!("{before}\n{LINKS}{in_second}"));
    [1, 2].map(|id| dhcp.rules.links.remove(&LinkId(id)).expect("every link has its terms"))
}

#[test]
fn a_link_has_its_times_from_what_is_said_for_all() {
    let usual = LinkTerms::default();
    assert_eq!(terms("", ""), [usual.clone(), usual.clone()]);
    let [first, second] = terms(
        "[dhcp]\npreferred-lifetime-secs = 600\nvalid-lifetime-secs = 700\nt1-secs = 0\nrapid-commit = true\nreconfigure = true",
        "valid-lifetime-secs = \"infinite\"\nt2-secs = 550\nbind-on-renew = false\nreconfigure = false",
    );
    let for_all = LinkTerms {
        preferred_secs: 600,
        valid_secs: 700,
        t1_secs: Some(0),
        rapid_commit: true,
        reconfigure: true,
        ..usual.clone()
    };
    assert_eq!(first, for_all);
    let own = LinkTerms {
        valid_secs: INFINITE,
        t2_secs: Some(550),
        bind_on_renew: false,
        reconfigure: false,
        ..for_all
    };
    assert_eq!(second, own);
    let [_, forever] = terms("", "preferred-lifetime-secs = \"infinite\"\nvalid-lifetime-secs = 4294967295");
    assert_eq!((forever.preferred_secs, forever.valid_secs), (INFINITE, INFINITE));
}

// DH-L-19
#[test]
fn a_preferred_lifetime_that_is_longer_than_the_valid_one_is_refused() {
    let dhcp = "[dhcp]\npreferred-lifetime-secs = 101\nvalid-lifetime-secs = 100";
    let key = "dhcp.preferred-lifetime-secs";
    assert_fault(dhcp, 2, key, &["101, is longer than the valid one, 100", "= 100, or less"]);
    let link = format!("{LINKS}valid-lifetime-secs = 100");
    assert_fault(&link, 13, "link.valid-lifetime-secs", &["86400, is longer", "valid one, 100"]);
    let forever = "[dhcp]\npreferred-lifetime-secs = \"infinite\"";
    assert_fault(forever, 2, key, &["\"infinite\", is longer"]);
    assert_fault("[dhcp]\nvalid-lifetime-secs = 0", 2, "dhcp.valid-lifetime-secs", &["out of range"]);
    assert_fault("[dhcp]\nvalid-lifetime-secs = \"1h\"", 2, "dhcp.valid-lifetime-secs", &["infinite"]);
}

// DH-L-18
#[test]
fn t1_comes_before_t2_and_both_before_the_end() {
    let times = |times: &str| format!("{LINKS}{times}");
    let both = "t1-secs = 11\nt2-secs = 10";
    assert_fault(&times(both), 14, "link.t2-secs", &["T1, 11, is greater than T2, 10"]);
    let computed = &["T1, 70000, is greater than T2, 69120 computed from the lifetime"];
    assert_fault(&times("t1-secs = 70000"), 13, "link.t1-secs", computed);
    let [_, left_to_client] = terms("", "t1-secs = 70000\nt2-secs = 0");
    assert_eq!((left_to_client.t1_secs, left_to_client.t2_secs), (Some(70_000), Some(0)));
    assert_fault(&times("t2-secs = \"infinite\""), 13, "link.t2-secs", &["leases end after 172800"]);
    assert_fault(&times("t2-secs = 172801"), 13, "link.t2-secs", &["end after 172800", "up to 86400"]);
    let config = good(&times("t2-secs = 86401"));
    assert_eq!(config.warnings.len(), 1);
    assert!(config.warnings[0].to_string().contains("up to 86400 are recommended"));
    let shorter = format!("[dhcp]\nt1-secs = 1000\nt2-secs = 2000\n{LINKS}valid-lifetime-secs = 1500");
    let shorter = shorter + "\npreferred-lifetime-secs = 1500";
    assert_fault(&shorter, 17, "link.preferred-lifetime-secs", &["leases end after 1500"]);
}

#[test]
fn numbers_out_of_range() {
    for (key, number, range) in [
        ("client-port", "0", "from 1 to 65535"),
        ("relay-port", "65536", "from 1 to 65535"),
        ("offer-secs", "0", "from 1 to 3600"),
        ("grace-secs", "-1", "from 0 to 315360000"),
        ("remember-secs", "315360001", "from 0 to 315360000"),
        ("max-leases-per-client", "0", "from 1 to 1000"),
        ("max-leases-per-remote-id", "0", "from 1 to 1000000"),
        ("t1-secs", "4294967296", "from 0 to 4294967295"),
    ] {
        assert_fault(&format!("[dhcp]\n{key} = {number}"), 2, &format!("dhcp.{key}"), &[number, range]);
    }
}

#[test]
fn what_is_no_interface_socket_or_option() {
    let fault = |entry: &str, key: &str, parts: &[&str]| {
        assert_fault(&format!("[dhcp]\n{entry}"), 2, key, parts);
    };
    fault("interfaces = [\"\"]", "dhcp.interfaces", &["is empty", "\"vlan*\""]);
    fault("interfaces = [\"a b\"]", "dhcp.interfaces", &["no interface's name"]);
    fault("interfaces = [\"sixteen-octets-l\"]", "dhcp.interfaces", &["more than the 15 octets"]);
    fault("listen = [\"[::]:0\"]", "dhcp.listen", &["no port"]);
    fault("ignored-clients = [\"00\"]", "dhcp.ignored-clients", &["3 to 130 octets"]);
    let key = "dhcp.relay-supplied-options";
    fault("relay-supplied-options = [\"IA_NA\"]", key, &["IA_NA may not be offered"]);
    assert_fault("[control]\nsocket = \"\"", 2, "control.socket", &["is empty"]);
    assert_fault("[control]\nsockte = \"a\"", 2, "control.sockte", &["did you mean socket?"]);
}
