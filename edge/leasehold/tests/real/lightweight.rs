//! A client behind Leasehold's lightweight relay, in a bridge.
//!
//! ```text
//!  client ---- lan0 ┐
//!                   │ bridge │ wan0 ---- srv0 server
//!  other  ---- lan1 ┘
//! ```
//!
//! Nothing but Relay-forwards gets to the server, and nothing at all to the other client, even while the relay is away because
//! it was killed; when it is back, the client is where it was.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wire::MessageType;

use crate::bell::Bell;
use crate::capture::Capture;
use crate::client::{Client, Program};
use crate::exchange::{Resources, acknowledged, granted, utterances};
use crate::host::Host;
use crate::network::{LINK, Network, SERVER_LINK_LOCAL};
use crate::process::Process;
use crate::scenario::{Report, judge_all};
use crate::server::{Server, leases};

/// For a client to get through an exchange, with the pauses that standards prescribe.
const PATIENCE: Duration = Duration::from_secs(60);
/// The line that says that the relay has found both sides.
const HAS_FOUND: &str = "clients=2 network=1";
/// The table of its rules, as nftables lists it.
const TABLE: &str = "table bridge leasehold-ldra";

const CONFIGURATION: &str = r#"
[relay]
mode = "lightweight"
[relay.upstream]
interfaces = ["wan0"]
[[relay.interface]]
names = ["lan*"]
interface-id = "port-{interface}"
[relay.interface.remote-id]
enterprise = 32473
value = "customer-{interface}"
"#;

/// Lives through it with a client. If it goes wrong, what everybody had to say.
pub(crate) fn relay_in_a_bridge(program: &Program) -> Result<Report, String> {
    let begun = Instant::now();
    let bell = Bell::default();
    let (network, bridge, other) = lay_cables();
    let capture = Capture::start(&network.server, "srv0", &bell);
    let beside = Capture::start(&other, "cli0", &bell);
    let mut server = Server::new(&network, program.pace.lifetimes, &bell);
    server.start();
    let relay = Some(start(&bridge, &bell));
    let client = (program.start)(&network.client, &bell);
    let mut scene =
        Scene { network: &network, bridge: &bridge, bell: &bell, capture, beside, server, relay, client };
    let result = catch_unwind(AssertUnwindSafe(|| scene.play()));
    scene.capture.stop();
    match result.and_then(|()| catch_unwind(AssertUnwindSafe(|| judge_all(&scene.capture)))) {
        Ok(packets) => Ok(Report { packets, took: begun.elapsed() }),
        Err(_) => Err(scene.account()),
    }
}

/// What it says when there is no `nft`.
pub(crate) fn refuse_without_nft() -> Result<Report, String> {
    let begun = Instant::now();
    let bell = Bell::default();
    let host = Host::new("bridge");
    let configuration = configure(&host);
    let mut command = host.enter("env");
    command.args(["PATH=/nowhere", leasehold(), "relay", "--config"]).arg(configuration);
    let mut relay = Process::start("leasehold relay", &mut command, &bell);
    let status = relay.wait();
    let wanted = |said: &str| said.lines().count() == 1 && said.contains("install nftables");
    bell.wait(PATIENCE, "a line about nftables", || wanted(&relay.said()).then_some(()));
    if status.success() { Err(relay.said()) } else { Ok(Report { packets: 0, took: begun.elapsed() }) }
}

/// Three hosts and a bridge between them.
fn lay_cables() -> (Network, Host, Host) {
    let [client, other, server, bridge] = ["client", "other", "server", "bridge"].map(Host::new);
    bridge.ip("link add br0 type bridge mcast_snooping 0");
    bridge.ip("link set br0 up");
    for (host, end, port) in [(&client, "cli0", "lan0"), (&other, "cli0", "lan1"), (&server, "srv0", "wan0")]
    {
        host.plug(end, &bridge, port);
        bridge.ip(&format!("link set {port} master br0"));
    }
    server.add_address("srv0", LINK.parse().unwrap());
    server.add_address("srv0", SERVER_LINK_LOCAL.parse().unwrap());
    (Network { client, relays: Vec::new(), server, next_hops: Vec::new() }, bridge, other)
}

fn configure(bridge: &Host) -> std::path::PathBuf {
    let state = bridge.path("var/lib/leasehold");
    bridge.write("relay.toml", &format!("state = {state:?}\n{CONFIGURATION}"))
}

fn start(bridge: &Host, bell: &Bell) -> Process {
    let mut command = bridge.enter(leasehold());
    command.arg("relay").arg("--config").arg(configure(bridge));
    let relay = Process::start("leasehold relay", &mut command, bell);
    bell.wait(PATIENCE, "the relay to find its ports", || relay.said().contains(HAS_FOUND).then_some(()));
    relay
}

fn leasehold() -> &'static str {
    env!("CARGO_BIN_EXE_leasehold")
}

/// All that takes part.
struct Scene<'a> {
    network: &'a Network,
    bridge: &'a Host,
    bell: &'a Bell,
    capture: Capture,
    /// What gets to the other client.
    beside: Capture,
    server: Server<'a>,
    relay: Option<Process>,
    client: Box<dyn Client>,
}

impl Scene<'_> {
    fn play(&mut self) {
        let held = self.wait_for_grant("the client to be given something", 0);
        let place = self.place(&held);
        self.send_too_much();

        // What it asks for while the relay is away gets nowhere.
        // Dropping it kills it.
        self.relay = None;
        assert!(self.tables().contains(TABLE), "the rules outlive a relay that is killed");
        let until_here = self.capture.messages().len();
        self.relay = Some(start(self.bridge, self.bell));
        assert_eq!(self.wait_for_grant("the client to renew", until_here), held);
        assert_eq!(self.place(&held), place, "the port is named as before");
        self.ask_how_it_is();

        self.client.release(&self.network.client, self.bell);
        self.bell.wait(PATIENCE, "the server to acknowledge the release", || {
            let said = utterances(&self.capture.messages());
            (acknowledged(&said, MessageType::Release) == held).then_some(())
        });
        let relay = self.relay.as_mut().expect("it runs");
        relay.ask_to_end();
        assert!(relay.wait().success(), "it ends well");
        assert!(!self.tables().contains(TABLE), "the rules go with a relay that ends");

        let outermost: BTreeSet<u8> = self.capture.messages().iter().map(|message| message[0]).collect();
        let relayed = [MessageType::RelayForward, MessageType::RelayReply].map(|kind| kind as u8);
        assert_eq!(outermost, BTreeSet::from(relayed));
        assert_eq!(self.beside.messages(), Vec::<Vec<u8>>::new(), "nothing gets to the other client");
    }

    /// Asks the relay as an operator would.
    fn ask_how_it_is(&self) {
        let mut command = self.bridge.enter(leasehold());
        command.arg("show").arg("relay").arg("--config").arg(self.bridge.path("relay.toml"));
        let output = command.args(["--format", "json"]).output().expect("leasehold show starts");
        let status: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
        assert_eq!((&status["state"], &status["ports"]), (&json!("not_asking"), &json!(2)), "{status}");
        assert_eq!(status["counters"]["messages"]["RENEW"]["forwarded"], 1, "{status}");
    }

    /// Has the client's host send what would be too long for the network with all that goes around it.
    fn send_too_much(&self) {
        let script = "dd if=/dev/zero bs=1440 count=1 status=none > /dev/udp/ff02::1:2%cli0/547";
        let output = self.network.client.enter("bash").args(["-c", script]).output().expect("bash starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let said = || self.relay.as_ref().is_some_and(|relay| relay.said().contains("too long for the MTU"));
        self.bell.wait(PATIENCE, "the relay to say that something is too long", || said().then_some(()));
    }

    /// Waits until the client holds what it was given since then: an address and a prefix.
    fn wait_for_grant(&self, what: &str, from: usize) -> Resources {
        self.bell.wait(PATIENCE, what, || {
            let said = utterances(&self.capture.messages()[from..]);
            let ways = [MessageType::Solicit, MessageType::Request, MessageType::Renew, MessageType::Rebind];
            let given: Resources = ways.into_iter().flat_map(|way| granted(&said, way)).collect();
            (given.len() == 2 && self.held() == given).then_some(given)
        })
    }

    /// What the client believes to hold.
    fn held(&self) -> Resources {
        let addresses = self.network.client.addresses("cli0", "global");
        let mut held: Resources = addresses.iter().map(ToString::to_string).collect();
        held.append(&mut self.client.prefixes(&self.network.client));
        held
    }

    /// Where the client is, as the server remembers it.
    fn place(&self, held: &Resources) -> Value {
        let clients = self.server.clients(&format!("link {LINK}"));
        assert_eq!(clients.len(), 1, "{clients:?}");
        assert_eq!(leases(&clients[0]), *held);
        let path = &clients[0]["relay_path"];
        assert_eq!(path.as_array().map(Vec::len), Some(1), "{path}");
        let hop = &path[0];
        let client = self.network.client.addresses("cli0", "link")[0];
        assert_eq!(
            (hop["link_address"].as_str(), hop["interface_text"].as_str()),
            (Some("::"), Some("port-lan0"))
        );
        assert_eq!(hop["peer_address"], client.to_string());
        assert_eq!(hop["remote_id"], "32473:637573746f6d65722d6c616e30");
        hop.clone()
    }

    /// The tables of nftables in the bridge.
    fn tables(&self) -> String {
        let output = self.bridge.enter("nft").args(["list", "tables"]).output().expect("nft starts");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// What everybody has said.
    fn account(&mut self) -> String {
        let fate = self.relay.as_mut().and_then(Process::fate);
        let mut account = fate.map_or_else(String::new, |fate| format!("\nthe relay has ended: {fate}\n"));
        for process in self.relay.iter().chain([self.client.process()]) {
            account += &format!("\n-- {}\n{}", process.name(), process.said());
        }
        account += &format!("\n-- server\n{}\n-- packets before the server\n", self.server.said());
        utterances(&self.capture.messages()).iter().for_each(|said| account += &format!("{said:?}\n"));
        account
    }
}
