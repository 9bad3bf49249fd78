//! Those for whom the server is there: a requestor, and clients behind a relay.

use std::io::Read;
use std::io::Write;
use std::net::{SocketAddrV6, TcpStream};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use wire::{ClientMessage, FrameBuffer, MessageType, OptionCode, Writer};

use crate::server::{CLIENTS, PATIENCE};
use crate::subscriber::Relay;

/// The relay behind which all clients are that were made up.
const RELAY_ID: [u8; 10] = [0, 3, 0, 1, 2, 0, 0, 0, 0, 1];
/// Clients from here on are not among those that were made up.
const FIRST_CLIENT: u32 = 0xf000_0000;

/// Asks for all that is known of a relay.
pub(crate) struct Requestor {
    pub(crate) address: SocketAddrV6,
}

impl Requestor {
    /// How long it takes to connect, to ask, and to be told everything.
    pub(crate) fn ask_for_everything(&self) -> Duration {
        let begun = Instant::now();
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(&query()).unwrap();
        let (mut buffer, mut frames, mut clients) = (vec![0; 256 * 1024], FrameBuffer::default(), 0);
        loop {
            let octets = stream.read(&mut buffer).unwrap();
            assert!(octets > 0, "closed after {clients} clients");
            frames.extend(&buffer[..octets]);
            while let Some(message) = frames.next_message().unwrap() {
                match message[0] {
                    15 | 17 => clients += 1,
                    16 => {
                        assert!(clients >= CLIENTS, "{clients} clients");
                        return begun.elapsed();
                    }
                    other => panic!("a message of type {other}"),
                }
            }
        }
    }
}

/// A framed LEASEQUERY by Relay-ID (RFC 5460 §5.1, §5.4).
pub(crate) fn query() -> Vec<u8> {
    let mut data = vec![3];
    data.extend([0; 16]);
    Writer::new(&mut data).raw_option(OptionCode::RELAY_ID, &RELAY_ID);
    let mut octets = Vec::new();
    wire::write_frame(&mut octets, |w| {
        ClientMessage::write(w, MessageType::LeaseQuery, wire::TransactionId::from_number(1), |w| {
            w.raw_option(OptionCode::CLIENTID, &[0, 3, 0, 1, 2, 0, 0, 0, 0, 0xbb]);
            w.raw_option(OptionCode::LQ_QUERY, &data);
        });
    })
    .unwrap();
    octets
}

/// Clients that want leases, one after the other, until they are stopped.
pub(crate) struct Clients {
    took: Arc<Mutex<Vec<Duration>>>,
    enough: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Clients {
    pub(crate) fn start(server: SocketAddrV6) -> Self {
        let (took, enough) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (took_here, enough_here) = (Arc::clone(&took), Arc::clone(&enough));
        let thread = thread::spawn(move || {
            let relay = Relay::to(server, "2001:db8::1".parse().unwrap());
            for number in FIRST_CLIENT.. {
                let begun = Instant::now();
                if relay.ask(number, &enough_here).is_none() {
                    return;
                }
                took_here.lock().unwrap().push(begun.elapsed());
                if enough_here.load(Ordering::Acquire) {
                    return;
                }
            }
        });
        Self { took, enough, thread }
    }

    /// How long the exchanges took since the last call.
    pub(crate) fn took(&self) -> Vec<Duration> {
        std::mem::take(&mut self.took.lock().unwrap())
    }

    /// Every exchange was answered.
    pub(crate) fn stop(self) {
        self.enough.store(true, Ordering::Release);
        if let Err(panic) = self.thread.join() {
            std::panic::resume_unwind(panic);
        }
    }
}
