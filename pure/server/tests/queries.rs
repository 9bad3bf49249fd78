//! What is asked, of which links, and what is said when nothing can be: over TCP, unless a
//! scenario says otherwise.

use lease::LeaseState;
use server::leasequery::{Access, Connection, Rule};
use wire::leasequery::QueryType;
use wire::{OptionCode, StatusCode};

use crate::common::{
    Answer, Known, Question, REQUESTOR, Server, answers, at, client, frames, holdings, other_relay, path_of,
    relay, two_clients, types, vector,
};

const FROM: &str = "2001:db8:ffff::1";

/// Three clients behind the relay of the vectors: two on link 1, one on link 2. One behind another
/// relay on link 2, and one that was heard directly.
fn neighbourhood() -> Vec<Known> {
    let other_path = replaced(&path_of("V3"), relay().octets(), other_relay().octets());
    vec![
        client(1, 1).heard(10, FROM, &path_of("V12")).address("2001:db8:1::1", 100, 200),
        client(1, 2).heard(10, FROM, &path_of("V3")).nth_prefix(2, 200),
        client(2, 3).heard(10, FROM, &path_of("V3")).address("2001:db8:2::3", 100, 200),
        client(2, 4).heard(10, FROM, &other_path).address("2001:db8:2::4", 100, 200),
        client(1, 5).address("2001:db8:1::5", 100, 200),
    ]
}

fn replaced(octets: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let at = octets.windows(old.len()).position(|window| window == old).unwrap();
    [&octets[..at], new, &octets[at + old.len()..]].concat()
}

/// The last octets of the DUIDs that are told, in order.
fn told(answers: &[Answer]) -> Vec<u8> {
    let duids = answers.iter().filter_map(Answer::client);
    let mut numbers: Vec<u8> = duids.map(|duid| *duid.octets().last().unwrap()).collect();
    numbers.sort_unstable();
    numbers
}

fn told_to(question: &Question) -> Vec<u8> {
    told(&Server::new(holdings(neighbourhood())).ask(question))
}

/// The question is refused with one message and this status, and the next one is answered.
fn assert_refused(question: &Question, status: StatusCode) {
    assert_refused_by(Server::new(holdings(neighbourhood())), question, status);
}

fn assert_refused_by(mut server: Server, question: &Question, status: StatusCode) {
    let mut connection = Connection::new(REQUESTOR, at(0));
    let refused = answers(&server.tell(&mut connection, &question.framed(), at(0)));
    assert_eq!(types(&refused), [15]);
    assert_eq!(refused[0].codes(), [1, 2, 13]);
    assert_eq!(refused[0].status(), Some(status));
    assert_eq!(connection.close(), None);
    let next = Question::by_address(99, "2001:db8:1::1").framed();
    assert_eq!(types(&answers(&server.tell(&mut connection, &next, at(0)))), [15, 16]);
}

// BLQ-S-12, LQ-S-13, LQ-S-15, LQ-S-17
#[test]
fn an_address_finds_its_client_over_both_transports() {
    let mut server = Server::new(two_clients());
    let over_tcp = answers(&server.give(&vector("V8")));
    let over_udp = Answer::read(&server.give_by_udp(&vector("V8")[2..], at(0)).unwrap());
    assert_eq!(types(&over_tcp), [15, 16]);
    assert_eq!(over_tcp[0], over_udp);
    assert_eq!(over_udp.leases(), ["2001:db8:1::100 1200/1800", "2001:db8:f000:100::/56 1200/1800"]);
}

// BLQ-S-13, LQ-S-07
#[test]
fn a_type_that_nobody_knows_is_unknown() {
    for query_type in [0, 6, 200, 255] {
        assert_refused(&Question::new(1, query_type), StatusCode::UNKNOWN_QUERY_TYPE);
    }
}

// BLQ-S-14, BLQ-S-21, BLQ-S-22, LQ-S-08, LQ-S-09, LQ-S-10, BLQ-S-44, BLQ-S-42, BLQ-S-47
#[test]
fn a_query_without_its_argument_is_malformed() {
    for query_type in 1..=5 {
        assert_refused(&Question::new(1, query_type), StatusCode::MALFORMED_QUERY);
    }
}

// LQ-S-08
#[test]
fn a_query_that_makes_no_sense_is_malformed() {
    let twice = |question: Question, code, data: &[u8]| question.with(code, data).with(code, data);
    let client_id = relay();
    assert_refused(
        &twice(Question::new(1, 2), OptionCode::CLIENTID, client_id.octets()),
        StatusCode::MALFORMED_QUERY,
    );
    assert_refused(
        &twice(Question::by_client(1, &client_id), OptionCode::ORO, &[0, 47]),
        StatusCode::MALFORMED_QUERY,
    );
    let whole = Question::by_client(1, &client_id);
    assert_refused(&whole.clone().with(OptionCode::ORO, &[0]), StatusCode::MALFORMED_QUERY);
    assert_refused(&whole.clone().with_outside(OptionCode::LQ_QUERY, &[2; 17]), StatusCode::MALFORMED_QUERY);
    assert_refused(&Question::new(1, 5).with(OptionCode::REMOTE_ID, &[0; 4]), StatusCode::MALFORMED_QUERY);

    // An LQ_QUERY of 16 octets, and query options that end in the middle.
    let mut server = Server::new(two_clients());
    for rest in [&[4; 16][..], &[&[4; 17][..], &[0, 6, 0, 2, 0]].concat()] {
        let mut octets = Vec::new();
        wire::write_frame(&mut octets, |w| {
            w.bytes(&[14, 0, 0, 1]);
            w.raw_option(OptionCode::CLIENTID, relay().octets());
            w.raw_option(OptionCode::LQ_QUERY, rest);
        })
        .unwrap();
        assert_eq!(answers(&server.give(&octets))[0].status(), Some(StatusCode::MALFORMED_QUERY));
    }
}

// BLQ-S-15, BLQ-S-28
#[test]
fn a_relay_finds_all_its_clients_on_every_link_and_no_others() {
    assert_eq!(told_to(&Question::by_relay(1, &relay())), [1, 2, 3]);
    assert_eq!(told_to(&Question::by_relay(1, &other_relay())), [4]);
}

// BLQ-S-16, BLQ-S-19
#[test]
fn a_relay_that_names_a_link_finds_its_clients_there() {
    for link_address in ["2001:db8:1::", "2001:db8:1::1", "2001:db8:1::2", "2001:db8:1:0:ffff::"] {
        assert_eq!(told_to(&Question::by_relay(1, &relay()).on(link_address)), [1, 2]);
        assert_eq!(told_to(&Question::by_link(1, link_address)), [1, 2, 5]);
    }
    assert_eq!(told_to(&Question::by_relay(1, &relay()).on("2001:db8:2::1")), [3]);
}

// BLQ-S-17, BLQ-S-20, BLQ-S-26
#[test]
fn a_link_that_nobody_has_configured_is_said_to_be_so() {
    for question in [
        Question::by_address(1, "2001:db8:1::1"),
        Question::by_client(1, &relay()),
        Question::by_relay(1, &relay()),
        Question::new(1, 4),
        Question::by_remote_id(1, 0x7ed9, "port-7"),
    ] {
        assert_refused(&question.on("2001:db8:dead::1"), StatusCode::NOT_CONFIGURED);
    }
}

// BLQ-S-18
#[test]
fn a_link_gives_all_its_clients_with_prefixes_that_lie_elsewhere() {
    let mut server = Server::new(holdings(neighbourhood()));
    let answer = answers(&server.give(&vector("V10")));
    assert_eq!(told(&answer), [1, 2, 5]);
    let leases: Vec<String> = answer.iter().flat_map(Answer::leases).collect();
    assert!(leases.contains(&"2001:db8:f000:2::/64 190/190".into()), "{leases:?}");
}

// BLQ-S-18: links that share a prefix are searched one after the other.
#[test]
fn a_link_address_may_name_several_links() {
    let shared = holdings([
        client(2, 1).address("2001:db8:2::1", 100, 200),
        client(3, 2).address("2001:db8:2::2", 100, 200),
        client(3, 3).address("2001:db8:3::3", 100, 200),
    ]);
    let answer = Server::new(shared).ask(&Question::by_link(1, "2001:db8:2::99"));
    assert_eq!(types(&answer), [15, 17, 17, 16]);
    assert_eq!(told(&answer), [1, 2, 3]);
}

// BLQ-S-23, BLQ-S-24
#[test]
fn a_remote_id_is_compared_as_a_whole() {
    assert_eq!(told_to(&Question::by_remote_id(1, 0x7ed9, "port-7")), [1, 2, 3, 4]);
    for (enterprise, remote_id) in [(0x7ed8, "port-7"), (0x7ed9, "port-"), (0x7ed9, "port-77")] {
        assert_eq!(told_to(&Question::by_remote_id(1, enterprise, remote_id)), []);
    }
}

// BLQ-S-25
#[test]
fn a_remote_id_can_be_sought_on_one_link() {
    let mut server = Server::new(holdings(neighbourhood()));
    assert_eq!(told(&answers(&server.give(&vector("V9")))), [1, 2]);
    assert_eq!(told_to(&Question::by_remote_id(1, 0x7ed9, "port-7").on("2001:db8:3::1")), []);
}

// BLQ-S-27, BLQ-S-29
#[test]
fn the_relays_of_the_latest_message_replace_those_before() {
    let path = path_of("V22");
    let chain = wire::RelayChain::decode_path(&path).unwrap();
    assert_eq!(chain.hops().len(), 2);
    let known = client(1, 1).heard(10, FROM, &path).address("2001:db8:1::1", 100, 200);
    let mut server = Server::new(holdings([known.clone()]));
    let found = |server: &mut Server, question: Question| told(&server.ask(&question));
    assert_eq!(found(&mut server, Question::by_relay(1, &relay())), [1]);
    assert_eq!(found(&mut server, Question::by_remote_id(1, 0x7ed9, "port-7")), [1]);

    // It moves to another port of another relay; the outermost of the two stays.
    let moved = replaced(&path, relay().octets(), other_relay().octets());
    let moved = replaced(&moved, b"port-7", b"port-8");
    server.holdings.table.put(&known.heard(5, FROM, &moved).0).unwrap();
    assert_eq!(found(&mut server, Question::by_relay(1, &relay())), []);
    assert_eq!(found(&mut server, Question::by_relay(1, &other_relay())), [1]);
    assert_eq!(found(&mut server, Question::by_remote_id(1, 0x7ed9, "port-7")), []);
    assert_eq!(found(&mut server, Question::by_remote_id(1, 0x7ed9, "port-8")), [1]);
}

// BLQ-S-29
#[test]
fn a_relay_at_any_level_finds_the_client() {
    let mut path = Vec::new();
    let outer = other_relay();
    let mut w = wire::Writer::new(&mut path);
    w.bytes(&[12, 1]);
    w.bytes(&[0; 32]);
    w.raw_option(OptionCode::RELAY_ID, outer.octets());
    w.raw_option(OptionCode::RELAY_MSG, &path_of("V3"));
    w.finish().unwrap();
    let mut server =
        Server::new(holdings([client(1, 1).heard(10, FROM, &path).address("2001:db8:1::1", 100, 200)]));
    for duid in [relay(), outer] {
        assert_eq!(told(&server.ask(&Question::by_relay(1, &duid))), [1]);
    }
}

// BLQ-S-30
#[test]
fn without_tracking_relays_cannot_be_asked_by() {
    for question in [Question::by_relay(1, &relay()), Question::by_remote_id(1, 0x7ed9, "port-7")] {
        let server = Server::with(holdings(neighbourhood()), |policy| policy.track_relays = false);
        assert_refused_by(server, &question, StatusCode::UNKNOWN_QUERY_TYPE);
    }
}

// BLQ-S-31
#[test]
fn a_lease_that_is_over_is_never_told() {
    let over = |state: LeaseState| {
        vec![
            client(1, 1).heard(10, FROM, &path_of("V3")).address("2001:db8:1::1", 100, 200).now(state),
            client(1, 2).heard(10, FROM, &path_of("V3")).nth_prefix(2, 200).now(state).nth_prefix(3, 200),
        ]
    };
    let run_out = vec![
        client(1, 1).heard(200, FROM, &path_of("V3")).address("2001:db8:1::1", 100, 200),
        client(1, 2).heard(200, FROM, &path_of("V3")).nth_prefix(2, 200).nth_prefix(3, 200).granted(10),
    ];
    let expected = ["2001:db8:f000:3::/64 190/190"];
    for clients in
        [over(LeaseState::Released), over(LeaseState::Expired), over(LeaseState::Declined), run_out]
    {
        let mut server = Server::new(holdings(clients));
        let mut leases = |question: Question| -> Vec<String> {
            server.ask(&question).iter().flat_map(Answer::leases).collect()
        };
        assert_eq!(leases(Question::by_relay(1, &relay())), expected);
        assert_eq!(leases(Question::by_link(1, "2001:db8:1::1")), expected);
        assert_eq!(leases(Question::by_remote_id(1, 0x7ed9, "port-7")), expected);
        assert_eq!(leases(Question::by_client(1, &client(1, 2).0.key.duid)), expected);
        assert!(leases(Question::by_client(1, &client(1, 1).0.key.duid)).is_empty());
        assert!(leases(Question::by_address(1, "2001:db8:1::1")).is_empty());
        assert!(leases(Question::by_address(1, "2001:db8:f000:2::1")).is_empty());
    }
}

// LQ-S-12
#[test]
fn an_address_is_sought_on_the_link_named() {
    let on = |link_address: &str| Question::by_address(1, "2001:db8:1::1").on(link_address);
    assert_eq!(told_to(&on("2001:db8:1::ffff")), [1]);
    assert_eq!(told_to(&on("2001:db8:2::ffff")), []);
    // A delegated prefix lies outside its link, and is found there all the same.
    assert_eq!(told_to(&Question::by_address(1, "2001:db8:f000:2::1").on("2001:db8:1::1")), [2]);
}

// LQ-S-14
#[test]
fn an_address_that_belongs_nowhere_is_not_configured() {
    assert_refused(&Question::by_address(1, "2001:db8:dead::1"), StatusCode::NOT_CONFIGURED);
    for free in ["2001:db8:1::dead", "2001:db8:f0ff::1"] {
        let answer = Server::new(holdings(neighbourhood())).ask(&Question::by_address(1, free));
        assert_eq!((types(&answer), answer[0].codes()), (vec![15], vec![1, 2]));
    }
}

// LQ-S-15
#[test]
fn an_address_lease_goes_before_the_prefix_around_it() {
    let known = holdings([
        client(1, 1).prefix("2001:db8:f000:100::/56", 100, 200).without("2001:db8:f000:1ff::/64"),
        client(2, 2).address("2001:db8:f000:1ff::1", 100, 200),
    ]);
    let mut server = Server::new(known);
    let mut found = |sought: &str| told(&server.ask(&Question::by_address(1, sought)));
    assert_eq!(found("2001:db8:f000:123::5"), [1]);
    assert_eq!(found("2001:db8:f000:1ff::1"), [2]);
    assert_eq!(found("2001:db8:f000:1ff::2"), [1]);
}

// LQ-S-09
#[test]
fn lifetimes_in_the_question_mean_nothing() {
    let with_lifetimes = |octet: u8| {
        let sought: std::net::Ipv6Addr = "2001:db8:1::1".parse().unwrap();
        Question::new(1, 1).with(OptionCode::IAADDR, &[&sought.octets()[..], &[octet; 8]].concat())
    };
    assert_eq!(told_to(&with_lifetimes(0)), [1]);
    assert_eq!(told_to(&with_lifetimes(0xff)), [1]);
}

// LQ-S-10, LQ-S-16, BLQ-S-38, BLQ-S-39
#[test]
fn a_client_is_sought_on_every_link_and_told_once_for_each() {
    let known = || {
        [
            client(1, 7).address("2001:db8:1::7", 100, 200),
            client(2, 7).address("2001:db8:2::7", 100, 200),
            client(2, 8).address("2001:db8:2::8", 100, 200),
        ]
    };
    let sought = client(1, 7).0.key.duid;
    let answer = Server::new(holdings(known())).ask(&Question::by_client(1, &sought));
    assert_eq!(types(&answer), [15, 17, 16]);
    assert_eq!(answer[0].leases(), ["2001:db8:1::7 100/200"]);
    assert_eq!(answer[1].leases(), ["2001:db8:2::7 100/200"]);
    assert!(answer.iter().all(|message| !message.codes().contains(&48)));
    assert_eq!(
        told(&Server::new(holdings(known())).ask(&Question::by_client(1, &sought).on("2001:db8:2::"))),
        [7]
    );
}

// BLQ-S-43, BLQ-S-42
#[test]
fn what_nobody_holds_is_answered_with_a_reply_alone() {
    let question = Question::by_relay(0xa002, &other_relay());
    assert_eq!(Server::new(two_clients()).give(&question.framed()), vector("V5"));
}

// Scenario S2: an unknown link, no link, an unused relay; the connection stays usable throughout.
#[test]
fn errors_do_not_end_the_connection() {
    let mut server = Server::new(two_clients());
    let mut connection = Connection::new(REQUESTOR, at(0));
    let unknown_link = Question::by_remote_id(0xa003, 0x7ed9, "port-7").on("2001:db8:dead::1");
    let shape = frames(&server.tell(&mut connection, &unknown_link.framed(), at(0))).remove(0);
    let before_the_status = vector("V6").len() - (4 + 2 + "no such link".len());
    assert_eq!(shape[..before_the_status - 2], vector("V6")[2..before_the_status]);
    assert_eq!(Answer::read(&shape).status(), Some(StatusCode::NOT_CONFIGURED));

    let no_link = server.tell(&mut connection, &Question::new(2, 4).framed(), at(0));
    assert_eq!(answers(&no_link)[0].status(), Some(StatusCode::MALFORMED_QUERY));

    let unused = Question::by_relay(0xa002, &other_relay()).framed();
    assert_eq!(server.tell(&mut connection, &unused, at(0)), vector("V5"));
    assert_eq!(connection.close(), None);
}

// BLQ-S-04, BLQ-S-06, BLQ-S-07
#[test]
fn a_requestor_asks_by_what_it_may() {
    let only_relays =
        Rule { from: "2001:db8:ffff::/48".parse().unwrap(), queries: Some(vec![QueryType::BY_RELAY_ID]) };
    let mut server = Server::with(two_clients(), |policy| policy.access = Access::new(vec![only_relays]));
    let mut connection = Connection::new(REQUESTOR, at(0));
    let refused = server.tell(&mut connection, &vector("V10"), at(0));
    assert_eq!(answers(&refused)[0].status(), Some(StatusCode::NOT_ALLOWED));
    assert_eq!(connection.close(), None);
    assert_eq!(types(&answers(&server.tell(&mut connection, &vector("V1min"), at(0)))), [15, 17, 16]);

    assert!(server.policy.access.permits_source(REQUESTOR));
    assert!(!server.policy.access.permits_source("2001:db8:fffe::1".parse().unwrap()));
    let mut stranger = Connection::new("2001:db8:fffe::1".parse().unwrap(), at(0));
    let refused = answers(&server.tell(&mut stranger, &vector("V1min"), at(0)));
    assert_eq!(refused[0].status(), Some(StatusCode::NOT_ALLOWED));
    assert_eq!(stranger.close(), None);
}
