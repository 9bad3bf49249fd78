//! What is wrong with a configuration file: where, what, and what would be right.
//!
//! A reader never stops at a fault. It tells the [`Collector`] and goes on without the value, so
//! that an operator who has made five mistakes reads of five.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::Utf8Error;

use serde::Serialize;

use super::toml_tree::{Lines, Place};

/// One thing that is wrong, or not recommended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The file, as it was named.
    pub file: PathBuf,
    /// Line in it, from 1; `None` if the file could not be opened.
    pub line: Option<usize>,
    /// The key with those around it, such as `leasequery.udp.listen`; empty if no key is meant.
    pub key: String,
    /// What is wrong.
    pub problem: String,
    /// What would be right.
    pub remedy: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
        }
        if !self.key.is_empty() {
            write!(f, " {}:", self.key)?;
        }
        write!(f, " {}; {}", self.problem, self.remedy)
    }
}

/// All that is wrong with a file, by line; at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    /// One line for each fault, without a line end behind the last.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            let line_end = if index == 0 { "" } else { "\n" };
            write!(f, "{line_end}{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

impl Faults {
    pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        Self::whole_file(
            path,
            None,
            format!("cannot be read: {error}"),
            "name a file that this user may read",
        )
    }

    pub(super) fn not_text(path: &Path, octets: &[u8], error: Utf8Error) -> Self {
        let line = 1 + octets[..error.valid_up_to()].iter().filter(|octet| **octet == b'\n').count();
        Self::whole_file(path, Some(line), "is not UTF-8".to_owned(), "save the file as UTF-8 text")
    }

    fn whole_file(path: &Path, line: Option<usize>, problem: String, remedy: &str) -> Self {
        let (file, key, remedy) = (path.to_owned(), String::new(), remedy.to_owned());
        Self(vec![Fault { file, line, key, problem, remedy }])
    }
}

/// Gathers faults and warnings while a file is read.
pub(super) struct Collector {
    file: PathBuf,
    faults: Vec<Fault>,
    warnings: Vec<Fault>,
}

impl Collector {
    pub(super) fn new(file: &Path) -> Self {
        Self { file: file.to_owned(), faults: Vec::new(), warnings: Vec::new() }
    }

    /// Notes something that is wrong at `place`.
    pub(super) fn fault(&mut self, place: &Place, problem: impl Into<String>, remedy: impl Into<String>) {
        let fault = self.at(place, problem.into(), remedy.into());
        self.faults.push(fault);
    }

    /// Notes something that works and is not recommended.
    pub(super) fn warning(&mut self, place: &Place, problem: impl Into<String>, remedy: impl Into<String>) {
        let warning = self.at(place, problem.into(), remedy.into());
        self.warnings.push(warning);
    }

    /// Notes that the text is not TOML.
    pub(super) fn syntax(&mut self, lines: &Lines, error: &toml::de::Error) {
        let offset = error.span().map_or(0, |span| span.start);
        let place = Place { key: String::new(), line: lines.at(offset) };
        let problem = format!("is not TOML: {}", error.message().replace('\n', ", "));
        self.fault(&place, problem, "mend this line first; what stands after it has not been looked at");
    }

    /// The warnings, by line; or all faults, if there is one.
    pub(super) fn finish(mut self) -> Result<Vec<Fault>, Faults> {
        self.faults.sort_by_key(|fault| fault.line);
        self.warnings.sort_by_key(|fault| fault.line);
        if self.faults.is_empty() { Ok(self.warnings) } else { Err(Faults(self.faults)) }
    }

    fn at(&self, place: &Place, problem: String, remedy: String) -> Fault {
        let Place { key, line } = place.clone();
        let (problem, remedy) = (on_one_line(problem), on_one_line(remedy));
        Fault { file: self.file.clone(), line: Some(line), key, problem, remedy }
    }
}

/// The text, with what would end the line or move the cursor written as in a string. A text of the file can be
/// repeated in it.
fn on_one_line(text: String) -> String {
    if !text.contains(char::is_control) {
        return text;
    }
    let shown = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(shown).collect()
}
