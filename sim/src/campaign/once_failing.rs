//! Seeds that once failed, from a file in the repository: they are run before all others, for ever.

use std::fmt;

use crate::plan::Cut;

/// One a line: a seed, what its plan is made smaller by, and behind `#` what it found.
const FILE: &str = include_str!("../../once-failing.txt");

/// A seed, and what its plan is made smaller by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The seed.
    pub seed: u64,
    /// What makes its plan smaller.
    pub cuts: Vec<Cut>,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--seed {}", self.seed)?;
        self.cuts.iter().try_for_each(|cut| write!(f, " --cut {cut}"))
    }
}

/// All of them.
///
/// # Panics
///
/// When a line of the file cannot be read; a test reads it too.
pub fn once_failing() -> Vec<Case> {
    let lines = FILE.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    lines.filter(|line| !line.is_empty()).map(case).collect()
}

fn case(line: &str) -> Case {
    let mut words = line.split_whitespace();
    let seed = words.next().and_then(|word| word.parse().ok());
    let cuts = words.map(str::parse).collect::<Result<_, _>>();
    match (seed, cuts) {
        (Some(seed), Ok(cuts)) => Case { seed, cuts },
        _ => panic!("`{line}` is no seed with its cuts"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_can_be_read_and_names_no_case_twice() {
        let cases = once_failing();
        for (at, case) in cases.iter().enumerate() {
            assert!(!cases[..at].contains(case), "{case} is there twice");
        }
    }

    #[test]
    fn a_line_is_a_seed_and_its_cuts() {
        let case = case("17 clients=1 no=loss");
        assert_eq!(case.to_string(), "--seed 17 --cut clients=1 --cut no=loss");
    }
}
