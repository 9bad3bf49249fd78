//! Messages in the words of a transcript, to be read by whoever wonders what has come.

use super::cast::Cast;
use super::message::{Body, Contents, Head, Message, Opt};
use super::value::{Kind, Slot, Value, shown, type_name};

/// A message, a line for each option.
pub(super) fn tell(message: &Message, cast: &Cast) -> String {
    let mut lines = Vec::new();
    add_message(message, 0, cast, &mut lines);
    lines.join("\n")
}

/// Options alone.
pub(super) fn tell_contents(contents: &Contents, cast: &Cast) -> String {
    let mut lines = Vec::new();
    add_contents(contents, 0, cast, &mut lines);
    lines.join("\n")
}

fn add_message(message: &Message, depth: usize, cast: &Cast, lines: &mut Vec<String>) {
    let head = match &message.head {
        Head::Octets(octets) => format!("octets {}", shown(octets)),
        Head::Plain { kind, id } => match id {
            Slot::Any => type_name(*kind),
            Slot::Is(Value::Number(id)) => format!("{} xid {id:x}", type_name(*kind)),
            slot => format!("{} xid {}", type_name(*kind), Kind::U32.tell_slot(slot, cast)),
        },
        Head::Relay { kind, hop, link, peer } => {
            let mut head = type_name(*kind);
            for (word, slot, kind) in
                [("hop", hop, Kind::U8), ("link", link, Kind::Address), ("peer", peer, Kind::Address)]
            {
                if *slot != Slot::Any {
                    head += &format!(" {word} {}", kind.tell_slot(slot, cast));
                }
            }
            head
        }
    };
    lines.push(format!("{:depth$}{head}", ""));
    add_contents(&message.contents, depth + 2, cast, lines);
}

fn add_contents(contents: &Contents, depth: usize, cast: &Cast, lines: &mut Vec<String>) {
    for option in &contents.options {
        add_option(option, depth, cast, lines);
    }
    for (_, code) in &contents.absent {
        lines.push(format!("{:depth$}no {code}", ""));
    }
    if contents.is_whole.is_some() {
        lines.push(format!("{:depth$}no other option", ""));
    }
}

fn add_option(option: &Opt, depth: usize, cast: &Cast, lines: &mut Vec<String>) {
    match &option.body {
        Body::Octets(slot) => {
            lines.push(format!("{:depth$}option {} {}", "", option.code, Kind::Octets.tell_slot(slot, cast)));
        }
        Body::Shaped { shape, fields, contents, message } => {
            let mut line = format!("{:depth$}{}", "", option.code);
            let both = || fields.iter().zip(shape.fields);
            for (slot, field) in both().filter(|(_, field)| field.word.is_empty()) {
                let told = field.kind.tell_slot(slot, cast);
                line += if told.is_empty() { "" } else { " " };
                line += &told;
            }
            for (slot, field) in both().filter(|(slot, field)| !field.word.is_empty() && **slot != Slot::Any)
            {
                line += &format!(" {} {}", field.word, field.kind.tell_slot(slot, cast));
            }
            lines.push(line);
            add_contents(contents, depth + 2, cast, lines);
            if let Some(message) = message {
                add_message(message, depth + 2, cast, lines);
            }
        }
    }
}
