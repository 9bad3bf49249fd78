//! Messages to octets and back: what a transcript sends, and what has come, in the words of a transcript.
//!
//! Only the outline is `wire`'s, where an option ends; what is inside is read by the shapes of this folder, so that a
//! mistake in a decoder that production uses cannot hide itself.

use std::net::Ipv6Addr;

use wire::{OptionCode, Options, Reader, Writer};

use super::message::{Body, Contents, Head, Message, Opt};
use super::shapes::{Inside, Shape, shape};
use super::value::{Bindings, Slot, Value};

/// The octets of a message. What is wrong is that a name stands for nothing yet, or that something is too long.
pub(super) fn encode(message: &Message, bindings: &Bindings) -> Result<Vec<u8>, String> {
    let mut octets = Vec::new();
    let mut writer = Writer::new(&mut octets);
    let outcome = write(message, bindings, &mut writer);
    writer.finish().map_err(|_| "the message is too long".to_owned())?;
    outcome.map(|()| octets)
}

/// Options alone.
pub(super) fn encode_options(contents: &Contents, bindings: &Bindings) -> Result<Vec<u8>, String> {
    let mut octets = Vec::new();
    let mut writer = Writer::new(&mut octets);
    let outcome = write_options(contents, None, bindings, &mut writer);
    writer.finish().map_err(|_| "the options are too long".to_owned())?;
    outcome.map(|()| octets)
}

fn write(message: &Message, bindings: &Bindings, w: &mut Writer<'_>) -> Result<(), String> {
    match &message.head {
        Head::Octets(octets) => w.bytes(octets),
        Head::Plain { kind, id } => {
            let id = match id {
                Slot::Any => 0,
                slot => number(slot, bindings)?,
            };
            w.u8(*kind);
            w.bytes(&id.to_be_bytes()[5..]);
        }
        Head::Relay { kind, hop, link, peer } => {
            let hop = if *hop == Slot::Any { 0 } else { number(hop, bindings)? };
            w.bytes(&[*kind, hop as u8]);
            w.address(address(link, bindings)?);
            w.address(address(peer, bindings)?);
        }
    }
    write_options(&message.contents, None, bindings, w)
}

/// The prefix that an option stands in: an excluded one is written by what it has beyond that.
pub(super) type Around = Option<(Ipv6Addr, u8)>;

/// The prefix among fields that have been decoded.
pub(super) fn prefix_in(fields: &[Slot]) -> Around {
    fields.iter().find_map(|slot| match slot {
        Slot::Is(Value::Prefix(address, length)) => Some((*address, *length)),
        _ => None,
    })
}

fn write_options(
    contents: &Contents,
    around: Around,
    bindings: &Bindings,
    w: &mut Writer<'_>,
) -> Result<(), String> {
    for option in &contents.options {
        let mut outcome = Ok(());
        w.option(option.code, |w| outcome = write_option(option, around, bindings, w));
        outcome?;
    }
    Ok(())
}

fn write_option(option: &Opt, around: Around, bindings: &Bindings, w: &mut Writer<'_>) -> Result<(), String> {
    match &option.body {
        Body::Octets(slot) => {
            if let Value::Octets(octets) = known(slot, bindings)? {
                w.bytes(octets);
            }
        }
        Body::Shaped { shape, fields, contents, message } => {
            let mut inner = None;
            for (slot, field) in fields.iter().zip(shape.fields) {
                let value = known(slot, bindings)?;
                if let Value::Prefix(address, length) = value {
                    inner = Some((*address, *length));
                }
                field.kind.write(value, around, w);
            }
            write_options(contents, inner, bindings, w)?;
            if let Some(message) = message {
                write(message, bindings, w)?;
            }
        }
    }
    Ok(())
}

fn known<'a>(slot: &'a Slot, bindings: &'a Bindings) -> Result<&'a Value, String> {
    slot.value(bindings).ok_or_else(|| match slot {
        Slot::Named(name) => format!("{name} has not been seen yet"),
        _ => "what is sent has to be one value".to_owned(),
    })
}

fn number(slot: &Slot, bindings: &Bindings) -> Result<u64, String> {
    match known(slot, bindings)? {
        Value::Number(number) => Ok(*number),
        _ => Err("a name that stands for a number is needed here".to_owned()),
    }
}

fn address(slot: &Slot, bindings: &Bindings) -> Result<Ipv6Addr, String> {
    match slot {
        Slot::Any => Ok(Ipv6Addr::UNSPECIFIED),
        slot => match known(slot, bindings)? {
            Value::Address(address) => Ok(*address),
            _ => Err("a name that stands for an address is needed here".to_owned()),
        },
    }
}

/// What octets say.
pub(super) fn decode(octets: &[u8]) -> Message {
    plain(octets).or_else(|| relayed(octets)).unwrap_or_else(|| Message {
        line: 0,
        head: Head::Octets(octets.to_vec()),
        contents: Contents::default(),
    })
}

fn plain(octets: &[u8]) -> Option<Message> {
    let mut reader = Reader::new(octets);
    let kind = reader.u8().ok().filter(|kind| !(12..=13).contains(kind))?;
    let [a, b, c] = reader.array().ok()?;
    let id = Slot::Is(Value::Number(u32::from_be_bytes([0, a, b, c]).into()));
    Some(Message { line: 0, head: Head::Plain { kind, id }, contents: decode_options(reader.rest(), None)? })
}

fn relayed(octets: &[u8]) -> Option<Message> {
    let mut reader = Reader::new(octets);
    let kind = reader.u8().ok().filter(|kind| (12..=13).contains(kind))?;
    let hop = Slot::Is(Value::Number(reader.u8().ok()?.into()));
    let link = Slot::Is(Value::Address(reader.address().ok()?));
    let peer = Slot::Is(Value::Address(reader.address().ok()?));
    let contents = decode_options(reader.rest(), None)?;
    Some(Message { line: 0, head: Head::Relay { kind, hop, link, peer }, contents })
}

/// What options say; nothing if they do not end where they should.
pub(super) fn decode_options(octets: &[u8], around: Around) -> Option<Contents> {
    let options = Options::new(octets).ok()?;
    let options =
        options.iter().map(|raw| Opt { line: 0, code: raw.code, body: body(raw.code, raw.data, around) });
    Some(Contents { options: options.collect(), ..Contents::default() })
}

fn body(code: OptionCode, data: &[u8], around: Around) -> Body {
    let shaped = shape(code).and_then(|shape| shaped(shape, data, around));
    shaped.unwrap_or_else(|| Body::Octets(Slot::Is(Value::Octets(data.to_vec()))))
}

fn shaped(shape: &'static Shape, data: &[u8], around: Around) -> Option<Body> {
    let mut reader = Reader::new(data);
    let (mut fields, mut inner) = (Vec::new(), None);
    for field in shape.fields {
        let value = field.kind.sent(around, &mut reader)?;
        if let Value::Prefix(address, length) = value {
            inner = Some((address, length));
        }
        fields.push(Slot::Is(value));
    }
    let rest = reader.rest();
    let (mut contents, mut message) = (Contents::default(), None);
    match shape.inside {
        Inside::Nothing if !rest.is_empty() => return None,
        Inside::Nothing => {}
        Inside::Options => contents = decode_options(rest, inner)?,
        Inside::Message => message = Some(Box::new(decode(rest))),
    }
    Some(Body::Shaped { shape, fields, contents, message })
}

/// The octets inside an option that has been decoded.
pub(super) fn data_of(option: &Opt, around: Around) -> Option<Vec<u8>> {
    let mut octets = Vec::new();
    let mut writer = Writer::new(&mut octets);
    write_option(option, around, &Bindings::new(), &mut writer).ok()?;
    writer.finish().ok()?;
    Some(octets)
}
