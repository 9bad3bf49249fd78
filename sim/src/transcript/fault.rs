//! What is wrong with a transcript as written: where, what, and what would be right.

use std::fmt;

/// A line that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// From 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
    /// What would be right.
    pub right: String,
}

impl Fault {
    pub(super) fn new(line: usize, what: impl Into<String>, right: impl Into<String>) -> Self {
        Self { line, what: what.into(), right: right.into() }
    }

    /// A word that is none of those that would be right here.
    pub(super) fn unknown<'a>(line: usize, word: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        let similar = known.iter().max_by(|one, other| {
            let (one, other) = (strsim::jaro_winkler(word, one), strsim::jaro_winkler(word, other));
            one.total_cmp(&other)
        });
        let near = similar.filter(|name| strsim::jaro_winkler(word, name) > NEAR);
        let right = match near {
            Some(name) => format!("perhaps {name}"),
            None => format!("one of {}", known.join(", ")),
        };
        Self::new(line, format!("nothing here is called {word}"), right)
    }
}

/// From where on a word is taken for another one, misspelt.
const NEAR: f64 = 0.85;

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}; right would be {}", self.line, self.what, self.right)
    }
}

impl std::error::Error for Fault {}
