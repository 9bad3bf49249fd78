//! `leasehold relay`: the relay, from its configuration to its sockets and routes.
//!
//! All that is shared stands in `Service`, above all the pure agent, which decides. One thread takes
//! datagrams in and sends them on (`intake.rs`); one carries routes to the kernel and tells what the
//! kernel says (`routing.rs`, with the hand of `hand.rs`); one writes delegations down (`memory.rs`); and
//! on a runtime of their own there is one task for each server that is asked (`recovery.rs`), one for each
//! command (`desk`), one that keeps the filter (`filtering.rs`), and one that tells the service manager how
//! it is.

mod assembly;
pub mod desk;
mod filtering;
mod hand;
mod intake;
pub mod lightweight;
mod memory;
pub mod ports;
pub mod recovery;
mod rehearsal;
mod reload;
mod routing;
mod service;
mod setup;
mod traffic;
mod ways;

use std::convert::Infallible;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::bail;
use requestor::limits::CONNECT_TIMEOUT;
use tracing::{info, warn};

use crate::config::Config;
use crate::config::relay::Mode;
use crate::control::door::{self, ControlSocket};
use crate::net::Waker;
use crate::notify;
use crate::signals::watch_over;
use crate::state;
use crate::threads::{Failed, Thread, Threads};
use assembly::{Assembly, Purpose};
use desk::RelayDesk;
use intake::Intake;
use routing::Routing;
use service::Service;

pub use rehearsal::Format;

/// Relay clients' messages, keep routes for what is delegated, and recover them after a restart.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Do not relay, and change nothing: ask the servers, say which routes would be added, replaced and
    /// removed, and end. Exit code 2 if a server has not told all it knows
    #[arg(long)]
    dry_run: bool,
    /// How to print that [default: table on a terminal, json otherwise]
    #[arg(long, value_enum, requires = "dry_run")]
    format: Option<Format>,
}

impl Arguments {
    /// Whether nothing is to be relayed.
    pub fn is_rehearsal(&self) -> bool {
        self.dry_run
    }
}

/// Relays until told to stop by SIGTERM or SIGINT; reads the configuration anew on SIGHUP.
pub fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let mut config = match Config::read(&arguments.config) {
        Ok(config) => config,
        Err(faults) => {
            eprintln!("{faults}");
            return Ok(ExitCode::FAILURE);
        }
    };
    config.warnings.iter().for_each(|warning| warn!("{warning}"));
    match &config.relay {
        None => {
            bail!("{}: there is no [relay] in it; examples/relay.toml has one", arguments.config.display())
        }
        Some(relay) if relay.mode == Mode::Lightweight => return lightweight::run(arguments.config, &config),
        Some(_) => {}
    }
    if arguments.dry_run {
        return rehearsal::rehearse(&config, arguments.format);
    }
    let running = start(&config)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    notify::ready();
    let reload = || {
        config = reload::reload(&running, &arguments.config, &config)?;
        Ok(())
    };
    let failure = runtime.block_on(watch_over(running.failed.clone(), reload))?;
    notify::stopping();
    info!("stopping");
    running.stop();
    failure.map_or(Ok(ExitCode::SUCCESS), |failure| bail!(failure))
}

/// A relay at work on threads of its own.
#[derive(Debug)]
struct Running {
    service: Arc<Service>,
    waker: Waker,
    failed: Failed,
    threads: Vec<Thread>,
}

/// Binds, looks at interfaces and routes, and starts to forward; recovery begins beside that.
fn start(config: &Config) -> anyhow::Result<Running> {
    state::make(&config.state)?;
    let control = ControlSocket::bind(&config.control_socket())?;
    let assembly = Assembly::new(config, Purpose::Run)?;
    let Assembly { service, settings, routing_poller, writing_poller } = assembly;
    let routing = Routing::start(Arc::clone(&service), routing_poller, settings)?;
    let intake = Intake::bind(Arc::clone(&service))?;
    let (addresses, waker) = (intake.addresses()?, intake.waker());
    let threads = Threads::new();
    let failed = threads.failed();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let tasks = Arc::clone(&service);
    let mut started = vec![
        threads.start("intake", move || intake.run())?,
        threads.start("routing", move || routing.run())?,
        threads.start("tasks", move || {
            runtime.block_on(work(tasks, control));
            Ok(())
        })?,
    ];
    if let Some(folder) = memory::folder(config) {
        let service = Arc::clone(&service);
        started.push(threads.start("memory", move || memory::run(service, writing_poller, &folder))?);
    }
    addresses.iter().for_each(|address| info!("listening on {address} (UDP)"));
    Ok(Running { service, waker, failed, threads: started })
}

/// All that waits most of the time.
async fn work(service: Arc<Service>, control: ControlSocket) {
    info!("listening on {} (commands)", control.path().display());
    let mut stopping = service.stopping();
    let desk = RelayDesk { relay: Arc::clone(&service) };
    let commands = tokio::spawn(door::listen(desk, control, service.stopping()));
    tokio::select! {
        () = stopping.come() => {}
        never = ask_servers(&service) => match never {},
        never = filtering::keep(&service) => match never {},
        never = notify::tell(|| desk::sentence(&*service)) => match never {},
    }
    let _ = commands.await;
}

/// Asks the servers that are to be asked now, others when they have changed, and never ends.
async fn ask_servers(service: &Arc<Service>) -> Infallible {
    let mut asked = service.asked();
    loop {
        let servers = asked.borrow_and_update().clone();
        // Of the sessions before there is none any more, and what they were at is not told.
        service.hang_up();
        let wake = service.wake_of_sessions();
        let recovery =
            recovery::recover(Arc::clone(service), service.clock(), servers, CONNECT_TIMEOUT, wake);
        tokio::select! {
            () = recovery => {}
            _ = asked.changed() => {}
        }
    }
}

impl Running {
    /// Takes nothing more in, and waits until all threads have ended. Routes stay where they are.
    fn stop(self) {
        self.service.stop();
        self.waker.wake();
        self.threads.into_iter().for_each(Thread::join);
    }
}
