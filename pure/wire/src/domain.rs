//! Domain names as DHCP carries them: labels with their lengths, an empty label at the end, and
//! never a pointer to an earlier name (RFC 8415 §10).
//!
//! [`DomainName`] is one that somebody has configured, already in that form; [`Names`] are those in
//! a message, read where they lie. Neither can hold a pointer: its first octet says more than a
//! label may have.

use std::fmt;
use std::str::FromStr;

use crate::{DecodeError, OptionCode, Writer};

/// Octets of a label (RFC 1035 §2.3.4).
const MAX_LABEL_OCTETS: usize = 63;
/// Octets of a whole name (RFC 1035 §2.3.4).
const MAX_NAME_OCTETS: usize = 255;

/// Why something is not a domain name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DomainNameError {
    /// There is no label.
    Empty,
    /// Two dots with nothing between them, or a dot in front.
    EmptyLabel,
    /// A label of so many octets.
    LabelTooLong(usize),
    /// A name of so many octets, as a message carries it.
    TooLong(usize),
    /// A character that has no place in a name.
    Character(char),
    /// Octets that are not exactly one uncompressed name.
    NotUncompressed,
}

impl fmt::Display for DomainNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a domain name has at least one label, as in example.com"),
            Self::EmptyLabel => f.write_str("between two dots of a domain name there is a label"),
            Self::LabelTooLong(octets) => {
                write!(f, "a label of a domain name has 1 to {MAX_LABEL_OCTETS} octets, not {octets}")
            }
            Self::TooLong(octets) => {
                write!(f, "a domain name has at most {MAX_NAME_OCTETS} octets in a message, not {octets}")
            }
            Self::Character(found) => write!(
                f,
                "a domain name has letters, digits, '-' and '_' between its dots, not {found:?}; others \
                 are written in their xn-- form"
            ),
            Self::NotUncompressed => f.write_str("the octets are not one uncompressed domain name"),
        }
    }
}

impl std::error::Error for DomainNameError {}

/// A domain name of at least one label, as a message carries it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DomainName(Box<[u8]>);

impl DomainName {
    /// Takes the octets for one uncompressed name and nothing behind it.
    pub fn decode(octets: &[u8]) -> Result<Self, DomainNameError> {
        match split_name(octets) {
            Some(([0], _)) => Err(DomainNameError::Empty),
            Some((name, [])) => Ok(Self(name.into())),
            _ => Err(DomainNameError::NotUncompressed),
        }
    }

    /// Its labels with their lengths, the empty one at the end included.
    pub fn octets(&self) -> &[u8] {
        &self.0
    }

    /// Appends the name.
    pub fn encode(&self, w: &mut Writer<'_>) {
        w.bytes(&self.0);
    }
}

impl FromStr for DomainName {
    type Err = DomainNameError;

    /// Reads `example.com`, with or without a dot at the end.
    fn from_str(text: &str) -> Result<Self, DomainNameError> {
        let text = text.strip_suffix('.').unwrap_or(text);
        if text.is_empty() {
            return Err(DomainNameError::Empty);
        }
        let mut octets = Vec::with_capacity(text.len() + 2);
        for label in text.split('.') {
            check_label(label)?;
            octets.push(label.len() as u8);
            octets.extend_from_slice(label.as_bytes());
        }
        octets.push(0);
        if octets.len() > MAX_NAME_OCTETS {
            return Err(DomainNameError::TooLong(octets.len()));
        }
        Ok(Self(octets.into()))
    }
}

fn check_label(label: &str) -> Result<(), DomainNameError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if let Some(found) = label.chars().find(|c| !allowed(*c)) {
        return Err(DomainNameError::Character(found));
    }
    match label.len() {
        0 => Err(DomainNameError::EmptyLabel),
        1..=MAX_LABEL_OCTETS => Ok(()),
        octets => Err(DomainNameError::LabelTooLong(octets)),
    }
}

impl fmt::Display for DomainName {
    /// Dots between labels and none at the end; an octet that text may not have is `\\` and its
    /// three decimal digits (RFC 1035 §5.1).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = &self.0[..];
        let mut dot = "";
        while let Some((&length @ 1.., behind)) = rest.split_first() {
            let (label, behind) = behind.split_at(length.into());
            f.write_str(dot)?;
            for &octet in label {
                match octet {
                    b'-' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                        write!(f, "{}", char::from(octet))?
                    }
                    _ => write!(f, "\\{octet:03}")?,
                }
            }
            (dot, rest) = (".", behind);
        }
        Ok(())
    }
}

impl fmt::Debug for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Domain names, uncompressed, each a run of labels that ends with an empty one
/// (RFC 8415 §10).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Names<'a>(&'a [u8]);

impl<'a> Names<'a> {
    pub(crate) fn new(code: OptionCode, data: &'a [u8]) -> Result<Self, DecodeError> {
        let mut rest = data;
        while !rest.is_empty() {
            rest = split_name(rest).ok_or(DecodeError::BadValue(code))?.1;
        }
        if data.is_empty() { Err(DecodeError::BadLength(code)) } else { Ok(Self(data)) }
    }

    /// The names, each as its labels with their lengths.
    pub fn iter(self) -> impl Iterator<Item = &'a [u8]> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let (name, behind) = split_name(rest)?;
            rest = behind;
            Some(name)
        })
    }

    /// The octets they lie in.
    pub fn octets(self) -> &'a [u8] {
        self.0
    }
}

fn split_name(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut end = 0;
    loop {
        let label = usize::from(*octets.get(end)?);
        end += 1 + label;
        if label > MAX_LABEL_OCTETS || end > MAX_NAME_OCTETS {
            return None;
        }
        if label == 0 {
            return octets.split_at_checked(end);
        }
    }
}
