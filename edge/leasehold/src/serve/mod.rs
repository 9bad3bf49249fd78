//! `leasehold serve`: the server, from its configuration to its sockets.
//!
//! All that is shared stands in `Service`. One thread takes datagrams in and answers them
//! (`intake.rs`, `turn.rs`); one makes durable what has changed and releases what waits for that
//! (`journal.rs`, `release.rs`); and on a runtime of their own there is one task for each address
//! that bulk leasequery listens on and one for each requestor (`bulk/`). All of them carry octets
//! between sockets and the pure server, which decides.

mod bulk;
mod control;
mod files;
mod intake;
mod journal;
mod plan;
mod queries;
mod reconfigure;
mod release;
mod reload;
mod service;
mod turn;

use std::net::{SocketAddr, SocketAddrV6};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use store::Store;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tracing::{info, warn};

use crate::config::Config;
use crate::control::door::{self, ControlSocket};
use crate::net::Waker;
use crate::notify;
use crate::signals::watch_over;
use crate::state;
use crate::threads::{Failed, Thread, Threads};
use control::ServerDesk;
use intake::Intake;
use service::Service;

pub use intake::{Ports, UdpAddress};
pub use plan::Plan;

/// How long connections may take to say goodbye when the server stops.
const FAREWELL: Duration = Duration::from_secs(5);
/// Connections that the kernel keeps ready to be accepted: as many as it lets us (`net.core.somaxconn`). Where
/// there are fewer, a crowd that connects all at once has a requestor wait a second for its next attempt.
const BACKLOG: i32 = 4096;

/// Serve clients, relays and leasequeries.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

/// Serves until told to stop by SIGTERM or SIGINT; reads the configuration anew on SIGHUP.
pub fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    let mut config = match Config::read(&arguments.config) {
        Ok(config) => config,
        Err(faults) => {
            eprintln!("{faults}");
            return Ok(ExitCode::FAILURE);
        }
    };
    config.warnings.iter().for_each(|warning| warn!("{warning}"));
    files::provide(&mut config);
    let store = state::open(&config.state)?;
    let server_id = state::server_id(config.server_id.clone(), &config.state)?;
    let holdings = state::load(&store, config.links.clone())?;
    info!(clients = holdings.table.len(), ms = started.elapsed().as_millis() as u64, "loaded");
    let running = start(Plan::new(&config, server_id, holdings, Box::new(store))?)?;
    notify::ready();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let reload = || {
        config = reload::reload(&running, &arguments.config, &config)?;
        Ok(())
    };
    let failure = runtime.block_on(async {
        tokio::select! {
            failure = watch_over(running.failed.clone(), reload) => failure,
            never = notify::tell(|| running.status()) => match never {},
        }
    })?;
    info!("stopping");
    notify::stopping();
    running.stop();
    failure.map_or(Ok(ExitCode::SUCCESS), |failure| bail!(failure))
}

/// A server at work on threads of its own.
#[derive(Debug)]
pub struct Running {
    bulk: Vec<SocketAddr>,
    udp: Vec<SocketAddrV6>,
    service: Arc<Service>,
    waker: Waker,
    failed: Failed,
    intake: Thread,
    tasks: Thread,
    committing: Thread,
}

/// Binds every address and starts to serve; port 0 lets the system choose one.
pub fn start(plan: Plan) -> anyhow::Result<Running> {
    let Plan { policy, holdings, exchanges, store, rate, bulk, udp, patterns, ports, control } = plan;
    let listeners = bulk.iter().map(|at| bind(*at)).collect::<anyhow::Result<Vec<_>>>()?;
    let bulk = listeners.iter().map(local_address).collect::<anyhow::Result<Vec<_>>>()?;
    let control = control.as_deref().map(ControlSocket::bind).transpose()?;
    let service = Arc::new(Service::new(policy, exchanges, holdings, rate, patterns));
    let intake = Intake::bind(Arc::clone(&service), &udp, ports)?;
    let (udp, waker) = (intake.addresses()?, intake.waker());
    let threads = Threads::new();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    control.iter().for_each(|socket| info!("listening on {} (commands)", socket.path().display()));
    let desk = ServerDesk { service: Arc::clone(&service), sockets: intake.sockets() };
    let tasks = threads.start("tasks", move || {
        runtime.block_on(serve_all(desk, listeners, control));
        Ok(())
    })?;
    let committing = {
        let service = Arc::clone(&service);
        threads.start("commit", move || commit(&service, store))?
    };
    let intake = threads.start("intake", move || intake.run())?;
    bulk.iter().for_each(|address| info!("listening on {address} (TCP)"));
    udp.iter().for_each(|address| info!("listening on {address} (UDP)"));
    Ok(Running { bulk, udp, service, waker, failed: threads.failed(), intake, tasks, committing })
}

/// Makes changes durable until the journal ends, or the store fails.
fn commit(service: &Service, mut store: Box<dyn Store>) -> anyhow::Result<()> {
    let committed = journal::run(&service.journal, &mut *store, release::release);
    committed.context("cannot make leases durable, so no more are given")
}

impl Running {
    /// Where bulk leasequery is served, one for each address asked for.
    pub fn bulk_addresses(&self) -> &[SocketAddr] {
        &self.bulk
    }

    /// Where datagrams are taken in, one for each address asked for.
    pub fn udp_addresses(&self) -> &[SocketAddrV6] {
        &self.udp
    }

    /// How it is, in a few words; not before the table can be read.
    fn status(&self) -> String {
        format!("serving, {} clients known", self.service.holdings().table.len())
    }

    /// What has failed, if anything has: then nothing is given any more, and it is time to stop.
    pub fn failure(&self) -> Option<String> {
        self.failed.borrow().clone()
    }

    /// Takes nothing more in, ends every query with QueryTerminated, makes durable and releases what
    /// is on its way, and waits until all that is done.
    pub fn stop(self) {
        self.service.stop();
        self.waker.wake();
        self.intake.join();
        self.tasks.join();
        self.service.journal.end();
        self.committing.join();
    }
}

async fn serve_all(desk: ServerDesk, listeners: Vec<Socket>, control: Option<ControlSocket>) {
    let mut tasks = JoinSet::new();
    for listener in listeners {
        match TcpListener::from_std(listener.into()) {
            Ok(listener) => _ = tasks.spawn(bulk::listen(Arc::clone(&desk.service), listener)),
            Err(error) => warn!("cannot listen: {error}"),
        }
    }
    if let Some(socket) = control {
        let stopping = desk.service.stopping();
        tasks.spawn(door::listen(desk, socket, stopping));
    }
    while tasks.join_next().await.is_some() {}
}

/// A bound socket that speaks IPv6 alone: IPv4 in disguise would slip past the access rules.
fn bind(at: SocketAddrV6) -> anyhow::Result<Socket> {
    let bound = || {
        let socket = Socket::new(Domain::IPV6, Type::STREAM, Some(Protocol::TCP))?;
        socket.set_only_v6(true)?;
        socket.set_nonblocking(true)?;
        socket.set_reuse_address(true)?;
        socket.bind(&SockAddr::from(at))?;
        socket.listen(BACKLOG)?;
        Ok::<_, std::io::Error>(socket)
    };
    bound().with_context(|| format!("cannot listen on {at} (TCP)"))
}

fn local_address(socket: &Socket) -> anyhow::Result<SocketAddr> {
    socket.local_addr()?.as_socket().context("a socket without an address")
}
