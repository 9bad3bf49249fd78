//! `leasehold serve`: the server, from its configuration to its sockets.
//!
//! All that is shared stands in `Service`; one task listens for each address, and one talks with
//! each requestor. The tasks carry octets between sockets and the pure server, which decides.

mod bulk;
mod service;
mod udp;

use std::net::{SocketAddr, SocketAddrV6};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context;
use server::Holdings;
use server::leasequery::{Access, Policy, RateLimit, Rule};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinSet;
use tracing::{info, warn};
use wire::Duid;

use crate::config::{AllowRule, Config};
use crate::state;
use service::Service;

/// How long connections may take to say goodbye when the server stops.
const FAREWELL: Duration = Duration::from_secs(5);
/// Connections that the kernel keeps ready to be accepted.
const BACKLOG: i32 = 128;

/// Serve leasequeries over UDP and TCP.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

/// Serves until told to stop by SIGTERM or SIGINT.
pub fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    let config = match Config::read(&arguments.config) {
        Ok(config) => config,
        Err(faults) => {
            eprintln!("{faults}");
            return Ok(ExitCode::FAILURE);
        }
    };
    for warning in &config.warnings {
        warn!("{warning}");
    }
    let store = state::open(&config.state)?;
    let server_id = state::server_id(config.server_id.clone(), &config.state)?;
    let holdings = state::load(&store, config.links.clone())?;
    info!(clients = holdings.table.len(), ms = started.elapsed().as_millis() as u64, "loaded");
    let (bulk, udp) = (&config.leasequery.bulk.listen, &config.leasequery.udp.listen);
    let rate = RateLimit::new(config.leasequery.udp.rate_per_second, config.leasequery.udp.burst);
    let running = start(policy(&config, server_id), holdings, rate, bulk, udp)?;
    wait_for_signal()?;
    info!("stopping");
    running.stop();
    Ok(ExitCode::SUCCESS)
}

/// What the configuration decides, as the pure server wants it.
fn policy(config: &Config, server_id: Duid) -> Policy {
    let leasequery = &config.leasequery;
    let rule = |rule: &AllowRule| Rule { from: rule.from, queries: rule.queries.clone() };
    Policy {
        server_id,
        access: Access::new(leasequery.allow.iter().map(rule).collect()),
        refuse_silently: leasequery.refuse_silently,
        sensitive_options: leasequery.sensitive_options.iter().copied().collect(),
        track_relays: leasequery.track_relays,
        relayed_hops: leasequery.udp.relayed_hops,
        bulk: leasequery.bulk.limits.clone(),
    }
}

fn wait_for_signal() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        Ok(())
    })
}

/// A server at work on threads of its own.
#[derive(Debug)]
pub struct Running {
    bulk: Vec<SocketAddr>,
    udp: Vec<SocketAddr>,
    service: Arc<Service>,
    thread: JoinHandle<()>,
}

/// Binds every address and starts to serve; port 0 lets the system choose one.
pub fn start(
    policy: Policy,
    holdings: Holdings,
    rate: RateLimit,
    bulk: &[SocketAddrV6],
    udp: &[SocketAddrV6],
) -> anyhow::Result<Running> {
    let listeners = bulk.iter().map(|at| bind(*at, Type::STREAM)).collect::<anyhow::Result<Vec<_>>>()?;
    let sockets = udp.iter().map(|at| bind(*at, Type::DGRAM)).collect::<anyhow::Result<Vec<_>>>()?;
    let addresses = |bound: &[Socket]| bound.iter().map(local_address).collect::<anyhow::Result<Vec<_>>>();
    let (bulk, udp) = (addresses(&listeners)?, addresses(&sockets)?);
    let service = Arc::new(Service::new(policy, holdings, rate));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let serving = Arc::clone(&service);
    let thread = std::thread::Builder::new()
        .name("serve".into())
        .spawn(move || runtime.block_on(serve_all(serving, listeners, sockets)))
        .context("cannot start a thread")?;
    bulk.iter().for_each(|address| info!("bulk leasequery listening on {address}"));
    udp.iter().for_each(|address| info!("leasequery listening on {address}"));
    Ok(Running { bulk, udp, service, thread })
}

impl Running {
    /// Where bulk leasequery is served, one for each address asked for.
    pub fn bulk_addresses(&self) -> &[SocketAddr] {
        &self.bulk
    }

    /// Where leasequery over UDP is served, one for each address asked for.
    pub fn udp_addresses(&self) -> &[SocketAddr] {
        &self.udp
    }

    /// Ends every query with QueryTerminated, closes everything, and waits until that is done.
    pub fn stop(self) {
        self.service.stop();
        if self.thread.join().is_err() {
            warn!("the server's thread has panicked");
        }
    }
}

async fn serve_all(service: Arc<Service>, listeners: Vec<Socket>, sockets: Vec<Socket>) {
    let mut tasks = JoinSet::new();
    for listener in listeners {
        match TcpListener::from_std(listener.into()) {
            Ok(listener) => _ = tasks.spawn(bulk::listen(Arc::clone(&service), listener)),
            Err(error) => warn!("cannot listen: {error}"),
        }
    }
    for socket in sockets {
        match UdpSocket::from_std(socket.into()) {
            Ok(socket) => _ = tasks.spawn(udp::listen(Arc::clone(&service), socket)),
            Err(error) => warn!("cannot listen: {error}"),
        }
    }
    while tasks.join_next().await.is_some() {}
}

/// A bound socket that speaks IPv6 alone: IPv4 in disguise would slip past the access rules.
fn bind(at: SocketAddrV6, kind: Type) -> anyhow::Result<Socket> {
    let stream = kind == Type::STREAM;
    let protocol = if stream { Protocol::TCP } else { Protocol::UDP };
    let bound = || {
        let socket = Socket::new(Domain::IPV6, kind, Some(protocol))?;
        socket.set_only_v6(true)?;
        socket.set_nonblocking(true)?;
        if stream {
            socket.set_reuse_address(true)?;
        }
        socket.bind(&SockAddr::from(at))?;
        if stream {
            socket.listen(BACKLOG)?;
        }
        Ok::<_, std::io::Error>(socket)
    };
    bound().with_context(|| format!("cannot listen on {at}"))
}

fn local_address(socket: &Socket) -> anyhow::Result<SocketAddr> {
    socket.local_addr()?.as_socket().context("a socket without an address")
}
