//! A place in Kea's configuration, and what is remarked while it is read.
//!
//! Whoever reads a value takes it out of a [`Scope`], which knows the way to it. What cannot stand in our
//! configuration goes to [`Remarks`] with that way, its value and the reason, each once.

use std::collections::HashSet;

use serde::Serialize;

use super::json::{ConfigError, Json, Value};

/// Something that stands in Kea's configuration and not in ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotTranslated {
    /// Where in `Dhcp6`, such as `subnet6[2].client-class`.
    pub path: String,
    /// What stands there.
    pub value: serde_json::Value,
    /// Why it is not translated, or what stands in its place.
    pub reason: String,
    /// File and line.
    pub place: String,
}

/// What an operator has to know.
#[derive(Debug, Default)]
pub(super) struct Remarks {
    pub(super) not_translated: Vec<NotTranslated>,
    pub(super) warnings: Vec<String>,
    seen: HashSet<(String, String)>,
}

impl Remarks {
    /// Notes that something is not translated. The same place and reason count once.
    pub(super) fn not_translated(&mut self, at: &Scope<'_>, reason: impl Into<String>) {
        self.instead(at, at.value.plain(), reason);
    }

    /// The same, where something follows from what stands at a place, or at another that it was taken from.
    pub(super) fn instead(&mut self, at: &Scope<'_>, value: serde_json::Value, reason: impl Into<String>) {
        let (path, reason) = (at.path.clone(), reason.into());
        if self.seen.insert((path.clone(), reason.clone())) {
            let place = at.value.mark.to_string();
            self.not_translated.push(NotTranslated { path, value, reason, place });
        }
    }

    /// The same, however often it is found.
    pub(super) fn warn_once(&mut self, warning: &str) {
        if !self.warnings.iter().any(|other| other == warning) {
            self.warn(warning.to_owned());
        }
    }

    pub(super) fn warn(&mut self, warning: String) {
        self.warnings.push(warning);
    }
}

/// A value and the way to it.
#[derive(Debug, Clone)]
pub(super) struct Scope<'v> {
    pub(super) value: &'v Value,
    pub(super) path: String,
}

impl<'v> Scope<'v> {
    /// The map of which all paths start.
    pub(super) fn root(value: &'v Value) -> Self {
        Self { value, path: String::new() }
    }

    /// What stands behind a key.
    pub(super) fn member(&self, key: &str) -> Option<Self> {
        self.value.member(key).map(|value| Self { value, path: self.path_of(key) })
    }

    /// The elements of a list behind a key; none if there is no such key.
    pub(super) fn list(&self, key: &str) -> Result<Vec<Self>, ConfigError> {
        let elements = self.value.list(key)?.iter().enumerate();
        Ok(elements
            .map(|(index, value)| Self { value, path: format!("{}[{index}]", self.path_of(key)) })
            .collect())
    }

    /// The keys and what stands behind them.
    pub(super) fn members(&self) -> impl Iterator<Item = (&'v str, Self)> + use<'_, 'v> {
        let members = if let Json::Map(members) = &self.value.json { &members[..] } else { &[] };
        members.iter().map(|(key, value)| (key.as_str(), Self { value, path: self.path_of(key) }))
    }

    pub(super) fn text(&self, key: &str) -> Result<Option<&'v str>, ConfigError> {
        self.value.text(key)
    }

    pub(super) fn number<N: TryFrom<i64>>(&self, key: &str) -> Result<Option<N>, ConfigError> {
        self.value.number(key)
    }

    /// `true` or `false` behind a key.
    pub(super) fn boolean(&self, key: &str) -> Result<Option<bool>, ConfigError> {
        match self.value.member(key) {
            None => Ok(None),
            Some(Value { json: Json::Boolean(boolean), .. }) => Ok(Some(*boolean)),
            Some(value) => Err(value.error(format!("`{key}` must be true or false"))),
        }
    }

    /// A share from 0 to 1 behind a key.
    pub(super) fn share(&self, key: &str) -> Result<Option<f64>, ConfigError> {
        let Some(value) = self.value.member(key) else { return Ok(None) };
        let share = match value.json {
            Json::Real(share) => share,
            Json::Integer(share @ (0 | 1)) => share as f64,
            _ => f64::NAN,
        };
        if (0.0..=1.0).contains(&share) {
            Ok(Some(share))
        } else {
            Err(value.error(format!("`{key}` must be a number from 0.0 to 1.0")))
        }
    }

    /// The texts of a list behind a key, each with its place.
    pub(super) fn texts(&self, key: &str) -> Result<Vec<(&'v str, Self)>, ConfigError> {
        let elements = self.list(key)?;
        elements.into_iter().map(|at| Ok((at.value.as_text(key)?, at))).collect()
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}
