//! Templates: how a port's Interface-ID, Remote-ID or Subscriber-ID is made of what is known of it.
//!
//! A template is literal text with fields in braces, such as `{hostname}:{interface}`, and `{{` for a
//! brace; or it is octets, written `0x…`. Fields always become text, so that an identifier reads the
//! same here, in the server's configuration and in its log.

use std::fmt;
use std::str::FromStr;

use wire::DuidRef;

use crate::limits::MAX_IDENTIFIER_OCTETS;

/// How an identifier is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    text: String,
    pieces: Vec<Piece>,
}

/// What is known of a port, and of the relay that it belongs to.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The port's name in the kernel.
    pub interface: &'a str,
    /// Its VLAN, if the kernel tells; else the digits behind the last dot of its name are taken.
    pub vlan: Option<u16>,
    /// Its own link-layer address.
    pub link_layer: Option<&'a [u8]>,
    /// The name of the host.
    pub hostname: &'a str,
    /// The DUID of the relay.
    pub relay_id: Option<DuidRef<'a>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(Vec<u8>),
    Field(Field),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Interface,
    Vlan,
    Mac,
    Hostname,
    RelayId,
}

const FIELDS: [(&str, Field); 5] = [
    ("interface", Field::Interface),
    ("vlan", Field::Vlan),
    ("mac", Field::Mac),
    ("hostname", Field::Hostname),
    ("relay-id", Field::RelayId),
];

/// The largest number of a VLAN (IEEE 802.1Q keeps 4095 for itself).
const MAX_VLAN: u16 = 4094;

impl Template {
    /// The identifier of the port of which this is known.
    pub fn expand(&self, facts: &Facts<'_>) -> Result<Box<[u8]>, ExpandError> {
        let mut octets = Vec::new();
        for piece in &self.pieces {
            match piece {
                Piece::Literal(literal) => octets.extend_from_slice(literal),
                Piece::Field(field) => octets.extend_from_slice(field.value(facts)?.as_bytes()),
            }
        }
        match octets.len() {
            0 => Err(ExpandError::Nothing),
            1..=MAX_IDENTIFIER_OCTETS => Ok(octets.into()),
            length => Err(ExpandError::TooLong(length)),
        }
    }
}

impl Default for Template {
    /// The name of the interface.
    fn default() -> Self {
        Self { text: "{interface}".into(), pieces: vec![Piece::Field(Field::Interface)] }
    }
}

impl fmt::Display for Template {
    /// As it was written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        let pieces = match text.strip_prefix("0x") {
            _ if text.is_empty() => return Err(TemplateError::Empty),
            Some(digits) => vec![Piece::Literal(hex_octets(digits).ok_or(TemplateError::NotHex)?)],
            None => pieces(text)?,
        };
        Ok(Self { text: text.into(), pieces })
    }
}

fn pieces(text: &str) -> Result<Vec<Piece>, TemplateError> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('{') {
        literal.push_str(before);
        if let Some(behind) = behind.strip_prefix('{') {
            literal.push('{');
            rest = behind;
            continue;
        }
        let (name, behind) = behind.split_once('}').ok_or(TemplateError::Unclosed)?;
        let field = FIELDS.iter().find(|(known, _)| *known == name);
        let (_, field) = field.ok_or_else(|| TemplateError::UnknownField(name.into()))?;
        pieces.push(Piece::Literal(std::mem::take(&mut literal).into_bytes()));
        pieces.push(Piece::Field(*field));
        rest = behind;
    }
    literal.push_str(rest);
    pieces.push(Piece::Literal(literal.into_bytes()));
    pieces.retain(|piece| *piece != Piece::Literal(Vec::new()));
    Ok(pieces)
}

fn hex_octets(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    let octets: Option<Vec<u8>> =
        pairs.map(|pair| Some(hex_digit(pair, 0)? << 4 | hex_digit(pair, 1)?)).collect();
    octets.filter(|octets| !octets.is_empty())
}

fn hex_digit(pair: &[u8], at: usize) -> Option<u8> {
    let digit = char::from(*pair.get(at)?).to_digit(16)?;
    u8::try_from(digit).ok()
}

impl Field {
    fn value(self, facts: &Facts<'_>) -> Result<String, ExpandError> {
        let interface = || facts.interface.to_owned();
        match self {
            Self::Interface => Ok(interface()),
            Self::Hostname => Ok(facts.hostname.to_owned()),
            Self::Vlan => {
                let vlan = facts.vlan.or_else(|| vlan_in_name(facts.interface));
                vlan.map(|vlan| vlan.to_string()).ok_or_else(|| ExpandError::NoVlan(interface()))
            }
            Self::Mac => match facts.link_layer {
                Some(octets) if !octets.is_empty() => Ok(colon_separated(octets)),
                _ => Err(ExpandError::NoLinkLayerAddress(interface())),
            },
            Self::RelayId => facts.relay_id.map(|duid| duid.to_string()).ok_or(ExpandError::NoRelayId),
        }
    }
}

fn vlan_in_name(interface: &str) -> Option<u16> {
    let (_, digits) = interface.rsplit_once('.')?;
    let only_digits = digits.bytes().all(|octet| octet.is_ascii_digit());
    digits.parse().ok().filter(|vlan| only_digits && *vlan <= MAX_VLAN)
}

fn colon_separated(octets: &[u8]) -> String {
    let pairs: Vec<String> = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    pairs.join(":")
}

/// Why a text is not a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplateError {
    /// It is empty.
    Empty,
    /// Behind `0x` stand other than pairs of hexadecimal digits, or none.
    NotHex,
    /// A brace opens and does not close.
    Unclosed,
    /// There is no field of this name.
    UnknownField(String),
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => {
                f.write_str("an identifier has at least one octet: write a text such as {interface}")
            }
            Self::NotHex => {
                f.write_str("behind 0x come hexadecimal digits, two for each octet, as in 0x00a1")
            }
            Self::Unclosed => f.write_str("a { without its }: a field is written {interface}, a brace {{"),
            Self::UnknownField(name) => {
                write!(f, "there is no {{{name}}}; there are")?;
                for (index, (known, _)) in FIELDS.iter().enumerate() {
                    let comma = if index == 0 { "" } else { "," };
                    write!(f, "{comma} {{{known}}}")?;
                }
                f.write_str("; a brace is written {{")
            }
        }
    }
}

impl std::error::Error for TemplateError {}

/// Why a port has no identifier by a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpandError {
    /// This interface is of no VLAN, as far as the kernel or its name tells.
    NoVlan(String),
    /// This interface has no link-layer address.
    NoLinkLayerAddress(String),
    /// The relay has no DUID.
    NoRelayId,
    /// Nothing comes of it.
    Nothing,
    /// So many octets come of it, and that is too many.
    TooLong(usize),
}

impl fmt::Display for ExpandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoVlan(interface) => write!(
                f,
                "{{vlan}}: {interface} is no VLAN; its name would end in a dot and a number up to {MAX_VLAN}, as in eth0.100"
            ),
            Self::NoLinkLayerAddress(interface) => {
                write!(f, "{{mac}}: {interface} has no link-layer address; {{interface}} names any interface")
            }
            Self::NoRelayId => {
                f.write_str("{relay-id}: the relay has no DUID; give it one, or leave the field out")
            }
            Self::Nothing => f.write_str("nothing comes of it, and an identifier has at least one octet"),
            Self::TooLong(octets) => {
                write!(f, "{octets} octets come of it, and an identifier has at most {MAX_IDENTIFIER_OCTETS}")
            }
        }
    }
}

impl std::error::Error for ExpandError {}
