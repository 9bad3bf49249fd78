//! The data of an option: from what people write in Kea's configuration to octets.

use std::net::{Ipv4Addr, Ipv6Addr};

use wire::{DomainName, Prefix};

use super::definitions::{Definition, Field};

/// The octets of values with commas between them.
pub(super) fn values(text: &str, definition: &Definition) -> Result<Vec<u8>, String> {
    let values = split(text);
    let Definition { fields, array, .. } = definition;
    if fields[..] == [Field::Empty] {
        return if values.is_empty() { Ok(Vec::new()) } else { Err("this option has no data".to_owned()) };
    }
    if values.len() < fields.len() {
        return Err(format!("has {} of {} values", values.len(), fields.len()));
    }
    if values.len() > fields.len() && !array {
        return Err(format!("has more than {} values: write `\\\\,` for a comma in a text", fields.len()));
    }
    let mut out = Vec::new();
    let last = fields[fields.len() - 1];
    for (index, value) in values.iter().enumerate() {
        let field = fields.get(index).copied().unwrap_or(last);
        append(value, field, &mut out).ok_or_else(|| format!("`{value}` is not {}", field.wanted()))?;
    }
    Ok(out)
}

/// The octets of a text in single quotes, or of hexadecimal with or without signs between the octets.
pub(super) fn octets(text: &str) -> Option<Vec<u8>> {
    let text = text.trim();
    if let Some(quoted) = text.strip_prefix('\'') {
        return quoted.strip_suffix('\'').map(|text| text.as_bytes().to_vec());
    }
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    let groups = digits.split([':', ' ']).filter(|group| !group.is_empty());
    let padded: String = groups
        .map(|group| if group.len() % 2 == 1 { format!("0{group}") } else { group.to_owned() })
        .collect();
    let mut out = Vec::new();
    store::import::kea::octets::append_hex(padded.as_bytes(), &mut out).map(|()| out)
}

/// Texts between commas, but not those with `\` before them; empty ones are none.
fn split(text: &str) -> Vec<String> {
    let mut values = vec![String::new()];
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, characters.peek()) {
            ('\\', Some(&escaped @ (',' | '\\'))) => {
                characters.next();
                values.last_mut().expect("there is one").push(escaped);
            }
            (',', _) => values.push(String::new()),
            _ => values.last_mut().expect("there is one").push(character),
        }
    }
    values.iter().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty()).collect()
}

impl Field {
    fn wanted(self) -> &'static str {
        match self {
            Self::Empty => "nothing",
            Self::Binary => "hexadecimal",
            Self::Boolean => "true or false",
            Self::Unsigned(1) => "a number from 0 to 255",
            Self::Unsigned(2) => "a number from 0 to 65535",
            Self::Unsigned(_) => "a number from 0 to 4294967295",
            Self::Signed(1) => "a number from -128 to 127",
            Self::Signed(2) => "a number from -32768 to 32767",
            Self::Signed(_) => "a number from -2147483648 to 2147483647",
            Self::Ipv4 => "an IPv4 address",
            Self::Ipv6 => "an IPv6 address",
            Self::Prefix => "a prefix",
            Self::PortSet => "a port set as in 3/4",
            Self::Text => "a text",
            Self::Tuple => "a text of up to 65535 octets",
            Self::Name => "a domain name",
        }
    }
}

fn append(value: &str, field: Field, out: &mut Vec<u8>) -> Option<()> {
    match field {
        Field::Empty => return None,
        Field::Binary => out.extend(octets(value)?),
        Field::Boolean => out.push(match value {
            "true" | "1" => 1,
            "false" | "0" => 0,
            _ => return None,
        }),
        Field::Unsigned(octets) => {
            let number = integer(value).filter(|number| *number >= 0 && *number >> (8 * octets) == 0)?;
            out.extend(&number.to_be_bytes()[8 - usize::from(octets)..]);
        }
        Field::Signed(octets) => {
            let limit = 1_i64 << (8 * octets - 1);
            let number = integer(value).filter(|number| (-limit..limit).contains(number))?;
            out.extend(&number.to_be_bytes()[8 - usize::from(octets)..]);
        }
        Field::Ipv4 => out.extend(value.parse::<Ipv4Addr>().ok()?.octets()),
        Field::Ipv6 => out.extend(value.parse::<Ipv6Addr>().ok()?.octets()),
        Field::Prefix => {
            let (address, length) = value.split_once('/')?;
            let prefix = Prefix::new(address.trim().parse().ok()?, length.trim().parse().ok()?).ok()?;
            out.push(prefix.length());
            out.extend(&prefix.address().octets()[..usize::from(prefix.length().div_ceil(8))]);
        }
        Field::PortSet => {
            let (id, length) = value.split_once('/')?;
            let (id, length): (u16, u32) = (id.trim().parse().ok()?, length.trim().parse().ok()?);
            let fits = length <= 16 && u32::from(id) < 1 << length;
            out.push(fits.then_some(length as u8)?);
            out.extend((u32::from(id) << (16 - length)).to_be_bytes()[2..].iter());
        }
        Field::Text => out.extend(value.as_bytes()),
        Field::Tuple => {
            out.extend(u16::try_from(value.len()).ok()?.to_be_bytes());
            out.extend(value.as_bytes());
        }
        Field::Name => out.extend(value.parse::<DomainName>().ok()?.octets()),
    }
    Some(())
}

/// In decimal, or else in hexadecimal.
fn integer(value: &str) -> Option<i64> {
    let hexadecimal = || i64::from_str_radix(value.strip_prefix("0x").unwrap_or(value), 16).ok();
    value.parse().ok().or_else(hexadecimal)
}
