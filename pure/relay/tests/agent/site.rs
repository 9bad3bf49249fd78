//! A relay between customers, real servers and a kernel, in one thread; the time is what a scenario says.

use std::net::Ipv6Addr;
use std::time::Duration;

use relay::recovery::{Attempt, Next, Summary};
use relay::{
    Agent, Arrival, Counters, Delivery, Discard, Passed, Port, RouteRules, ServerId, Setup, Target, Terms,
    image, recovery,
};
use server::leasequery::Connection;
use wire::{Duid, IaKind, Iaid, MessageType, OptionCode, Prefix, TransactionId, Writer};
use world::{Chance, Instant, Now};

use super::kernel::Kernel;
use super::upstream::{RELAY_ADDRESS, Server};
use crate::kit::{RELAY_ID, address};

/// The interface that servers are on.
pub(super) const UPSTREAM: u32 = 1;
const START_UNIX_SECS: u64 = 1_800_000_000;
/// The relay has been up for a while when a scenario begins.
const UPTIME_SECS: u64 = 1_000;

/// A relay and its surroundings.
pub(super) struct Site {
    pub(super) agent: Agent,
    pub(super) counters: Counters,
    pub(super) kernel: Kernel,
    pub(super) servers: Vec<Server>,
    pub(super) ports: Vec<Port>,
    pub(super) setup: Setup,
    elapsed: Duration,
    starts: u64,
}

/// A customer's router, on the link of a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Customer {
    pub(super) duid: Duid,
    pub(super) source: Ipv6Addr,
    /// The number of the port's link, which is that in `ge-0/0/LINK`.
    pub(super) link: u16,
}

impl Customer {
    pub(super) fn new(number: u8, link: u16) -> Self {
        Self {
            duid: Duid::new(&[0, 3, 0, 1, 2, 0, 0, 0, 0, number]).expect("ten octets"),
            source: Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, link, number.into()),
            link,
        }
    }

    /// The way to it, while its port has the usual number.
    pub(super) fn way(&self) -> Target {
        Target::Via { next_hop: self.source, interface_index: usual_index(self.link) }
    }
}

/// The number in the kernel of the port on a link, unless a scenario gives it another.
pub(super) fn usual_index(link: u16) -> u32 {
    10 + u32::from(link)
}

/// The port on a link.
pub(super) fn port(link: u16) -> Port {
    crate::kit::port(usual_index(link), &format!("ge-0/0/{link}"), link)
}

/// What the relay goes by; all of these servers are asked.
pub(super) fn setup(servers: usize) -> Setup {
    let relay_id = Duid::new(RELAY_ID).expect("ten octets");
    let territory =
        recovery::Territory { prefixes: vec!["3fff::/20".parse().expect("a prefix")], addresses: None };
    Setup {
        terms: Terms { relay_id: Some(relay_id.clone()), ..Terms::default() },
        recovery: recovery::Terms { territory, ..recovery::Terms::new(relay_id, vec![true; servers]) },
        routes: Some(RouteRules::default()),
        host_routes: false,
        unique_clients: false,
        remembers: true,
    }
}

impl Site {
    /// Two ports, on links 1 and 2, and so many servers.
    pub(super) fn new(servers: u8) -> Self {
        Self::with(servers, |_| ())
    }

    /// The same, and something is decided otherwise.
    pub(super) fn with(servers: u8, change: impl FnOnce(&mut Setup)) -> Self {
        let mut setup = setup(servers.into());
        change(&mut setup);
        let elapsed = Duration::from_secs(UPTIME_SECS);
        let ports = vec![port(1), port(2)];
        let mut kernel = Kernel::default();
        kernel.up.extend(ports.iter().map(|port| port.index));
        let mut site = Self {
            agent: Agent::new(setup.clone(), Chance::from_seed(1), Instant::since_start(elapsed)),
            counters: Counters::default(),
            kernel,
            servers: (0..servers).map(Server::new).collect(),
            ports,
            setup,
            elapsed,
            starts: 1,
        };
        site.set_ports();
        site.settle();
        site
    }

    pub(super) fn now(&self) -> Now {
        Now {
            instant: Instant::since_start(self.elapsed),
            unix_secs: START_UNIX_SECS + self.elapsed.as_secs(),
        }
    }

    /// Time passes for everybody, second by second.
    pub(super) fn pass(&mut self, secs: u64) {
        for _ in 0..secs {
            self.elapsed += Duration::from_secs(1);
            let now = self.now();
            self.servers.iter_mut().for_each(|server| server.expire(now));
            self.settle();
        }
    }

    /// The agent does what is due, and the kernel what it is told.
    pub(super) fn settle(&mut self) {
        let now = self.now().instant;
        self.agent.tick(now);
        self.kernel.serve(&mut self.agent, now);
    }

    /// The agent is told which ports there are.
    pub(super) fn set_ports(&mut self) {
        self.agent.set_ports(self.ports.clone(), self.now().instant);
    }

    /// The program ends, and another one starts that has forgotten everything; the kernel keeps its routes.
    pub(super) fn restart(&mut self) {
        self.restart_with(&[]);
    }

    /// The same, and it finds what was written down before.
    pub(super) fn restart_with(&mut self, images: &[Vec<u8>]) {
        self.starts += 1;
        let now = self.now();
        self.agent = Agent::new(self.setup.clone(), Chance::from_seed(self.starts), now.instant);
        for octets in images {
            let image = image::decode(octets).expect("it was written by us");
            let port = self.agent.port_of(image.interface_id).expect("there is room");
            self.agent.remember(image.delegation(port, now), now.instant);
        }
        self.set_ports();
        self.settle();
    }

    /// The agent goes on with what is decided now.
    pub(super) fn reload(&mut self, has_other_servers: bool) {
        self.starts += 1;
        let (chance, now) = (Chance::from_seed(self.starts), self.now().instant);
        self.agent.configure(self.setup.clone(), has_other_servers, chance, now);
        self.settle();
    }

    /// All that is held, as it would be written down.
    pub(super) fn images(&self) -> Vec<Vec<u8>> {
        let (agent, now) = (&self.agent, self.now());
        let word =
            |held: relay::DelegationRef<'_>| image::encode(&held, agent.ports().interface_id(held.port), now);
        agent.delegations().all(None).map(word).collect()
    }

    /// What the relay holds: the prefix, and whose it is.
    pub(super) fn held(&self) -> Vec<(Prefix, Duid)> {
        let held = self.agent.delegations().all(None);
        held.map(|held| (held.prefix, held.client.to_duid())).collect()
    }
}

/// Datagrams.
impl Site {
    /// A datagram on the port of a link: what goes to the servers.
    pub(super) fn arrives(&mut self, link: u16, source: Ipv6Addr, octets: &[u8]) -> Result<Vec<u8>, Discard> {
        let interface_index = self.index_of(link);
        self.arrives_by(interface_index, source, octets)
    }

    pub(super) fn arrives_by(
        &mut self,
        interface_index: u32,
        source: Ipv6Addr,
        octets: &[u8],
    ) -> Result<Vec<u8>, Discard> {
        let destination = address("ff02::1:2");
        let arrival = Arrival { source, source_port: 546, destination, interface_index, link_layer: None };
        let (now, mut out) = (self.now().instant, Vec::new());
        match self.agent.take(&arrival, octets, now, &self.counters, &mut out)? {
            Passed::ToServers => Ok(out),
            Passed::ToClient(delivery) => panic!("delivered from a port: {delivery:?}"),
        }
    }

    /// The number of the port on a link.
    pub(super) fn index_of(&self, link: u16) -> u32 {
        let interface_id = format!("ge-0/0/{link}").into_bytes();
        let port = self.ports.iter().find(|port| *port.interface_id == interface_id);
        port.map_or_else(|| usual_index(link), |port| port.index)
    }

    /// A datagram from where servers are.
    pub(super) fn arrives_upstream<'a>(
        &mut self,
        source: Ipv6Addr,
        octets: &'a [u8],
    ) -> Result<Delivery<'a>, Discard> {
        let destination = RELAY_ADDRESS;
        let arrival =
            Arrival { source, source_port: 547, destination, interface_index: UPSTREAM, link_layer: None };
        let now = self.now().instant;
        match self.agent.take(&arrival, octets, now, &self.counters, &mut Vec::new())? {
            Passed::ToServers => panic!("forwarded from upstream"),
            Passed::ToClient(delivery) => Ok(delivery),
        }
    }

    /// A customer says this; gives the messages that reach it, and has the kernel follow.
    pub(super) fn says(&mut self, customer: &Customer, octets: &[u8]) -> Vec<Vec<u8>> {
        let answers = self.forwarded(customer, octets);
        let delivered = answers.iter().map(|(source, answer)| {
            let delivery = self.arrives_upstream(*source, answer).expect("it is delivered");
            assert_eq!(delivery.to, customer.source);
            delivery.octets.to_vec()
        });
        let delivered = delivered.collect();
        self.settle();
        delivered
    }

    /// A customer says this: what the servers that are up answer, which is still on its way.
    pub(super) fn forwarded(&mut self, customer: &Customer, octets: &[u8]) -> Vec<(Ipv6Addr, Vec<u8>)> {
        let to_servers = self.arrives(customer.link, customer.source, octets).expect("it is forwarded");
        let now = self.now();
        let up = self.servers.iter_mut().filter(|server| server.is_up);
        up.filter_map(|server| Some((server.address, server.answer(&to_servers, now)?))).collect()
    }

    /// A message of a customer to one of the servers, with an IA_PD that names these prefixes.
    pub(super) fn message(
        &self,
        message_type: MessageType,
        customer: &Customer,
        server: usize,
        associations: &[(u32, &[Prefix])],
    ) -> Vec<u8> {
        let (mut octets, server_id) = (Vec::new(), &self.servers[server].duid);
        let mut writer = Writer::new(&mut octets);
        wire::ClientMessage::write(&mut writer, message_type, TransactionId::from_number(7), |w| {
            w.raw_option(OptionCode::CLIENTID, customer.duid.octets());
            if !matches!(message_type, MessageType::Solicit | MessageType::Rebind) {
                w.raw_option(OptionCode::SERVERID, server_id.octets());
            }
            w.option(OptionCode::ELAPSED_TIME, |w| w.u16(0));
            for (iaid, prefixes) in associations {
                w.ia(IaKind::Prefix, Iaid(*iaid), 0, 0, |w| {
                    prefixes.iter().for_each(|prefix| w.ia_prefix(*prefix, 0, 0, |_| {}));
                });
            }
        });
        writer.finish().expect("a short message");
        octets
    }

    /// A server delegates a prefix to a customer, and the customer is told.
    pub(super) fn delegated(&mut self, customer: &Customer, server: usize) -> Prefix {
        let before = self.held();
        let request = self.message(MessageType::Request, customer, server, &[(1, &[])]);
        let answers = self.says(customer, &request);
        assert_eq!(answers.len(), 1, "only the server that is meant answers");
        let new: Vec<Prefix> =
            self.held().into_iter().filter(|held| !before.contains(held)).map(|(prefix, _)| prefix).collect();
        assert_eq!(new.len(), 1, "one prefix is delegated");
        new[0]
    }

    /// A customer renews what it has from a server.
    pub(super) fn renews(&mut self, customer: &Customer, server: usize, prefix: Prefix) {
        let renew = self.message(MessageType::Renew, customer, server, &[(1, &[prefix])]);
        self.says(customer, &renew);
    }

    /// A customer gives a prefix back, and the relay hears it if it is there.
    pub(super) fn releases(&mut self, customer: &Customer, server: usize, prefix: Prefix) {
        let release = self.message(MessageType::Release, customer, server, &[(1, &[prefix])]);
        self.says(customer, &release);
    }

    /// The same while the relay is down: only the server hears it, by way of another relay.
    pub(super) fn releases_unheard(&mut self, customer: &Customer, server: usize, iaid: u32, prefix: Prefix) {
        let release = self.message(MessageType::Release, customer, server, &[(iaid, &[prefix])]);
        let mut other = Self::new(0);
        let to_server = other.arrives(customer.link, customer.source, &release).expect("it is forwarded");
        let now = self.now();
        self.servers[server].answer(&to_server, now).expect("a Reply");
    }
}

/// A connection with a server, on which some octets are still on their way.
pub(super) struct Talk {
    server: usize,
    attempt: Attempt,
    connection: Connection,
    coming: Vec<u8>,
}

/// Recovery.
impl Site {
    /// Begins to ask a server, if it is to be asked now. One that is down is found out at once.
    pub(super) fn ask(&mut self, server: usize) -> Option<Talk> {
        let now = self.now();
        let Next::Ask(attempt) = self.agent.begin(id(server), now.instant) else { return None };
        let mut attempt = *attempt;
        if !self.servers[server].is_up {
            attempt.unreachable("connection refused".into());
            self.agent.finished(attempt, now.instant);
            return None;
        }
        attempt.connected(now.instant);
        let connection = Connection::new(RELAY_ADDRESS, now);
        Some(Talk { server, attempt, connection, coming: Vec::new() })
    }

    /// The server answers what it was asked; it is on its way.
    pub(super) fn answers(&mut self, talk: &mut Talk) {
        let now = self.now();
        let asked = talk.attempt.output().to_vec();
        talk.attempt.wrote(asked.len(), now.instant);
        let told = self.servers[talk.server].tell(&mut talk.connection, &asked, now);
        talk.coming.extend(told);
    }

    /// So many octets of it arrive.
    pub(super) fn hears(&mut self, talk: &mut Talk, most: usize) {
        let rest = talk.coming.split_off(most.min(talk.coming.len()));
        let octets = std::mem::replace(&mut talk.coming, rest);
        let now = self.now().instant;
        let agent = &mut self.agent;
        talk.attempt.receive(&octets, now, &mut |client| agent.hear(id(talk.server), client, now));
        self.settle();
    }

    /// Goes on to the end of the attempt.
    pub(super) fn finish(&mut self, mut talk: Talk) -> Summary {
        while !talk.attempt.is_over() {
            self.answers(&mut talk);
            assert!(!talk.coming.is_empty(), "there is nothing more to come, and it is not over");
            self.hears(&mut talk, usize::MAX);
        }
        let summary = self.agent.finished(talk.attempt, self.now().instant);
        self.settle();
        summary
    }

    /// The server closes the connection.
    pub(super) fn breaks_off(&mut self, mut talk: Talk) {
        talk.attempt.peer_closed();
        assert!(talk.attempt.is_over());
        self.agent.finished(talk.attempt, self.now().instant);
    }

    /// Asks every server that is to be asked now, for as long as there is any.
    pub(super) fn recover(&mut self) {
        for _ in 0..10 {
            let mut has_asked = false;
            for server in 0..self.servers.len() {
                if let Some(talk) = self.ask(server) {
                    has_asked = true;
                    self.finish(talk);
                }
            }
            if !has_asked {
                return;
            }
        }
        panic!("servers are asked again and again");
    }

    /// Asks every server once more, from the beginning.
    pub(super) fn refresh(&mut self) {
        self.agent.refresh(self.now().instant);
        self.recover();
    }
}

fn id(server: usize) -> ServerId {
    ServerId(u16::try_from(server).expect("few servers"))
}
