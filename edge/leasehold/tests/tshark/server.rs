//! A server of our own, as a process, with clients made up for it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Longer than any answer takes, so that what never comes is a failure and not a hang.
const PATIENCE: Duration = Duration::from_secs(20);

/// Serves as long as it lives.
pub(crate) struct Server {
    process: Child,
    at: SocketAddr,
    _state: tempfile::TempDir,
}

impl Server {
    /// One that listens, with so many clients behind one relay.
    pub(crate) fn start(clients: u32) -> Self {
        let state = tempfile::tempdir().unwrap();
        let imported = leasehold()
            .args(["import", "synthetic", "--relays", "1", "--clients", &clients.to_string(), "--into"])
            .arg(state.path())
            .stdout(Stdio::null())
            .status();
        assert!(imported.unwrap().success());

        let at = free_address();
        let config = state.path().join("leasehold.toml");
        let mut text = std::fs::read_to_string(&config).unwrap();
        text += "\n[dhcp]\nlisten = []\n";
        for transport in ["udp", "bulk"] {
            text += &format!("\n[leasequery.{transport}]\nlisten = [\"{at}\"]\n");
        }
        text += "max-queries-per-connection = 16\nmax-queries-per-requestor = 16\n";
        std::fs::write(&config, text).unwrap();

        let mut process =
            leasehold().arg("serve").arg("--config").arg(&config).stderr(Stdio::piped()).spawn().unwrap();
        let log = process.stderr.take().unwrap();
        let server = Self { process, at, _state: state };
        wait_until_listening(BufReader::new(log));
        server
    }

    /// What the server says on a connection on which this is all that is said.
    pub(crate) fn ask_bulk(&self, queries: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.at).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(queries).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answers = Vec::new();
        stream.read_to_end(&mut answers).unwrap();
        answers
    }

    /// The datagram that answers this one.
    pub(crate) fn ask_udp(&self, query: &[u8]) -> Vec<u8> {
        let socket = UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.connect(self.at).unwrap();
        socket.send(query).unwrap();
        let mut answer = vec![0; usize::from(u16::MAX)];
        let length = socket.recv(&mut answer).unwrap();
        answer.truncate(length);
        answer
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

/// A configuration has to name a port; this one is free.
fn free_address() -> SocketAddr {
    TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}

/// Both sockets are bound before the first of these lines, and the log is read on so that the server can write it.
fn wait_until_listening(mut log: impl BufRead + Send + 'static) {
    let mut told = String::new();
    while !told.contains("listening on") {
        assert!(log.read_line(&mut told).unwrap() > 0, "the server has ended: {told}");
    }
    std::thread::spawn(move || log.read_to_end(&mut Vec::new()));
}
