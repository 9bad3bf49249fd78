//! The figures of a run, for a person to read.

use std::time::Duration;

use crate::attack::{Attacked, Served};
use crate::server::Resources;

/// The one in the middle.
pub(crate) fn median<'a>(durations: impl IntoIterator<Item = &'a Duration>) -> Duration {
    percentile(durations, 50)
}

fn percentile<'a>(durations: impl IntoIterator<Item = &'a Duration>, percent: usize) -> Duration {
    let mut durations: Vec<Duration> = durations.into_iter().copied().collect();
    durations.sort();
    durations[(durations.len() * percent / 100).min(durations.len() - 1)]
}

/// Prints what was measured in quiet.
pub(crate) fn print_quiet(served: &Served, resources: &Resources) {
    println!("quiet: {}; {}", times(served), of(resources));
}

/// Prints what was measured under attack.
pub(crate) fn print_attacked(attacked: &Attacked) {
    let Attacked { gathered, at_first, served, connections, resources, told, counters } = attacked;
    println!("{connections} hostile connections: {}; {}", times(served), of(resources));
    println!("    come in {gathered:.1?}, query meanwhile {at_first:.1?}; {told} lines in the log");
    println!("    {}", counters["bulk"]);
}

fn times(Served { queries, exchanges }: &Served) -> String {
    let most = queries.iter().max().copied().unwrap_or_default();
    let (half, nearly_all) = (median(exchanges), percentile(exchanges, 99));
    format!(
        "query {:.1?} (at most {most:.1?}), {} exchanges, p50 {half:.2?}, p99 {nearly_all:.2?}",
        median(queries),
        exchanges.len()
    )
}

fn of(resources: &Resources) -> String {
    let Resources { resident, files } = resources;
    format!("{:.1} MiB resident, {files} descriptors", *resident as f64 / f64::from(1 << 20))
}
