//! A relay by its sockets: which ports and groups it listens and sends on, where copies go, and what it adds by
//! its configuration. It is a process in a namespace; clients and servers are sockets beyond its cables.

use std::net::{Ipv6Addr, SocketAddrV6};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use wire::{CLIENT_PORT, MessageType, OptionCode, RelayMessage, SERVER_PORT};

use crate::PATIENCE;
use crate::namespace::{Far, FarSocket, in_namespaces, ip};

const ALL_RELAYS: &str = "ff02::1:2";
/// A Solicit without options, and the Reply to it.
const SOLICIT: [u8; 4] = [1, 0xaa, 0xbb, 0xcc];
const REPLY: [u8; 4] = [7, 0xaa, 0xbb, 0xcc];

/// A relay between `customer0` and `up0`; the other ends have the addresses fe80::1 and 2001:db8:9::1.
struct Relay {
    process: Child,
    folder: TempDir,
}

impl Relay {
    fn start(far: &Far, relay: &str) -> Self {
        let program = Command::new(env!("CARGO_BIN_EXE_leasehold"));
        Self::start_by(program, Stdio::null(), far, relay)
    }

    /// Starts it by a command that takes the program's arguments.
    fn start_by(mut command: Command, stderr: Stdio, far: &Far, relay: &str) -> Self {
        far.lay_cable("customer0", "customer1", "fe80::1/64");
        far.lay_cable("up0", "up1", "2001:db8:9::1/64");
        ip("addr add 2001:db8:9::2/64 dev up0 nodad");
        ip("addr add 2001:db8:1::2/64 dev customer0 nodad");
        let folder = tempfile::tempdir().unwrap();
        command.args(["relay", "--config"]).arg(folder.path().join("relay.toml")).stderr(stderr);
        command.current_dir(folder.path());
        configure(&folder, relay);
        Self { process: command.spawn().unwrap(), folder }
    }

    fn reload(&self, relay: &str) {
        configure(&self.folder, relay);
        kill(Pid::from_raw(self.process.id().try_into().unwrap()), Signal::SIGHUP).unwrap();
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn configure(folder: &TempDir, relay: &str) {
    let state = folder.path().join("state");
    let text = format!("state = {state:?}\n{relay}");
    std::fs::write(folder.path().join("relay.toml"), text).unwrap();
}

/// One server at its address, and the customer's interface, with more keys.
fn to_one_server(of_interface: &str) -> String {
    format!(
        "[relay]\nclient-link-layer-address = false\n\
         [[relay.server]]\naddress = \"2001:db8:9::1\"\nleasequery = false\n\
         [relay.routes]\nenabled = false\n\
         [[relay.interface]]\nnames = [\"customer*\"]\n{of_interface}"
    )
}

fn customer(far: &Far) -> FarSocket {
    far.socket("fe80::1", "customer1", CLIENT_PORT)
}

/// Has the customer say it again until the server hears it, and gives what that hears, and from where.
fn forwarded(customer: &FarSocket, server: &FarSocket, message: &[u8]) -> (Vec<u8>, SocketAddrV6) {
    let until = Instant::now() + PATIENCE;
    loop {
        customer.send(message, ALL_RELAYS.parse().unwrap(), SERVER_PORT);
        if let Some(heard) = server.receive() {
            return heard;
        }
        assert!(Instant::now() < until, "nothing is forwarded");
    }
}

/// A Relay-reply to a Relay-forward, with what came back inside.
fn answer(forward: &RelayMessage<'_>) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut writer = wire::Writer::new(&mut octets);
    RelayMessage { message_type: MessageType::RelayReply, ..*forward }.encode_header(&mut writer);
    writer.raw_option(OptionCode::INTERFACE_ID, forward.interface_id().unwrap());
    writer.raw_option(OptionCode::RELAY_MSG, &REPLY);
    writer.finish().unwrap();
    octets
}

// REL-01, REL-02, REL-03, REL-04, REL-30
#[test]
fn messages_go_from_547_to_547_and_answers_to_546() {
    in_namespaces(|far| {
        let _relay = Relay::start(far, &to_one_server(""));
        let (customer, server) = (customer(far), far.socket("2001:db8:9::1", "up1", SERVER_PORT));
        let (octets, from) = forwarded(&customer, &server, &SOLICIT);
        assert_eq!((from.port(), *from.ip()), (SERVER_PORT, "2001:db8:9::2".parse::<Ipv6Addr>().unwrap()));
        let forward = RelayMessage::decode(&octets).unwrap();
        assert_eq!(forward.relayed().unwrap(), Some(&SOLICIT[..]));
        assert_eq!(forward.link_address, "2001:db8:1::2".parse::<Ipv6Addr>().unwrap());
        assert!(forward.relay_id().is_some(), "the relay names itself without being told to");

        server.send(&answer(&forward), *from.ip(), SERVER_PORT);
        let until = Instant::now() + PATIENCE;
        let heard = std::iter::repeat_with(|| customer.receive()).find_map(|heard| {
            assert!(heard.is_some() || Instant::now() < until, "nothing is delivered");
            heard
        });
        assert_eq!(heard.map(|(octets, from)| (octets, from.port())), Some((REPLY.to_vec(), SERVER_PORT)));
    });
}

// REL-04, REL-05
#[test]
fn every_server_and_group_gets_a_copy() {
    in_namespaces(|far| {
        let config = to_one_server("")
            + "[[relay.server]]\naddress = \"2001:db8:9::3\"\nleasequery = false\n\
               [[relay.server]]\naddress = \"ff05::1:3%up0\"\n";
        let relay = Relay::start(far, &config);
        far.run(|| ip("addr add 2001:db8:9::3/64 dev up1 nodad"));
        let customer = customer(far);
        let servers = ["2001:db8:9::1", "2001:db8:9::3"].map(|at| far.socket(at, "up1", SERVER_PORT));
        let group = far.group("ff05::1:3", "up1", SERVER_PORT);
        for server in servers.iter().chain([&group]) {
            forwarded(&customer, server, &SOLICIT);
        }
        drop(relay);
    });
}

// REL-06, REL-07
#[test]
fn without_a_server_it_is_all_servers_within_eight_hops() {
    in_namespaces(|far| {
        let config = "[relay]\nclient-link-layer-address = false\n\
                      [relay.upstream]\ninterfaces = [\"up0\"]\n\
                      [relay.routes]\nenabled = false\n\
                      [[relay.interface]]\nnames = [\"customer0\"]\n";
        let _relay = Relay::start(far, config);
        let customer = customer(far);
        let group = far.group("ff05::1:3", "up1", SERVER_PORT);
        forwarded(&customer, &group, &SOLICIT);
        customer.send(&SOLICIT, ALL_RELAYS.parse().unwrap(), SERVER_PORT);
        assert_eq!(group.hop_limit(PATIENCE), Some(8));
    });
}

// REL-33
#[test]
fn a_port_has_its_remote_and_subscriber_id() {
    in_namespaces(|far| {
        let config = to_one_server(
            "interface-id = \"port of {interface}\"\nremote-id = { enterprise = 32473, value = \"{interface}\" }\n\
             subscriber-id = \"0x070007\"\n",
        );
        let _relay = Relay::start(far, &config);
        let server = far.socket("2001:db8:9::1", "up1", SERVER_PORT);
        let (octets, _) = forwarded(&customer(far), &server, &SOLICIT);
        let forward = RelayMessage::decode(&octets).unwrap();
        assert_eq!(forward.interface_id(), Some(&b"port of customer0"[..]));
        assert_eq!(forward.remote_id(), Some(&b"\x00\x00\x7e\xd9customer0"[..]));
        assert_eq!(forward.options.first(OptionCode::SUBSCRIBER_ID), Some(&[7, 0, 7][..]));
    });
}

// REL-35
#[test]
fn another_source_port_is_said_and_answered_to() {
    in_namespaces(|far| {
        let config = to_one_server("").replacen("[relay]\n", "[relay]\nsource-port = 1547\n", 1);
        let _relay = Relay::start(far, &config);
        let (customer, server) = (customer(far), far.socket("2001:db8:9::1", "up1", SERVER_PORT));
        let (octets, from) = forwarded(&customer, &server, &SOLICIT);
        assert_eq!(from.port(), 1547);
        let forward = RelayMessage::decode(&octets).unwrap();
        assert_eq!(forward.options.first(OptionCode::RELAY_PORT), Some(&[0, 0][..]));
        let until = Instant::now() + PATIENCE;
        loop {
            server.send(&answer(&forward), *from.ip(), 1547);
            if customer.receive().is_some_and(|(octets, _)| octets == REPLY) {
                return;
            }
            assert!(Instant::now() < until, "what comes to the other port is not delivered");
        }
    });
}

#[test]
fn a_configuration_that_is_read_anew_counts_at_once_and_a_bad_one_never() {
    in_namespaces(|far| {
        let relay = Relay::start(far, &to_one_server("subscriber-id = \"before\"\n"));
        let (customer, server) = (customer(far), far.socket("2001:db8:9::1", "up1", SERVER_PORT));
        let subscriber = |octets: &[u8]| {
            let forward = RelayMessage::decode(octets).unwrap();
            forward.options.first(OptionCode::SUBSCRIBER_ID).map(<[u8]>::to_vec)
        };
        let (octets, _) = forwarded(&customer, &server, &SOLICIT);
        assert_eq!(subscriber(&octets), Some(b"before".to_vec()));
        for (text, wanted) in
            [("subscriber-id = \"after\"\n", &b"after"[..]), ("subscriber-id = 7\n", b"after")]
        {
            relay.reload(&to_one_server(text));
            let until = Instant::now() + PATIENCE;
            while subscriber(&forwarded(&customer, &server, &SOLICIT).0).as_deref() != Some(wanted) {
                assert!(Instant::now() < until, "{text} does not count");
            }
        }
    });
}

#[test]
fn an_interface_that_comes_later_or_again_is_served() {
    in_namespaces(|far| {
        let _relay = Relay::start(far, &to_one_server(""));
        let server = far.socket("2001:db8:9::1", "up1", SERVER_PORT);
        for (index, name) in [(700, "customer7"), (701, "customer7"), (702, "customer8")] {
            far.lay_cable_with_index(name, index, "late1", "fe80::1/64");
            let late = far.socket("fe80::1", "late1", CLIENT_PORT);
            let (octets, _) = forwarded(&late, &server, &SOLICIT);
            assert_eq!(RelayMessage::decode(&octets).unwrap().interface_id(), Some(name.as_bytes()));
            while server.receive().is_some() {}
            ip(&format!("link del {name}"));
        }
    });
}

/// The relay's routes and all files of its state folder, with what is in them.
fn kernel_and_files(folder: &TempDir) -> (String, Vec<(PathBuf, Vec<u8>)>) {
    let routes = Command::new("ip").args(["-6", "route", "show", "proto", "220"]).output().unwrap();
    let mut files = Vec::new();
    let mut folders = vec![folder.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push((path.clone(), std::fs::read(path).unwrap()));
            }
        }
    }
    files.sort();
    (String::from_utf8(routes.stdout).unwrap(), files)
}

#[test]
fn a_rehearsal_says_what_would_change_and_changes_nothing() {
    in_namespaces(|far| {
        far.lay_cable("customer0", "customer1", "fe80::1/64");
        ip("-6 route add 2001:db8:f000:100::/56 via fe80::1 dev customer0 proto 220 metric 512");
        let folder = tempfile::tempdir().unwrap();
        let config = "[relay]\nrelay-id = \"00:03:00:01:09\"\n\
                      [[relay.server]]\naddress = \"::1\"\n\
                      [relay.routes]\naggregates = [\"2001:db8:f000::/40\"]\n\
                      [[relay.interface]]\nnames = [\"customer0\"]\n";
        configure(&folder, config);
        // What a notebook is not, and would be put aside.
        let engine = folder.path().join("state/delegations/engine");
        std::fs::create_dir_all(&engine).unwrap();
        std::fs::write(engine.join("damaged"), "nonsense").unwrap();
        let before = kernel_and_files(&folder);

        let mut command = Command::new(env!("CARGO_BIN_EXE_leasehold"));
        command.args(["relay", "--dry-run", "--config"]).arg(folder.path().join("relay.toml"));
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
        let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(
            (&said["complete"], &said["unproven"], &said["kept"]),
            (&false.into(), &1.into(), &0.into())
        );
        assert!(said["lacking"][0].as_str().unwrap().contains("unreachable"), "{said}");
        assert_eq!(said["changes"][0]["action"], "add");
        assert_eq!(said["changes"][0]["destination"], "2001:db8:f000::/40");
        assert_eq!(kernel_and_files(&folder), before);
    });
}

/// Runs a program whose folder "state" is a file system without an octet of room.
const ON_FULL_DISK: &str = r#"
    mkdir state && mount -t tmpfs -o size=1m tmpfs state || exit 77
    cat /dev/zero >state/ballast 2>/dev/null
    exec "$@"
"#;

// PDR-24: what is remembered is an aid; without it everything else goes on.
#[test]
fn a_relay_whose_disk_is_full_says_so_and_relays() {
    in_namespaces(|far| {
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", ON_FULL_DISK, "sh", env!("CARGO_BIN_EXE_leasehold")]);
        let config = to_one_server("") + "[relay.recovery]\nremember = true\n";
        let config = config.replace("[relay]\n", "[relay]\nrelay-id = \"00:03:00:01:09\"\n");
        let mut relay = Relay::start_by(command, Stdio::piped(), far, &config);
        let said = std::io::BufReader::new(relay.process.stderr.take().unwrap());
        let (say, heard) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            std::io::BufRead::lines(said).map_while(Result::ok).try_for_each(|line| say.send(line))
        });
        let until = Instant::now() + PATIENCE;
        loop {
            let line =
                heard.recv_timeout(until - Instant::now()).expect("it says that it writes nothing down");
            if line.contains("delegations are not written down, will try again") {
                break;
            }
        }
        let (customer, server) = (customer(far), far.socket("2001:db8:9::1", "up1", SERVER_PORT));
        forwarded(&customer, &server, &SOLICIT);
        assert_eq!(relay.process.try_wait().unwrap(), None, "it goes on");
    });
}
