//! The project's own tasks: tests, benches, requirements.

use std::path::Path;

use clap::Parser;

mod bench;
mod fuzz;
mod kill;
mod mutate;
mod requirements;
mod test;

fn main() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the workspace");
    match Task::parse() {
        Task::Bench { bench } => bench::run(root, &bench),
        Task::Fuzz { seconds } => fuzz::run(root, seconds),
        Task::Kill(arguments) => kill::run(root, &arguments),
        Task::Mutate(arguments) => mutate::run(root, &arguments),
        Task::Requirements { format } => requirements::run(root, format),
        Task::Test => test::run(root),
    }
}

/// The project's own tasks.
#[derive(Parser)]
enum Task {
    /// Measure the released program on this machine.
    Bench {
        #[command(subcommand)]
        bench: bench::Bench,
    },
    /// Build every fuzz target and run them all at once; fail if one finds something.
    Fuzz {
        /// How long to look.
        #[arg(long, default_value_t = 30)]
        seconds: u64,
    },
    /// Kill the server and the relay under load, again and again; fail if anything acknowledged is lost.
    Kill(kill::Arguments),
    /// Plant defects into a copy of the workspace, one after the other, and have the simulator find them.
    Mutate(mutate::Arguments),
    /// Show which requirements are done and shown by a test; fail if one is done and untested.
    Requirements {
        #[arg(long, value_enum, default_value_t)]
        format: requirements::Format,
    },
    /// Install what is missing, then check, test and fuzz everything; what a change has to pass.
    Test,
}
