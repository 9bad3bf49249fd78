//! The words of a line, taken one after the other; whoever takes one says what it should be.

use std::net::Ipv6Addr;
use std::str::FromStr;
use std::time::Duration;

use wire::Prefix;

use super::fault::Fault;

/// What is left of a line.
#[derive(Debug, Clone)]
pub(super) struct Words<'a> {
    pub(super) line: usize,
    rest: &'a str,
}

impl<'a> Words<'a> {
    pub(super) fn new(line: usize, text: &'a str) -> Self {
        Self { line, rest: text.trim() }
    }

    /// The next word, if there is one; one in quotes keeps them.
    pub(super) fn peek(&self) -> Option<&'a str> {
        let rest = self.rest;
        let end = match rest.strip_prefix('"') {
            Some(quoted) => quoted.find('"').map_or(rest.len(), |at| at + 2),
            None => rest.find(char::is_whitespace).unwrap_or(rest.len()),
        };
        (!rest.is_empty()).then(|| &rest[..end])
    }

    /// Takes the next word.
    pub(super) fn next(&mut self, right: &str) -> Result<&'a str, Fault> {
        let word =
            self.peek().ok_or_else(|| Fault::new(self.line, "something is missing at the end", right))?;
        self.rest = self.rest[word.len()..].trim_start();
        Ok(word)
    }

    /// Takes these words if they come next.
    pub(super) fn take(&mut self, words: &str) -> bool {
        let mut ahead = self.clone();
        for word in words.split(' ') {
            if ahead.peek() != Some(word) {
                return false;
            }
            let _ = ahead.next("");
        }
        *self = ahead;
        true
    }

    /// Insists on these words.
    pub(super) fn expect(&mut self, words: &str) -> Result<(), Fault> {
        if self.take(words) { Ok(()) } else { Err(self.fault(words)) }
    }

    /// A value that can be read from one word.
    pub(super) fn parse<T: FromStr>(&mut self, right: &str) -> Result<T, Fault> {
        let word = self.next(right)?;
        word.parse().map_err(|_| Fault::new(self.line, format!("{word} is not {right}"), right))
    }

    pub(super) fn number<T: FromStr>(&mut self) -> Result<T, Fault> {
        self.parse("a number")
    }

    pub(super) fn address(&mut self) -> Result<Ipv6Addr, Fault> {
        self.parse("an IPv6 address")
    }

    pub(super) fn prefix(&mut self) -> Result<Prefix, Fault> {
        self.parse("a prefix such as 2001:db8:1::/64, without bits behind its length")
    }

    /// A number and its unit.
    pub(super) fn duration(&mut self) -> Result<Duration, Fault> {
        let count: u64 = self.number()?;
        let millis = match self.next("ms, s, min or h")? {
            "ms" => 1,
            "s" => 1_000,
            "min" => 60_000,
            "h" => 3_600_000,
            other => return Err(Fault::unknown(self.line, other, ["ms", "s", "min", "h"])),
        };
        Ok(Duration::from_millis(count * millis))
    }

    /// Seconds as a number with its unit.
    pub(super) fn secs(&mut self) -> Result<u32, Fault> {
        let secs = self.duration()?.as_secs();
        u32::try_from(secs).map_err(|_| Fault::new(self.line, "so long is for ever", "fewer seconds"))
    }

    /// Text in quotes, or octets as hexadecimal digits behind 0x.
    pub(super) fn octets(&mut self) -> Result<Vec<u8>, Fault> {
        let word = self.next("text in quotes, or 0x and hexadecimal digits")?;
        octets(word).ok_or_else(|| {
            Fault::new(
                self.line,
                format!("{word} are no octets"),
                "text in quotes, or 0x and hexadecimal digits",
            )
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Nothing more may come.
    pub(super) fn end(&self) -> Result<(), Fault> {
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(Fault::new(self.line, format!("\"{}\" is too much", self.rest), "the end of the line"))
    }

    /// What comes next is wrong.
    pub(super) fn fault(&self, right: &str) -> Fault {
        match self.peek() {
            Some(word) => Fault::new(self.line, format!("{word} is wrong here"), right),
            None => Fault::new(self.line, "something is missing at the end", right),
        }
    }
}

/// Octets as one word tells them.
pub(super) fn octets(word: &str) -> Option<Vec<u8>> {
    if let Some(text) = word.strip_prefix('"') {
        return text.strip_suffix('"').map(|text| text.as_bytes().to_vec());
    }
    let digits: String = word.strip_prefix("0x")?.chars().filter(|digit| *digit != '_').collect();
    hexadecimal(&digits)
}

/// Octets from hexadecimal digits, two each.
pub(super) fn hexadecimal(digits: &str) -> Option<Vec<u8>> {
    let is_sound = digits.len().is_multiple_of(2) && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let pairs = digits.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap_or_default());
    is_sound.then(|| pairs.filter_map(|pair| u8::from_str_radix(pair, 16).ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_taken_one_by_one() {
        let mut words = Words::new(7, "C1 sends \"two words\" 30 s 0x01_ff x");
        assert_eq!(words.next("").unwrap(), "C1");
        assert!(!words.take("sends 30") && words.take("sends"));
        assert_eq!(words.octets().unwrap(), b"two words");
        assert_eq!(words.duration().unwrap(), Duration::from_secs(30));
        assert_eq!(words.octets().unwrap(), [1, 255]);
        assert_eq!(words.end().unwrap_err().line, 7);
        assert!(words.number::<u8>().unwrap_err().to_string().contains("x is not a number"));
        assert!(words.next("more").unwrap_err().to_string().ends_with("right would be more"));
    }
}
