//! The server: the program itself, with 50,000 clients behind one relay, each with an address and a prefix.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv6Addr, SocketAddrV6, TcpListener, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::network::PERMITTED;

/// Clients in the table; each has two bindings.
pub(crate) const CLIENTS: usize = 50_000;
/// How long anything may take that has to come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is looked whether it has come.
const LOOK: Duration = Duration::from_millis(20);

/// A running server.
pub(crate) struct Server {
    folder: TempDir,
    bulk: SocketAddrV6,
    dhcp: SocketAddrV6,
    process: Child,
    said: Arc<Mutex<Vec<String>>>,
}

/// What the process has of the system.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resources {
    pub(crate) resident: u64,
    pub(crate) files: usize,
}

impl Server {
    /// Starts one with these limits of `[leasequery.bulk]`.
    pub(crate) fn start(limits: &str) -> Self {
        Self::start_by(leasehold(), limits)
    }

    /// Starts one that may not have more open files than these.
    pub(crate) fn start_with_files(files: usize, limits: &str) -> Self {
        let mut shell = Command::new("sh");
        let limited = format!("ulimit -n {files} && exec \"$0\" \"$@\"");
        shell.args(["-c", &limited, env!("CARGO_BIN_EXE_leasehold")]);
        Self::start_by(shell, limits)
    }

    fn start_by(mut command: Command, limits: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tcp = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let udp = UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let at = |port| SocketAddrV6::new(Ipv6Addr::LOCALHOST, port, 0, 0);
        let (bulk, dhcp) = (at(tcp), at(udp));
        let config = configure(&folder, bulk, dhcp, limits);
        command.arg("serve").arg("--config").arg(config).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&said);
        thread::spawn(move || lines.map_while(Result::ok).for_each(|line| heard.lock().unwrap().push(line)));
        let server = Self { folder, bulk, dhcp, process, said };
        until(|| server.lines().iter().any(|line| line.contains("(UDP)")), "the server listens");
        server
    }

    pub(crate) fn bulk_address(&self) -> SocketAddrV6 {
        self.bulk
    }

    pub(crate) fn dhcp_address(&self) -> SocketAddrV6 {
        self.dhcp
    }

    /// All that it has logged.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
    }

    /// How many lines it has logged that are not about clients' leases.
    pub(crate) fn lines_about_connections(&self) -> usize {
        self.lines().iter().filter(|line| !line.contains(" granted ")).count()
    }

    pub(crate) fn resources(&self) -> Resources {
        let folder = PathBuf::from(format!("/proc/{}", self.process.id()));
        let status = fs::read_to_string(folder.join("status")).unwrap();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let kibibytes: u64 = resident.trim().trim_end_matches(" kB").parse().unwrap();
        Resources { resident: kibibytes << 10, files: fs::read_dir(folder.join("fd")).unwrap().count() }
    }

    pub(crate) fn counters(&self) -> Value {
        let socket = self.folder.path().join("control");
        let shown =
            leasehold().args(["show", "counters", "--format", "json", "--socket"]).arg(socket).output();
        let shown = shown.unwrap();
        assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
        serde_json::from_slice(&shown.stdout).unwrap()
    }

    pub(crate) fn connections(&self) -> usize {
        self.counters()["bulk"]["connections"].as_u64().unwrap() as usize
    }

    pub(crate) fn until_nobody_is_connected(&self) {
        until(|| self.connections() == 0, "all connections are gone");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn leasehold() -> Command {
    Command::new(env!("CARGO_BIN_EXE_leasehold"))
}

/// Makes the clients, and the configuration that serves them.
fn configure(folder: &TempDir, bulk: SocketAddrV6, dhcp: SocketAddrV6, limits: &str) -> PathBuf {
    let mut import = leasehold();
    import.args(["import", "synthetic", "--clients", &CLIENTS.to_string(), "--relays", "1", "--into"]);
    let made = import.arg(folder.path()).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let file = folder.path().join("leasehold.toml");
    let text = fs::read_to_string(&file).unwrap();
    let usual = r#"allow = [{ from = "::1/128" }]"#;
    assert!(text.contains(usual), "{text}");
    let text = text.replace(
        usual,
        &format!(
            r#"
            allow = [{{ from = "::1" }}, {{ from = "{PERMITTED}/48" }}]
            udp.listen = []
            [leasequery.bulk]
            listen = ["{bulk}"]
            {limits}
            [dhcp]
            listen = ["{dhcp}"]
            rapid-commit = true
            "#
        ),
    );
    fs::write(&file, text).unwrap();
    file
}

/// Waits for something that has to come.
pub(crate) fn until(so: impl Fn() -> bool, what: &str) {
    let deadline = Instant::now() + PATIENCE;
    while !so() {
        assert!(Instant::now() < deadline, "it does not come to that: {what}");
        thread::sleep(LOOK);
    }
}
