//! Every option of a run, and every option inside those, however deep.
//!
//! The walk keeps a list of runs still to be visited and does not recurse, so that a hostile
//! nesting costs no stack.

use std::iter;

use wire::{DecodeError, DhcpOption, Message, Options, RawOption, RelayMessage, TooLong, Writer};

/// An option as it lies in its run, and what became of its inside.
#[derive(Debug)]
pub(crate) struct Found<'a> {
    pub(crate) raw: RawOption<'a>,
    pub(crate) option: Result<DhcpOption<'a>, DecodeError>,
    /// The options inside it, if it holds any.
    pub(crate) inside: Result<Option<Options<'a>>, DecodeError>,
}

/// The options of `top`, and all inside them.
pub(crate) fn every_option(top: Options<'_>) -> impl Iterator<Item = Found<'_>> {
    let mut runs: Vec<Box<dyn Iterator<Item = RawOption<'_>>>> = vec![Box::new(top.iter())];
    iter::from_fn(move || {
        loop {
            let Some(raw) = runs.last_mut()?.next() else {
                runs.pop();
                continue;
            };
            let option = DhcpOption::decode(raw);
            let inside = option.and_then(inside);
            if let Ok(Some(options)) = inside {
                runs.push(Box::new(options.iter()));
            }
            return Some(Found { raw, option, inside });
        }
    })
}

fn inside(option: DhcpOption<'_>) -> Result<Option<Options<'_>>, DecodeError> {
    Ok(Some(match option {
        DhcpOption::IaNa(ia) | DhcpOption::IaPd(ia) => ia.options,
        DhcpOption::IaTa { options, .. } => options,
        DhcpOption::IaAddress(lease) => lease.options,
        DhcpOption::IaPrefix(lease) => lease.options,
        DhcpOption::RelayMessage(octets) => Message::decode(octets)?.options(),
        DhcpOption::LqQuery(query) => query.options()?,
        DhcpOption::ClientData(options) | DhcpOption::RelaySupplied(options) => options,
        DhcpOption::LqRelayData(data) => RelayMessage::decode(data.path)?.options,
        _ => return Ok(None),
    }))
}

/// The octets that `write` writes.
pub(crate) fn written(write: impl FnOnce(&mut Writer<'_>)) -> Result<Vec<u8>, TooLong> {
    let mut octets = Vec::new();
    let mut writer = Writer::new(&mut octets);
    write(&mut writer);
    writer.finish()?;
    Ok(octets)
}

/// Insists that what decodes is written again as it was: the message, and each of its options
/// that decodes. Only an IAPREFIX may differ, because bits behind the prefix length are not kept.
pub(crate) fn assert_written_again(message: &Message<'_>, octets: &[u8]) {
    assert_eq!(written(|w| message.encode(w)).as_deref(), Ok(octets));
    for found in every_option(message.options()) {
        let Ok(option) = found.option else { continue };
        assert_option_written_again(found.raw, option);
    }
}

/// The same for one option.
pub(crate) fn assert_option_written_again(raw: RawOption<'_>, option: DhcpOption<'_>) {
    let again = written(|w| option.encode(w)).expect("it fitted before");
    let reread = Options::new(&again).expect("one option").iter().next().expect("one option");
    assert_eq!(DhcpOption::decode(reread), Ok(option));
    let masked = matches!(option, DhcpOption::IaPrefix(_));
    assert!(reread == raw || masked && reread.data.len() == raw.data.len(), "{raw:?} became {reread:?}");
}
