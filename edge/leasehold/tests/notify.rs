//! What a service manager hears from a program that it has started.

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How long anything may take here.
const PATIENCE: Duration = Duration::from_secs(60);

/// A manager that listens, and watches if it is to.
struct Manager {
    folder: tempfile::TempDir,
    socket: UnixDatagram,
}

impl Manager {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { folder, socket }
    }

    fn start(&self, config: &str, watchdog: Option<Duration>) -> Program {
        let file = self.folder.path().join("leasehold.toml");
        std::fs::write(&file, config).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_leasehold"));
        command.args(["serve", "--config"]).arg(file);
        command.env("NOTIFY_SOCKET", self.folder.path().join("notify"));
        if let Some(patience) = watchdog {
            command.env("WATCHDOG_USEC", patience.as_micros().to_string());
        }
        Program(command.spawn().unwrap())
    }

    /// The next things said.
    fn hear(&self) -> Vec<String> {
        let mut said = [0; 4_096];
        let octets = self.socket.recv(&mut said).expect("nothing is said");
        String::from_utf8_lossy(&said[..octets]).lines().map(str::to_owned).collect()
    }

    /// Listens until this is said; gives all that was said before.
    fn wait_for(&self, expected: &str) -> Vec<String> {
        let (deadline, mut before) = (Instant::now() + PATIENCE, Vec::new());
        loop {
            let said = self.hear();
            if said.iter().any(|line| line == expected) {
                return before;
            }
            before.extend(said);
            assert!(Instant::now() < deadline, "{expected} is not said, but {before:?}");
        }
    }
}

struct Program(Child);

impl Program {
    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.0.id().try_into().unwrap()), signal).unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn config(state: &Path) -> String {
    format!("state = {state:?}\n[dhcp]\nlisten = []\n[leasequery]\nbulk.listen = []\nudp.listen = []\n")
}

#[test]
fn a_server_says_that_it_is_ready_how_it_is_and_that_it_stops() {
    let manager = Manager::new();
    let mut server = manager.start(&config(&manager.folder.path().join("state")), None);
    assert_eq!(manager.hear(), ["READY=1"]);
    assert_eq!(manager.hear(), ["STATUS=serving, 0 clients known"]);
    server.signal(Signal::SIGTERM);
    // The same again is no news, and nobody has asked whether it lives.
    let before = manager.wait_for("STOPPING=1");
    assert!(before.is_empty(), "{before:?}");
    assert!(server.0.wait().unwrap().success());
}

#[test]
fn a_server_that_is_watched_says_that_it_lives() {
    let manager = Manager::new();
    let patience = Duration::from_millis(200);
    let server = manager.start(&config(&manager.folder.path().join("state")), Some(patience));
    manager.wait_for("READY=1");
    for _ in 0..5 {
        manager.wait_for("WATCHDOG=1");
    }
    // Who hangs is silent.
    server.signal(Signal::SIGSTOP);
    manager.socket.set_read_timeout(Some(patience)).unwrap();
    while manager.socket.recv(&mut [0; 4_096]).is_ok() {}
    server.signal(Signal::SIGCONT);
    manager.socket.set_read_timeout(Some(PATIENCE)).unwrap();
    manager.wait_for("WATCHDOG=1");
}
