//! What came from a Kea server is its clients' as it was: each renews, or rebinds because it has never heard of
//! this server, and keeps its addresses and prefixes.

use std::net::{Ipv6Addr, SocketAddrV6};
use std::path::Path;
use std::process::Command;

use lease::{Client, Cursor, LeaseState, Resource};
use leasehold::config::Config;
use leasehold::serve::{self, Plan, UdpAddress};
use leasehold::state;
use wire::{ClientMessage, Duid, MessageType, OptionCode, TransactionId, Writer};

use crate::subscriber::Relay;

/// A client's Renew to this server, or its Rebind, with all that it holds.
fn message(message_type: MessageType, client: &Client, server_id: &Duid, number: usize) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut w = Writer::new(&mut octets);
    ClientMessage::write(&mut w, message_type, transaction_id(number), |w| {
        w.raw_option(OptionCode::CLIENTID, client.key.duid.octets());
        if message_type == MessageType::Renew {
            w.raw_option(OptionCode::SERVERID, server_id.octets());
        }
        w.raw_option(OptionCode::ELAPSED_TIME, &[0, 0]);
        for binding in &client.bindings {
            w.ia(binding.kind, binding.iaid, 0, 0, |w| {
                for lease in &binding.leases {
                    match lease.resource {
                        Resource::Address(address) => w.ia_address(address, 0, 0),
                        Resource::Prefix(prefix) => w.ia_prefix(prefix, 0, 0, |_| {}),
                    }
                }
            });
        }
    });
    w.finish().unwrap();
    octets
}

fn transaction_id(number: usize) -> TransactionId {
    let [.., a, b, c] = number.to_be_bytes();
    TransactionId::new([a, b, c])
}

/// What a Reply says that the client has, with how long it is valid.
fn leases(reply: &ClientMessage<'_>) -> Vec<(Resource, u32)> {
    assert_eq!(reply.message_type, MessageType::Reply);
    let ias = reply.options.ias().map(|ia| ia.unwrap().1);
    let mut all: Vec<(Resource, u32)> = ias
        .flat_map(|ia| {
            let addresses = ia.options.ia_addresses().map(Result::unwrap);
            let addresses = addresses.map(|it| (Resource::Address(it.address), it.valid_secs));
            let prefixes = ia.options.ia_prefixes().map(Result::unwrap);
            addresses
                .chain(prefixes.map(|it| (Resource::Prefix(it.prefix), it.valid_secs)))
                .collect::<Vec<_>>()
        })
        .collect();
    all.sort();
    all
}

#[test]
fn clients_of_a_kea_server_keep_what_they_have() {
    for (release, count) in [("2.2", 6), ("3.3", 3)] {
        let folder = tempfile::tempdir().unwrap();
        let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples/kea");
        let import = Command::new(env!("CARGO_BIN_EXE_leasehold"))
            .args(["import", "kea", "--now", "file", "--config"])
            .arg(samples.join(format!("kea-{release}-dhcp6.conf")))
            .arg("--leases")
            .arg(samples.join(format!("kea-{release}-leases6.csv")))
            .arg("--into")
            .arg(folder.path())
            .output()
            .unwrap();
        assert!(import.status.success(), "{}", String::from_utf8_lossy(&import.stderr));
        let renewed = renew_all(folder.path());
        assert_eq!(renewed, count, "{renewed} clients of Kea {release}");
    }
}

/// Serves an imported state, and has each of its clients renew or rebind; gives how many there are.
fn renew_all(folder: &Path) -> usize {
    let config = Config::read(&folder.join("leasehold.toml")).unwrap();
    let server_id = state::server_id(config.server_id.clone(), folder).unwrap();
    let store = state::open(folder).unwrap();
    let holdings = state::load(&store, config.links.clone()).unwrap();
    let views = holdings.table.clients(Cursor::START).map(|(_, view)| view.to_client());
    let is_active = |client: &Client| {
        let mut leases = client.bindings.iter().flat_map(|binding| &binding.leases);
        leases.all(|lease| lease.state == LeaseState::Active)
    };
    let clients: Vec<Client> = views.filter(is_active).collect();
    let plan = Plan::new(&config, server_id.clone(), holdings, Box::new(store)).unwrap();
    let at = SocketAddrV6::new(Ipv6Addr::LOCALHOST, 0, 0, 0);
    let udp = vec![UdpAddress { at, dhcp: true, leasequery: false }];
    let server = serve::start(Plan { udp, bulk: Vec::new(), control: None, ..plan }).unwrap();
    let links = config.links();
    for (number, client) in clients.iter().enumerate() {
        let link = links.by_id(client.key.link).unwrap();
        let relay = Relay::to(server.udp_addresses()[0], link.address().unwrap());
        let message_type = if number % 2 == 0 { MessageType::Renew } else { MessageType::Rebind };
        let answer = relay.carry(&message(message_type, client, &server_id, number));
        let reply = ClientMessage::decode(&answer).unwrap();
        assert_eq!(reply.transaction_id, transaction_id(number));
        let valid_secs = config.dhcp.rules.links[&client.key.link].valid_secs;
        let all = client.bindings.iter().flat_map(|binding| &binding.leases);
        let mut expected: Vec<_> = all.map(|lease| (lease.resource, valid_secs)).collect();
        expected.sort();
        assert_eq!(leases(&reply), expected, "{} on link {}", client.key.duid, link.name);
    }
    server.stop();
    clients.len()
}
