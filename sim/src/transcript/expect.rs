//! What is expected against what has come.
//!
//! Every option that is expected has to be there, each a different one, in whatever order; what is not expected may
//! be there too, unless that is excluded. A name that is met for the first time takes the value that it meets, but only
//! if all the rest fits too.

use super::cast::Cast;
use super::message::{Body, Contents, Head, Message, Opt};
use super::octets::{Around, data_of, prefix_in};
use super::value::{Bindings, Kind, Slot, Value};

/// What does not fit, and the line that says what would.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mismatch {
    pub(super) line: usize,
    pub(super) what: String,
}

/// Compares, and takes over what names stand for if all fits.
pub(super) fn fits(
    expected: &Message,
    came: &Message,
    cast: &Cast,
    bindings: &mut Bindings,
) -> Result<(), Mismatch> {
    let mut trial = bindings.clone();
    Comparison { cast, bindings: &mut trial, around: None }.message(expected, came)?;
    *bindings = trial;
    Ok(())
}

/// The same for options alone.
pub(super) fn contents_fit(
    expected: &Contents,
    came: &Contents,
    cast: &Cast,
    bindings: &mut Bindings,
) -> Result<(), Mismatch> {
    let mut trial = bindings.clone();
    Comparison { cast, bindings: &mut trial, around: None }.contents(expected, came)?;
    *bindings = trial;
    Ok(())
}

struct Comparison<'a> {
    cast: &'a Cast,
    bindings: &'a mut Bindings,
    /// The prefix that what is compared stands in.
    around: Around,
}

impl Comparison<'_> {
    fn message(&mut self, expected: &Message, came: &Message) -> Result<(), Mismatch> {
        let line = expected.line;
        let differs = |what: &str| Mismatch { line, what: what.to_owned() };
        match (&expected.head, &came.head) {
            (Head::Octets(one), Head::Octets(other)) if one == other => {}
            (Head::Plain { kind, id }, Head::Plain { kind: other, id: came }) => {
                if kind != other {
                    return Err(differs("the message is of another type"));
                }
                self.slot(line, "xid", Kind::U32, id, came)?;
            }
            (
                Head::Relay { kind, hop, link, peer },
                Head::Relay { kind: other, hop: came_hop, link: came_link, peer: came_peer },
            ) => {
                if kind != other {
                    return Err(differs("the message is of another type"));
                }
                self.slot(line, "hop", Kind::U8, hop, came_hop)?;
                self.slot(line, "link", Kind::Address, link, came_link)?;
                self.slot(line, "peer", Kind::Address, peer, came_peer)?;
            }
            _ => return Err(differs("the message is of another type")),
        }
        self.contents(&expected.contents, &came.contents)
    }

    fn slot(
        &mut self,
        line: usize,
        word: &str,
        kind: Kind,
        expected: &Slot,
        came: &Slot,
    ) -> Result<(), Mismatch> {
        let Slot::Is(value) = came else { return Ok(()) };
        let before = expected.value(self.bindings).cloned();
        if expected.admits(value, self.bindings) {
            return Ok(());
        }
        let wanted = match before {
            Some(value) => kind.tell(&value, self.cast),
            None => kind.tell_slot(expected, self.cast),
        };
        let told = kind.tell(value, self.cast);
        let word = if word.is_empty() { String::new() } else { format!("{word} ") };
        Err(Mismatch { line, what: format!("{word}{told} has come for {word}{wanted}") })
    }

    fn contents(&mut self, expected: &Contents, came: &Contents) -> Result<(), Mismatch> {
        let mut taken = vec![false; came.options.len()];
        for option in &expected.options {
            let place = self.find(option, &came.options, &taken)?;
            taken[place] = true;
        }
        for (line, code) in &expected.absent {
            if came.options.iter().any(|option| option.code == *code) {
                return Err(Mismatch { line: *line, what: format!("{code} is there") });
            }
        }
        if let Some(line) = expected.is_whole {
            let other = came.options.iter().zip(&taken).find(|(_, taken)| !**taken);
            if let Some((other, _)) = other {
                return Err(Mismatch { line, what: format!("{} is there too", other.code) });
            }
        }
        Ok(())
    }

    /// The first option that fits; what does not fit is told of the last one that could have.
    fn find(&mut self, expected: &Opt, came: &[Opt], taken: &[bool]) -> Result<usize, Mismatch> {
        let mut nearest = None;
        for (place, candidate) in came.iter().enumerate() {
            if taken[place] || candidate.code != expected.code {
                continue;
            }
            let mut trial = self.bindings.clone();
            match (Comparison { cast: self.cast, bindings: &mut trial, around: self.around })
                .option(expected, candidate)
            {
                Ok(()) => {
                    *self.bindings = trial;
                    return Ok(place);
                }
                Err(mismatch) => nearest = Some(mismatch),
            }
        }
        Err(nearest.unwrap_or_else(|| Mismatch {
            line: expected.line,
            what: format!(
                "there is no {}{}",
                expected.code,
                if taken.contains(&true) { " left" } else { "" }
            ),
        }))
    }

    fn option(&mut self, expected: &Opt, came: &Opt) -> Result<(), Mismatch> {
        let line = expected.line;
        match (&expected.body, &came.body) {
            (Body::Octets(slot), _) => {
                let octets = data_of(came, self.around).map(|octets| Slot::Is(Value::Octets(octets)));
                octets.map_or(Ok(()), |octets| self.slot(line, "", Kind::Octets, slot, &octets))
            }
            (
                Body::Shaped { shape, fields, contents, message },
                Body::Shaped { fields: came, contents: inside, message: came_message, .. },
            ) => {
                for ((slot, value), field) in fields.iter().zip(came).zip(shape.fields) {
                    self.slot(line, field.word, field.kind, slot, value)?;
                }
                Comparison { cast: self.cast, bindings: self.bindings, around: prefix_in(came) }
                    .contents(contents, inside)?;
                match (message, came_message) {
                    (Some(expected), Some(came)) => self.message(expected, came),
                    (Some(expected), None) => {
                        Err(Mismatch { line: expected.line, what: "there is no message inside".to_owned() })
                    }
                    (None, _) => Ok(()),
                }
            }
            (Body::Shaped { .. }, Body::Octets(_)) => {
                Err(Mismatch { line, what: format!("{} does not decode", expected.code) })
            }
        }
    }
}
