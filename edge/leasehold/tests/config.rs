//! The configuration file: what it means, and what is said when it is wrong.

use std::path::Path;
use std::time::Duration;

use lease::{AddressPool, DelegationPool, Link, LinkId};
use leasehold::config::{AllowRule, Config, Fault, Faults, render};
use proptest::prelude::*;
use server::leasequery::BulkLimits;
use wire::OptionCode;
use wire::leasequery::QueryType;

const EXAMPLE: &str = include_str!("../../../examples/leasehold.toml");

/// Two links that are good, in lines 1 to 12, to be spoiled.
const LINKS: &str = r#"[[link]]
id = 1
name = "one"
prefixes = ["2001:db8:1::/64"]
address-pools = ["2001:db8:1::/80"]
[[link.delegation-pools]]
prefix = "2001:db8:f000::/40"
delegated-length = 56
[[link]]
id = 2
name = "two"
prefixes = ["2001:db8:2::/64"]
"#;

fn parse(text: &str) -> Result<Config, Faults> {
    Config::parse(Path::new("test.toml"), text)
}

fn good(text: &str) -> Config {
    parse(text).unwrap_or_else(|faults| panic!("{faults}"))
}

fn faults(text: &str) -> Vec<Fault> {
    parse(text).expect_err("the text has a fault").0
}

/// The text has this one fault, at this line and key, and what is said of it has these parts.
#[track_caller]
fn assert_fault(text: &str, line: usize, key: &str, parts: &[&str]) {
    let found = faults(text);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!((found[0].line, found[0].key.as_str()), (Some(line), key), "{}", found[0]);
    let said = found[0].to_string();
    assert!(said.starts_with(&format!("test.toml:{line}: ")), "{said}");
    for part in parts {
        assert!(said.contains(part), "{part:?} is not in {said:?}");
    }
}

/// As [`assert_fault`], with one part of [`LINKS`] replaced.
#[track_caller]
fn assert_links_fault(good: &str, bad: &str, line: usize, key: &str, parts: &[&str]) {
    assert!(LINKS.contains(good));
    assert_fault(&LINKS.replacen(good, bad, 1), line, key, parts);
}

// BLQ-F-10, BLQ-F-16, BLQ-S-02
#[test]
fn an_empty_file_means_the_defaults() {
    let config = good("");
    assert_eq!(config, Config::default());
    assert_eq!(config.server_id, None);
    assert_eq!(config.state, Path::new("/var/lib/leasehold"));
    let leasequery = config.leasequery;
    assert!(leasequery.allow.is_empty(), "nobody may ask until a rule lets them");
    assert!(leasequery.track_relays && !leasequery.refuse_silently);
    assert_eq!(leasequery.udp.listen, ["[::]:547".parse().unwrap()]);
    assert_eq!(leasequery.bulk.listen, ["[::]:547".parse().unwrap()]);
    assert_eq!(leasequery.udp.relayed_hops, 0);
    assert_eq!(leasequery.bulk.limits.max_connections, 10);
    assert_eq!(leasequery.bulk.limits.data_timeout, Duration::from_secs(300));
}

// BLQ-F-11, BLQ-F-14, BLQ-S-03, BLQ-S-11, LQ-S-28
#[test]
fn every_key_is_read() {
    let config = good(
        r#"
        server-id = "00:02:00:00:7e:d9:01"
        state = "state"
        [leasequery]
        allow = [{ from = "2001:db8::/32", queries = ["address", "remote-id"] }, { from = "::1" }]
        refuse-silently = true
        sensitive-options = ["CLIENT_FQDN", 16]
        track-relays = false
        udp = { listen = [], relayed-hops = 2, rate-per-second = 5, burst = 6 }
        [leasequery.bulk]
        listen = ["[2001:db8::1]:5470", "::1"]
        max-connections = 1
        max-queries-per-connection = 2
        max-queries-per-requestor = 3
        data-timeout-secs = 400
        idle-timeout-secs = 5
        close-after-reply = true
        "#,
    );
    assert_eq!(config.server_id, Some("00:02:00:00:7e:d9:01".parse().unwrap()));
    assert_eq!(config.state, Path::new("state"));
    let leasequery = &config.leasequery;
    let queries = Some(vec![QueryType::BY_ADDRESS, QueryType::BY_REMOTE_ID]);
    let rules = [
        AllowRule { from: "2001:db8::/32".parse().unwrap(), queries },
        AllowRule { from: "::1/128".parse().unwrap(), queries: None },
    ];
    assert_eq!(leasequery.allow, rules);
    assert!(leasequery.refuse_silently && !leasequery.track_relays);
    assert_eq!(leasequery.sensitive_options, [OptionCode::CLIENT_FQDN, OptionCode::VENDOR_CLASS]);
    assert!(leasequery.udp.listen.is_empty());
    assert_eq!(
        (leasequery.udp.relayed_hops, leasequery.udp.rate_per_second, leasequery.udp.burst),
        (2, 5, 6)
    );
    let bulk = &leasequery.bulk;
    assert_eq!(bulk.listen, ["[2001:db8::1]:5470".parse().unwrap(), "[::1]:547".parse().unwrap()]);
    let limits = BulkLimits {
        max_connections: 1,
        max_queries_per_connection: 2,
        max_queries_per_requestor: 3,
        data_timeout: Duration::from_secs(400),
        idle_timeout: Duration::from_secs(5),
        close_after_reply: true,
    };
    assert_eq!(bulk.limits, limits);
    assert!(config.warnings.is_empty());
}

#[test]
fn the_example_is_good_and_shows_the_defaults() {
    let config = good(EXAMPLE);
    assert_eq!((config.links.len(), config.leasequery.allow.len()), (1, 2));
    assert!(config.warnings.is_empty());
    let is_default = |line: &str| {
        line.strip_prefix('#').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()))
    };
    let shown = EXAMPLE.lines().filter(|line| is_default(line)).count();
    assert_eq!(shown, 15);
    let all: Vec<&str> =
        EXAMPLE.lines().map(|line| if is_default(line) { &line[1..] } else { line }).collect();
    assert_eq!(good(&all.join("\n")), config);
}

/// The list of keys in a fault is made from what is read, so it is complete.
#[test]
fn the_example_has_every_key() {
    for table in ["", "[leasequery]", "[leasequery.udp]", "[leasequery.bulk]"] {
        assert_in_example(&format!("{table}\nzzz = 1"));
    }
    assert_in_example("[leasequery]\nallow = [{ from = \"::1\", zzz = 1 }]");
    assert_in_example(&LINKS.replace("id = 2", "id = 2\nzzz = 1"));
    assert_in_example(&LINKS.replace("delegated-length = 56", "delegated-length = 56\nzzz = 1"));
}

#[track_caller]
fn assert_in_example(text: &str) {
    let found = faults(text);
    let keys = found[0].remedy.strip_prefix("the keys here are ").expect("a list of keys");
    for key in keys.split(", ") {
        let shown = [format!("{key} = "), format!("[{key}]"), format!("[[{key}]]")];
        let nested = [format!(".{key}]")];
        assert!(
            shown.iter().chain(&nested).any(|part| EXAMPLE.contains(part)),
            "{key} is not in the example"
        );
    }
}

// BLQ-F-15
#[test]
fn a_short_data_timeout_is_accepted_with_one_warning() {
    let config = good("[leasequery.bulk]\ndata-timeout-secs = 299");
    assert_eq!(config.leasequery.bulk.limits.data_timeout, Duration::from_secs(299));
    assert_eq!(config.warnings.len(), 1);
    let warning = config.warnings[0].to_string();
    assert!(warning.starts_with("test.toml:2: leasequery.bulk.data-timeout-secs: "), "{warning}");
    assert!(warning.contains("300 is recommended"), "{warning}");
    assert!(good("[leasequery.bulk]\ndata-timeout-secs = 300").warnings.is_empty());
}

#[test]
fn what_is_not_toml_has_a_line() {
    assert_fault("state = \"a\"\n[leasequery\n", 2, "", &["is not TOML"]);
    assert_fault("state = \"a\"\nstate = \"b\"\n", 2, "", &["is not TOML", "duplicate key"]);
}

#[test]
fn files_that_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("leasehold.toml");
    let fault = &Config::read(&path).unwrap_err().0[0];
    assert_eq!((fault.file.as_path(), fault.line), (path.as_path(), None));
    assert!(fault.problem.starts_with("cannot be read"), "{fault}");
    std::fs::write(&path, b"state = \"a\"\n# \xff").unwrap();
    let fault = &Config::read(&path).unwrap_err().0[0];
    assert_eq!((fault.line, fault.problem.as_str()), (Some(2), "is not UTF-8"));
    std::fs::write(&path, EXAMPLE).unwrap();
    assert_eq!(Config::read(&path).unwrap(), good(EXAMPLE));
}

#[test]
fn unknown_keys() {
    assert_fault("\nstat = \"a\"", 2, "stat", &["no such key", "did you mean state?"]);
    let bulk = "[leasequery.bulk]\nmax-conections = 3";
    assert_fault(bulk, 2, "leasequery.bulk.max-conections", &["did you mean max-connections?"]);
    assert_fault(
        "[leasequery.udp]\nx = 1",
        2,
        "leasequery.udp.x",
        &["the keys here are listen, relayed-hops"],
    );
    assert_fault("[[links]]\nid = 1", 1, "links", &["did you mean link?"]);
    assert_links_fault("id = 2", "id = 2\nprefix = []", 11, "link.prefix", &["did you mean prefixes?"]);
}

#[test]
fn wrong_types() {
    assert_fault("state = 1", 1, "state", &["is of the type integer", "write a text in quotes"]);
    assert_fault("leasequery = 1", 1, "leasequery", &["write a table"]);
    assert_fault("[leasequery]\ntrack-relays = \"no\"", 2, "leasequery.track-relays", &["true or false"]);
    assert_fault("[leasequery.udp]\nburst = 1.5", 2, "leasequery.udp.burst", &["float", "whole number"]);
    assert_fault(
        "[leasequery.udp]\nlisten = \"::\"",
        2,
        "leasequery.udp.listen",
        &["string", "a list in [ ]"],
    );
    assert_fault("[link]\nid = 1", 1, "link", &["is of the type table", "a list in [ ]"]);
}

#[test]
fn numbers_out_of_range() {
    let cases = [
        ("udp", "relayed-hops", "33", "from 0 to 32"),
        ("udp", "rate-per-second", "0", "from 1 to 1000000"),
        ("udp", "burst", "0", "from 1 to 1000000"),
        ("bulk", "max-connections", "0", "from 1 to 65536"),
        ("bulk", "max-queries-per-connection", "-1", "from 1 to 65536"),
        ("bulk", "max-queries-per-requestor", "65537", "from 1 to 65536"),
        ("bulk", "data-timeout-secs", "0", "from 1 to 86400"),
        ("bulk", "idle-timeout-secs", "99999999999999999999", "from 1 to 86400"),
    ];
    for (table, key, number, remedy) in cases {
        let text = format!("[leasequery.{table}]\n{key} = {number}");
        assert_fault(&text, 2, &format!("leasequery.{table}.{key}"), &[number, "out of range", remedy]);
    }
    assert_links_fault("id = 2", "id = 0", 10, "link.id", &["from 1 to 4294967295"]);
}

#[test]
fn identifiers_and_folders() {
    assert_fault("server-id = \"zz\"", 1, "server-id", &["hexadecimal", "00:02:"]);
    assert_fault("server-id = \"00:02\"", 1, "server-id", &["3 to 130 octets, not 2"]);
    assert_fault("state = \"\"", 1, "state", &["is empty", "/var/lib/leasehold"]);
}

#[test]
fn sockets() {
    let cases = [
        ("[::]:0", "no port", "from 1 to 65535"),
        ("[::]:70000", "is not an address", "from 1 to 65535"),
        ("0.0.0.0:547", "IPv4", "[::]:547"),
        ("localhost:547", "is not an address", "[::]:547"),
    ];
    for (socket, problem, remedy) in cases {
        let text = format!("[leasequery.bulk]\nlisten = [\n\"{socket}\"]");
        assert_fault(&text, 3, "leasequery.bulk.listen", &[socket, problem, remedy]);
    }
    let twice = "[leasequery.udp]\nlisten = [\n\"::1\",\n\"[::1]:547\"]";
    assert_fault(twice, 4, "leasequery.udp.listen", &["twice"]);
}

#[test]
fn rules_of_who_may_ask() {
    let rule = |rule: &str| format!("[leasequery]\nallow = [\n{rule}\n]");
    let key = "leasequery.allow";
    let from = "leasequery.allow.from";
    let queries = "leasequery.allow.queries";
    assert_fault(&rule("{ queries = [\"link\"] }"), 3, key, &["from is missing", "add from = "]);
    assert_fault(&rule("{ from = \"2001:db8::1/32\" }"), 3, from, &["write \"2001:db8::/32\""]);
    assert_fault(&rule("{ from = \"::1\", queries = [] }"), 3, queries, &["permits nothing"]);
    assert_fault(
        &rule("{ from = \"::1\", queries = [\"relayid\"] }"),
        3,
        queries,
        &["did you mean relay-id?"],
    );
    let unlike = rule("{ from = \"::1\", queries = [\"x\"] }");
    assert_fault(&unlike, 3, queries, &["the queries are address, client, relay-id, link, remote-id"]);
    assert_fault(&rule("\"::1\""), 3, key, &["string", "write a table"]);
}

// LQ-S-28
#[test]
fn sensitive_options() {
    let options = |options: &str| format!("[leasequery]\nsensitive-options = [\n{options}\n]");
    let key = "leasequery.sensitive-options";
    assert_fault(&options("\"CLIENT_FDQN\""), 3, key, &["did you mean CLIENT_FQDN?"]);
    assert_fault(&options("\"?\""), 3, key, &["its number, or its name"]);
    assert_fault(&options("65536"), 3, key, &["from 1 to 65535"]);
    assert_fault(&options("0"), 3, key, &["from 1 to 65535"]);
    assert_fault(&options("\"CLIENTID\""), 3, key, &["cannot be withheld", "leasequery.allow"]);
    let listed = good(&options("\"user-class\", 65535")).leasequery.sensitive_options;
    assert_eq!(listed, [OptionCode::USER_CLASS, OptionCode(65535)]);
}

#[test]
fn prefixes() {
    let bad = |bad: &str| format!("prefixes = [\"{bad}\"]");
    let good = "prefixes = [\"2001:db8:2::/64\"]";
    let key = "link.prefixes";
    assert_links_fault(good, &bad("2001:db8:2::1/64"), 12, key, &["bits set", "write \"2001:db8:2::/64\""]);
    assert_links_fault(good, &bad("2001:db8:2::/129"), 12, key, &["129"]);
    assert_links_fault(good, &bad("2001:db8:2::"), 12, key, &["is not a prefix", "a slash and a length"]);
    let same = bad("2001:db8:1::/64");
    assert_links_fault(good, &same, 12, key, &["2001:db8:1::/64", "line 4 already"]);
    let relay = format!("{good}\nrelay-addresses = [\"fe80\"]");
    assert_links_fault(good, &relay, 13, "link.relay-addresses", &["is not an IPv6 address"]);
}

#[test]
fn numbers_and_names_of_links() {
    assert_links_fault("id = 2", "id = 1", 10, "link.id", &["line 2 already", "such as 2"]);
    assert_links_fault("id = 2\n", "", 9, "link", &["id is missing", "add id = 1"]);
    assert_links_fault("name = \"two\"", "name = \"one\"", 11, "link.name", &["\"one\"", "line 3 already"]);
    assert_links_fault("name = \"two\"", "name = \"\"", 11, "link.name", &["is empty"]);
    assert_links_fault("name = \"two\"\n", "", 9, "link", &["name is missing"]);
}

#[test]
fn address_pools() {
    let pool = |pool: &str| format!("address-pools = [\"{pool}\"]");
    let good = "address-pools = [\"2001:db8:1::/80\"]";
    let key = "link.address-pools";
    let outside = pool("2001:db8:3::1 - 2001:db8:3::2");
    assert_links_fault(good, &outside, 5, key, &["outside", "in 2001:db8:1::/64"]);
    let half = pool("2001:db8:1::1 - 2001:db8:2::");
    assert_links_fault(good, &half, 5, key, &["outside"]);
    let backwards = pool("2001:db8:1::2 - 2001:db8:1::1");
    assert_links_fault(good, &backwards, 5, key, &["ends before it starts", "lowest"]);
    assert_links_fault(good, &pool("2001:db8:1::2"), 5, key, &["is not a range"]);
    assert_links_fault(good, &pool("2001:db8:1::2/80"), 5, key, &["write \"2001:db8:1::/80\""]);
    assert_links_fault("prefixes = [\"2001:db8:1::/64\"]", "", 5, key, &["outside", "it has none"]);
}

#[test]
fn delegation_pools() {
    let good = "delegated-length = 56";
    let key = "link.delegation-pools.delegated-length";
    assert_links_fault(good, "delegated-length = 39", 8, key, &["of line 7", "from 40 to 128"]);
    assert_links_fault(good, "delegated-length = 129", 8, key, &["out of range", "to 128"]);
    assert_links_fault(good, "", 6, "link.delegation-pools", &["delegated-length is missing"]);
    let excluded = |excluded: &str| format!("{good}\nexcluded-prefix = \"{excluded}\"");
    let key = "link.delegation-pools.excluded-prefix";
    assert_links_fault(
        good,
        &excluded("2001:db9::/64"),
        9,
        key,
        &["not inside", "2001:db8:f000::/40 of line 7"],
    );
    assert_links_fault(good, &excluded("2001:db8:f000::/56"), 9, key, &["not smaller", "a longer prefix"]);
}

#[test]
fn overlapping_pools() {
    let good = "address-pools = [\"2001:db8:1::/80\"]";
    let within = "address-pools = [\"2001:db8:1::/80\",\n\"2001:db8:1::5 - 2001:db8:1::9\"]";
    let common = ["2001:db8:1::5 to 2001:db8:1::9", "line 5", "one pool"];
    assert_links_fault(good, within, 6, "link.address-pools", &common);
    let across = "prefixes = [\"2001:db8::/32\"]\naddress-pools = [\"2001:db8:1::ffff/128\"]";
    let second = "prefixes = [\"2001:db8:2::/64\"]";
    assert_links_fault(second, across, 13, "link.address-pools", &["of line 5"]);
    let delegation = "[[link.delegation-pools]]\nprefix = \"2001:db8::/32\"\ndelegated-length = 64";
    let text = LINKS.replace(second, delegation);
    let lines: Vec<_> = faults(&text).iter().map(|fault| fault.line).collect();
    assert_eq!(lines, [Some(13), Some(13)], "one fault for each pool it runs into");
}

#[test]
fn all_faults_are_told_at_once_by_line() {
    let text = r#"
stat = "x"
server-id = 7
[leasequery]
allow = [{ from = "10.0.0.0/8" }, { form = "::1" }]
[leasequery.bulk]
max-connections = 0
[[link]]
id = 1
prefixes = ["2001:db8::1/64", "2001:db8::/130"]
"#;
    let lines: Vec<_> = faults(text).iter().map(|fault| fault.line.unwrap()).collect();
    assert_eq!(lines, [2, 3, 5, 5, 5, 7, 8, 10, 10]);
    let told = parse(text).unwrap_err().to_string();
    assert_eq!(told.lines().count(), 9, "{told}");
}

fn links() -> Vec<Link> {
    let range =
        |first: &str, last: &str| AddressPool { first: first.parse().unwrap(), last: last.parse().unwrap() };
    let pool = |prefix: &str, delegated_length, excluded: Option<&str>| DelegationPool {
        prefix: prefix.parse().unwrap(),
        delegated_length,
        excluded: excluded.map(|text| text.parse().unwrap()),
    };
    let full = Link {
        id: LinkId(7),
        name: "bng \"seven\" \\ 'x'".to_owned(),
        prefixes: vec!["2001:db8:7::/64".parse().unwrap(), "2001:db8:77::/64".parse().unwrap()],
        relay_addresses: vec!["fe80::7".parse().unwrap()],
        interface_ids: Vec::new(),
        relay_ids: Vec::new(),
        interfaces: Vec::new(),
        address_pools: vec![
            range("2001:db8:7::1", "2001:db8:7::ff"),
            range("2001:db8:77::", "2001:db8:77::"),
        ],
        delegation_pools: vec![
            pool("2001:db8:f000::/40", 56, Some("2001:db8:f000::/64")),
            pool("2001:db8:e000::/48", 48, None),
        ],
    };
    let bare = Link {
        id: LinkId(u32::MAX),
        name: "bare".to_owned(),
        prefixes: Vec::new(),
        relay_addresses: Vec::new(),
        interface_ids: Vec::new(),
        relay_ids: Vec::new(),
        interfaces: Vec::new(),
        address_pools: Vec::new(),
        delegation_pools: Vec::new(),
    };
    vec![full, bare]
}

#[test]
fn what_is_written_reads_back() {
    let server_id = Some("00:03:00:01:02:00:00:00:aa:01".parse().unwrap());
    let config = good(&render(server_id.as_ref(), "/srv/\"lease\"\nhold", &links()));
    let mut expected =
        Config { server_id, state: "/srv/\"lease\"\nhold".into(), links: links(), ..Config::default() };
    expected.leasequery.allow = vec![AllowRule { from: "::1/128".parse().unwrap(), queries: None }];
    assert_eq!(config, expected);
    assert_eq!(good(&render(None, "state", &[])).links, []);
}

proptest! {
    #[test]
    fn arbitrary_text_is_read_without_a_panic(text in any::<String>()) {
        let _ = parse(&text);
    }

    /// A good file with one line replaced by something that is nearly TOML.
    #[test]
    fn a_spoiled_file_is_read_without_a_panic(line in 0..200usize, text in "[a-z0-9:/.\" =\\[\\]{}\\-]{0,40}") {
        let mut lines: Vec<&str> = EXAMPLE.lines().collect();
        let line = line % lines.len();
        lines[line] = &text;
        let _ = parse(&lines.join("\n"));
    }

    /// Any value in the place of any other.
    #[test]
    fn any_value_anywhere_is_read_without_a_panic(line in 0..200usize, value in value()) {
        let all: String = EXAMPLE.lines().enumerate().map(|(index, text)| {
            let key = text.trim_start_matches('#').split_once(" = ").map(|(key, _)| key);
            match key {
                Some(key) if index == line && !key.starts_with(' ') => format!("{key} = {value}\n"),
                _ => format!("{text}\n"),
            }
        }).collect();
        if let Err(faults) = parse(&all) {
            prop_assert!(faults.0.iter().all(|fault| fault.line.is_some()));
        }
    }
}

fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        any::<u128>().prop_map(|bits| format!("\"{}/{}\"", std::net::Ipv6Addr::from_bits(bits), bits % 140)),
        any::<bool>().prop_map(|value| value.to_string()),
        Just("1979-05-27".to_owned()),
        Just("nan".to_owned()),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(|all| format!("[{}]", all.join(", "))),
            inner.prop_map(|value| format!("{{ from = {value} }}")),
        ]
    })
}
