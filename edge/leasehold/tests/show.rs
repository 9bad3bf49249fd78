//! The commands that ask a relay, as an operator sees them: what comes from a control socket is made
//! up here, so that all there can be comes.

use std::io::{BufRead, BufReader, Write};
use std::ops::Range;
use std::os::unix::net::UnixListener;
use std::process::{Command, Output};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use leasehold::control::{
    Clearing, Delegated, Delegation, DelegationFilter, End, Leased, Line, Progress, RelayCounters,
    RelayMessages, RelayState, RelayStatus, Request, Route, RouteCounts, RouteFilter, RouteKind, RouteState,
    Server, ServerState, ToldBy, Unplaced,
};
use serde::Serialize;
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long a command may take to ask.
const PATIENCE: Duration = Duration::from_secs(60);

/// Somebody who answers one request with what was made up, and tells what was asked.
struct Told {
    folder: TempDir,
    asked: Receiver<Request>,
}

impl Told {
    fn items<T: Serialize>(items: &[T], end: End) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("control")).unwrap();
        let mut answer = Vec::new();
        for line in items.iter().map(Line::Item).chain([Line::End(end)]) {
            serde_json::to_writer(&mut answer, &line).unwrap();
            answer.push(b'\n');
        }
        let (ask, asked) = mpsc::channel();
        std::thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let mut stream = BufReader::new(stream);
            let mut line = String::new();
            stream.read_line(&mut line).unwrap();
            ask.send(serde_json::from_str(&line).unwrap()).unwrap();
            stream.get_mut().write_all(&answer).unwrap();
        });
        Self { folder, asked }
    }

    /// Has a command ask; gives what was asked, and what the command said.
    fn by(self, arguments: &[&str]) -> (Request, Output) {
        let socket = self.folder.path().join("control");
        let output = run([arguments, &["--socket", socket.to_str().unwrap()]].concat().as_slice());
        (self.asked.recv_timeout(PATIENCE).unwrap(), output)
    }
}

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_leasehold")).args(arguments).output().unwrap()
}

fn complete<T: Serialize>(items: &[T], arguments: &[&str]) -> (Request, String) {
    let (request, output) = Told::items(items, End::Complete).by(arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
    (request, text(&output.stdout))
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

/// The cells of the row of a table that begins so, the lines of each joined by ", ".
fn row(table: &str, begin: &str) -> Vec<String> {
    let mut lines = table.lines().skip_while(|line| !line.trim_start().starts_with(begin));
    let first = lines.next().unwrap_or_else(|| panic!("no row begins with {begin:?}:\n{table}"));
    // Cells are as wide as the widest one, and three spaces apart: so columns begin where the head's do.
    let head = table.lines().nth(1).unwrap();
    let starts = columns(head);
    let mut row: Vec<String> = starts.iter().map(|range| cell(first, range)).collect();
    for line in lines.take_while(|line| !line.starts_with('─')) {
        for (so_far, range) in row.iter_mut().zip(&starts) {
            let more = cell(line, range);
            if !more.is_empty() {
                *so_far += &format!(", {more}");
            }
        }
    }
    row
}

/// From where to where each column goes, in characters.
fn columns(head: &str) -> Vec<Range<usize>> {
    let characters: Vec<char> = head.chars().collect();
    let begins = |at: &usize| characters[*at] != ' ' && (*at < 2 || characters[at - 2..*at] == [' ', ' ']);
    let starts: Vec<usize> = (0..characters.len()).filter(begins).collect();
    let ends = starts.iter().skip(1).copied().chain([usize::MAX]);
    starts.iter().copied().zip(ends).map(|(start, end)| start..end).collect()
}

fn cell(line: &str, range: &Range<usize>) -> String {
    let inside = line.chars().skip(range.start).take(range.len());
    inside.collect::<String>().trim().to_owned()
}

fn delegations() -> Vec<Delegation> {
    let prefix = Delegation {
        leased: Leased::Prefix { prefix: "2001:db8:1:100::/56".to_owned() },
        client: "00:03:00:01:02:00:00:00:aa:01".to_owned(),
        iaid: Some(7),
        interface: Some("eth1.100".to_owned()),
        interface_id: "706f72742d37".to_owned(),
        interface_text: Some("port-7".to_owned()),
        next_hop: "fe80::aa:1".parse().unwrap(),
        preferred_secs: 3_600,
        valid_secs: 7_200,
        last_transaction_secs: Some(90),
        told_by: ToldBy::Reply,
        route: RouteState::Installed,
        route_why: None,
    };
    let absent = Delegation {
        leased: Leased::Prefix { prefix: "2001:db8:1:200::/56".to_owned() },
        iaid: None,
        interface: None,
        interface_id: "00ff".to_owned(),
        interface_text: None,
        preferred_secs: 0,
        valid_secs: u32::MAX,
        last_transaction_secs: None,
        told_by: ToldBy::Server("north".to_owned()),
        route: RouteState::Waiting,
        route_why: Some("its interface is absent".to_owned()),
        ..prefix.clone()
    };
    let address = Delegation {
        leased: Leased::Address { address: "2001:db8:2::7".to_owned() },
        told_by: ToldBy::Memory,
        route: RouteState::None,
        ..prefix.clone()
    };
    vec![prefix, absent, address]
}

// PDR-27, PDR-28
#[test]
fn delegations_are_listed_with_client_next_hop_interface_and_lifetimes() {
    let (request, table) = complete(&delegations(), &["show", "delegations", "--format", "table"]);
    assert_eq!(request, Request::Delegations(DelegationFilter::default()));
    let expected = [
        "2001:db8:1:100::/56",
        "00:03:00:01:02:00:00:00:aa:01, IAID 7",
        "fe80::aa:1, on eth1.100",
        "preferred 1 h 0 min, valid 2 h 0 min",
        "1 min 30 s ago, by reply",
        "installed",
    ];
    assert_eq!(row(&table, "2001:db8:1:100::"), expected);
    let expected = [
        "2001:db8:1:200::/56",
        "00:03:00:01:02:00:00:00:aa:01",
        "fe80::aa:1, on 00ff (absent)",
        "preferred 0 s, valid for ever",
        "unknown, by north",
        "waiting: its interface is absent",
    ];
    assert_eq!(row(&table, "2001:db8:1:200::"), expected);
    assert_eq!(row(&table, "2001:db8:2::7")[4..], ["1 min 30 s ago, by memory", "none"]);

    let (_, object) = complete(&delegations(), &["show", "delegations"]);
    let object: Value = serde_json::from_str(&object).unwrap();
    assert_eq!(object["complete"], true);
    let expected = json!({
        "kind": "prefix",
        "prefix": "2001:db8:1:200::/56",
        "client": "00:03:00:01:02:00:00:00:aa:01",
        "iaid": null,
        "interface": null,
        "interface_id": "00ff",
        "interface_text": null,
        "next_hop": "fe80::aa:1",
        "preferred_secs": 0,
        "valid_secs": u32::MAX,
        "last_transaction_secs": null,
        "told_by": { "server": "north" },
        "route": "waiting",
        "route_why": "its interface is absent",
    });
    assert_eq!(object["delegations"][1], expected);
    assert_eq!(object["delegations"][2]["told_by"], "memory");

    let (_, lines) = complete(&delegations(), &["show", "delegations", "--format", "ndjson"]);
    assert_eq!(lines.lines().count(), 3);
    let (_, nothing) = complete::<Delegation>(&[], &["show", "delegations", "--format", "table"]);
    assert!(nothing.contains("next hop"));
}

#[test]
fn what_has_no_place_is_listed_apart() {
    let lease = Unplaced {
        leased: Leased::Prefix { prefix: "2001:db8:1:300::/56".to_owned() },
        client: "00:03:00:01:02:00:00:00:aa:03".to_owned(),
        server: "north".to_owned(),
        why: "no relay on its way is this one".to_owned(),
    };
    let arguments = ["show", "delegations", "--unplaced", "--server", "north", "--format", "table"];
    let (request, table) = complete(std::slice::from_ref(&lease), &arguments);
    let filter = DelegationFilter { server: Some("north".to_owned()), ..DelegationFilter::default() };
    assert_eq!(request, Request::Unplaced(filter));
    assert_eq!(row(&table, "2001:db8:1:300::")[2..], ["north", "no relay on its way is this one"]);
    let (_, object) = complete(&[lease], &["show", "delegations", "--unplaced"]);
    let object: Value = serde_json::from_str(&object).unwrap();
    assert_eq!(object["unplaced"][0]["prefix"], "2001:db8:1:300::/56");
}

#[test]
fn routes_are_listed_with_who_stands_in_their_way() {
    let route = Route {
        destination: "2001:db8:1:100::/56".to_owned(),
        kind: RouteKind::Unicast,
        via: Some("fe80::aa:1".parse().unwrap()),
        interface: Some("eth1.100".to_owned()),
        state: RouteState::Conflict,
        why: Some("proto static via fe80::1 dev eth9".to_owned()),
        protocol: 220,
        metric: 512,
        table: 254,
    };
    let aggregate = Route {
        destination: "2001:db8:1::/48".to_owned(),
        kind: RouteKind::Unreachable,
        via: None,
        interface: None,
        state: RouteState::Installed,
        why: None,
        ..route.clone()
    };
    let arguments =
        ["show", "routes", "--state", "conflict,installed", "--interface", "eth1.100", "--format", "table"];
    let (request, table) = complete(&[route, aggregate.clone()], &arguments);
    let filter = RouteFilter {
        interface: Some("eth1.100".to_owned()),
        states: vec![RouteState::Conflict, RouteState::Installed],
        ..RouteFilter::default()
    };
    assert_eq!(request, Request::Routes(filter));
    let expected = [
        "2001:db8:1:100::/56",
        "fe80::aa:1",
        "eth1.100",
        "conflict: proto static via fe80::1 dev eth9",
        "220",
        "512",
        "254",
    ];
    assert_eq!(row(&table, "2001:db8:1:100::"), expected);
    let expected = ["2001:db8:1::/48", "unreachable", "", "installed", "220", "512", "254"];
    assert_eq!(row(&table, "2001:db8:1::/48"), expected);
    let (_, line) = complete(&[aggregate], &["show", "routes", "--format", "ndjson"]);
    let expected = json!({
        "destination": "2001:db8:1::/48",
        "kind": "unreachable",
        "via": null,
        "interface": null,
        "state": "installed",
        "why": null,
        "protocol": 220,
        "metric": 512,
        "table": 254,
    });
    assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), expected);
}

#[test]
fn servers_are_listed_with_how_asking_them_goes() {
    let north = Server {
        name: "north".to_owned(),
        address: "[2001:db8::1]:547".to_owned(),
        leasequery_address: Some("[2001:db8::1]:547".to_owned()),
        state: ServerState::Waiting,
        since_secs: 75,
        method: Some("relay-id".to_owned()),
        failed_attempts: 3,
        next_attempt_secs: Some(40),
        last_error: Some("connection refused".to_owned()),
        last_success_secs: None,
        clients: 0,
        leases: 0,
        forwarded: 12,
        replies: 9,
    };
    let group = Server {
        name: "[ff02::1:2]:547".to_owned(),
        address: "[ff02::1:2]:547".to_owned(),
        leasequery_address: None,
        state: ServerState::NotAsked,
        method: None,
        failed_attempts: 0,
        next_attempt_secs: None,
        last_error: None,
        ..north.clone()
    };
    let (request, table) = complete(&[north.clone(), group], &["show", "servers", "--format", "table"]);
    assert_eq!(request, Request::Servers);
    let expected = [
        "north, [2001:db8::1]:547",
        "at [2001:db8::1]:547, by relay-id",
        "waiting for 1 min 15 s, failed 3 times, next in 40 s",
        "never",
        "0 clients, 0 leases",
        "12 forwarded, 9 replies",
        "connection refused",
    ];
    assert_eq!(row(&table, "north"), expected);
    assert_eq!(row(&table, "[ff02")[..3], ["[ff02::1:2]:547", "", "not asked"]);
    let (_, object) = complete(&[north], &["show", "servers"]);
    let object: Value = serde_json::from_str(&object).unwrap();
    assert_eq!(object["servers"][0]["state"], "waiting");
    assert_eq!(object["servers"][0]["next_attempt_secs"], 40);
}

fn status(state: RelayState, servers_done: u64, why: Option<&str>) -> RelayStatus {
    let solicits = RelayMessages { received: 5, forwarded: 10, delivered: 0 };
    RelayStatus {
        relay_id: "00:03:00:01:02:00:00:00:00:01".to_owned(),
        version: "0.1.0".to_owned(),
        uptime_secs: 3_600,
        state,
        since_secs: 4,
        why: why.map(str::to_owned),
        recovery: Progress { servers: 2, servers_done, clients: 12, leases: 24, unplaced: 1 },
        delegations: Delegated { prefixes: 23, addresses: 0 },
        routes: RouteCounts { wanted: 23, installed: 20, pending: 3, ..RouteCounts::default() },
        ports: 4,
        counters: RelayCounters {
            messages: [("SOLICIT".to_owned(), solicits), ("DECLINE".to_owned(), RelayMessages::default())]
                .into(),
            discards: [("malformed".to_owned(), 2), ("hop-limit".to_owned(), 0)].into(),
        },
    }
}

#[test]
fn a_relay_says_how_it_is() {
    let status = status(RelayState::Degraded, 1, Some("north: connection refused"));
    let (request, table) = complete(std::slice::from_ref(&status), &["show", "relay", "--format", "table"]);
    assert_eq!(request, Request::Relay);
    assert_eq!(row(&table, "state")[1], "degraded for 4 s: north: connection refused");
    assert_eq!(row(&table, "recovery")[1], "1 of 2 servers done, 12 clients, 24 leases, 1 of them unplaced");
    assert_eq!(row(&table, "routes")[1], "23 wanted, 20 installed, 3 pending");
    assert_eq!(row(&table, "SOLICIT")[1], "5 received, 10 forwarded");
    assert_eq!(row(&table, "malformed")[1], "2 discarded");
    assert!(!table.contains("DECLINE") && !table.contains("hop-limit"));
    let (_, object) = complete(&[status], &["show", "relay"]);
    let object: Value = serde_json::from_str(&object).unwrap();
    assert_eq!((&object["state"], &object["routes"]["installed"]), (&json!("degraded"), &json!(20)));
    assert_eq!(object["counters"]["discards"]["hop-limit"], 0);
}

// PDR-29
#[test]
fn delegations_are_cleared_by_lease_by_client_or_by_port() {
    let client = "00:03:00:01:02:00:00:00:aa:01";
    let none = DelegationFilter::default;
    let cases = [
        (
            vec!["--prefix", "2001:db8:1:100::/56"],
            DelegationFilter { prefix: "2001:db8:1:100::/56".parse().ok(), ..none() },
        ),
        (vec!["--client", client], DelegationFilter { client: client.parse().ok(), ..none() }),
        (
            vec!["--interface", "eth1.100"],
            DelegationFilter { interface: Some("eth1.100".to_owned()), ..none() },
        ),
        (vec!["--all"], none()),
    ];
    for (said, filter) in cases {
        let arguments = [&["clear", "delegation", "--format", "ndjson"][..], &said].concat();
        let (request, lines) = complete(&delegations(), &arguments);
        let all = filter.is_empty();
        assert_eq!(request, Request::Clear(Clearing { filter, all, dry_run: false }), "{said:?}");
        assert_eq!(lines.lines().count(), 3);
    }
    let arguments = ["clear", "delegation", "--all", "--dry-run", "--format", "table"];
    let (request, table) = complete(&delegations(), &arguments);
    assert!(matches!(request, Request::Clear(Clearing { dry_run: true, .. })));
    assert_eq!(row(&table, "2001:db8:2::7")[4], "1 min 30 s ago, by memory");
    for said in [vec!["--socket", "none"], vec!["--socket", "none", "--all", "--client", client]] {
        let output = run(&[&["clear", "delegation"][..], &said].concat());
        assert_eq!(output.status.code(), Some(1), "{said:?}");
        assert!(text(&output.stderr).contains("say which delegations"));
    }
}

#[test]
fn a_refresh_is_over_when_every_server_is_done_or_one_cannot() {
    let under_way = || status(RelayState::Recovering, 0, None);
    let (request, object) = complete(&[under_way()], &["refresh"]);
    assert_eq!(request, Request::Refresh { wait: false });
    assert_eq!(serde_json::from_str::<Value>(&object).unwrap()["state"], "recovering");

    let in_sync = [under_way(), status(RelayState::InSync, 2, None)];
    let (request, object) = complete(&in_sync, &["refresh", "--wait"]);
    assert_eq!(request, Request::Refresh { wait: true });
    assert_eq!(serde_json::from_str::<Value>(&object).unwrap()["state"], "in_sync");

    let degraded = [under_way(), status(RelayState::Degraded, 1, Some("north: connection refused"))];
    let (_, output) = Told::items(&degraded, End::Complete).by(&["refresh", "--wait", "--format", "table"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(row(&text(&output.stdout), "state")[1], "degraded for 4 s: north: connection refused");
    // Nothing moves where nobody looks.
    assert_eq!(text(&output.stderr), "");

    let broken = Told::items(&[under_way()], End::Failed("whoever answers is stopping".to_owned()));
    let (_, output) = broken.by(&["refresh", "--wait"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("this is not all: whoever answers is stopping"));
}

#[test]
fn the_exit_code_says_what_went_wrong() {
    let of_relays: [&[&str]; 8] = [
        &["show", "relay"],
        &["show", "delegations"],
        &["show", "delegations", "--unplaced"],
        &["show", "routes"],
        &["show", "servers"],
        &["clear", "delegation", "--all"],
        &["refresh"],
        &["refresh", "--wait"],
    ];
    for arguments in of_relays {
        let refused =
            Told::items::<Delegation>(&[], End::Refused("this is a server: ask its relay".to_owned()));
        let (_, output) = refused.by(arguments);
        assert_eq!(output.status.code(), Some(3), "{arguments:?}");
        assert_eq!(text(&output.stderr), "leasehold: refused: this is a server: ask its relay\n");
        let failed = Told::items::<Delegation>(&[], End::Failed("broken".to_owned()));
        assert_eq!(failed.by(arguments).1.status.code(), Some(2), "{arguments:?}");
        let nowhere = run(&[arguments, &["--socket", "/nowhere/control"]].concat());
        assert_eq!(nowhere.status.code(), Some(4), "{arguments:?}");
        assert_eq!(run(arguments).status.code(), Some(1), "{arguments:?}");
    }
}
