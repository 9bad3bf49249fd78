//! What came of an import: counts, and the lines and findings an operator should look at.
//!
//! Every line of every file is counted under exactly one of `deletions`, `superseded`, `bad_lines`, or the
//! leases by what became of them. Lists are bounded, counts are not.

use serde::Serialize;

/// Bad lines and warnings that are kept word by word. An operator reads the first ones, mends the cause, and
/// runs the import again; a file of millions of bad lines must not become a report of millions of lines.
pub const MAX_LISTED: usize = 100;

/// A line that could not be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BadLine {
    /// The file, as it was opened.
    pub file: String,
    /// The line, counted from 1.
    pub line: u64,
    /// Why.
    pub reason: String,
}

/// What came of an import. Keys of its JSON form are the names of the fields.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// The files that were read, in this order.
    pub files: Vec<String>,
    /// Lines that are not blank, headers left out.
    pub lines: u64,
    /// Lines that delete a lease.
    pub deletions: u64,
    /// Lines that a later line about the same address or prefix replaced or deleted.
    pub superseded: u64,
    /// Lines that could not be used.
    pub bad_lines: u64,
    /// Leases in force: these are imported.
    pub active: u64,
    /// Leases whose time is over.
    pub expired: u64,
    /// Leases that clients gave back and that Kea still remembers.
    pub released: u64,
    /// Leases whose time is over or that were given back, and that are remembered for their clients.
    pub remembered: u64,
    /// Addresses that a client found in use by somebody else, and that rest.
    pub declined: u64,
    /// Addresses that clients chose for themselves and only told the server about (RFC 9686).
    pub registered: u64,
    /// Temporary addresses (IA_TA), which are not imported.
    pub temporary: u64,
    /// Clients imported: one for each DUID on each link, those included of whom something is only remembered.
    pub clients: u64,
    /// Links imported.
    pub links: u64,
    /// Warnings, those beyond the listed ones included.
    pub warning_count: u64,
    /// The first [`MAX_LISTED`] bad lines.
    pub bad: Vec<BadLine>,
    /// The first [`MAX_LISTED`] warnings.
    pub warnings: Vec<String>,
}

impl Summary {
    /// Counts a bad line, and keeps it if there is room.
    pub(super) fn bad_line(&mut self, bad: impl FnOnce() -> BadLine) {
        self.bad_lines += 1;
        if self.bad.len() < MAX_LISTED {
            self.bad.push(bad());
        }
    }

    /// The name of a file, by its place in the order of reading.
    pub(super) fn file(&self, index: u32) -> &str {
        self.files.get(index as usize).map_or("", String::as_str)
    }

    /// Counts a warning, and keeps it if there is room.
    pub fn warn(&mut self, warning: impl FnOnce() -> String) {
        self.warning_count += 1;
        if self.warnings.len() < MAX_LISTED {
            self.warnings.push(warning());
        }
    }
}
