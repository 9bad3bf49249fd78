//! `leasehold relay` with `mode = "lightweight"`: from its configuration to its end.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};

use anyhow::{Context, bail};
use relay::{Counters, PacedPort};
use tracing::{info, warn};
use wire::Duid;

use super::desk::BridgeDesk;
use super::{Bridge, Order, Plan, Sides};
use crate::clock::Clock;
use crate::config::Config;
use crate::config::relay::{Mode, Relay};
use crate::control::door::{self, ControlSocket};
use crate::net::Waker;
use crate::notify;
use crate::relay::ports::{Layout, Seeing};
use crate::signals::watch_over;
use crate::state;
use crate::stopping::Stopper;
use crate::threads::Threads;

/// What is told to a service manager.
const STATUS: &str = "relaying inside the bridge";

/// Relays until told to stop by SIGTERM or SIGINT; reads the configuration anew on SIGHUP.
pub fn run(file: PathBuf, config: &Config) -> anyhow::Result<ExitCode> {
    let relay_id = relay_id(config)?;
    let (clock, counters) = (Clock::start(), Arc::new(Counters::default()));
    let bridge = Bridge::open(plan(config, &relay_id)?, clock, Arc::clone(&counters))?;
    state::make(&config.state)?;
    let control = ControlSocket::bind(&config.control_socket())?;
    let desk = BridgeDesk { relay_id: relay_id.clone(), clock, counters, ports: bridge.ports() };
    let (orders, to_follow) = mpsc::channel();
    let following = Following { file, relay_id, orders, waker: bridge.waker() };
    let threads = Threads::new();
    let failed = threads.failed();
    let thread = threads.start("bridge", move || bridge.run(|| to_follow.try_recv().ok()))?;
    info!("listening on {} (commands)", control.path().display());
    notify::ready();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let stopper = Stopper::default();
    let failure = runtime.block_on(async {
        let commands = tokio::spawn(door::listen(desk, control, stopper.stopping()));
        let failure = tokio::select! {
            failure = watch_over(failed, || following.reload()) => failure,
            never = notify::tell(|| STATUS.to_owned()) => match never {},
        };
        info!("stopping");
        notify::stopping();
        stopper.stop();
        let _ = commands.await;
        failure
    })?;
    following.tell(Order::Stop);
    thread.join();
    failure.map_or(Ok(ExitCode::SUCCESS), |failure| bail!(failure))
}

/// What stands between the operator and the thread that relays.
struct Following {
    file: PathBuf,
    /// As long as the program runs, whatever a new configuration says.
    relay_id: Duid,
    orders: Sender<Order>,
    waker: Waker,
}

impl Following {
    fn reload(&self) -> anyhow::Result<()> {
        let config = read(&self.file)?;
        self.tell(Order::Follow(plan(&config, &self.relay_id)?));
        info!("configuration read anew");
        Ok(())
    }

    /// A thread that is gone needs no orders.
    fn tell(&self, order: Order) {
        let _ = self.orders.send(order);
        self.waker.wake();
    }
}

fn read(file: &Path) -> anyhow::Result<Config> {
    let config = Config::read(file).map_err(|faults| anyhow::anyhow!("{faults}"))?;
    config.warnings.iter().for_each(|warning| warn!("{warning}"));
    Ok(config)
}

fn section(config: &Config) -> anyhow::Result<&Relay> {
    match &config.relay {
        Some(relay) if relay.mode == Mode::Lightweight => Ok(relay),
        _ => bail!("relay.mode was \"lightweight\", and changes only with a restart"),
    }
}

fn relay_id(config: &Config) -> anyhow::Result<Duid> {
    state::relay_id(section(config)?.relay_id.clone(), &config.state)
}

fn plan(config: &Config, relay_id: &Duid) -> anyhow::Result<Plan> {
    let relay = section(config)?;
    let layout = Layout::new(relay, relay_id).context("cannot name the ports")?;
    let mut seeing = Seeing::default();
    Ok(Plan {
        terms: relay.terms(relay_id),
        clients: relay.interfaces.iter().flat_map(|section| section.names.clone()).collect(),
        network: relay.upstream.clone(),
        tells_link_layer: relay.client_link_layer_address,
        sides: Box::new(move |interfaces| {
            let seen = seeing.look(&layout, interfaces);
            let paced = seen.ports.into_iter().zip(seen.rates);
            let clients = paced.map(|(port, messages_per_second)| PacedPort { port, messages_per_second });
            Sides { clients: clients.collect(), network: BTreeSet::from_iter(seen.upstream) }
        }),
    })
}
