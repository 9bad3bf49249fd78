//! The server, killed under load: while it starts, while it commits, while it answers a bulk leasequery, and while it
//! tells clients to renew.
//!
//! Some customers are on a link whose leases are short and whose pools are small: there leases expire, and what one had
//! another one gets.

use std::cell::Cell;
use std::net::{Ipv6Addr, SocketAddrV6, TcpListener, UdpSocket};
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

use leasehold::control::{self, Announcement, Filter, Request, Telling, Told};
use requestor::Question;
use tempfile::TempDir;
use wire::{Duid, IaKind};
use world::Chance;

use crate::PATIENCE;
use crate::judge::judge;
use crate::line::{Line, MadeUpRelay};
use crate::load::{Answers, Habits, Load, Worker};
use crate::program::Program;
use crate::report::Run;
use crate::told;

/// So many answers are on their way when the server dies.
const WORKERS: u16 = 48;
/// Of these, so many are on the link where leases are short.
const BRIEF_WORKERS: u16 = 12;
/// Replies between two kills, at the most.
const MOST_REPLIES: u64 = 1500;
/// A kill comes so long after the last Reply that was waited for, at the most: a commit takes less.
const LATEST: Duration = Duration::from_millis(8);

/// Below those that the kernel gives away.
const FIRST_PORT: u16 = 20_000;
const PORTS: u16 = 5000;

const ANY: &[&[IaKind]] = &[&[IaKind::Address, IaKind::Prefix], &[IaKind::Address], &[IaKind::Prefix]];
const LASTING: Habits = Habits { kinds: ANY, declines: true, customers: 600 };
const BRIEF: Habits = Habits { kinds: ANY, declines: false, customers: 100 };
const LINKS: [&str; 2] = ["2001:db8:1::1", "2001:db8:2::1"];

/// In the middle of what the server is killed.
#[derive(Debug, Clone, Copy)]
enum Moment {
    Starting,
    Serving,
    Telling,
    Reconfiguring,
}

/// Runs it.
pub(crate) fn kill_often() {
    let mut run = Run::of("server");
    let mut chance = Chance::from_seed(run.seed);
    let site = Site::new();
    let mut load = site.load(&mut chance);
    let (mut server, mut restart) = site.start();
    while !run.is_over() {
        let moment = match chance.below(8) {
            0 => Moment::Telling,
            1 => Moment::Reconfiguring,
            _ => Moment::Serving,
        };
        load.during(|answers| site.kill_at(moment, server, answers, &mut chance));
        run.note_kill(moment);
        while chance.below(4) == 0 && !run.is_over() {
            let starting = Program::start(site.command());
            load.during(|_| kill_after(starting, restart, &mut chance));
            run.note_kill(Moment::Starting);
        }
        (server, restart) = site.start();
        let judged = judge(load.customers(), &site.ask_all(&mut chance));
        run.note_restart(restart, judged, 0, load.acknowledged());
    }
    run.conclude(load.acknowledged(), load.customers().count());
}

/// Kills it at any time up to then.
fn kill_after(program: Program, latest: Duration, chance: &mut Chance) {
    // Nothing is waited for: this is the moment itself.
    thread::sleep(Duration::from_micros(chance.below(latest.as_micros() as u64)));
    program.kill();
}

/// A server's state folder, configuration and addresses.
struct Site {
    folder: TempDir,
    address: SocketAddrV6,
    /// Where Reconfigures go, and nobody reads them.
    deaf: UdpSocket,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let deaf = UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).unwrap();
        let site = Self { folder, address: free_address(), deaf };
        std::fs::write(site.config(), site.text()).unwrap();
        site
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("leasehold.toml")
    }

    fn text(&self) -> String {
        format!(
            r#"
            state = {state:?}
            [dhcp]
            listen = ["{address}"]
            relay-port = {relay_port}
            rapid-commit = true
            reconfigure = true
            [leasequery]
            allow = [{{ from = "::1" }}]
            udp.listen = []
            bulk.listen = ["{address}"]
            [[link]]
            id = 1
            name = "lasting"
            prefixes = ["2001:db8:1::/64"]
            address-pools = ["2001:db8:1:0:1::/80"]
            [[link.delegation-pools]]
            prefix = "2001:db8:f000::/36"
            delegated-length = 56
            [[link]]
            id = 2
            name = "brief"
            prefixes = ["2001:db8:2::/64"]
            preferred-lifetime-secs = 6
            valid-lifetime-secs = 8
            address-pools = ["2001:db8:2::1000 - 2001:db8:2::13ff"]
            [[link.delegation-pools]]
            prefix = "2001:db8:e000::/47"
            delegated-length = 56
            "#,
            state = self.folder.path().join("state"),
            address = self.address,
            relay_port = self.deaf.local_addr().unwrap().port(),
        )
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_leasehold"));
        command.arg("serve").arg("--config").arg(self.config());
        command
    }

    /// Starts it and waits until it is at work; how long that took.
    fn start(&self) -> (Program, Duration) {
        let mut program = Program::start(self.command());
        let restart = program.wait_until_it_says("(UDP)");
        (program, restart)
    }

    fn load(&self, chance: &mut Chance) -> Load {
        let worker = |number: u16| {
            let is_brief = number < BRIEF_WORKERS;
            let relay = MadeUpRelay {
                relay_id: relay_id(),
                link_address: LINKS[usize::from(is_brief)].parse().unwrap(),
                peer_address: Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, number + 1),
            };
            let habits = if is_brief { BRIEF } else { LASTING };
            Worker::new(
                number,
                Line::relayed(self.address, relay),
                habits,
                Chance::from_seed(chance.next_u64()),
            )
        };
        Load::new((0..WORKERS).map(worker).collect())
    }

    /// Everything that the server knows, by one index or another.
    fn ask_all(&self, chance: &mut Chance) -> told::Told {
        if chance.below(2) == 0 {
            return told::all(told::connect(self.address), Question::by_relay(relay_id()));
        }
        let of_link = |link: &str| {
            let question = Question::by_link(link.parse().unwrap()).expect("a link");
            told::all(told::connect(self.address), question)
        };
        LINKS.into_iter().flat_map(of_link).collect()
    }

    /// Kills the server at this moment, while it bears the load.
    fn kill_at(&self, moment: Moment, server: Program, answers: &Answers, chance: &mut Chance) {
        answers.wait_for(1 + chance.below(MOST_REPLIES), PATIENCE);
        match moment {
            Moment::Starting | Moment::Serving => kill_after(server, LATEST, chance),
            Moment::Telling => self.kill_while_telling(server, chance),
            Moment::Reconfiguring => self.kill_while_reconfiguring(server, chance),
        }
    }

    /// Kills it when it has told of so many clients, or of all of them.
    fn kill_while_telling(&self, server: Program, chance: &mut Chance) {
        let (mut left, server) = (chance.below(5000), Cell::new(Some(server)));
        told::ask(told::connect(self.address), &Question::by_relay(relay_id()), |_| {
            if left == 0 {
                server.take().into_iter().for_each(Program::kill);
            }
            left = left.saturating_sub(1);
        });
        server.take().into_iter().for_each(Program::kill);
    }

    /// Kills it when it has said of so many clients that they are told to renew, or of all of them.
    fn kill_while_reconfiguring(&self, server: Program, chance: &mut Chance) {
        let telling =
            Telling { filter: Filter::default(), message: Announcement::Renew, dry_run: false, wait: false };
        let socket = self.folder.path().join("state/control");
        let told = control::ask::<Told>(&socket, &Request::Reconfigure(telling)).expect("it listens");
        told.take(chance.below(2000) as usize).for_each(drop);
        server.kill();
    }
}

/// What customers' relay is called.
fn relay_id() -> Duid {
    Duid::new(&[0, 3, 0, 1, 2, 0, 0, 0, 0xee, 1]).expect("a DUID")
}

/// Whose port is free for datagrams and for connections, and not one that somebody else is given while the server is dead.
fn free_address() -> SocketAddrV6 {
    let first = FIRST_PORT + (std::process::id() % u32::from(PORTS)) as u16;
    let is_free = |port: &u16| {
        let at = (Ipv6Addr::LOCALHOST, *port);
        UdpSocket::bind(at).is_ok() && TcpListener::bind(at).is_ok()
    };
    let port = (first..first + PORTS).find(is_free).expect("a port is free");
    SocketAddrV6::new(Ipv6Addr::LOCALHOST, port, 0, 0)
}
