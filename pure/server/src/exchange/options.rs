//! Options that the operator offers to clients.

use std::collections::BTreeMap;

use wire::OptionCode;

/// Options by code, as octets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OfferedOptions {
    by_code: BTreeMap<OptionCode, Offered>,
}

/// One option, or several of one code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offered {
    /// The data of each; nearly always there is one.
    pub instances: Vec<Box<[u8]>>,
    /// Sent to clients that have not asked for it, too.
    pub always: bool,
}

impl OfferedOptions {
    /// Adds one more option with this code.
    pub fn add(&mut self, code: OptionCode, data: impl Into<Box<[u8]>>) {
        self.by_code.entry(code).or_default().instances.push(data.into());
    }

    /// Has every option with this code sent whether it is asked for or not.
    pub fn always(&mut self, code: OptionCode) {
        self.by_code.entry(code).or_default().always = true;
    }

    /// What is offered with this code.
    pub fn get(&self, code: OptionCode) -> Option<&Offered> {
        self.by_code.get(&code)
    }

    /// Everything offered, in order of code.
    pub fn iter(&self) -> impl Iterator<Item = (OptionCode, &Offered)> {
        self.by_code.iter().map(|(code, offered)| (*code, offered))
    }

    /// Whether nothing is offered.
    pub fn is_empty(&self) -> bool {
        self.by_code.is_empty()
    }
}
