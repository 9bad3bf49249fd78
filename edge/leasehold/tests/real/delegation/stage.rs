//! All that takes part in a scenario, and what can be seen of it.

use std::net::Ipv6Addr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use super::kernel::{self, Routes, Way};
use super::ours::Ours;
use super::servers::{Kind, Server};
use super::site::{Site, access};
use crate::bell::Bell;
use crate::capture::Capture;
use crate::client::{Client, Program};
use crate::host::Host;
use crate::scenario::{Report, judge_all};

/// For a client to get through its first exchange, with the pauses that standards prescribe.
const PATIENCE: Duration = Duration::from_secs(40);
/// In which everything has to be back.
pub(crate) const SOON: Duration = Duration::from_secs(5);

/// Everybody; nobody but the servers is at work in the beginning.
pub(crate) struct Stage {
    pub(crate) site: Site,
    pub(crate) ours: Ours,
    pub(crate) servers: Vec<Server>,
    clients: Vec<Option<Box<dyn Client>>>,
    pub(crate) bell: Bell,
    captures: Vec<Capture>,
    strangers: String,
    packets: usize,
}

/// Plays a scenario with so many clients and these servers; `settings` go behind `[relay]`. If it goes wrong, what everybody
/// had to say.
pub(crate) fn play(
    clients: usize,
    servers: &[Kind],
    settings: &str,
    act: impl FnOnce(&mut Stage),
) -> Result<Report, String> {
    let begun = Instant::now();
    let mut stage = Stage::new(clients, servers, settings);
    let played = catch_unwind(AssertUnwindSafe(|| act(&mut stage)));
    match played.and_then(|()| catch_unwind(AssertUnwindSafe(|| stage.finish()))) {
        Ok(packets) => Ok(Report { packets, took: begun.elapsed() }),
        Err(_) => Err(stage.account()),
    }
}

impl Stage {
    fn new(clients: usize, servers: &[Kind], settings: &str) -> Self {
        let bell = Bell::default();
        let site = Site::new(clients, servers.len());
        site.lead_far_to_relay();
        let ours = Ours::new(&site, settings, &bell);
        let number = servers.iter().zip(0..);
        let mut servers: Vec<Server> =
            number.map(|(kind, number)| Server::new(*kind, &site, number, &bell)).collect();
        servers.iter_mut().for_each(|server| server.start(&site));
        let strangers = site.strangers();
        let clients = (0..clients).map(|_| None).collect();
        let mut stage =
            Self { site, ours, servers, clients, bell, captures: Vec::new(), strangers, packets: 0 };
        stage.capture();
        stage
    }

    /// Begins to look at every packet that the relay sends or receives.
    fn capture(&mut self) {
        let site = &self.site;
        let start = |interface: &String| Capture::start(&site.relay, interface, &self.bell);
        self.captures = site.interfaces().iter().filter(|name| *name != "far0").map(start).collect();
    }

    /// Has tshark read what was captured.
    fn judge(&mut self) {
        for mut capture in self.captures.drain(..) {
            capture.stop();
            self.packets += judge_all(&capture);
        }
    }

    /// Ends the relay and puts another machine in its place. Whoever runs on the old one ends, too.
    pub(crate) fn replace_relay(&mut self) {
        self.judge();
        self.site.replace_relay();
        self.capture();
    }

    /// Starts a client, and waits until it has a prefix that leads to it: which it is.
    pub(crate) fn bind(&mut self, number: usize, program: &Program) -> String {
        let (client, prefix) = settle(&self.site.clients[number], program, &self.bell);
        self.clients[number] = Some(client);
        self.wait_for_route(&prefix, number);
        prefix
    }

    /// Has a client vanish without a word.
    pub(crate) fn silence(&mut self, number: usize) {
        self.clients[number] = None;
    }

    /// Has a client give back what it has.
    pub(crate) fn release(&mut self, number: usize) {
        let client = self.clients[number].as_mut().expect("it has entered");
        client.release(&self.site.clients[number], &self.bell);
    }

    /// Waits until a prefix leads to a client.
    pub(crate) fn wait_for_route(&self, prefix: &str, client: usize) {
        self.wait_for_way(prefix, &self.way(client));
    }

    /// Waits until a prefix leads this way.
    pub(crate) fn wait_for_way(&self, prefix: &str, way: &Way) {
        self.bell.wait(PATIENCE, &format!("a route to {prefix}"), || {
            (self.routes().get(prefix) == Some(way)).then_some(())
        });
    }

    /// Waits until a prefix leads nowhere any more.
    pub(crate) fn wait_for_no_route(&self, prefix: &str) {
        self.bell.wait(PATIENCE, &format!("no route to {prefix}"), || {
            (!self.routes().contains_key(prefix)).then_some(())
        });
    }

    /// Waits until the kernel has these routes and no others of ours, which has to be soon after `begun`.
    pub(crate) fn wait_for_routes(&self, begun: Instant, routes: &Routes) {
        self.bell.wait(SOON, "all routes to be back", || (self.routes() == *routes).then_some(()));
        assert!(begun.elapsed() < SOON, "it took {:?}", begun.elapsed());
    }

    /// The relay's routes to clients.
    pub(crate) fn routes(&self) -> Routes {
        kernel::routes(&self.site.relay)
    }

    /// How a client is reached.
    pub(crate) fn way(&self, client: usize) -> Way {
        Way { next_hop: Some(self.site.client_address(client)), interface: Some(access(client)) }
    }

    /// Waits until packets from far away reach an address in a prefix.
    pub(crate) fn wait_for_answer(&self, prefix: &str) {
        let address = within(prefix);
        self.bell.wait(PATIENCE, &format!("an answer from {address}"), || {
            kernel::answers(&self.site.far, address).then_some(())
        });
    }

    /// Sees that they do not reach it.
    pub(crate) fn expect_silence(&self, prefix: &str) {
        assert!(!kernel::answers(&self.site.far, within(prefix)), "{prefix} is reached");
    }

    /// Kills the relay, and takes its routes away.
    pub(crate) fn strike(&mut self) {
        self.ours.kill();
        kernel::flush(&self.site.relay);
        assert_eq!(self.routes(), Routes::new());
    }

    /// Starts the relay; the time is from just before.
    pub(crate) fn start_relay(&mut self) -> Instant {
        let begun = Instant::now();
        self.ours.start(&self.site);
        begun
    }

    /// Has everything read that was said; how many packets there were. Strangers are as they were.
    fn finish(&mut self) -> usize {
        assert_eq!(self.site.strangers(), self.strangers, "strangers have changed");
        self.clients.clear();
        self.judge();
        self.packets
    }

    /// What everybody has said.
    fn account(&self) -> String {
        let mut account = format!("\n-- leasehold relay\n{}", self.ours.said());
        for client in self.clients.iter().flatten() {
            account += &format!("\n-- {}\n{}", client.process().name(), client.process().said());
        }
        for (number, server) in self.servers.iter().enumerate() {
            account += &format!("\n-- server {}\n{}", number + 1, server.said());
        }
        account + &format!("\n-- routes\n{}", self.site.relay.ip("-6 route show table all"))
    }
}

/// Starts a client, and waits until it has a prefix; somebody there answers at the first address in it.
pub(crate) fn settle(host: &Host, program: &Program, bell: &Bell) -> (Box<dyn Client>, String) {
    let client = (program.start)(host, bell);
    let prefix = || client.prefixes(host).into_iter().next();
    let prefix = bell.wait(PATIENCE, "the client to have a prefix", prefix);
    host.ip(&format!("-6 address add {}/128 dev lo", within(&prefix)));
    (client, prefix)
}

/// The first address in a prefix.
pub(crate) fn within(prefix: &str) -> Ipv6Addr {
    let (network, _) = prefix.split_once('/').expect("a prefix has a length");
    let network: Ipv6Addr = network.parse().expect("a prefix begins with an address");
    Ipv6Addr::from_bits(network.to_bits() + 1)
}
