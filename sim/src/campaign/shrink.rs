//! What a failure needs: its plan is made smaller as long as the same property still does not hold.
//!
//! Each way to make it smaller is tried in turn, the largest step first, until none helps any more. A cut
//! leaves the chances of all else as they were, but not the course of events: so the failure that is left may
//! be another way to break the same property, and that is as good.

use std::time::Duration;

use super::{Case, Finding, attempt};
use crate::faults::Fault;
use crate::plan::{Cut, Plan};
use crate::run::run;

/// Runs at most, so that shrinking ends before patience does.
const MAX_RUNS: usize = 400;

/// Makes a finding smaller; says before each try how many there were.
pub fn shrink(finding: Finding, mut progress: impl FnMut(usize)) -> Finding {
    let (mut smallest, mut runs) = (finding, 0);
    loop {
        let mut has_shrunk = false;
        for cut in candidates(&smallest) {
            if runs == MAX_RUNS {
                return smallest;
            }
            runs += 1;
            progress(runs);
            let cuts = smallest.case.cuts.iter().filter(|known| !replaces(&cut, known)).cloned();
            let case = Case { seed: smallest.case.seed, cuts: cuts.chain([cut.clone()]).collect() };
            if let Some(smaller) = finds(&case).filter(|found| found.property == smallest.property) {
                smallest = smaller;
                has_shrunk = true;
                break;
            }
        }
        if !has_shrunk {
            return smallest;
        }
    }
}

fn finds(case: &Case) -> Option<Finding> {
    match attempt(case, |plan| run(plan, None)) {
        Ok(outcome) => Finding::of(case, outcome),
        Err(finding) => Some(finding),
    }
}

/// Whether one cut says all that another has said.
fn replaces(cut: &Cut, known: &Cut) -> bool {
    match (cut, known) {
        (Cut::Only(_), Cut::Without(_)) => true,
        _ => std::mem::discriminant(cut) == std::mem::discriminant(known),
    }
}

/// What could still be taken away, the most first.
fn candidates(finding: &Finding) -> Vec<Cut> {
    let plan = Plan::drawn_with(finding.case.seed, &finding.case.cuts);
    let mut cuts = Vec::new();
    let secs = plan.safety.as_secs();
    let until_then = finding.after.map_or(secs, |after: Duration| after.as_secs() + 1).min(secs);
    cuts.extend([until_then / 4, until_then / 2, until_then * 3 / 4, until_then].map(Cut::Secs));
    cuts.retain(|cut| matches!(cut, Cut::Secs(fewer) if *fewer < secs));
    let counts = [
        (plan.topology.requestors.len(), 0, Cut::Requestors as fn(usize) -> Cut),
        (plan.topology.relays.len(), 0, Cut::Relays),
        (plan.topology.servers.len(), 1, Cut::Servers),
        (plan.topology.clients.len(), 1, Cut::Clients),
    ];
    for (count, least, cut) in counts {
        cuts.extend((least..count).map(cut));
    }
    cuts.extend(fewer_faults(&plan.faults.kinds().collect::<Vec<_>>()));
    cuts
}

/// None at all, one half or the other, all but one.
fn fewer_faults(faults: &[Fault]) -> Vec<Cut> {
    let (first, second) = faults.split_at(faults.len() / 2);
    let halves = [&[], first, second].into_iter().map(<[Fault]>::to_vec);
    let without_one = (0..faults.len()).map(|left_out| {
        let kept = faults.iter().enumerate().filter(|(at, _)| *at != left_out);
        kept.map(|(_, fault)| *fault).collect()
    });
    let smaller = halves.chain(without_one).filter(|kept: &Vec<Fault>| kept.len() < faults.len());
    smaller.map(|kept| Cut::Only(kept.into_iter().collect())).collect()
}
