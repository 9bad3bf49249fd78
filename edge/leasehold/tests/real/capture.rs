//! What passes before the server: every DHCPv6 packet, as it passes, and in a file for who reads it later.
//!
//! dumpcap, which comes with tshark, writes the capture as a stream. Its header arrives when the capture has begun, so that
//! nothing is missed that happens after [`Capture::start`].

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use crate::bell::Bell;
use crate::host::Host;
use crate::process::signal;

/// Both ports. Bulk leasequery, over TCP, is looked at elsewhere (`tests/tshark`).
const FILTER: &str = "udp port 546 or udp port 547";
const FILE_HEADER_OCTETS: usize = 24;
const RECORD_HEADER_OCTETS: usize = 16;
/// Ethernet, IPv6 and UDP: where a message begins. No program here uses extension headers.
const HEADERS_OCTETS: usize = 14 + 40 + 8;

/// Goes on until it is stopped or dropped.
pub(crate) struct Capture {
    dumpcap: Child,
    messages: Arc<Mutex<Vec<Vec<u8>>>>,
    file: PathBuf,
    reader: Option<JoinHandle<()>>,
}

impl Capture {
    /// Begins on an interface of this host; the bell rings with every packet.
    pub(crate) fn start(host: &Host, interface: &str, bell: &Bell) -> Self {
        let mut dumpcap = host
            .enter("dumpcap")
            .args(["-q", "-p", "-P", "-i", interface, "-f", FILTER, "-w", "-"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("dumpcap starts");
        let mut stream = dumpcap.stdout.take().unwrap();
        let file = host.path(&format!("{interface}.pcap"));
        let mut copy = File::create(&file).unwrap();
        let mut header = [0; FILE_HEADER_OCTETS];
        stream.read_exact(&mut header).expect("dumpcap begins");
        copy.write_all(&header).unwrap();

        let messages: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
        let (seen, bell) = (Arc::clone(&messages), bell.clone());
        let reader = std::thread::spawn(move || {
            while let Ok(record) = next_record(&mut stream) {
                copy.write_all(&record).unwrap();
                seen.lock().unwrap().push(record[RECORD_HEADER_OCTETS + HEADERS_OCTETS..].to_vec());
                bell.ring();
            }
        });
        Self { dumpcap, messages, file, reader: Some(reader) }
    }

    /// All messages so far, one for each packet in the file.
    pub(crate) fn messages(&self) -> Vec<Vec<u8>> {
        self.messages.lock().unwrap().clone()
    }

    /// The file; whole when the capture is stopped.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// Ends it: dumpcap hands over what it has.
    pub(crate) fn stop(&mut self) {
        signal("TERM", &[self.dumpcap.id()]);
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the capture is read to its end");
        }
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        let _ = self.dumpcap.kill();
        let _ = self.dumpcap.wait();
    }
}

/// A packet's record with its header, which dumpcap writes in the order of octets of this machine.
fn next_record(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut record = vec![0; RECORD_HEADER_OCTETS];
    stream.read_exact(&mut record)?;
    let length = u32::from_ne_bytes(record[8..12].try_into().unwrap());
    record.resize(RECORD_HEADER_OCTETS + length as usize, 0);
    stream.read_exact(&mut record[RECORD_HEADER_OCTETS..])?;
    Ok(record)
}
