//! A whole import: links and lease files in; links, clients and a summary out.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;
use std::path::Path;

use lease::{
    Binding, Client, ClientView, DelegationPool, IaKind, Lease, LeaseState, Link, LinkId, Resource, image,
};
use proptest::prelude::*;
use store::import::kea::leases::Strictness;
use store::import::kea::{ImportError, Imported, Links, Request, import, written_at};
use wire::{Iaid, OptionCode, Prefix};

const HEADER: &str = "address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,\
                      prefix_len,fqdn_fwd,fqdn_rev,hostname,hwaddr,state,user_context";
/// When the test files are read, unless a test says otherwise.
const NOW: u64 = 1_000_001_000;

/// One line; the client is heard `ago` seconds before [`NOW`].
struct Line {
    resource: &'static str,
    client: u8,
    iaid: u32,
    subnet: u32,
    ago: u64,
    state: u32,
    temporary: bool,
    tail: &'static str,
}

const LINE: Line = Line {
    resource: "2001:db8:1::1",
    client: 1,
    iaid: 1,
    subnet: 1,
    ago: 100,
    state: 0,
    temporary: false,
    tail: "",
};

impl Line {
    fn text(&self) -> String {
        let Self { resource, client, iaid, subnet, ago, state, temporary, tail } = self;
        let (address, length, lease_type) = match resource.split_once('/') {
            Some((address, length)) => (address, length, 2),
            None => (*resource, "128", u32::from(*temporary)),
        };
        let expire = NOW - ago + 4000;
        let duid = if *state == 1 { "00:00:00".to_owned() } else { format!("00:03:00:01:{client:02x}") };
        format!(
            "{address},{duid},4000,{expire},{subnet},3000,{lease_type},{iaid},{length},0,0,,,{state},{tail}\n"
        )
    }
}

/// Subnet 1 alone, and 2 and 3 on one link.
fn links() -> Links {
    let mut links = Links::default();
    let town = DelegationPool {
        prefix: "2001:db8:b000::/40".parse().unwrap(),
        delegated_length: 56,
        excluded: Some("2001:db8:b000:ab::/64".parse().unwrap()),
    };
    let link = |id: u32, name: &str| Link { id: LinkId(id), name: name.to_owned(), ..Link::default() };
    links.add(Link { delegation_pools: vec![town], ..link(2, "town") }, [2, 3]);
    links.add(link(1, "subnet-1"), [1]);
    links
}

fn request(directory: &Path) -> Request {
    Request {
        leases: directory.join("leases6.csv"),
        strictness: Strictness::LeaveOut,
        now: NOW,
        file_now: None,
        remember_secs: 0,
    }
}

fn import_text(text: &str, change: impl FnOnce(&mut Request)) -> Result<Imported, ImportError> {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("leases6.csv"), format!("{HEADER}\n{text}")).unwrap();
    let mut request = request(directory.path());
    change(&mut request);
    import(&request, links(), &mut |_| ())
}

fn try_import(lines: &[Line], change: impl FnOnce(&mut Request)) -> Result<Imported, ImportError> {
    import_text(&lines.iter().map(Line::text).collect::<String>(), change)
}

fn import_lines(lines: &[Line]) -> Imported {
    try_import(lines, |_| ()).unwrap()
}

fn holds(client: &Client) -> Vec<(u32, Vec<String>)> {
    let leases = |binding: &Binding| binding.leases.iter().map(|lease| lease.resource.to_string()).collect();
    client.bindings.iter().map(|binding| (binding.iaid.0, leases(binding))).collect()
}

#[test]
fn a_shared_network_is_one_link_and_its_leases_one_client() {
    let imported = import_lines(&[
        Line { resource: "2001:db8:2::5", subnet: 2, ..LINE },
        Line { resource: "2001:db8:3::5", subnet: 3, ..LINE },
        Line { resource: "2001:db8:a000::/56", subnet: 3, ..LINE },
        Line { resource: "2001:db8:1::5", subnet: 1, ..LINE },
    ]);
    let names: Vec<_> = imported.links.iter().map(|link| &*link.name).collect();
    assert_eq!(names, ["town", "subnet-1"]);
    let town = &imported.links[0];
    let [on_subnet, on_town] = &imported.clients[..] else { panic!("{:?}", imported.clients) };
    assert_eq!((town.id, on_town.key.link, on_subnet.key.link), (LinkId(2), LinkId(2), LinkId(1)));
    let addresses = vec!["2001:db8:2::5".to_owned(), "2001:db8:3::5".to_owned()];
    assert_eq!(holds(on_town), [(1, addresses), (1, vec!["2001:db8:a000::/56".to_owned()])]);
    assert_eq!(on_town.bindings[0].kind, IaKind::Address);
    assert_eq!(on_town.bindings[1].kind, IaKind::Prefix);
    assert_eq!((imported.summary.clients, imported.summary.links, imported.summary.active), (2, 2, 4));
}

#[test]
fn where_a_client_is_the_lease_heard_of_last_says() {
    const OLD: &str = r#"{"ISC":{"relays":[{"hop":0&#x2c"link":"2001:db8::1"&#x2c"peer":"fe80::1"}]}}"#;
    const NEW: &str = r#"{"ISC":{"relays":[{"hop":0&#x2c"link":"2001:db8::2"&#x2c"peer":"fe80::1"}]}}"#;
    let imported = import_lines(&[
        Line { resource: "2001:db8:1::5", iaid: 2, ago: 50, tail: NEW, ..LINE },
        Line { resource: "2001:db8:1::6", iaid: 1, ago: 500, tail: OLD, ..LINE },
        Line { resource: "2001:db8:1::7", iaid: 1, ago: 400, tail: OLD, ..LINE },
    ]);
    let client = &imported.clients[0];
    assert_eq!(client.heard.at_unix_secs, NOW - 50);
    assert_eq!(client.heard.path.as_ref().unwrap().octets()[17], 2);
    assert_eq!(client.bindings.iter().map(|binding| binding.iaid).collect::<Vec<_>>(), [Iaid(1), Iaid(2)]);
    assert_eq!(
        client.bindings[0].leases.iter().map(|lease| lease.granted_unix_secs).collect::<Vec<_>>(),
        [NOW - 500, NOW - 400]
    );
}

#[test]
fn a_name_is_an_option_of_the_client() {
    let line = LINE.text().replace(",128,0,0,,", ",128,1,1,a.example.,");
    let imported = import_text(&line, |_| ()).unwrap();
    let expected: &[u8] = b"\x01\x01a\x07example\0";
    assert_eq!(imported.clients[0].options, [(OptionCode::CLIENT_FQDN, expected.into())]);
}

#[test]
fn what_is_excluded_from_a_pool_is_excluded_from_each_prefix() {
    let imported = import_lines(&[
        Line { resource: "2001:db8:b000:100::/56", subnet: 3, ..LINE },
        Line { resource: "2001:db8:b000:200::/60", subnet: 3, ..LINE },
        Line { resource: "2001:db8:c000::/56", subnet: 3, ..LINE },
    ]);
    let excluded: Vec<_> =
        imported.clients[0].bindings[0].leases.iter().map(|lease| lease.excluded).collect();
    assert_eq!(excluded, [Some("2001:db8:b000:1ab::/64".parse().unwrap()), None, None]);
}

#[test]
fn a_client_with_more_leases_than_a_record_holds_is_reported() {
    let line = |n: u32| LINE.text().replace("2001:db8:1::1,", &format!("2001:db8:1::{n:x},"));
    let imported = import_text(&(1..=10_002).map(line).collect::<String>(), |_| ()).unwrap();
    assert_eq!((imported.summary.active, imported.summary.bad_lines), (10_000, 2));
    assert_eq!(imported.summary.bad[0].reason, "the client holds more than 10000 leases on one link");
    assert!(image::encode(&imported.clients[0]).len() <= store::MAX_IMAGE_LEN);
}

#[test]
fn relays_that_cannot_be_read_cost_a_warning() {
    let imported = import_lines(&[Line { tail: "[]", ..LINE }]);
    assert_eq!(imported.clients[0].heard.path, None);
    assert!(imported.summary.warnings[0].contains("leases6.csv:2: the user context is not Kea's"));
    assert!(imported.summary.warnings[0].ends_with("; imported without its relays"));
}

fn leases(client: &Client) -> impl Iterator<Item = &Lease> {
    client.bindings.iter().flat_map(|binding| &binding.leases)
}

#[test]
fn only_what_counts_is_imported_and_the_rest_is_counted() {
    let imported = import_lines(&[
        Line { resource: "2001:db8:1::1", ..LINE },
        Line { resource: "2001:db8:1::2", ago: 4000, ..LINE },
        Line { resource: "2001:db8:1::3", ago: 4001, ..LINE },
        Line { resource: "2001:db8:1::4", state: 1, ..LINE },
        Line { resource: "2001:db8:1::5", state: 2, ..LINE },
        Line { resource: "2001:db8:1::6", state: 3, ago: 5000, ..LINE },
        Line { resource: "2001:db8:1::7", state: 4, ..LINE },
        Line { resource: "2001:db8:1::8", temporary: true, ..LINE },
        Line { resource: "2001:db8:1::9", state: 1, ago: 5000, ..LINE },
    ]);
    let [nobody, client] = &imported.clients[..] else { panic!("{:?}", imported.clients) };
    assert_eq!(holds(nobody), [(0, vec!["2001:db8:1::4".to_owned()])]);
    let mine = ["2001:db8:1::1", "2001:db8:1::2", "2001:db8:1::5"];
    assert_eq!(holds(client), [(1, mine.map(str::to_owned).into())]);
    let summary = imported.summary;
    assert_eq!((summary.lines, summary.active, summary.expired), (9, 2, 3));
    assert_eq!((summary.declined, summary.released, summary.registered, summary.temporary), (1, 1, 1, 1));
    assert_eq!((summary.remembered, summary.warning_count), (1, 0));
}

#[test]
fn what_was_declined_rests_as_long_as_kea_says() {
    let imported = import_lines(&[
        Line { resource: "2001:db8:1::4", state: 1, ago: 100, iaid: 7, ..LINE },
        Line { resource: "2001:db8:1::5", state: 1, ago: 200, iaid: 8, ..LINE },
        Line { resource: "2001:db8:2::5", state: 1, ago: 300, subnet: 2, ..LINE },
    ]);
    let [on_subnet, on_town] = &imported.clients[..] else { panic!("{:?}", imported.clients) };
    assert_eq!(on_subnet.key.duid.octets(), [0, 0, 0]);
    assert_eq!((on_subnet.key.link, on_town.key.link), (LinkId(1), LinkId(2)));
    assert_eq!((on_subnet.bindings.len(), on_subnet.heard.at_unix_secs), (1, NOW - 100));
    for (lease, ago) in leases(on_subnet).zip([100, 200]) {
        let terms = (lease.state, lease.granted_unix_secs, lease.valid_secs, lease.preferred_secs);
        assert_eq!(terms, (LeaseState::Declined, NOW - ago, 4000, 0));
    }
    assert_eq!(imported.summary.declined, 3);
}

#[test]
fn what_ended_is_remembered_of_its_client_for_a_while() {
    let lines = || {
        [
            Line { resource: "2001:db8:1::1", ago: 4100, ..LINE },
            Line { resource: "2001:db8:1::2", ago: 4200, state: 2, ..LINE },
            Line { resource: "2001:db8:1::3", ago: 4300, state: 3, ..LINE },
            Line { resource: "2001:db8:1::4", ago: 4100, temporary: true, ..LINE },
            Line { resource: "2001:db8:1::5", ago: 4700, client: 2, ..LINE },
        ]
    };
    let imported = try_import(&lines(), |request| request.remember_secs = 600).unwrap();
    let [client] = &imported.clients[..] else { panic!("{:?}", imported.clients) };
    let kept: Vec<_> =
        leases(client).map(|lease| (lease.state, lease.granted_unix_secs, lease.valid_secs)).collect();
    assert_eq!(
        kept,
        [
            (LeaseState::Expired, NOW - 100, 600),
            (LeaseState::Expired, NOW - 200, 600),
            (LeaseState::Released, NOW - 300, 600)
        ]
    );
    let summary = imported.summary;
    assert_eq!((summary.active, summary.remembered, summary.expired, summary.released), (0, 3, 4, 1));

    let years_later = |request: &mut Request| {
        (request.remember_secs, request.now, request.file_now) = (600, NOW + 1_000_000, Some(NOW));
    };
    let imported = try_import(&lines(), years_later).unwrap();
    let granted = leases(&imported.clients[0]).next().unwrap().granted_unix_secs;
    assert_eq!(granted, NOW + 1_000_000 - 100);
}

#[test]
fn what_is_only_remembered_gives_way() {
    let ended = |resource, client| Line { resource, client, ago: 4100, ..LINE };
    let remember = |request: &mut Request| request.remember_secs = 600;
    let held = [Line { resource: "2001:db8:a000::/48", ..LINE }, ended("2001:db8:a000:100::/56", 2)];
    let imported = try_import(&held, remember).unwrap();
    assert_eq!((imported.clients.len(), imported.summary.remembered), (1, 0));
    let held = [ended("2001:db8:a000::/48", 2), Line { resource: "2001:db8:a000:100::/56", ..LINE }];
    assert_eq!(try_import(&held, remember).unwrap().summary.remembered, 0);
    let ended = [ended("2001:db8:a000::/48", 2), ended("2001:db8:a000:100::/56", 3)];
    let imported = try_import(&ended, remember).unwrap();
    assert_eq!((imported.clients.len(), imported.summary.bad_lines), (1, 0));
    assert_eq!(imported.clients[0].key.duid.octets()[4], 3);
}

#[test]
fn leases_outlive_the_subnet_they_were_granted_in() {
    let imported = import_lines(&[
        Line { resource: "2001:db8:77::1", subnet: 77, ..LINE },
        Line { resource: "2001:db8:77::2", subnet: 77, client: 2, ..LINE },
        Line { resource: "2001:db8:78::1", subnet: 78, ..LINE },
    ]);
    let names: Vec<_> = imported.links.iter().map(|link| &*link.name).collect();
    assert_eq!(names, ["town", "subnet-1", "subnet-77", "subnet-78"]);
    assert!(imported.links[2].prefixes.is_empty());
    assert_eq!(imported.clients.len(), 3);
    assert_eq!(
        imported.summary.warnings,
        [
            "subnet 77 is not configured: its leases are kept on a link `subnet-77`",
            "subnet 78 is not configured: its leases are kept on a link `subnet-78`",
        ]
    );
}

#[test]
fn no_link_has_the_number_0() {
    let imported = import_lines(&[Line { subnet: 0, ..LINE }]);
    assert_eq!(imported.clients[0].key.link, LinkId(u32::MAX));
}

#[test]
fn of_two_leases_that_overlap_the_later_line_wins() {
    let whole = || Line { resource: "2001:db8:a000::/48", ..LINE };
    let part = || Line { resource: "2001:db8:a000:100::/56", client: 2, ..LINE };
    let address = || Line { resource: "2001:db8:a000:200::1", client: 3, ..LINE };

    let imported = import_lines(&[whole(), part(), address()]);
    assert_eq!(imported.clients.len(), 2);
    let [bad] = &imported.summary.bad[..] else { panic!("{:?}", imported.summary) };
    assert_eq!(bad.line, 2);
    assert!(bad.file.ends_with("leases6.csv"));
    assert!(bad.reason.starts_with("2001:db8:a000::/48 overlaps 2001:db8:a000:"), "{}", bad.reason);
    assert!(bad.reason.ends_with("which a later line tells of"), "{}", bad.reason);

    let imported = import_lines(&[part(), address(), whole()]);
    assert_eq!(imported.clients.len(), 1);
    assert_eq!((imported.summary.active, imported.summary.bad_lines), (1, 2));

    let error = try_import(&[part(), whole()], |request| request.strictness = Strictness::Stop).unwrap_err();
    assert!(error.to_string().contains("leases6.csv:2: 2001:db8:a000:100::/56 overlaps"), "{error}");
}

#[test]
fn what_has_expired_overlaps_nothing() {
    let imported = import_lines(&[
        Line { resource: "2001:db8:a000::/48", ..LINE },
        Line { resource: "2001:db8:a000:100::/56", ago: 5000, ..LINE },
    ]);
    assert_eq!((imported.summary.active, imported.summary.expired, imported.summary.bad_lines), (1, 1, 0));
}

#[test]
fn the_time_in_the_files_can_be_said() {
    let lines = || [Line { ago: 100, ..LINE }, Line { resource: "2001:db8:1::2", ago: 4050, ..LINE }];
    let years_later = |request: &mut Request| {
        request.now = NOW + 500_000_000;
        request.file_now = Some(NOW);
    };
    let imported = try_import(&lines(), years_later).unwrap();
    let lease = &imported.clients[0].bindings[0].leases[0];
    assert_eq!((lease.granted_unix_secs, lease.valid_secs), (NOW + 500_000_000 - 100, 4000));
    assert_eq!((imported.summary.active, imported.summary.expired), (1, 1));

    let imported = try_import(&lines(), |request| request.now = NOW + 500_000_000).unwrap();
    assert_eq!((imported.clients.len(), imported.summary.expired), (0, 2));

    let imported = try_import(&lines(), |request| request.file_now = Some(NOW - 150)).unwrap();
    assert_eq!(imported.clients[0].heard.at_unix_secs, NOW + 50);
    assert_eq!(imported.summary.active, 2);
}

#[test]
fn the_moment_of_writing_is_the_latest_moment_of_hearing() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples/kea");
    let at = |name: &str| written_at(&samples.join(name), &mut |_| ()).unwrap();
    assert_eq!(at("kea-2.2-leases6.csv"), 1_795_422_970);
    assert_eq!(at("kea-3.3-leases6.csv"), 1_795_423_083);
}

#[test]
fn what_kea_itself_wrote() {
    for (version, file_now, clients) in [("2.2", 1_795_422_970, 6), ("3.3", 1_795_423_083, 3)] {
        let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples/kea");
        let request = Request {
            leases: samples.join(format!("kea-{version}-leases6.csv")),
            strictness: Strictness::Stop,
            file_now: Some(file_now),
            ..request(&samples)
        };
        let imported = import(&request, links(), &mut |_| ()).unwrap();
        assert_eq!(imported.clients.len(), clients, "{version}");
        assert!(
            imported.clients.iter().all(|client| client.heard.path.is_some() && client.bindings.len() == 2)
        );
        assert_eq!(imported.summary.warning_count, 0);
    }
}

#[test]
fn a_lease_file_that_is_missing_is_named() {
    let missing = Request { leases: "/nowhere/leases6.csv".into(), ..request(Path::new("/")) };
    let error = import(&missing, links(), &mut |_| ()).unwrap_err();
    assert!(matches!(error, ImportError::NoLeaseFile(_)), "{error}");
}

#[test]
fn a_summary_is_json() {
    let imported = import_lines(&[LINE]);
    let json = serde_json::to_value(&imported.summary).unwrap();
    assert_eq!(
        (&json["active"], &json["bad_lines"], &json["bad"]),
        (&1.into(), &0.into(), &serde_json::json!([]))
    );
}

fn prefix(resource: Resource) -> Prefix {
    match resource {
        Resource::Address(address) => Prefix::new(address, 128).unwrap(),
        Resource::Prefix(prefix) => prefix,
    }
}

/// What a model that does it slowly keeps: the last line about each address, and of what is left, going back
/// from the last line, whatever overlaps nothing kept already.
fn model(lines: &[(Prefix, u8)]) -> BTreeMap<Prefix, u8> {
    let last: BTreeMap<Ipv6Addr, usize> =
        lines.iter().enumerate().map(|(index, (prefix, _))| (prefix.address(), index)).collect();
    let mut indexes: Vec<usize> = last.into_values().collect();
    indexes.sort_unstable();
    let mut kept: BTreeMap<Prefix, u8> = BTreeMap::new();
    for index in indexes.into_iter().rev() {
        let (prefix, client) = lines[index];
        if !kept.keys().any(|other| other.overlaps(prefix)) {
            kept.insert(prefix, client);
        }
    }
    kept
}

proptest! {
    #[test]
    fn nothing_overlaps_and_the_later_line_wins(
        lines in prop::collection::vec((0_u128..16, 124_u8..=128, 1_u8..4), 1..30),
    ) {
        let lines: Vec<(Prefix, u8)> = lines
            .into_iter()
            .map(|(low, length, client)| (Prefix::new(Ipv6Addr::from_bits(low), length).unwrap(), client))
            .collect();
        let text = |(prefix, client): &(Prefix, u8)| {
            let (address, length) = (prefix.address(), prefix.length());
            format!("{address},00:03:{client:02x},4000,{NOW},1,0,2,1,{length},0,0,,,0,\n")
        };
        let imported = import_text(&lines.iter().map(text).collect::<String>(), |_| ()).unwrap();
        for client in &imported.clients {
            prop_assert_eq!(&ClientView::decode(&image::encode(client)).unwrap().to_client(), client);
        }
        let mut held = BTreeMap::new();
        for client in &imported.clients {
            for lease in client.bindings.iter().flat_map(|binding| &binding.leases) {
                prop_assert_eq!(held.insert(prefix(lease.resource), client.key.duid.octets()[2]), None);
            }
        }
        prop_assert_eq!(held, model(&lines));
        let summary = imported.summary;
        prop_assert_eq!(summary.lines, summary.active + summary.superseded + summary.bad_lines);
    }
}
