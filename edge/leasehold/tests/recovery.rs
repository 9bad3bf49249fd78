//! A relay's sessions with real servers on the loopback interface, whose clients are made up.

use std::io::{Read, Write};
use std::net::{Ipv6Addr, SocketAddr, SocketAddrV6, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use lease::{Client as Record, Links, Resource, Table};
use leasehold::clock::{Clock, unix_secs};
use leasehold::population::populate;
use leasehold::relay::recovery::{Asked, Knowledge, Wake, recover};
use leasehold::serve::{self, Plan, Running};
use relay::recovery::{Attempt, Completeness, Method, Next, Recovery, Source, State, Summary, Terms, Why};
use relay::{Delegation, Port, PortRules, Ports, ServerId};
use requestor::{Backoff, Gap};
use server::Holdings;
use server::leasequery::{Access, BulkLimits, Policy, Rule};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle as Task;
use wire::leasequery::QueryType;
use wire::{Duid, Prefix};
use world::Chance;

/// How long anything may take here.
const PATIENCE: Duration = Duration::from_secs(60);
/// Relays in the population; this is the first of them.
const RELAYS: usize = 2;

const A: ServerId = ServerId(0);
const B: ServerId = ServerId(1);

fn own_duid() -> Duid {
    "00:03:00:01:02:00:00:00:00:01".parse().unwrap()
}

/// A server with so many clients behind two relays, and what it knows of those behind the first.
struct Server {
    running: Running,
    delegated: Vec<Prefix>,
}

impl Server {
    fn start(clients: usize) -> Self {
        Self::with(clients, 0, None)
    }

    fn with(clients: usize, port: u16, queries: Option<Vec<QueryType>>) -> Self {
        let (links, records) = populate(clients, RELAYS, unix_secs(), 7);
        let records: Vec<Record> = records.collect();
        let mut holdings = Holdings { table: Table::default(), links: Links::new(links) };
        records.iter().for_each(|record| _ = holdings.table.put(record).unwrap());
        holdings.table.take_batch();
        let policy = Policy {
            server_id: Duid::new(&[0, 3, 0, 1, 2, 0, 0, 0, 0, 1]).unwrap(),
            access: Access::new(vec![Rule { from: "::1/128".parse().unwrap(), queries }]),
            refuse_silently: false,
            sensitive_options: Default::default(),
            track_relays: true,
            relayed_hops: 0,
            bulk: BulkLimits::default(),
        };
        let at = SocketAddrV6::new(Ipv6Addr::LOCALHOST, port, 0, 0);
        let running = serve::start(Plan::leasequery(policy, holdings, vec![at])).unwrap();
        let bindings = records.iter().step_by(RELAYS).flat_map(|record| &record.bindings);
        let prefix = |resource: Resource| match resource {
            Resource::Prefix(prefix) => Some(prefix),
            Resource::Address(_) => None,
        };
        let leases = bindings.flat_map(|binding| &binding.leases);
        let mut delegated: Vec<Prefix> = leases.filter_map(|lease| prefix(lease.resource)).collect();
        delegated.sort();
        Self { running, delegated }
    }

    fn address(&self) -> SocketAddrV6 {
        v6(self.running.bulk_addresses()[0])
    }
}

fn v6(address: SocketAddr) -> SocketAddrV6 {
    match address {
        SocketAddr::V6(address) => address,
        SocketAddr::V4(_) => panic!("{address}"),
    }
}

/// What a relay knows.
struct Relay {
    clock: Clock,
    known: Mutex<Known>,
    changed: Condvar,
}

struct Known {
    recovery: Recovery,
    ports: Ports,
    learnt: Vec<Delegation>,
    summaries: Vec<Summary>,
}

impl Knowledge for Relay {
    fn begin(&self, server: ServerId) -> Next {
        let mut known = self.known.lock().unwrap();
        let Known { recovery, ports, .. } = &mut *known;
        recovery.begin(server, ports, self.clock.now().instant)
    }

    fn absorb(&self, attempt: &mut Attempt, octets: &[u8]) {
        let mut known = self.known.lock().unwrap();
        let Known { recovery, ports, learnt, .. } = &mut *known;
        let received = self.clock.now().instant;
        let source = Source { server: attempt.server(), received };
        attempt.receive(octets, received, &mut |client| {
            recovery.hear(source, client, ports, |delegation| learnt.push(delegation));
        });
        self.changed.notify_all();
    }

    fn finished(&self, attempt: Attempt) -> Summary {
        let mut known = self.known.lock().unwrap();
        let Known { recovery, ports, summaries, .. } = &mut *known;
        let summary = recovery.finished(attempt, ports, self.clock.now().instant);
        summaries.push(summary.clone());
        self.changed.notify_all();
        summary
    }
}

/// A relay whose sessions run.
struct Asking {
    relay: Arc<Relay>,
    wake: Wake,
    sessions: Task<()>,
    _runtime: Runtime,
}

impl Asking {
    fn these(servers: &[SocketAddrV6]) -> Self {
        Self::with(servers, None, |_| ())
    }

    fn with(servers: &[SocketAddrV6], from: Option<Ipv6Addr>, change: impl FnOnce(&mut Terms)) -> Self {
        let clock = Clock::start();
        let mut terms = Terms::new(own_duid(), vec![true; servers.len()]);
        terms.backoff = Backoff::between(Duration::from_millis(10), Duration::from_millis(80));
        change(&mut terms);
        let mut ports = Ports::default();
        ports.update(vec![port()]);
        let recovery = Recovery::new(terms, Chance::from_seed(1), clock.now().instant);
        let known = Known { recovery, ports, learnt: Vec::new(), summaries: Vec::new() };
        let relay = Arc::new(Relay { clock, known: Mutex::new(known), changed: Condvar::new() });
        let asked = (0..).map(ServerId).zip(servers);
        let asked = asked
            .map(|(server, address)| Asked { server, address: *address, interface: None, from })
            .collect();
        let (wake, runtime) = (Wake::default(), Runtime::new().unwrap());
        let connect_timeout = Duration::from_millis(500);
        let sessions = recover(Arc::clone(&relay), clock, asked, connect_timeout, wake.clone());
        let sessions = runtime.spawn(sessions);
        Self { relay, wake, sessions, _runtime: runtime }
    }

    /// Waits until it is so, and gives what `look` makes of it.
    fn until<T>(&self, mut look: impl FnMut(&mut Known) -> Option<T>) -> T {
        let mut seen = None;
        let known = self.relay.known.lock().unwrap();
        let look = |known: &mut Known| {
            seen = look(known);
            seen.is_none()
        };
        let (known, late) = self.relay.changed.wait_timeout_while(known, PATIENCE, look).unwrap();
        assert!(!late.timed_out(), "{:?} {:?}", known.recovery.state(), known.summaries);
        seen.unwrap()
    }

    fn until_in_sync(&self) {
        self.until(|known| matches!(known.recovery.state(), State::InSync { .. }).then_some(()));
    }

    /// Waits for the first attempt after which there is trouble.
    fn until_trouble(&self) -> Why {
        self.until(|known| known.summaries.iter().find_map(|summary| summary.trouble.clone()))
    }

    fn learnt(&self) -> Vec<Prefix> {
        let mut learnt: Vec<_> = self.until(|known| Some(known.learnt.clone()));
        learnt.sort_by_key(|delegation| delegation.prefix);
        learnt.iter().map(|delegation| delegation.prefix).collect()
    }
}

/// The first port of the first relay.
fn port() -> Port {
    let link_address = "2001:db8::1".parse().unwrap();
    Port {
        index: 7,
        name: "eth7".into(),
        interface_id: b"ge-0/0/0"[..].into(),
        link_address,
        addresses: vec![link_address],
        remote_id: None,
        subscriber_id: None,
        rules: PortRules::default(),
    }
}

/// Who answers at an address that is to be free afterwards.
fn free_port() -> SocketAddrV6 {
    v6(TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap())
}

/// Stands before a server and lets so many octets of its answers through, on one connection.
fn cut_after(octets: usize, server: SocketAddrV6) -> (SocketAddrV6, JoinHandle<()>) {
    let listener = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).unwrap();
    let address = v6(listener.local_addr().unwrap());
    let cutting = std::thread::spawn(move || {
        let (mut relay, _) = listener.accept().unwrap();
        drop(listener);
        let mut server = TcpStream::connect(server).unwrap();
        let mut query = [0; 256];
        let length = relay.read(&mut query).unwrap();
        server.write_all(&query[..length]).unwrap();
        std::io::copy(&mut server.take(octets as u64), &mut relay).unwrap();
    });
    (address, cutting)
}

// BLQ-R-18, PDR-24: what two servers know is learnt again, each by its own connection.
#[test]
fn everything_is_learnt_again_with_port_and_next_hop() {
    let (a, b) = (Server::start(2000), Server::start(1000));
    let asking = Asking::with(&[a.address(), b.address()], Some(Ipv6Addr::LOCALHOST), |_| ());
    asking.until_in_sync();
    let mut expected = [&a.delegated[..], &b.delegated].concat();
    expected.sort();
    assert_eq!(asking.learnt(), expected);
    asking.until(|known| {
        assert_eq!(known.recovery.completeness(), Completeness::Complete);
        let first = known.learnt.iter().find(|held| held.prefix == expected[0]).unwrap();
        assert_eq!(known.ports.interface_id(first.port), b"ge-0/0/0");
        assert_eq!(first.next_hop, "fe80::ff:fe00:0".parse::<Ipv6Addr>().unwrap());
        let hops: Vec<_> = known.summaries.iter().map(|summary| (summary.method, summary.clients)).collect();
        assert!(hops.contains(&(Method::RelayId, 1000)) && hops.contains(&(Method::RelayId, 500)));
        assert_eq!(known.recovery.unplaced().count(), 0);
        Some(())
    });
}

// REL-32: another machine with the DUID of the one that it replaces, and with the same interfaces.
#[test]
fn a_replacement_takes_over_what_its_predecessor_delegated() {
    let server = Server::start(100);
    let stranger = Asking::with(&[server.address()], None, |terms| {
        terms.relay_id = "00:03:00:01:02:00:00:00:00:99".parse().unwrap();
        terms.methods = vec![Method::RelayId];
    });
    stranger.until_in_sync();
    assert_eq!(stranger.learnt(), []);
    let heir = Asking::these(&[server.address()]);
    heir.until_in_sync();
    assert_eq!(heir.learnt(), server.delegated);
}

// BLQ-R-02, BLQ-R-04
#[test]
fn a_server_that_is_down_is_asked_when_it_is_up() {
    let (up, down) = (Server::start(100), free_port());
    let asking = Asking::these(&[up.address(), down]);
    asking.until(|known| {
        let attempts = known.recovery.servers().find(|view| view.server == B)?.trouble?.attempts;
        (attempts > 3 && known.recovery.progress().done == 1).then_some(())
    });
    assert_eq!(asking.learnt(), up.delegated);
    asking.until(|known| {
        assert!(matches!(known.recovery.state(), State::Degraded { .. }));
        assert_eq!(known.recovery.completeness(), Completeness::Lacking(vec![B]));
        Some(())
    });
    let back = Server::with(100, down.port(), None);
    asking.until_in_sync();
    assert_eq!(asking.learnt().len(), up.delegated.len() + back.delegated.len());
}

// BLQ-R-26
#[test]
fn a_server_that_dies_midway_leaves_what_it_said() {
    let server = Server::start(2000);
    let (address, cutting) = cut_after(50_000, server.address());
    let asking = Asking::these(&[address]);
    assert_eq!(asking.until_trouble(), Why::Incomplete(Gap::Closed));
    cutting.join().unwrap();
    let kept = asking.learnt();
    assert!((100..1000).contains(&kept.len()), "{}", kept.len());
    assert!(kept.iter().all(|prefix| server.delegated.contains(prefix)));

    // At the same address it comes back.
    let back = Server::with(2000, address.port(), None);
    asking.until_in_sync();
    let mut learnt = asking.learnt();
    learnt.dedup();
    assert_eq!(learnt, back.delegated);
}

/// A server that does this with each connection, and then keeps it open.
fn hostile(misbehave: impl Fn(&mut TcpStream) + Send + 'static) -> SocketAddrV6 {
    let listener = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).unwrap();
    let address = v6(listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        for mut stream in listener.incoming().map_while(Result::ok) {
            misbehave(&mut stream);
            kept.push(stream);
        }
    });
    address
}

// BLQ-R-18, BLQ-R-30
#[test]
fn servers_that_stall_or_talk_nonsense_keep_nothing_of_another_back() {
    let good = Server::start(2000);
    let (answers, at) = (50_000, good.address());
    let stalling = hostile(move |relay| {
        let mut server = TcpStream::connect(at).unwrap();
        let mut query = [0; 256];
        let length = relay.read(&mut query).unwrap();
        server.write_all(&query[..length]).unwrap();
        let _ = std::io::copy(&mut server.take(answers), relay);
    });
    let silent = hostile(|_| {});
    let half = hostile(|relay| _ = relay.write_all(&[0xff, 0xff, 15, 1, 2]));
    let nonsense = hostile(|relay| _ = relay.write_all(&[0x5a; 70_000]));
    let out_of_turn = hostile(|relay| _ = relay.write_all(&[0, 4, 17, 0, 0, 1]));
    let asking = Asking::these(&[stalling, silent, half, nonsense, out_of_turn, at]);
    let last = ServerId(5);
    let is_good = |summary: &Summary| summary.server == last && summary.trouble.is_none();
    asking.until(|known| known.summaries.iter().any(is_good).then_some(()));
    let mut learnt = asking.learnt();
    learnt.dedup();
    assert_eq!(learnt, good.delegated);
    let garbled = |known: &mut Known, server| known.summaries.iter().any(|it| it.server == ServerId(server));
    asking.until(|known| (garbled(known, 3) && garbled(known, 4)).then_some(()));
    asking.until(|known| matches!(known.recovery.state(), State::Degraded { .. }).then_some(()));
}

// INT-11
#[test]
fn a_server_that_refuses_is_asked_otherwise() {
    let server = Server::with(200, 0, Some(vec![QueryType::BY_LINK_ADDRESS]));
    let asking = Asking::these(&[server.address()]);
    asking.until_in_sync();
    assert_eq!(asking.learnt(), server.delegated);
    asking.until(|known| {
        let tried: Vec<_> = known.summaries.iter().map(|summary| summary.method).collect();
        assert_eq!(tried, [Method::RelayId, Method::LinkAddress]);
        assert!(matches!(known.summaries[0].trouble, Some(Why::Refused(_))));
        Some(())
    });

    let silent = Server::with(200, 0, Some(vec![QueryType::BY_CLIENT_ID]));
    let refused = Asking::these(&[silent.address()]);
    refused.until(|known| {
        let State::Degraded { lacking, .. } = known.recovery.state() else { return None };
        matches!(lacking[0].1.why, Why::Refused(_)).then_some(())
    });
}

#[test]
fn a_refresh_wakes_sessions_that_wait_for_nothing() {
    let server = Server::start(100);
    let asking = Asking::these(&[server.address()]);
    asking.until_in_sync();
    asking.until(|known| {
        known.recovery.refresh(asking.relay.clock.now().instant);
        Some(())
    });
    asking.wake.wake();
    asking.until_in_sync();
    asking.until(|known| {
        assert_eq!((known.recovery.epoch().number, known.summaries.len()), (2, 2));
        Some(())
    });
}

#[test]
fn a_refresh_comes_round_by_itself() {
    let (a, b) = (Server::start(100), Server::start(100));
    let asking = Asking::with(&[a.address(), b.address()], None, |terms| {
        terms.refresh_every = Some(Duration::from_millis(50));
    });
    let (a_times, b_times) = asking.until(|known| {
        let times = |server| known.summaries.iter().filter(|summary| summary.server == server).count();
        (times(A) + times(B) >= 10).then_some((times(A), times(B)))
    });
    assert!(a_times.abs_diff(b_times) <= 1, "{a_times} {b_times}");
}

#[test]
fn who_stops_asking_hangs_up() {
    let listener = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).unwrap();
    let asking = Asking::these(&[v6(listener.local_addr().unwrap())]);
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut size = [0; 2];
    stream.read_exact(&mut size).unwrap();
    asking.sessions.abort();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    assert_eq!(rest.len(), usize::from(u16::from_be_bytes(size)));
}

// BLQ-R-03
#[test]
fn a_host_that_says_nothing_is_given_up() {
    // Its queue of connections is full, and the kernel lets whoever comes wait.
    let full = socket2::Socket::new(socket2::Domain::IPV6, socket2::Type::STREAM, None).unwrap();
    full.bind(&SocketAddrV6::new(Ipv6Addr::LOCALHOST, 0, 0, 0).into()).unwrap();
    full.listen(0).unwrap();
    let address = v6(full.local_addr().unwrap().as_socket().unwrap());
    let mut waiting = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address.into(), Duration::from_millis(200)) {
        waiting.push(stream);
        assert!(waiting.len() < 16, "the queue never fills");
    }
    let asking = Asking::these(&[address]);
    assert_eq!(asking.until_trouble(), Why::Unreachable("no connection within 500ms".into()));
}

#[test]
fn an_address_that_is_not_ours_is_no_address_to_ask_from() {
    let server = Server::start(10);
    let asking = Asking::with(&[server.address()], Some("2001:db8::77".parse().unwrap()), |_| ());
    assert!(matches!(asking.until_trouble(), Why::Unreachable(_)));
}
