//! Octets as an operator writes them.

use super::faults::Collector;
use super::toml_tree::Item;

const HEX_REMEDY: &str = "write two hexadecimal digits for each octet, such as \"00:1f\"";

/// An identifier: a text that stands for its octets, or `0x` and hexadecimal digits; not empty.
pub(super) fn identifier(item: &Item<'_>, faults: &mut Collector) -> Option<Box<[u8]>> {
    let text = item.string(faults)?;
    if text.is_empty() {
        faults.fault(item.place(), "is empty", "write its text, or 0x and hexadecimal digits");
        return None;
    }
    if text.starts_with("0x") {
        return hexadecimal(item, faults).map(Into::into);
    }
    Some(text.as_bytes().into())
}

/// What [`identifier`] reads as these octets.
pub(super) fn show_identifier(octets: &[u8]) -> String {
    match printable(octets) {
        Some(text) if !text.starts_with("0x") => text.to_owned(),
        _ => format!("0x{}", show_hexadecimal("", octets)),
    }
}

/// Hexadecimal digits, with or without `0x` before and colons or hyphens between the octets.
pub(super) fn hexadecimal(item: &Item<'_>, faults: &mut Collector) -> Option<Vec<u8>> {
    item.parse(faults, HEX_REMEDY, |text| parse(text).ok_or_else(|| format!("{text:?} is not hexadecimal")))
}

/// What [`hexadecimal`] reads as these octets, with this between them.
pub(super) fn show_hexadecimal(separator: &str, octets: &[u8]) -> String {
    let octets: Vec<String> = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    octets.join(separator)
}

/// The octets as text, if a person can read it.
pub(super) fn printable(octets: &[u8]) -> Option<&str> {
    std::str::from_utf8(octets).ok().filter(|text| !text.is_empty() && !text.contains(char::is_control))
}

fn parse(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    if digits.contains([':', '-']) {
        return digits.split([':', '-']).map(octet).collect();
    }
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2).and_then(octet)).collect()
}

fn octet(text: &str) -> Option<u8> {
    let digits_only = (1..=2).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_hexdigit());
    if digits_only { u8::from_str_radix(text, 16).ok() } else { None }
}
