//! A client's name: from three columns of a lease file to the value of OPTION_CLIENT_FQDN (RFC 4704 §4).

/// The server updates AAAA records (RFC 4704 §4.1).
const SERVER_UPDATES: u8 = 0x01;
/// The server updates nothing (RFC 4704 §4.1).
const NO_UPDATES: u8 = 0x04;

/// Octets of a label (RFC 1035 §2.3.4).
const MAX_LABEL_OCTETS: usize = 63;
/// Octets of a name, lengths and the root's zero included (RFC 1035 §2.3.4).
const MAX_NAME_OCTETS: usize = 255;

/// Flags and name as the server would send them; `None` for an empty name, or one the DNS cannot hold.
pub(super) fn client_fqdn(hostname: &[u8], forward: bool, reverse: bool) -> Option<Box<[u8]>> {
    let flags = match (forward, reverse) {
        (true, _) => SERVER_UPDATES,
        (false, true) => 0,
        (false, false) => NO_UPDATES,
    };
    let mut value = vec![flags];
    append_name(hostname, &mut value)?;
    Some(value.into())
}

/// Appends a name in the DNS's form (RFC 1035 §3.1), from text with or without a dot at its end.
fn append_name(text: &[u8], value: &mut Vec<u8>) -> Option<()> {
    let start = value.len();
    let mut rest = text;
    while !rest.is_empty() {
        let length_at = value.len();
        value.push(0);
        rest = append_label(rest, value)?;
        let length = value.len() - length_at - 1;
        if length == 0 || length > MAX_LABEL_OCTETS {
            return None;
        }
        value[length_at] = length as u8;
    }
    value.push(0);
    (value.len() - start <= MAX_NAME_OCTETS && !text.is_empty()).then_some(())
}

/// Appends the octets of one label, and returns the text behind the dot. A backslash takes the meaning from
/// the character behind it, or with three decimal digits is an octet of that value (RFC 1035 §5.1).
fn append_label<'a>(text: &'a [u8], value: &mut Vec<u8>) -> Option<&'a [u8]> {
    let mut rest = text;
    loop {
        rest = match rest {
            [] => return Some(rest),
            [b'.', rest @ ..] => return Some(rest),
            [b'\\', a @ b'0'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', rest @ ..] => {
                let number =
                    [a, b, c].iter().fold(0, |number, digit| number * 10 + u16::from(**digit - b'0'));
                value.push(u8::try_from(number).ok()?);
                rest
            }
            [b'\\', octet, rest @ ..] if !octet.is_ascii_digit() => {
                value.push(*octet);
                rest
            }
            [b'\\', ..] => return None,
            [octet, rest @ ..] => {
                value.push(*octet);
                rest
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &[u8]) -> Option<Vec<u8>> {
        client_fqdn(text, true, true).map(|value| value[1..].to_vec())
    }

    #[test]
    fn flags_say_who_updates() {
        for (forward, reverse, flags) in
            [(true, true, 1), (true, false, 1), (false, true, 0), (false, false, 4)]
        {
            assert_eq!(client_fqdn(b"a", forward, reverse).unwrap()[..], [flags, 1, b'a', 0]);
        }
    }

    #[test]
    fn names_with_and_without_a_dot_at_the_end() {
        let expected = Some(b"\x04host\x07example\x03org\0".to_vec());
        assert_eq!(name(b"host.example.org"), expected);
        assert_eq!(name(b"host.example.org."), expected);
    }

    #[test]
    fn escapes_of_the_dns() {
        assert_eq!(name(br"a\.b.\c"), Some(b"\x03a.b\x01c\0".to_vec()));
        assert_eq!(name(br"a\000\255"), Some(b"\x03a\x00\xff\0".to_vec()));
        for bad in [&br"a\256"[..], br"a\1", br"a\"] {
            assert_eq!(name(bad), None);
        }
    }

    #[test]
    fn what_the_dns_cannot_hold_is_no_name() {
        let label = |octets: usize| vec![b'x'; octets];
        assert!(name(&label(63)).is_some());
        assert_eq!(name(&label(64)), None);
        for bad in [&b""[..], b".", b"..", b"a..b", b".a"] {
            assert_eq!(name(bad), None);
        }
        let longest = [label(63), label(63), label(63), label(61)].join(&b'.');
        assert_eq!(name(&longest).unwrap().len(), 255);
        let longer = [label(63), label(63), label(63), label(62)].join(&b'.');
        assert_eq!(name(&longer), None);
    }
}
