//! Options that the relay adds to what clients say.

use relay::{EchoRequest, SuppliedOptions};
use wire::{OptionCode, RawOption};

use super::super::faults::Collector;
use super::super::toml_tree::Item;
use super::super::{codes, options};

/// An option that the relay proposes for clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuppliedOption {
    /// Which.
    pub code: OptionCode,
    /// What is in it.
    pub data: Box<[u8]>,
}

/// What goes into the RSOO.
pub(super) fn supplied(options: &[SuppliedOption]) -> Result<SuppliedOptions, relay::UnsuitableOption> {
    SuppliedOptions::new(options.iter().map(|option| RawOption { code: option.code, data: &option.data }))
}

/// Reads what is proposed for clients.
pub(super) fn supplied_options(list: &Item<'_>, faults: &mut Collector) -> Option<Vec<SuppliedOption>> {
    let mut earlier = Vec::new();
    let options = list.list_of(faults, |item, faults| supplied_option(item, &mut earlier, faults))?;
    if let Err(error) = supplied(&options) {
        faults.fault(list.place(), error.to_string(), "leave something out");
    }
    Some(options)
}

fn supplied_option(
    item: &Item<'_>,
    earlier: &mut Vec<OptionCode>,
    faults: &mut Collector,
) -> Option<SuppliedOption> {
    let mut table = item.table(faults)?;
    let code = table.require("code", "\"ERP_LOCAL_DOMAIN_NAME\"", faults, |item, faults| {
        let code = codes::any(item, faults)?;
        note_once(code, item, earlier, faults);
        if !code.may_be_relay_supplied() {
            let problem = relay::UnsuitableOption::NotSuppliable(code).to_string();
            faults.fault(item.place(), problem, "leave it out: clients get it from the server");
            return None;
        }
        Some(code)
    });
    let data = options::data(&mut table, faults);
    table.finish(faults);
    let (code, data) = (code?, data?);
    options::check_layout(item, code, &data, faults);
    Some(SuppliedOption { code, data: data.into() })
}

/// Reads what is to be sent back.
pub(super) fn echo_request(list: &Item<'_>, faults: &mut Collector) -> Option<Vec<OptionCode>> {
    let mut earlier = Vec::new();
    let codes = list.list_of(faults, |item, faults| {
        let code = codes::any(item, faults)?;
        note_once(code, item, &mut earlier, faults);
        if !code.may_be_echoed() {
            let problem = relay::UnsuitableOption::NotEchoable(code).to_string();
            faults.fault(item.place(), problem, "leave it out");
            return None;
        }
        Some(code)
    })?;
    if let Err(error) = EchoRequest::new(codes.iter().copied()) {
        faults.fault(list.place(), error.to_string(), "leave something out");
    }
    Some(codes)
}

fn note_once(code: OptionCode, item: &Item<'_>, earlier: &mut Vec<OptionCode>, faults: &mut Collector) {
    if earlier.contains(&code) {
        faults.fault(item.place(), format!("{code} stands here twice"), "leave one of them out");
    }
    earlier.push(code);
}
