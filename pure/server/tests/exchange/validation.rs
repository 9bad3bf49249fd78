//! Which messages are answered at all, and what in them is not looked at.

use server::Discard;
use server::assign::Subscriber;
use wire::{Duid, MessageType, OptionCode, StatusCode};

use crate::kit::{
    Client, Datagram, Draft, Relay, SERVER, Server, Site, address, other_server_id, resource, server_id,
};

/// Which identifiers a message of a type may and must have (RFC 9915 §16).
enum ServerId {
    Never,
    Ours,
}

const OF_CLIENTS: [(MessageType, ServerId); 7] = [
    (MessageType::Solicit, ServerId::Never), // DH-V-05
    (MessageType::Request, ServerId::Ours),  // DH-V-06
    (MessageType::Confirm, ServerId::Never), // DH-V-07
    (MessageType::Renew, ServerId::Ours),    // DH-V-08
    (MessageType::Rebind, ServerId::Never),  // DH-V-09
    (MessageType::Decline, ServerId::Ours),  // DH-V-10
    (MessageType::Release, ServerId::Ours),  // DH-V-11
];

fn server() -> Server {
    Site::usual().open()
}

/// With an address that fits the link, so that there is something to be said about it.
fn bare(message_type: MessageType) -> Draft {
    Draft::new(message_type, 0x123456).na(1, &["2001:db8:1::1:123"])
}

// DH-V-05..DH-V-11
#[test]
fn a_message_with_the_wrong_identifiers_is_discarded() {
    let client = Client::new(1).duid;
    for (message_type, of_server) in OF_CLIENTS {
        let judged = |draft: Draft| server().silence(draft);
        let bare = || bare(message_type);
        match of_server {
            ServerId::Never => {
                server().ask(bare().client_id(&client));
                assert_eq!(judged(bare()), Discard::NoClientId, "{message_type}");
                let with_server_id = bare().client_id(&client).server_id(&server_id());
                assert_eq!(judged(with_server_id), Discard::ServerIdUnexpected, "{message_type}");
            }
            ServerId::Ours => {
                server().ask(bare().client_id(&client).server_id(&server_id()));
                assert_eq!(judged(bare().server_id(&server_id())), Discard::NoClientId, "{message_type}");
                assert_eq!(judged(bare().client_id(&client)), Discard::NoServerId, "{message_type}");
                let to_another = bare().client_id(&client).server_id(&other_server_id());
                assert_eq!(judged(to_another), Discard::OtherServer, "{message_type}");
            }
        }
    }
}

// DH-V-12
#[test]
fn an_information_request_is_without_associations_and_not_to_another_server() {
    let bare = || Draft::new(MessageType::InformationRequest, 7);
    server().ask(bare());
    server().ask(bare().server_id(&server_id()));
    assert_eq!(server().silence(bare().server_id(&other_server_id())), Discard::OtherServer);
    assert_eq!(server().silence(bare().na(1, &[])), Discard::Malformed);
    assert_eq!(server().silence(bare().pd(1, &[])), Discard::Malformed);
    assert_eq!(server().silence(bare().option(OptionCode::IA_TA, &[0; 4])), Discard::Malformed);
}

// DH-V-02, DH-V-13
#[test]
fn messages_that_are_not_for_servers_are_discarded() {
    let client = Client::new(1).duid;
    for message_type in [
        MessageType::Advertise,
        MessageType::Reply,
        MessageType::Reconfigure,
        MessageType::LeaseQueryReply,
        MessageType::ReconfigureRequest,
    ] {
        let draft = Draft::new(message_type, 7).client_id(&client).server_id(&server_id());
        assert_eq!(server().silence(draft.clone()), Discard::UnexpectedType, "{message_type}");
        let relayed = draft.through(&[&Relay::at("2001:db8:1::1")]);
        assert_eq!(server().silence(relayed), Discard::UnexpectedType, "{message_type}");
    }
    let relay_reply = {
        let forward = bare(MessageType::Solicit).client_id(&client).through(&[&Relay::at("2001:db8:1::1")]);
        let mut octets = forward.octets.clone();
        octets[0] = MessageType::RelayReply as u8;
        Datagram { octets, ..forward }
    };
    assert_eq!(server().silence(relay_reply), Discard::UnexpectedType);
}

// DH-V-02
#[test]
fn a_message_of_a_type_that_nobody_knows_is_discarded() {
    let solicit = || bare(MessageType::Solicit).client_id(&Client::new(1).duid);
    let mut direct: Datagram = solicit().into();
    direct.octets[0] = 99;
    assert_eq!(server().silence(direct.clone()), Discard::UnexpectedType);
    let relay = Relay::at("2001:db8:1::1");
    let octets = relay.wrap(0, &direct.octets);
    assert_eq!(
        server().silence(Datagram { octets, ..solicit().through(&[&relay]) }),
        Discard::UnexpectedType
    );
}

// DH-V-01
#[test]
fn options_that_nobody_knows_are_ignored() {
    let vendor = [0, 0, 0x7e, 0xd9, 0, 1, 0, 0];
    let solicit = Client::new(1).solicit().option(OptionCode(9999), b"?").na(1, &[]);
    let told = server().ask(solicit.option(OptionCode::VENDOR_OPTS, &vendor));
    assert_eq!((told.message_type, told.resources().len()), (MessageType::Advertise, 1));
}

// DH-V-04
#[test]
fn what_cannot_be_read_is_met_with_silence() {
    let solicit = || Client::new(1).solicit();
    let whole = solicit().na(1, &["2001:db8:1::1:123"]).octets();
    let mut server = server();
    for length in 0..whole.len() {
        let cut = Datagram { octets: whole[..length].to_vec(), ..solicit().into() };
        // Cut between two options it is a message, only with less in it.
        match server.receive(&cut) {
            Err(discard) => assert!(matches!(discard, Discard::Malformed | Discard::NoClientId), "{length}"),
            Ok((_, answered)) => assert_eq!(answered.message_type, MessageType::Advertise),
        }
    }
    for (code, data) in [
        (OptionCode::IA_NA, &[0, 0, 0, 1, 0, 0][..]),
        (OptionCode::IA_PD, &[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 26, 0, 1, 0]),
    ] {
        assert_eq!(server.silence(solicit().option(code, data)), Discard::Malformed);
    }
    // A prefix of 129 bits.
    let prefix =
        [&[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 26, 0, 25][..], &[0; 8], &[129], &[0; 16]].concat();
    assert_eq!(server.silence(solicit().option(OptionCode::IA_PD, &prefix)), Discard::Malformed);
}

// DH-V-03
#[test]
fn a_prefix_in_a_confirm_says_nothing() {
    let mut client = Client::new(1);
    let confirm = client.confirm().pd(1, &["2001:db8:bad::/56"]).na(1, &["2001:db8:1::1:123"]);
    assert_eq!(server().ask(confirm).status, Some(StatusCode::SUCCESS));
    assert_eq!(server().silence(client.confirm().pd(1, &["2001:db8:f000::/56"])), Discard::NothingToSay);
}

// DH-V-03: of the message in which they stand, everything else counts as if they were not there.
#[test]
fn options_where_they_do_not_belong_are_ignored() {
    let leased = &[&SERVER.octets()[..], &[0, 0, 0, 9, 0, 0, 0, 9]].concat();
    let delegated = &[&[0, 0, 0, 9, 0, 0, 0, 9, 56][..], &SERVER.octets()].concat();
    let hardware = &[0, 1, 2, 0, 0, 0, 0, 0x77];
    let other = other_server_id();
    let misplaced: [(OptionCode, &[u8]); 16] = [
        (OptionCode::IAADDR, leased),
        (OptionCode::IAPREFIX, delegated),
        (OptionCode::PREFERENCE, &[255]),
        (OptionCode::RELAY_MSG, &[11, 0, 0, 1]),
        (OptionCode::STATUS_CODE, &[0, 1]),
        (OptionCode::RAPID_COMMIT, &[]),
        (OptionCode::INTERFACE_ID, b"ge-7"),
        (OptionCode::RECONF_MSG, &[5]),
        (OptionCode::REMOTE_ID, &[0, 0, 1, 2, 7]),
        (OptionCode::SUBSCRIBER_ID, b"7"),
        (OptionCode::RELAY_ID, other.octets()),
        (OptionCode::ERO, &[0, 18, 0, 37]),
        (OptionCode::LQ_QUERY, &[2; 17]),
        (OptionCode::RSOO, &[0, 65, 0, 3, 1, b'a', 0]),
        (OptionCode::CLIENT_LINKLAYER_ADDR, hardware),
        (OptionCode::RELAY_PORT, &[4, 0]),
    ];
    let request = || Client::new(1).wanting(&[23, 65]).request();
    let whole = |draft: Draft| server().ask(draft.na(1, &[]).pd(1, &[])).octets;
    let plain = whole(request());
    for (code, data) in misplaced {
        assert_eq!(whole(request().option(code, data)), plain, "{code}");
    }
}

// DH-V-14
#[test]
fn duids_that_differ_anywhere_are_two_clients() {
    let mut ethernet = Client::with_duid(&[0, 3, 0, 1, 2, 0, 0, 0, 0, 1]);
    let mut infiniband = Client::with_duid(&[0, 3, 0, 32, 2, 0, 0, 0, 0, 1]);
    let mut server = server();
    let first = server.bind(ethernet.request().na(1, &[]));
    let second = server.bind(infiniband.request().na(1, &[]));
    assert_ne!(first, second);
    assert_eq!(server.holdings.table.len(), 2);
}

// DH-V-15
#[test]
fn duids_of_any_type_are_served_and_of_an_impossible_length_are_not() {
    for octets in [vec![0, 77, 1], vec![0xff; 130], vec![0, 0, 0]] {
        server().bind(Client::with_duid(&octets).request().na(1, &[]));
    }
    for octets in [&[][..], &[0, 1], &[0xab; 131]] {
        let draft = Draft::new(MessageType::Solicit, 7).option(OptionCode::CLIENTID, octets).na(1, &[]);
        assert_eq!(server().silence(draft), Discard::NoClientId);
    }
}

// DH-V-16
#[test]
fn a_client_that_sends_to_an_address_of_ours_is_not_answered_unless_that_is_allowed() {
    let unicast = |draft: Draft, source: &str| Datagram {
        source: address(source),
        destination: SERVER,
        ..draft.into()
    };
    let mut client = Client::new(1);
    for (message_type, of_server) in OF_CLIENTS {
        let draft = bare(message_type).client_id(&client.duid);
        let draft = if matches!(of_server, ServerId::Ours) { draft.server_id(&server_id()) } else { draft };
        assert_eq!(server().silence(unicast(draft, "2001:db8:1::1:123")), Discard::Unicast, "{message_type}");
    }
    let mut server = Site::usual().but(|site| site.rules.accept_unicast = true).open();
    let held = server.bind(client.request().na(1, &[]));
    server.wait(1000);
    // Its address says which link it is on, and not the interface that the datagram came in on.
    let renew = unicast(client.renew().na(1, &[]), "2001:db8:1::1:123");
    let told = server.ask(Datagram { interface: Some("uplink"), ..renew });
    assert_eq!(told.na(1).lease().resource, held[0]);
    assert_eq!(server.remaining_secs(&client), 7200);
}

// DH-V-18
#[test]
fn two_options_of_one_code_are_not_joined() {
    let mut server = Site::usual()
        .but(|site| {
            site.offer(OptionCode::DNS_SERVERS, &[1; 16]);
            site.offer(OptionCode(0x1718), b"?");
        })
        .open();
    // Joined, the two would ask for 0x1718 between them.
    let solicit = Draft::new(MessageType::Solicit, 7)
        .client_id(&Client::new(1).duid)
        .option(OptionCode::ORO, &[0, 23, 0x17])
        .option(OptionCode::ORO, &[0x18, 0, 24]);
    let told = server.ask(solicit);
    assert_eq!(told.codes(), [1, 2]);
}

// DH-V-19
#[test]
fn of_what_may_be_there_once_the_first_counts() {
    let mut server = Site::usual()
        .but(|site| {
            site.offer(OptionCode::DNS_SERVERS, &[1; 16]);
            site.offer(OptionCode::NTP_SERVER, &[]);
        })
        .open();
    let client = Client::new(1).duid;
    let solicit = || Draft::new(MessageType::Solicit, 7).client_id(&client);
    assert_eq!(server.ask(solicit().oro(&[23]).oro(&[56])).codes(), [1, 2, 23]);
    assert_eq!(server.silence(solicit().client_id(&client)), Discard::Malformed);
    let twice = Client::new(1).renew().server_id(&server_id()).na(1, &[]);
    assert_eq!(server.silence(twice), Discard::Malformed);

    let told = server.ask(solicit().na(5, &["2001:db8:1::1:155"]).na(5, &["2001:db8:1::1:166"]));
    assert_eq!(told.resources(), [resource("2001:db8:1::1:155")]);
    let told = server.ask(solicit().pd(5, &["2001:db8:f000:100::/56"]).pd(5, &["2001:db8:f000:200::/56"]));
    assert_eq!(told.resources(), [resource("2001:db8:f000:100::/56")]);
}

// DH-V-20
#[test]
fn two_authentications_are_one_too_many() {
    let auth = [3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    let solicit = || Client::new(1).solicit().na(1, &[]).option(OptionCode::AUTH, &auth);
    let told = server().ask(solicit());
    assert!(!told.has(OptionCode::AUTH));
    assert_eq!(server().silence(solicit().option(OptionCode::AUTH, &auth)), Discard::Malformed);
}

// DH-V-21, DH-V-22
#[test]
fn times_in_a_clients_message_are_not_looked_at() {
    let named = resource("2001:db8:1::1:123");
    let request = Client::new(1).request().ia_with_times(lease::IaKind::Address, 1, 10, &[named]);
    let told = server().ask(request);
    let ia = told.na(1);
    assert_eq!((ia.t1_secs, ia.t2_secs), (1800, 2880));
    assert_eq!(ia.lifetimes(named), Some((3600, 7200)));
}

// DH-V-23
#[test]
fn temporary_addresses_are_not_given_and_nothing_else_suffers() {
    let temporary = |draft: Draft| draft.option(OptionCode::IA_TA, &[0, 0, 0, 9]);
    let told = server().ask(temporary(Client::new(1).solicit()).na(1, &[]));
    assert_eq!((told.ias.len(), told.na(1).leases.len()), (1, 1));
    assert!(!told.has(OptionCode::IA_TA));
    let told = server().ask(temporary(Client::new(1).solicit()));
    assert_eq!(told.message_type, MessageType::Advertise);
    assert!(told.ias.is_empty() && !told.has(OptionCode::IA_TA));
}

// DH-V-24, DH-V-25
#[test]
fn what_a_client_may_not_ask_for_it_does_not_get() {
    let may_not = (1..=9).chain(11..=16).chain([18, 19, 20, 25, 26, 37, 38]);
    let may_not = may_not.chain(43..=48).chain([53, 66, 79, 100, 101, 102, 135]);
    let codes: Vec<u16> = may_not.collect();
    let offered = codes.clone();
    let mut server = Site::usual()
        .but(|site| {
            let own = [OptionCode::PREFERENCE.0, OptionCode::UNICAST.0];
            let offered = offered.iter().filter(|code| !own.contains(code));
            offered.for_each(|code| site.offer(OptionCode(*code), &[0; 16]));
            site.offer(OptionCode::UNICAST, &[0; 16]);
        })
        .open();
    let solicit = Draft::new(MessageType::Solicit, 7).client_id(&Client::new(1).duid).oro(&codes);
    let told = server.ask(solicit.option(OptionCode::UNICAST, &[0; 16]));
    assert_eq!(told.codes(), [1, 2]);
}

// DH-V-26
#[test]
fn a_link_layer_address_is_believed_only_of_a_relay() {
    let hardware = [2, 0, 0, 0, 0, 0x77];
    let mut server = Site::usual()
        .but(|site| _ = site.keep(Subscriber::LinkLayer(1, hardware.into()), "2001:db8:1::77"))
        .open();
    let data = [&[0, 1][..], &hardware].concat();
    let solicit = || Client::new(1).solicit().na(1, &[]);
    let told = server.ask(solicit().option(OptionCode::CLIENT_LINKLAYER_ADDR, &data));
    assert_ne!(told.resources(), [resource("2001:db8:1::77")]);
    let relay = Relay::at("2001:db8:1::1").option(OptionCode::CLIENT_LINKLAYER_ADDR, &data);
    let told = server.ask(solicit().through(&[&relay]));
    assert_eq!(told.resources(), [resource("2001:db8:1::77")]);
}

// DH-V-28
#[test]
fn a_chain_of_relays_has_a_message_in_it_and_an_end() {
    let relay = Relay::at("2001:db8:1::1");
    let solicit = || Client::new(1).solicit().na(1, &[]);
    let chain = |length: usize| solicit().through(&vec![&relay; length]);
    assert_eq!(server().ask(chain(9)).resources().len(), 1);
    assert_eq!(server().silence(chain(10)), Discard::Malformed);
    let with_inside = |inside: &[u8]| Datagram { octets: relay.wrap(0, inside), ..chain(1) };
    assert_eq!(server().silence(with_inside(b"")), Discard::Malformed);
    assert_eq!(server().silence(with_inside(&[1, 2, 3])), Discard::Malformed);
    assert_eq!(server().silence(with_inside(&[1, 0, 0, 7, 0, 1, 0, 99])), Discard::Malformed);
    let without = Datagram { octets: chain(1).octets[..34].to_vec(), ..chain(1) };
    assert_eq!(server().silence(without), Discard::Malformed);
}

// DH-S-01
#[test]
fn a_client_that_the_operator_has_ignored_is_not_answered() {
    let mut server =
        Site::usual().but(|site| _ = site.rules.ignored_clients.insert(Client::new(1).duid)).open();
    let mut ignored = Client::new(1);
    assert_eq!(server.silence(ignored.solicit().na(1, &[])), Discard::IgnoredClient);
    assert_eq!(server.silence(ignored.information()), Discard::IgnoredClient);
    server.ask(Client::new(2).solicit().na(1, &[]));
}

#[test]
fn too_many_associations_are_not_worked_on() {
    let mut client = Client::new(1);
    let many = |draft: Draft, count: u32| (0..count).fold(draft, |draft, iaid| draft.na(iaid, &[]));
    assert_eq!(server().ask(many(client.solicit(), 64)).ias.len(), 64);
    assert_eq!(server().silence(many(client.solicit(), 65)), Discard::TooManyAssociations);
}

#[test]
fn an_identifier_that_is_none_is_not_ours() {
    let renew = |id: &[u8]| {
        Draft::new(MessageType::Renew, 7)
            .client_id(&Duid::new(&[0, 3, 1]).unwrap())
            .option(OptionCode::SERVERID, id)
            .na(1, &[])
    };
    assert_eq!(server().silence(renew(&[])), Discard::OtherServer);
    assert_eq!(server().silence(renew(&[0; 200])), Discard::OtherServer);
}
