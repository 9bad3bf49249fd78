//! Options for clients.

use std::ops::RangeInclusive;

use proptest::collection::vec;
use proptest::prelude::*;
use server::exchange::OfferedOptions;
use wire::{DomainName, OptionCode};

/// Codes that may be offered and of which the wire format knows nothing more.
pub(super) fn offered_code() -> impl Strategy<Value = OptionCode> {
    (200..=u16::MAX).prop_map(OptionCode)
}

/// An option that is good, as its code and data.
fn one_option() -> impl Strategy<Value = (OptionCode, Vec<u8>)> {
    let number = |code, range: RangeInclusive<u32>| {
        range.prop_map(move |number: u32| (code, number.to_be_bytes().to_vec()))
    };
    let addresses = |code| vec(any::<[u8; 16]>(), 1..3).prop_map(move |all| (code, all.concat()));
    let name = || vec("[a-zA-Z0-9_-]{1,10}", 1..4).prop_map(|labels| wire_name(&labels.join(".")));
    let suboption = |number: u8, data: Vec<u8>| [&[0, number, 0, data.len() as u8][..], &data].concat();
    let ntp = prop_oneof![
        (1..=2u8, address_or_group()).prop_map(move |(number, data)| suboption(number, data.to_vec())),
        name().prop_map(move |name| suboption(3, name)),
        vec(any::<u8>(), 4..5).prop_map(move |data| suboption(9, data)),
    ];
    let vendor =
        (any::<u32>(), vec((0..9u8, vec(any::<u8>(), 0..9)), 0..3)).prop_map(move |(enterprise, options)| {
            let options: Vec<u8> =
                options.into_iter().flat_map(|(code, data)| suboption(code, data)).collect();
            (OptionCode::VENDOR_OPTS, [&enterprise.to_be_bytes()[..], &options].concat())
        });
    prop_oneof![
        addresses(OptionCode::DNS_SERVERS),
        addresses(OptionCode::SNTP_SERVERS),
        vec(name(), 1..3).prop_map(|names| (OptionCode::DOMAIN_LIST, names.concat())),
        number(OptionCode::SOL_MAX_RT, 60..=86_400),
        number(OptionCode::INF_MAX_RT, 60..=86_400),
        number(OptionCode::INFORMATION_REFRESH_TIME, 600..=wire::INFINITE),
        any::<u8>().prop_map(|preference| (OptionCode::PREFERENCE, vec![preference])),
        ntp.prop_map(|data| (OptionCode::NTP_SERVER, data)),
        vendor,
        (offered_code(), vec(any::<u8>(), 0..20)),
        (offered_code(), "[ -~é]{0,20}").prop_map(|(code, text)| (code, text.into_bytes())),
    ]
}

fn address_or_group() -> impl Strategy<Value = [u8; 16]> {
    (prop_oneof![Just(0x20), Just(0xff)], any::<[u8; 15]>()).prop_map(|(first, rest)| {
        let mut octets = [first; 16];
        octets[1..].copy_from_slice(&rest);
        octets
    })
}

fn wire_name(text: &str) -> Vec<u8> {
    text.parse::<DomainName>().unwrap().octets().to_vec()
}

/// Options with codes of their own, and some of which there are several.
pub(super) fn offered() -> impl Strategy<Value = OfferedOptions> {
    vec((one_option(), any::<bool>()), 0..4).prop_map(|drawn| {
        let several = [OptionCode::NTP_SERVER, OptionCode::VENDOR_OPTS];
        let mut options = OfferedOptions::default();
        for ((code, data), always) in drawn {
            if options.get(code).is_none() || several.contains(&code) || code.0 >= 200 {
                options.add(code, data);
                if always {
                    options.always(code);
                }
            }
        }
        options
    })
}
