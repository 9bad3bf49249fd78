//! A network of our own, in which anybody can have any address of the crowd's.

use std::io::Write;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use nix::sched::{CloneFlags, unshare};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Where the crowd comes from: permitted, and not permitted.
pub(crate) const PERMITTED: &str = "2001:db8:bad::";
pub(crate) const FORBIDDEN: &str = "2001:db8:f0::";

/// Open files that this program needs: a socket for each of the crowd, and what else there is.
const FILES: u64 = 13_000;

/// What is measured is not to be disturbed by the other test.
static MACHINE: Mutex<()> = Mutex::new(());

/// Runs a test with its seed in a namespace of its own; without root it says that it was not run, and in CI it fails.
pub(crate) fn in_a_network(test: fn(u64)) {
    let _one_at_a_time = MACHINE.lock().unwrap_or_else(PoisonError::into_inner);
    let done = thread::spawn(move || {
        if let Err(why) = prepare() {
            let lacking = format!("10,000 hostile connections: {why}");
            assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "CI=true, and {lacking}");
            let _ = writeln!(std::io::stderr(), "\nNOT TESTED: {lacking}\n");
            return;
        }
        let seed = std::env::var("HOSTILE_SEED").ok().and_then(|seed| seed.parse().ok());
        let by_the_time = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let seed = seed.unwrap_or_else(by_the_time);
        println!("HOSTILE_SEED={seed}");
        test(seed);
    });
    if let Err(panic) = done.join() {
        std::panic::resume_unwind(panic);
    }
}

fn prepare() -> Result<(), String> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).map_err(|error| error.to_string())?;
    setrlimit(Resource::RLIMIT_NOFILE, FILES, most.max(FILES))
        .map_err(|error| format!("{FILES} open files are not permitted ({error})"))?;
    unshare(CloneFlags::CLONE_NEWNET).map_err(|error| format!("a network namespace needs root ({error})"))?;
    // The usual size of packets: with the loopback interface's own, the kernel would set megabytes aside for each
    // connection.
    ip("link set lo mtu 1500 up")?;
    ip(&format!("route add local {PERMITTED}/48 dev lo"))?;
    ip(&format!("route add local {FORBIDDEN}/48 dev lo"))
}

fn ip(arguments: &str) -> Result<(), String> {
    let output = Command::new("ip").arg("-6").args(arguments.split(' ')).output();
    let output = output.map_err(|error| format!("ip (iproute2) is not there ({error})"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    output.status.success().then_some(()).ok_or_else(|| format!("ip {arguments}: {said}"))
}
