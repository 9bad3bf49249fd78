//! The inside of one option: two octets of code, then the data. Decoding what was encoded gives
//! what was decoded.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::{DhcpOption, DomainName, OptionCode, RawOption, VendorClass};

#[allow(dead_code, reason = "each target takes what it needs")]
#[path = "../../pure/wire/tests/support/walk.rs"]
mod walk;

fuzz_target!(|octets: &[u8]| {
    let Some((code, data)) = octets.split_first_chunk() else { return };
    let raw = RawOption { code: OptionCode(u16::from_be_bytes(*code)), data };
    let Ok(option) = DhcpOption::decode(raw) else { return };
    if data.len() <= usize::from(u16::MAX) {
        walk::assert_option_written_again(raw, option);
    }
    touch_lists(option);
    assert_eq!(raw.code.to_string().parse(), Ok(raw.code));
});

/// Lists are read where they lie: walk them to their ends.
fn touch_lists(option: DhcpOption<'_>) {
    match option {
        DhcpOption::OptionRequest(codes) | DhcpOption::EchoRequest(codes) => {
            assert_eq!(codes.iter().count() * 2, codes.octets().len());
        }
        DhcpOption::DnsServers(addresses) | DhcpOption::LqClientLink(addresses) => {
            assert_eq!(addresses.iter().count() * 16, addresses.octets().len());
        }
        DhcpOption::DomainList(names) => {
            assert_eq!(names.iter().map(<[u8]>::len).sum::<usize>(), names.octets().len());
            for name in names.iter().filter(|name| *name != [0]) {
                assert_eq!(DomainName::decode(name).expect("a name").octets(), name);
            }
        }
        DhcpOption::UserClass(data) | DhcpOption::VendorClass(VendorClass { data, .. }) => {
            assert_eq!(data.iter().map(|piece| piece.len() + 2).sum::<usize>(), data.octets().len());
        }
        _ => {}
    }
}
