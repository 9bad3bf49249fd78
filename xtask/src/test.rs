//! Everything that a change has to pass, in one command, beginning on a Debian machine that has Rust and nothing else.
//!
//! The steps run one after the other and the first that fails is the last that runs. Each is said before it begins and timed, and
//! at the end comes a line for each, so that who waits knows for what. Tests inherit the environment: with `CI=true` what would
//! be left out for want of a tool is a failure.

use std::env;
use std::fmt::Write;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::{fuzz, requirements};

/// How long each fuzz target looks: on two cores some seconds of computing, in which it goes through the kept inputs
/// and some thousand new ones.
const FUZZ_SECS: u64 = 45;

/// How many worlds the simulator runs: some three minutes' worth on two processors.
const SEEDS: &str = "16000";

/// What is done, in order: what fails fast comes early.
const STEPS: [Step; 8] = [
    Step { name: "tools", what: "install what the tests need and this machine lacks", run: provide_tools },
    Step { name: "format", what: "cargo fmt --all --check", run: check_format },
    Step { name: "lint", what: "cargo clippy --workspace --all-targets -- -D warnings", run: lint },
    Step { name: "test", what: "cargo test --workspace", run: test },
    Step { name: "simulate", what: "cargo run -p sim, as many seeds as three minutes allow", run: simulate },
    Step { name: "requirements", what: "cargo xtask requirements", run: check_requirements },
    Step { name: "fuzz", what: "cargo xtask fuzz, for 45 seconds", run: fuzz_briefly },
    Step { name: "docs", what: "cargo doc --workspace --no-deps, warnings are errors", run: document },
];

struct Step {
    name: &'static str,
    what: &'static str,
    run: fn(&Path) -> Result<()>,
}

/// Runs every step on the workspace at `root`, up to the first that fails.
pub(crate) fn run(root: &Path) -> Result<()> {
    let mut times = Vec::new();
    for (index, step) in STEPS.iter().enumerate() {
        println!("\n== {} of {}: {}: {}", index + 1, STEPS.len(), step.name, step.what);
        let begun = Instant::now();
        let result = (step.run)(root);
        times.push(begun.elapsed());
        if let Err(error) = result {
            println!("\n{}", summary(&times, Some(step.name)));
            return Err(error.context(format!("{} failed", step.name)));
        }
    }
    println!("\n{}", summary(&times, None));
    Ok(())
}

/// A line for each step begun, and the total.
fn summary(times: &[Duration], failed: Option<&str>) -> String {
    let mut text = String::new();
    for (Step { name, .. }, time) in STEPS.iter().zip(times) {
        let verdict = if failed == Some(name) { "FAILED" } else { "ok" };
        let _ = writeln!(text, "{name:<14}{:>8.1} s  {verdict}", time.as_secs_f64());
    }
    let total: Duration = times.iter().sum();
    let _ = write!(text, "{:<14}{:>8.1} s", "together", total.as_secs_f64());
    text
}

/// A program that some step starts, and where it comes from.
struct Tool {
    program: &'static str,
    from: Origin,
    needed_by: &'static str,
}

/// Who installs it, under which name.
enum Origin {
    Debian(&'static str),
    Rustup(&'static str),
}

const TOOLS: [Tool; 21] = [
    Tool { program: "cargo-fmt", from: Origin::Rustup("rustfmt"), needed_by: "the format step" },
    Tool { program: "cargo-clippy", from: Origin::Rustup("clippy"), needed_by: "the lint step" },
    Tool {
        program: "tshark",
        from: Origin::Debian("tshark"),
        needed_by: "the tests that let it read our captures",
    },
    meets("dhclient", "isc-dhcp-client"),
    meets("dhcpcd", "dhcpcd-base"),
    meets("dhcp6c", "wide-dhcpv6-client"),
    meets("dibbler-client", "dibbler-client"),
    meets("/lib/systemd/systemd-networkd", "systemd"),
    meets("dhcrelay", "isc-dhcp-relay"),
    meets("dhcp6relay", "wide-dhcpv6-relay"),
    meets("dibbler-relay", "dibbler-relay"),
    meets("perfdhcp", "kea-admin"),
    meets("dumpcap", "wireshark-common"),
    meets("ip", "iproute2"),
    meets("mount", "mount"),
    Tool {
        program: "nft",
        from: Origin::Debian("nftables"),
        needed_by: "the tests of the lightweight relay, which has it drop what it takes out of a bridge",
    },
    Tool {
        program: "kea-dhcp6",
        from: Origin::Debian("kea-dhcp6-server"),
        needed_by: "the test that asks Kea whether it takes the configurations that we import",
    },
    meets("dhcpd", "isc-dhcp-server"),
    meets("bird", "bird2"),
    meets("ping", "iputils-ping"),
    Tool { program: "c++", from: Origin::Debian("g++"), needed_by: "the fuzz step, for libFuzzer" },
];

/// A part of the test in which server and relay meet real clients, relays, servers and routing daemons.
const fn meets(program: &'static str, package: &'static str) -> Tool {
    Tool { program, from: Origin::Debian(package), needed_by: "the test with real clients and relays" }
}

fn provide_tools(_: &Path) -> Result<()> {
    let missing: Vec<&Tool> = TOOLS.iter().filter(|tool| !is_installed(tool.program)).collect();
    let (mut packages, mut components) = (Vec::new(), Vec::new());
    for Tool { program, from, needed_by } in &missing {
        println!("{program} is missing; {needed_by} needs it");
        match from {
            Origin::Debian(package) => packages.push(*package),
            Origin::Rustup(component) => components.push(*component),
        }
    }
    if !components.is_empty() {
        let words = [&["component", "add"], components.as_slice()].concat();
        succeed(Command::new("rustup").args(&words))?;
    }
    if !packages.is_empty() {
        provide_packages(&packages)?;
    }
    if missing.is_empty() {
        println!("nothing is missing");
    }
    Ok(())
}

/// Installs packages if we may; otherwise says how, which is enough unless nobody is there to read it.
fn provide_packages(packages: &[&str]) -> Result<()> {
    if is_root() && is_installed("apt-get") {
        succeed(apt_get(&["update"]))?;
        let _quiet = NoServices::demand()?;
        let words = [&["install", "-y", "--no-install-recommends"], packages].concat();
        return succeed(apt_get(&words));
    }
    let packages = packages.join(" ");
    println!("install with: sudo apt-get install --no-install-recommends {packages}");
    ensure!(!is_ci(), "{packages} must be there when CI=true");
    Ok(())
}

/// While it lives, packages that are installed do not start their services: we want DHCP clients and relays as programs, and on
/// nobody's real network. Debian asks this file whether it may (policy-rc.d); one that is there already is left alone.
struct NoServices {
    is_ours: bool,
}

impl NoServices {
    const POLICY: &str = "/usr/sbin/policy-rc.d";
    /// Exit code 101 is "forbidden".
    const SCRIPT: &str = "#!/bin/sh\nexit 101\n";

    fn demand() -> Result<Self> {
        let is_ours = !Path::new(Self::POLICY).exists();
        if is_ours {
            fs::write(Self::POLICY, Self::SCRIPT).context(Self::POLICY)?;
            fs::set_permissions(Self::POLICY, fs::Permissions::from_mode(0o755)).context(Self::POLICY)?;
        }
        Ok(Self { is_ours })
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.is_ours {
            let _ = fs::remove_file(Self::POLICY);
        }
    }
}

fn apt_get(words: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command.args(words).env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn is_installed(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file()) && answers(program)
}

/// What rustup puts on the path for a component that is not installed exists, but does not run.
fn answers(program: &str) -> bool {
    let Some(subcommand) = program.strip_prefix("cargo-") else { return true };
    cargo(&[subcommand, "--version"]).output().is_ok_and(|output| output.status.success())
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|about| about.uid() == 0)
}

fn is_ci() -> bool {
    env::var_os("CI").is_some_and(|value| value == "true")
}

fn check_format(root: &Path) -> Result<()> {
    succeed(cargo(&["fmt", "--all", "--check"]).current_dir(root))
}

fn lint(root: &Path) -> Result<()> {
    succeed(cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]).current_dir(root))
}

fn test(root: &Path) -> Result<()> {
    succeed(cargo(&["test", "--workspace"]).current_dir(root))
}

fn check_requirements(root: &Path) -> Result<()> {
    requirements::run(root, requirements::Format::Table)
}

/// From the first seed on: what fails here fails everywhere.
fn simulate(root: &Path) -> Result<()> {
    let words = ["run", "--profile", "quick", "-p", "sim", "--", "--seeds", SEEDS];
    succeed(cargo(&words).current_dir(root))
}

fn fuzz_briefly(root: &Path) -> Result<()> {
    fuzz::run(root, FUZZ_SECS)
}

fn document(root: &Path) -> Result<()> {
    succeed(cargo(&["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings").current_dir(root))
}

/// The cargo that started us.
fn cargo(words: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(words);
    command
}

/// Runs a command with our own input and output; fails if it does.
fn succeed(mut command: impl std::borrow::BorrowMut<Command>) -> Result<()> {
    let command = command.borrow_mut();
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command.status().with_context(|| format!("{name} does not start"))?;
    if !status.success() {
        let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
        bail!("{name} {} ended with {status}", words.join(" "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_has_a_line_for_each_step_begun_and_says_which_failed() {
        let times = [Duration::from_millis(1500), Duration::from_secs(2)];
        let text = summary(&times, Some("format"));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            ["tools              1.5 s  ok", "format             2.0 s  FAILED", "together           3.5 s"]
        );
    }

    #[test]
    fn a_command_that_fails_is_named() {
        let error = succeed(Command::new("false").arg("x")).expect_err("false fails");
        assert!(error.to_string().starts_with("false x ended with"), "{error}");
    }
}
