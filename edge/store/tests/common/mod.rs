//! What the tests of the store share: records made from numbers, and a model of what a store should hold.
//!
//! Commit `n` of a [`Script`] is the same in every process, so a test that kills the writer knows what was in the batch it
//! was killed at.

#![allow(dead_code, reason = "each test program uses its part")]

pub(crate) mod harm;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use store::{Change, LoadError, Loaded, Store};

/// Keys and images, as they should be.
pub(crate) type Model = BTreeMap<Vec<u8>, Vec<u8>>;

/// One key and its image, or that it is forgotten.
pub(crate) type Step = (Vec<u8>, Option<Vec<u8>>);

/// SplitMix64: numbers that look random and are the same every time.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// What each commit of a test's writer holds.
#[derive(Clone, Copy)]
pub(crate) struct Script {
    /// How many clients there are.
    pub(crate) clients: u64,
    /// The most changes in a batch.
    pub(crate) changes: u64,
    /// The most octets of an image.
    pub(crate) octets: u64,
}

impl Script {
    /// The batch of commit `number`: new records, changed ones, forgotten ones, and the same one twice.
    pub(crate) fn batch(&self, number: u64) -> Vec<Step> {
        let mut random = Random(number);
        let changes = 1 + random.below(self.changes);
        (0..changes)
            .map(|_| {
                let key = key(random.below(self.clients));
                let forgotten = random.below(10) == 0;
                (key, (!forgotten).then(|| image(&mut random, self.octets)))
            })
            .collect()
    }
}

/// The key of a client: its link, and a DUID-EN of its number.
pub(crate) fn key(client: u64) -> Vec<u8> {
    let link = (client % 3) as u32;
    [&link.to_be_bytes()[..], &[0, 2, 0, 0, 0x7e, 0xd9], &client.to_be_bytes()[..]].concat()
}

/// Some octets, at most `most` of them.
pub(crate) fn image(random: &mut Random, most: u64) -> Vec<u8> {
    let len = random.below(most + 1) as usize;
    let mut octets = Vec::with_capacity(len + 8);
    while octets.len() < len {
        octets.extend_from_slice(&random.next().to_le_bytes());
    }
    octets.truncate(len);
    octets
}

/// The steps as a store takes them.
pub(crate) fn changes(steps: &[Step]) -> Vec<Change<'_>> {
    steps.iter().map(|(key, image)| Change { key, image: image.as_deref() }).collect()
}

/// What the steps do to a model.
pub(crate) fn apply(model: &mut Model, steps: &[Step]) {
    for (key, image) in steps {
        match image {
            Some(image) => model.insert(key.clone(), image.clone()),
            None => model.remove(key),
        };
    }
}

/// Everything a store gives back; checks that it comes in the order of the keys.
pub(crate) fn load(store: &dyn Store) -> Result<(Loaded, Model), LoadError> {
    let mut model = Model::new();
    let loaded = store.load(&mut |key, image| {
        assert!(model.last_key_value().is_none_or(|(last, _)| last.as_slice() < key), "out of order");
        model.insert(key.to_vec(), image.to_vec());
        Ok(())
    })?;
    assert_eq!(loaded.records, model.len() as u64);
    Ok((loaded, model))
}

/// How long a process that a test started may be silent: far more than it needs on a machine that is busy.
const DEADLINE: Duration = Duration::from_secs(60);

/// The lines a process says, until it ends. It must have been started with a pipe for them.
pub(crate) struct Lines(Receiver<String>);

impl Lines {
    pub(crate) fn of(child: &mut Child) -> Self {
        let said = BufReader::new(child.stdout.take().expect("a pipe"));
        let (lines, heard) = channel();
        thread::spawn(move || said.lines().map_while(Result::ok).try_for_each(|line| lines.send(line)));
        Self(heard)
    }
}

impl Iterator for Lines {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        match self.0.recv_timeout(DEADLINE) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("not a word for {DEADLINE:?}"),
        }
    }
}

/// Every file below a folder, as paths relative to it, in order.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).expect("a folder that can be read") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path.strip_prefix(folder).expect("it is below").to_owned());
            }
        }
    }
    files.sort();
    files
}

/// Copies a folder and all below it.
pub(crate) fn copy_folder(from: &Path, to: &Path) {
    for file in files_below(from) {
        let target = to.join(&file);
        fs::create_dir_all(target.parent().expect("a parent")).expect("a folder made");
        fs::copy(from.join(&file), &target).expect("a file copied");
    }
}
