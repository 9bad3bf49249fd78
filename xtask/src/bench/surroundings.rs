//! What a bench has to know of the machine and of its own build before it measures anything.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Becomes the release build of this program: the generator must not be what limits a server.
pub(super) fn again_in_release(root: &Path) -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["run", "--quiet", "--release", "--package", "xtask", "--manifest-path"]);
    command.arg(root.join("Cargo.toml")).arg("--").args(std::env::args_os().skip(1));
    bail!("cargo does not start: {}", command.exec())
}

/// Whether there is such a program.
pub(super) fn starts(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("-v").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

/// Processes that wanted a processor during the last minute.
pub(super) fn load() -> Result<f64> {
    let averages = fs::read_to_string("/proc/loadavg")?;
    Ok(averages.split(' ').next().context("no load")?.parse()?)
}
