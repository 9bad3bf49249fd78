//! Messages as a transcript writes them: to be sent, or as a pattern of what is to come.
//!
//! The same tree serves three ends: read from lines it is a message to send ([`super::octets`]) or one to expect
//! ([`super::expect`]); decoded from octets it is what has come. What an expectation leaves out may be anything; what
//! is left out of a message to send is 0, empty or not there.

use wire::OptionCode;

use super::cast::Cast;
use super::fault::Fault;
use super::lines::Line;
use super::shapes::{self, Inside, Shape};
use super::value::{self, Kind, Slot};
use super::words::Words;

/// A message.
#[derive(Debug, Clone)]
pub(super) struct Message {
    /// The line it is written on; 0 if it was decoded.
    pub(super) line: usize,
    pub(super) head: Head,
    pub(super) contents: Contents,
}

/// What stands before the options.
#[derive(Debug, Clone)]
pub(super) enum Head {
    /// Any message but a relay's.
    Plain { kind: u8, id: Slot },
    /// RELAY-FORW or RELAY-REPL.
    Relay { kind: u8, hop: Slot, link: Slot, peer: Slot },
    /// Octets that are no message, or are not to be taken for one.
    Octets(Vec<u8>),
}

/// Options, and what is said of all of them.
#[derive(Debug, Clone, Default)]
pub(super) struct Contents {
    pub(super) options: Vec<Opt>,
    /// Options that must not be there.
    pub(super) absent: Vec<(usize, OptionCode)>,
    /// The line that says that nothing else may be there.
    pub(super) is_whole: Option<usize>,
}

/// An option.
#[derive(Debug, Clone)]
pub(super) struct Opt {
    pub(super) line: usize,
    pub(super) code: OptionCode,
    pub(super) body: Body,
}

/// What is in an option.
#[derive(Debug, Clone)]
pub(super) enum Body {
    /// Octets.
    Octets(Slot),
    /// The fields of its shape, in the order in which they are sent, and what is inside.
    Shaped { shape: &'static Shape, fields: Vec<Slot>, contents: Contents, message: Option<Box<Message>> },
}

/// Whether lines say what is sent or what is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Sent,
    Expected,
}

/// The link-local scope of reading: who is there, and to what end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) cast: &'a Cast,
    pub(super) purpose: Purpose,
}

/// The one message below a line.
pub(super) fn below(line: &Line, context: Context<'_>) -> Result<Message, Fault> {
    match line.inside.as_slice() {
        [only] => message(only, context),
        [] => Err(Fault::new(line.number, "no message is indented below it", "a message, such as SOLICIT")),
        [_, second, ..] => {
            Err(Fault::new(second.number, "a second message", "options, indented below the first message"))
        }
    }
}

/// Reads a message.
pub(super) fn message(line: &Line, context: Context<'_>) -> Result<Message, Fault> {
    let mut words = Words::new(line.number, &line.text);
    let name = words.next("a message, such as SOLICIT")?;
    if name == "octets" {
        let octets = hexadecimal(&mut words, line)?;
        return Ok(Message { line: line.number, head: Head::Octets(octets), contents: Contents::default() });
    }
    let kind = match value::message_type(name) {
        Some(kind) => kind,
        None if name == "MESSAGE" => words.number()?,
        None => {
            let known = wire::MessageType::ALL.iter().map(|known| known.name()).chain(["MESSAGE", "octets"]);
            return Err(Fault::unknown(line.number, name, known));
        }
    };
    let head = if (12..=13).contains(&kind) {
        relay_head(kind, &mut words, context)?
    } else {
        plain_head(kind, &mut words)?
    };
    words.end()?;
    Ok(Message { line: line.number, head, contents: contents(&line.inside, context)? })
}

/// Octets on the line itself, and on those below it.
fn hexadecimal(words: &mut Words<'_>, line: &Line) -> Result<Vec<u8>, Fault> {
    let mut octets = Vec::new();
    while !words.is_empty() {
        octets.extend(digits(words.next("hexadecimal digits")?, line.number)?);
    }
    for below in &line.inside {
        let mut words = Words::new(below.number, &below.text);
        while !words.is_empty() {
            octets.extend(digits(words.next("hexadecimal digits")?, below.number)?);
        }
    }
    Ok(octets)
}

fn digits(word: &str, line: usize) -> Result<Vec<u8>, Fault> {
    let read = super::words::hexadecimal(word.strip_prefix("0x").unwrap_or(word));
    read.ok_or_else(|| {
        Fault::new(line, format!("{word} are no octets"), "hexadecimal digits, two for each octet")
    })
}

fn plain_head(kind: u8, words: &mut Words<'_>) -> Result<Head, Fault> {
    if !words.take("xid") {
        return Ok(Head::Plain { kind, id: Slot::Any });
    }
    let word = words.next("a transaction-id: hexadecimal digits, or a name such as $x")?;
    let id = match word {
        "*" => Slot::Any,
        name if name.starts_with('$') => Slot::Named(name.to_owned()),
        digits => match u64::from_str_radix(digits, 16).ok().filter(|id| *id < 1 << 24) {
            Some(id) => Slot::Is(value::Value::Number(id)),
            None => {
                let right = "at most six hexadecimal digits, or a name such as $x";
                return Err(Fault::new(words.line, format!("{digits} is no transaction-id"), right));
            }
        },
    };
    Ok(Head::Plain { kind, id })
}

fn relay_head(kind: u8, words: &mut Words<'_>, context: Context<'_>) -> Result<Head, Fault> {
    let (mut hop, mut link, mut peer) = (Slot::Any, Slot::Any, Slot::Any);
    while !words.is_empty() {
        match words.next("hop, link or peer")? {
            "hop" => hop = Kind::U8.read(words, context.cast)?,
            "link" => link = Kind::Address.read(words, context.cast)?,
            "peer" => peer = Kind::Address.read(words, context.cast)?,
            other => return Err(Fault::unknown(words.line, other, ["hop", "link", "peer"])),
        }
    }
    Ok(Head::Relay { kind, hop, link, peer })
}

/// Reads options.
pub(super) fn contents(lines: &[Line], context: Context<'_>) -> Result<Contents, Fault> {
    let mut contents = Contents::default();
    for line in lines {
        let mut words = Words::new(line.number, &line.text);
        if words.take("no other option") {
            contents.is_whole = Some(line.number);
        } else if words.take("no") {
            contents.absent.push((line.number, words.parse("the name of an option")?));
        } else {
            contents.options.push(option(line, words, context)?);
            continue;
        }
        words.end()?;
        if context.purpose == Purpose::Sent {
            return Err(Fault::new(line.number, "what is sent says what is there", "options"));
        }
    }
    Ok(contents)
}

fn option(line: &Line, mut words: Words<'_>, context: Context<'_>) -> Result<Opt, Fault> {
    let name = words.next("an option, such as CLIENTID")?;
    if name == "option" {
        let code = words.parse("the name or number of an option")?;
        let data = if words.is_empty() && context.purpose == Purpose::Expected {
            Slot::Any
        } else if words.is_empty() {
            Slot::Is(value::Value::Octets(Vec::new()))
        } else {
            Kind::Octets.read(&mut words, context.cast)?
        };
        words.end()?;
        return Ok(Opt { line: line.number, code, body: Body::Octets(data) });
    }
    let Some(shape) = shapes::named(name) else {
        return Err(Fault::unknown(line.number, name, shapes::names().chain(["option", "no"])));
    };
    let fields = fields(shape, &mut words, context)?;
    words.end()?;
    let (mut within, mut message_inside) = (Contents::default(), None);
    match shape.inside {
        Inside::Options => within = contents(&line.inside, context)?,
        Inside::Message if line.inside.is_empty() => {}
        Inside::Message => message_inside = Some(Box::new(below(line, context)?)),
        Inside::Nothing => {
            if let Some(first) = line.inside.first() {
                return Err(Fault::new(
                    first.number,
                    format!("nothing is inside {name}"),
                    "the depth of its neighbours",
                ));
            }
        }
    }
    Ok(Opt {
        line: line.number,
        code: shape.code,
        body: Body::Shaped { shape, fields, contents: within, message: message_inside },
    })
}

fn fields(shape: &'static Shape, words: &mut Words<'_>, context: Context<'_>) -> Result<Vec<Slot>, Fault> {
    let mut slots: Vec<Option<Slot>> = vec![None; shape.fields.len()];
    for (slot, field) in slots.iter_mut().zip(shape.fields).filter(|(_, field)| field.word.is_empty()) {
        // Of what is expected, the end may be left out.
        if words.is_empty() && (context.purpose == Purpose::Expected || field.kind.is_last()) {
            break;
        }
        *slot = Some(field.kind.read(words, context.cast)?);
    }
    let keyed: Vec<&str> =
        shape.fields.iter().map(|field| field.word).filter(|word| !word.is_empty()).collect();
    while !words.is_empty() {
        let word = words.next("a field")?;
        let place = shape.fields.iter().position(|field| field.word == word);
        let Some(place) = place else {
            let what = format!("{word} is no field of {}", shape.code);
            let right = if keyed.is_empty() { "the end of the line".to_owned() } else { keyed.join(" or ") };
            return Err(Fault::new(words.line, what, right));
        };
        slots[place] = Some(shape.fields[place].kind.read(words, context.cast)?);
    }
    let left_out = |kind: Kind| match context.purpose {
        Purpose::Expected => Slot::Any,
        Purpose::Sent if kind.is_last() => Slot::Is(value::Value::Octets(Vec::new())),
        Purpose::Sent => Slot::Is(value::Value::Number(0)),
    };
    Ok(slots
        .into_iter()
        .zip(shape.fields)
        .map(|(slot, field)| slot.unwrap_or_else(|| left_out(field.kind)))
        .collect())
}
