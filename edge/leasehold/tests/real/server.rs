//! Our server, as an operator runs it: a configuration file and `leasehold serve`.
//!
//! It can be stopped and started again, with all that it has made durable, and be asked by `leasehold query` from the next host.

use std::process::Command;

use serde_json::Value;

use crate::bell::Bell;
use crate::exchange::{Resources, Terms};
use crate::network::{Network, SERVER_LINK_LOCAL};
use crate::process::Process;

/// How long leases last that it gives.
#[derive(Clone, Copy)]
pub(crate) struct Lifetimes {
    pub(crate) preferred_secs: u32,
    pub(crate) valid_secs: u32,
}

impl Lifetimes {
    /// What clients have to be told. T1 and T2 are a half and four fifths of the preferred lifetime.
    pub(crate) fn terms(self) -> Terms {
        let Self { preferred_secs, valid_secs } = self;
        Terms { t1_secs: preferred_secs / 2, t2_secs: preferred_secs * 4 / 5, preferred_secs, valid_secs }
    }
}

/// Where it listens: to clients, or to relays that multicast.
const INTERFACES: &str = r#"interfaces = ["srv0"]"#;

/// Serves one link, from `srv0` of its host.
pub(crate) struct Server<'a> {
    network: &'a Network,
    bell: &'a Bell,
    process: Option<Process>,
    /// The logs of those before it.
    said_before: String,
}

impl<'a> Server<'a> {
    /// Configures it for this network. Clients on its own link may commit rapidly, those behind relays may not.
    pub(crate) fn new(network: &'a Network, lifetimes: Lifetimes, bell: &'a Bell) -> Self {
        let host = &network.server;
        let state = host.path("var/lib/leasehold");
        let rapid_commit = network.relays.is_empty();
        let (server_place, link_place) = if rapid_commit { ("", INTERFACES) } else { (INTERFACES, "") };
        let Lifetimes { preferred_secs, valid_secs } = lifetimes;
        host.write(
            "leasehold.toml",
            &format!(
                r#"state = {state:?}
[leasequery]
allow = [{{ from = "::/0" }}]
[dhcp]
{server_place}
[[link]]
id = 1
name = "access"
{link_place}
prefixes = ["2001:db8:1::/64"]
address-pools = ["2001:db8:1::1000 - 2001:db8:1::ffff"]
preferred-lifetime-secs = {preferred_secs}
valid-lifetime-secs = {valid_secs}
rapid-commit = {rapid_commit}
reconfigure = true
[[link.delegation-pools]]
prefix = "2001:db8:f000::/40"
delegated-length = 56
"#
            ),
        );
        Self { network, bell, process: None, said_before: String::new() }
    }

    /// Starts it, with what it has made durable before it was stopped.
    pub(crate) fn start(&mut self) {
        let host = &self.network.server;
        let mut command = host.enter(leasehold());
        command.arg("serve").arg("--config").arg(host.path("leasehold.toml"));
        self.process = Some(Process::start("leasehold serve", &mut command, self.bell));
        host.wait_for_listener("srv0", self.bell);
    }

    /// Ends it, and what it has not made durable.
    pub(crate) fn stop(&mut self) {
        let mut process = self.process.take().expect("it runs");
        process.ask_to_end();
        process.wait();
        self.said_before.push_str(&process.said());
    }

    /// Everything that it has logged.
    pub(crate) fn said(&self) -> String {
        self.said_before.clone() + &self.process.as_ref().map(Process::said).unwrap_or_default()
    }

    /// The clients of a complete answer to `leasehold query`, asked from the next host.
    pub(crate) fn clients(&self, question: &str) -> Vec<Value> {
        let (host, interface) = self.network.next_to_server();
        let mut command = host.enter(leasehold());
        command.args(["query", &format!("{SERVER_LINK_LOCAL}%{interface}")]);
        let answer = ask(command.args(question.split(' ')).args(["--format", "json", "--timeout", "10"]));
        assert_eq!(answer["complete"], true, "{question}: {answer}");
        answer["clients"].as_array().expect("a list").clone()
    }

    /// Tells every client to renew, and says of each whether it is told.
    pub(crate) fn reconfigure(&self) -> Vec<String> {
        let host = &self.network.server;
        let mut command = host.enter(leasehold());
        command.arg("reconfigure").arg("--config").arg(host.path("leasehold.toml"));
        let answer = ask(command.args(["--all", "--format", "json"]));
        let clients = answer["clients"].as_array().expect("a list").iter();
        clients.map(|client| client["outcome"].as_str().expect("a word").to_owned()).collect()
    }
}

/// What a client holds, as an answer tells it.
pub(crate) fn leases(client: &Value) -> Resources {
    let leases = client["leases"].as_array().expect("a list").iter();
    leases
        .filter_map(|lease| lease["address"].as_str().or(lease["prefix"].as_str()).map(str::to_owned))
        .collect()
}

fn ask(command: &mut Command) -> Value {
    let output = command.output().expect("leasehold query starts");
    let said = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"))
}

fn leasehold() -> &'static str {
    env!("CARGO_BIN_EXE_leasehold")
}
