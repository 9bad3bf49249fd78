//! The clients of these scenarios do as the standard says.

use wire::{ClientMessage, Duid, MessageType, OptionCode, StatusCode};

use crate::kit::{Client, Draft, Site, other_server_id, server_id};

const ALL: [MessageType; 8] = [
    MessageType::Solicit,
    MessageType::Request,
    MessageType::Confirm,
    MessageType::Renew,
    MessageType::Rebind,
    MessageType::Release,
    MessageType::Decline,
    MessageType::InformationRequest,
];

fn options_of(draft: &Draft) -> Vec<u8> {
    let octets = draft.octets();
    ClientMessage::decode(&octets).unwrap().options.octets().to_vec()
}

// DH-K-01
#[test]
fn every_message_has_its_identifiers_and_no_others() {
    for message_type in ALL {
        let draft = Client::new(1).message(message_type);
        let options = options_of(&draft);
        let options = wire::Options::new(&options).unwrap();
        assert_eq!(options.client_id().unwrap(), Some(Client::new(1).duid.as_ref()), "{message_type}");
        assert_eq!(options.first(OptionCode::ELAPSED_TIME), Some(&[0, 0][..]), "{message_type}");
        let to_one_server = matches!(
            message_type,
            MessageType::Request | MessageType::Renew | MessageType::Release | MessageType::Decline
        );
        assert_eq!(options.server_id().unwrap().is_some(), to_one_server, "{message_type}");
    }
}

// DH-K-02
#[test]
fn messages_that_want_options_ask_for_them() {
    for message_type in ALL {
        let options = options_of(&Client::new(1).wanting(&[23]).message(message_type));
        let requested: Option<Vec<u16>> = wire::Options::new(&options)
            .unwrap()
            .option_request()
            .unwrap()
            .map(|codes| codes.iter().map(|code| code.0).collect());
        let expected = match message_type {
            MessageType::Solicit | MessageType::Request | MessageType::Renew | MessageType::Rebind => {
                Some(vec![82, 23])
            }
            MessageType::InformationRequest => Some(vec![83, 32, 23]),
            _ => None,
        };
        assert_eq!(requested, expected, "{message_type}");
    }
}

// DH-K-03
#[test]
fn a_client_takes_only_what_is_for_it() {
    let mut client = Client::new(1);
    let question = client.request();
    let number =
        u32::from_be_bytes([[0].as_slice(), &question.transaction_id.octets()].concat().try_into().unwrap());
    let answer = |number: u32, client: Option<&Duid>, server: Option<&Duid>| {
        let draft = Draft::new(MessageType::Reply, number);
        let draft = client.into_iter().fold(draft, Draft::client_id);
        server.into_iter().fold(draft, Draft::server_id).octets()
    };
    let (own, server, other) = (client.duid.clone(), server_id(), Client::new(2).duid);
    assert!(client.takes(&question, &answer(number, Some(&own), Some(&server))));
    assert!(client.takes(&question, &answer(number, Some(&own), Some(&other_server_id()))));
    assert!(!client.takes(&question, &answer(number ^ 1, Some(&own), Some(&server))));
    assert!(!client.takes(&question, &answer(number, Some(&own), None)));
    assert!(!client.takes(&question, &answer(number, None, Some(&server))));
    assert!(!client.takes(&question, &answer(number, Some(&other), Some(&server))));
}

// DH-K-04
#[test]
fn a_retransmission_has_the_same_transaction_id_and_a_new_message_another() {
    let mut client = Client::new(1);
    let first = client.solicit();
    assert_eq!(first.clone().octets()[1..4], first.octets()[1..4]);
    let mut seen: Vec<_> = (0..1000).map(|_| client.solicit().transaction_id).collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 1000);
}

// DH-K-05
#[test]
fn a_client_ignores_an_advertise_without_leases() {
    let mut client = Client::new(1);
    let mut full = Site::usual().open();
    let told = full.ask(client.solicit().na(1, &[]));
    assert!(Client::is_offered_anything(&told.octets));
    let mut empty = Site::usual().but(|site| site.link(1).address_pools.clear()).open();
    let told = empty.ask(client.solicit().na(1, &[]));
    assert!(!Client::is_offered_anything(&told.octets));
}

// DH-K-06
#[test]
fn a_client_declines_addresses_and_no_prefixes() {
    let mut server = Site::usual().open();
    let mut client = Client::new(1);
    let told = server.ask(client.request().na(1, &[]).pd(1, &[]).na(2, &[]));
    let decline = client.decline_of(&told);
    let options = options_of(&decline);
    let options = wire::Options::new(&options).unwrap();
    assert_eq!(options.all(OptionCode::IA_NA).count(), 2);
    assert!(!options.has(OptionCode::IA_PD));
    server.ask(decline);
    assert_eq!(server.held(&client), told.pd(1).resources());
}

// DH-K-07
#[test]
fn a_client_on_another_link_rebinds_what_was_delegated_and_else_confirms() {
    let mut server = Site::usual().but(|site| site.terms(2).rapid_commit = true).open();
    let mut client = Client::new(1);
    let told = server.ask(client.request().na(1, &[]).pd(1, &[]));
    let rebind = client.after_link_change(&told);
    assert_eq!(rebind.message_type, MessageType::Rebind);
    let after = server.ask(rebind.on("lan2"));
    for (ia, had) in after.ias.iter().zip(told.resources()) {
        assert_eq!((ia.lifetimes(had), ia.resources().len()), (Some((0, 0)), 1));
    }
    let mut client = Client::new(2);
    let told = server.ask(client.request().na(1, &[]));
    let confirm = client.after_link_change(&told);
    assert_eq!(confirm.message_type, MessageType::Confirm);
    assert_eq!(server.ask(confirm.on("lan2")).status, Some(StatusCode::NOT_ON_LINK));
}
