//! Where the relay is: four cables to customers, one to the server, and strangers' routes among its own.
//!
//! ```text
//! customers: cli1 ==== acc1 \
//!            ...             :relay: 2001:db8:9::2 up0 ==== srv0 2001:db8:9::1 :server
//!            cli4 ==== acc4 /
//! ```
//!
//! The test's thread is on the relay's host. On the last cable leases are short and prefixes few.

use std::collections::BTreeMap;
use std::net::{Ipv6Addr, SocketAddrV6, UdpSocket};
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use leasehold::kernel::{self, RouteSettings};
use nix::net::if_::if_nametoindex;
use relay::{Owner, Target};
use requestor::Question;
use tempfile::TempDir;
use wire::{CLIENT_PORT, Duid, IaKind, Prefix, SERVER_PORT};
use world::Chance;

use super::watch::{Removal, Watch};
use crate::line::Line;
use crate::load::{Habits, Load, Worker};
use crate::namespace::{Far, ip};
use crate::program::Program;
use crate::told::{self, Told, ToldLease};

const CABLES: [(&str, &str); 4] = [("acc1", "cli1"), ("acc2", "cli2"), ("acc3", "cli3"), ("acc4", "cli4")];
/// Customers who speak at a time on each.
const WORKERS_ON_EACH: u16 = 6;
const ALL_RELAYS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2);
const SERVER: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 9, 0, 0, 0, 0, 1);
/// A route of somebody else, with the metric that ours have, in an aggregate; and a network that is connected there.
const STRANGE_ROUTE: &str = "2001:db8:f1ff:ff00::/56 via 2001:db8:9::1 dev up0 proto static metric 512";
const CONNECTED: &str = "2001:db8:f1ff:fe00::1/64";
const BRIEF_POOL: &str = "2001:db8:e000::/47";
const PREFIX: &[&[IaKind]] = &[&[IaKind::Prefix]];
const LASTING: Habits = Habits { kinds: PREFIX, declines: false, customers: 250 };
const BRIEF: Habits = Habits { kinds: PREFIX, declines: false, customers: 100 };

/// How a prefix is reached: the next hop, and the number of the interface.
pub(crate) type Way = (Ipv6Addr, u32);

/// Everybody but the relay and the customers.
pub(crate) struct Site<'a> {
    far: &'a Far,
    folder: TempDir,
    _server: Program,
    pub(crate) watch: Watch,
    /// How many there were when the relay had last recovered; at least one.
    pub(crate) routes_before: u64,
    /// When a relay that was at work was last killed, and when one was that again.
    pub(crate) killed: Instant,
    pub(crate) in_sync: Instant,
    strangers: String,
}

impl<'a> Site<'a> {
    /// With a server at work.
    pub(crate) fn new(far: &'a Far) -> Self {
        lay_cables(far);
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("serve.toml"), server_text(&folder)).unwrap();
        std::fs::write(folder.path().join("relay.toml"), relay_text(&folder)).unwrap();
        let command = command("serve", &folder);
        let mut server = far.run(move || Program::start(command));
        server.wait_until_it_says("(UDP)");
        let watch = Watch::start();
        let now = Instant::now();
        Self {
            far,
            folder,
            _server: server,
            watch,
            routes_before: 1,
            killed: now,
            in_sync: now,
            strangers: strangers(),
        }
    }

    pub(crate) fn start_relay(&self) -> Program {
        Program::start(command("relay", &self.folder))
    }

    /// Where the relay writes delegations down.
    pub(crate) fn notebook(&self) -> PathBuf {
        self.folder.path().join("relay/delegations")
    }

    pub(crate) fn load(&self, chance: &mut Chance) -> Load {
        let mut workers = Vec::new();
        for (cable, (_, interface)) in (0..).zip(CABLES) {
            for number in 1..=WORKERS_ON_EACH {
                let (socket, index) = self.far.run(move || socket(interface, number));
                let line = Line::direct(socket, SocketAddrV6::new(ALL_RELAYS, SERVER_PORT, 0, index));
                let habits = if cable + 1 == CABLES.len() { BRIEF } else { LASTING };
                let number = cable as u16 * WORKERS_ON_EACH + number;
                workers.push(Worker::new(number, line, habits, Chance::from_seed(chance.next_u64())));
            }
        }
        Load::new(workers)
    }

    /// All that the server has delegated through the relay.
    pub(crate) fn ask_all(&self) -> Told {
        told::all(told::connect(SocketAddrV6::new(SERVER, SERVER_PORT, 0, 0)), Question::by_relay(relay_id()))
    }

    /// How a lease is reached by what the server knows of its client.
    pub(crate) fn way(&self, lease: &ToldLease) -> Way {
        let interface = str::from_utf8(&lease.interface_id).expect("a name");
        (lease.peer_address, if_nametoindex(interface).expect("an interface of ours"))
    }

    /// The relay's routes to customers, as the kernel has them.
    pub(crate) fn routes(&self) -> BTreeMap<Prefix, Way> {
        let seen = kernel::dump(&RouteSettings::default()).unwrap().into_iter();
        seen.filter_map(|seen| Some((seen.destination, way_of(&seen)?))).collect()
    }

    /// Takes the relay's routes away, as a reboot does.
    pub(crate) fn flush(&mut self) {
        // What went away until now has to be told apart.
        self.watch.catch_up();
        ip("-6 route flush proto 220");
        self.watch.catch_up();
        self.watch.forget();
    }

    /// Which routes have gone since this was last asked, save by [`Site::flush`].
    pub(crate) fn removals(&mut self) -> Vec<Removal> {
        self.watch.catch_up();
        self.watch.take_removals()
    }

    pub(crate) fn see_strangers(&self) {
        assert_eq!(strangers(), self.strangers, "strangers' routes have changed");
    }
}

/// Whether a prefix is one of those whose leases are short.
pub(crate) fn is_brief(prefix: Prefix) -> bool {
    BRIEF_POOL.parse::<Prefix>().expect("a prefix").covers(prefix)
}

/// The way of a route, if it is ours and leads somewhere.
pub(crate) fn way_of(seen: &relay::Seen) -> Option<Way> {
    match seen.owner {
        Owner::Ours(Target::Via { next_hop, interface_index }) => Some((next_hop, interface_index)),
        _ => None,
    }
}

fn lay_cables(far: &Far) {
    for (number, (near, end)) in (1..).zip(CABLES) {
        far.lay_cable(near, end, "fe80::1/64");
        ip(&format!("addr add 2001:db8:{number}::1/64 dev {near} nodad"));
        far.run(move || {
            for number in 1..=WORKERS_ON_EACH {
                ip(&format!("addr add {}/64 dev {end} nodad", address(number)));
            }
        });
    }
    far.lay_cable("up0", "srv0", "2001:db8:9::1/64");
    ip("addr add 2001:db8:9::2/64 dev up0 nodad");
    ip(&format!("addr add {CONNECTED} dev up0 nodad"));
    ip(&format!("-6 route add {STRANGE_ROUTE}"));
}

/// From which a worker's customers speak: to the relay they are neighbours with this address.
fn address(number: u16) -> Ipv6Addr {
    Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0xc, number)
}

/// A socket of customers, on the far side; and the number of its interface.
fn socket(interface: &str, number: u16) -> (UdpSocket, u32) {
    let index = if_nametoindex(interface).unwrap();
    let socket = UdpSocket::bind(SocketAddrV6::new(address(number), CLIENT_PORT, 0, index)).unwrap();
    socket2::SockRef::from(&socket).set_multicast_if_v6(index).unwrap();
    (socket, index)
}

fn command(part: &str, folder: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_leasehold"));
    command.arg(part).arg("--config").arg(folder.path().join(format!("{part}.toml")));
    command
}

fn relay_id() -> Duid {
    Duid::new(&[0, 3, 0, 1, 2, 0, 0, 0, 0xee, 1]).expect("a DUID")
}

fn relay_text(folder: &TempDir) -> String {
    format!(
        r#"
        state = {state:?}
        [relay]
        relay-id = "{relay_id}"
        [[relay.interface]]
        names = ["acc*"]
        [[relay.server]]
        address = "{SERVER}"
        [relay.routes]
        aggregates = ["2001:db8:f000::/36", "{BRIEF_POOL}"]
        [relay.recovery]
        retry-max-secs = 1
        "#,
        state = folder.path().join("relay"),
        relay_id = relay_id(),
    )
}

fn server_text(folder: &TempDir) -> String {
    format!(
        r#"
        state = {state:?}
        [dhcp]
        rapid-commit = true
        [leasequery]
        allow = [{{ from = "2001:db8:9::2" }}]
        udp.listen = []
        [[link]]
        id = 1
        name = "lasting"
        prefixes = ["2001:db8:1::/64", "2001:db8:2::/64", "2001:db8:3::/64"]
        [[link.delegation-pools]]
        prefix = "2001:db8:f000::/40"
        delegated-length = 56
        [[link]]
        id = 2
        name = "brief"
        prefixes = ["2001:db8:4::/64"]
        preferred-lifetime-secs = 6
        valid-lifetime-secs = 8
        [[link.delegation-pools]]
        prefix = "{BRIEF_POOL}"
        delegated-length = 56
        "#,
        state = folder.path().join("serve"),
    )
}

/// Routes that are not ours.
fn strangers() -> String {
    let of = |protocol| {
        let output = Command::new("ip").args(["-6", "route", "show", "proto", protocol]).output();
        String::from_utf8(output.expect("ip (iproute2) is there").stdout).unwrap()
    };
    of("static") + &of("kernel")
}
