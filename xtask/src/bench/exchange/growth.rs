//! What our server's rate owes to the bindings that it has, and to somebody who asks for all of them meanwhile.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use anyhow::{Result, anyhow};
use wire::SERVER_PORT;

use super::Bench;
use super::case::Case;
use super::figures::Growth;
use super::network::SERVER;
use super::servers::Contender;
use crate::bench::process::Program;
use crate::bench::processors::pin;
use crate::bench::synthetic_relay;

/// Where the growth begins and ends. A client of `import synthetic` has two bindings.
const FEW_BINDINGS: u64 = 10_000;
const MANY_BINDINGS: u64 = 1_000_000;
const BINDINGS_PER_CLIENT: u64 = 2;

impl Bench {
    /// Measures our server with few bindings, with many, and with many while they are asked for.
    pub(super) fn grow(&self, program: &Program, case: Case) -> Result<Growth> {
        let few = self.populated(program, case, FEW_BINDINGS, false)?.0;
        let many = self.populated(program, case, MANY_BINDINGS, false)?.0;
        let (queried, queried_bindings_per_second) = self.populated(program, case, MANY_BINDINGS, true)?;
        Ok(Growth {
            few_bindings: FEW_BINDINGS,
            few_exchanges_per_second: few,
            many_bindings: MANY_BINDINGS,
            many_exchanges_per_second: many,
            change_percent: (many / few - 1.0) * 100.0,
            queried_exchanges_per_second: queried,
            queried_loss_percent: (1.0 - queried / many) * 100.0,
            queried_bindings_per_second,
        })
    }

    /// Exchanges a second with so many bindings at the start, and bindings a second that requestors got meanwhile, if any ask.
    fn populated(&self, program: &Program, case: Case, bindings: u64, asked: bool) -> Result<(f64, f64)> {
        let state = tempfile::tempdir_in(&self.folder)?;
        self.progress.set_message(format!("making {bindings} bindings"));
        program.populate(bindings / BINDINGS_PER_CLIENT, state.path())?;
        let (server, mut generator) = self.start(Contender::Leasehold(program), case, state.path())?;
        let title = format!("{case}, {bindings} bindings{}", if asked { " and queries" } else { "" });
        let enough = AtomicBool::new(!asked);
        let (measured, bindings_per_second) = thread::scope(|scope| {
            let requestor = scope.spawn(|| self.ask_until(program, &enough));
            let measured = self.search_running(&title, &server, &mut generator);
            enough.store(true, Ordering::Relaxed);
            let asked = requestor.join().map_err(|_| anyhow!("the requestor has panicked"))?;
            Ok::<_, anyhow::Error>((measured?, asked?))
        })?;
        Ok((measured.exchanges_per_second, bindings_per_second))
    }

    /// Asks for everything again and again; bindings a second.
    fn ask_until(&self, program: &Program, enough: &AtomicBool) -> Result<f64> {
        let server = SocketAddr::from((SERVER, SERVER_PORT));
        let begun = Instant::now();
        let mut bindings = 0;
        while !enough.load(Ordering::Relaxed) {
            let requestor = self.network.client.within(|| {
                pin(&self.processors.generator)?;
                program.query(server, &synthetic_relay())
            })?;
            bindings += requestor.finish()?.bindings;
        }
        Ok(bindings as f64 / begun.elapsed().as_secs_f64())
    }
}
