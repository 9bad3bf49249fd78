//! A client that speaks every few milliseconds while the relay recovers: how long its messages take through the relay.
//!
//! Each message has its number for its transaction id, and arrives where nothing else does, so that the delay is the relay's.

use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use hdrhistogram::Histogram;
use serde::Serialize;
use wire::{ClientMessage, MessageType, RelayMessage, TransactionId};

use super::site::Site;
use crate::bench::datagrams::{self, Inbox};
use crate::bench::exchange::case::{Case, Way, Wish};
use crate::bench::exchange::template::{Client, Leases, Template};

/// Between two messages.
const PAUSE: Duration = Duration::from_millis(2);
/// How long nothing may come until it is looked whether more is expected.
const LOOK: Duration = Duration::from_millis(50);
/// Longer than any delay that is worth a number, in microseconds.
const LONGEST_MICROSECONDS: u64 = 60_000_000;

/// When each message was sent, and when it arrived.
#[derive(Default)]
struct Journal {
    sent: Vec<Instant>,
    arrived: Vec<Option<Instant>>,
}

/// Speaks until it is stopped.
pub(super) struct Probe {
    journal: Arc<Mutex<Journal>>,
    ends: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Result<()>>>,
}

impl Probe {
    pub(super) fn start(site: &Site) -> Result<Self> {
        let (client, sink) = site.sockets()?;
        let (journal, ends) = (Arc::<Mutex<Journal>>::default(), Arc::new(AtomicBool::new(false)));
        let (speaks, listens) = ((journal.clone(), ends.clone()), (journal.clone(), ends.clone()));
        let threads = vec![
            thread::spawn(move || speak(&client, &speaks.0, &speaks.1)),
            thread::spawn(move || listen(&sink, &listens.0, &listens.1)),
        ];
        Ok(Self { journal, ends, threads })
    }

    /// Ends it, and tells of what was sent from the first message that was forwarded.
    pub(super) fn finish(self) -> Result<Delays> {
        self.ends.store(true, Ordering::Release);
        for thread in self.threads {
            thread.join().map_err(|_| anyhow!("a probe panicked"))??;
        }
        let journal = Arc::into_inner(self.journal).context("nobody else has it")?;
        let Journal { sent, arrived } = journal.into_inner().map_err(|_| anyhow!("a probe panicked"))?;
        let mut messages: Vec<_> = sent.into_iter().zip(arrived).collect();
        let first = messages.iter().position(|(_, arrived)| arrived.is_some());
        messages.drain(..first.context("nothing was forwarded")?);
        Ok(Delays(messages))
    }
}

/// What came of the messages since forwarding began.
pub(super) struct Delays(Vec<(Instant, Option<Instant>)>);

/// Delays of messages that were sent in some time.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Spread {
    pub(super) messages: u64,
    pub(super) lost: u64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) max_ms: f64,
}

impl Delays {
    /// When the first message that was forwarded had arrived.
    pub(super) fn first_forwarded(&self) -> Instant {
        self.0[0].1.expect("the first is one that was forwarded")
    }

    /// Of what was sent in this time.
    pub(super) fn between(&self, from: Instant, until: Instant) -> Result<Spread> {
        let mut histogram = Histogram::<u64>::new_with_bounds(1, LONGEST_MICROSECONDS, 3)?;
        let mut lost = 0;
        for (sent, arrived) in self.0.iter().filter(|(sent, _)| (from..until).contains(sent)) {
            match arrived {
                Some(arrived) => histogram.saturating_record((*arrived - *sent).as_micros() as u64),
                None => lost += 1,
            }
        }
        let ms = |share| histogram.value_at_quantile(share) as f64 / 1e3;
        Ok(Spread {
            messages: histogram.len() + lost,
            lost,
            p50_ms: ms(0.5),
            p99_ms: ms(0.99),
            max_ms: ms(1.0),
        })
    }
}

fn speak(by: &UdpSocket, journal: &Mutex<Journal>, ends: &AtomicBool) -> Result<()> {
    let case = Case { wish: Wish::Both, way: Way::Direct };
    let template = Template::compile(MessageType::Solicit, case, 0, &[])?;
    let mut message = vec![0; template.len()];
    let begun = Instant::now();
    for number in 0.. {
        if ends.load(Ordering::Acquire) {
            return Ok(());
        }
        let id = TransactionId::from_number(number);
        template.write(&mut message, Client(u64::from(number % 64)), id, &Leases::NONE);
        {
            let mut journal = journal.lock().map_err(|_| anyhow!("a probe panicked"))?;
            journal.sent.push(Instant::now());
            journal.arrived.push(None);
        }
        // Before the relay listens, nobody does.
        let _ = by.send(&message);
        let next = PAUSE * (number + 1);
        thread::sleep(next.saturating_sub(begun.elapsed()));
    }
    Ok(())
}

fn listen(at: &UdpSocket, journal: &Mutex<Journal>, ends: &AtomicBool) -> Result<()> {
    let mut inbox = Inbox::new();
    loop {
        let has_ended = ends.load(Ordering::Acquire);
        if datagrams::wait(at, LOOK)? {
            inbox.receive(at)?;
            let now = Instant::now();
            let mut journal = journal.lock().map_err(|_| anyhow!("a probe panicked"))?;
            for (octets, _) in inbox.datagrams() {
                if let Some(arrived) = number(octets).and_then(|number| journal.arrived.get_mut(number)) {
                    arrived.get_or_insert(now);
                }
            }
        } else if has_ended {
            return Ok(());
        }
    }
}

/// Which message that is which a relay has forwarded.
fn number(octets: &[u8]) -> Option<usize> {
    let relay = RelayMessage::decode(octets).ok()?;
    let message = ClientMessage::decode(relay.relayed().ok()??).ok()?;
    let [a, b, c] = message.transaction_id.octets();
    Some(u32::from_be_bytes([0, a, b, c]) as usize)
}
