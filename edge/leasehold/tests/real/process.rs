//! A program that runs beside the test, and what it says.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::bell::Bell;

/// For a program to end after it was asked to, farewells included.
const PATIENCE: Duration = Duration::from_secs(15);

/// Runs until it ends by itself or this is dropped.
pub(crate) struct Process {
    child: Child,
    name: String,
    said: Arc<Mutex<String>>,
    bell: Bell,
}

impl Process {
    /// Starts it. The bell rings whenever it says something.
    pub(crate) fn start(name: &str, command: &mut Command, bell: &Bell) -> Self {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        let said = Arc::default();
        listen(child.stdout.take().unwrap(), &said, bell);
        listen(child.stderr.take().unwrap(), &said, bell);
        Self { child, name: name.to_owned(), said, bell: bell.clone() }
    }

    /// What it is called in messages.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Everything it has said, to standard output and standard error.
    pub(crate) fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// Asks it to end, by SIGTERM, without waiting until it has.
    pub(crate) fn ask_to_end(&self) {
        assert!(signal("TERM", &[self.child.id()]), "{} has ended already", self.name);
    }

    /// How it has ended, if it has.
    pub(crate) fn fate(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Waits until it has ended.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let what = format!("{} to end", self.name);
        let Self { child, bell, .. } = self;
        bell.wait(PATIENCE, &what, || child.try_wait().unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends processes a signal. The shell does it: not every machine has a program for that.
pub(crate) fn signal(name: &str, processes: &[u32]) -> bool {
    let list: Vec<String> = processes.iter().map(ToString::to_string).collect();
    let script = format!("kill -{name} {}", list.join(" "));
    Command::new("sh")
        .args(["-c", &script])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Collects what is said there, on a thread that ends with it.
fn listen(stream: impl Read + Send + 'static, said: &Arc<Mutex<String>>, bell: &Bell) {
    let (said, bell) = (Arc::clone(said), bell.clone());
    std::thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        let mut line = Vec::new();
        while stream.read_until(b'\n', &mut line).is_ok_and(|octets| octets > 0) {
            said.lock().unwrap().push_str(&String::from_utf8_lossy(&line));
            line.clear();
            bell.ring();
        }
        bell.ring();
    });
}
