//! The server meets the clients and relays that Debian has, in network namespaces of the test.
//!
//! A scenario is a client and the relays before it ([`scenario`]); each has its own hosts ([`network`]), so that all of them run
//! side by side, and most of the time they wait for lifetimes to run down. A line on standard error tells how each went.

mod bell;
mod capture;
mod client;
mod decline;
mod delegation;
mod exchange;
mod host;
#[path = "../tshark/judge.rs"]
mod judge;
mod lightweight;
mod load;
mod network;
mod process;
mod reconfigure;
mod relay;
mod scenario;
mod server;

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

use client::Program;
use relay::Relay;
use scenario::Report;

/// What stands between a client and the server, the nearest to the client first.
const RELAYS: [&[Relay]; 5] =
    [&[], &[Relay::Isc], &[Relay::Dibbler], &[Relay::Wide], &[Relay::Isc, Relay::Dibbler]];

#[test]
fn dhclient() {
    behind_every_relay(&client::DHCLIENT);
}

#[test]
fn dhcpcd() {
    behind_every_relay(&client::DHCPCD);
}

#[test]
fn dibbler_client() {
    behind_every_relay(&client::DIBBLER);
}

#[test]
fn systemd_networkd() {
    behind_every_relay(&client::NETWORKD);
}

#[test]
fn wide_dhcp6c() {
    behind_every_relay(&client::WIDE);
}

#[test]
fn declining() {
    let program = &client::DECLINING;
    let place = "declining, on the server's link".to_owned();
    let play = Box::new(|| Ok(decline::decline(program)));
    all_pass(program.name, &[program.tool], [Scenario { place, play }]);
}

#[test]
fn dhcpcd_told() {
    told_to_renew(&client::DHCPCD_TOLD);
}

#[test]
fn dibbler_client_told() {
    told_to_renew(&client::DIBBLER_TOLD);
}

#[test]
fn perfdhcp() {
    let places = [("on the server's link", false), ("as a relay", true)];
    all_pass(
        "perfdhcp",
        &["perfdhcp"],
        places.map(|(place, relayed)| Scenario {
            place: place.to_owned(),
            play: Box::new(move || Ok(load::bear(relayed))),
        }),
    );
}

// LDR-03, LDR-05, LDR-06, LDR-10, LDR-17, LDR-19
#[test]
fn clients_of_a_bridge() {
    for program in [&client::DHCLIENT, &client::DHCPCD] {
        let place = "behind our relay in a bridge".to_owned();
        let play = Box::new(|| lightweight::relay_in_a_bridge(program));
        all_pass(program.name, &[program.tool, "nft"], [Scenario { place, play }]);
    }
}

#[test]
fn a_bridge_without_nftables() {
    let play = Box::new(lightweight::refuse_without_nft);
    all_pass("leasehold relay", &[], [Scenario { place: "without nftables".to_owned(), play }]);
}

/// Runs a client on the server's link and behind relays.
fn behind_every_relay(program: &'static Program) {
    let mut tools = vec![program.tool];
    tools.extend([Relay::Isc, Relay::Dibbler, Relay::Wide].map(Relay::program));
    all_pass(
        program.name,
        &tools,
        RELAYS.map(|relays| Scenario {
            place: place(relays),
            play: Box::new(|| scenario::live(program, relays)),
        }),
    );
}

/// Has a client told by Reconfigure, on the server's link and behind relays.
fn told_to_renew(program: &'static Program) {
    all_pass(
        program.name,
        &[program.tool, Relay::Isc.program(), Relay::Dibbler.program()],
        [RELAYS[0], RELAYS[4]].map(|relays| Scenario {
            place: format!("told, {}", place(relays)),
            play: Box::new(move || reconfigure::reconfigure(program, relays)),
        }),
    );
}

fn place(relays: &[Relay]) -> String {
    let names: Vec<&str> = relays.iter().map(|relay| relay.name()).collect();
    if names.is_empty() {
        "on the server's link".to_owned()
    } else {
        format!("behind {}", names.join(" and "))
    }
}

/// Where a program is, and what it does there. If it goes wrong, what everybody had to say.
struct Scenario {
    place: String,
    play: Box<dyn FnOnce() -> Result<Report, String> + Send>,
}

/// Runs the scenarios of a program side by side.
fn all_pass(name: &str, tools: &[&str], scenarios: impl IntoIterator<Item = Scenario>) {
    if !everything_is_here(name, tools) {
        return;
    }
    let failed = std::thread::scope(|scope| {
        let run = |scenario| scope.spawn(move || tell(name, scenario));
        let threads: Vec<_> = scenarios.into_iter().map(run).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or(false)).filter(|good| !good).count()
    });
    assert_eq!(failed, 0, "scenarios of {name} failed");
}

/// Runs a scenario and tells how it went: the answer is whether it went well.
fn tell(name: &str, Scenario { place, play }: Scenario) -> bool {
    let result = catch_unwind(AssertUnwindSafe(play)).unwrap_or_else(|_| Err(String::new()));
    let verdict = match &result {
        Ok(Report { packets, took }) => format!("ok, {packets} packets, {:.1} s", took.as_secs_f64()),
        Err(account) => {
            println!("==== {name} {place}\n{account}");
            "FAILED".to_owned()
        }
    };
    let _ = writeln!(std::io::stderr(), "{name:<18}{place:<46}{verdict}");
    result.is_ok()
}

/// Without namespaces and programs there is nothing to test: said where it cannot be overlooked, and a failure in CI.
fn everything_is_here(name: &str, tools: &[&str]) -> bool {
    let mut missing = [tools, &["ip", "dumpcap", "tshark"]].concat();
    missing.retain(|tool| !is_installed(tool));
    if missing.is_empty() && !host::can_be_made() {
        missing.push("right to make network namespaces (root has it)");
    }
    if missing.is_empty() {
        return true;
    }
    let missing = missing.join(", ");
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "CI=true, and there is no {missing}");
    let _ = writeln!(std::io::stderr(), "\nNOT TESTED: {name}: there is no {missing}\n");
    false
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}
