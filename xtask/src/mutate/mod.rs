//! Does the simulator find bugs? Each defect of `sim/defects.toml` is planted into a copy of the workspace, and the
//! simulator runs there until a seed finds it. One that no seed finds is a hole in the properties.
//!
//! The copy is patched, built and mended again, one defect after the other, in one build folder: so each costs what
//! it changes and what depends on that. Nothing in the workspace itself is touched.

mod defects;
mod figures;
mod workspace;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use crate::bench::Format;
use defects::{Defect, read};
use figures::{Figures, Found, Tried};
use workspace::Workspace;

/// Seeds in which nothing may be found while there is no defect: the simulator itself is tested elsewhere, with more.
const UNPLANTED_SEEDS: u64 = 300;

/// Quick to build, and nearly as fast as what is released.
const PROFILE: &str = "quick";

/// What to plant, and how long to look.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Plant these defects only
    #[arg(value_name = "DEFECT")]
    names: Vec<String>,
    /// Seeds that may pass before a defect counts as not found
    #[arg(long, default_value_t = 3_000, value_name = "N")]
    seeds: u64,
    /// List the defects, and plant none
    #[arg(long)]
    list: bool,
    /// How to print the figures
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

/// Plants one defect after the other; fails if one is not found.
pub(crate) fn run(root: &Path, arguments: &Arguments) -> Result<()> {
    let defects = chosen(read(root)?, &arguments.names)?;
    if arguments.list {
        defects.iter().for_each(|Defect { name, what, .. }| println!("{name:<28} {what}"));
        return Ok(());
    }
    let workspace = Workspace::copy(root)?;
    let bar = bar(defects.len());
    bar.set_message("as it is");
    let Tried { found, .. } = look(&workspace, arguments.seeds.min(UNPLANTED_SEEDS))?;
    if let Some(Found { property, seed, .. }) = found {
        bail!("without any defect, seed {seed} finds that {property} does not hold");
    }
    let mut figures = Figures::default();
    for defect in &defects {
        bar.set_message(defect.name.clone());
        let planted = workspace.plant(defect)?;
        let tried = look(&workspace, arguments.seeds).with_context(|| defect.name.clone());
        planted.mend()?;
        figures.add(defect, tried?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    arguments.format.print(&figures)?;
    let missed = figures.missed();
    ensure!(missed.is_empty(), "not found in {} seeds: {}", arguments.seeds, missed.join(", "));
    Ok(())
}

fn chosen(defects: Vec<Defect>, names: &[String]) -> Result<Vec<Defect>> {
    let known = |name: &&String| defects.iter().any(|defect| defect.name == **name);
    if let Some(unknown) = names.iter().find(|name| !known(name)) {
        bail!("there is no defect {unknown}; `--list` lists them");
    }
    let is_chosen = |defect: &Defect| names.is_empty() || names.contains(&defect.name);
    Ok(defects.into_iter().filter(is_chosen).collect())
}

/// Builds the simulator of the copy, and runs it until it finds something.
fn look(workspace: &Workspace, seeds: u64) -> Result<Tried> {
    let build = Command::new("cargo")
        .args(["build", "--quiet", "--profile", PROFILE, "-p", "sim"])
        .env("CARGO_TARGET_DIR", workspace.build())
        .current_dir(workspace.folder())
        .output()
        .context("cannot start cargo")?;
    ensure!(build.status.success(), "it does not build:\n{}", String::from_utf8_lossy(&build.stderr));
    let begun = Instant::now();
    let sim = Command::new(workspace.build().join(PROFILE).join("sim"))
        .args(["--fresh", "--no-shrink", "--format", "json", "--seeds"])
        .arg(seeds.to_string())
        .output()
        .context("cannot start the simulator")?;
    let report: Value = serde_json::from_slice(&sim.stdout).with_context(|| {
        format!("the simulator said no JSON, and: {}", String::from_utf8_lossy(&sim.stderr))
    })?;
    tried(&report, begun.elapsed()).context("the simulator's report has other keys")
}

fn tried(report: &Value, took: Duration) -> Option<Tried> {
    let finding = report.get("findings")?.as_array()?.first();
    let found = match finding {
        None => None,
        Some(finding) => Some(Found {
            property: finding.get("property")?.as_str()?.to_owned(),
            what: finding.get("what")?.as_str()?.to_owned(),
            seed: finding.get("seed")?.as_u64()?,
        }),
    };
    Some(Tried { found, seeds: report.get("seeds")?.as_u64()?, took })
}

fn bar(defects: usize) -> ProgressBar {
    let template = "{wide_bar} {pos}/{len} defects, {elapsed}, {msg}";
    let style = ProgressStyle::with_template(template).expect("a template that is known");
    ProgressBar::new(defects as u64).with_style(style)
}
