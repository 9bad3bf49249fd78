//! Fuzzing: every target of `fuzz/`, all at once, for so many seconds.
//!
//! The targets are built here, with the stable compiler, and run as the programs they are. That
//! needs a C++ compiler for libFuzzer and nothing that has to be installed first. `cargo fuzz run
//! --sanitizer none` works on the same folder. There is no address sanitizer: the code under test
//! forbids `unsafe`.
//!
//! A run starts from the inputs in `fuzz/corpus/`, and what it finds out stays in the build folder,
//! where the next one goes on.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use anyhow::{Context, Result, ensure};

/// What makes rustc tell libFuzzer which edges were taken and what was compared.
const COVERAGE: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";
/// Seconds after which an input counts as a hang. Ordinary ones take microseconds.
const HANG_SECS: u32 = 10;
/// MiB that a target may hold. Ordinary is 30.
const MAX_MEMORY_MIB: u32 = 512;
/// What libFuzzer says in the end: inputs tried, how many a second, and MiB held at most.
const TOLD: [&str; 3] =
    ["stat::number_of_executed_units:", "stat::average_exec_per_sec:", "stat::peak_rss_mb:"];

/// Builds and runs every target; fails if one of them finds something.
pub(crate) fn run(root: &Path, seconds: u64) -> Result<()> {
    ensure!(seconds > 0, "fuzzing for 0 seconds is fuzzing for ever");
    let build =
        env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from).join("fuzz");
    let programs = build_targets(root, &build)?;
    let mut running = Vec::new();
    for name in target_names(root)? {
        let target = Target { corpus: root.join("fuzz/corpus").join(&name), folder: build.join(&name), name };
        let child = target.start(&programs, seconds)?;
        running.push((target, child));
    }
    let mut found = Vec::new();
    for (target, mut child) in running {
        let clean = child.wait()?.success();
        println!("{:<12} {}", target.name, target.last_words(clean)?);
        if !clean {
            found.push(target.name);
        }
    }
    ensure!(found.is_empty(), "found by {}; the inputs lie in {}", found.join(", "), build.display());
    Ok(())
}

/// Every file in `fuzz/targets` is one.
fn target_names(root: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root.join("fuzz/targets"))? {
        let path = entry?.path();
        names.push(path.file_stem().context("a target without a name")?.to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// Builds all targets and says in which folder they are.
fn build_targets(root: &Path, build: &Path) -> Result<PathBuf> {
    let host = host_triple()?;
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--quiet", "--release", "--manifest-path"])
        .arg(root.join("fuzz/Cargo.toml"))
        .arg("--target-dir")
        .arg(build)
        // With a target named, the flags reach neither build scripts nor macros.
        .args(["--target", &host])
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env("RUSTFLAGS", COVERAGE)
        .status()
        .context("cargo does not start")?;
    ensure!(status.success(), "the targets do not build");
    Ok(build.join(host).join("release"))
}

fn host_triple() -> Result<String> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("-vV").output().context("rustc does not start")?;
    let version = String::from_utf8(output.stdout)?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not name its host")?.to_owned())
}

/// One target and where its things are.
struct Target {
    name: String,
    /// Inputs to start from, kept with the source.
    corpus: PathBuf,
    /// What it learns and finds, and its log.
    folder: PathBuf,
}

impl Target {
    fn start(&self, programs: &Path, seconds: u64) -> Result<Child> {
        let learned = self.folder.join("corpus");
        fs::create_dir_all(&learned)?;
        let mut findings = OsString::from("-artifact_prefix=");
        findings.push(self.folder.join(""));
        Command::new(programs.join(&self.name))
            .arg(learned)
            .arg(&self.corpus)
            .arg(findings)
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-timeout={HANG_SECS}"))
            .arg(format!("-rss_limit_mb={MAX_MEMORY_MIB}"))
            .args(["-print_final_stats=1", "-use_value_profile=1"])
            .stderr(File::create(self.log())?)
            .spawn()
            .with_context(|| format!("{} does not start", self.name))
    }

    /// How many inputs were tried; or, if something was found, all that the target said about it.
    fn last_words(&self, clean: bool) -> Result<String> {
        let log = fs::read(self.log())?;
        let log = String::from_utf8_lossy(&log);
        let told = |name: &str| log.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("?").trim();
        if clean {
            let [tried, per_sec, mib] = TOLD.map(told);
            return Ok(format!("{tried} inputs tried, {per_sec} a second; {mib} MiB"));
        }
        let from = log.find("panicked at").or_else(|| log.find("ERROR: libFuzzer")).unwrap_or(0);
        Ok(log[from..].to_owned())
    }

    fn log(&self) -> PathBuf {
        self.folder.join("log")
    }
}
