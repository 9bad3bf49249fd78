//! Plays every transcript in `sim/transcripts`, each as a test of its own.

use std::path::Path;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use sim::transcript::{all_in, play};

fn main() -> ExitCode {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("transcripts");
    let paths = all_in(&folder).expect("the folder of transcripts can be read");
    let trials = paths.into_iter().map(|path| {
        let name = path.strip_prefix(&folder).unwrap_or(&path).with_extension("");
        Trial::test(name.display().to_string(), move || played(&path))
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

fn played(path: &Path) -> Result<(), Failed> {
    play(path).map(drop).map_err(Failed::from)
}
