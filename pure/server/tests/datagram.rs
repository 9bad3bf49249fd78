//! Leasequery over UDP: one datagram, one answer, or silence.

use std::time::Duration;

use server::Discard;
use server::leasequery::{Access, RateLimit, Rule};
use server::limits::MAX_RATED_SOURCES;
use wire::leasequery::QueryType;
use wire::{Message, MessageType, OptionCode, StatusCode, Writer};

use crate::common::{
    Answer, Known, Question, REQUESTOR, SERVER, Server, address, after, at, client, duid, holdings, policy,
    relay, two_clients, vector,
};

fn on_two_links() -> [Known; 2] {
    [client(1, 7).address("2001:db8:1::7", 100, 200), client(2, 7).address("2001:db8:2::7", 100, 200)]
}

fn sought() -> wire::Duid {
    client(1, 7).0.key.duid
}

fn discarded(octets: &[u8]) -> Discard {
    Server::new(two_clients()).give_by_udp(octets, at(0)).unwrap_err()
}

// LQ-S-01, LQ-S-02, LQ-S-03
#[test]
fn what_is_no_query_for_this_server_is_dropped() {
    let question = Question::by_client(1, &sought());
    assert_eq!(discarded(&question.clone().anonymous().message()), Discard::NoClientId);
    let empty_client_id = question.clone().anonymous().with_outside(OptionCode::CLIENTID, &[]);
    assert_eq!(discarded(&empty_client_id.message()), Discard::NoClientId);

    let to = |server: &wire::Duid| question.clone().with_outside(OptionCode::SERVERID, server.octets());
    assert_eq!(discarded(&to(&duid("00:03:00:01:09")).message()), Discard::OtherServer);
    assert!(Server::new(two_clients()).ask_by_udp(&to(&policy().server_id)).is_some());

    let mut no_query = Vec::new();
    let mut w = Writer::new(&mut no_query);
    w.bytes(&[14, 0, 0, 1]);
    w.raw_option(OptionCode::CLIENTID, relay().octets());
    w.finish().unwrap();
    assert_eq!(discarded(&no_query), Discard::NoQuery);
}

// LQ-S-04
#[test]
fn what_a_server_sends_is_not_taken_by_one() {
    use MessageType::{LeaseQueryData, LeaseQueryDone, LeaseQueryReply};
    for message_type in [LeaseQueryReply, LeaseQueryData, LeaseQueryDone] {
        let octets = Question::by_client(1, &sought()).typed(message_type).message();
        assert_eq!(discarded(&octets), Discard::UnexpectedType);
    }
    assert_eq!(discarded(&[]), Discard::Malformed);
}

// LQ-S-06, LQ-S-21
#[test]
fn the_answer_is_a_reply_with_the_number_of_the_question() {
    let server = Server::new(two_clients());
    let nobody = server.ask_by_udp(&Question::by_client(0xab_cdef, &sought())).unwrap();
    assert_eq!((nobody.message_type, nobody.transaction_id), (MessageType::LeaseQueryReply, 0xab_cdef));
    assert_eq!(nobody.codes(), [1, 2]);
    let somebody = server.ask_by_udp(&Question::by_address(0, "2001:db8:1::100")).unwrap();
    assert_eq!((somebody.transaction_id, somebody.codes()), (0, vec![1, 2, 45]));
}

// LQ-S-07, LQ-S-08, LQ-S-14
#[test]
fn what_cannot_be_answered_has_a_status() {
    let server = Server::new(two_clients());
    for (question, status) in [
        (Question::new(1, 0), StatusCode::UNKNOWN_QUERY_TYPE),
        (Question::new(1, 200), StatusCode::UNKNOWN_QUERY_TYPE),
        (Question::new(1, 1), StatusCode::MALFORMED_QUERY),
        (Question::new(1, 2), StatusCode::MALFORMED_QUERY),
        (Question::by_address(1, "2001:db8:dead::1"), StatusCode::NOT_CONFIGURED),
        (Question::by_client(1, &sought()).on("2001:db8:dead::1"), StatusCode::NOT_CONFIGURED),
    ] {
        let answer = server.ask_by_udp(&question).unwrap();
        assert_eq!((answer.status(), answer.codes()), (Some(status), vec![1, 2, 13]));
    }
}

// BLQ-S-65, BLQ-S-66, LQ-S-07
#[test]
fn bulk_queries_are_not_allowed_whatever_they_hold() {
    let server = Server::with(two_clients(), |policy| policy.track_relays = false);
    for question in [
        Question::by_relay(1, &relay()),
        Question::by_link(1, "2001:db8:1::1"),
        Question::by_remote_id(1, 0x7ed9, "port-7"),
        Question::new(1, 3),
        Question::new(1, 4),
        Question::new(1, 5),
    ] {
        let answer = server.ask_by_udp(&question).unwrap();
        assert_eq!((answer.status(), answer.codes()), (Some(StatusCode::NOT_ALLOWED), vec![1, 2, 13]));
    }
}

// LQ-S-16, LQ-S-18, LQ-S-19, LQ-S-20
#[test]
fn a_client_on_several_links_is_answered_with_the_links() {
    let server = Server::new(holdings(on_two_links()));
    let octets = server.give_by_udp(&Question::by_client(0xa007, &sought()).message(), at(0)).unwrap();
    assert_eq!(octets, vector("V11"));

    let answer = Answer::read(&octets);
    let links: Vec<_> = answer.options().client_links().unwrap().unwrap().iter().collect();
    let again = links.iter().map(|link| Question::by_client(1, &sought()).on(&link.to_string()));
    let leases: Vec<_> = again.map(|question| server.ask_by_udp(&question).unwrap().leases()).collect();
    assert_eq!(leases, [["2001:db8:1::7 100/200"], ["2001:db8:2::7 100/200"]]);
}

// LQ-S-17: where all leases of one link are over, the client is on the other alone.
#[test]
fn a_client_with_leases_on_one_link_is_answered_with_its_data() {
    let [first, second] = on_two_links();
    let server = Server::new(holdings([first.now(lease::LeaseState::Released), second]));
    let answer = server.ask_by_udp(&Question::by_client(1, &sought())).unwrap();
    assert_eq!((answer.codes(), answer.leases()), (vec![1, 2, 45], vec!["2001:db8:2::7 100/200".into()]));
}

// LQ-S-11
#[test]
fn whoever_may_not_ask_is_told_so_or_nothing() {
    let only_clients = Rule { from: "::/0".parse().unwrap(), queries: Some(vec![QueryType::BY_CLIENT_ID]) };
    let mut server = Server::with(two_clients(), |policy| policy.access = Access::new(vec![only_clients]));
    let forbidden = Question::by_address(1, "2001:db8:1::100");
    assert_eq!(server.ask_by_udp(&forbidden).unwrap().status(), Some(StatusCode::NOT_ALLOWED));
    assert_eq!(server.ask_by_udp(&Question::by_client(1, &sought())).unwrap().status(), None);

    server.policy.refuse_silently = true;
    assert_eq!(server.give_by_udp(&forbidden.message(), at(0)), Err(Discard::NotAllowed));
    assert_eq!(server.ask_by_udp(&Question::by_client(1, &sought())).unwrap().status(), None);

    server.policy.access = Access::default();
    assert_eq!(server.ask_by_udp(&Question::by_client(1, &sought())), None);
    server.policy.refuse_silently = false;
    assert_eq!(server.ask_by_udp(&forbidden).unwrap().status(), Some(StatusCode::NOT_ALLOWED));
}

fn relayed(inside: &[u8], interface_id: &[u8]) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut w = Writer::new(&mut octets);
    w.bytes(&[12, 0]);
    w.address(address("2001:db8:1::1"));
    w.address(address("fe80::5"));
    w.raw_option(OptionCode::INTERFACE_ID, interface_id);
    w.raw_option(OptionCode::RELAY_MSG, inside);
    w.finish().unwrap();
    octets
}

// LQ-S-35, LQ-S-36
#[test]
fn a_relayed_query_goes_back_through_its_relays_if_that_is_allowed_at_all() {
    let mut server = Server::new(holdings(on_two_links()));
    let question = Question::by_client(0xa007, &sought()).message();
    let once = relayed(&question, b"inner");
    let twice = relayed(&once, b"outer");
    assert_eq!(server.give_by_udp(&once, at(0)), Err(Discard::Relayed));

    server.policy.relayed_hops = 1;
    assert_eq!(server.give_by_udp(&twice, at(0)), Err(Discard::Relayed));
    let reply = server.give_by_udp(&once, at(0)).unwrap();
    let Message::Relay(reply) = Message::decode(&reply).unwrap() else { panic!("a relayed reply") };
    assert_eq!(reply.message_type, MessageType::RelayReply);
    assert_eq!(reply.peer_address, address("fe80::5"));
    assert_eq!(reply.interface_id(), Some(&b"inner"[..]));
    assert_eq!(reply.relayed(), Ok(Some(&vector("V11")[..])));

    server.policy.relayed_hops = 2;
    assert!(server.give_by_udp(&twice, at(0)).is_ok());
    assert_eq!(server.give_by_udp(&relayed(&vector("V12"), b""), at(0)), Err(Discard::UnexpectedType));
}

// LQ-S-38
#[test]
fn a_flood_is_held_off_source_by_source() {
    let mut limit = RateLimit::new(10, 20);
    let asked = (0..10_000).map(|number| after(Duration::from_micros(100 * number)).instant);
    let permitted = asked.filter(|now| limit.permits(REQUESTOR, *now)).count();
    assert!((29..=30).contains(&permitted), "{permitted} in a second");
    assert!(limit.permits(address("2001:db8::2"), at(1).instant));
    assert!(limit.permits(REQUESTOR, at(2).instant));
}

// LQ-S-38
#[test]
fn sources_that_were_quiet_make_room_for_others() {
    let mut limit = RateLimit::new(1, 1);
    let source = |number: usize| std::net::Ipv6Addr::from(number as u128);
    for number in 0..MAX_RATED_SOURCES {
        assert!(limit.permits(source(number), at(0).instant));
    }
    assert!(!limit.permits(source(MAX_RATED_SOURCES), at(0).instant));
    assert!(limit.permits(source(MAX_RATED_SOURCES), at(1).instant));
}

// LQ-S-21: what does not fit is left out, the oldest first.
#[test]
fn the_newest_leases_go_first_where_not_all_fit() {
    let mut known = client(1, 7);
    for number in 0..1_001 {
        known = known.nth_prefix(number, 10_000).granted(if number == 500 { 60 } else { 5 });
    }
    let answer = Server::new(holdings([known])).ask_by_udp(&Question::by_client(1, &sought())).unwrap();
    let leases = answer.leases();
    assert_eq!(leases.len(), 1_000);
    assert!(!leases.iter().any(|lease| lease.starts_with("2001:db8:f000:1f4::/64")));
}

// LQ-S-39
#[test]
fn a_query_is_answered_wherever_it_was_sent() {
    // To clients, the difference between the first two is one between silence and an answer.
    let server = Server::new(holdings(on_two_links()));
    let question = Question::by_client(0xa007, &sought()).message();
    for destination in [SERVER, address("ff02::1:2"), address("ff05::1:3")] {
        assert_eq!(server.give_to(destination, &question, at(0)), Ok(vector("V11")), "{destination}");
    }
    let solicit = Question::by_client(1, &sought()).typed(MessageType::Solicit).message();
    assert_eq!(server.give_by_udp(&solicit, at(0)), Err(Discard::UnexpectedType));
}
