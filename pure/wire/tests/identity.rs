//! Whatever is encoded decodes to the same, however nested; a stream gives the same messages
//! however TCP cuts it; and octets that mean nothing are an error, never a panic.

use std::collections::BTreeSet;
use std::net::Ipv6Addr;

use proptest::prelude::*;
use proptest::strategy::{Union, ValueTree};
use proptest::test_runner::TestRunner;
use wire::leasequery::{LqQuery, QueryType};
use wire::{
    AbsoluteTime, Authentication, ClientMessage, DhcpOption, DomainName, Duid, DuidRef, FrameBuffer, Ia,
    IaAddress, IaPrefix, Iaid, LinkLayerAddress, Message, MessageType, OptionCode, Options, Prefix,
    PrefixExclude, RawOption, RelayChain, RelayData, RelayMessage, Status, StatusCode, TransactionId,
    VendorOptions, write_frame,
};

#[path = "support/walk.rs"]
mod walk;

use walk::{assert_written_again, every_option, written};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_option_decodes_to_what_was_encoded(option in option()) {
        let octets = written(|w| option.encode(w)).unwrap();
        let decoded: Vec<_> = Options::new(&octets).unwrap().iter().map(DhcpOption::decode).collect();
        prop_assert_eq!(decoded, vec![Ok(option)]);
    }

    #[test]
    fn a_message_decodes_to_what_was_encoded(message in message()) {
        let octets = written(|w| message.encode(w)).unwrap();
        prop_assert_eq!(Message::decode(&octets), Ok(message));
        assert_written_again(&message, &octets);
        for found in every_option(message.options()) {
            prop_assert!(found.inside.is_ok(), "{found:?}");
        }
    }

    // LQ-S-32, LQ-S-33
    #[test]
    fn a_path_has_the_levels_of_its_chain_and_no_more(relays in relays(), solicit in client_message()) {
        let solicit = written(|w| solicit.encode(w)).unwrap();
        let octets = wrapped(&relays, &solicit);
        let (chain, inside) = RelayChain::decode(&octets).unwrap();
        prop_assert_eq!((chain.hops().len(), inside), (relays.len(), solicit.as_slice()));
        let mut path = Vec::new();
        chain.encode_path(&mut path).unwrap();
        prop_assert_eq!(path.len(), octets.len() - 4 - inside.len());
        let of_path = RelayChain::decode_path(&path).unwrap();
        prop_assert_eq!(own_options(&of_path), own_options(&chain));
    }

    // BLQ-F-01, BLQ-F-02
    #[test]
    fn a_stream_gives_the_same_messages_however_it_is_cut(
        messages in prop::collection::vec(message(), 0..8),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let mut stream = Vec::new();
        for message in &messages {
            write_frame(&mut stream, |w| message.encode(w)).unwrap();
        }
        let mut ends: BTreeSet<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        ends.insert(stream.len());
        let mut frames = FrameBuffer::default();
        let (mut start, mut received) = (0, Vec::new());
        for end in ends {
            frames.extend(&stream[start..end]);
            start = end;
            while let Some(octets) = frames.next_message().unwrap() {
                received.push(octets.to_vec());
            }
        }
        prop_assert_eq!(frames.waiting(), 0);
        let received: Vec<_> = received.iter().map(|octets| Message::decode(octets).unwrap()).collect();
        prop_assert_eq!(received, messages);
    }

    #[test]
    fn arbitrary_octets_never_panic(octets in prop::collection::vec(any::<u8>(), 0..400)) {
        read_as_everything(&octets);
    }

    #[test]
    fn a_message_with_wrong_octets_never_panics(
        message in message(),
        wrong in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        kept in any::<prop::sample::Index>(),
    ) {
        let mut octets = written(|w| message.encode(w)).unwrap();
        for (at, octet) in wrong {
            let at = at.index(octets.len());
            octets[at] = octet;
        }
        read_as_everything(&octets);
        read_as_everything(&octets[..kept.index(octets.len())]);
    }

    #[test]
    fn arbitrary_text_never_panics(text in ".{0,60}") {
        let _ = text.parse::<Duid>();
        let _ = text.parse::<Prefix>();
        let _ = text.parse::<OptionCode>();
        let _ = text.parse::<DomainName>();
    }

    // DH-V-27
    #[test]
    fn a_domain_name_is_read_as_it_is_written(labels in prop::collection::vec("[A-Za-z0-9_-]{1,63}", 1..4)) {
        let text = labels.join(".");
        let name: DomainName = text.parse().unwrap();
        prop_assert_eq!(name.to_string(), text.as_str());
        prop_assert_eq!(format!("{text}.").parse(), Ok(name.clone()));
        prop_assert_eq!(name.octets().len(), text.len() + 2);
        let twice = [name.octets(), name.octets()].concat();
        let option = DhcpOption::decode(RawOption { code: OptionCode::DOMAIN_LIST, data: &twice });
        let Ok(DhcpOption::DomainList(names)) = option else { panic!("{option:?}") };
        prop_assert_eq!(names.iter().map(DomainName::decode).collect::<Vec<_>>(), vec![Ok(name.clone()), Ok(name)]);
    }

    #[test]
    fn names_are_read_as_they_are_written(duid in duid(), prefix in prefix(), code in any::<u16>()) {
        prop_assert_eq!(duid.to_string().parse(), Ok(duid.to_duid()));
        prop_assert_eq!(duid.to_string().replace(':', "").parse(), Ok(duid.to_duid()));
        prop_assert_eq!(prefix.to_string().parse(), Ok(prefix));
        prop_assert_eq!(OptionCode(code).to_string().parse(), Ok(OptionCode(code)));
    }

    #[test]
    fn an_excluded_prefix_is_found_again(delegated in prefix(), inside in any::<u128>(), more in 1..=128_u8) {
        let length = delegated.length().saturating_add(more).min(128);
        prop_assume!(length > delegated.length());
        let host = inside.checked_shr(delegated.length().into()).unwrap_or(0);
        let address = Ipv6Addr::from_bits(delegated.address().to_bits() | host);
        let excluded = Prefix::new(address, length).unwrap();
        let data = PrefixExclude::data(excluded, delegated).unwrap();
        let option = DhcpOption::decode(RawOption { code: OptionCode::PD_EXCLUDE, data: &data });
        let Ok(DhcpOption::PdExclude(exclude)) = option else { panic!("{option:?}") };
        prop_assert_eq!(exclude.excluded(delegated), Some(excluded));
    }
}

#[test]
fn every_option_with_a_type_of_its_own_is_tried() {
    let mut runner = TestRunner::deterministic();
    let strategy = plain_option();
    let tried: BTreeSet<_> =
        (0..5_000).map(|_| strategy.new_tree(&mut runner).unwrap().current().code()).collect();
    let containers = [OptionCode::RELAY_MSG, OptionCode::CLIENT_DATA, OptionCode::LQ_RELAY_DATA];
    let untyped =
        |code| matches!(DhcpOption::decode(RawOption { code, data: &[] }), Ok(DhcpOption::Other(_)));
    for code in OptionCode::NAMED {
        let elsewhere = containers.contains(code) || NESTING.contains(code) || untyped(*code);
        assert!(elsewhere || tried.contains(code), "{code} is not tried");
    }
}

/// Every way into the codec that takes octets.
fn read_as_everything(octets: &[u8]) {
    if let Ok(message) = Message::decode(octets) {
        assert_written_again(&message, octets);
    }
    if let Ok((chain, _)) = RelayChain::decode(octets) {
        chain.encode_path(&mut Vec::new()).unwrap();
        chain.encode_reply(&[7, 0, 0, 0], &mut Vec::new()).unwrap();
        let _ = (chain.client_link_layer_address(), chain.supplied_options().count());
    }
    let _ = (RelayChain::decode_path(octets), DomainName::decode(octets).map(|name| name.to_string()));
    for code in OptionCode::NAMED {
        let _ = DhcpOption::decode(RawOption { code: *code, data: octets });
    }
    if let Ok(options) = Options::new(octets) {
        ask_for_everything(options);
    }
    let mut frames = FrameBuffer::default();
    frames.extend(octets);
    while let Ok(Some(_)) = frames.next_message() {}
}

fn ask_for_everything(options: Options<'_>) {
    let _ = (options.client_id(), options.server_id(), options.relay_id(), options.status());
    let _ = (options.option_request(), options.lq_query(), options.client_data(), options.clt_time());
    let _ = (options.base_time(), options.relay_data(), options.client_links(), options.queried_address());
    let _ = (options.requested().count(), options.echo_request().count(), options.vendor_classes().count());
    for (_, ia) in options.ias().flatten() {
        let _ = (ia.options.ia_addresses().count(), ia.options.ia_prefixes().count());
    }
    assert_eq!(options.iter().count(), options.iter().collect::<Vec<_>>().len());
    assert!(every_option(options).count() >= options.iter().count());
}

/// The options of each level but the relayed message.
fn own_options<'a>(chain: &RelayChain<'a>) -> Vec<Vec<RawOption<'a>>> {
    let own = |option: &RawOption<'_>| option.code != OptionCode::RELAY_MSG;
    chain.hops().iter().map(|hop| hop.options.iter().filter(own).collect()).collect()
}

/// `message` inside the relays, outermost first, with some of each relay's options behind it.
fn wrapped(relays: &[(RelayMessage<'_>, Vec<RawOption<'_>>)], message: &[u8]) -> Vec<u8> {
    relays.iter().rev().fold(message.to_vec(), |inside, (relay, behind)| {
        written(|w| {
            relay.encode(w);
            w.raw_option(OptionCode::RELAY_MSG, &inside);
            behind.iter().for_each(|option| option.encode(w));
        })
        .unwrap()
    })
}

/// Options that hold options, but for those that hold a message.
const NESTING: &[OptionCode] = &[
    OptionCode::IA_NA,
    OptionCode::IA_TA,
    OptionCode::IA_PD,
    OptionCode::IAADDR,
    OptionCode::IAPREFIX,
    OptionCode::LQ_QUERY,
    OptionCode::RSOO,
];

fn message() -> impl Strategy<Value = Message<'static>> {
    prop_oneof![
        3 => client_message().prop_map(Message::Client),
        1 => relay_message(option()).prop_map(Message::Relay),
    ]
}

fn client_message() -> impl Strategy<Value = ClientMessage<'static>> {
    (message_type(), any::<[u8; 3]>(), options(option())).prop_map(|(message_type, id, options)| {
        ClientMessage { message_type, transaction_id: TransactionId::new(id), options }
    })
}

fn message_type() -> impl Strategy<Value = MessageType> {
    let relayed = |kind: &MessageType| matches!(kind, MessageType::RelayForward | MessageType::RelayReply);
    let kinds: Vec<_> = MessageType::ALL.iter().copied().filter(|kind| !relayed(kind)).collect();
    prop::sample::select(kinds)
}

fn relays() -> impl Strategy<Value = Vec<(RelayMessage<'static>, Vec<RawOption<'static>>)>> {
    let behind = prop::collection::vec(plain_option().prop_map(raw), 0..3);
    prop::collection::vec((relay_message(plain_option()), behind), 1..5).prop_map(|mut relays| {
        relays.iter_mut().for_each(|(relay, _)| relay.message_type = MessageType::RelayForward);
        relays
    })
}

fn relay_message(
    option: impl Strategy<Value = DhcpOption<'static>>,
) -> impl Strategy<Value = RelayMessage<'static>> {
    let kind = prop::sample::select(vec![MessageType::RelayForward, MessageType::RelayReply]);
    (kind, any::<u8>(), address(), address(), options(option)).prop_map(
        |(message_type, hop_count, link_address, peer_address, options)| RelayMessage {
            message_type,
            hop_count,
            link_address,
            peer_address,
            options,
        },
    )
}

/// Any option, up to four deep.
fn option() -> impl Strategy<Value = DhcpOption<'static>> {
    plain_option().prop_recursive(4, 24, 3, |inner| {
        let inner = || options(inner.clone());
        let ia = || {
            (any::<[u32; 3]>(), inner()).prop_map(|([iaid, t1_secs, t2_secs], options)| Ia {
                iaid: Iaid(iaid),
                t1_secs,
                t2_secs,
                options,
            })
        };
        let relayed = (message_type(), any::<[u8; 3]>(), inner()).prop_map(|(message_type, id, options)| {
            let transaction_id = TransactionId::new(id);
            leaked(written(|w| ClientMessage { message_type, transaction_id, options }.encode(w)).unwrap())
        });
        let lease = || (address(), any::<[u32; 2]>(), inner());
        let path = (address(), relay_message(plain_option()));
        Union::new([
            ia().prop_map(DhcpOption::IaNa).boxed(),
            ia().prop_map(DhcpOption::IaPd).boxed(),
            (any::<u32>(), inner())
                .prop_map(|(iaid, options)| DhcpOption::IaTa { iaid: Iaid(iaid), options })
                .boxed(),
            lease()
                .prop_map(|(address, [preferred_secs, valid_secs], options)| {
                    DhcpOption::IaAddress(IaAddress { address, preferred_secs, valid_secs, options })
                })
                .boxed(),
            (prefix(), lease())
                .prop_map(|(prefix, (_, [preferred_secs, valid_secs], options))| {
                    DhcpOption::IaPrefix(IaPrefix { preferred_secs, valid_secs, prefix, options })
                })
                .boxed(),
            (any::<u8>(), address(), inner())
                .prop_map(|(kind, link, options)| {
                    DhcpOption::LqQuery(LqQuery::new(QueryType(kind), link, options))
                })
                .boxed(),
            inner().prop_map(DhcpOption::ClientData).boxed(),
            inner().prop_map(DhcpOption::RelaySupplied).boxed(),
            relayed.prop_map(DhcpOption::RelayMessage).boxed(),
            path.prop_map(|(peer_address, relay)| {
                let path = leaked(written(|w| relay.encode(w)).unwrap());
                DhcpOption::LqRelayData(RelayData { peer_address, path })
            })
            .boxed(),
        ])
    })
}

fn options(option: impl Strategy<Value = DhcpOption<'static>>) -> impl Strategy<Value = Options<'static>> {
    prop::collection::vec(option, 0..4).prop_map(|options| {
        let octets = written(|w| options.iter().for_each(|option| option.encode(w))).unwrap();
        Options::new(leaked(octets)).unwrap()
    })
}

/// An option without options inside.
fn plain_option() -> BoxedStrategy<DhcpOption<'static>> {
    prop_oneof![one_value(), lists(), composed(), other()].boxed()
}

fn one_value() -> impl Strategy<Value = DhcpOption<'static>> {
    let max_rt = || 60..=86_400_u32;
    prop_oneof![
        duid().prop_map(DhcpOption::ClientId),
        duid().prop_map(DhcpOption::ServerId),
        duid().prop_map(DhcpOption::RelayId),
        any::<u8>().prop_map(DhcpOption::Preference),
        any::<u16>().prop_map(DhcpOption::ElapsedTime),
        any::<u16>().prop_map(DhcpOption::RelayPort),
        address().prop_map(DhcpOption::Unicast),
        Just(DhcpOption::RapidCommit),
        Just(DhcpOption::ReconfigureAccept),
        prop::sample::select(vec![5, 6, 11]).prop_map(DhcpOption::ReconfigureMessage),
        opaque(0).prop_map(DhcpOption::InterfaceId),
        opaque(1).prop_map(DhcpOption::SubscriberId),
        any::<u32>().prop_map(DhcpOption::InformationRefreshTime),
        any::<u32>().prop_map(DhcpOption::CltTime),
        max_rt().prop_map(DhcpOption::SolMaxRt),
        max_rt().prop_map(DhcpOption::InfMaxRt),
        any::<u32>().prop_map(|secs| DhcpOption::LqBaseTime(AbsoluteTime(secs))),
        any::<u32>().prop_map(|secs| DhcpOption::LqStartTime(AbsoluteTime(secs))),
        any::<u32>().prop_map(|secs| DhcpOption::LqEndTime(AbsoluteTime(secs))),
    ]
}

/// Lists have no constructor from outside: they come from their octets.
fn lists() -> impl Strategy<Value = DhcpOption<'static>> {
    let repeated = |octets: usize, least: usize| {
        (least..4).prop_flat_map(move |count| prop::collection::vec(any::<u8>(), count * octets))
    };
    let classes =
        || prop::collection::vec(opaque(0), 1..4).prop_map(|pieces| pieces.iter().flat_map(sized).collect());
    let names = prop::collection::vec("[a-z]{1,63}", 1..4)
        .prop_map(|labels| {
            labels.iter().flat_map(|label| [&[label.len() as u8], label.as_bytes()].concat()).collect()
        })
        .prop_map(|labels: Vec<u8>| [labels.as_slice(), &[0], labels.as_slice(), &[0]].concat());
    prop_oneof![
        repeated(2, 0).prop_map(|octets| decoded(OptionCode::ORO, octets)),
        repeated(2, 0).prop_map(|octets| decoded(OptionCode::ERO, octets)),
        repeated(16, 1).prop_map(|octets| decoded(OptionCode::DNS_SERVERS, octets)),
        repeated(16, 0).prop_map(|octets| decoded(OptionCode::LQ_CLIENT_LINK, octets)),
        names.prop_map(|octets| decoded(OptionCode::DOMAIN_LIST, octets)),
        classes().prop_map(|octets| decoded(OptionCode::USER_CLASS, octets)),
        (any::<[u8; 4]>(), classes()).prop_map(|(enterprise, classes): (_, Vec<u8>)| {
            decoded(OptionCode::VENDOR_CLASS, [&enterprise, classes.as_slice()].concat())
        }),
    ]
}

fn composed() -> impl Strategy<Value = DhcpOption<'static>> {
    prop_oneof![
        (any::<u16>(), opaque(0)).prop_map(|(code, message)| {
            DhcpOption::StatusCode(Status { code: StatusCode(code), message })
        }),
        (any::<u32>(), opaque(1))
            .prop_map(|(enterprise, remote_id)| DhcpOption::RemoteId { enterprise, remote_id }),
        (any::<u32>(), opaque(0)).prop_map(|(enterprise, suboptions)| {
            DhcpOption::VendorOptions(VendorOptions { enterprise, suboptions })
        }),
        (any::<u16>(), opaque(1)).prop_map(|(hardware_type, address)| {
            DhcpOption::ClientLinkLayerAddress(LinkLayerAddress { hardware_type, address })
        }),
        (1..=128_u8, prop::collection::vec(any::<u8>(), 1..=16)).prop_map(|(length, subnet_id)| {
            DhcpOption::PdExclude(PrefixExclude { length, subnet_id: leaked(subnet_id) })
        }),
        (any::<[u8; 3]>(), any::<[u8; 8]>(), opaque(0)).prop_map(
            |(numbers, replay_detection, information)| {
                let [protocol, algorithm, replay_method] = numbers;
                DhcpOption::Authentication(Authentication {
                    protocol,
                    algorithm,
                    replay_method,
                    replay_detection,
                    information,
                })
            }
        ),
    ]
}

fn other() -> impl Strategy<Value = DhcpOption<'static>> {
    (1000..=u16::MAX, opaque(0))
        .prop_map(|(code, data)| DhcpOption::Other(RawOption { code: OptionCode(code), data }))
}

fn duid() -> impl Strategy<Value = DuidRef<'static>> {
    prop::collection::vec(any::<u8>(), 3..=130).prop_map(|octets| DuidRef::new(leaked(octets)).unwrap())
}

fn prefix() -> impl Strategy<Value = Prefix> {
    (address(), 0..=128_u8).prop_map(|(address, length)| Prefix::new(address, length).unwrap())
}

fn address() -> impl Strategy<Value = Ipv6Addr> {
    any::<u128>().prop_map(Ipv6Addr::from_bits)
}

fn opaque(least: usize) -> impl Strategy<Value = &'static [u8]> {
    prop::collection::vec(any::<u8>(), least..24).prop_map(leaked)
}

fn sized(piece: &&[u8]) -> Vec<u8> {
    [&(piece.len() as u16).to_be_bytes(), *piece].concat()
}

fn decoded(code: OptionCode, data: Vec<u8>) -> DhcpOption<'static> {
    DhcpOption::decode(RawOption { code, data: leaked(data) }).unwrap()
}

fn raw(option: DhcpOption<'static>) -> RawOption<'static> {
    let octets = leaked(written(|w| option.encode(w)).unwrap());
    Options::new(octets).unwrap().iter().next().unwrap()
}

/// Octets that outlive the test, so that what borrows them can be generated; the test is short.
fn leaked(octets: Vec<u8>) -> &'static [u8] {
    octets.leak()
}
