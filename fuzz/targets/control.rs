//! The control socket, from both sides. Cut anywhere, a request is understood or refused in the same way,
//! and an answer has the same items and the same end; what was understood says the same when it is written
//! and read again.
//!
//! The input is what comes behind two octets: the kind of it, and the seed of the chopping.

#![no_main]

use std::fmt::Debug;
use std::io::{self, Read};

use fuzz::chopped;
use leasehold::control::{
    Answers, Client, Counters, Delegation, Failure, Incoming, Link, MAX_REQUEST_OCTETS, Query, RelayStatus,
    Request, Route, Server, Told, Unplaced,
};
use libfuzzer_sys::fuzz_target;
use serde::Serialize;
use serde::de::DeserializeOwned;

fuzz_target!(|octets: &[u8]| {
    let [kind, seed, stream @ ..] = octets else { return };
    match kind % 11 {
        0 => request(stream, *seed),
        1 => answer::<Client>(stream, *seed),
        2 => answer::<Link>(stream, *seed),
        3 => answer::<Counters>(stream, *seed),
        4 => answer::<Told>(stream, *seed),
        5 => answer::<RelayStatus>(stream, *seed),
        6 => answer::<Delegation>(stream, *seed),
        7 => answer::<Unplaced>(stream, *seed),
        8 => answer::<Route>(stream, *seed),
        9 => answer::<Server>(stream, *seed),
        _ => {
            // How long a query took is a fraction, which text does not keep to its last bit.
            let _ = answered::<Query>(stream, *seed);
        }
    }
});

fn request(stream: &[u8], seed: u8) {
    let said = understood([stream]);
    assert_eq!(understood(chopped(stream, seed)), said);
    assert_eq!(understood(stream.chunks(1)), said);
    match said {
        None => assert!(!stream.contains(&b'\n') && stream.len() <= MAX_REQUEST_OCTETS),
        Some(Err(why)) => assert!(!why.contains(char::is_control), "{why:?}"),
        Some(Ok(request)) => {
            let mut line = serde_json::to_vec(&request).expect("a request is JSON");
            assert!(!line.contains(&b'\n'));
            assert!(!request.to_string().contains(char::is_control), "a line in a log: {request}");
            line.push(b'\n');
            assert_eq!(understood([line.as_slice()]), Some(Ok(request)));
        }
    }
}

fn understood<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Option<Result<Request, String>> {
    let mut incoming = Incoming::default();
    pieces.into_iter().find_map(|octets| incoming.take(octets))
}

fn answer<T: Serialize + DeserializeOwned + PartialEq + Debug>(stream: &[u8], seed: u8) {
    let (items, end) = answered::<T>(stream, seed);
    let mut told = Vec::new();
    for item in &items {
        told.extend(b"{\"item\":");
        told.extend(serde_json::to_vec(item).expect("an item is JSON"));
        told.extend(b"}\n");
    }
    told.extend(b"{\"end\":\"complete\"}\n");
    assert_eq!(read::<T>([told.as_slice()]), (items, Ok(())));
    assert!(end.is_err() || stream.ends_with(b"\n") || stream.contains(&b'\n'));
}

fn answered<T: DeserializeOwned + PartialEq + Debug>(
    stream: &[u8],
    seed: u8,
) -> (Vec<T>, Result<(), Failure>) {
    let whole = read([stream]);
    assert_eq!(read(chopped(stream, seed)), whole);
    whole
}

fn read<'a, T: DeserializeOwned>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<T>, Result<(), Failure>) {
    let mut answers = Answers::of(Pieces { rest: &[], behind: pieces.into_iter() });
    let items = answers.by_ref().collect();
    assert!(answers.next().is_none(), "nothing comes behind the end");
    (items, answers.end())
}

/// A socket from which so much can be read at a time as comes in one piece.
struct Pieces<'a, I> {
    rest: &'a [u8],
    behind: I,
}

impl<'a, I: Iterator<Item = &'a [u8]>> Read for Pieces<'a, I> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.rest.is_empty() {
            self.rest = self.behind.next().unwrap_or_default();
        }
        self.rest.read(room)
    }
}
