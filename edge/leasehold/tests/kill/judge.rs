//! What must be so after every restart, whatever was under way when the program was killed.
//!
//! - What a Reply has promised is there, for at least as long, unless it was given back or is over.
//! - What was given back, and that was acknowledged, is not there.
//! - Nobody holds anything that was neither promised to them nor asked for in a message that has no answer.
//! - Nothing is held by two, and no two prefixes overlap.

use std::collections::BTreeMap;

use requestor::Resource;
use wire::Duid;

use crate::customer::{Customer, ROUNDING_SECS, unix_secs};
use crate::told::Told;

/// Faults that are shown, of many.
const SHOWN: usize = 10;

/// Compares what a server has told with what it has promised; how many promises there were to be kept, or what is wrong.
pub(crate) fn judge<'a>(customers: impl Iterator<Item = &'a Customer>, told: &Told) -> Result<u64, String> {
    let now_secs = unix_secs();
    let mut judgement = Judgement::default();
    let mut unknown: BTreeMap<&Duid, _> = told.iter().collect();
    for customer in customers {
        unknown.remove(&customer.duid);
        judgement.see_kept(customer, told, now_secs);
        judgement.see_explained(customer, told);
    }
    judgement.faults.extend(unknown.keys().map(|duid| format!("{duid} has never asked for anything")));
    judgement.see_exclusive(told);
    let Judgement { faults, kept } = judgement;
    if faults.is_empty() {
        return Ok(kept);
    }
    Err(format!("{} faults: {:#?}", faults.len(), &faults[..faults.len().min(SHOWN)]))
}

#[derive(Default)]
struct Judgement {
    faults: Vec<String>,
    kept: u64,
}

impl Judgement {
    fn see_kept(&mut self, customer: &Customer, told: &Told, now_secs: u64) {
        let Customer { duid, promised, .. } = customer;
        for (resource, promise) in promised.iter().filter(|(_, it)| it.until_secs > now_secs + ROUNDING_SECS)
        {
            let lease = told.get(duid).and_then(|leases| leases.get(resource));
            match lease {
                Some(lease) if lease.until_secs + ROUNDING_SECS >= promise.until_secs => self.kept += 1,
                Some(lease) => {
                    let less = promise.until_secs - lease.until_secs;
                    self.faults.push(format!("{duid} has {resource} for {less} s less than promised"));
                }
                None => self.faults.push(format!("{duid} was promised {resource}, and it is lost")),
            }
        }
    }

    fn see_explained(&mut self, customer: &Customer, told: &Told) {
        let duid = &customer.duid;
        for resource in told.get(duid).into_iter().flatten().map(|(resource, _)| *resource) {
            if !customer.may_hold(resource) {
                let why =
                    if customer.has_returned(resource) { "has given it back" } else { "was never given it" };
                self.faults.push(format!("{duid} holds {resource} and {why}"));
            }
        }
    }

    fn see_exclusive(&mut self, told: &Told) {
        let mut held: Vec<(Resource, &Duid)> = told
            .iter()
            .flat_map(|(duid, leases)| leases.keys().map(move |resource| (*resource, duid)))
            .collect();
        held.sort();
        for pair in held.windows(2) {
            let [(first, one), (second, other)] = pair else { continue };
            if overlap(*first, *second) {
                self.faults.push(format!("{one} holds {first}, and {other} {second}"));
            }
        }
    }
}

/// In order of their first addresses, two that overlap are neighbours, or something between them overlaps with the first.
fn overlap(first: Resource, second: Resource) -> bool {
    match (first, second) {
        (Resource::Prefix(first), Resource::Prefix(second)) => first.overlaps(second),
        _ => first == second,
    }
}
