//! Values in a transcript: what stands in a field of an option, or what may stand there.
//!
//! A [`Kind`] says how a field is written in a transcript and how it is sent; the two directions of both are here
//! side by side, so that a kind is one place to look at.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::Ipv6Addr;

use wire::{DomainName, MessageType, OptionCode, Reader, StatusCode, Writer};

use super::cast::Cast;
use super::fault::Fault;
use super::words::{self, Words};

/// How a field is written and sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A number of one octet, two, four or eight.
    U8,
    U16,
    U32,
    U64,
    /// Seconds, or `infinite`.
    Secs,
    /// The name or number of a status.
    Status,
    /// The name or number of a query type.
    Query,
    /// The name or number of a message type.
    Message,
    /// An address.
    Address,
    /// An address and a length, sent with the length first.
    Prefix,
    /// The bits of an excluded prefix behind those of the prefix that it is excluded from.
    Excluded,
    /// To the end: a DUID, by name or as octets.
    Duid,
    /// To the end: octets.
    Octets,
    /// To the end: text that may be missing.
    Text,
    /// To the end: option codes.
    Codes,
    /// To the end: addresses.
    Addresses,
    /// To the end: domain names.
    Domains,
    /// To the end: octets, each behind its length.
    Chunks,
}

/// What stands in a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Number(u64),
    Address(Ipv6Addr),
    Prefix(Ipv6Addr, u8),
    Octets(Vec<u8>),
}

/// What may stand in a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Slot {
    /// Anything.
    Any,
    /// A number from one to the other, both included.
    Range(u64, u64),
    /// What stood there when this name was met first.
    Named(String),
    /// Just this.
    Is(Value),
}

/// What names stand for by now.
pub(super) type Bindings = BTreeMap<String, Value>;

impl Slot {
    /// Whether a value may stand here; a name that has not been met yet stands for it from now on.
    pub(super) fn admits(&self, value: &Value, bindings: &mut Bindings) -> bool {
        match self {
            Self::Any => true,
            Self::Range(least, most) => {
                matches!(value, Value::Number(number) if (*least..=*most).contains(number))
            }
            Self::Named(name) => bindings.entry(name.clone()).or_insert_with(|| value.clone()) == value,
            Self::Is(expected) => expected == value,
        }
    }

    /// The one value that may stand here.
    pub(super) fn value<'a>(&'a self, bindings: &'a Bindings) -> Option<&'a Value> {
        match self {
            Self::Is(value) => Some(value),
            Self::Named(name) => bindings.get(name),
            Self::Any | Self::Range(..) => None,
        }
    }
}

/// The names of query types (RFC 5007 §4.1.2.1, RFC 5460 §5.3).
const QUERIES: [(&str, u64); 5] = [
    ("QUERY_BY_ADDRESS", 1),
    ("QUERY_BY_CLIENTID", 2),
    ("QUERY_BY_RELAY_ID", 3),
    ("QUERY_BY_LINK_ADDRESS", 4),
    ("QUERY_BY_REMOTE_ID", 5),
];

const INFINITE: u64 = wire::INFINITE as u64;

impl Kind {
    /// Whether it takes all that is left, of the words as of the octets.
    pub(super) fn is_last(self) -> bool {
        use Kind::{Addresses, Chunks, Codes, Domains, Duid, Excluded, Octets, Text};
        matches!(self, Excluded | Duid | Octets | Text | Codes | Addresses | Domains | Chunks)
    }

    /// What would be right in a transcript.
    pub(super) fn right(self) -> &'static str {
        match self {
            Self::U8 | Self::U16 | Self::U32 | Self::U64 => "a number",
            Self::Secs => "a number of seconds, or infinite",
            Self::Status => "a status code by its name, such as NoBinding",
            Self::Query => "a query type by its name, such as QUERY_BY_RELAY_ID",
            Self::Message => "a message type by its name, such as RENEW",
            Self::Address => "an IPv6 address, or the name of somebody who has one",
            Self::Prefix | Self::Excluded => "a prefix such as 3fff:1::/56",
            Self::Duid => "a DUID such as 00:03:00:01:02:00:00:00:01:01, or the name of somebody who has one",
            Self::Octets | Self::Text => "text in quotes, or 0x and hexadecimal digits",
            Self::Codes => "names of options, or their numbers",
            Self::Addresses => "addresses",
            Self::Domains => "domain names",
            Self::Chunks => "texts in quotes",
        }
    }

    /// Reads what may stand in a field.
    pub(super) fn read(self, words: &mut Words<'_>, cast: &Cast) -> Result<Slot, Fault> {
        let wrong = words.fault(self.right());
        match words.peek() {
            Some("*") => {
                words.next("")?;
                return Ok(Slot::Any);
            }
            Some(name) if name.starts_with('$') => {
                words.next("")?;
                return Ok(Slot::Named(name.to_owned()));
            }
            Some(range) if self.is_number() && range.contains("..") => {
                words.next("")?;
                let (least, most) = range.split_once("..").ok_or(wrong.clone())?;
                let limits = (self.number(least), self.number(most));
                let (Some(least), Some(most)) = limits else { return Err(wrong) };
                return Ok(Slot::Range(least, most));
            }
            _ => {}
        }
        let value = match self {
            Self::Codes | Self::Addresses | Self::Domains | Self::Chunks => {
                let mut octets = Vec::new();
                while let Some(word) = words.peek() {
                    words.next("")?;
                    let right = words.line;
                    let item = self.item(word, cast);
                    octets.extend(
                        item.ok_or_else(|| Fault::new(right, format!("{word} is wrong here"), self.right()))?,
                    );
                }
                Some(Value::Octets(octets))
            }
            Self::Text if words.is_empty() => Some(Value::Octets(Vec::new())),
            _ => self.value(words.next(self.right())?, cast),
        };
        value.map(Slot::Is).ok_or(wrong)
    }

    fn is_number(self) -> bool {
        use Kind::{Message, Query, Secs, Status, U8, U16, U32, U64};
        matches!(self, U8 | U16 | U32 | U64 | Secs | Status | Query | Message)
    }

    fn number(self, word: &str) -> Option<u64> {
        let most = match self {
            Self::U8 | Self::Query | Self::Message => u8::MAX.into(),
            Self::U16 | Self::Status => u16::MAX.into(),
            Self::U32 | Self::Secs => u32::MAX.into(),
            _ => u64::MAX,
        };
        let named = match self {
            Self::Secs if word == "infinite" => Some(INFINITE),
            Self::Status => (0..=u16::MAX).find(|code| StatusCode(*code).name() == Some(word)).map(u64::from),
            Self::Query => QUERIES.iter().find(|(name, _)| *name == word).map(|(_, number)| *number),
            Self::Message => message_type(word).map(u64::from),
            _ => None,
        };
        named.or_else(|| word.parse().ok()).filter(|number| *number <= most)
    }

    /// The value that a word stands for.
    fn value(self, word: &str, cast: &Cast) -> Option<Value> {
        match self {
            _ if self.is_number() => self.number(word).map(Value::Number),
            Self::Address => address(word, cast).map(Value::Address),
            Self::Prefix | Self::Excluded => {
                let (address, length) = word.split_once('/')?;
                let length = length.parse().ok().filter(|length| *length <= 128)?;
                Some(Value::Prefix(address.parse().ok()?, length))
            }
            Self::Duid => duid(word, cast).map(Value::Octets),
            _ => words::octets(word).map(Value::Octets),
        }
    }

    /// One of several that a field has.
    fn item(self, word: &str, cast: &Cast) -> Option<Vec<u8>> {
        match self {
            Self::Codes => word.parse::<OptionCode>().ok().map(|code| code.0.to_be_bytes().to_vec()),
            Self::Addresses => address(word, cast).map(|address| address.octets().to_vec()),
            Self::Domains => word.parse::<DomainName>().ok().map(|name| name.octets().to_vec()),
            _ => {
                let octets = words::octets(word)?;
                let length = u16::try_from(octets.len()).ok()?;
                Some([length.to_be_bytes().as_slice(), &octets].concat())
            }
        }
    }

    /// Appends a value as it is sent; `around` is the prefix that an excluded one lies in.
    pub(super) fn write(self, value: &Value, around: Option<(Ipv6Addr, u8)>, w: &mut Writer<'_>) {
        match (self, value) {
            (Self::U8 | Self::Query | Self::Message, Value::Number(number)) => w.u8(*number as u8),
            (Self::U16 | Self::Status, Value::Number(number)) => w.u16(*number as u16),
            (Self::U64, Value::Number(number)) => w.bytes(&number.to_be_bytes()),
            (_, Value::Number(number)) => w.u32(*number as u32),
            (_, Value::Address(address)) => w.address(*address),
            (Self::Excluded, Value::Prefix(address, length)) => {
                let outside = around.map_or(0, |(_, length)| length);
                let bits = length.saturating_sub(outside);
                let subnet = address.to_bits().checked_shl(outside.into()).unwrap_or(0).to_be_bytes();
                w.u8(*length);
                w.bytes(&subnet[..usize::from(bits.div_ceil(8))]);
            }
            (_, Value::Prefix(address, length)) => {
                w.u8(*length);
                w.address(*address);
            }
            (_, Value::Octets(octets)) => w.bytes(octets),
        }
    }

    /// Reads a value as it was sent; none if it is not one of this kind.
    pub(super) fn sent(self, around: Option<(Ipv6Addr, u8)>, reader: &mut Reader<'_>) -> Option<Value> {
        Some(match self {
            Self::U8 | Self::Query | Self::Message => Value::Number(reader.u8().ok()?.into()),
            Self::U16 | Self::Status => Value::Number(reader.u16().ok()?.into()),
            Self::U32 | Self::Secs => Value::Number(reader.u32().ok()?.into()),
            Self::U64 => Value::Number(u64::from_be_bytes(reader.array().ok()?)),
            Self::Address => Value::Address(reader.address().ok()?),
            Self::Prefix => {
                let length = reader.u8().ok().filter(|length| *length <= 128)?;
                Value::Prefix(reader.address().ok()?, length)
            }
            Self::Excluded => {
                let (outer, outside) = around?;
                let length = reader.u8().ok().filter(|length| (outside + 1..=128).contains(length))?;
                let subnet = reader.rest();
                if subnet.len() != usize::from((length - outside).div_ceil(8)) {
                    return None;
                }
                let mut octets = [0; 16];
                octets[..subnet.len()].copy_from_slice(subnet);
                let subnet = u128::from_be_bytes(octets) >> u32::from(outside);
                Value::Prefix(Ipv6Addr::from_bits(outer.to_bits() | subnet), length)
            }
            _ => {
                let octets = reader.rest();
                self.holds(octets).then(|| Value::Octets(octets.to_vec()))?
            }
        })
    }

    fn holds(self, octets: &[u8]) -> bool {
        match self {
            Self::Codes => octets.len().is_multiple_of(2),
            Self::Addresses => octets.len().is_multiple_of(16),
            Self::Domains | Self::Chunks => self.items(octets).is_some(),
            _ => true,
        }
    }

    /// Several, apart.
    fn items(self, mut octets: &[u8]) -> Option<Vec<String>> {
        let mut items = Vec::new();
        while !octets.is_empty() {
            let length = match self {
                Self::Codes => 2,
                Self::Addresses => 16,
                Self::Chunks => 2 + usize::from(u16::from_be_bytes(*octets.first_chunk()?)),
                _ => domain_length(octets)?,
            };
            let (item, behind) = octets.split_at_checked(length)?;
            items.push(match self {
                Self::Codes => OptionCode(u16::from_be_bytes(item.try_into().ok()?)).to_string(),
                Self::Addresses => Ipv6Addr::from(<[u8; 16]>::try_from(item).ok()?).to_string(),
                Self::Chunks => shown(&item[2..]),
                _ => DomainName::decode(item).ok()?.to_string(),
            });
            octets = behind;
        }
        Some(items)
    }

    /// A value in the words of a transcript.
    pub(super) fn tell(self, value: &Value, cast: &Cast) -> String {
        match (self, value) {
            (Self::Secs, Value::Number(INFINITE)) => "infinite".to_owned(),
            (Self::Status, Value::Number(number)) => u16::try_from(*number)
                .map_or_else(|_| number.to_string(), |code| StatusCode(code).to_string()),
            (Self::Query, Value::Number(number)) => {
                let named = QUERIES.iter().find(|(_, known)| known == number);
                named.map_or_else(|| number.to_string(), |(name, _)| (*name).to_owned())
            }
            (Self::Message, Value::Number(number)) => type_name(*number as u8),
            (_, Value::Number(number)) => number.to_string(),
            (_, Value::Address(address)) => address.to_string(),
            (_, Value::Prefix(address, length)) => format!("{address}/{length}"),
            (Self::Duid, Value::Octets(octets)) => {
                cast.called(octets).map_or_else(|| with_colons(octets), str::to_owned)
            }
            (Self::Text, Value::Octets(octets)) if octets.is_empty() => String::new(),
            (Self::Codes | Self::Addresses | Self::Domains | Self::Chunks, Value::Octets(octets)) => {
                self.items(octets).unwrap_or_default().join(" ")
            }
            (_, Value::Octets(octets)) => shown(octets),
        }
    }

    /// What may stand in a field, likewise.
    pub(super) fn tell_slot(self, slot: &Slot, cast: &Cast) -> String {
        match slot {
            Slot::Any => "*".to_owned(),
            Slot::Range(least, most) => format!("{least}..{most}"),
            Slot::Named(name) => name.clone(),
            Slot::Is(value) => self.tell(value, cast),
        }
    }
}

fn address(word: &str, cast: &Cast) -> Option<Ipv6Addr> {
    cast.address(word).or_else(|| word.parse().ok())
}

/// The octets of a DUID, by name or with colons between them.
pub(super) fn duid(word: &str, cast: &Cast) -> Option<Vec<u8>> {
    if let Some(known) = cast.duid(word) {
        return Some(known.to_vec());
    }
    if word.starts_with("0x") {
        return words::octets(word);
    }
    words::hexadecimal(&word.replace(':', ""))
}

/// The number of a message type by its name.
pub(super) fn message_type(name: &str) -> Option<u8> {
    MessageType::ALL.iter().find(|known| known.name() == name).map(|known| *known as u8)
}

/// The name of a message type, or its number.
pub(super) fn type_name(number: u8) -> String {
    MessageType::try_from(number).map_or_else(|_| number.to_string(), |known| known.to_string())
}

/// Octets as text if they are that, else as digits.
pub(super) fn shown(octets: &[u8]) -> String {
    let is_text =
        !octets.is_empty() && octets.iter().all(|octet| (0x20..0x7f).contains(octet) && *octet != b'"');
    if is_text {
        return format!("\"{}\"", String::from_utf8_lossy(octets));
    }
    octets.iter().fold("0x".to_owned(), |mut digits, octet| {
        let _ = write!(digits, "{octet:02x}");
        digits
    })
}

fn with_colons(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().join(":")
}

/// How long the first of several names is.
fn domain_length(octets: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let length = usize::from(*octets.get(at)?);
        at += 1 + length;
        if length == 0 {
            return Some(at);
        }
    }
}
