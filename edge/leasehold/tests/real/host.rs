//! A machine of its own for a program: a network namespace, and folders where it may write.
//!
//! Clients and relays believe that they own `/run`, `/var/lib` and `/etc/resolv.conf`. Each host has such places in a
//! temporary folder, which a program started on it finds mounted over the real ones. A namespace is named after the process
//! that made it, so that what a killed run leaves is known and removed by the next.

use std::fs;
use std::net::Ipv6Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, Once};
use std::time::Duration;

use tempfile::TempDir;

use crate::bell::Bell;
use crate::process::signal;

/// Begins the name of every namespace of ours.
const PREFIX: &str = "leasehold";
/// What a host has for itself; the programs that are tested write nowhere else.
const FOLDERS: [&str; 4] = ["run", "var/lib", "var/log", "etc/dibbler"];
/// Folders that programs expect to find in those.
const EXPECTED: [&str; 5] =
    ["var/lib/dhcpcd", "var/lib/dhcpv6", "var/lib/dibbler", "var/log/dibbler", "run/systemd/network"];
/// Mounts a host's folders over the real ones, for the program that it becomes.
const ENTER: &str = r#"
    for place in run var/lib var/log etc/dibbler etc/resolv.conf etc/machine-id; do
        [ ! -e "/$place" ] || mount --bind "$0/$place" "/$place" || exit
    done
    exec "$@""#;

/// ff02::1:2, as the kernel lists the groups of an interface.
const ALL_AGENTS: &str = "ff020000000000000000000000010002";
/// Port 547, as the kernel lists sockets.
const SERVER_PORT: &str = ":0223 ";
/// For a program to start, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(20);

/// Namespaces are made and removed one at a time: what `ip netns` mounts beside them for the first one is not safe from races.
static REGISTER: Mutex<()> = Mutex::new(());

/// Goes with everything that runs on it when it is dropped.
pub(crate) struct Host {
    number: u32,
    namespace: String,
    folder: TempDir,
}

impl Host {
    /// A new one, on no network.
    pub(crate) fn new(role: &str) -> Self {
        static SWEEP: Once = Once::new();
        static COUNT: AtomicU32 = AtomicU32::new(0);
        SWEEP.call_once(remove_stale);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let namespace = format!("{PREFIX}-{}-{number}-{role}", std::process::id());
        register("add", &namespace);
        let folder = tempfile::Builder::new().prefix(&format!("{namespace}-")).tempdir().unwrap();
        let host = Self { number, namespace, folder };
        host.furnish();
        host.skip_duplicate_detection();
        host.ip("link set lo up");
        host
    }

    fn furnish(&self) {
        for place in FOLDERS.iter().chain(&EXPECTED) {
            fs::create_dir_all(self.path(place)).unwrap();
        }
        self.write("etc/resolv.conf", "");
        self.write("etc/machine-id", &format!("{:032x}\n", u128::from(self.number) + 1));
    }

    /// Our addresses collide with nobody's, and a client is not to wait for the proof.
    fn skip_duplicate_detection(&self) {
        self.set_ipv6("accept_dad", 0);
        self.set_ipv6("dad_transmits", 0);
    }

    /// Sets something for all interfaces, those to come included.
    pub(crate) fn set_ipv6(&self, key: &str, value: u32) {
        for scope in ["all", "default"] {
            let setting = format!("/proc/sys/net/ipv6/conf/{scope}/{key}");
            let script = format!("echo {value} > {setting}");
            assert!(self.enter("sh").args(["-c", &script]).status().unwrap().success(), "{setting}");
        }
    }

    /// Where a place of this host is for us.
    pub(crate) fn path(&self, place: &str) -> PathBuf {
        self.folder.path().join(place.trim_start_matches('/'))
    }

    /// Has the host lose its power and come up again: what runs ends without a word, and only disks remember.
    pub(crate) fn reboot(&self) {
        end_all(&self.namespace);
        fs::remove_dir_all(self.path("run")).unwrap();
        self.furnish();
        self.ip("-6 address flush scope global");
        self.ip("-6 route flush type unreachable");
    }

    /// Writes a file on this host, and gives its path as the test sees it.
    pub(crate) fn write(&self, place: &str, text: &str) -> PathBuf {
        let path = self.path(place);
        fs::write(&path, text).unwrap();
        path
    }

    /// To run a program on this host's network, among the real files.
    pub(crate) fn enter(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.namespace]).arg(program.as_ref());
        command
    }

    /// To run a program that finds this host's folders in the usual places.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = self.enter("sh");
        command.args(["-c", ENTER]).arg(self.folder.path()).arg(program);
        command
    }

    /// Runs `ip` here, which has to succeed, and gives what it says.
    pub(crate) fn ip(&self, words: &str) -> String {
        ip(&["-n", &self.namespace], words)
    }

    /// Puts an end of a new cable into this host, and the other end into that one; both are up.
    pub(crate) fn plug(&self, interface: &str, there: &Self, interface_there: &str) {
        let (here, other) = (&self.namespace, &there.namespace);
        ip(&[], &format!("link add {interface} netns {here} type veth peer {interface_there} netns {other}"));
        self.ip(&format!("link set {interface} up"));
        there.ip(&format!("link set {interface_there} up"));
    }

    /// Gives an interface an address, in a network of 64 bits.
    pub(crate) fn add_address(&self, interface: &str, address: Ipv6Addr) {
        self.ip(&format!("-6 address add {address}/64 dev {interface} nodad"));
    }

    /// The addresses of an interface that are ready for use: of the link, or all others.
    pub(crate) fn addresses(&self, interface: &str, scope: &str) -> Vec<Ipv6Addr> {
        let list = self.ip(&format!("-6 -o address show dev {interface} scope {scope} -tentative"));
        let address = |line: &str| line.split_whitespace().nth(3)?.split('/').next()?.parse().ok();
        list.lines().filter_map(address).collect()
    }

    /// Waits until somebody here listens to clients on an interface.
    pub(crate) fn wait_for_listener(&self, interface: &str, bell: &Bell) {
        let read = |file: &str| self.enter("cat").arg(file).output().unwrap().stdout;
        let listens = || {
            let groups = String::from_utf8(read("/proc/net/igmp6")).unwrap();
            let sockets = String::from_utf8(read("/proc/net/udp6")).unwrap();
            let has_joined = groups.lines().any(|line| line.contains(interface) && line.contains(ALL_AGENTS));
            (has_joined && sockets.contains(SERVER_PORT)).then_some(())
        };
        bell.wait(PATIENCE, &format!("somebody to listen on {interface}"), listens);
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        remove(&self.namespace);
    }
}

fn ip(before: &[&str], words: &str) -> String {
    let output = Command::new("ip").args(before).args(words.split(' ')).output().expect("ip starts");
    assert!(output.status.success(), "ip {words}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn register(action: &str, namespace: &str) {
    let _register = REGISTER.lock();
    ip(&["netns", action], namespace);
}

/// Removes a namespace after ending what runs in it. Also called while panicking, so that it gives up silently.
fn remove(namespace: &str) {
    end_all(namespace);
    let _register = REGISTER.lock();
    let _ = Command::new("ip").args(["netns", "delete", namespace]).output();
}

/// Ends everything that runs in a namespace.
fn end_all(namespace: &str) {
    if let Ok(output) = Command::new("ip").args(["netns", "pids", namespace]).output() {
        let list = String::from_utf8_lossy(&output.stdout).into_owned();
        let processes: Vec<u32> = list.split_whitespace().filter_map(|id| id.parse().ok()).collect();
        if !processes.is_empty() {
            signal("KILL", &processes);
        }
    }
}

/// Removes what runs have left that are over and could not do so themselves.
fn remove_stale() {
    for line in ip(&["netns"], "list").lines() {
        let name = line.split(' ').next().unwrap_or_default();
        if is_stale(name) {
            remove(name);
        }
    }
    for entry in fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(is_stale) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Whether something is ours by its name, and whoever made it has ended. A process that has ended has no command line any more,
/// even while its parent has yet to hear of it.
fn is_stale(name: &str) -> bool {
    let made_by = name.strip_prefix(PREFIX).and_then(|rest| rest.strip_prefix('-')?.split('-').next());
    let Some(made_by) = made_by.filter(|id| id.parse::<u32>().is_ok()) else { return false };
    fs::read(Path::new("/proc").join(made_by).join("cmdline")).map_or(true, |line| line.is_empty())
}

/// Whether hosts can be made here: that takes root, or its capabilities.
pub(crate) fn can_be_made() -> bool {
    let probe = format!("{PREFIX}-{}-probe", std::process::id());
    let _register = REGISTER.lock();
    let made = |action| {
        let output = Command::new("ip").args(["netns", action, &probe]).output();
        output.is_ok_and(|output| output.status.success())
    };
    made("add") && made("delete")
}
