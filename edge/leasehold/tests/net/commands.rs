//! A relay as its operator and its service manager meet it: a process in a namespace, with a customer on one
//! cable and, on the other, a server that grants what nobody has asked for and does not answer leasequeries.

use std::cell::Cell;
use std::net::Ipv6Addr;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Output};
use std::time::Instant;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;
use wire::{
    ClientMessage, Duid, IaKind, Iaid, MessageType, OptionCode, Prefix, RelayMessage, SERVER_PORT,
    TransactionId, Writer,
};

use crate::PATIENCE;
use crate::namespace::{Far, FarSocket, in_namespaces, ip};

const CONFIG: &str = r#"
[relay.upstream]
interfaces = ["up0"]
[[relay.server]]
name = "north"
address = "[2001:db8:9::1]:547"
[relay.routes]
aggregates = ["2001:db8:100::/40"]
[[relay.interface]]
names = ["customer0"]
interface-id = "port 7"
"#;

const LIGHTWEIGHT: &str = r#"
[relay]
mode = "lightweight"
[relay.upstream]
interfaces = ["up0"]
[[relay.interface]]
names = ["customer0"]
"#;

/// What is said to the service manager when clients' messages are forwarded.
const READY: &str = "READY=1";

/// The relay, its folder, and what its service manager hears.
struct Relay {
    process: Child,
    folder: TempDir,
    manager: UnixDatagram,
    server: FarSocket,
    /// What was said to the service manager before the relay was ready.
    unasked: Cell<Vec<String>>,
}

impl Relay {
    fn start(far: &Far) -> Self {
        Self::with(far, CONFIG, || {})
    }

    /// With this configuration, once the cables are laid and something has been done with them.
    fn with(far: &Far, config: &str, prepare: impl FnOnce()) -> Self {
        far.lay_cable("customer0", "customer1", "fe80::1/64");
        far.lay_cable("up0", "up1", "fe80::1/64");
        prepare();
        let server = far.socket("fe80::1", "up1", SERVER_PORT);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("relay.toml");
        std::fs::write(&file, format!("state = {:?}\n{config}", folder.path())).unwrap();
        let manager = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        manager.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_leasehold"));
        command.args(["relay", "--config"]).arg(file).env("NOTIFY_SOCKET", folder.path().join("notify"));
        let process = command.env("WATCHDOG_USEC", "200000").spawn().unwrap();
        let relay = Self { process, folder, manager, server, unasked: Cell::default() };
        relay.hear(|said| said == READY);
        relay
    }

    /// Listens until this is said to the service manager, and was not heard before.
    fn hear(&self, is_expected: impl Fn(&str) -> bool) -> String {
        let until = Instant::now() + PATIENCE;
        let mut said = [0; 4_096];
        // How it is may be said before that it is ready.
        let mut heard = self.unasked.take();
        loop {
            if let Some(place) = heard.iter().position(|line| is_expected(line)) {
                let expected = heard.swap_remove(place);
                if expected == READY {
                    self.unasked.set(heard);
                }
                return expected;
            }
            let octets = self.manager.recv(&mut said).expect("nothing is said");
            heard.extend(String::from_utf8_lossy(&said[..octets]).lines().map(str::to_owned));
            assert!(Instant::now() < until, "something else is said: {heard:?}");
        }
    }

    fn command(&self, line: &str) -> Output {
        let config = self.folder.path().join("relay.toml");
        let mut command = Command::new(env!("CARGO_BIN_EXE_leasehold"));
        command.args(line.split(' ')).arg("--config").arg(config).output().unwrap()
    }

    fn shown(&self, line: &str) -> Value {
        let output = self.command(line);
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Has the server grant this until the relay shows it.
    fn delegate(&self, client: u8, prefix: &str) {
        let (reply, until) = (reply(client, prefix.parse().unwrap()), Instant::now() + PATIENCE);
        let line = format!("show delegations --prefix {prefix} --state installed");
        loop {
            self.server.send(&reply, "fe80::2".parse().unwrap(), SERVER_PORT);
            if self.shown(&line)["delegations"] != Value::Array(Vec::new()) {
                return;
            }
            assert!(Instant::now() < until, "{prefix} is not shown, or not installed");
        }
    }

    fn stop(mut self) {
        kill(Pid::from_raw(self.process.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
        self.hear(|said| said == "STOPPING=1");
        assert!(self.process.wait().unwrap().success());
        assert!(!self.folder.path().join("control").exists());
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn duid(number: u8) -> Duid {
    Duid::new(&[0, 3, 0, 1, 2, 0, 0, 0, 0, number]).unwrap()
}

/// What a server grants to a client at the customer's end of the cable.
fn reply(client: u8, prefix: Prefix) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut writer = Writer::new(&mut octets);
    let outside = RelayMessage {
        message_type: MessageType::RelayReply,
        hop_count: 0,
        link_address: Ipv6Addr::UNSPECIFIED,
        peer_address: "fe80::1".parse().unwrap(),
        options: wire::Options::default(),
    };
    outside.encode_header(&mut writer);
    writer.raw_option(OptionCode::INTERFACE_ID, b"port 7");
    writer.option(OptionCode::RELAY_MSG, |w| {
        ClientMessage::write(w, MessageType::Reply, TransactionId::from_number(7), |w| {
            w.raw_option(OptionCode::CLIENTID, duid(client).octets());
            w.raw_option(OptionCode::SERVERID, duid(0xee).octets());
            w.ia(IaKind::Prefix, Iaid(7), 0, 0, |w| w.ia_prefix(prefix, 3_600, 7_200, |_| {}));
        });
    });
    writer.finish().unwrap();
    octets
}

/// The destinations of the relay's routes, as the system shows them, in order.
fn routes_of_the_kernel() -> Vec<String> {
    let output = Command::new("ip").args(["-6", "-o", "route", "show", "proto", "220"]).output().unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    let destination = |line: &str| {
        let mut words = line.split(' ').filter(|word| *word != "unreachable");
        words.next().map(str::to_owned)
    };
    let mut destinations: Vec<String> = lines.lines().filter_map(destination).collect();
    destinations.sort();
    destinations
}

/// Waits until the kernel has these and no others of ours.
fn wait_for_routes(expected: &[&str]) {
    let until = Instant::now() + PATIENCE;
    while routes_of_the_kernel() != expected {
        assert!(Instant::now() < until, "the kernel has {:?}, not {expected:?}", routes_of_the_kernel());
    }
}

// PDR-27, PDR-28
#[test]
fn a_relay_shows_what_it_has_learnt_and_done() {
    in_namespaces(|far| {
        let relay = Relay::start(far);
        relay.delegate(1, "2001:db8:101::/48");
        let shown = relay.shown("show delegations --interface customer0");
        let delegation = &shown["delegations"][0];
        assert_eq!(delegation["client"], duid(1).to_string());
        assert_eq!(
            (&delegation["interface"], &delegation["interface_text"]),
            (&"customer0".into(), &"port 7".into())
        );
        assert_eq!((&delegation["next_hop"], &delegation["told_by"]), (&"fe80::1".into(), &"reply".into()));
        assert!(delegation["valid_secs"].as_u64().is_some_and(|secs| (7_100..=7_200).contains(&secs)));
        let routes = relay.shown("show routes --state installed");
        let destinations: Vec<_> = (0..3).map(|place| &routes["routes"][place]["destination"]).collect();
        assert_eq!(
            destinations,
            ["2001:db8:100::/40".into(), "2001:db8:101::/48".into(), Value::Null].each_ref()
        );
        let status = relay.shown("show relay");
        assert_eq!((&status["delegations"]["prefixes"], &status["ports"]), (&1.into(), &1.into()));
        assert!(
            status["counters"]["messages"]["RELAY-REPL"]["received"].as_u64().is_some_and(|count| count > 0)
        );
        relay.stop();
    });
}

// PDR-29
#[test]
fn what_is_cleared_goes_with_its_route_and_no_server_hears_of_it() {
    in_namespaces(|far| {
        let relay = Relay::start(far);
        let prefixes = ["2001:db8:101::/48", "2001:db8:102::/48", "2001:db8:103::/48"];
        let clear = |filter: &str| {
            relay.delegate(1, prefixes[0]);
            relay.delegate(1, prefixes[1]);
            relay.delegate(2, prefixes[2]);
            let all = ["2001:db8:100::/40", prefixes[0], prefixes[1], prefixes[2]];
            wait_for_routes(&all);
            let would = relay.shown(&format!("clear delegation {filter} --dry-run"));
            wait_for_routes(&all);
            let cleared = relay.shown(&format!("clear delegation {filter}"));
            let leased = |shown: &Value| -> Vec<Value> {
                let shown = shown["delegations"].as_array().unwrap().iter();
                shown.map(|delegation| delegation["prefix"].clone()).collect()
            };
            assert_eq!(leased(&would), leased(&cleared));
            leased(&cleared).len()
        };
        assert_eq!(clear("--prefix 2001:db8:102::/48"), 1);
        wait_for_routes(&["2001:db8:100::/40", prefixes[0], prefixes[2]]);
        assert_eq!(clear("--client 00:03:00:01:02:00:00:00:00:01"), 2);
        wait_for_routes(&["2001:db8:100::/40", prefixes[2]]);
        assert_eq!(clear("--interface customer0"), 3);
        wait_for_routes(&["2001:db8:100::/40"]);
        assert_eq!(relay.server.receive(), None);
        relay.stop();
    });
}

#[test]
fn a_relay_without_its_server_is_degraded_says_so_and_lives() {
    in_namespaces(|far| {
        let relay = Relay::start(far);
        let said = relay.hear(|said| said.starts_with("STATUS=degraded"));
        assert!(said.contains("north: unreachable"), "{said}");
        relay.hear(|said| said == "WATCHDOG=1");
        let status = relay.shown("show relay");
        assert_eq!(status["state"], "degraded");
        assert!(status["why"].as_str().is_some_and(|why| why.starts_with("north: unreachable")), "{status}");
        let server = &relay.shown("show servers")["servers"][0];
        assert_eq!((&server["name"], &server["last_success_secs"]), (&"north".into(), &Value::Null));
        assert!(server["failed_attempts"].as_u64().is_some_and(|attempts| attempts > 0));

        let refreshed = relay.command("refresh --wait");
        assert_eq!(refreshed.status.code(), Some(2), "{}", String::from_utf8_lossy(&refreshed.stderr));
        let status: Value = serde_json::from_slice(&refreshed.stdout).unwrap();
        assert_eq!(status["state"], "degraded");
        let refused = relay.command("show bindings");
        assert_eq!(refused.status.code(), Some(3));
        assert!(String::from_utf8_lossy(&refused.stderr).contains("this is a relay"));
        relay.stop();
    });
}

#[test]
fn a_lightweight_relay_says_how_it_is_and_that_it_knows_nothing_else() {
    in_namespaces(|far| {
        let relay = Relay::with(far, LIGHTWEIGHT, || {
            ip("link add bridge0 type bridge");
            ip("link set bridge0 up");
            ip("link set customer0 master bridge0");
            ip("link set up0 master bridge0");
        });
        let status = relay.shown("show relay");
        assert_eq!((&status["state"], &status["ports"]), (&"not_asking".into(), &1.into()));
        let commands =
            ["show delegations", "show routes", "show servers", "clear delegation --all", "refresh"];
        for command in commands {
            let refused = relay.command(command);
            assert_eq!(refused.status.code(), Some(3), "{command}");
            assert!(String::from_utf8_lossy(&refused.stderr).contains("lightweight"), "{command}");
        }
        let refused = relay.command("show bindings");
        assert!(String::from_utf8_lossy(&refused.stderr).contains("this is a relay"));
        relay.stop();
    });
}
