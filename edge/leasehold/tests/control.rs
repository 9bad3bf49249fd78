//! The control socket, as an operator's commands meet it.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv6Addr, SocketAddrV6, TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};
use std::time::{Duration, Instant};

use lease::{Client as Record, LeaseState, Links, Table};
use leasehold::control::{
    Clearing, Client, Counters, DelegationFilter, Failure, Filter, Link, PoolRange, Query, Request,
    RouteFilter, State, ask,
};
use leasehold::population::populate;
use leasehold::serve::{self, Plan, Running, UdpAddress};
use requestor::{Asker, Question};
use serde::de::DeserializeOwned;
use serde_json::Value;
use server::Holdings;
use server::leasequery::{Access, BulkLimits, Policy, RateLimit, Rule};
use store::{Change, CommitError, LoadError, Loaded, Store, Visit};
use tempfile::TempDir;
use wire::{Duid, Prefix, TransactionId};

/// How long anything may take here.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server, the folder of its socket, and what it was started with.
struct Server {
    running: Running,
    folder: TempDir,
    records: Vec<Record>,
}

impl Server {
    /// With so many clients behind four relays, the first three of which have lost something.
    fn start(clients: usize) -> Self {
        Self::with(clients, |_| {})
    }

    fn with(clients: usize, change: impl FnOnce(&mut Plan)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (links, records) = populate(clients, 4, unix_secs(), 7);
        let mut records: Vec<Record> = records.collect();
        let ends = [LeaseState::Released, LeaseState::Expired, LeaseState::Declined];
        for (record, state) in records.iter_mut().zip(ends) {
            record.bindings[0].leases[0].state = state;
        }
        let mut holdings = Holdings { table: Table::default(), links: Links::new(links) };
        records.iter().for_each(|record| _ = holdings.table.put(record).unwrap());
        holdings.table.take_batch();
        let at = SocketAddrV6::new(Ipv6Addr::LOCALHOST, 0, 0, 0);
        let mut plan = Plan::leasequery(policy(), holdings, vec![at]);
        plan.control = Some(folder.path().join("control"));
        change(&mut plan);
        Self { running: serve::start(plan).unwrap(), folder, records }
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("control")
    }

    fn ask<T: DeserializeOwned>(&self, request: &Request) -> Result<Vec<T>, Failure> {
        let mut answers = ask(&self.socket(), request)?;
        let items = answers.by_ref().collect();
        answers.end().map(|()| items)
    }

    /// The resources that a filter means, as text.
    fn leases(&self, filter: Filter) -> BTreeSet<String> {
        resources(&self.ask(&Request::Bindings(filter)).unwrap())
    }

    fn connect(&self) -> BufReader<UnixStream> {
        let stream = UnixStream::connect(self.socket()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        BufReader::new(stream)
    }

    /// What the server says to a line, up to its first line end.
    fn say(&self, line: &[u8]) -> Value {
        let mut talk = self.connect();
        talk.get_mut().write_all(line).unwrap();
        read_line(&mut talk)
    }
}

fn unix_secs() -> u64 {
    leasehold::clock::unix_secs()
}

fn policy() -> Policy {
    Policy {
        server_id: Duid::new(&[0, 3, 0, 1, 2, 0, 0, 0, 0, 1]).unwrap(),
        access: Access::new(vec![Rule { from: "::1/128".parse().unwrap(), queries: None }]),
        refuse_silently: false,
        sensitive_options: Default::default(),
        track_relays: true,
        relayed_hops: 0,
        bulk: BulkLimits::default(),
    }
}

fn read_line(talk: &mut BufReader<UnixStream>) -> Value {
    let mut line = String::new();
    talk.read_line(&mut line).unwrap();
    serde_json::from_str(&line).unwrap()
}

fn resources(clients: &[Client]) -> BTreeSet<String> {
    let leases = clients.iter().flat_map(|client| &client.leases);
    leases.map(|lease| lease.leased.text().to_owned()).collect()
}

fn resources_of<'a>(records: impl IntoIterator<Item = &'a Record>) -> BTreeSet<String> {
    let bindings = records.into_iter().flat_map(|record| &record.bindings);
    bindings.flat_map(|binding| &binding.leases).map(|lease| lease.resource.to_string()).collect()
}

fn by_client(record: &Record) -> Filter {
    Filter { client: Some(record.key.duid.clone()), ..Filter::default() }
}

fn prefix_of(record: &Record) -> Prefix {
    record.bindings[1].leases[0].resource.prefix().unwrap()
}

fn address_of(record: &Record) -> Ipv6Addr {
    record.bindings[0].leases[0].resource.address().unwrap()
}

fn relay_id(number: u8) -> Duid {
    Duid::new(&[0, 3, 0, 1, 2, 0, 0, 0, 0, number]).unwrap()
}

/// Asks until the answer is as wanted.
fn wait_for<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "what was waited for has not come");
    }
}

#[test]
fn a_filter_shows_what_is_meant_and_nothing_else() {
    let server = Server::start(4_000);
    let records = &server.records;
    let none = Filter::default;
    assert_eq!(server.leases(none()), resources_of(records));

    let record = &records[17];
    assert_eq!(server.leases(by_client(record)), resources_of([record]));
    let on_link = |number: u32| records.iter().filter(move |record| record.key.link.0 == number);
    for name in ["2", "access-2"] {
        let shown = server.leases(Filter { link: Some(name.to_owned()), ..none() });
        assert_eq!(shown, resources_of(on_link(2)), "{name}");
    }
    assert_eq!(server.leases(Filter { relay_id: Some(relay_id(3)), ..none() }), resources_of(on_link(3)));

    let address = address_of(record);
    let of_address = BTreeSet::from([address.to_string()]);
    assert_eq!(server.leases(Filter { address: Some(address), ..none() }), of_address);
    let delegated = prefix_of(record);
    let of_delegated = BTreeSet::from([delegated.to_string()]);
    let inside = Some(delegated.last_address());
    assert_eq!(server.leases(Filter { address: inside, ..none() }), of_delegated);
    let longer = Prefix::new(delegated.last_address(), 64).ok();
    assert_eq!(server.leases(Filter { prefix: longer, ..none() }), of_delegated);
    let around = Prefix::new(delegated.address(), 48).ok();
    let expected = records.iter().map(prefix_of).filter(|prefix| around.unwrap().covers(*prefix));
    let expected: BTreeSet<String> = expected.map(|prefix| prefix.to_string()).collect();
    assert!(expected.len() > 100);
    assert_eq!(server.leases(Filter { prefix: around, ..none() }), expected);

    let both = Filter { link: Some("3".to_owned()), address: Some(address), ..none() };
    assert_eq!(server.leases(both).len(), usize::from(record.key.link.0 == 3));
    server.running.stop();
}

#[test]
fn a_client_is_shown_as_it_is_held() {
    let server = Server::start(40);
    let record = &server.records[5];
    let shown: Vec<Client> = server.ask(&Request::Bindings(by_client(record))).unwrap();
    let [client] = &shown[..] else { panic!("one client, not {shown:?}") };
    assert_eq!((client.link, client.link_name.as_deref()), (2, Some("access-2")));
    assert_eq!(client.duid, record.key.duid.to_string());
    let silent = unix_secs() - record.heard.at_unix_secs;
    assert!((silent - 60..=silent).contains(&client.last_transaction_secs.unwrap()));
    let hop = &client.relay_path[0];
    assert_eq!(client.link_address, Some(hop.link_address));
    assert_eq!(hop.relay_id, Some(relay_id(2).to_string()));
    assert_eq!(hop.interface_text.as_deref(), Some("ge-0/0/1"));
    let remote_id = hop.remote_id.clone().unwrap();
    assert!(remote_id.starts_with("32473:"));
    let lease = &client.leases[0];
    assert_eq!((lease.iaid, lease.state), (record.bindings[0].iaid.0, State::Active));
    assert!(lease.preferred_secs <= 86_400 && lease.valid_secs > 86_400 && lease.kept_secs.is_none());
    let by_remote_id = Filter { remote_id: remote_id.parse().ok(), ..Filter::default() };
    assert_eq!(server.leases(by_remote_id), resources_of([record]));
    server.running.stop();
}

#[test]
fn leases_are_told_apart_by_state() {
    let server = Server::start(40);
    for (state, index) in [(State::Released, 0), (State::Expired, 1), (State::Declined, 2)] {
        let filter = Filter { states: vec![state], ..Filter::default() };
        let shown: Vec<Client> = server.ask(&Request::Bindings(filter)).unwrap();
        let lease = &shown[0].leases[0];
        assert_eq!(lease.leased.text(), address_of(&server.records[index]).to_string());
        assert_eq!((shown.len(), lease.state, lease.valid_secs), (1, state, 0));
        assert!(lease.kept_secs.is_some_and(|secs| secs > 86_400));
    }
    let ended = Filter { states: vec![State::Released, State::Expired], ..Filter::default() };
    assert_eq!(server.leases(ended).len(), 2);
    server.running.stop();
}

#[test]
fn links_are_shown_with_what_is_held_of_their_pools() {
    let server = Server::start(20_000);
    let links: Vec<Link> = server.ask(&Request::Links).unwrap();
    let names: Vec<&str> = links.iter().map(|link| link.name.as_str()).collect();
    assert_eq!(names, ["access-1", "access-2", "access-3", "access-4"]);
    // Of links 1 to 3, the first address is released, expired and declined, respectively.
    let counts = |pool: usize| {
        let pools = links.iter().map(move |link| &link.pools[pool]);
        pools.map(|pool| (pool.assigned, pool.declined)).collect::<Vec<_>>()
    };
    assert_eq!(counts(0), [(4_999, 0), (4_999, 0), (4_999, 1), (5_000, 0)]);
    assert_eq!(counts(1), [(5_000, 0); 4]);
    assert!(matches!(links[0].pools[0].range, PoolRange::Address { .. }));
    assert_eq!((links[0].pools[0].size, links[0].pools[1].size), (1 << 32, 1 << 34));
    server.running.stop();
}

#[test]
fn whoever_does_not_read_holds_up_nobody() {
    let server = Server::start(5_000);
    let mut stalled = server.connect();
    stalled.get_mut().write_all(b"{\"bindings\":{}}\n").unwrap();
    let first = read_line(&mut stalled);
    assert!(first["item"]["duid"].is_string());

    // Meanwhile others ask and change.
    let record = &server.records[4_999];
    assert_eq!(server.leases(by_client(record)).len(), 2);
    let released: Vec<Client> = server.ask(&Request::Release(by_client(record))).unwrap();
    assert_eq!(resources(&released), resources_of([record]));

    // What was not read is still to come, the released client among it only as it is now.
    let mut clients = 1;
    loop {
        let line = read_line(&mut stalled);
        if line.get("end").is_some() {
            assert_eq!(line["end"], "complete");
            break;
        }
        if line["item"]["duid"] == record.key.duid.to_string() {
            assert_eq!(line["item"]["leases"][0]["state"], "released");
        }
        clients += 1;
    }
    assert_eq!(clients, 5_000);
    server.running.stop();
}

#[test]
fn what_is_released_is_shown_and_is_then_nobody_s() {
    let server = Server::start(4_000);
    let on_link = || Filter { link: Some("access-4".to_owned()), ..Filter::default() };
    let held = server.leases(on_link());
    assert_eq!(held.len(), 2_000);

    let rehearsed: Vec<Client> = server.ask(&Request::WouldRelease(on_link())).unwrap();
    assert_eq!(resources(&rehearsed), held);
    let released: Vec<Client> = server.ask(&Request::Release(on_link())).unwrap();
    assert_eq!(resources(&released), held);
    assert!(released.iter().flat_map(|client| &client.leases).all(|lease| lease.state == State::Active));

    let state = |state| Filter { states: vec![state], ..on_link() };
    assert_eq!(server.leases(state(State::Active)), BTreeSet::new());
    assert_eq!(server.leases(state(State::Released)), held);
    let again: Vec<Client> = server.ask(&Request::Release(on_link())).unwrap();
    assert_eq!(again, []);
    server.running.stop();
}

#[test]
fn only_those_leases_of_a_client_are_released_that_are_meant() {
    let server = Server::start(40);
    let record = &server.records[30];
    let filter = Filter { prefix: Some(prefix_of(record)), ..Filter::default() };
    let released: Vec<Client> = server.ask(&Request::Release(filter)).unwrap();
    assert_eq!(resources(&released), BTreeSet::from([prefix_of(record).to_string()]));
    let active = Filter { states: vec![State::Active], ..by_client(record) };
    assert_eq!(server.leases(active), BTreeSet::from([address_of(record).to_string()]));
    server.running.stop();
}

/// A store that commits only when it is told to, and tells when it is about to.
struct Gate {
    begun: Sender<usize>,
    permits: Receiver<()>,
}

impl Store for Gate {
    fn load(&self, _: &mut Visit<'_>) -> Result<Loaded, LoadError> {
        Ok(Loaded { records: 0, commit: 0 })
    }

    fn commit(&mut self, changes: &[Change<'_>]) -> Result<u64, CommitError> {
        self.begun.send(changes.len()).unwrap();
        let permit = self.permits.recv();
        permit.map(|()| 1).map_err(|_| CommitError::Failed { because: "the disk is gone".to_owned() })
    }
}

fn gated(clients: usize) -> (Server, Receiver<usize>, Sender<()>) {
    let (begin, begun) = mpsc::channel();
    let (permit, permits) = mpsc::channel();
    let gate = Gate { begun: begin, permits };
    (Server::with(clients, |plan| plan.store = Box::new(gate)), begun, permit)
}

#[test]
fn a_release_is_answered_when_it_is_durable() {
    let (server, begun, permit) = gated(40);
    let filter = Filter { link: Some("1".to_owned()), ..Filter::default() };
    let socket = server.socket();
    let (tell, told) = mpsc::channel();
    let asking = std::thread::spawn(move || {
        let answers = ask::<Client>(&socket, &Request::Release(filter)).unwrap();
        answers.for_each(|client| tell.send(client).unwrap());
    });
    assert_eq!(begun.recv_timeout(PATIENCE), Ok(10));
    assert_eq!(told.try_recv(), Err(TryRecvError::Empty));
    permit.send(()).unwrap();
    assert_eq!(told.iter().count(), 10);
    asking.join().unwrap();
    server.running.stop();
}

#[test]
fn a_release_that_cannot_be_made_durable_is_no_success() {
    let (server, begun, permit) = gated(40);
    drop(permit);
    let released = server.ask::<Client>(&Request::Release(by_client(&server.records[9])));
    assert_eq!(begun.recv_timeout(PATIENCE), Ok(1));
    assert!(matches!(&released, Err(Failure::Partial(why)) if why.contains("durable")), "{released:?}");
    server.running.stop();
}

#[test]
fn queries_are_shown_while_they_are_answered_and_afterwards() {
    let server = Server::start(40_000);
    let requestor = socket2::Socket::new(socket2::Domain::IPV6, socket2::Type::STREAM, None).unwrap();
    requestor.set_recv_buffer_size(4_096).unwrap();
    requestor.connect(&server.running.bulk_addresses()[0].into()).unwrap();
    let mut requestor = TcpStream::from(requestor);
    requestor.set_read_timeout(Some(PATIENCE)).unwrap();
    let asker = Asker { client_id: relay_id(9), server_id: None };
    let mut octets = Vec::new();
    for relay in 1..=4 {
        let question = Question::by_relay(relay_id(relay)).requesting(&[wire::OptionCode::LQ_RELAY_DATA]);
        let number = TransactionId::from_number(u32::from(relay));
        wire::write_frame(&mut octets, |w| question.write(w, number, &asker)).unwrap();
    }
    requestor.write_all(&octets).unwrap();

    // The answers are more than the system keeps for somebody who does not read.
    let from = requestor.local_addr().unwrap().to_string();
    let queries = || server.ask::<Query>(&Request::Queries).unwrap();
    let in_work = wait_for(|| {
        let mut connections = queries().into_iter().filter_map(|query| match query {
            Query::Connection(connection) if connection.requestor == from => Some(connection.in_work),
            _ => None,
        });
        connections.next()?.into_iter().find(|query| query.clients > 0)
    });
    assert!(("000001"..="000004").contains(&in_work.transaction_id.as_str()));
    assert_eq!(in_work.query_type, "relay-id");
    assert!(in_work.sought.contains("00:03:00:01:02:00:00:00:00:0"), "{}", in_work.sought);
    assert!(in_work.clients <= 10_000 && in_work.leases >= 2 * in_work.clients - 1);

    requestor.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    requestor.read_to_end(&mut answer).unwrap();
    let ended = wait_for(|| {
        let ended = queries().into_iter().map(|query| match query {
            Query::Ended(ended) => Some(ended),
            Query::Connection(_) => None,
        });
        ended.collect::<Option<Vec<_>>>()
    });
    assert_eq!(ended.len(), 4);
    assert!(ended.iter().all(|query| query.requestor == from && query.transport == "tcp"));
    assert!(ended.iter().all(|query| query.status == "Success" && query.clients == Some(10_000)));
    // Of the first three clients one lease is not active.
    assert_eq!(ended.iter().map(|query| query.leases).sum::<u64>(), 79_997);
    assert_eq!(ended.iter().map(|query| query.octets).sum::<u64>(), answer.len() as u64);

    let counters: Vec<Counters> = server.ask(&Request::Counters).unwrap();
    let [counters] = &counters[..] else { panic!("one set of counters") };
    assert_eq!((counters.clients, counters.leasequeries.tcp), (40_000, 4));
    assert_eq!(counters.leasequeries.statuses["Success"], 4);
    assert_eq!((counters.bulk.opened, counters.bulk.octets), (1, answer.len() as u64));
    assert_eq!((counters.changed_seq, counters.durable_seq), (40_000, 40_000));
    assert!(counters.discards.contains_key("malformed"));
    server.running.stop();
}

// LQ-S-35, LQ-S-38: the answer comes to the port that asked, and what comes too fast has none.
#[test]
fn queries_over_udp_are_remembered_and_counted() {
    let at = SocketAddrV6::new(Ipv6Addr::LOCALHOST, 0, 0, 0);
    let server = Server::with(40, |plan| {
        plan.udp = vec![UdpAddress { at, dhcp: false, leasequery: true }];
        plan.rate = RateLimit::new(1, 1);
    });
    let to = server.running.udp_addresses()[0];
    let requestor = UdpSocket::bind(at).unwrap();
    requestor.set_read_timeout(Some(PATIENCE)).unwrap();
    let asker = Asker { client_id: relay_id(9), server_id: None };
    let question = Question::by_client(server.records[9].key.duid.clone());
    let mut octets = Vec::new();
    question.write(&mut wire::Writer::new(&mut octets), TransactionId::from_number(0xabc), &asker);
    // The second one comes too early, and is dropped.
    requestor.send_to(&octets, to).unwrap();
    requestor.send_to(&octets, to).unwrap();
    let mut answer = [0; 2_000];
    let (length, _) = requestor.recv_from(&mut answer).unwrap();
    let counters = wait_for(|| {
        let counters = server.ask::<Counters>(&Request::Counters).unwrap().remove(0);
        // The answer is counted after it has left.
        let is_counted = counters.sockets[&to.to_string()].sent == 1;
        (counters.discards["too-fast"] == 1 && is_counted).then_some(counters)
    });
    assert_eq!((counters.leasequeries.udp, counters.messages["LEASEQUERY"].received), (1, 2));
    let socket = &counters.sockets[&to.to_string()];
    assert_eq!((socket.received, socket.sent), (2, 1));

    let queries: Vec<Query> = server.ask(&Request::Queries).unwrap();
    let [Query::Ended(ended)] = &queries[..] else { panic!("one query, not {queries:?}") };
    let from = requestor.local_addr().unwrap().to_string();
    assert_eq!((ended.transport.as_str(), &ended.requestor), ("udp", &from));
    assert_eq!((ended.transaction_id.as_str(), ended.query_type.as_str()), ("000abc", "client"));
    assert_eq!((ended.leases, ended.octets, ended.clients), (2, length as u64, None));
    server.running.stop();
}

#[test]
fn what_makes_no_sense_is_refused_with_a_reason() {
    let server = Server::start(40);
    let refused = |filter: Filter, request: fn(Filter) -> Request| {
        let answer = server.ask::<Client>(&request(filter));
        let Err(Failure::Refused(why)) = answer else { panic!("not refused: {answer:?}") };
        why
    };
    let nowhere = || Filter { link: Some("nowhere".to_owned()), ..Filter::default() };
    assert!(refused(nowhere(), Request::Bindings).contains("nowhere"));
    assert!(refused(nowhere(), Request::Release).contains("nowhere"));
    assert!(refused(Filter::default(), Request::Release).contains("has to be said"));
    assert!(refused(Filter::default(), Request::WouldRelease).contains("has to be said"));

    let says = |line: &[u8]| server.say(line)["end"]["refused"].as_str().unwrap_or_default().to_owned();
    assert!(says(b"hello\n").contains("not understood"));
    assert!(says(b"{\"bindings\":{\"colour\":\"red\"}}\n").contains("colour"));
    assert!(says(&[b' '; 20_000]).contains("octets at most"));
    assert_eq!(server.leases(Filter::default()).len(), 80);
    server.running.stop();
}

#[test]
fn a_server_is_no_relay() {
    let server = Server::start(4);
    let clearing = Clearing { filter: DelegationFilter::default(), all: true, dry_run: false };
    let of_relays = [
        Request::Relay,
        Request::Delegations(DelegationFilter::default()),
        Request::Unplaced(DelegationFilter::default()),
        Request::Routes(RouteFilter::default()),
        Request::Servers,
        Request::Clear(clearing),
        Request::Refresh { wait: false },
    ];
    for request in of_relays {
        let refused = server.ask::<Value>(&request);
        assert_eq!(refused, Err(Failure::Refused("this is a server: ask its relay".to_owned())), "{request}");
    }
    server.running.stop();
}

#[test]
fn so_many_may_ask_at_once_and_no_more() {
    let server = Server::start(4);
    let mut waiting: Vec<_> = (0..32).map(|_| server.connect()).collect();
    let refused = server.ask::<Link>(&Request::Links);
    assert!(matches!(&refused, Err(Failure::Refused(why)) if why.contains("others")), "{refused:?}");
    waiting.pop();
    wait_for(|| server.ask::<Link>(&Request::Links).ok());
    server.running.stop();
}

#[test]
fn the_socket_goes_with_the_server_and_breaks_off_what_is_being_answered() {
    let server = Server::start(5_000);
    let mut stalled = server.connect();
    stalled.get_mut().write_all(b"{\"bindings\":{}}\n").unwrap();
    read_line(&mut stalled);
    let Server { running, folder, .. } = server;
    running.stop();
    assert!(!folder.path().join("control").exists());
    let mut rest = String::new();
    stalled.read_to_string(&mut rest).unwrap();
    assert!(!rest.contains("complete"));
}

fn leasehold(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_leasehold")).args(arguments).output().unwrap()
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

#[test]
fn the_command_prints_tables_objects_and_lines() {
    let server = Server::start(40);
    let socket = server.socket().display().to_string();
    let config = server.folder.path().join("leasehold.toml");
    std::fs::write(&config, format!("state = {:?}\n", server.folder.path())).unwrap();
    let config = config.display().to_string();

    let table = leasehold(&["show", "bindings", "--config", &config, "--format", "table"]);
    assert!(table.status.success(), "{}", text(&table.stderr));
    let table = text(&table.stdout);
    let record = &server.records[7];
    for expected in [address_of(record).to_string(), "access-4".into(), "ge-0/0/1".into(), "rests".into()] {
        assert!(table.contains(&expected), "{expected} is missing:\n{table}");
    }

    let nothing = leasehold(&["show", "queries", "--config", &config, "--format", "table"]);
    assert!(text(&nothing.stdout).contains("requestor"));

    let duid = record.key.duid.to_string();
    let json = leasehold(&["show", "bindings", "--socket", &socket, "--client", &duid]);
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["complete"], true);
    let lease = &json["clients"][0]["leases"][1];
    assert_eq!((&lease["kind"], &lease["prefix"]), (&"prefix".into(), &prefix_of(record).to_string().into()));

    let states =
        ["show", "bindings", "--socket", &socket, "--state", "released,declined", "--format", "ndjson"];
    assert_eq!(text(&leasehold(&states).stdout).lines().count(), 2);
    for what in ["links", "queries", "counters"] {
        for format in ["table", "json", "ndjson"] {
            let shown = leasehold(&["show", what, "--socket", &socket, "--format", format]);
            assert!(shown.status.success(), "{what} {format}: {}", text(&shown.stderr));
        }
    }

    let dry =
        leasehold(&["release", "--socket", &socket, "--client", &duid, "--dry-run", "--format", "ndjson"]);
    let released = leasehold(&["release", "--socket", &socket, "--client", &duid, "--format", "ndjson"]);
    assert_eq!(text(&dry.stdout), text(&released.stdout));
    let released: Value = serde_json::from_slice(&released.stdout).unwrap();
    assert_eq!(released["leases"].as_array().map(Vec::len), Some(2));
    server.running.stop();
}

#[test]
fn the_exit_code_says_what_went_wrong() {
    let server = Server::start(4);
    let socket = server.socket().display().to_string();
    let exit = |arguments: &[&str], code: i32, reason: &str| {
        let output = leasehold(arguments);
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
        assert!(told.contains(reason), "{arguments:?}: {told}");
    };
    exit(&["show", "bindings", "--socket", &socket, "--address", "2001:db8:ffff::"], 0, "");
    exit(&["show", "bindings"], 1, "--socket");
    exit(&["show", "bindings", "--socket", &socket, "--prefix", "2001:db8::1/32"], 1, "behind its length");
    exit(&["release", "--socket", &socket], 1, "say which leases");
    exit(&["release", "--socket", &socket, "--state", "active"], 1, "--state");
    exit(&["show", "bindings", "--socket", &socket, "--link", "nowhere"], 3, "no link is called");
    server.running.stop();
    exit(&["show", "links", "--socket", &socket], 4, "nobody listens");

    let listener = std::os::unix::net::UnixListener::bind(server.folder.path().join("mute")).unwrap();
    let mute = std::thread::spawn(move || drop(listener.accept().unwrap()));
    let path = server.folder.path().join("mute").display().to_string();
    exit(&["show", "links", "--socket", &path], 2, "not all");
    mute.join().unwrap();
}
