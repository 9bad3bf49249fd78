//! How long leases are, and when they are asked for again: the same keys for all links and for one.
//!
//! What a link does not say it has from `[dhcp]`. The times are held against one another when all
//! are known, and a fault is told where one of them is written.

use std::ops::RangeInclusive;

use server::exchange::LinkTerms;
use wire::INFINITE;

use super::faults::Collector;
use super::toml_tree::{Item, Place, Table};

/// An address may be deprecated from the start.
const PREFERRED: RangeInclusive<u32> = 0..=INFINITE;
/// What is valid for no time is no lease.
const VALID: RangeInclusive<u32> = 1..=INFINITE;
/// With 0 the client chooses (RFC 9915 §14.2).
const RENEWAL: RangeInclusive<u32> = 0..=INFINITE;

const PREFERRED_KEY: &str = "preferred-lifetime-secs";
const VALID_KEY: &str = "valid-lifetime-secs";
const T1_KEY: &str = "t1-secs";
const T2_KEY: &str = "t2-secs";

/// Reads what this table says over what is said around it; options and pools are left empty.
pub(super) fn read(table: &mut Table<'_>, around: &LinkTerms, faults: &mut Collector) -> LinkTerms {
    let mut terms = LinkTerms { options: Default::default(), pools: Vec::new(), ..around.clone() };
    let preferred = table.read(PREFERRED_KEY, faults, |item, faults| secs_here(item, PREFERRED, faults));
    let valid = table.read(VALID_KEY, faults, |item, faults| secs_here(item, VALID, faults));
    let t1 = table.read(T1_KEY, faults, |item, faults| secs_here(item, RENEWAL, faults));
    let t2 = table.read(T2_KEY, faults, |item, faults| secs_here(item, RENEWAL, faults));
    table.read_into(&mut terms.rapid_commit, "rapid-commit", faults, Item::boolean);
    table.read_into(&mut terms.bind_on_renew, "bind-on-renew", faults, Item::boolean);
    table.read_into(&mut terms.reconfigure, "reconfigure", faults, Item::boolean);
    let read = [(PREFERRED_KEY, &preferred), (VALID_KEY, &valid), (T1_KEY, &t1), (T2_KEY, &t2)];
    let all_good = read.iter().all(|(key, value)| value.is_some() == table.has(key));
    terms.preferred_secs = preferred.as_ref().map_or(terms.preferred_secs, |(secs, _)| *secs);
    terms.valid_secs = valid.as_ref().map_or(terms.valid_secs, |(secs, _)| *secs);
    terms.t1_secs = t1.as_ref().map(|(secs, _)| *secs).or(terms.t1_secs);
    terms.t2_secs = t2.as_ref().map(|(secs, _)| *secs).or(terms.t2_secs);
    let place_of = |here: Option<(u32, Place)>| here.map(|(_, place)| place);
    let (preferred, valid, t1, t2) = (place_of(preferred), place_of(valid), place_of(t1), place_of(t2));
    if all_good && let Some(place) = preferred.as_ref().or(valid.as_ref()) {
        check_lifetimes(&terms, place, faults);
    }
    if all_good && let Some(place) = t2.or(t1).or(preferred).or(valid) {
        check_renewal(&terms, &place, faults);
    }
    terms
}

/// Seconds, or forever.
pub(super) fn secs(item: &Item<'_>, range: RangeInclusive<u32>, faults: &mut Collector) -> Option<u32> {
    if item.is_number() {
        return item.number(range, faults);
    }
    let remedy = format!("write whole seconds from {} on, or \"infinite\"", range.start());
    item.parse(faults, &remedy, |text| match text {
        "infinite" => Ok(INFINITE),
        _ => Err(format!("{text:?} is no time")),
    })
}

/// What [`secs`] reads as so many seconds.
pub(super) fn show_secs(secs: u32) -> toml::Value {
    if secs == INFINITE { toml::Value::from("infinite") } else { toml::Value::from(secs) }
}

fn secs_here(item: &Item<'_>, range: RangeInclusive<u32>, faults: &mut Collector) -> Option<(u32, Place)> {
    Some((secs(item, range, faults)?, item.place().clone()))
}

/// A client discards a lease that is preferred for longer than it is valid (RFC 9915 §21.6).
fn check_lifetimes(terms: &LinkTerms, place: &Place, faults: &mut Collector) {
    let (preferred, valid) = (words(terms.preferred_secs), words(terms.valid_secs));
    if terms.preferred_secs > terms.valid_secs {
        let problem = format!("the preferred lifetime, {preferred}, is longer than the valid one, {valid}");
        faults.fault(place, problem, format!("write {PREFERRED_KEY} = {valid}, or less"));
    }
}

/// A client discards an association whose T1 is greater than its T2, and loses its lease before it
/// has asked for it if they are greater than the lifetime (RFC 9915 §21.4, §14.2).
fn check_renewal(terms: &LinkTerms, place: &Place, faults: &mut Collector) {
    let LinkTerms { preferred_secs, valid_secs, t1_secs, t2_secs, .. } = *terms;
    if t1_secs.is_none() && t2_secs.is_none() || preferred_secs > valid_secs {
        return;
    }
    let t1 = t1_secs.unwrap_or(part(preferred_secs, 5));
    let t2 = t2_secs.unwrap_or(part(preferred_secs, 8));
    let last = t1.max(t2);
    if t1 > t2 && t2 != 0 {
        let computed = |given: Option<u32>| if given.is_some() { "" } else { " computed from the lifetime" };
        let problem = format!(
            "T1, {}{}, is greater than T2, {}{}",
            words(t1),
            computed(t1_secs),
            words(t2),
            computed(t2_secs)
        );
        faults.fault(place, problem, format!("write {T1_KEY} and {T2_KEY} so that T1 comes first"));
    } else if last > valid_secs {
        let problem =
            format!("leases end after {} before clients ask again after {}", words(valid_secs), words(last));
        faults.fault(place, problem, format!("write times up to {}", words(preferred_secs)));
    } else if last > preferred_secs {
        let problem = format!("leases are deprecated before clients ask again after {}", words(last));
        faults.warning(place, problem, format!("times up to {} are recommended", words(preferred_secs)));
    }
}

/// So many tenths, where forever stays forever.
fn part(secs: u32, tenths: u64) -> u32 {
    if secs == INFINITE { secs } else { u32::try_from(u64::from(secs) * tenths / 10).unwrap_or(secs) }
}

fn words(secs: u32) -> String {
    show_secs(secs).to_string()
}
