//! TOML as a tree whose nodes know their key and line.
//!
//! A [`Table`] gives out its entries by name and remembers the names it was asked for. When its
//! reader is done, [`Table::finish`] reports each entry nobody asked for, and the names it has
//! heard are the list of what may stand there: it cannot differ from what is read.

use std::fmt::Display;
use std::ops::RangeInclusive;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::faults::Collector;

/// How alike two words must be (Jaro-Winkler, 0 to 1) for one to be taken for a misspelling of the
/// other: it lets one or two letters slip and keeps `name` from suggesting `state`.
const ALIKE: f64 = 0.85;

/// Where something stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The key with those around it; empty for the file.
    pub(super) key: String,
    /// From 1.
    pub(super) line: usize,
}

/// Parses a text and reads its root; `None` if it is not TOML.
pub(super) fn with_root<T>(
    text: &str,
    faults: &mut Collector,
    read: impl FnOnce(Table<'_>, &mut Collector) -> T,
) -> Option<T> {
    let lines = Lines::new(text);
    match DeTable::parse(text) {
        Ok(root) => {
            let place = Place { key: String::new(), line: 1 };
            Some(read(Table { entries: root.get_ref(), lines: &lines, place, known: Vec::new() }, faults))
        }
        Err(error) => {
            faults.syntax(&lines, &error);
            None
        }
    }
}

/// A table that is being read.
pub(super) struct Table<'t> {
    entries: &'t DeTable<'t>,
    lines: &'t Lines,
    place: Place,
    known: Vec<&'static str>,
}

impl<'t> Table<'t> {
    /// Reads the entry of this name; `None` if it is absent or has a fault.
    pub(super) fn read<T>(
        &mut self,
        name: &'static str,
        faults: &mut Collector,
        how: impl FnOnce(&Item<'t>, &mut Collector) -> Option<T>,
    ) -> Option<T> {
        if !self.known.contains(&name) {
            self.known.push(name);
        }
        let value = self.entries.get(name)?;
        how(&Item { value: value.get_ref(), lines: self.lines, place: self.place_of(name, value) }, faults)
    }

    /// Reads the entry of this name over a default, which stays if the entry is absent.
    pub(super) fn read_into<T>(
        &mut self,
        into: &mut T,
        name: &'static str,
        faults: &mut Collector,
        how: impl FnOnce(&Item<'t>, &mut Collector) -> Option<T>,
    ) {
        if let Some(value) = self.read(name, faults, how) {
            *into = value;
        }
    }

    /// Reads the entry of this name; its absence is a fault.
    pub(super) fn require<T>(
        &mut self,
        name: &'static str,
        example: &str,
        faults: &mut Collector,
        how: impl FnOnce(&Item<'t>, &mut Collector) -> Option<T>,
    ) -> Option<T> {
        if !self.has(name) {
            faults.fault(&self.place, format!("{name} is missing"), format!("add {name} = {example}"));
        }
        self.read(name, faults, how)
    }

    /// Where the table stands.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// Whether there is an entry of this name, good or not.
    pub(super) fn has(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    /// Reports entries that nobody has read.
    pub(super) fn finish(self, faults: &mut Collector) {
        for (key, _) in self.entries.iter().filter(|(key, _)| !self.known.contains(&key.get_ref().as_ref())) {
            let name = key.get_ref().as_ref();
            let place = Place { key: self.key_of(name), line: self.lines.at(key.span().start) };
            let remedy = suggest(name, &self.known)
                .unwrap_or_else(|| format!("the keys here are {}", self.known.join(", ")));
            faults.fault(&place, "no such key", remedy);
        }
    }

    fn place_of<T>(&self, name: &str, value: &Spanned<T>) -> Place {
        Place { key: self.key_of(name), line: self.lines.at(value.span().start) }
    }

    fn key_of(&self, name: &str) -> String {
        let printable = name.escape_debug();
        if self.place.key.is_empty() {
            printable.to_string()
        } else {
            format!("{}.{printable}", self.place.key)
        }
    }
}

/// A value that is being read.
pub(super) struct Item<'t> {
    value: &'t DeValue<'t>,
    lines: &'t Lines,
    place: Place,
}

impl<'t> Item<'t> {
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// True or false.
    pub(super) fn boolean(&self, faults: &mut Collector) -> Option<bool> {
        self.value.as_bool().or_else(|| self.wrong_type("true or false", faults))
    }

    /// A text in quotes.
    pub(super) fn string(&self, faults: &mut Collector) -> Option<&'t str> {
        self.value.as_str().or_else(|| self.wrong_type("a text in quotes", faults))
    }

    /// A text, made into something; `parse` says what is wrong with it, `remedy` what to write.
    pub(super) fn parse<T>(
        &self,
        faults: &mut Collector,
        remedy: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        match parse(self.string(faults)?) {
            Ok(value) => Some(value),
            Err(problem) => {
                faults.fault(&self.place, problem, remedy);
                None
            }
        }
    }

    /// One of these words, for what it stands for.
    pub(super) fn word<T: Clone>(&self, words: &[(&str, T)], faults: &mut Collector) -> Option<T> {
        let text = self.string(faults)?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| meaning.clone());
        if found.is_none() {
            let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let remedy =
                suggest(text, &words).unwrap_or_else(|| format!("write one of \"{}\"", words.join("\", \"")));
            faults.fault(&self.place, format!("{text:?} means nothing here"), remedy);
        }
        found
    }

    /// A whole number in a range.
    pub(super) fn number<N>(&self, range: RangeInclusive<N>, faults: &mut Collector) -> Option<N>
    where
        N: TryFrom<i128> + PartialOrd + Display,
    {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        let Some(integer) = self.value.as_integer() else {
            return self.wrong_type(&expected, faults);
        };
        let number = i128::from_str_radix(integer.as_str(), integer.radix()).ok();
        let number = number.and_then(|number| N::try_from(number).ok()).filter(|n| range.contains(n));
        if number.is_none() {
            faults.fault(&self.place, format!("{integer} is out of range"), format!("write {expected}"));
        }
        number
    }

    /// Whether the value is a number.
    pub(super) fn is_number(&self) -> bool {
        self.value.is_integer()
    }

    /// Whether the value is a text.
    pub(super) fn is_text(&self) -> bool {
        self.value.is_str()
    }

    /// The elements of a list.
    pub(super) fn list(&self, faults: &mut Collector) -> Option<Vec<Item<'t>>> {
        let Some(array) = self.value.as_array() else {
            return self.wrong_type("a list in [ ]", faults);
        };
        Some(array.iter().map(|value| self.element(value)).collect())
    }

    /// The elements of a list, each read; `None` if one has a fault.
    pub(super) fn list_of<T>(
        &self,
        faults: &mut Collector,
        mut how: impl FnMut(&Item<'t>, &mut Collector) -> Option<T>,
    ) -> Option<Vec<T>> {
        let read: Vec<Option<T>> = self.list(faults)?.iter().map(|item| how(item, faults)).collect();
        read.into_iter().collect()
    }

    /// The entries of a table.
    pub(super) fn table(&self, faults: &mut Collector) -> Option<Table<'t>> {
        let Some(entries) = self.value.as_table() else {
            return self.wrong_type("a table", faults);
        };
        Some(Table { entries, lines: self.lines, place: self.place.clone(), known: Vec::new() })
    }

    fn element(&self, value: &'t Spanned<DeValue<'t>>) -> Item<'t> {
        let place = Place { key: self.place.key.clone(), line: self.lines.at(value.span().start) };
        Item { value: value.get_ref(), lines: self.lines, place }
    }

    fn wrong_type<T>(&self, expected: &str, faults: &mut Collector) -> Option<T> {
        let problem = format!("is of the type {}", self.value.type_str());
        faults.fault(&self.place, problem, format!("write {expected}"));
        None
    }
}

/// "did you mean" the word that is most like `word`, if one is like it.
pub(super) fn suggest(word: &str, known: &[&str]) -> Option<String> {
    let likeness = |known: &str| strsim::jaro_winkler(&word.to_lowercase(), &known.to_lowercase());
    let best = known.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    (likeness(best) >= ALIKE).then(|| format!("did you mean {best}?"))
}

/// Where the lines of a text start, so that finding one is a binary search.
pub(super) struct Lines(Vec<usize>);

impl Lines {
    fn new(text: &str) -> Self {
        Self(text.match_indices('\n').map(|(offset, _)| offset + 1).collect())
    }

    /// The line an octet stands in, from 1.
    pub(super) fn at(&self, offset: usize) -> usize {
        1 + self.0.partition_point(|start| *start <= offset)
    }
}
