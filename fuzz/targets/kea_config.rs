//! A configuration of Kea: refused, or translated into one of ours that is good and says the same
//! when it is read from a file. It can include other files; those it is given here lie in its own
//! folder, where there is only itself.

#![no_main]

use std::fs;
use std::sync::LazyLock;

use leasehold::config::{Config, render};
use leasehold::import::kea::translate;
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| TempDir::new().expect("a folder to write to"));

fuzz_target!(|octets: &[u8]| {
    if octets.windows(2).any(|pair| pair == b"\"/" || pair == b"..") {
        return;
    }
    let path = FOLDER.path().join("kea-dhcp6.conf");
    fs::write(&path, octets).expect("a file in the folder");
    let Ok(translation) = translate(&path) else { return };
    let text = render(&translation.config);
    let read = Config::parse(&path, &text).expect("what is translated is good");
    assert_eq!(Config { warnings: Vec::new(), ..read }, translation.config);
});
