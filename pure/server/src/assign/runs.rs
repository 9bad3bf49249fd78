//! A set of numbers as runs, so that it costs what its gaps cost.
//!
//! Invariant: runs neither touch nor overlap.

use std::collections::BTreeMap;

/// Numbers of 64 bits; each run goes from its first to its last, both included.
#[derive(Debug, Default)]
pub(super) struct Runs {
    last_by_first: BTreeMap<u64, u64>,
}

impl Runs {
    /// Adds all numbers from `first` to `last`.
    pub(super) fn insert(&mut self, first: u64, last: u64) {
        let mut run = (first, last);
        if let Some((before, end)) = self.around(first.saturating_sub(1)) {
            run = (before, end.max(last));
        }
        while let Some((inside, end)) = self.first_within(run.0, run.1.saturating_add(1)) {
            self.last_by_first.remove(&inside);
            run.1 = run.1.max(end);
        }
        self.last_by_first.insert(run.0, run.1);
    }

    /// Takes out all numbers from `first` to `last`.
    pub(super) fn remove(&mut self, first: u64, last: u64) {
        if let Some((before, end)) = self.around(first)
            && before < first
        {
            self.last_by_first.insert(before, first - 1);
            self.insert_rest(end, last);
        }
        while let Some((inside, end)) = self.first_within(first, last) {
            self.last_by_first.remove(&inside);
            self.insert_rest(end, last);
        }
    }

    /// What is left of a run behind what was taken out of it.
    fn insert_rest(&mut self, end: u64, removed_last: u64) {
        if end > removed_last {
            self.last_by_first.insert(removed_last + 1, end);
        }
    }

    /// The last number of the run that holds this one.
    pub(super) fn end_of_run_at(&self, number: u64) -> Option<u64> {
        self.around(number).map(|(_, last)| last)
    }

    /// The runs, as far as they lie between two numbers, in order.
    pub(super) fn within(&self, first: u64, last: u64) -> impl Iterator<Item = (u64, u64)> {
        let begun = self.around(first).map_or(first, |(before, _)| before);
        let runs = self.last_by_first.range(begun..=last);
        runs.map(move |(from, to)| (*from.max(&first), *to.min(&last)))
    }

    fn around(&self, number: u64) -> Option<(u64, u64)> {
        let (first, last) = self.last_by_first.range(..=number).next_back()?;
        (*last >= number).then_some((*first, *last))
    }

    fn first_within(&self, first: u64, last: u64) -> Option<(u64, u64)> {
        self.last_by_first.range(first..=last).next().map(|(from, to)| (*from, *to))
    }
}

#[cfg(test)]
mod tests {
    use world::Chance;

    use super::*;

    fn all(runs: &Runs) -> Vec<(u64, u64)> {
        runs.within(0, u64::MAX).collect()
    }

    #[test]
    fn runs_are_what_a_plain_set_would_be() {
        let mut chance = Chance::from_seed(9);
        let (mut runs, mut plain) = (Runs::default(), [false; 64]);
        for _ in 0..20_000 {
            let first = chance.below(64);
            let last = first + chance.below(12.min(64 - first));
            let added = chance.below(2) == 0;
            if added {
                runs.insert(first, last)
            } else {
                runs.remove(first, last)
            }
            plain[first as usize..=last as usize].fill(added);
            for (number, held) in plain.iter().enumerate() {
                assert_eq!(runs.end_of_run_at(number as u64).is_some(), *held, "{number} in {runs:?}");
            }
            assert!(all(&runs).windows(2).all(|pair| pair[0].1 + 1 < pair[1].0), "{runs:?}");
        }
    }

    #[test]
    fn runs_reach_the_last_number_there_is() {
        let mut runs = Runs::default();
        runs.insert(0, u64::MAX);
        assert_eq!(runs.end_of_run_at(7), Some(u64::MAX));
        runs.remove(u64::MAX, u64::MAX);
        runs.remove(0, 0);
        assert_eq!(all(&runs), [(1, u64::MAX - 1)]);
        runs.insert(u64::MAX, u64::MAX);
        runs.insert(0, 0);
        assert_eq!(all(&runs), [(0, u64::MAX)]);
    }
}
