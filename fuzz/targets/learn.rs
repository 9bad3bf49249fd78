//! What passes a relay, one datagram after the other, and what it learns from that: no more is held than may
//! be, each delegation has its route and nothing else has one, and what is written down brings all of it back.
//!
//! Before each datagram stand an octet that says how it comes (see [`Way`]) and two of its length.

#![no_main]

use std::collections::BTreeMap;
use std::net::Ipv6Addr;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use relay::limits::MAX_NOTES;
use relay::{
    Agent, Arrival, Counters, DelegationRef, Passed, Port, PortRules, RouteRules, Setup, Target, Terms,
    image, recovery,
};
use requestor::Lifetime;
use wire::{Duid, IaKind, MessageType, OptionCode, Options, Prefix, Reader, RelayMessage, Writer};
use world::{Chance, Instant, Now};

#[allow(dead_code, reason = "each user takes what it needs")]
#[path = "../../pure/relay/tests/agent/kernel.rs"]
mod kernel;

use kernel::Kernel;

const PER_CLIENT: usize = 3;
const PER_PORT: usize = 5;
const UPSTREAM: u32 = 1;
const SERVER: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 2);
const CLIENT: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 7);
const BOOT: Instant = Instant::since_start(Duration::from_secs(1000));
const BOOT_UNIX_SECS: u64 = 1_767_225_600;

fuzz_target!(|octets: &[u8]| {
    let Some((setting, steps)) = octets.split_first() else { return };
    let mut world = World::new(*setting);
    let mut reader = Reader::new(steps);
    while let Some((way, datagram)) = next_datagram(&mut reader) {
        world.pass(way);
        world.take(way, datagram);
        world.check();
    }
    world.restart();
});

/// How a datagram comes: bits 0 and 1 from where, and the rest how many times a minute after the one before.
#[derive(Clone, Copy)]
struct Way(u8);

/// The last one may be cut short.
fn next_datagram<'a>(reader: &mut Reader<'a>) -> Option<(Way, &'a [u8])> {
    let way = Way(reader.u8().ok()?);
    let length = reader.u16().ok()?;
    let message = reader.take(length.into());
    Some((way, message.unwrap_or_else(|_| reader.rest())))
}

struct World {
    agent: Agent,
    setup: Setup,
    kernel: Kernel,
    elapsed: Duration,
    /// What was written down, by prefix.
    written: BTreeMap<Prefix, Vec<u8>>,
}

impl World {
    /// Bit 0 of the setting says whether addresses have routes, bit 1 whether a DUID is on one port at a time.
    fn new(setting: u8) -> Self {
        let relay_id = Duid::new(&[0, 3, 0, 1, 2, 0, 0, 0, 0xaa, 1]).expect("ten octets are a DUID");
        let setup = Setup {
            terms: Terms { relay_id: Some(relay_id.clone()), ..Terms::default() },
            recovery: recovery::Terms::new(relay_id, vec![true]),
            routes: Some(RouteRules::default()),
            host_routes: setting & 1 != 0,
            unique_clients: setting & 2 != 0,
            remembers: true,
        };
        let mut kernel = Kernel::default();
        kernel.up.extend(ports().iter().map(|port| port.index));
        let mut world = Self {
            agent: Agent::new(setup.clone(), Chance::from_seed(1), BOOT),
            setup,
            kernel,
            elapsed: Duration::ZERO,
            written: BTreeMap::new(),
        };
        world.agent.set_ports(ports(), BOOT);
        world.settle();
        world
    }

    fn now(&self) -> Now {
        Now { instant: BOOT + self.elapsed, unix_secs: BOOT_UNIX_SECS + self.elapsed.as_secs() }
    }

    fn pass(&mut self, way: Way) {
        self.elapsed += Duration::from_secs(60 * u64::from(way.0 >> 2));
        self.settle();
    }

    fn settle(&mut self) {
        let now = self.now().instant;
        self.agent.tick(now);
        self.kernel.serve(&mut self.agent, now);
    }

    fn take(&mut self, way: Way, datagram: &[u8]) {
        let (interface_index, source) = match way.0 & 3 {
            0 => (11, CLIENT),
            1 => (12, CLIENT),
            _ => (UPSTREAM, SERVER),
        };
        // Half of what comes from servers is put into what only they put around it.
        let wrapped = if way.0 & 3 == 3 { relay_reply(datagram) } else { datagram.to_vec() };
        let destination = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2);
        let arrival = Arrival { source, source_port: 546, destination, interface_index, link_layer: None };
        let (now, mut out) = (self.now().instant, Vec::new());
        match self.agent.take(&arrival, &wrapped, now, &Counters::default(), &mut out) {
            Ok(Passed::ToServers) => {
                let forwarded = RelayMessage::decode(&out).expect("what we make is sound");
                assert_eq!(forwarded.relayed(), Ok(Some(wrapped.as_slice())));
            }
            Ok(Passed::ToClient(delivery)) => {
                assert!(interface_index == UPSTREAM && out.is_empty());
                let reply = RelayMessage::decode(&wrapped).expect("nothing else is delivered");
                assert_eq!(reply.relayed(), Ok(Some(delivery.octets)));
            }
            Err(_) => assert!(out.is_empty(), "what goes nowhere leaves nothing behind"),
        }
        self.settle();
    }

    fn check(&mut self) {
        self.is_within_limits();
        let agent = &self.agent;
        let routed = agent.delegations().all(None).filter(|held| may_have_route(held.prefix));
        let routed: Vec<(Prefix, Target)> = routed
            .map(|held| {
                let port = agent.ports().present(held.port).expect("both ports are there");
                (held.prefix, Target::Via { next_hop: held.next_hop, interface_index: port.index })
            })
            .collect();
        assert_eq!(self.kernel.ours(), routed);
        self.write_down();
        assert!(
            self.written.keys().eq(self
                .agent
                .delegations()
                .all(None)
                .map(|held| held.prefix)
                .collect::<Vec<_>>()
                .iter())
        );
        assert!(self.agent.take_notes().len() <= MAX_NOTES);
    }

    fn is_within_limits(&self) {
        let (agent, now) = (&self.agent, self.now().instant);
        let mut of_client: BTreeMap<_, usize> = BTreeMap::new();
        for held in agent.delegations().all(None) {
            assert!(held.kind == IaKind::Prefix || self.setup.host_routes, "{} is of no use", held.prefix);
            assert!(held.valid > Lifetime::Until(now), "{} is over", held.prefix);
            assert!(held.preferred <= held.valid);
            assert!(!held.next_hop.is_multicast() && !held.next_hop.is_unspecified());
            *of_client.entry((held.port, held.kind, held.client)).or_default() += 1;
        }
        assert!(of_client.values().all(|count| *count <= PER_CLIENT), "{of_client:?}");
        for (_, counts) in agent.delegations().counts_by_port() {
            assert!(counts.prefixes <= PER_PORT && counts.addresses <= PER_PORT);
        }
        if self.setup.unique_clients {
            let holders: std::collections::BTreeSet<_> =
                of_client.keys().map(|(port, _, client)| (client, port)).collect();
            let clients: std::collections::BTreeSet<_> = holders.iter().map(|(client, _)| client).collect();
            assert_eq!(holders.len(), clients.len(), "a client on two ports");
        }
    }

    fn write_down(&mut self) {
        for prefix in self.agent.take_unwritten(usize::MAX) {
            match self.agent.delegations().get(prefix) {
                Some(held) => _ = self.written.insert(prefix, self.image(&held)),
                None => _ = self.written.remove(&prefix),
            }
        }
    }

    fn image(&self, held: &DelegationRef<'_>) -> Vec<u8> {
        image::encode(held, self.agent.ports().interface_id(held.port), self.now())
    }

    /// The program ends, and the next one remembers: all that was held is held again, with its routes.
    fn restart(mut self) {
        let (now, routes) = (self.now(), self.kernel.ours());
        let images: Vec<Vec<u8>> = self.agent.delegations().all(None).map(|held| self.image(&held)).collect();
        let before = self.held();
        self.agent = Agent::new(self.setup.clone(), Chance::from_seed(2), now.instant);
        self.agent.set_ports(ports(), now.instant);
        for octets in &images {
            let image = image::decode(octets).expect("it was written by us");
            let port = self.agent.port_of(image.interface_id).expect("one of two");
            self.agent.remember(image.delegation(port, now), now.instant);
        }
        self.settle();
        assert_eq!(self.held(), before);
        assert_eq!(self.kernel.ours(), routes);
        self.is_within_limits();
    }

    /// Whatever is known of what is held, but for how; times to the second, of which a begun one counts.
    fn held(&self) -> Vec<impl PartialEq + std::fmt::Debug + use<>> {
        let now = self.now().instant;
        let held = self.agent.delegations().all(None).map(|held| {
            let left = [held.preferred, held.valid].map(|lifetime| lifetime.left_secs(now));
            let interface_id = self.agent.ports().interface_id(held.port).to_vec();
            (held.prefix, held.kind, held.client.to_duid(), held.iaid, interface_id, held.next_hop, left)
        });
        held.collect()
    }
}

/// 2000::/3 and fc00::/7.
fn may_have_route(prefix: Prefix) -> bool {
    let unicast: [Prefix; 2] = ["2000::/3", "fc00::/7"].map(|text| text.parse().expect("a prefix"));
    unicast.iter().any(|of| of.covers(prefix))
}

fn ports() -> Vec<Port> {
    [(11, "ge-0/0/1", 1), (12, "ge-0/0/2", 2)]
        .map(|(index, interface_id, link)| {
            let link_address = Ipv6Addr::new(0x2001, 0xdb8, link, 0, 0, 0, 0, 1);
            Port {
                index,
                name: format!("eth{index}"),
                interface_id: interface_id.as_bytes().into(),
                link_address,
                addresses: vec![link_address],
                remote_id: None,
                subscriber_id: None,
                rules: PortRules {
                    max_delegations_per_client: PER_CLIENT,
                    max_delegations: PER_PORT,
                    ..PortRules::default()
                },
            }
        })
        .into()
}

/// For the client on the first port.
fn relay_reply(message: &[u8]) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut writer = Writer::new(&mut octets);
    RelayMessage {
        message_type: MessageType::RelayReply,
        hop_count: 0,
        link_address: Ipv6Addr::UNSPECIFIED,
        peer_address: CLIENT,
        options: Options::default(),
    }
    .encode(&mut writer);
    writer.raw_option(OptionCode::INTERFACE_ID, b"ge-0/0/1");
    writer.raw_option(OptionCode::RELAY_MSG, message);
    writer.finish().expect("an input is short");
    octets
}
