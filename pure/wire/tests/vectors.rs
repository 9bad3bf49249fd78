//! The project's test vectors: each decodes to what its description says, field by field, and is
//! written again to the same octets.

use std::net::Ipv6Addr;

use wire::leasequery::QueryType;
use wire::{
    AbsoluteTime, Authentication, ClientMessage, DecodeError, DhcpOption, FrameBuffer, Ia, IaAddress,
    IaPrefix, Iaid, Message, MessageType, OptionCode, Options, Prefix, PrefixExclude, RelayChain,
    RelayMessage, Status, StatusCode, write_frame,
};

#[path = "support/vectors.rs"]
mod vectors;
#[path = "support/walk.rs"]
mod walk;

use vectors::{VECTORS, vector};
use walk::{assert_option_written_again, assert_written_again, every_option};

const REQUESTOR: &str = "00:03:00:01:02:00:00:00:aa:01";
const SERVER: &str = "00:02:00:00:7e:d9:0c:c0:84:d3:03:00:09:12";
const CLIENT_1: &str = "00:03:00:01:02:00:00:00:01:01";
const CLIENT_2: &str = "00:03:00:01:02:00:00:00:01:02";
const ENTERPRISE: u32 = 0x7ed9;

// BLQ-F-01: framed octets are the size, big-endian, then exactly so many.
#[test]
fn every_vector_is_written_again_as_it_was() {
    for (name, _) in VECTORS {
        let octets = vector(name);
        match *name {
            "V11" | "V12" | "V21" => assert_written_again(&Message::decode(&octets).unwrap(), &octets),
            "V19" | "V20" | "V22" => every_option(Options::new(&octets).unwrap())
                .for_each(|found| assert_option_written_again(found.raw, found.option.unwrap())),
            _ => assert_frame_written_again(&octets),
        }
    }
}

fn assert_frame_written_again(framed: &[u8]) {
    let message = message_of(framed);
    let decoded = Message::decode(&message).unwrap();
    assert_written_again(&decoded, &message);
    let mut again = Vec::new();
    write_frame(&mut again, |writer| decoded.encode(writer)).unwrap();
    assert_eq!(again, framed);
}

#[test]
fn every_option_in_every_vector_decodes() {
    for (name, _) in VECTORS {
        let octets = vector(name);
        let options = match *name {
            "V11" | "V12" | "V21" => Message::decode(&octets).unwrap().options(),
            "V19" | "V20" | "V22" => Options::new(&octets).unwrap(),
            _ => Message::decode(&octets[2..]).unwrap().options(),
        };
        for found in every_option(options) {
            assert!(found.inside.is_ok(), "{name}: {found:?}");
        }
    }
}

#[test]
fn v1_asks_for_all_clients_of_a_relay_with_relay_data_and_base_time() {
    let octets = message_of(&vector("V1"));
    let message = client_message(&octets, MessageType::LeaseQuery, "00a001");
    let [DhcpOption::ClientId(requestor), DhcpOption::LqQuery(query), DhcpOption::OptionRequest(oro)] =
        decoded(message.options)[..]
    else {
        panic!("{message:?}")
    };
    assert_eq!(requestor.to_string(), REQUESTOR);
    assert!(oro.iter().eq([OptionCode::LQ_BASE_TIME]));
    assert_eq!((query.query_type, query.link_address), (QueryType::BY_RELAY_ID, Ipv6Addr::UNSPECIFIED));
    let [DhcpOption::RelayId(relay), DhcpOption::OptionRequest(oro)] = decoded(query.options().unwrap())[..]
    else {
        panic!("{query:?}")
    };
    assert_eq!(relay.to_string(), REQUESTOR);
    assert!(oro.iter().eq([OptionCode::LQ_RELAY_DATA]));
}

#[test]
fn v1min_asks_for_all_clients_of_a_relay_and_no_more() {
    let octets = message_of(&vector("V1min"));
    let message = client_message(&octets, MessageType::LeaseQuery, "00a001");
    assert_eq!(message.options.client_id().unwrap().unwrap().to_string(), REQUESTOR);
    assert_eq!(message.options.option_request(), Ok(None));
    let query = message.options.lq_query().unwrap().unwrap();
    assert_eq!((query.query_type, query.link_address), (QueryType::BY_RELAY_ID, Ipv6Addr::UNSPECIFIED));
    let [DhcpOption::RelayId(relay)] = decoded(query.options().unwrap())[..] else { panic!("{query:?}") };
    assert_eq!(relay.to_string(), REQUESTOR);
}

#[test]
fn v2_replies_with_one_address_and_one_prefix_of_the_first_client() {
    let octets = message_of(&vector("V2"));
    let message = client_message(&octets, MessageType::LeaseQueryReply, "00a001");
    let [DhcpOption::ClientId(requestor), DhcpOption::ServerId(server), DhcpOption::ClientData(client)] =
        decoded(message.options)[..]
    else {
        panic!("{message:?}")
    };
    assert_eq!((requestor.to_string(), server.to_string()), (REQUESTOR.into(), SERVER.into()));
    let [
        DhcpOption::ClientId(duid),
        DhcpOption::IaAddress(address),
        DhcpOption::IaPrefix(prefix),
        DhcpOption::CltTime(600),
    ] = decoded(client)[..]
    else {
        panic!("{client:?}")
    };
    assert_eq!(duid.to_string(), CLIENT_1);
    assert_eq!(address, leased_address("2001:db8:1::100", 1200, 1800));
    assert_eq!(prefix, leased_prefix("2001:db8:f000:100::/56", 1200, 1800));
}

#[test]
fn v3_has_a_deprecated_prefix_of_the_second_client_and_its_relay_data() {
    let octets = message_of(&vector("V3"));
    let message = client_message(&octets, MessageType::LeaseQueryData, "00a001");
    let [DhcpOption::ClientData(client)] = decoded(message.options)[..] else { panic!("{message:?}") };
    let [
        DhcpOption::ClientId(duid),
        DhcpOption::IaPrefix(prefix),
        DhcpOption::CltTime(3300),
        DhcpOption::LqRelayData(relay_data),
    ] = decoded(client)[..]
    else {
        panic!("{client:?}")
    };
    assert_eq!(duid.to_string(), CLIENT_2);
    assert_eq!(prefix, leased_prefix("2001:db8:f000:200::/56", 0, 300));
    assert_eq!(relay_data.peer_address, address("2001:db8:ffff::1"));
    let chain = relay_data.chain().unwrap();
    let [relay] = chain.hops() else { panic!("{chain:?}") };
    assert_eq!(relay.hop_count, 0);
    assert_eq!(relay.link_address, address("2001:db8:1::1"));
    assert_eq!(relay.peer_address, address("fe80::200:ff:fe00:102"));
    assert_identifies_the_port(relay.options);
}

#[test]
fn v4_is_done_and_nothing_else() {
    let octets = message_of(&vector("V4"));
    assert!(client_message(&octets, MessageType::LeaseQueryDone, "00a001").options.is_empty());
}

#[test]
fn v5_replies_that_there_is_no_lease() {
    let octets = message_of(&vector("V5"));
    let message = client_message(&octets, MessageType::LeaseQueryReply, "00a002");
    assert_from_server_to_requestor(message.options);
    assert_eq!(message.options.iter().count(), 2);
    assert_eq!(message.options.status(), Ok(None));
    assert_eq!(message.options.client_data(), Ok(None));
}

#[test]
fn v6_refuses_a_link_that_is_not_configured() {
    let octets = message_of(&vector("V6"));
    let message = client_message(&octets, MessageType::LeaseQueryReply, "00a003");
    assert_from_server_to_requestor(message.options);
    let status = Status { code: StatusCode::NOT_CONFIGURED, message: b"no such link" };
    assert_eq!(message.options.status(), Ok(Some(status)));
}

#[test]
fn v7_ends_the_reply_before_it_is_complete() {
    let octets = message_of(&vector("V7"));
    let message = client_message(&octets, MessageType::LeaseQueryDone, "00a001");
    let status = Status { code: StatusCode::QUERY_TERMINATED, message: b"shutting down" };
    assert_eq!(decoded(message.options), [DhcpOption::StatusCode(status)]);
}

// BLQ-F-07: the form of TCP is the form of UDP behind two octets, and is itself no message.
#[test]
fn v8_asks_by_address() {
    let octets = message_of(&vector("V8"));
    let message = client_message(&octets, MessageType::LeaseQuery, "00a004");
    let query = message.options.lq_query().unwrap().unwrap();
    assert_eq!((query.query_type, query.link_address), (QueryType::BY_ADDRESS, Ipv6Addr::UNSPECIFIED));
    let [DhcpOption::IaAddress(sought)] = decoded(query.options().unwrap())[..] else { panic!("{query:?}") };
    assert_eq!(sought, leased_address("2001:db8:f000:123::5", 0, 0));
    assert_eq!(Message::decode(&vector("V8")), Err(DecodeError::UnknownMessageType(0)));
}

#[test]
fn v9_asks_by_remote_id_on_one_link() {
    let octets = message_of(&vector("V9"));
    let message = client_message(&octets, MessageType::LeaseQuery, "00a005");
    let query = message.options.lq_query().unwrap().unwrap();
    assert_eq!((query.query_type, query.link_address), (QueryType::BY_REMOTE_ID, address("2001:db8:1::1")));
    let remote_id = DhcpOption::RemoteId { enterprise: ENTERPRISE, remote_id: b"port-7" };
    assert_eq!(decoded(query.options().unwrap()), [remote_id]);
}

#[test]
fn v10_asks_by_link() {
    let octets = message_of(&vector("V10"));
    let message = client_message(&octets, MessageType::LeaseQuery, "00a006");
    let query = message.options.lq_query().unwrap().unwrap();
    assert_eq!(
        (query.query_type, query.link_address),
        (QueryType::BY_LINK_ADDRESS, address("2001:db8:1::1"))
    );
    assert!(query.options().unwrap().is_empty());
}

#[test]
fn v11_names_the_two_links_of_a_client() {
    let octets = vector("V11");
    let message = client_message(&octets, MessageType::LeaseQueryReply, "00a007");
    assert_from_server_to_requestor(message.options);
    let links = message.options.client_links().unwrap().unwrap();
    assert!(links.iter().eq([address("2001:db8:1::"), address("2001:db8:2::")]));
}

#[test]
fn v12_is_a_solicit_wrapped_by_a_relay_that_identifies_the_port() {
    let octets = vector("V12");
    let (chain, solicit) = RelayChain::decode(&octets).unwrap();
    let [relay] = chain.hops() else { panic!("{chain:?}") };
    assert_eq!((relay.message_type, relay.hop_count), (MessageType::RelayForward, 0));
    assert_eq!(relay.link_address, address("2001:db8:1::1"));
    assert_eq!(relay.peer_address, address("fe80::200:ff:fe00:101"));
    let [interface_id, remote_id, relay_id, DhcpOption::RelayMessage(relayed)] = decoded(relay.options)[..]
    else {
        panic!("{relay:?}")
    };
    assert_eq!(relayed, solicit);
    assert_options_identify_the_port([interface_id, remote_id, relay_id]);

    let message = client_message(solicit, MessageType::Solicit, "5ca1ab");
    let [
        DhcpOption::ClientId(duid),
        DhcpOption::ElapsedTime(0),
        DhcpOption::IaNa(ia_na),
        DhcpOption::IaPd(ia_pd),
        DhcpOption::OptionRequest(oro),
    ] = decoded(message.options)[..]
    else {
        panic!("{message:?}")
    };
    let empty = Ia { iaid: Iaid(1), t1_secs: 0, t2_secs: 0, options: Options::default() };
    assert_eq!(duid.to_string(), CLIENT_1);
    assert_eq!((ia_na, ia_pd), (empty, empty));
    assert!(oro.iter().eq([OptionCode::SOL_MAX_RT, OptionCode::DNS_SERVERS]));
}

#[test]
fn v13_to_v15_ask_for_tls_and_accept_and_refuse() {
    let starttls = message_of(&vector("V13"));
    assert!(client_message(&starttls, MessageType::StartTls, "00b001").options.is_empty());

    let accepted = message_of(&vector("V14"));
    let message = client_message(&accepted, MessageType::Reply, "00b001");
    let [DhcpOption::ServerId(server)] = decoded(message.options)[..] else { panic!("{message:?}") };
    assert_eq!(server.to_string(), SERVER);

    let refused = message_of(&vector("V15"));
    let message = client_message(&refused, MessageType::Reply, "00b001");
    let refusal = Status { code: StatusCode::TLS_CONNECTION_REFUSED, message: b"" };
    let [DhcpOption::ServerId(server), DhcpOption::StatusCode(status)] = decoded(message.options)[..] else {
        panic!("{message:?}")
    };
    assert_eq!((server.to_string(), status), (SERVER.into(), refusal));
}

#[test]
fn v16_to_v18_follow_leases_from_a_point_in_time() {
    let asked = message_of(&vector("V16"));
    let message = client_message(&asked, MessageType::ActiveLeaseQuery, "00b002");
    let [DhcpOption::ClientId(requestor), DhcpOption::OptionRequest(oro), DhcpOption::LqStartTime(start)] =
        decoded(message.options)[..]
    else {
        panic!("{message:?}")
    };
    assert_eq!((requestor.to_string(), start), (REQUESTOR.into(), AbsoluteTime(0x3000_0000)));
    assert!(oro.iter().eq([OptionCode::LQ_BASE_TIME]));

    let keep_alive = message_of(&vector("V17"));
    let message = client_message(&keep_alive, MessageType::LeaseQueryData, "00b002");
    assert_eq!(decoded(message.options), [DhcpOption::LqBaseTime(AbsoluteTime(0x3000_003c))]);

    let caught_up = message_of(&vector("V18"));
    let message = client_message(&caught_up, MessageType::LeaseQueryData, "00b002");
    let status = Status { code: StatusCode::CATCH_UP_COMPLETE, message: b"" };
    let base_time = DhcpOption::LqBaseTime(AbsoluteTime(0x3000_0040));
    assert_eq!(decoded(message.options), [DhcpOption::StatusCode(status), base_time]);
}

// DH-O-05
#[test]
fn v19_and_v20_exclude_a_prefix_from_a_delegated_one() {
    assert_excludes("V19", "2001:db8:dead:beef::/64", "2001:db8:dead:bee0::/59");
    assert_excludes("V20", "2001:db8:0:ff::/64", "2001:db8::/48");
}

fn assert_excludes(name: &str, excluded: &str, delegated: &str) {
    let octets = vector(name);
    let (excluded, delegated): (Prefix, Prefix) = (excluded.parse().unwrap(), delegated.parse().unwrap());
    let options = Options::new(&octets).unwrap();
    let [DhcpOption::PdExclude(exclude)] = decoded(options)[..] else { panic!("{options:?}") };
    assert_eq!(exclude.excluded(delegated), Some(excluded));
    assert_eq!(PrefixExclude::data(excluded, delegated).as_deref(), options.first(OptionCode::PD_EXCLUDE));
    assert_eq!(exclude.excluded(excluded), None, "it is no part of itself");
}

// DH-O-04
#[test]
fn what_does_not_lie_inside_a_prefix_cannot_be_excluded_from_it() {
    let data = |excluded: &str, delegated: &str| {
        PrefixExclude::data(excluded.parse().unwrap(), delegated.parse().unwrap())
    };
    assert_eq!(data("2001:db8::/56", "2001:db8::/56"), None);
    assert_eq!(data("2001:db8::/48", "2001:db8::/56"), None);
    assert_eq!(data("2001:db8:1::/64", "2001:db8::/56"), None);
    assert_eq!(data("2001:db8::ff/128", "2001:db8::fe/127"), Some(vec![128, 0x80]));
}

#[test]
fn v21_asks_a_client_to_renew_and_is_signed() {
    let octets = vector("V21");
    let message = client_message(&octets, MessageType::Reconfigure, "000000");
    let [
        DhcpOption::ServerId(server),
        DhcpOption::ClientId(client),
        DhcpOption::ReconfigureMessage(5),
        DhcpOption::Authentication(authentication),
    ] = decoded(message.options)[..]
    else {
        panic!("{message:?}")
    };
    assert_eq!((server.to_string(), client.to_string()), (SERVER.into(), CLIENT_1.into()));
    let Authentication { protocol, algorithm, replay_method, replay_detection, information } = authentication;
    assert_eq!((protocol, algorithm, replay_method), (3, 1, 0));
    assert_eq!(u64::from_be_bytes(replay_detection), 1);
    assert_eq!((information.len(), information[0]), (17, 2), "a digest of sixteen octets");
}

#[test]
fn v22_is_the_path_through_two_relays() {
    let octets = vector("V22");
    let options = Options::new(&octets).unwrap();
    let relay_data = options.relay_data().unwrap().unwrap();
    assert_eq!(relay_data.peer_address, address("2001:db8:fffe::9"));
    let chain = relay_data.chain().unwrap();
    let [outer, inner] = chain.hops() else { panic!("{chain:?}") };
    assert_eq!((outer.hop_count, outer.link_address), (1, Ipv6Addr::UNSPECIFIED));
    assert_eq!(outer.peer_address, address("2001:db8:1::1"));
    assert_eq!(outer.options.iter().count(), 1, "nothing but the inner relay's message");
    assert_eq!((inner.hop_count, inner.link_address), (0, address("2001:db8:1::1")));
    assert_eq!(inner.peer_address, address("fe80::200:ff:fe00:102"));
    assert_identifies_the_port(inner.options);
    assert_eq!(RelayMessage::decode(relay_data.path), Ok(*outer));
}

/// The one message in the frame.
fn message_of(framed: &[u8]) -> Vec<u8> {
    let mut frames = FrameBuffer::default();
    frames.extend(framed);
    let message = frames.next_message().unwrap().expect("a whole frame").to_vec();
    assert_eq!(frames.next_message(), Ok(None));
    assert_eq!(frames.waiting(), 0);
    message
}

fn client_message<'a>(
    octets: &'a [u8],
    message_type: MessageType,
    transaction_id: &str,
) -> ClientMessage<'a> {
    let Ok(Message::Client(message)) = Message::decode(octets) else { panic!("{octets:02x?}") };
    assert_eq!(message.message_type, message_type);
    assert_eq!(message.transaction_id.to_string(), transaction_id);
    message
}

fn decoded(options: Options<'_>) -> Vec<DhcpOption<'_>> {
    options.iter().map(|raw| DhcpOption::decode(raw).unwrap()).collect()
}

fn assert_from_server_to_requestor(options: Options<'_>) {
    assert_eq!(options.client_id().unwrap().unwrap().to_string(), REQUESTOR);
    assert_eq!(options.server_id().unwrap().unwrap().to_string(), SERVER);
}

fn assert_identifies_the_port(options: Options<'_>) {
    assert_options_identify_the_port(decoded(options).try_into().expect("three options"));
}

fn assert_options_identify_the_port([interface_id, remote_id, relay_id]: [DhcpOption<'_>; 3]) {
    assert_eq!(interface_id, DhcpOption::InterfaceId(b"ge-0/0/7"));
    assert_eq!(remote_id, DhcpOption::RemoteId { enterprise: ENTERPRISE, remote_id: b"port-7" });
    assert!(matches!(relay_id, DhcpOption::RelayId(duid) if duid.to_string() == REQUESTOR));
}

fn leased_address(text: &str, preferred_secs: u32, valid_secs: u32) -> IaAddress<'static> {
    IaAddress { address: address(text), preferred_secs, valid_secs, options: Options::default() }
}

fn leased_prefix(text: &str, preferred_secs: u32, valid_secs: u32) -> IaPrefix<'static> {
    IaPrefix { prefix: text.parse().unwrap(), preferred_secs, valid_secs, options: Options::default() }
}

fn address(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}
