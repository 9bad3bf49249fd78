//! The relays a lease was heard through: from Kea's user context to the octets of nested Relay-forwards.
//!
//! With `store-extended-info`, Kea keeps for each relay what its Relay-forward said: hop count, link-address,
//! peer-address, and the options beside the relay message as hexadecimal. The list begins with the relay next
//! to the server. Up to Kea 2.2 it is called `relays`; from 2.3 on `relay-info`, and each entry repeats the
//! Relay-ID and the Remote-ID, which are read from the options here, because only there they stand for every
//! relay.
//!
//! From this the messages are built again as they arrived, but for the client's own message in the middle,
//! which nobody stored. They are what leasequery calls LQ_RELAY_DATA (RFC 5007 §4.1.2.4).

use std::borrow::Cow;
use std::net::Ipv6Addr;

use serde::Deserialize;
use thiserror::Error;

use super::octets;

/// Octets of a message and of an option's value: what 16 bits can say.
const MAX_OCTETS: usize = 65_535;
/// Relay-forwards inside one another: what RFC 3315 allowed and what `wire` reads.
const MAX_RELAYS: usize = wire::limits::MAX_RELAY_DEPTH;

const RELAY_FORW: u8 = 12;
const RELAY_MSG: u16 = 9;

/// Why a user context gives no relays. The lease is good without.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ContextError {
    /// Not what Kea writes.
    #[error("the user context is not Kea's: {0}")]
    Layout(String),
    /// Options that are not hexadecimal.
    #[error("the options of a relay are not hexadecimal")]
    NotHex,
    /// Options that end in the middle of one.
    #[error("the options of a relay do not end where the last of them ends")]
    TornOptions,
    /// More relays than can be kept.
    #[error("more than {MAX_RELAYS} relays")]
    TooDeep,
    /// The messages of the relays would not fit into one another.
    #[error("the message of a relay would have more than {MAX_OCTETS} octets")]
    TooLong,
}

#[derive(Deserialize)]
struct Context<'a> {
    #[serde(borrow, rename = "ISC")]
    isc: Option<Isc<'a>>,
}

#[derive(Deserialize)]
struct Isc<'a> {
    #[serde(borrow, rename = "relay-info")]
    relay_info: Option<Vec<Hop<'a>>>,
    #[serde(borrow)]
    relays: Option<Vec<Hop<'a>>>,
}

#[derive(Deserialize)]
struct Hop<'a> {
    hop: u8,
    link: Ipv6Addr,
    peer: Ipv6Addr,
    #[serde(borrow)]
    options: Option<Cow<'a, str>>,
}

/// The relays of an unescaped user context, as one Relay-forward with the others inside it; `None` if the
/// client was heard without a relay, or Kea was not told to remember.
pub(super) fn relay_forwards(context: &[u8]) -> Result<Option<Vec<u8>>, ContextError> {
    let context: Context =
        serde_json::from_slice(context).map_err(|error| ContextError::Layout(error.to_string()))?;
    let hops = context.isc.and_then(|isc| isc.relay_info.or(isc.relays)).unwrap_or_default();
    if hops.len() > MAX_RELAYS {
        return Err(ContextError::TooDeep);
    }
    let mut message = None;
    for hop in hops.iter().rev() {
        message = Some(enclose(hop, message.as_deref())?);
    }
    Ok(message)
}

/// The Relay-forward of one relay (RFC 8415 §9), around that of the relay nearer to the client.
fn enclose(hop: &Hop, inner: Option<&[u8]>) -> Result<Vec<u8>, ContextError> {
    let mut message = vec![RELAY_FORW, hop.hop];
    message.extend_from_slice(&hop.link.octets());
    message.extend_from_slice(&hop.peer.octets());
    append_options(hop.options.as_deref().unwrap_or_default(), &mut message)?;
    if let Some(inner) = inner {
        let length = u16::try_from(inner.len()).map_err(|_| ContextError::TooLong)?;
        message.extend_from_slice(&RELAY_MSG.to_be_bytes());
        message.extend_from_slice(&length.to_be_bytes());
        message.extend_from_slice(inner);
    }
    if message.len() > MAX_OCTETS { Err(ContextError::TooLong) } else { Ok(message) }
}

/// Appends the options of a relay, without a relay message should there be one: that is built anew.
fn append_options(hexadecimal: &str, message: &mut Vec<u8>) -> Result<(), ContextError> {
    let start = message.len();
    octets::append_hex(hexadecimal.as_bytes(), message).ok_or(ContextError::NotHex)?;
    let mut at = start;
    while at < message.len() {
        let [code_high, code_low, length_high, length_low] =
            message[at..].first_chunk().copied().ok_or(ContextError::TornOptions)?;
        let end = at + 4 + usize::from(u16::from_be_bytes([length_high, length_low]));
        if end > message.len() {
            return Err(ContextError::TornOptions);
        }
        if u16::from_be_bytes([code_high, code_low]) == RELAY_MSG {
            message.drain(at..end);
        } else {
            at = end;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: &str = "2001:db8:1::1";

    fn context(key: &str, hops: &[(u8, &str, &str, &str)]) -> Vec<u8> {
        let hops = hops.iter().map(|(hop, link, peer, options)| {
            format!(r#"{{ "hop": {hop}, "link": "{link}", "options": "{options}", "peer": "{peer}" }}"#)
        });
        format!(r#"{{ "ISC": {{ "{key}": [ {} ] }} }}"#, hops.collect::<Vec<_>>().join(", ")).into_bytes()
    }

    fn header(hop: u8, link: &str, peer: &str) -> Vec<u8> {
        let address = |text: &str| text.parse::<Ipv6Addr>().unwrap().octets();
        [&[12, hop][..], &address(link), &address(peer)].concat()
    }

    #[test]
    fn both_layouts_give_the_same_message() {
        let hops = [(0, LINK, "fe80::1", "0x0012000200ff")];
        let expected = [&header(0, LINK, "fe80::1")[..], &[0, 0x12, 0, 2, 0, 0xff]].concat();
        assert_eq!(relay_forwards(&context("relays", &hops)), Ok(Some(expected.clone())));
        assert_eq!(relay_forwards(&context("relay-info", &hops)), Ok(Some(expected)));
    }

    #[test]
    fn the_first_relay_encloses_the_others() {
        let hops = [(1, "::", "fe80::aaaa", "0035000100"), (0, LINK, "fe80::65", "0x")];
        let inner = header(0, LINK, "fe80::65");
        let expected =
            [&header(1, "::", "fe80::aaaa")[..], &[0, 0x35, 0, 1, 0], &[0, 9, 0, 34], &inner].concat();
        assert_eq!(relay_forwards(&context("relays", &hops)), Ok(Some(expected)));
    }

    #[test]
    fn no_relays_is_no_message() {
        for text in ["{}", r#"{ "ISC": {} }"#, r#"{ "comment": "x", "ISC": { "relays": [] } }"#] {
            assert_eq!(relay_forwards(text.as_bytes()), Ok(None), "{text}");
        }
    }

    #[test]
    fn a_relay_without_options_is_a_relay() {
        let text = br#"{"ISC":{"relay-info":[{"hop":0,"link":"::","peer":"fe80::1"}]}}"#;
        assert_eq!(relay_forwards(text), Ok(Some(header(0, "::", "fe80::1"))));
    }

    #[test]
    fn a_stored_relay_message_is_left_out() {
        let hops = [(0, LINK, "fe80::1", "0x00090002aabb0012000100")];
        let expected = [&header(0, LINK, "fe80::1")[..], &[0, 0x12, 0, 1, 0]].concat();
        assert_eq!(relay_forwards(&context("relays", &hops)), Ok(Some(expected)));
    }

    #[test]
    fn what_is_not_options_is_an_error() {
        for (options, error) in [
            ("0x0", ContextError::NotHex),
            ("0xzz", ContextError::NotHex),
            ("0x001200", ContextError::TornOptions),
            ("0x0012000200", ContextError::TornOptions),
        ] {
            assert_eq!(relay_forwards(&context("relays", &[(0, LINK, "::", options)])), Err(error));
        }
        for text in ["", "[]", "{", r#"{"ISC":{"relays":[{"hop":256,"link":"::","peer":"::"}]}}"#] {
            assert!(matches!(relay_forwards(text.as_bytes()), Err(ContextError::Layout(_))), "{text}");
        }
    }

    #[test]
    fn nothing_grows_beyond_16_bits() {
        let option = |octets: usize| format!("0x0012{octets:04x}{}", "00".repeat(octets));
        let fits = option(MAX_OCTETS - 34 - 4);
        assert!(relay_forwards(&context("relays", &[(0, LINK, "::", &fits)])).is_ok());
        let enclosed = [(1, LINK, "::", ""), (0, LINK, "::", &*fits)];
        assert_eq!(relay_forwards(&context("relays", &enclosed)), Err(ContextError::TooLong));
        let longer = option(MAX_OCTETS - 34 - 3);
        assert_eq!(
            relay_forwards(&context("relays", &[(0, LINK, "::", &longer)])),
            Err(ContextError::TooLong)
        );

        let relays = |count: usize| context("relays", &vec![(0, LINK, "::", ""); count]);
        assert!(relay_forwards(&relays(32)).is_ok());
        assert_eq!(relay_forwards(&relays(33)), Err(ContextError::TooDeep));
    }
}
