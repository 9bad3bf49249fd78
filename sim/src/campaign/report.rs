//! What a campaign has to say: to a person, or as one JSON object with stable keys.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;

use serde_json::{Value, json};

use super::{Finding, Tally, Tried};
use crate::vocabulary::Role;

/// What was met, and what was found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// What was met.
    pub tally: Tally,
    /// What was found, in the order of seeds.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Takes what came of a seed.
    pub(super) fn take(&mut self, tried: Tried) {
        self.tally.add(&tried.tally);
        if let ControlFlow::Break(finding) = tried.finding {
            self.findings.push(finding);
        }
    }

    /// The same, for programs.
    pub fn json(&self) -> Value {
        let Tally { seeds, once_failing, twice, steps, simulated, took, met, exercised, said } = &self.tally;
        let met: serde_json::Map<String, Value> =
            met.iter().map(|(fault, times)| (fault.name().to_owned(), json!(times))).collect();
        let findings: Vec<Value> = self.findings.iter().map(finding).collect();
        json!({
            "seeds": seeds,
            "once_failing": once_failing,
            "run_twice": twice,
            "steps": steps,
            "simulated_secs": simulated.as_secs(),
            "took_secs": took.as_secs_f64(),
            "seeds_per_sec": self.tally.rate(),
            "faults": met,
            "properties": exercised,
            "messages": by_role(&said.messages),
            "statuses": by_role(&said.statuses),
            "missing": self.tally.missing(),
            "findings": findings,
        })
    }
}

/// Of each role, how often it has said what.
fn by_role(said: &BTreeMap<(Role, impl fmt::Display), u64>) -> Value {
    let mut roles = serde_json::Map::new();
    for ((role, what), times) in said {
        let its = roles.entry(role.to_string()).or_insert_with(|| json!({}));
        its[what.to_string()] = json!(times);
    }
    roles.into()
}

fn finding(finding: &Finding) -> Value {
    let Finding { case, property, what, after } = finding;
    let cuts: Vec<String> = case.cuts.iter().map(ToString::to_string).collect();
    json!({
        "seed": case.seed,
        "cuts": cuts,
        "property": property,
        "what": what,
        "after_secs": after.map(|after| after.as_secs_f64()),
    })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tally = &self.tally;
        let hours = tally.simulated.as_secs_f64() / 3600.0;
        writeln!(
            f,
            "{} seeds in {:.1} s ({:.1} a second), {} of those that once failed; {} run twice; {hours:.0} hours \
             simulated in {} steps",
            tally.seeds,
            tally.took.as_secs_f64(),
            tally.rate(),
            tally.once_failing,
            tally.twice,
            tally.steps
        )?;
        write_counts(f, "faults met", tally.met.iter().map(|(fault, times)| (fault.name(), *times)))?;
        let exercised = tally.exercised.iter().map(|(property, times)| (*property, *times));
        write_counts(f, "properties judged", exercised)?;
        write_said(f, "messages", &tally.said.messages)?;
        write_said(f, "statuses", &tally.said.statuses)?;
        tally.missing().iter().try_for_each(|missing| writeln!(f, "MISSING: {missing}"))?;
        self.findings.iter().try_for_each(|finding| writeln!(f, "FAILED: {finding}"))
    }
}

/// What was said, a paragraph for each role.
fn write_said(
    f: &mut fmt::Formatter<'_>,
    title: &str,
    said: &BTreeMap<(Role, impl fmt::Display), u64>,
) -> fmt::Result {
    for role in Role::ALL {
        let its = said.iter().filter(|((of, _), _)| of == role);
        let its: Vec<(String, u64)> = its.map(|((_, what), times)| (what.to_string(), *times)).collect();
        let counts = its.iter().map(|(what, times)| (what.as_str(), *times));
        write_counts(f, &format!("{title} of {role}s"), counts)?;
    }
    Ok(())
}

/// Names and counts, as many on a line as are easily read.
fn write_counts<'a>(
    f: &mut fmt::Formatter<'_>,
    title: &str,
    counts: impl Iterator<Item = (&'a str, u64)>,
) -> fmt::Result {
    let counts: Vec<String> = counts.map(|(name, times)| format!("{name} {times}")).collect();
    if counts.is_empty() {
        return Ok(());
    }
    writeln!(f, "{title}:")?;
    counts.chunks(6).try_for_each(|some| writeln!(f, "  {}", some.join(", ")))
}
