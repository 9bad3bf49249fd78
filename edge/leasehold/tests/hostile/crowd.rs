//! The crowd: as many connections as wanted, each doing its misdeed again and again, on a thread of its own.

use std::net::{Ipv6Addr, SocketAddrV6};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use world::Chance;

use crate::misdeeds::{Misdeed, Villain};
use crate::network::{FORBIDDEN, PERMITTED};
use crate::server::{Server, until};

/// Addresses that the crowd comes from: each has ten connections or so.
const SOURCES: u64 = 1_000;

/// The crowd, while it is there.
pub(crate) struct Crowd {
    stop: watch::Sender<bool>,
    thread: JoinHandle<()>,
    /// How long it took until all were there.
    pub(crate) gathered: Duration,
}

impl Crowd {
    /// As many that stay, that come and go, and that may not come at all; waits until all that stay are there.
    pub(crate) fn gather(
        server: &Server,
        seed: u64,
        staying: usize,
        coming_and_going: usize,
        forbidden: usize,
    ) -> Self {
        let mut chance = Chance::from_seed(seed);
        let mut kinds: Vec<(&str, &[Misdeed])> = vec![(PERMITTED, &Misdeed::STAYING); staying];
        kinds.extend(vec![(PERMITTED, &Misdeed::COMING_AND_GOING[..]); coming_and_going]);
        kinds.extend(vec![(FORBIDDEN, &[Misdeed::Impatient][..]); forbidden]);
        let villains = kinds.into_iter().map(|(network, misdeeds)| {
            let source = source(network, 1 + chance.below(SOURCES));
            Villain::new(misdeeds, source, server.bulk_address(), chance.next_u64())
        });
        Self::come(villains.collect(), || server.connections() >= staying)
    }

    /// All from one address; waits until as many are there as there are places.
    pub(crate) fn from_one_source(server: &Server, seed: u64, connections: usize, places: usize) -> Self {
        let mut chance = Chance::from_seed(seed);
        let villains = (0..connections).map(|_| {
            Villain::new(&Misdeed::ALL, source(PERMITTED, 1), server.bulk_address(), chance.next_u64())
        });
        Self::come(villains.collect(), || server.connections() >= places)
    }

    fn come(villains: Vec<Villain>, all_are_there: impl Fn() -> bool) -> Self {
        let begun = Instant::now();
        let (stop, stopped) = watch::channel(false);
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut villains: tokio::task::JoinSet<()> =
                    villains.into_iter().map(Villain::misbehave).collect();
                let mut stopped = stopped;
                let _ = stopped.wait_for(|stopped| *stopped).await;
                villains.abort_all();
                while villains.join_next().await.is_some() {}
            });
        });
        until(all_are_there, "the crowd is there");
        Self { stop, thread, gathered: begun.elapsed() }
    }

    /// Sends them away.
    pub(crate) fn end(self) {
        self.stop.send_replace(true);
        self.thread.join().unwrap();
    }
}

fn source(network: &str, number: u64) -> SocketAddrV6 {
    let network: Ipv6Addr = network.parse().unwrap();
    SocketAddrV6::new(Ipv6Addr::from(u128::from(network) + u128::from(number)), 0, 0, 0)
}
