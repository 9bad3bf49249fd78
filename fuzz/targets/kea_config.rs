//! A configuration of Kea: understood or refused. It can include other files; those it is given
//! here lie in its own folder, where there is only itself.

#![no_main]

use std::fs;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use store::import::kea::config;
use tempfile::TempDir;

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| TempDir::new().expect("a folder to write to"));

fuzz_target!(|octets: &[u8]| {
    if octets.windows(2).any(|pair| pair == b"\"/" || pair == b"..") {
        return;
    }
    let path = FOLDER.path().join("kea-dhcp6.conf");
    fs::write(&path, octets).expect("a file in the folder");
    let _ = config::read(&path);
});
