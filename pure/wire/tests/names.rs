//! Names and numbers that an operator configures and a client asks for: domain names, time sources,
//! vendor options, and the codes that may be requested.

use wire::{DhcpOption, DomainName, DomainNameError, NtpServer, OptionCode, Options, RawOption, VendorClass};

#[path = "support/walk.rs"]
#[allow(dead_code, reason = "each test takes what it needs")]
mod walk;

use walk::written;

// DH-V-27
#[test]
fn a_name_is_written_label_by_label() {
    let name: DomainName = "ntp1.Example.com".parse().unwrap();
    assert_eq!(name.octets(), b"\x04ntp1\x07Example\x03com\0");
    assert_eq!("ntp1.Example.com.".parse(), Ok(name.clone()));
    assert_eq!(name.to_string(), "ntp1.Example.com");
    assert_eq!(written(|w| name.encode(w)).as_deref(), Ok(name.octets()));
}

// DH-V-27: the end that two names share is written twice.
#[test]
fn names_with_a_common_end_share_nothing() {
    let names: [DomainName; 2] = ["a.example.com", "b.example.com"].map(|text| text.parse().unwrap());
    let octets =
        written(|w| w.option(OptionCode::DOMAIN_LIST, |w| names.iter().for_each(|name| name.encode(w))))
            .unwrap();
    assert_eq!(octets[4..], *b"\x01a\x07example\x03com\0\x01b\x07example\x03com\0");
}

// DH-V-27: the option with the pointer is an error by itself; the next one is as good as before.
#[test]
fn a_name_with_a_pointer_is_none() {
    let octets = written(|w| {
        w.raw_option(OptionCode::DOMAIN_LIST, b"\x07example\0\x01b\xc0\x00");
        w.raw_option(OptionCode::DOMAIN_LIST, b"\x07example\0");
    })
    .unwrap();
    let decoded: Vec<_> = Options::new(&octets).unwrap().iter().map(DhcpOption::decode).collect();
    assert!(decoded[0].is_err());
    let Ok(DhcpOption::DomainList(names)) = decoded[1] else { panic!("{decoded:?}") };
    assert_eq!(names.iter().count(), 1);

    for octets in [&b"\x01b\xc0\x00"[..], b"\xc0\x00", b"", b"\x03com", b"\x03com\0\0", b"\x40"] {
        assert_eq!(DomainName::decode(octets), Err(DomainNameError::NotUncompressed), "{octets:?}");
    }
    assert_eq!(DomainName::decode(&[0]), Err(DomainNameError::Empty));
}

#[test]
fn names_from_a_peer_are_as_long_as_they_may_be_and_no_longer() {
    let name = |labels: usize, length: u8| {
        let label = [&[length][..], &vec![b'a'; length.into()]].concat();
        [label.repeat(labels), vec![0]].concat()
    };
    let longest = [name(3, 63), name(1, 61)].concat();
    let longest: Vec<u8> = longest.into_iter().filter(|octet| *octet != 0).chain([0]).collect();
    assert_eq!(longest.len(), 255);
    assert_eq!(DomainName::decode(&longest).unwrap().octets(), longest);
    assert!(DomainName::decode(&[&[1, b'a'], &longest[..]].concat()).is_err(), "257 octets");
    assert!(DomainName::decode(&[&longest[..192], &name(1, 62)].concat()).is_err(), "256 octets");
    assert!(DomainName::decode(&name(1, 63)).is_ok());
    assert!(DomainName::decode(&name(1, 64)).is_err(), "a label of 64");
}

#[test]
fn a_name_from_a_peer_is_shown_without_surprises() {
    let name = DomainName::decode(b"\x04a.b\n\x02\xc3\xa9\0").unwrap();
    assert_eq!(name.to_string(), "a\\046b\\010.\\195\\169");
}

#[test]
fn what_is_no_name_is_refused_with_the_reason() {
    let refused = |text: &str| text.parse::<DomainName>().unwrap_err();
    assert_eq!(refused(""), DomainNameError::Empty);
    assert_eq!(refused("."), DomainNameError::Empty);
    for text in [".example.com", "example..com", "example.com.."] {
        assert_eq!(refused(text), DomainNameError::EmptyLabel, "{text}");
    }
    assert_eq!(refused("www.exa mple.com"), DomainNameError::Character(' '));
    assert_eq!(refused("bücher.example"), DomainNameError::Character('ü'));
    assert_eq!(refused(&"a".repeat(64)), DomainNameError::LabelTooLong(64));
    assert!("a".repeat(63).parse::<DomainName>().is_ok());

    let longest = vec!["a"; 127].join(".");
    assert_eq!(longest.parse::<DomainName>().unwrap().octets().len(), 255);
    assert_eq!(refused(&format!("{longest}.b")), DomainNameError::TooLong(257));
    assert!(refused("bücher.example").to_string().contains("xn--"));
}

#[test]
fn a_time_source_is_an_option_of_its_own() {
    let name: DomainName = "ntp.example".parse().unwrap();
    let octets = written(|w| {
        NtpServer::Address("2001:db8::123".parse().unwrap()).encode(w);
        NtpServer::Multicast("ff05::101".parse().unwrap()).encode(w);
        NtpServer::Name(&name).encode(w);
    })
    .unwrap();
    let options = Options::new(&octets).unwrap();
    let sources: Vec<_> = options
        .all(OptionCode::NTP_SERVER)
        .map(|data| (&data[..4], data.len(), data[data.len() - 1]))
        .collect();
    let expected: [(&[u8], usize, u8); 3] =
        [(&[0, 1, 0, 16], 20, 0x23), (&[0, 2, 0, 16], 20, 0x01), (&[0, 3, 0, 13], 17, 0)];
    assert_eq!(sources, expected);
    assert!(options.iter().all(|option| option.code == OptionCode::NTP_SERVER));
}

#[test]
fn vendor_options_stand_behind_the_number_of_their_vendor() {
    let octets = written(|w| w.vendor_options(4491, |w| w.raw_option(OptionCode(33), &[0x20, 1]))).unwrap();
    assert_eq!(octets, [0, 17, 0, 10, 0, 0, 0x11, 0x8b, 0, 33, 0, 2, 0x20, 1]);
}

#[test]
fn what_vendors_and_relays_list_has_a_type_of_its_own() {
    let decoded = |code, data| DhcpOption::decode(RawOption { code, data }).unwrap();
    let DhcpOption::VendorClass(class) = decoded(OptionCode::VENDOR_CLASS, b"\0\0\0\x09\0\x03abc") else {
        panic!("no class")
    };
    assert!(class.enterprise == 9 && class.data.iter().eq([b"abc"]));
    let DhcpOption::VendorOptions(options) = decoded(OptionCode::VENDOR_OPTS, b"\0\0\0\x09\0\x01\0\0") else {
        panic!("no options")
    };
    assert_eq!((options.enterprise, options.suboptions), (9, &b"\0\x01\0\0"[..]));
    let DhcpOption::EchoRequest(codes) = decoded(OptionCode::ERO, &[0, 37, 0, 18]) else {
        panic!("no codes")
    };
    assert!(codes.iter().eq([OptionCode::REMOTE_ID, OptionCode::INTERFACE_ID]));
}

#[test]
fn a_vendor_class_tells_whose_it_is() {
    let octets = written(|w| {
        w.raw_option(OptionCode::VENDOR_CLASS, b"\0\0\x11\x8b\0\x0adocsis3.0:\0\0");
        w.raw_option(OptionCode::VENDOR_CLASS, b"\0\0\x11");
        w.raw_option(OptionCode::VENDOR_CLASS, b"\0\0\0\x09\0\x03abc");
    })
    .unwrap();
    let classes: Vec<_> = Options::new(&octets).unwrap().vendor_classes().collect();
    let [Ok(docsis), Err(_), Ok(VendorClass { enterprise: 9, .. })] = classes[..] else {
        panic!("{classes:?}")
    };
    assert_eq!(docsis.enterprise, 4491);
    assert!(docsis.data.iter().eq([b"docsis3.0:".as_slice(), b""]));
}

// DH-V-25
#[test]
fn a_client_may_ask_for_configuration_only() {
    let not_clients: Vec<u16> = (0..=u16::MAX).filter(|code| !OptionCode(*code).may_be_requested()).collect();
    let expected = [
        &[1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 18, 19, 20, 25, 26, 37, 38][..],
        &[43, 44, 45, 46, 47, 48, 53, 66, 79, 100, 101, 102, 135],
    ];
    assert_eq!(not_clients, expected.concat());
}

// DH-V-19, DH-V-25
#[test]
fn what_a_client_may_not_ask_for_it_has_not_asked_for() {
    let requested = |lists: &[&[u8]]| {
        let octets = written(|w| lists.iter().for_each(|list| w.raw_option(OptionCode::ORO, list))).unwrap();
        Options::new(&octets).unwrap().requested().map(|code| code.0).collect::<Vec<_>>()
    };
    assert_eq!(requested(&[&[0, 23, 0, 37, 0x27, 0x0f, 0, 12, 0, 82, 0, 23]]), [23, 9999, 82, 23]);
    assert_eq!(requested(&[&[0, 23], &[0, 24]]), [23], "the first counts");
    assert_eq!(requested(&[&[0, 23, 0]]), [0; 0]);
    assert_eq!(requested(&[]), [0; 0]);
}

#[test]
fn the_time_of_a_server_is_a_number_of_seconds_or_not_there() {
    let octets = written(|w| w.raw_option(OptionCode::LQ_BASE_TIME, &[0, 0, 1, 2])).unwrap();
    assert_eq!(Options::new(&octets).unwrap().base_time(), Ok(Some(258)));
    assert_eq!(Options::default().base_time(), Ok(None));
    let short = written(|w| w.raw_option(OptionCode::LQ_BASE_TIME, &[0, 1, 2])).unwrap();
    assert!(Options::new(&short).unwrap().base_time().is_err());
}
