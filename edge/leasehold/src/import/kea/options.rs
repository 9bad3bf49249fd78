//! `option-data`: from lists of options to what is offered to clients.
//!
//! In Kea an option of a narrower scope stands before one with the same code of a wider scope, and so it does
//! here. Two things do not follow that rule there. An option that is always sent in one scope is always sent,
//! with the data of the narrowest; and the options of one vendor are looked up one by one, while here they
//! are one option. So a set knows what of this it has from around it.

use std::collections::{BTreeMap, BTreeSet};

use server::exchange::OfferedOptions;
use wire::OptionCode;

use super::definitions::{DHCP6, Definitions};
use super::encode;
use super::json::ConfigError;
use super::keys;
use super::scope::{Remarks, Scope};
use crate::config::{MAX_DATA_OCTETS, SINGLE, fault_inside, is_of_the_exchange};

/// Options inside one another: a container, a rule, its ports.
const MAX_DEPTH: usize = 4;
type ByCode = BTreeMap<u16, Vec<Vec<u8>>>;

/// The options of one scope.
#[derive(Debug, Clone, Default)]
pub(super) struct OptionSet {
    /// By space and code, without those of vendors.
    spaces: BTreeMap<String, ByCode>,
    /// Those of vendors, by enterprise: with what is around.
    vendors: BTreeMap<u32, ByCode>,
    /// Whether a vendor's option stands in this scope itself.
    has_vendors: bool,
    /// What is always sent: with what is around.
    always: BTreeSet<u16>,
}

/// An option as it stands in a list.
struct Entry<'d> {
    space: &'d str,
    code: u16,
    data: Vec<u8>,
}

/// Reads lists of options.
#[derive(Debug)]
pub(super) struct OptionReader {
    definitions: Definitions,
    /// Whether a client has been told to send to an address of the server.
    pub(super) offers_unicast: bool,
}

impl OptionReader {
    /// The code of an option with this name.
    pub(super) fn code(&self, space: &str, name: &str) -> Option<u16> {
        self.definitions.by_name(space, name).map(|definition| definition.code)
    }

    pub(super) fn new(dhcp6: &Scope<'_>, remarks: &mut Remarks) -> Result<Self, ConfigError> {
        Ok(Self { definitions: Definitions::read(dhcp6, remarks)?, offers_unicast: false })
    }

    /// The options of a scope, which is inside another.
    pub(super) fn read(
        &mut self,
        at: &Scope<'_>,
        around: &OptionSet,
        remarks: &mut Remarks,
    ) -> Result<OptionSet, ConfigError> {
        let (vendors, always) = (around.vendors.clone(), around.always.clone());
        let mut set = OptionSet { vendors, always, ..OptionSet::default() };
        let mut own_vendors: BTreeMap<u32, ByCode> = BTreeMap::new();
        for at in at.list("option-data")? {
            keys::report(&at, keys::OPTION, remarks);
            let always = at.boolean("always-send")?.unwrap_or(false);
            match self.entry(&at)? {
                Ok(entry) => set.take(entry, always, &mut own_vendors, &at, remarks),
                Err(reason) => remarks.not_translated(&at, reason),
            }
        }
        set.has_vendors = !own_vendors.is_empty();
        for (enterprise, options) in own_vendors {
            set.vendors.entry(enterprise).or_default().extend(options);
        }
        Ok(set)
    }

    /// An option, or why it cannot be offered.
    fn entry<'v>(&mut self, at: &Scope<'v>) -> Result<Result<Entry<'v>, String>, ConfigError> {
        let space = at.text("space")?.unwrap_or(DHCP6);
        let (name, code) = (at.text("name")?, at.number::<u16>("code")?);
        let definition = match (name, code) {
            (Some(name), _) => self.definitions.by_name(space, name),
            (None, Some(code)) => self.definitions.by_code(space, code),
            (None, None) => None,
        };
        let Some(code) = definition.map(|definition| definition.code).or(code) else {
            return Ok(Err("it is not known which option this is: give its `code`".to_owned()));
        };
        let text = at.text("data")?.unwrap_or_default();
        let data = match (definition, at.boolean("csv-format")?) {
            (Some(definition), None | Some(true)) => encode::values(text, definition),
            (None, Some(true)) => Err("the types of this option's values are not known".to_owned()),
            (_, _) => encode::octets(text).ok_or_else(|| "`data` is not hexadecimal".to_owned()),
        };
        self.offers_unicast |= space == DHCP6 && code == OptionCode::UNICAST.0;
        let is_container = definition.is_some_and(|definition| definition.encapsulates.is_some());
        let entry = data.map(|data| Entry { space, code, data });
        Ok(entry.and_then(|entry| self.judge(entry, is_container)))
    }

    fn judge<'v>(&self, entry: Entry<'v>, is_container: bool) -> Result<Entry<'v>, String> {
        if entry.space == DHCP6 {
            // What belongs into a container is not there yet.
            if is_container {
                of_operator(entry.code)?;
            } else {
                acceptable(entry.code, &entry.data)?;
            }
            return Ok(entry);
        }
        let is_carried = enterprise(entry.space).is_some() || self.definitions.carries(entry.space);
        if is_carried { Ok(entry) } else { Err(format!("no option carries the space `{}`", entry.space)) }
    }

    /// What is offered.
    pub(super) fn offered(&self, set: &OptionSet, at: &Scope<'_>, remarks: &mut Remarks) -> OfferedOptions {
        let mut offered = OfferedOptions::default();
        let mut offer = |code: u16, data: Vec<u8>| match acceptable(code, &data) {
            Ok(()) => {
                offered.add(OptionCode(code), data);
                if set.always.contains(&code) {
                    offered.always(OptionCode(code));
                }
            }
            Err(reason) => remarks.instead(at, code.into(), format!("option {code}: {reason}")),
        };
        for (code, instances) in set.spaces.get(DHCP6).into_iter().flatten() {
            for data in instances {
                let inside = self.inside(set, DHCP6, *code, MAX_DEPTH);
                offer(*code, [&data[..], &inside].concat());
            }
        }
        if set.has_vendors {
            for (enterprise, options) in &set.vendors {
                let options = options.iter().flat_map(|(code, all)| all.iter().map(|data| (*code, data)));
                let options: Vec<u8> = options.flat_map(|(code, data)| option(code, data)).collect();
                offer(OptionCode::VENDOR_OPTS.0, [&enterprise.to_be_bytes()[..], &options].concat());
            }
        }
        offered
    }

    /// The options that stand in another, as octets.
    fn inside(&self, set: &OptionSet, space: &str, code: u16, depth: usize) -> Vec<u8> {
        let definition = self.definitions.by_code(space, code);
        let Some(space) = definition.and_then(|definition| definition.encapsulates.as_deref()) else {
            return Vec::new();
        };
        let mut octets = Vec::new();
        for (code, instances) in set.spaces.get(space).filter(|_| depth > 0).into_iter().flatten() {
            let inside = self.inside(set, space, *code, depth - 1);
            for data in instances {
                octets.extend(option(*code, &[&data[..], &inside].concat()));
            }
        }
        octets
    }
}

impl OptionSet {
    /// Whether there is nothing in this scope itself.
    pub(super) fn is_empty(&self) -> bool {
        self.spaces.is_empty() && !self.has_vendors
    }

    /// This set, and what a wider one has besides.
    pub(super) fn over(mut self, wider: &Self) -> Self {
        for (space, options) in &wider.spaces {
            let here = self.spaces.entry(space.clone()).or_default();
            for (code, instances) in options {
                here.entry(*code).or_insert_with(|| instances.clone());
            }
        }
        self.has_vendors |= wider.has_vendors;
        self
    }

    fn take(
        &mut self,
        entry: Entry<'_>,
        always: bool,
        vendors: &mut BTreeMap<u32, ByCode>,
        at: &Scope<'_>,
        remarks: &mut Remarks,
    ) {
        let Entry { space, code, data } = entry;
        let vendor =
            (space == DHCP6 && code == OptionCode::VENDOR_OPTS.0).then(|| data.split_first_chunk::<4>());
        if let Some(enterprise) = enterprise(space) {
            vendors.entry(enterprise).or_default().entry(code).or_default().push(data);
            self.always.extend(always.then_some(OptionCode::VENDOR_OPTS.0));
            return;
        }
        if let Some(Some((enterprise, options))) = vendor {
            let of_vendor = vendors.entry(u32::from_be_bytes(*enterprise)).or_default();
            for (code, data) in split_options(options) {
                of_vendor.entry(code).or_default().push(data.to_vec());
            }
        } else {
            let instances = self.spaces.entry(space.to_owned()).or_default().entry(code).or_default();
            if space == DHCP6 && SINGLE.contains(&OptionCode(code)) && !instances.is_empty() {
                remarks.not_translated(at, "stands here twice: the first one counts");
                return;
            }
            instances.push(data);
        }
        self.always.extend((always && space == DHCP6).then_some(code));
    }
}

/// `vendor-4491`.
fn enterprise(space: &str) -> Option<u32> {
    space.strip_prefix("vendor-")?.parse().ok()
}

/// An option's octets. What is longer than an option can be is cut here, and refused as a whole later.
fn option(code: u16, data: &[u8]) -> Vec<u8> {
    let length = data.len().min(usize::from(u16::MAX)) as u16;
    [&code.to_be_bytes()[..], &length.to_be_bytes(), &data[..usize::from(length)]].concat()
}

/// The options in these octets, up to the first that is torn.
fn split_options(mut octets: &[u8]) -> Vec<(u16, &[u8])> {
    let mut options = Vec::new();
    while let Some(([code_high, code_low, length_high, length_low], rest)) = octets.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes([*length_high, *length_low]));
        let Some((data, rest)) = rest.split_at_checked(length) else { break };
        options.push((u16::from_be_bytes([*code_high, *code_low]), data));
        octets = rest;
    }
    options
}

/// The option with this code, if an operator has a say in it.
pub(super) fn of_operator(code: u16) -> Result<OptionCode, String> {
    match OptionCode(code) {
        OptionCode(0) => Err("there is no option 0".to_owned()),
        OptionCode::UNICAST => Err("clients are no longer told to unicast (RFC 9915 §21.12); what those \
                                    send that were told so before is taken"
            .to_owned()),
        code if is_of_the_exchange(code) => Err("the exchange itself writes it where it belongs".to_owned()),
        code => Ok(code),
    }
}

/// Whether an option can be offered.
fn acceptable(code: u16, data: &[u8]) -> Result<(), String> {
    let code = of_operator(code)?;
    if data.len() > MAX_DATA_OCTETS {
        return Err(format!("has {} octets, more than {MAX_DATA_OCTETS}", data.len()));
    }
    let list = [OptionCode::DNS_SERVERS, OptionCode::DOMAIN_LIST, OptionCode::SNTP_SERVERS];
    if list.contains(&code) && data.is_empty() {
        return Err("names nothing".to_owned());
    }
    fault_inside(code, data).map_or(Ok(()), |(problem, remedy)| Err(format!("{problem}; {remedy}")))
}
