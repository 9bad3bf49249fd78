//! The outer form of a lease file: lines, a header, fields, and Kea's way of escaping.
//!
//! Kea separates with commas and quotes nothing: a comma, an ampersand or a control character inside a value
//! is written as `&#x` and two hexadecimal digits. The header names the columns; each version of Kea has more
//! of them than the one before, so a column is found by its name and not by its place.
//!
//! The one invariant: a [`Row`] exists only for a line with exactly as many fields as the header has columns.
//! A line that was torn in the middle of writing is therefore an error and never a lease with half a value.

use std::borrow::Cow;
use std::io::{self, BufRead, Read};

use thiserror::Error;

use super::octets;

/// Octets of a line. 32 relays, the most that are kept, with 65,535 octets of options between them, in
/// hexadecimal and with the names around them, come to about 140,000; what is longer than this is not a
/// lease.
const MAX_LINE_OCTETS: usize = 1 << 20;

/// Declares the columns that are read, in one place: variant, name in the header, whether Kea insists on it.
macro_rules! columns {
    ($($column:ident, $name:literal, $required:literal;)*) => {
        /// A column that says something about a lease.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Column { $(#[doc = $name] $column),* }

        const COLUMNS: &[(Column, &str, bool)] = &[$((Column::$column, $name, $required)),*];
        const COLUMN_COUNT: usize = COLUMNS.len();
    };
}

columns! {
    Address, "address", true;
    Duid, "duid", true;
    ValidLifetime, "valid_lifetime", true;
    Expire, "expire", true;
    SubnetId, "subnet_id", true;
    PreferredLifetime, "pref_lifetime", true;
    LeaseType, "lease_type", true;
    Iaid, "iaid", true;
    PrefixLength, "prefix_len", true;
    FqdnForward, "fqdn_fwd", true;
    FqdnReverse, "fqdn_rev", true;
    Hostname, "hostname", true;
    State, "state", false;
    UserContext, "user_context", false;
}

/// All columns in the order in which Kea 3.3 writes them; each version before it has the first so many of
/// them. Those that are not read say nothing that a DHCPv6 server needs: the client's hardware address, where
/// it was learnt from, and the number of the pool, which follows from the address.
const KEA_ORDER: [&str; 18] = [
    "address",
    "duid",
    "valid_lifetime",
    "expire",
    "subnet_id",
    "pref_lifetime",
    "lease_type",
    "iaid",
    "prefix_len",
    "fqdn_fwd",
    "fqdn_rev",
    "hostname",
    "hwaddr",
    "state",
    "user_context",
    "hwtype",
    "hwaddr_source",
    "pool_id",
];

/// Why a file's first line is not the header of a lease file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum HeaderError {
    /// A column without which there is no lease.
    #[error("the header has no column `{0}`; it begins `address,duid,valid_lifetime,expire,...`")]
    Missing(&'static str),
    /// Two columns of one name, so that it is not clear which one counts.
    #[error("the header has the column `{0}` twice")]
    Twice(&'static str),
    /// Not a line of text at all.
    #[error(transparent)]
    Row(#[from] RowError),
}

/// Why a line is not a row of the file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RowError {
    /// Torn, or not from this file.
    #[error("{found} fields where the header has {columns} columns")]
    Fields {
        /// Fields of the line.
        found: usize,
        /// Columns of the header.
        columns: usize,
    },
    /// Longer than any lease.
    #[error("longer than {MAX_LINE_OCTETS} octets")]
    Overlong,
}

/// Which field of a line is which column, as one header says.
///
/// A Kea that was upgraded goes on writing to the file it finds, below the old header, until the next
/// clean-up. So lines below a header of an older Kea may have the columns that came later.
#[derive(Debug)]
pub(super) struct Layout {
    /// For each field, the column it belongs to, if that one is read.
    fields: Vec<Option<Column>>,
    /// Columns of the header. Behind them in `fields` are those that a later Kea may have added.
    columns: usize,
    /// Names of columns that no known Kea writes.
    pub(super) unknown: Vec<String>,
}

impl Layout {
    /// Reads the header line.
    pub(super) fn from_header(line: &[u8]) -> Result<Self, HeaderError> {
        let names: Vec<Cow<str>> = line
            .split(|&octet| octet == b',')
            .map(|name| String::from_utf8_lossy(name.trim_ascii()))
            .collect();
        let mut fields: Vec<Option<Column>> = names.iter().map(|name| column(name)).collect();
        for (column, name, required) in COLUMNS {
            match fields.iter().filter(|field| **field == Some(*column)).count() {
                0 if *required => return Err(HeaderError::Missing(name)),
                0 | 1 => (),
                _ => return Err(HeaderError::Twice(name)),
            }
        }
        let columns = names.len();
        if KEA_ORDER.iter().zip(&names).all(|(kea, name)| kea == name) {
            fields.extend(KEA_ORDER.iter().skip(columns).map(|name| column(name)));
        }
        let unknown = names.into_iter().filter(|name| !KEA_ORDER.contains(&&**name));
        Ok(Self { fields, columns, unknown: unknown.map(String::from).collect() })
    }

    /// Splits a line.
    pub(super) fn row<'a>(&self, line: &'a [u8]) -> Result<Row<'a>, RowError> {
        let mut row = Row { values: [None; COLUMN_COUNT] };
        let mut found = 0;
        for value in line.split(|&octet| octet == b',') {
            if let Some(Some(column)) = self.fields.get(found) {
                row.values[*column as usize] = Some(value);
            }
            found += 1;
        }
        let fits = (self.columns..=self.fields.len()).contains(&found);
        if fits { Ok(row) } else { Err(RowError::Fields { found, columns: self.columns }) }
    }
}

/// The column of this name, if it is read.
fn column(name: &str) -> Option<Column> {
    COLUMNS.iter().find(|(_, known, _)| *known == name).map(|(column, ..)| *column)
}

/// The values of one line, still escaped.
#[derive(Debug)]
pub(super) struct Row<'a> {
    values: [Option<&'a [u8]>; COLUMN_COUNT],
}

impl<'a> Row<'a> {
    /// The value in a column; empty if the line does not have the column.
    pub(super) fn value(&self, column: Column) -> &'a [u8] {
        self.values[column as usize].unwrap_or_default()
    }

    /// Whether the line has a column.
    pub(super) fn has(&self, column: Column) -> bool {
        self.values[column as usize].is_some()
    }
}

/// Undoes Kea's escaping: `&#x2c` becomes a comma. `&#x` without two hexadecimal digits stays as it is, as in
/// Kea.
pub(super) fn unescape(value: &[u8]) -> Cow<'_, [u8]> {
    const TAG: &[u8] = b"&#x";
    let Some(first) = value.iter().position(|&octet| octet == b'&') else { return Cow::Borrowed(value) };
    let mut plain = Vec::with_capacity(value.len());
    let (before, mut rest) = value.split_at(first);
    plain.extend_from_slice(before);
    while let [octet, behind @ ..] = rest {
        let escaped = rest.strip_prefix(TAG).and_then(|rest| match rest {
            [high, low, rest @ ..] => Some((octets::digit(*high)? << 4 | octets::digit(*low)?, rest)),
            _ => None,
        });
        let (octet, behind) = escaped.unwrap_or((*octet, behind));
        plain.push(octet);
        rest = behind;
    }
    Cow::Owned(plain)
}

/// A line that is not blank.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// Counted from 1.
    pub(super) number: u64,
    /// Without its end and without a byte order mark.
    pub(super) text: Result<&'a [u8], RowError>,
}

/// The lines of a file, one at a time in one buffer.
#[derive(Debug)]
pub(super) struct Lines<R> {
    input: R,
    buffer: Vec<u8>,
    number: u64,
    /// Octets read from the file so far.
    pub(super) octets: u64,
}

impl<R: BufRead> Lines<R> {
    /// Reads from the beginning of a file.
    pub(super) fn new(input: R) -> Self {
        Self { input, buffer: Vec::new(), number: 0, octets: 0 }
    }

    /// The next line that is not blank; `None` at the end of the file.
    pub(super) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        loop {
            if self.fill()? == 0 {
                return Ok(None);
            }
            self.number += 1;
            if self.buffer.len() > MAX_LINE_OCTETS {
                self.skip_line()?;
                return Ok(Some(Line { number: self.number, text: Err(RowError::Overlong) }));
            }
            if !content(&self.buffer, self.number).trim_ascii().is_empty() {
                return Ok(Some(Line { number: self.number, text: Ok(content(&self.buffer, self.number)) }));
            }
        }
    }

    /// Reads up to the end of the line, or one octet more than a line may have.
    fn fill(&mut self) -> io::Result<usize> {
        self.buffer.clear();
        let limit = MAX_LINE_OCTETS as u64 + 1;
        let read = self.input.by_ref().take(limit).read_until(b'\n', &mut self.buffer)?;
        self.octets += read as u64;
        Ok(read)
    }

    fn skip_line(&mut self) -> io::Result<()> {
        while self.buffer.last() != Some(&b'\n') && self.fill()? > 0 {}
        Ok(())
    }
}

/// A line without what is not its content.
fn content(line: &[u8], number: u64) -> &[u8] {
    const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if number == 1 { line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line) } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLDEST: &str = "address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,\
                          prefix_len,fqdn_fwd,fqdn_rev,hostname";

    #[test]
    fn unescapes_what_kea_escapes() {
        for (escaped, plain) in [
            ("plain", "plain"),
            ("a&#x2cb&#x2Cc", "a,b,c"),
            ("&#x26#x2c", "&#x2c"),
            ("&&#x2c&", "&,&"),
            ("&#x&#x2c", "&#x,"),
            ("&#xg0&#x2", "&#xg0&#x2"),
        ] {
            assert_eq!(unescape(escaped.as_bytes()), plain.as_bytes(), "{escaped}");
        }
        assert_eq!(unescape(b"&#x00&#xff"), &[0x00, 0xff][..]);
    }

    #[test]
    fn a_header_may_be_in_any_order_but_must_be_whole() {
        let layout = Layout::from_header(format!("pool_id,wonder,{OLDEST}").as_bytes()).unwrap();
        assert_eq!(layout.unknown, ["wonder"]);
        let row = layout.row(b"0,x,::1,00:01,1,2,3,4,5,6,7,8,9,name").unwrap();
        assert_eq!(row.value(Column::Address), b"::1");
        assert_eq!(row.value(Column::Hostname), b"name");
        assert_eq!(row.value(Column::UserContext), b"");

        let cut = OLDEST.replace(",iaid", "");
        assert_eq!(Layout::from_header(cut.as_bytes()).unwrap_err(), HeaderError::Missing("iaid"));
        let twice = format!("{OLDEST},iaid");
        assert_eq!(Layout::from_header(twice.as_bytes()).unwrap_err(), HeaderError::Twice("iaid"));
    }

    fn fields_accepted(header: &str) -> Vec<usize> {
        let layout = Layout::from_header(header.as_bytes()).unwrap();
        (1..30).filter(|fields| layout.row(&vec![b','; fields - 1]).is_ok()).collect()
    }

    #[test]
    fn a_row_has_as_many_fields_as_the_header_or_as_a_later_kea_has() {
        assert_eq!(fields_accepted(OLDEST), (12..=18).collect::<Vec<_>>());
        assert_eq!(fields_accepted(&KEA_ORDER[..17].join(",")), [17, 18]);
        assert_eq!(fields_accepted(&KEA_ORDER.join(",")), [18]);
        assert_eq!(fields_accepted(&format!("{OLDEST},colour")), [13]);
        assert_eq!(fields_accepted(&format!("{},colour", KEA_ORDER.join(","))), [19]);
        let layout = Layout::from_header(OLDEST.as_bytes()).unwrap();
        assert!(!layout.row(b"1,2,3,4,5,6,7,8,9,10,11,12,13").unwrap().has(Column::State));
        assert_eq!(layout.row(b"1,2,3,4,5,6,7,8,9,10,11,12,13,14").unwrap().value(Column::State), b"14");
    }

    #[test]
    fn lines_end_in_any_way_and_blank_ones_do_not_count() {
        let mut lines = Lines::new(&b"\xef\xbb\xbfone\r\n\n  \r\ntwo\nthree"[..]);
        for (number, expected) in [(1, "one"), (4, "two"), (5, "three")] {
            assert_eq!(lines.next().unwrap(), Some(Line { number, text: Ok(expected.as_bytes()) }));
        }
        assert_eq!(lines.next().unwrap(), None);
        assert_eq!(lines.octets, 22);
    }

    #[test]
    fn an_overlong_line_is_left_out_whole() {
        let text = [vec![b'x'; 3 * MAX_LINE_OCTETS], b"\nnext\n".to_vec()].concat();
        let mut lines = Lines::new(&text[..]);
        assert_eq!(lines.next().unwrap(), Some(Line { number: 1, text: Err(RowError::Overlong) }));
        assert_eq!(lines.next().unwrap(), Some(Line { number: 2, text: Ok(b"next") }));
    }
}
