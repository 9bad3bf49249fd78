//! Octets that Kea writes as hexadecimal text.
//!
//! Three habits: `0x00AB` and plain `00ab` (options and identifiers in a user context), and `00:ab` with one
//! or two digits between the colons (DUIDs). Digits come in either case, and an octet may be zero anywhere.

/// Appends the octets of hexadecimal digits, two an octet, with or without `0x` before them.
/// `None`, with `out` in an undefined state, if the text is anything else.
pub fn append_hex(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let digits = text.strip_prefix(b"0x").or_else(|| text.strip_prefix(b"0X")).unwrap_or(text);
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    out.reserve(pairs.len());
    for [high, low] in pairs {
        out.push(digit(*high)? << 4 | digit(*low)?);
    }
    Some(())
}

/// Appends the octets of colon-separated hexadecimal, one or two digits an octet; nothing for no text.
/// `None`, with `out` in an undefined state, if the text is anything else.
pub fn append_colon_hex(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    if text.is_empty() {
        return Some(());
    }
    for group in text.split(|&octet| octet == b':') {
        out.push(match *group {
            [low] => digit(low)?,
            [high, low] => digit(high)? << 4 | digit(low)?,
            _ => return None,
        });
    }
    Some(())
}

/// The value of one hexadecimal digit.
pub(super) fn digit(octet: u8) -> Option<u8> {
    match octet {
        b'0'..=b'9' => Some(octet - b'0'),
        b'a'..=b'f' => Some(octet - b'a' + 10),
        b'A'..=b'F' => Some(octet - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        append_hex(text.as_bytes(), &mut out).map(|()| out)
    }

    fn colon_hex(text: &str) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        append_colon_hex(text.as_bytes(), &mut out).map(|()| out)
    }

    #[test]
    fn digits_in_either_case_with_or_without_0x() {
        for text in ["0x00aBff", "0X00abFF", "00ABff"] {
            assert_eq!(hex(text), Some(vec![0, 0xab, 0xff]), "{text}");
        }
        assert_eq!(hex(""), Some(vec![]));
        for text in ["0x0", "0g", "0x0x", "00:01", " 00"] {
            assert_eq!(hex(text), None, "{text}");
        }
    }

    #[test]
    fn one_or_two_digits_between_colons() {
        assert_eq!(colon_hex("0:3:AA:00"), Some(vec![0, 3, 0xaa, 0]));
        assert_eq!(colon_hex(""), Some(vec![]));
        for text in [":", "00:", "000:1", "0003", "00::01", "0x:01"] {
            assert_eq!(colon_hex(text), None, "{text}");
        }
    }
}
