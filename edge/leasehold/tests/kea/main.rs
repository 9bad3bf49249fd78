//! Kea's configurations: files in; a configuration of ours, and what is not in it, out.

#[path = "golden.rs"]
mod golden;
#[path = "robust.rs"]
mod robust;
#[path = "structure.rs"]
mod structure;
#[path = "untranslated.rs"]
mod untranslated;

use std::path::{Path, PathBuf};

use leasehold::config::{Config, render};
use leasehold::import::kea::{Translation, translate};

/// A file among those of these tests.
fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kea").join(name)
}

/// What a text comes to; errors name its file `kea.conf`.
fn translate_text(text: &str) -> Result<Translation, String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("kea.conf");
    std::fs::write(&path, text).unwrap();
    translate(&path)
        .map_err(|error| error.to_string().replace(&format!("{}/", directory.path().display()), ""))
}

/// What stands in `Dhcp6` besides an interface, translated and found good.
fn translate_dhcp6(text: &str) -> Translation {
    let text =
        format!("{{ \"Dhcp6\": {{ \"interfaces-config\": {{ \"interfaces\": [ \"*\" ] }},\n{text} }} }}");
    let translation = translate_text(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_good(&translation);
    translation
}

/// A translation is a good configuration, and says the same when it is read from a file.
fn assert_good(translation: &Translation) {
    let text = render(&translation.config);
    let read = Config::parse(Path::new("leasehold.toml"), &text);
    let read = read.unwrap_or_else(|faults| panic!("{faults}\n{text}"));
    assert_eq!(Config { warnings: Vec::new(), ..read }, translation.config, "{text}");
}
