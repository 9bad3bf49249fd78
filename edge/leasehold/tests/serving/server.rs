//! The program under test, its state folder, and the end of both.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv6Addr, SocketAddrV6, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use lease::Table;
use leasehold::state;
use store::EmbeddedStore;
use tempfile::TempDir;

/// How long the program may take to begin.
const PATIENCE: Duration = Duration::from_secs(30);

/// The configuration that the server is started with as a rule.
const USUAL: &str = "usual.toml";

/// A link whose clients come through the relay.
pub(crate) const LINK: &str = r#"
    [[link]]
    id = 1
    name = "access"
    prefixes = ["2001:db8:1::/64"]
    rapid-commit = true
    address-pools = ["2001:db8:1:0:1::/80"]
    [[link.delegation-pools]]
    prefix = "2001:db8:f000::/36"
    delegated-length = 56
"#;

/// Runs the server on a file system of 40 megabytes, which is filled on demand, and afterwards brings its
/// state folder to where it can be looked at. 77 says that mounting is not permitted.
const ON_SMALL_DISK: &str = r#"
    mkdir "$1/small" && mount -t tmpfs -o size=40m tmpfs "$1/small" || exit 77
    (read _; cat /dev/zero >"$1/small/ballast" 2>/dev/null) <&3 &
    "$2" serve --config "$1/small.toml" 3<&-
    code=$?
    kill $! 2>/dev/null
    rm -f "$1/small/ballast"
    cp -r "$1/small/state" "$1/state" || exit 1
    exit $code
"#;

/// A server that can be started, killed and looked into.
pub(crate) struct Server {
    folder: TempDir,
    address: SocketAddrV6,
    running: Mutex<Option<Child>>,
    stderr: Mutex<Option<Receiver<String>>>,
    said: Mutex<Vec<String>>,
}

/// How the program has ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stderr: Vec<String>,
}

/// The small file system under a running server.
pub(crate) struct SmallDisk(Mutex<ChildStdin>);

impl SmallDisk {
    /// Fills it to the last octet.
    pub(crate) fn fill(&self) {
        self.0.lock().unwrap().write_all(b"fill\n").unwrap();
    }
}

impl Server {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let free = UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let address = SocketAddrV6::new(Ipv6Addr::LOCALHOST, free, 0, 0);
        Self { folder, address, running: Mutex::new(None), stderr: Mutex::new(None), said: Mutex::default() }
    }

    pub(crate) fn address(&self) -> SocketAddrV6 {
        self.address
    }

    /// What a relay calls the link of the configuration.
    pub(crate) fn link_address(&self) -> Ipv6Addr {
        "2001:db8:1::1".parse().unwrap()
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    fn configure(&self, file: &str, state: PathBuf) -> PathBuf {
        self.write(file, state, LINK)
    }

    /// Writes another configuration with these links, and has the server read it.
    pub(crate) fn reload(&self, links: &str) {
        self.write(USUAL, self.state(), links);
        self.signal("HUP");
    }

    /// Sends a signal, by its name without SIG.
    pub(crate) fn signal(&self, name: &str) {
        let process = self.running.lock().unwrap().as_ref().unwrap().id().to_string();
        let kill = ["-c", "kill -s \"$1\" \"$2\"", "sh", name, &process];
        assert!(Command::new("sh").args(kill).status().unwrap().success());
    }

    /// Waits until the server says a line with these words.
    pub(crate) fn wait_until_it_says(&self, words: &str) {
        let said = self.stderr.lock().unwrap();
        loop {
            let line = said.as_ref().unwrap().recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("{words:?} was not said: {:?}", self.said));
            self.said.lock().unwrap().push(line.clone());
            if line.contains(words) {
                return;
            }
        }
    }

    /// The line that was waited for.
    pub(crate) fn last_said(&self) -> String {
        self.said.lock().unwrap().last().cloned().unwrap_or_default()
    }

    fn write(&self, file: &str, state: PathBuf, links: &str) -> PathBuf {
        let file = self.folder.path().join(file);
        let text = format!(
            r#"
            state = {state:?}
            [dhcp]
            listen = ["{address}"]
            [leasequery]
            udp.listen = []
            bulk.listen = []
            {links}
            "#,
            address = self.address,
        );
        std::fs::write(&file, text).unwrap();
        file
    }

    /// Starts the server, and waits until it listens.
    pub(crate) fn start(&mut self) {
        let file = self.configure(USUAL, self.state());
        let mut command = Command::new(env!("CARGO_BIN_EXE_leasehold"));
        command.arg("serve").arg("--config").arg(file);
        assert!(self.spawn(command), "{:?}", self.said);
    }

    /// Starts the server on a small file system; `None` if that cannot be had.
    pub(crate) fn start_on_small_disk(&mut self) -> Option<SmallDisk> {
        self.configure("small.toml", self.folder.path().join("small/state"));
        let mut command = Command::new("unshare");
        command.args(["--mount", "--map-root-user", "sh", "-c"]);
        command.arg(format!("exec 3<&0; {ON_SMALL_DISK}"));
        command.arg("sh").arg(self.folder.path()).arg(env!("CARGO_BIN_EXE_leasehold"));
        command.stdin(Stdio::piped());
        if !self.spawn(command) {
            return None;
        }
        let stdin = self.running.lock().unwrap().as_mut().and_then(|child| child.stdin.take());
        Some(SmallDisk(Mutex::new(stdin.unwrap())))
    }

    /// Runs the command until it says that it listens; false if it ends before.
    fn spawn(&mut self, mut command: Command) -> bool {
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (say, said) = channel();
        std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| say.send(line)));
        *self.running.lock().unwrap() = Some(child);
        self.said.lock().unwrap().clear();
        let listens = loop {
            match said.recv_timeout(PATIENCE) {
                Ok(line) => {
                    let listens = line.contains("listening on") && line.contains("(UDP)");
                    self.said.lock().unwrap().push(line);
                    if listens {
                        break true;
                    }
                }
                Err(_) => break false,
            }
        };
        *self.stderr.lock().unwrap() = Some(said);
        listens
    }

    /// Kills the server as a power cut would, as far as a process is concerned.
    pub(crate) fn kill(&self) {
        self.running.lock().unwrap().as_mut().unwrap().kill().unwrap();
    }

    /// Waits until the program has ended: then nobody writes to its standard error any more.
    pub(crate) fn wait_for_end(&self) {
        let stderr = self.stderr.lock().unwrap();
        let said = stderr.as_ref().unwrap().iter();
        self.said.lock().unwrap().extend(said);
    }

    /// How the program has ended.
    pub(crate) fn ended(&mut self) -> Ended {
        let status = self.running.lock().unwrap().take().unwrap().wait().unwrap();
        Ended { code: status.code(), stderr: std::mem::take(&mut self.said.lock().unwrap()) }
    }

    /// What is in the store now.
    pub(crate) fn table(&self) -> Table {
        let store: EmbeddedStore = state::open(&self.state()).unwrap();
        state::load(&store, Vec::new()).unwrap().table
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = self.running.lock().unwrap().as_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
