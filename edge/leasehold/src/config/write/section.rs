//! A table that is being written: its heading and its keys.

use std::fmt::{Display, Write};

use toml::Value;

/// A heading with keys under it, of which nothing is seen if there is no key.
pub(super) struct Section {
    heading: &'static str,
    entries: Vec<(&'static str, Value)>,
}

impl Section {
    pub(super) fn new(heading: &'static str) -> Self {
        Self { heading, entries: Vec::new() }
    }

    pub(super) fn set(&mut self, key: &'static str, value: impl Into<Value>) {
        self.entries.push((key, value.into()));
    }

    /// Sets what there is.
    pub(super) fn optional(&mut self, key: &'static str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.set(key, value);
        }
    }

    /// Sets what is not as it would be anyway.
    pub(super) fn differing<T: PartialEq + Clone + Into<Value>>(
        &mut self,
        key: &'static str,
        value: &T,
        usual: &T,
    ) {
        if value != usual {
            self.set(key, value.clone());
        }
    }

    /// Sets a list, unless it is empty.
    pub(super) fn list(&mut self, key: &'static str, values: impl Iterator<Item = impl Into<Value>>) {
        let values: Vec<Value> = values.map(Into::into).collect();
        if !values.is_empty() {
            self.set(key, Value::Array(values));
        }
    }

    pub(super) fn write(self, text: &mut String) {
        if self.entries.is_empty() {
            return;
        }
        if !self.heading.is_empty() {
            *text += self.heading;
            *text += "\n";
        }
        for (key, value) in self.entries {
            writeln!(text, "{key} = {value}").expect("a String takes all that is written");
        }
    }
}

/// A list of texts.
pub(super) fn strings(values: impl IntoIterator<Item = impl Display>) -> Value {
    Value::Array(values.into_iter().map(|value| Value::from(value.to_string())).collect())
}
