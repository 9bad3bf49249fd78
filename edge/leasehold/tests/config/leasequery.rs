//! `[leasequery]`: who may ask, and how much.

use std::path::Path;
use std::time::Duration;

use leasehold::config::AllowRule;
use server::leasequery::BulkLimits;
use wire::OptionCode;
use wire::leasequery::QueryType;

use crate::{assert_fault, assert_links_fault, good};

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
        max-connections-per-requestor = 4
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
        max_connections_per_requestor: Some(4),
        max_queries_per_connection: 2,
        max_queries_per_requestor: 3,
        data_timeout: Duration::from_secs(400),
        idle_timeout: Duration::from_secs(5),
        close_after_reply: true,
    };
    assert_eq!(bulk.limits, limits);
    assert!(config.warnings.is_empty());
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
fn numbers_out_of_range() {
    let cases = [
        ("udp", "relayed-hops", "33", "from 0 to 32"),
        ("udp", "rate-per-second", "0", "from 1 to 1000000"),
        ("udp", "burst", "0", "from 1 to 1000000"),
        ("bulk", "max-connections", "0", "from 1 to 65536"),
        ("bulk", "max-connections-per-requestor", "0", "from 1 to 65536"),
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
