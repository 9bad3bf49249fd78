//! What connections do that mean no good.

use std::future::pending;
use std::io;
use std::net::SocketAddrV6;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::sleep;
use world::Chance;

use crate::legitimate::query;

/// How often one speaks that takes its time.
const DRIP: Duration = Duration::from_secs(1);
/// How long one waits at the most that was closed, before it comes again.
const BREATH_MILLIS: u64 = 2_000;
/// How soon one comes again that was refused and does not wait. So many of them that the server has something to do, and
/// this machine still time for it.
const AT_ONCE: Duration = Duration::from_millis(50);
/// What one can receive that does not want to.
const DEAF_OCTETS: u32 = 2_048;
/// As much as a frame can announce.
const HUGE: usize = 65_535;

/// A misdeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Misdeed {
    /// Never speaks.
    Silent,
    /// Says one octet a second, of a frame that is as long as can be.
    Dripping,
    /// Asks for everything and reads nothing; one or the other will say no more, either.
    Deaf,
    /// Says a part of a question, and then nothing.
    HalfFrame,
    /// Says all of the longest frame but its last octet.
    NearlyHuge,
    /// Says one of the longest frames after the other.
    Huge,
    /// Says frames that are shorter or longer than they say.
    WrongLength,
    /// Says what is not for a server, or of no protocol that anybody knows.
    WrongMessage,
    /// Says a part of a question, and closes its end.
    HalfClosing,
    /// Says anything, and resets the connection.
    Resetting,
    /// Says nothing, and comes again at once when it is refused.
    Impatient,
}

impl Misdeed {
    /// Those that the server bears, for as long as its limits of time say. Whoever asks for everything has it work for him,
    /// for once; so many do it that what is left of that work is not all that there is to see.
    pub(crate) const STAYING: [Self; 11] = [
        Self::Silent,
        Self::Silent,
        Self::Silent,
        Self::Dripping,
        Self::Dripping,
        Self::Dripping,
        Self::HalfFrame,
        Self::HalfFrame,
        Self::NearlyHuge,
        Self::NearlyHuge,
        Self::Deaf,
    ];
    /// Those that it, or they themselves, end at once.
    pub(crate) const COMING_AND_GOING: [Self; 5] =
        [Self::Huge, Self::WrongLength, Self::WrongMessage, Self::HalfClosing, Self::Resetting];
    /// All of them.
    pub(crate) const ALL: [Self; 11] = [
        Self::Silent,
        Self::Dripping,
        Self::Deaf,
        Self::HalfFrame,
        Self::NearlyHuge,
        Self::Huge,
        Self::WrongLength,
        Self::WrongMessage,
        Self::HalfClosing,
        Self::Resetting,
        Self::Impatient,
    ];
}

/// One that does one thing, over and over.
pub(crate) struct Villain {
    misdeed: Misdeed,
    source: SocketAddrV6,
    target: SocketAddrV6,
    chance: Chance,
}

impl Villain {
    pub(crate) fn new(misdeeds: &[Misdeed], source: SocketAddrV6, target: SocketAddrV6, seed: u64) -> Self {
        let mut chance = Chance::from_seed(seed);
        let misdeed = misdeeds[chance.below(misdeeds.len() as u64) as usize];
        Self { misdeed, source, target, chance }
    }

    /// Connects and misbehaves, and comes again when it is over.
    pub(crate) async fn misbehave(mut self) {
        loop {
            if let Ok(mut stream) = self.connect().await {
                let _ = self.act(&mut stream).await;
            }
            let breath = match self.misdeed {
                Misdeed::Impatient => AT_ONCE,
                _ => Duration::from_millis(self.chance.below(BREATH_MILLIS)),
            };
            sleep(breath).await;
        }
    }

    async fn connect(&self) -> io::Result<TcpStream> {
        let socket = TcpSocket::new_v6()?;
        socket2::SockRef::from(&socket).set_freebind_v6(true)?;
        socket.bind(self.source.into())?;
        if self.misdeed == Misdeed::Deaf {
            socket.set_recv_buffer_size(DEAF_OCTETS)?;
        }
        socket.connect(self.target.into()).await
    }

    /// Until the server closes the connection, or it is enough.
    async fn act(&mut self, stream: &mut TcpStream) -> io::Result<()> {
        match self.misdeed {
            Misdeed::Silent | Misdeed::Impatient => {}
            Misdeed::Dripping => return self.drip(stream).await,
            Misdeed::Deaf => {
                stream.write_all(&query()).await?;
                if self.chance.below(4) == 0 {
                    stream.shutdown().await?;
                }
                return pending().await;
            }
            Misdeed::HalfFrame => stream.write_all(&self.part_of_a_query()).await?,
            Misdeed::NearlyHuge => stream.write_all(&self.huge_frame()[..HUGE + 1]).await?,
            Misdeed::Huge => {
                for _ in 0..1 + self.chance.below(4) {
                    stream.write_all(&self.huge_frame()).await?;
                }
            }
            Misdeed::WrongLength => stream.write_all(&self.query_of_wrong_length()).await?,
            Misdeed::WrongMessage => stream.write_all(&self.wrong_message()).await?,
            Misdeed::HalfClosing => {
                stream.write_all(&self.part_of_a_query()).await?;
                stream.shutdown().await?;
            }
            Misdeed::Resetting => {
                stream.write_all(&self.octets(400)).await?;
                sleep(Duration::from_millis(self.chance.below(20))).await;
                return socket2::SockRef::from(&*stream).set_linger(Some(Duration::ZERO));
            }
        }
        while stream.read(&mut [0; 512]).await? > 0 {}
        Ok(())
    }

    async fn drip(&mut self, stream: &mut TcpStream) -> io::Result<()> {
        sleep(Duration::from_millis(self.chance.below(1_000))).await;
        for octet in self.huge_frame() {
            stream.write_all(&[octet]).await?;
            sleep(DRIP).await;
        }
        Ok(())
    }

    /// Any octets, so many at the most and one at least.
    fn octets(&mut self, most: u64) -> Vec<u8> {
        (0..1 + self.chance.below(most)).map(|_| self.chance.next_u64() as u8).collect()
    }

    fn part_of_a_query(&mut self) -> Vec<u8> {
        let mut query = query();
        query.truncate(1 + self.chance.below(query.len() as u64 - 1) as usize);
        query
    }

    /// A frame as long as can be, of a question that begins well, or of anything.
    fn huge_frame(&mut self) -> Vec<u8> {
        let mut frame = vec![0xff, 0xff];
        if self.chance.below(2) == 0 {
            frame.extend(&query()[2..]);
        }
        let pattern = self.octets(64);
        frame.extend(pattern.iter().cycle().take(2 + HUGE - frame.len()));
        frame
    }

    /// Too short for a header, or with more or less in it than a question has.
    fn query_of_wrong_length(&mut self) -> Vec<u8> {
        let mut frame = query();
        let right = frame.len() as u64 - 2;
        let wrong = match self.chance.below(3) {
            0 => self.chance.below(4),
            1 => 4 + self.chance.below(right - 4),
            _ => right + 1 + self.chance.below(40),
        };
        frame[..2].copy_from_slice(&(wrong as u16).to_be_bytes());
        frame.extend(self.octets(60));
        frame
    }

    /// A Relay-forward, a Reply, a LEASEQUERY-DONE or any other type but those that a server takes, with anything in it.
    fn wrong_message(&mut self) -> Vec<u8> {
        const WRONG: [u8; 8] = [1, 7, 12, 13, 15, 16, 17, 200];
        let mut message = vec![WRONG[self.chance.below(WRONG.len() as u64) as usize]];
        message.extend([0, 0, 1]);
        if self.chance.below(2) == 0 {
            message.extend(self.octets(300));
        }
        [&(message.len() as u16).to_be_bytes(), &message[..]].concat()
    }
}
