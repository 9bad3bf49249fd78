//! Questions, as octets.

mod common;

use common::{V1_MIN, V8, V9, V10, asker, hex, relay};
use requestor::{Asker, Question, QuestionError};
use wire::{ClientMessage, OptionCode, TransactionId};

fn framed(question: &Question, asker: &Asker, id: u32) -> Vec<u8> {
    let mut out = Vec::new();
    wire::write_frame(&mut out, |w| question.write(w, TransactionId::from_number(id), asker)).unwrap();
    out
}

// BLQ-R-05, LQ-R-02, LQ-R-03
#[test]
fn every_kind_of_question_has_the_octets_of_its_vector() {
    let link = "2001:db8:1::1".parse().unwrap();
    let by_remote = Question::by_remote(0x7ed9, b"port-7").unwrap().on_link(link).unwrap();
    let by_address = Question::by_address("2001:db8:f000:123::5".parse().unwrap());
    assert_eq!(framed(&Question::by_relay(relay()), &asker(), 0xa001), hex(V1_MIN));
    assert_eq!(framed(&by_address, &asker(), 0xa004), hex(V8));
    assert_eq!(framed(&by_remote, &asker(), 0xa005), hex(V9));
    assert_eq!(framed(&Question::by_link(link).unwrap(), &asker(), 0xa006), hex(V10));
}

// LQ-R-02, LQ-R-03
#[test]
fn the_client_sought_stands_inside_and_the_requestor_outside() {
    let octets = framed(&Question::by_client(common::client(7)), &asker(), 1);
    let message = ClientMessage::decode(&octets[2..]).unwrap();
    assert_eq!(message.options.client_id().unwrap().unwrap().octets(), relay().octets());
    let query = message.options.lq_query().unwrap().unwrap();
    assert_eq!(query.options().unwrap().client_id().unwrap().unwrap().octets(), common::client(7).octets());
}

// LQ-R-26
#[test]
fn options_wanted_of_each_client_are_asked_for_inside_the_query() {
    let question = Question::by_relay(relay()).requesting(&[OptionCode::LQ_RELAY_DATA, OptionCode(39)]);
    let octets = framed(&question, &asker(), 1);
    let message = ClientMessage::decode(&octets[2..]).unwrap();
    assert!(!message.options.has(OptionCode::ORO));
    let inside = message.options.lq_query().unwrap().unwrap().options().unwrap();
    let codes: Vec<_> = inside.option_request().unwrap().unwrap().iter().collect();
    assert_eq!(codes, [OptionCode::LQ_RELAY_DATA, OptionCode(39)]);
    assert!(question.requests(OptionCode(39)) && !question.requests(OptionCode(40)));
}

// LQ-R-04
#[test]
fn one_servers_answer_is_asked_for_by_its_duid() {
    let asker = Asker { server_id: Some(common::server_id()), ..asker() };
    let octets = framed(&Question::by_client(common::client(1)), &asker, 1);
    let message = ClientMessage::decode(&octets[2..]).unwrap();
    assert_eq!(message.options.server_id().unwrap().unwrap().octets(), common::server_id().octets());
}

#[test]
fn a_question_without_its_argument_cannot_be_built() {
    let nowhere = std::net::Ipv6Addr::UNSPECIFIED;
    let link = "2001:db8:1::1".parse().unwrap();
    assert_eq!(Question::by_link(nowhere), Err(QuestionError::NoLink));
    assert_eq!(Question::by_relay(relay()).on_link(nowhere), Err(QuestionError::NoLink));
    assert_eq!(Question::by_link(link).unwrap().on_link(link), Err(QuestionError::SecondLink));
    assert_eq!(Question::by_remote(9, b""), Err(QuestionError::EmptyRemoteId));
}
