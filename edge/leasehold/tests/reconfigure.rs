//! `leasehold reconfigure` and a running server, met by clients behind a relay on the loopback
//! interface.

use std::io::Read;
use std::net::{Ipv6Addr, SocketAddrV6, UdpSocket};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use lease::{Links, Table};
use leasehold::config::Config;
use leasehold::serve::{self, Plan, Running, UdpAddress};
use serde_json::Value;
use server::Holdings;
use store::MemoryStore;
use tempfile::TempDir;
use wire::{
    ClientMessage, Duid, Iaid, Message, MessageType, OptionCode, Options, RelayMessage, TransactionId, Writer,
};

/// How long anything may take here.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server and a relay before it.
struct Site {
    running: Running,
    relay: UdpSocket,
    folder: TempDir,
}

impl Site {
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let relay = UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).unwrap();
        relay.set_read_timeout(Some(PATIENCE)).unwrap();
        let file = folder.path().join("leasehold.toml");
        let text = format!(
            r#"
            state = {state:?}
            [dhcp]
            listen = ["[::1]:5470"]
            relay-port = {port}
            reconfigure = true
            [leasequery]
            udp.listen = []
            bulk.listen = []
            [[link]]
            id = 1
            name = "access"
            prefixes = ["2001:db8:1::/64"]
            address-pools = ["2001:db8:1:0:1::/80"]
            "#,
            state = folder.path(),
            port = relay.local_addr().unwrap().port(),
        );
        std::fs::write(&file, text).unwrap();
        let config = Config::read(&file).unwrap();
        let holdings = Holdings { table: Table::default(), links: Links::new(config.links.clone()) };
        let store = Box::new(MemoryStore::default());
        let mut plan = Plan::new(&config, duid(0), holdings, store).unwrap();
        let at = SocketAddrV6::new(Ipv6Addr::LOCALHOST, 0, 0, 0);
        plan.udp = vec![UdpAddress { at, dhcp: true, leasequery: false }];
        Self { running: serve::start(plan).unwrap(), relay, folder }
    }

    /// Sends a client's message through the relay.
    fn send(&self, message_type: MessageType, client: u8, accepts: bool) {
        let mut message = Vec::new();
        let mut w = Writer::new(&mut message);
        ClientMessage::write(&mut w, message_type, TransactionId::from_number(client.into()), |w| {
            w.raw_option(OptionCode::CLIENTID, duid(client).octets());
            if message_type == MessageType::Request {
                w.raw_option(OptionCode::SERVERID, duid(0).octets());
            }
            w.raw_option(OptionCode::ELAPSED_TIME, &[0; 2]);
            w.ia_na(Iaid(1), 0, 0, |_| {});
            if accepts {
                w.raw_option(OptionCode::RECONF_ACCEPT, &[]);
            }
        });
        w.finish().unwrap();
        let mut octets = Vec::new();
        let mut w = Writer::new(&mut octets);
        let header = RelayMessage {
            message_type: MessageType::RelayForward,
            hop_count: 0,
            link_address: "2001:db8:1::1".parse().unwrap(),
            peer_address: "fe80::1".parse().unwrap(),
            options: Options::default(),
        };
        header.encode(&mut w);
        w.raw_option(OptionCode::RELAY_MSG, &message);
        w.finish().unwrap();
        self.relay.send_to(&octets, self.running.udp_addresses()[0]).unwrap();
    }

    /// The next message for a client.
    fn hear(&self) -> Vec<u8> {
        let mut octets = [0; 4096];
        let length = self.relay.recv(&mut octets).expect("something comes in time");
        let Ok(Message::Relay(relayed)) = Message::decode(&octets[..length]) else {
            panic!("no Relay-reply")
        };
        assert_eq!(relayed.message_type, MessageType::RelayReply);
        relayed.relayed().unwrap().unwrap().to_vec()
    }

    /// Binds a client, and says whether it was given a key.
    fn bind(&self, client: u8, accepts: bool) -> bool {
        self.send(MessageType::Request, client, accepts);
        let reply = self.hear();
        let reply = ClientMessage::decode(&reply).unwrap();
        assert_eq!(reply.message_type, MessageType::Reply);
        assert_eq!(reply.options.has(OptionCode::RECONF_ACCEPT), accepts);
        reply.options.has(OptionCode::AUTH)
    }

    fn command(&self, words: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_leasehold"));
        command.arg("reconfigure").arg("--socket").arg(self.folder.path().join("control"));
        command.args(words.split_whitespace());
        command
    }

    /// What a command prints, which has to be complete.
    fn run(&self, words: &str) -> (Vec<Value>, String) {
        read(self.command(words).output().unwrap())
    }

    fn start(&self, words: &str) -> Child {
        self.command(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }
}

fn duid(number: u8) -> Duid {
    Duid::new(&[0, 3, 0, 1, 2, 0, 0, 0, 0, number]).unwrap()
}

/// Clients, and the last line on standard error.
fn read(output: Output) -> (Vec<Value>, String) {
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(printed["complete"], true);
    (printed["clients"].as_array().unwrap().clone(), said.lines().last().unwrap().to_owned())
}

/// Each client with its outcome, by its number.
fn outcomes(clients: &[Value]) -> Vec<(String, &str)> {
    let mut outcomes: Vec<_> = clients
        .iter()
        .map(|client| (client["duid"].as_str().unwrap().to_owned(), client["outcome"].as_str().unwrap()))
        .collect();
    outcomes.sort();
    outcomes
}

// DH-C-06, DH-C-08
#[test]
fn clients_with_a_key_are_told_and_heed_it() {
    let site = Site::open();
    assert!(site.bind(1, true) && site.bind(2, true) && !site.bind(3, false));
    let (clients, tally) = site.run("--all --dry-run");
    let [first, second, third] = [1, 2, 3].map(|number| duid(number).to_string());
    let all = [(first.clone(), "told"), (second, "told"), (third, "no_key")];
    assert_eq!(outcomes(&clients), all);
    assert_eq!(tally, "3 clients: 2 told, 1 has no key");

    let waiting = site.start(&format!("--client {first} --message rebind --wait"));
    let reconfigure = site.hear();
    let reconfigure = ClientMessage::decode(&reconfigure).unwrap();
    assert_eq!(reconfigure.message_type, MessageType::Reconfigure);
    assert_eq!(reconfigure.options.client_id().unwrap(), Some(duid(1).as_ref()));
    assert_eq!(reconfigure.options.only(OptionCode::RECONF_MSG).unwrap(), Some(&[6][..]));
    let (clients, _) = site.run("--link access");
    let under_way = outcomes(&clients).into_iter().find(|(client, _)| *client == first);
    assert_eq!(under_way, Some((first.clone(), "under_way")));
    site.send(MessageType::Rebind, 1, true);
    let (clients, tally) = read(waiting.wait_with_output().unwrap());
    assert_eq!(outcomes(&clients), [(first, "heeded")]);
    assert_eq!(clients[0]["link_name"], "access");
    assert_eq!(tally, "1 client: 1 heeded");
    site.running.stop();
}

#[test]
fn whom_to_tell_has_to_be_said() {
    let site = Site::open();
    for words in ["", "--all --link 1"] {
        let output = site.command(words).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{words}");
    }
    assert_eq!(site.run("--all"), (Vec::new(), "0 clients".to_owned()));
    site.running.stop();
}

/// What is being told when the server stops is told no more, and whoever waits for it hears that.
#[test]
fn who_waits_is_told_that_the_server_stops() {
    let site = Site::open();
    assert!(site.bind(1, true));
    let mut waiting = site.start("--all --wait");
    site.hear();
    site.running.stop();
    assert_eq!(waiting.wait().unwrap().code(), Some(2));
    let mut said = String::new();
    waiting.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.contains("is stopping"), "{said}");
}
