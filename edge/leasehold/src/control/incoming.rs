//! A request while it comes in: one line, cut anywhere, and not longer than a request may be.
//!
//! What is said of a line depends on its octets alone, not on how they were cut. What comes behind it is
//! not looked at: a connection is for one request.

use super::{MAX_REQUEST_OCTETS, Request};

/// What has come of a request.
#[derive(Debug, Default)]
pub struct Incoming(Vec<u8>);

impl Incoming {
    /// Takes octets as they come. Gives the request when its line is whole, or why it is refused.
    pub fn take(&mut self, octets: &[u8]) -> Option<Result<Request, String>> {
        // One more than a request has tells that there are too many.
        let room = MAX_REQUEST_OCTETS + 1 - self.0.len();
        let octets = &octets[..octets.len().min(room)];
        let end = octets.iter().position(|octet| *octet == b'\n');
        self.0.extend_from_slice(&octets[..end.unwrap_or(octets.len())]);
        if end.is_some() {
            return Some(understood(&self.0));
        }
        (self.0.len() > MAX_REQUEST_OCTETS)
            .then(|| Err(format!("a request has {MAX_REQUEST_OCTETS} octets at most")))
    }
}

/// Why it is not understood is one line too, whatever of the request it repeats.
fn understood(line: &[u8]) -> Result<Request, String> {
    serde_json::from_slice(line).map_err(|error| {
        let why = error.to_string().replace(char::is_control, " ");
        format!("the request is not understood: {why}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of a line that comes in pieces of so many octets.
    fn said(line: &[u8], piece: usize) -> Option<Result<Request, String>> {
        let mut incoming = Incoming::default();
        line.chunks(piece).find_map(|octets| incoming.take(octets))
    }

    #[test]
    fn a_request_is_one_line_however_it_is_cut() {
        let line = b"\"links\"\n\"queries\"\n";
        for piece in 1..=line.len() {
            assert_eq!(said(line, piece), Some(Ok(Request::Links)), "{piece}");
        }
        assert_eq!(said(b"\"links\"", 3), None, "it may go on");
        assert!(said(b"\"colours\"\n", 3).unwrap().unwrap_err().contains("not understood"));
    }

    #[test]
    fn why_it_is_refused_is_one_line_without_what_a_terminal_obeys() {
        for line in
            [&b"{\"st\\rou\":{}}\n"[..], b"{\"a\\u001b[2J\\nb\":{}}\n", b"{\"clear\":{\"a\\nb\":1}}\n"]
        {
            let why = said(line, line.len()).unwrap().unwrap_err();
            assert!(why.contains("not understood") && !why.contains(char::is_control), "{why:?}");
        }
    }

    // A line just beyond the limit was taken if it came together with its end, and refused otherwise.
    #[test]
    fn how_long_a_request_may_be_does_not_depend_on_how_it_is_cut() {
        let line = |length: usize| [&b"\"links\""[..], &vec![b' '; length - 7], b"\n"].concat();
        for piece in [1, 1000, 1024, MAX_REQUEST_OCTETS, MAX_REQUEST_OCTETS + 1, usize::MAX] {
            assert_eq!(said(&line(MAX_REQUEST_OCTETS), piece), Some(Ok(Request::Links)), "{piece}");
            for length in [MAX_REQUEST_OCTETS + 1, MAX_REQUEST_OCTETS + 2, 3 * MAX_REQUEST_OCTETS] {
                let why = said(&line(length), piece).unwrap().unwrap_err();
                assert!(why.contains("at most"), "{length} octets, {piece} at a time: {why}");
            }
        }
    }
}
