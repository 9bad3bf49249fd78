//! `leasehold` as it is run, and killed.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use crate::PATIENCE;

/// Lines that are kept, for when something fails.
const LAST_LINES: usize = 12;

/// The program at work; the value ends it.
pub(crate) struct Program {
    process: Child,
    said: Receiver<String>,
    last_lines: VecDeque<String>,
    begun: Instant,
}

impl Program {
    /// Starts what this command says.
    pub(crate) fn start(mut command: Command) -> Self {
        let begun = Instant::now();
        command.env("NO_COLOR", "1").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = command.spawn().expect("the program starts");
        let lines = BufReader::new(process.stderr.take().expect("a pipe")).lines();
        let (say, said) = channel();
        std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| say.send(line)));
        Self { process, said, last_lines: VecDeque::new(), begun }
    }

    /// Waits until it says a line with these words; how long that was after its start.
    pub(crate) fn wait_until_it_says(&mut self, words: &str) -> Duration {
        loop {
            let line = self.said.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("{words:?} is not said; {:#?}", self.last_lines));
            let is_it = line.contains(words);
            self.keep(line);
            if is_it {
                return self.begun.elapsed();
            }
        }
    }

    fn keep(&mut self, line: String) {
        self.last_lines.push_back(line);
        if self.last_lines.len() > LAST_LINES {
            self.last_lines.pop_front();
        }
    }

    /// How long ago it was started.
    pub(crate) fn age(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Kills it as a power cut would, as far as a process is concerned. It has to be alive until then.
    pub(crate) fn kill(mut self) {
        if let Some(status) = self.process.try_wait().unwrap() {
            panic!("it has ended by itself ({status}): {:#?}", self.last_words());
        }
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// The end of what it has said until now.
    pub(crate) fn last_words(&mut self) -> &VecDeque<String> {
        while let Ok(line) = self.said.try_recv() {
            self.keep(line);
        }
        &self.last_lines
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
