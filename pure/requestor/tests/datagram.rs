//! One question over UDP: datagrams in, datagrams and events out.

mod common;

use common::*;
use requestor::{DatagramError, DatagramQuery, Gap, Outcome, Question, Warning, limits};
use wire::{ClientMessage, OptionCode, TransactionId};
use world::{Chance, Instant};

struct Exchange {
    query: DatagramQuery,
    log: Vec<Seen>,
}

impl Exchange {
    fn begin() -> Self {
        let question = Question::by_client(client(1));
        let query = DatagramQuery::new(question, asker(), Chance::from_seed(7), at(0)).unwrap();
        Self { query, log: Vec::new() }
    }

    fn tick(&mut self, now: Instant) -> Option<Vec<u8>> {
        self.query.tick(now, &mut keep(&mut self.log, now)).map(<[u8]>::to_vec)
    }

    /// Sends what is due and gives its transaction id and the link asked about.
    fn send(&mut self, now: Instant) -> (TransactionId, std::net::Ipv6Addr) {
        let octets = self.tick(now).unwrap();
        let message = ClientMessage::decode(&octets).unwrap();
        (message.transaction_id, message.options.lq_query().unwrap().unwrap().link_address)
    }

    fn hear(&mut self, octets: &[u8]) {
        self.query.receive(octets, at(0), &mut keep(&mut self.log, at(0)));
    }

    fn outcome(&self) -> Option<&Outcome> {
        match self.log.last() {
            Some(Seen::Finished(_, outcome)) => Some(outcome),
            _ => None,
        }
    }
}

/// The reply without its frame.
fn unframed(octets: Vec<u8>) -> Vec<u8> {
    octets[2..].to_vec()
}

fn one_lease(id: TransactionId, number: u16) -> Vec<u8> {
    unframed(reply(id, |w| client_data(w, 1, 5, |w| w.ia_address(address(number), 10, 20))))
}

// BLQ-R-01
#[test]
fn bulk_questions_are_refused_before_any_packet() {
    let link = Question::by_link(address(1)).unwrap();
    let remote = Question::by_remote(1, b"x").unwrap();
    for question in [Question::by_relay(relay()), link, remote] {
        let refused = DatagramQuery::new(question, asker(), Chance::from_seed(1), at(0));
        assert_eq!(refused.err(), Some(DatagramError::OnlyOverTcp));
    }
}

// LQ-R-09, LQ-R-10
#[test]
fn a_silent_server_gets_five_packets_and_is_given_up() {
    let mut exchange = Exchange::begin();
    let mut times = Vec::new();
    let mut packets = std::collections::BTreeSet::new();
    while let Some(deadline) = exchange.query.next_deadline() {
        if let Some(octets) = exchange.tick(deadline.at) {
            times.push(deadline.at.since(at(0)).as_secs_f64());
            packets.insert(octets);
        }
    }
    assert_eq!((times.len(), packets.len()), (5, 1));
    for (time, expected) in times.iter().zip([0.0, 1.0, 3.0, 7.0, 15.0]) {
        assert!((time - expected).abs() <= 0.25 * expected, "{times:?}");
    }
    assert_eq!(exchange.outcome(), Some(&Outcome::Incomplete(Gap::Silent)));
}

// LQ-R-11, LQ-R-12, LQ-R-13, LQ-R-14
#[test]
fn what_is_not_the_answer_is_discarded_and_the_answer_later_is_not() {
    let mut exchange = Exchange::begin();
    let (id, _) = exchange.send(at(0));
    let other = TransactionId::from_number(1);
    exchange.hear(&one_lease(other, 1));
    exchange.hear(&unframed(message(wire::MessageType::LeaseQuery, id, |_| ())));
    exchange.hear(&unframed(message(wire::MessageType::LeaseQueryReply, id, |_| ())));
    exchange.hear(&unframed(message(wire::MessageType::LeaseQueryData, id, |_| ())));
    exchange.hear(&[]);
    exchange.hear(&frame(V5, id));
    let mut foreign = one_lease(id, 1);
    foreign[8 + 9] ^= 1;
    exchange.hear(&foreign);
    assert!(exchange.log.is_empty());
    let warnings = exchange.query.warnings();
    assert_eq!(warnings.count(Warning::ReplyToNoQuestion), 1);
    assert_eq!(warnings.count(Warning::ReplyWithoutServerId), 1);
    assert_eq!(warnings.count(Warning::ReplyToSomebodyElse), 1);
    assert_eq!(warnings.count(Warning::QueryReceived), 1);
    assert_eq!(warnings.count(Warning::Undecodable), 3);
    exchange.hear(&one_lease(id, 1));
    assert_eq!(exchange.outcome(), Some(&Outcome::Done));
    assert_eq!(exchange.query.next_deadline(), None);
}

#[test]
fn what_comes_is_counted_whatever_it_is() {
    let mut exchange = Exchange::begin();
    let (id, _) = exchange.send(at(0));
    let answer = one_lease(id, 1);
    exchange.hear(&[0; 5]);
    exchange.hear(&answer);
    let counters = exchange.query.counters();
    assert_eq!((counters.octets, counters.messages), (5 + answer.len() as u64, 2));
    assert_eq!((counters.clients, counters.bindings), (1, 1));
}

// LQ-R-01, LQ-R-17
#[test]
fn a_list_of_links_is_followed_link_by_link() {
    let mut exchange = Exchange::begin();
    let (first, link) = exchange.send(at(0));
    assert!(link.is_unspecified());
    exchange.hear(&datagram(V11, first));
    let (second, link) = exchange.send(at(0));
    assert_eq!(link.to_string(), "2001:db8:1::");
    exchange.hear(&one_lease(second, 1));
    let (third, link) = exchange.send(at(0));
    assert_eq!(link.to_string(), "2001:db8:2::");
    assert!(exchange.outcome().is_none());
    // A server that names links again is not followed in circles.
    exchange.hear(&datagram(V11, third));
    assert_eq!(exchange.query.warnings().count(Warning::ClientLinkIgnored), 1);
    assert_eq!(exchange.log.len(), 2);
    assert_eq!(exchange.outcome(), Some(&Outcome::Done));
    assert!(first != second && second != third);
}

// LQ-R-17, LQ-R-20
#[test]
fn a_refusal_about_one_link_makes_the_whole_partial() {
    let mut exchange = Exchange::begin();
    let (first, _) = exchange.send(at(0));
    exchange.hear(&datagram(V11, first));
    let (second, _) = exchange.send(at(0));
    exchange.hear(&unframed(reply(second, |w| status(w, 9))));
    let (third, _) = exchange.send(at(0));
    exchange.hear(&one_lease(third, 1));
    assert!(matches!(exchange.outcome(), Some(Outcome::Partial(_))));
}

#[test]
fn too_many_links_are_cut_off_and_told() {
    let mut exchange = Exchange::begin();
    let (mut id, _) = exchange.send(at(0));
    let links = |w: &mut wire::Writer<'_>| (1..=70).for_each(|n| w.address(address(n)));
    exchange.hear(&unframed(reply(id, |w| w.option(OptionCode::LQ_CLIENT_LINK, links))));
    let mut asked = 0;
    while exchange.outcome().is_none() {
        id = exchange.send(at(0)).0;
        exchange.hear(&one_lease(id, asked));
        asked += 1;
    }
    assert_eq!(usize::from(asked), limits::MAX_CLIENT_LINKS);
    assert_eq!(exchange.outcome(), Some(&Outcome::Incomplete(Gap::TooManyLinks)));
}

// LQ-R-15, LQ-R-18, LQ-R-19, LQ-R-20, INT-08, INT-11
#[test]
fn errors_end_the_question_and_say_what_may_help() {
    for (code, another, blame) in
        [(7, true, true), (8, false, true), (9, true, false), (10, true, false), (1, false, false)]
    {
        let mut exchange = Exchange::begin();
        let (id, _) = exchange.send(at(0));
        exchange.hear(&unframed(reply(id, |w| status(w, code))));
        let Some(Outcome::Refused(refusal)) = exchange.outcome() else { panic!("{:?}", exchange.log) };
        assert_eq!((refusal.suggests_another_server(), refusal.blames_the_question()), (another, blame));
    }
    let mut exchange = Exchange::begin();
    let (id, _) = exchange.send(at(0));
    exchange.hear(&unframed(reply(id, |w| status(w, 0))));
    assert_eq!(exchange.outcome(), Some(&Outcome::Empty));
}
