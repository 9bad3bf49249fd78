//! Options that the operator offers to clients.

use std::collections::BTreeMap;

use wire::{OptionCode, Options};

use crate::limits::{MAX_KEPT_OPTION_OCTETS, MAX_REQUESTED_OPTIONS};

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

/// What a client has asked for besides leases.
#[derive(Debug)]
pub(super) struct Wants {
    requested: Vec<OptionCode>,
    pub(super) rapid_commit: bool,
}

impl Wants {
    pub(super) fn of(options: Options<'_>) -> Self {
        let mut requested: Vec<OptionCode> = Vec::new();
        for code in options.requested().take(MAX_REQUESTED_OPTIONS) {
            if !requested.contains(&code) {
                requested.push(code);
            }
        }
        Self { requested, rapid_commit: options.has(OptionCode::RAPID_COMMIT) }
    }

    /// The codes in the ORO, each once.
    pub(super) fn codes(&self) -> impl Iterator<Item = OptionCode> {
        self.requested.iter().copied()
    }

    pub(super) fn asks_for(&self, code: OptionCode) -> bool {
        self.requested.contains(&code)
    }

    /// Whether the client can live with a part excluded from its prefix (RFC 6603 §5.2).
    pub(super) fn takes_exclusion(&self) -> bool {
        self.asks_for(OptionCode::PD_EXCLUDE)
    }
}

/// The client's own options that are worth remembering: what a leasequery may ask for and a relay
/// cannot know (RFC 5007 §4.1.2.2).
pub(super) fn kept(options: Options<'_>) -> Vec<(OptionCode, Box<[u8]>)> {
    const KEPT: [OptionCode; 3] = [OptionCode::USER_CLASS, OptionCode::VENDOR_CLASS, OptionCode::CLIENT_FQDN];
    let mut room = MAX_KEPT_OPTION_OCTETS;
    let sound = options.iter().filter(|option| {
        KEPT.contains(&option.code) && (option.code != OptionCode::CLIENT_FQDN || has_sound_name(option.data))
    });
    let kept = sound.filter(|option| {
        let fits = option.data.len() + 4 <= room;
        if fits {
            room -= option.data.len() + 4;
        }
        fits
    });
    kept.map(|option| (option.code, option.data.into())).collect()
}

/// Flags, then the labels of a name without pointers; the end may be missing of a name that the server
/// is to complete (RFC 4704 §4.2).
fn has_sound_name(fqdn: &[u8]) -> bool {
    let Some((_flags, mut rest)) = fqdn.split_first() else { return false };
    while let Some((length, behind)) = rest.split_first() {
        match (length, behind.get(usize::from(*length)..)) {
            (0, _) => return behind.is_empty(),
            (1..=63, Some(next)) => rest = next,
            _ => return false,
        }
    }
    true
}
