use std::net::Ipv6Addr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use relay::recovery::Next;
use relay::{Arrival, Change, Moment, Port, PortRules, RouteRules, Setup, Teller, Terms};
use requestor::Lifetime;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tempfile::TempDir;
use wire::{
    ClientMessage, IaKind, Iaid, MessageType, OptionCode, Prefix, RelayMessage, TransactionId, Writer,
};
use world::Chance;

use super::*;
use crate::control::door::{self, ControlSocket};
use crate::control::{
    self, Clearing, Delegation, DelegationFilter, Failure, Filter, RelayState, RelayStatus, Route,
    RouteFilter, RouteKind, RouteState, Server as ShownServer, ServerState, Telling, ToldBy, Unplaced,
};
use crate::stopping::Stopper;

const NORTH: ServerId = ServerId(0);
/// Of `eth1`, which is there; `eth2` has 12 when it is.
const ETH1: u32 = 11;

/// A relay without sockets, whose clock stands still.
struct Still {
    agent: Mutex<Agent>,
    counters: Counters,
    woken: AtomicU32,
}

impl Relay for Still {
    fn with<T>(&self, work: impl FnOnce(&mut Agent) -> T) -> T {
        work(&mut self.agent.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn now(&self) -> Instant {
        now()
    }

    fn counters(&self) -> &Counters {
        &self.counters
    }

    fn profile(&self) -> Profile {
        let named = |name: &str, address: &str| Server {
            name: Some(name.to_owned()),
            ..Server::at(address.parse().unwrap())
        };
        Profile {
            relay_id: duid(0xff),
            servers: vec![
                named("north", "[2001:db8::1]:547"),
                named("south", "[2001:db8::2]:547"),
                Server::at("[ff02::1:2]:547".parse().unwrap()),
            ],
            routes: RouteSettings::default(),
        }
    }

    fn traffic(&self, server: ServerId) -> Traffic {
        Traffic { forwarded: 7, replies: u64::from(server == NORTH) }
    }

    fn strangers(&self) -> io::Result<Vec<Stranger>> {
        let gateway = "fe80::7".parse().ok();
        let destination = prefix("2001:db8:102::/48");
        Ok(vec![Stranger { destination, protocol: 4, gateway, interface_index: 0 }])
    }

    fn ask_servers(&self) {
        self.woken.fetch_add(1, Relaxed);
    }
}

fn now() -> Instant {
    Instant::since_start(Duration::from_secs(1_000))
}

fn duid(number: u8) -> Duid {
    Duid::new(&[0, 3, 0, 1, 2, 0, 0, 0, 0, number]).unwrap()
}

fn prefix(text: &str) -> Prefix {
    text.parse().unwrap()
}

fn port(name: &str, index: u32) -> Port {
    let link_address: Ipv6Addr = format!("2001:db8:{index}::1").parse().unwrap();
    Port {
        index,
        name: name.to_owned(),
        interface_id: format!("port-{name}").as_bytes().into(),
        link_address,
        addresses: vec![link_address],
        remote_id: None,
        subscriber_id: None,
        rules: PortRules::default(),
    }
}

/// What a server gives to a client behind `eth1`.
fn reply(client: u8, iaid: u32, prefix: Prefix, valid_secs: u32) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut writer = Writer::new(&mut octets);
    let outside = RelayMessage {
        message_type: MessageType::RelayReply,
        hop_count: 0,
        link_address: Ipv6Addr::UNSPECIFIED,
        peer_address: "fe80::aa".parse().unwrap(),
        options: wire::Options::default(),
    };
    outside.encode_header(&mut writer);
    writer.raw_option(OptionCode::INTERFACE_ID, b"port-eth1");
    writer.option(OptionCode::RELAY_MSG, |w| {
        ClientMessage::write(w, MessageType::Reply, TransactionId::from_number(7), |w| {
            w.raw_option(OptionCode::CLIENTID, duid(client).octets());
            w.raw_option(OptionCode::SERVERID, duid(0xee).octets());
            w.ia(IaKind::Prefix, Iaid(iaid), 0, 0, |w| {
                w.ia_prefix(prefix, valid_secs / 2, valid_secs, |_| {})
            });
        });
    });
    writer.finish().unwrap();
    octets
}

/// The desk of a relay, on a socket.
struct Site {
    relay: Arc<Still>,
    folder: TempDir,
    stopper: Stopper,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Site {
    fn open() -> Self {
        let recovery = relay::recovery::Terms::new(duid(0xff), vec![true, true, false]);
        let routes = RouteRules {
            aggregates: vec![prefix("2001:db8:100::/40")],
            closes_aggregates: true,
            look_every: Some(Duration::from_secs(300)),
        };
        let terms = Terms { relay_id: Some(duid(0xff)), ..Terms::default() };
        let setup = Setup {
            terms,
            recovery,
            routes: Some(routes),
            host_routes: false,
            unique_clients: false,
            remembers: false,
        };
        let mut agent = Agent::new(setup, Chance::from_seed(7), Instant::default());
        agent.set_ports(vec![port("eth1", ETH1), port("eth2", 12)], Instant::default());
        let relay =
            Still { agent: Mutex::new(agent), counters: Counters::default(), woken: AtomicU32::new(0) };
        Self::of(Arc::new(relay))
    }

    fn of(relay: Arc<Still>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = ControlSocket::bind(&folder.path().join("control")).unwrap();
        let (stopper, desk) = (Stopper::default(), RelayDesk { relay: Arc::clone(&relay) });
        let stopping = stopper.stopping();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(door::listen(desk, socket, stopping));
        });
        Self { relay, folder, stopper, thread: Some(thread) }
    }

    /// With a prefix by a Reply, another of the same client by a server, one behind a port that is gone,
    /// one outside of the aggregates, and an address.
    fn with_delegations() -> Self {
        let site = Self::open();
        site.deliver(&reply(1, 7, prefix("2001:db8:101::/48"), 7_200));
        site.remember(1, "2001:db8:102::/48", b"port-eth1", Teller::Server(NORTH));
        site.remember(2, "2001:db8:103::/48", b"port-eth2", Teller::Memory);
        site.remember(3, "2001:db8:200::/40", b"port-eth1", Teller::Memory);
        site.remember(4, "2001:db8:b::4/128", b"port-eth1", Teller::Memory);
        site.with(|agent| agent.set_ports(vec![port("eth1", ETH1)], now()));
        site
    }

    fn with<T>(&self, work: impl FnOnce(&mut Agent) -> T) -> T {
        self.relay.with(work)
    }

    fn deliver(&self, octets: &[u8]) {
        let arrival = Arrival {
            source: "2001:db8::1".parse().unwrap(),
            source_port: 547,
            destination: "2001:db8:11::1".parse().unwrap(),
            interface_index: 3,
            link_layer: None,
        };
        let passed = self.with(|agent| {
            let mut out = Vec::new();
            agent.take(&arrival, octets, now(), &self.relay.counters, &mut out).map(|_| ())
        });
        passed.unwrap();
    }

    fn remember(&self, client: u8, leased: &str, interface_id: &[u8], told_by: Teller) {
        let leased = prefix(leased);
        self.with(|agent| {
            let delegation = relay::Delegation {
                prefix: leased,
                kind: if leased.length() == 128 { IaKind::Address } else { IaKind::Prefix },
                client: duid(client),
                iaid: None,
                port: agent.port_of(interface_id).unwrap(),
                next_hop: "fe80::bb".parse().unwrap(),
                preferred: Lifetime::from_secs(0, now()),
                valid: Lifetime::Forever,
                heard: Moment::before(now(), Duration::from_secs(90)),
                told_by,
            };
            agent.remember(delegation, now());
        });
    }

    /// The kernel does what it is to do: it takes everything.
    fn install(&self) {
        self.with(|agent| {
            agent.routes_mut().begin_dump();
            agent.routes_mut().end_dump(now());
            for change in agent.routes_mut().next(100) {
                agent.routes_mut().done(&change, Ok(()), now());
            }
        });
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("control")
    }

    fn ask<T: DeserializeOwned>(&self, request: &Request) -> Result<Vec<T>, Failure> {
        ask(&self.socket(), request)
    }

    fn delegations(&self, filter: DelegationFilter) -> Vec<Delegation> {
        self.ask(&Request::Delegations(filter)).unwrap()
    }

    fn status(&self) -> RelayStatus {
        self.ask(&Request::Relay).unwrap().remove(0)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.stopper.stop();
        let _ = self.thread.take().map(std::thread::JoinHandle::join);
    }
}

fn ask<T: DeserializeOwned>(socket: &Path, request: &Request) -> Result<Vec<T>, Failure> {
    let mut answers = control::ask(socket, request)?;
    let items = answers.by_ref().collect();
    answers.end().map(|()| items)
}

fn texts(delegations: &[Delegation]) -> Vec<&str> {
    delegations.iter().map(|delegation| delegation.leased.text()).collect()
}

fn filter() -> DelegationFilter {
    DelegationFilter::default()
}

// PDR-27, PDR-28
#[test]
fn every_delegation_is_listed_with_what_is_known_of_it() {
    let site = Site::with_delegations();
    site.install();
    let shown = site.delegations(filter());
    let expected =
        ["2001:db8:b::4", "2001:db8:101::/48", "2001:db8:102::/48", "2001:db8:103::/48", "2001:db8:200::/40"];
    assert_eq!(texts(&shown), expected);
    let [address, by_reply, by_server, absent, outside] = &shown[..] else { unreachable!() };

    assert_eq!((by_reply.client.clone(), by_reply.iaid), (duid(1).to_string(), Some(7)));
    assert_eq!(by_reply.next_hop, "fe80::aa".parse::<Ipv6Addr>().unwrap());
    assert_eq!(by_reply.interface.as_deref(), Some("eth1"));
    assert_eq!(by_reply.interface_text.as_deref(), Some("port-eth1"));
    assert_eq!((by_reply.preferred_secs, by_reply.valid_secs), (3_600, 7_200));
    assert_eq!((&by_reply.told_by, by_reply.last_transaction_secs), (&ToldBy::Reply, Some(0)));
    assert_eq!((by_reply.route, &by_reply.route_why), (RouteState::Installed, &None));

    assert_eq!((by_server.iaid, by_server.last_transaction_secs), (None, Some(90)));
    assert_eq!((by_server.preferred_secs, by_server.valid_secs), (0, u32::MAX));
    assert_eq!(by_server.told_by, ToldBy::Server("north".to_owned()));

    assert_eq!((&absent.interface, absent.route), (&None, RouteState::Waiting));
    assert_eq!(absent.interface_text.as_deref(), Some("port-eth2"));
    assert_eq!(outside.route, RouteState::Refused);
    assert_eq!(outside.route_why.as_deref(), Some("outside the aggregates"));
    assert_eq!((address.route, &address.told_by), (RouteState::None, &ToldBy::Memory));
}

#[test]
fn a_filter_of_delegations_means_what_it_says() {
    let site = Site::with_delegations();
    site.install();
    let shown = |filter: DelegationFilter| -> Vec<String> {
        site.delegations(filter).iter().map(|shown| shown.leased.text().to_owned()).collect()
    };
    let inside = prefix("2001:db8:101:7::/64");
    assert_eq!(shown(DelegationFilter { prefix: Some(inside), ..filter() }), ["2001:db8:101::/48"]);
    let around = prefix("2001:db8:102::/47");
    let both = ["2001:db8:102::/48", "2001:db8:103::/48"];
    assert_eq!(shown(DelegationFilter { prefix: Some(around), ..filter() }), both);
    let address = "2001:db8:103::1".parse().ok();
    assert_eq!(shown(DelegationFilter { address, ..filter() }), ["2001:db8:103::/48"]);
    let its = ["2001:db8:101::/48", "2001:db8:102::/48"];
    assert_eq!(shown(DelegationFilter { client: Some(duid(1)), ..filter() }), its);
    // By its name, and where it has none now by its Interface-ID, as text or in hexadecimal.
    assert_eq!(shown(DelegationFilter { interface: Some("eth1".to_owned()), ..filter() }).len(), 4);
    for name in ["port-eth2", "706f72742d65746832"] {
        let there = DelegationFilter { interface: Some(name.to_owned()), ..filter() };
        assert_eq!(shown(there), ["2001:db8:103::/48"], "{name}");
    }
    let server = Some("north".to_owned());
    assert_eq!(shown(DelegationFilter { server, ..filter() }), ["2001:db8:102::/48"]);
    let states = vec![RouteState::Waiting, RouteState::Refused];
    assert_eq!(shown(DelegationFilter { states, ..filter() }).len(), 2);

    let refused = |filter: DelegationFilter| match site.ask::<Delegation>(&Request::Delegations(filter)) {
        Err(Failure::Refused(why)) => why,
        answer => panic!("not refused: {answer:?}"),
    };
    let nowhere = || Some("nowhere".to_owned());
    assert!(refused(DelegationFilter { interface: nowhere(), ..filter() }).contains("nowhere"));
    assert!(refused(DelegationFilter { server: nowhere(), ..filter() }).contains("nowhere"));
}

#[test]
fn more_than_a_portion_is_listed_once_each() {
    let site = Site::open();
    for number in 0..3_000_u32 {
        let prefix = format!("2001:db8:1{:02x}:{:x}::/64", number / 100, number % 100);
        site.remember((number / 8 % 250) as u8, &prefix, b"port-eth1", Teller::Memory);
    }
    let held = site.with(|agent| agent.delegations().counts().prefixes);
    assert!(held > 1_500, "{held}");
    let shown = site.delegations(filter());
    let distinct: std::collections::BTreeSet<&str> = texts(&shown).into_iter().collect();
    assert_eq!((shown.len(), distinct.len()), (held, held));
    let routes: Vec<Route> = site.ask(&Request::Routes(RouteFilter::default())).unwrap();
    // And that of the aggregate.
    assert_eq!(routes.len(), held + 1);
    let clearing = Clearing { filter: filter(), all: true, dry_run: false };
    let cleared: Vec<Delegation> = site.ask(&Request::Clear(clearing)).unwrap();
    assert_eq!(cleared.len(), held);
    assert!(site.with(|agent| agent.delegations().is_empty()));
}

// PDR-29
#[test]
fn what_is_cleared_is_shown_and_goes_with_its_route() {
    let cases = [
        (DelegationFilter { prefix: Some(prefix("2001:db8:101::/48")), ..filter() }, 1),
        (DelegationFilter { client: Some(duid(1)), ..filter() }, 2),
        (DelegationFilter { interface: Some("eth1".to_owned()), ..filter() }, 4),
        (DelegationFilter { interface: Some("port-eth2".to_owned()), ..filter() }, 1),
        (filter(), 5),
    ];
    for (filter, expected) in cases {
        let site = Site::with_delegations();
        site.install();
        let meant = site.delegations(filter.clone());
        assert_eq!(meant.len(), expected);
        let all = filter.is_empty();
        let clear = |dry_run| {
            let clearing = Clearing { filter: filter.clone(), all, dry_run };
            site.ask::<Delegation>(&Request::Clear(clearing)).unwrap()
        };
        assert_eq!(clear(true), meant);
        assert_eq!(site.with(|agent| agent.delegations().counts().total()), 5);
        assert_eq!(clear(false), meant);
        assert_eq!(site.delegations(filter.clone()), []);
        assert_eq!(site.with(|agent| agent.delegations().counts().total()), 5 - expected);
        let gone: Vec<Prefix> = site.with(|agent| {
            let deletes = |change| matches!(change, Change::Delete(_));
            let changes = agent.routes_mut().next(100).into_iter();
            changes.filter(|change| deletes(*change)).map(|change| change.destination()).collect()
        });
        let had_routes = meant.iter().filter(|shown| shown.route == RouteState::Installed);
        let had_routes: Vec<String> = had_routes.map(|shown| shown.leased.text().to_owned()).collect();
        assert_eq!(gone.iter().map(ToString::to_string).collect::<Vec<_>>(), had_routes);
    }
}

#[test]
fn nobody_clears_everything_by_saying_nothing() {
    let site = Site::with_delegations();
    let by_state = DelegationFilter { states: vec![RouteState::Refused], ..filter() };
    let client = DelegationFilter { client: Some(duid(1)), ..filter() };
    for (filter, all) in [(filter(), false), (client, true), (by_state, false)] {
        let clearing = Clearing { filter, all, dry_run: false };
        let refused = site.ask::<Delegation>(&Request::Clear(clearing));
        assert!(
            matches!(&refused, Err(Failure::Refused(why)) if why.contains("has to be said")),
            "{refused:?}"
        );
    }
    assert_eq!(site.with(|agent| agent.delegations().counts().total()), 5);
}

#[test]
fn routes_are_listed_as_they_stand() {
    let site = Site::with_delegations();
    let routes = |filter: RouteFilter| site.ask::<Route>(&Request::Routes(filter)).unwrap();
    let states = |routes: &[Route]| routes.iter().map(|route| route.state).collect::<Vec<_>>();
    let all = routes(RouteFilter::default());
    let destinations: Vec<&str> = all.iter().map(|route| &*route.destination).collect();
    // The interface of the fourth one has gone before the kernel was told of it.
    let expected = [
        "2001:db8:100::/40",
        "2001:db8:101::/48",
        "2001:db8:102::/48",
        "2001:db8:103::/48",
        "2001:db8:200::/40",
    ];
    assert_eq!(destinations, expected);
    let (pending, refused) = (RouteState::Pending, RouteState::Refused);
    assert_eq!(states(&all), [pending, pending, pending, RouteState::Leaving, refused]);
    site.install();
    let installed = RouteState::Installed;
    let all = routes(RouteFilter::default());
    assert_eq!(states(&all), [installed, installed, installed, refused]);
    let [aggregate, delegated, ..] = &all[..] else { unreachable!() };
    assert_eq!((aggregate.kind, aggregate.via, &aggregate.interface), (RouteKind::Unreachable, None, &None));
    assert_eq!(delegated.kind, RouteKind::Unicast);
    assert_eq!(delegated.via, "fe80::aa".parse().ok());
    assert_eq!(delegated.interface.as_deref(), Some("eth1"));
    assert_eq!((delegated.protocol, delegated.metric, delegated.table), (220, 512, 254));

    let states = vec![RouteState::Refused];
    assert_eq!(routes(RouteFilter { states, ..RouteFilter::default() }).len(), 1);
    let address = "2001:db8:101::1".parse().ok();
    assert_eq!(routes(RouteFilter { address, ..RouteFilter::default() }).len(), 2);
    let interface = Some("eth1".to_owned());
    assert_eq!(routes(RouteFilter { interface, ..RouteFilter::default() }).len(), 3);
}

#[test]
fn a_route_in_conflict_says_with_whom() {
    let site = Site::with_delegations();
    site.with(|agent| {
        agent.routes_mut().begin_dump();
        agent.routes_mut().end_dump(now());
        for change in agent.routes_mut().next(100) {
            let is_taken = change.destination() == prefix("2001:db8:102::/48");
            let outcome = if is_taken { Err(relay::Failure::Taken) } else { Ok(()) };
            agent.routes_mut().done(&change, outcome, now());
        }
    });
    let states = vec![RouteState::Conflict];
    let routes: Vec<Route> =
        site.ask(&Request::Routes(RouteFilter { states, ..RouteFilter::default() })).unwrap();
    let [route] = &routes[..] else { panic!("one route, not {routes:?}") };
    assert_eq!(route.destination, "2001:db8:102::/48");
    assert_eq!(route.why.as_deref(), Some("via fe80::7 proto 4"));
    assert_eq!(site.status().routes.conflicts, 1);
    let held = site.delegations(DelegationFilter { states: vec![RouteState::Conflict], ..filter() });
    assert_eq!(held[0].route_why.as_deref(), Some("somebody else's route stands in its place"));
}

/// Has a server's session begin, and fail.
fn fail(site: &Site, server: ServerId, why: &str) {
    site.with(|agent| {
        let Next::Ask(mut attempt) = agent.begin(server, now()) else { panic!("nothing is to be asked") };
        attempt.unreachable(why.to_owned());
        agent.finished(*attempt, now());
    });
}

#[test]
fn the_state_is_that_of_the_recovery() {
    let site = Site::with_delegations();
    site.install();
    let status = site.status();
    assert_eq!((status.state, status.since_secs, status.why), (RelayState::Recovering, 1_000, None));
    assert_eq!((status.recovery.servers, status.recovery.servers_done), (2, 0));
    assert_eq!((status.delegations.prefixes, status.delegations.addresses, status.ports), (4, 1, 1));
    assert_eq!((status.routes.wanted, status.routes.installed, status.routes.refused), (3, 3, 1));
    assert_eq!((status.relay_id, status.uptime_secs), (duid(0xff).to_string(), 1_000));
    let replies = &status.counters.messages["REPLY"];
    assert_eq!((replies.received, replies.delivered), (0, 1));
    assert_eq!(status.counters.discards["malformed"], 0);
    let expected = "recovering: 0 of 2 servers done, 0 clients, 0 leases; 4 prefixes, 1 addresses, 3 routes";
    assert_eq!(sentence(&*site.relay), expected);

    fail(&site, NORTH, "connection refused");
    let status = site.status();
    assert_eq!((status.state, status.since_secs), (RelayState::Degraded, 0));
    assert_eq!(status.why.as_deref(), Some("north: unreachable: connection refused"));
    let servers: Vec<ShownServer> = site.ask(&Request::Servers).unwrap();
    let states: Vec<_> = servers.iter().map(|server| server.state).collect();
    assert_eq!(states, [ServerState::Waiting, ServerState::Waiting, ServerState::NotAsked]);
    let north = &servers[0];
    assert_eq!((&*north.name, &*servers[2].name), ("north", "[ff02::1:2]:547"));
    assert_eq!(north.last_error.as_deref(), Some("unreachable: connection refused"));
    assert_eq!((north.failed_attempts, north.last_success_secs), (1, None));
    assert!(north.next_attempt_secs.is_some());
    assert_eq!((north.forwarded, north.replies, servers[1].replies), (7, 1, 0));
    assert_eq!((servers[1].failed_attempts, &servers[1].last_error), (0, &None));
}

#[test]
fn a_refresh_that_is_waited_for_ends_when_every_server_was_tried_again() {
    let site = Site::open();
    fail(&site, NORTH, "connection refused");
    fail(&site, ServerId(1), "no route to host");
    let begun: Vec<RelayStatus> = site.ask(&Request::Refresh { wait: false }).unwrap();
    assert_eq!(begun.len(), 1);
    assert_eq!(site.relay.woken.load(Relaxed), 1);
    assert_eq!(site.with(|agent| agent.recovery().epoch().number), 2);

    let mut answers = control::ask(&site.socket(), &Request::Refresh { wait: true }).unwrap();
    let first: RelayStatus = answers.next().unwrap();
    assert_eq!(first.state, RelayState::Degraded);
    // What was wrong before does not count: both are tried, and fail again.
    fail(&site, NORTH, "connection refused");
    let server = ServerId(1);
    let Next::Ask(mut attempt) = site.with(|agent| agent.begin(server, now())) else { panic!("not asked") };
    attempt.unreachable("host is down".to_owned());
    site.with(|agent| agent.finished(*attempt, now()));
    let last = answers.by_ref().last().unwrap();
    assert_eq!(answers.end(), Ok(()));
    let why = "north: unreachable: connection refused; south: unreachable: host is down";
    assert_eq!(last.why.as_deref(), Some(why));
}

#[test]
fn what_is_not_asked_cannot_be_refreshed() {
    let site = Site::open();
    site.with(|agent| {
        let setup = Setup {
            terms: Terms::default(),
            recovery: relay::recovery::Terms::new(duid(0xff), vec![false]),
            routes: Some(RouteRules::default()),
            host_routes: false,
            unique_clients: false,
            remembers: false,
        };
        *agent = Agent::new(setup, Chance::from_seed(7), now());
    });
    let refused = site.ask::<RelayStatus>(&Request::Refresh { wait: true });
    assert!(matches!(&refused, Err(Failure::Refused(why)) if why.contains("no server")), "{refused:?}");
    assert_eq!(site.status().state, RelayState::NotAsking);
}

#[test]
fn a_relay_is_no_server() {
    let site = Site::open();
    let telling = Telling {
        filter: Filter::default(),
        message: control::Announcement::Renew,
        dry_run: true,
        wait: false,
    };
    let of_servers = [
        Request::Bindings(Filter::default()),
        Request::Links,
        Request::Queries,
        Request::Counters,
        Request::Release(Filter::default()),
        Request::WouldRelease(Filter::default()),
        Request::Reconfigure(telling),
    ];
    for request in of_servers {
        let refused = site.ask::<Value>(&request);
        assert_eq!(refused, Err(Failure::Refused("this is a relay: ask its server".to_owned())), "{request}");
    }
    let by_interface = DelegationFilter { interface: Some("eth1".to_owned()), ..filter() };
    let refused = site.ask::<Unplaced>(&Request::Unplaced(by_interface));
    assert!(matches!(refused, Err(Failure::Refused(_))), "{refused:?}");
    assert_eq!(site.ask::<Unplaced>(&Request::Unplaced(filter())), Ok(Vec::new()));
}
