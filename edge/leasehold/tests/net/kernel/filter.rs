//! The set of delegated prefixes, kept by `nft`.

use std::io::ErrorKind;
use std::net::UdpSocket;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use leasehold::kernel::{Element, Elements, Filter, FilterSettings, Loops};

use crate::PATIENCE;
use crate::namespace::{in_namespaces, ip, not_tested};

fn settings(loops: Loops) -> FilterSettings {
    FilterSettings { family: "inet", table: "leasehold".into(), set: "delegated".into(), loops }
}

fn element((interface, prefix): (&str, &str)) -> Element {
    (Arc::from(interface), prefix.parse().unwrap())
}

fn elements(delegated: &[(&str, &str)], alone: &[(&str, &str)]) -> Elements {
    let set = |all: &[(&str, &str)]| all.iter().copied().map(element).collect();
    Elements { delegated: set(delegated), alone: set(alone) }
}

fn nft(arguments: &str) -> String {
    let output = Command::new("nft").args(arguments.split(' ')).output().unwrap();
    assert!(output.status.success(), "nft {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

pub(super) fn has_nft() -> bool {
    let is_there = Command::new("nft").arg("--version").output().is_ok();
    if !is_there {
        not_tested("nft is not installed");
    }
    is_there
}

/// The elements of a set as `nft` prints them, in order.
pub(super) fn listed(set: &str) -> Vec<String> {
    let text = nft(&format!("list set inet leasehold {set}"));
    let Some((_, rest)) = text.split_once("elements = {") else { return Vec::new() };
    let (inner, _) = rest.split_once('}').unwrap();
    let mut all: Vec<String> = inner.split(',').map(|element| element.trim().to_owned()).collect();
    all.sort();
    all
}

// PDR-16, PDR-17
#[test]
fn the_set_has_each_delegated_prefix_with_its_length_and_its_interface() {
    in_namespaces(|_| {
        if !has_nft() {
            return;
        }
        let mut filter = Filter::new(settings(Loops::Pass));
        let some =
            [("lan1", "2001:db8:1:100::/56"), ("lan2", "2001:db8:2::/48"), ("ppp0", "2001:db8:3::7/128")];
        filter.keep(elements(&some, &[])).unwrap();
        let expected =
            ["\"lan1\" . 2001:db8:1:100::/56", "\"lan2\" . 2001:db8:2::/48", "\"ppp0\" . 2001:db8:3::7"];
        assert_eq!(listed("delegated"), expected);
        // An operator's rule may use it, and it changes under that rule.
        nft("add chain inet leasehold input");
        nft("add rule inet leasehold input iifname . ip6 saddr != @delegated drop");
        filter.keep(elements(&some[..1], &[])).unwrap();
        assert_eq!(listed("delegated"), expected[..1]);
        // Somebody else takes something out, and somebody flushes everything.
        nft("flush set inet leasehold delegated");
        filter.keep(elements(&some[1..2], &[])).unwrap();
        assert_eq!(listed("delegated"), expected[1..2]);
        nft("flush ruleset");
        filter.keep(elements(&some, &[])).unwrap();
        assert_eq!(listed("delegated"), expected);
        // The next run finds what this one has left.
        Filter::new(settings(Loops::Pass)).keep(elements(&some[..2], &[])).unwrap();
        assert_eq!(listed("delegated"), expected[..2]);
    });
}

// PDR-20, PDR-23
#[test]
fn the_rule_against_loops_is_as_the_settings_say() {
    in_namespaces(|_| {
        if !has_nft() {
            return;
        }
        let some = [("lan1", "2001:db8:1::/48"), ("lan2", "2001:db8:2::/48")];
        for (loops, verdict) in [(Loops::Drop, "drop"), (Loops::Reject, "reject with icmpv6 reject-route")] {
            Filter::new(settings(loops)).keep(elements(&some, &some[..1])).unwrap();
            assert_eq!(listed("delegated-loops"), ["\"lan1\" . 2001:db8:1::/48"]);
            let chain = nft("list chain inet leasehold leasehold-loops");
            let rules: Vec<&str> = chain.lines().filter(|line| line.contains("daddr")).collect();
            assert_eq!(rules.len(), 1, "{chain}");
            assert!(rules[0].trim_end().ends_with(verdict), "{chain}");
        }
        Filter::new(settings(Loops::Pass)).keep(elements(&some, &[])).unwrap();
        let all = nft("list ruleset");
        assert!(!all.contains("loops") && all.contains("delegated"), "{all}");
    });
}

// PDR-20, PDR-23
#[test]
fn a_packet_that_would_go_back_to_its_client_is_dropped_and_the_client_is_told_if_wished() {
    in_namespaces(|far| {
        if !has_nft() {
            return;
        }
        far.lay_cable("cable1", "end1", "fe80::1/64");
        // The relay's address, by which it may tell; the client's prefix, of which it uses one address.
        ip("addr add 2001:db8:9::1/64 dev cable1 nodad");
        ip("-6 route add 2001:db8:1::/48 via fe80::1 dev cable1 proto 220 metric 512");
        let forwarding = Command::new("sysctl").args(["-qw", "net.ipv6.conf.all.forwarding=1"]).status();
        assert!(forwarding.unwrap().success());
        far.run(|| {
            ip("addr add 2001:db8:1::1/128 dev end1 nodad");
            ip("-6 route add default via fe80::2 dev end1");
        });
        let some = [("cable1", "2001:db8:1::/48")];
        Filter::new(settings(Loops::Drop)).keep(elements(&some, &some)).unwrap();
        let send = || {
            let socket = UdpSocket::bind("[2001:db8:1::1]:0").unwrap();
            socket.connect("[2001:db8:1:5::1]:9").unwrap();
            socket.set_read_timeout(Some(std::time::Duration::from_millis(50))).unwrap();
            socket.send(b"to myself").unwrap();
            socket.recv(&mut [0; 16]).unwrap_err().kind()
        };
        assert_eq!(far.run(send), ErrorKind::WouldBlock, "nobody is told");
        let chain = nft("list chain inet leasehold leasehold-loops");
        assert!(chain.contains("counter packets 1 "), "{chain}");
        Filter::new(settings(Loops::Reject)).keep(elements(&some, &some)).unwrap();
        let until = Instant::now() + PATIENCE;
        // Linux tells type 1, code 6 as a lack of permission.
        while far.run(send) != ErrorKind::PermissionDenied {
            assert!(Instant::now() < until, "the client is not told");
        }
    });
}

// PDR-16
#[test]
fn with_a_rule_on_the_set_only_what_is_delegated_may_send() {
    in_namespaces(|far| {
        if !has_nft() {
            return;
        }
        far.lay_cable("cable1", "end1", "fe80::1/64");
        ip("addr add 2001:db8:9::1/64 dev cable1 nodad");
        let mut filter = Filter::new(settings(Loops::Pass));
        filter.keep(elements(&[("cable1", "2001:db8:1::/48"), ("cable2", "2001:db8:2::/48")], &[])).unwrap();
        nft("add chain inet leasehold input { type filter hook input priority 0; }");
        nft("add rule inet leasehold input udp dport 0-65535 iifname . ip6 saddr != @delegated counter drop");
        far.run(|| {
            ip("-6 route add default via fe80::2 dev end1");
            for source in ["2001:db8:1:7::1", "2001:db8:2::1", "2001:db8:3::1"] {
                ip(&format!("addr add {source}/128 dev end1 nodad"));
            }
        });
        let socket = UdpSocket::bind("[2001:db8:9::1]:0").unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let port = socket.local_addr().unwrap().port();
        let send = |source: &'static str| {
            far.run(move || {
                let socket = UdpSocket::bind((source, 0)).unwrap();
                socket.send_to(b"from me", ("2001:db8:9::1", port)).unwrap();
            });
        };
        // What another interface has, what nobody has; then what may pass, and is the first to come.
        ["2001:db8:2::1", "2001:db8:3::1", "2001:db8:1:7::1"].into_iter().for_each(send);
        let (_, from) = socket.recv_from(&mut [0; 16]).unwrap();
        assert_eq!(from.ip().to_string(), "2001:db8:1:7::1");
        let chain = nft("list chain inet leasehold input");
        assert!(chain.contains("counter packets 2 "), "{chain}");
    });
}
