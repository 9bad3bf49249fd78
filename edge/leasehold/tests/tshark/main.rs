//! Somebody else reads what we say: tshark, of Wireshark.
//!
//! A real server is asked over real sockets, bulk and UDP, and every message of the exchange goes into a capture
//! ([`capture`]). tshark has to dissect each packet as DHCPv6, see the message type that it is, and find the options that our own
//! codec finds in it, in that order, however deep. That comparison is needed because tshark drops an option that overruns
//! its container without a word.
//!
//! Three things about it are known and left aside: it calls a LEASEQUERY-DONE without options malformed; over TCP it takes
//! the first octet of the transaction id for a reserved one; and it does not open the relay message in LQ_RELAY_DATA.

mod capture;
mod judge;
mod server;

use std::io::Write as _;
use std::net::Ipv6Addr;
use std::process::Command;

use requestor::{Asker, Question};
use wire::{Duid, FrameBuffer, MessageType, OptionCode, TransactionId, Writer};

use capture::Capture;
use judge::{Seen, Transport, dissect, expected};
use server::Server;

/// Clients of the server: enough for an answer in many segments.
const CLIENTS: u32 = 200;
/// The DUID of the relay before all of them.
const RELAY: [u8; 10] = [0, 3, 0, 1, 0x02, 0, 0, 0, 0, 1];
/// On their link.
const LINK: &str = "2001:db8::1";
/// What the first of them holds.
const ADDRESS: &str = "2001:db8::1:0:0";
/// On no link.
const NOWHERE: &str = "2001:db8:ffff::1";

#[test]
fn tshark_reads_bulk_leasequery_as_we_do() {
    if !tshark_is_here() {
        return;
    }
    let server = Server::start(CLIENTS);
    let (sent, received) = (framed(&bulk_questions()), server.ask_bulk(&framed(&bulk_questions())));
    let (queries, answers) = (messages(&sent), messages(&received));
    let has = |kind: MessageType| answers.iter().filter(|message| message[0] == kind as u8).count();
    assert_eq!(has(MessageType::LeaseQueryReply), queries.len(), "an answer for every question");
    assert!(has(MessageType::LeaseQueryData) >= 2 * (CLIENTS as usize - 1), "by relay and by link");
    assert_eq!(has(MessageType::LeaseQueryDone), 3, "after every answer with a client in it");
    judge(Transport::Tcp, &queries, &answers);
}

#[test]
fn tshark_reads_leasequery_over_udp_as_we_do() {
    if !tshark_is_here() {
        return;
    }
    let server = Server::start(CLIENTS);
    let queries: Vec<Vec<u8>> = [by_address(ADDRESS), by_address(NOWHERE), by_unknown_client()]
        .iter()
        .zip(1..)
        .map(|(question, number)| message(question, number))
        .collect();
    let answers: Vec<Vec<u8>> = queries.iter().map(|query| server.ask_udp(query)).collect();
    judge(Transport::Udp, &queries, &answers);
}

#[test]
fn a_damaged_answer_does_not_pass() {
    if !tshark_is_here() {
        return;
    }
    let server = Server::start(1);
    let query = message(&by_address(ADDRESS), 1);
    let good = server.ask_udp(&query);
    let address: Ipv6Addr = ADDRESS.parse().unwrap();
    let at = good.windows(16).position(|octets| octets == address.octets()).expect("the answer holds it");
    let mut damaged = good.clone();
    damaged[at - 1] += 200;
    let seen = read_by_tshark(Transport::Udp, &[], &[good.clone(), damaged]);
    assert_eq!(seen[0], expected(Transport::Udp, &good));
    assert_ne!(seen[1], expected(Transport::Udp, &good), "an option overruns its container");
}

fn bulk_questions() -> Vec<Question> {
    let relay = Duid::new(&RELAY).unwrap();
    let relay_data = [OptionCode::LQ_RELAY_DATA];
    vec![
        Question::by_relay(relay).requesting(&relay_data),
        Question::by_link(LINK.parse().unwrap()).unwrap(),
        Question::by_link(NOWHERE.parse().unwrap()).unwrap(),
        Question::by_remote(32_473, b"nobody's").unwrap(),
        by_address(ADDRESS).requesting(&relay_data),
        by_unknown_client(),
    ]
}

fn by_address(address: &str) -> Question {
    Question::by_address(address.parse::<Ipv6Addr>().unwrap())
}

fn by_unknown_client() -> Question {
    Question::by_client(Duid::new(&[0, 3, 0, 1, 0x02, 0, 0, 0, 0xff, 0xff]).unwrap())
}

fn message(question: &Question, number: u8) -> Vec<u8> {
    let asker =
        Asker { client_id: Duid::new(&[0, 3, 0, 1, 0x02, 0, 0, 0, 0, 0xbb]).unwrap(), server_id: None };
    let mut octets = Vec::new();
    let mut writer = Writer::new(&mut octets);
    question.write(&mut writer, TransactionId::new([0xa0, 0, number]), &asker);
    writer.finish().unwrap();
    octets
}

fn framed(questions: &[Question]) -> Vec<u8> {
    let mut octets = Vec::new();
    for (question, number) in questions.iter().zip(1..) {
        wire::write_frame(&mut octets, |writer| writer.bytes(&message(question, number))).unwrap();
    }
    octets
}

/// The messages of a stream, which holds nothing but whole ones.
fn messages(stream: &[u8]) -> Vec<Vec<u8>> {
    let mut frames = FrameBuffer::default();
    frames.extend(stream);
    let mut messages = Vec::new();
    while let Some(message) = frames.next_message().unwrap() {
        messages.push(message.to_vec());
    }
    assert_eq!(frames.waiting(), 0, "the stream ends within a message");
    messages
}

/// Lets tshark read the exchange and compares what it sees with what we see.
fn judge(transport: Transport, queries: &[Vec<u8>], answers: &[Vec<u8>]) {
    let seen = read_by_tshark(transport, queries, answers);
    assert_eq!(seen.len(), queries.len() + answers.len(), "a packet for every message");
    for (seen, octets) in seen.iter().zip(queries.iter().chain(answers)) {
        assert_eq!(*seen, expected(transport, octets), "{octets:02x?}");
    }
}

/// What tshark sees in each packet of a capture with a message to a packet.
fn read_by_tshark(transport: Transport, queries: &[Vec<u8>], answers: &[Vec<u8>]) -> Vec<Seen> {
    let mut capture = Capture::new(transport);
    queries.iter().for_each(|query| capture.query(query));
    answers.iter().for_each(|answer| capture.answer(answer));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("exchange.pcap");
    std::fs::write(&file, capture.octets()).unwrap();
    dissect(&file)
}

/// Without tshark nothing is judged: said where it cannot be overlooked, and a failure where nobody looks.
fn tshark_is_here() -> bool {
    let here = Command::new("tshark").arg("--version").output().is_ok_and(|output| output.status.success());
    if !here {
        assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "CI=true, and tshark is missing");
        let _ = writeln!(std::io::stderr(), "\nNOT TESTED: tshark is missing (apt-get install tshark)\n");
    }
    here
}
