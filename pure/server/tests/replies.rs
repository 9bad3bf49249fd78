//! What an answer is made of: its grammar, what it repeats, and what CLIENT_DATA holds.

use std::collections::BTreeSet;

use wire::{INFINITE, MessageType, OptionCode, PrefixExclude, StatusCode};

use crate::common::{
    Answer, Known, Question, Server, answers, at, client, frames, holdings, many_clients, path_of, policy,
    relay, two_clients, types, vector,
};

const FROM: &str = "2001:db8:ffff::1";

fn told_of(known: Known, question: &Question) -> Answer {
    Server::new(holdings([known])).ask(question).swap_remove(0)
}

fn on_link_1() -> Question {
    Question::by_link(1, "2001:db8:1::1")
}

// BLQ-S-32, BLQ-S-33, BLQ-S-34, BLQ-S-35, BLQ-S-36, BLQ-S-40, BLQ-S-41, BLQ-S-42, BLQ-S-46
#[test]
fn one_reply_then_data_then_done() {
    for count in [0, 1, 2, 1_000] {
        let answer = Server::new(many_clients(count)).ask(&Question::by_relay(0xfe_dcba, &relay()));
        let expected = match count {
            0 => vec![15],
            _ => [vec![15], vec![17; count as usize - 1], vec![16]].concat(),
        };
        assert_eq!(types(&answer), expected);
        assert!(answer.iter().all(|message| message.transaction_id == 0xfe_dcba));
        assert_eq!(answer[0].codes(), if count == 0 { vec![1, 2] } else { vec![1, 2, 45] });
        if count > 0 {
            assert!(answer.last().unwrap().codes().is_empty());
        }
    }
}

// BLQ-S-37, BLQ-S-38, BLQ-S-35
#[test]
fn data_tell_of_one_client_and_nothing_else() {
    let answer = Server::new(many_clients(50)).ask(&on_link_1());
    let clients: BTreeSet<_> = answer.iter().filter_map(Answer::client).collect();
    assert_eq!(clients.len(), 50);
    for data in answer.iter().filter(|message| message.message_type == MessageType::LeaseQueryData) {
        assert_eq!(data.codes(), [45]);
        assert_eq!(data.data_codes(), [1, 26, 46]);
    }
}

// BLQ-S-33, BLQ-S-46: with LQ_BASE_TIME asked for, in either ORO, it is in every message.
#[test]
fn each_message_says_what_time_it_is_if_asked() {
    let wanted = &[OptionCode::LQ_BASE_TIME];
    let seconds_from_2000 = at(0).unix_secs - 946_684_800;
    for question in [on_link_1().wanting(wanted), on_link_1().wanting_outside(wanted)] {
        let answer = Server::new(two_clients()).ask(&question);
        let codes: Vec<Vec<u16>> = answer.iter().map(Answer::codes).collect();
        assert_eq!(codes, [vec![1, 2, 45, 100], vec![45, 100], vec![100]]);
        for message in &answer {
            assert_eq!(message.options().base_time().unwrap().map(u64::from), Some(seconds_from_2000));
        }
    }
    let refused = Server::new(two_clients()).ask(&Question::new(1, 4).wanting_outside(wanted));
    assert_eq!(refused[0].codes(), [1, 2, 13, 100]);
    let v1 = answers(&Server::new(two_clients()).give(&vector("V1")));
    assert_eq!(v1[0].data_codes(), [1, 5, 26, 46, 47]);
    assert_eq!(v1[2].codes(), [100]);
}

// BLQ-S-12, BLQ-S-50, LQ-S-22, LQ-S-23
#[test]
fn all_leases_of_all_identity_associations_stand_bare() {
    let mut known = client(1, 1).address("2001:db8:1::1", 100, 200).address("2001:db8:1::2", 100, 200);
    for number in 1..=5 {
        known = known.nth_prefix(number, 200);
    }
    let question = Question::by_client(1, &known.0.key.duid);
    let server = Server::new(holdings([known.clone()]));
    let over_udp = server.ask_by_udp(&question).unwrap();
    let over_tcp = told_of(known, &question);
    assert_eq!(over_tcp, over_udp);
    assert_eq!(over_udp.data_codes(), [1, 5, 5, 26, 26, 26, 26, 26, 46]);
    assert_eq!(over_udp.leases().len(), 7);
}

// LQ-S-24
#[test]
fn clt_time_counts_from_the_last_contact_on_this_link() {
    let path = path_of("V3");
    let known = [
        client(1, 1).heard(10, FROM, &path).address("2001:db8:1::1", 100, 200),
        client(2, 1).heard(90, FROM, &path).address("2001:db8:2::1", 100, 200),
    ];
    let answer = Server::new(holdings(known)).ask(&Question::by_relay(1, &relay()));
    let times: Vec<_> = answer.iter().filter_map(|message| message.data().clt_time().unwrap()).collect();
    assert_eq!(times, [10, 90]);
}

// LQ-S-25
#[test]
fn lifetimes_are_what_is_left_of_them() {
    let leases = |ago_secs: u64, preferred_secs: u32, valid_secs: u32| {
        let known = client(1, 1).address("2001:db8:1::1", preferred_secs, valid_secs).granted(ago_secs);
        told_of(known, &on_link_1()).leases()
    };
    assert_eq!(leases(600, 3600, 7200), ["2001:db8:1::1 3000/6600"]);
    assert_eq!(leases(4000, 3600, 7200), ["2001:db8:1::1 0/3200"]);
    assert_eq!(leases(7199, 3600, 7200), ["2001:db8:1::1 0/1"]);
    assert!(leases(7200, 3600, 7200).is_empty());
    assert_eq!(leases(1 << 30, INFINITE, INFINITE), [format!("2001:db8:1::1 {INFINITE}/{INFINITE}")]);
}

// LQ-S-26
#[test]
fn options_of_the_client_are_told_if_asked_for() {
    let known = client(1, 1)
        .address("2001:db8:1::1", 100, 200)
        .option(OptionCode::CLIENT_FQDN, b"\0\x04host\0")
        .option(OptionCode::VENDOR_CLASS, &[0, 0, 0, 9, 0, 1, 7]);
    let asked = told_of(known.clone(), &on_link_1().wanting(&[OptionCode::CLIENT_FQDN]));
    assert_eq!(asked.data_codes(), [1, 5, 46, 39]);
    assert_eq!(asked.data().first(OptionCode::CLIENT_FQDN), Some(&b"\0\x04host\0"[..]));
    let unasked = told_of(known, &on_link_1());
    assert_eq!(unasked.data_codes(), [1, 5, 46]);
}

// LQ-S-27, LQ-S-30
#[test]
fn the_oro_of_the_message_asks_for_nothing_about_clients() {
    let wanted = &[OptionCode::LQ_RELAY_DATA, OptionCode::CLIENT_FQDN];
    let known = client(1, 1)
        .heard(0, FROM, &path_of("V3"))
        .address("2001:db8:1::1", 100, 200)
        .option(OptionCode::CLIENT_FQDN, b"\0\x04host\0");
    let outside = told_of(known.clone(), &on_link_1().wanting_outside(wanted));
    assert_eq!(outside.data_codes(), [1, 5, 46]);
    assert_eq!(told_of(known, &on_link_1().wanting(wanted)).data_codes(), [1, 5, 46, 47, 39]);
}

// LQ-S-28, LQ-S-29
#[test]
fn what_is_sensitive_is_told_to_nobody() {
    let known = client(1, 1)
        .heard(0, FROM, &path_of("V3"))
        .address("2001:db8:1::1", 100, 200)
        .option(OptionCode::CLIENT_FQDN, b"\0\x04host\0");
    let question = Question::by_client(1, &known.0.key.duid)
        .wanting(&[OptionCode::CLIENT_FQDN, OptionCode::LQ_RELAY_DATA]);
    let mut server = Server::with(holdings([known]), |policy| {
        policy.sensitive_options = BTreeSet::from([OptionCode::CLIENT_FQDN, OptionCode::LQ_RELAY_DATA]);
    });
    assert_eq!(server.ask(&question)[0].data_codes(), [1, 5, 46]);
    assert_eq!(server.ask_by_udp(&question).unwrap().data_codes(), [1, 5, 46]);
    assert!(policy().sensitive_options.is_empty());
}

// LQ-S-31
#[test]
fn there_are_no_relay_data_of_a_client_heard_directly() {
    let known = client(1, 1).address("2001:db8:1::1", 100, 200);
    assert_eq!(told_of(known, &on_link_1().wanting(&[OptionCode::LQ_RELAY_DATA])).data_codes(), [1, 5, 46]);
}

// LQ-S-32, LQ-S-33, LQ-S-34
#[test]
fn relay_data_are_the_whole_path_without_the_message_of_the_client() {
    let wanted = &[OptionCode::LQ_RELAY_DATA];
    let two_relays =
        client(1, 1).heard(0, "2001:db8:fffe::9", &path_of("V22")).address("2001:db8:1::1", 100, 200);
    let told = told_of(two_relays, &on_link_1().wanting(wanted));
    let octets = told.data().first(OptionCode::LQ_RELAY_DATA).unwrap().to_vec();
    assert_eq!(octets, vector("V22")[4..]);

    let by_v12 = client(1, 1).heard(0, FROM, &path_of("V12")).address("2001:db8:1::1", 100, 200);
    let told = told_of(by_v12, &on_link_1().wanting(wanted));
    let data = told.data().relay_data().unwrap().unwrap();
    assert_eq!(data.peer_address.to_string(), FROM);
    let chain = data.chain().unwrap();
    assert_eq!(chain.innermost().relayed(), Ok(None));
    assert_eq!(data.path, &vector("V12")[..data.path.len()]);
}

#[test]
fn an_excluded_prefix_is_told_if_asked_for() {
    let known = client(1, 1).prefix("2001:db8:f000:100::/56", 100, 200).without("2001:db8:f000:1ff::/64");
    let told = told_of(known, &on_link_1().wanting(&[OptionCode::PD_EXCLUDE]));
    let prefix = told.data().first(OptionCode::IAPREFIX).unwrap();
    let expected = PrefixExclude::data(
        "2001:db8:f000:1ff::/64".parse().unwrap(),
        "2001:db8:f000:100::/56".parse().unwrap(),
    );
    assert_eq!(prefix[25 + 4..], expected.unwrap()[..]);
}

// BLQ-F-17
#[test]
fn a_client_too_big_for_one_message_is_told_in_several() {
    let mut known = client(1, 1).heard(30, FROM, &path_of("V3"));
    for number in 0..5_000 {
        known = known.nth_prefix(number, 3600);
    }
    let small = client(1, 2).address("2001:db8:1::2", 100, 200);
    let mut server = Server::new(holdings([known, small]));
    let question = on_link_1().wanting(&[OptionCode::LQ_RELAY_DATA]).framed();
    let stream = server.give(&question);
    assert!(frames(&stream).iter().all(|message| message.len() <= 65_535));
    let answer = answers(&stream);
    assert_eq!(types(&answer), [15, 17, 17, 17, 17, 17, 16]);
    let mut leases = BTreeSet::new();
    for piece in &answer[..5] {
        assert_eq!(piece.client(), Some(client(1, 1).0.key.duid));
        assert_eq!(piece.data().clt_time(), Ok(Some(30)));
        assert!(piece.data().relay_data().unwrap().is_some());
        leases.extend(piece.leases());
    }
    assert_eq!(leases.len(), 5_000);
}

// BLQ-F-17
#[test]
fn relay_data_that_do_not_fit_are_left_out() {
    let mut path = path_of("V3");
    let mut w = wire::Writer::new(&mut path);
    w.raw_option(OptionCode::VENDOR_OPTS, &vec![7; 59_000]);
    w.finish().unwrap();
    let wanted = &[OptionCode::LQ_RELAY_DATA, OptionCode::CLIENT_FQDN];
    let mut known = client(1, 1).heard(30, FROM, &path).option(OptionCode::CLIENT_FQDN, b"\0");
    known = known.nth_prefix(0, 3600);
    let fits = told_of(known.clone(), &on_link_1().wanting(wanted));
    assert_eq!(fits.data_codes(), [1, 26, 46, 47, 39]);
    for number in 1..1_000 {
        known = known.nth_prefix(number, 3600);
    }
    let duid = known.0.key.duid.clone();
    let server = Server::new(holdings([known.clone()]));
    let over_tcp = told_of(known, &on_link_1().wanting(wanted));
    let over_udp = server.ask_by_udp(&Question::by_client(1, &duid).wanting(wanted)).unwrap();
    for answer in [over_tcp, over_udp] {
        assert_eq!(answer.leases().len(), 1_000);
        assert_eq!(answer.data_codes()[1_001..], [46, 39]);
    }
}

// LQ-S-05
#[test]
fn asking_changes_nothing() {
    let mut server = Server::new(two_clients());
    server.holdings.table.take_batch();
    let before = server.holdings.table.last_seq();
    for _ in 0..1_000 {
        server.give(&vector("V1"));
        server.give_by_udp(&vector("V8")[2..], at(7)).unwrap();
    }
    assert_eq!(server.holdings.table.last_seq(), before);
    assert!(server.holdings.table.take_batch().is_empty());
    let mut connection = server::leasequery::Connection::new(crate::common::REQUESTOR, at(5));
    let later = answers(&server.tell(&mut connection, &vector("V1"), at(5)));
    assert_eq!(later[0].data().clt_time(), Ok(Some(605)));
}

// BLQ-S-44
#[test]
fn a_refusal_is_told_in_the_reply_with_words() {
    let refused = Server::new(two_clients()).ask(&Question::new(1, 6));
    let status = refused[0].options().status().unwrap().unwrap();
    assert_eq!(status.code, StatusCode::UNKNOWN_QUERY_TYPE);
    assert!(str::from_utf8(status.message).is_ok_and(|words| !words.is_empty()));
}
