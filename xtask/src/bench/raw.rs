//! The physical limit: so many octets through a bare TCP connection between two processes.
//!
//! The sender is this program once more. It writes large blocks and the receiver reads large blocks, with nothing in between
//! but the kernel; a protocol can only be slower.

use std::env;
use std::io::{Read, Write};
use std::net::{Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::time::Instant;

use anyhow::{Result, ensure};

/// Octets of a write, and of the room for a read.
const BLOCK_OCTETS: usize = 256 * 1024;

/// What the sender is told.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    to: SocketAddr,
    octets: u64,
}

/// Octets a second that a bare connection carries, measured over so many.
pub(super) fn octets_per_second(octets: u64) -> Result<f64> {
    let listener = TcpListener::bind((Ipv6Addr::LOCALHOST, 0))?;
    let to = listener.local_addr()?;
    let mut sender = Command::new(env::current_exe()?)
        .args(["bench", "raw-sender", &to.to_string(), &octets.to_string()])
        .spawn()?;
    let (stream, _) = listener.accept()?;
    let begun = Instant::now();
    let received = receive(stream)?;
    let seconds = begun.elapsed().as_secs_f64();
    ensure!(sender.wait()?.success() && received == octets, "{received} of {octets} octets came");
    Ok(octets as f64 / seconds)
}

fn receive(mut stream: TcpStream) -> Result<u64> {
    let mut block = vec![0; BLOCK_OCTETS];
    let mut received = 0;
    loop {
        match stream.read(&mut block)? {
            0 => return Ok(received),
            octets => received += octets as u64,
        }
    }
}

/// The sender's part.
pub(super) fn send(&Arguments { to, octets }: &Arguments) -> Result<()> {
    let mut stream = TcpStream::connect(to)?;
    let block = vec![0; BLOCK_OCTETS];
    let mut left = octets;
    while left > 0 {
        let length = left.min(BLOCK_OCTETS as u64);
        stream.write_all(&block[..length as usize])?;
        left -= length;
    }
    Ok(())
}
