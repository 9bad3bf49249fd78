//! The files that make up one lease database.
//!
//! Kea only ever appends to its lease file NAME. From time to time it moves NAME to NAME.1, begins a new
//! NAME, and starts `kea-lfc`, which reads NAME.2 (the result of the last such clean-up) and NAME.1, writes
//! what is still current to NAME.output, renames that to NAME.completed once it is whole, deletes NAME.2 and
//! NAME.1, and renames NAME.completed to NAME.2. A crash can leave any of these behind.
//!
//! So a database is read as Kea reads it at its start: NAME.completed alone if it exists, since then it has
//! everything that NAME.2 and NAME.1 had; else NAME.2 and then NAME.1, each if it exists; and at last NAME.
//! NAME.output is never read: it may be half a file, and what it was made from is still there.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use super::ImportError;

/// One file to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LeaseFile {
    /// Where it is.
    pub(super) path: PathBuf,
    /// Its octets at the time of looking.
    pub(super) octets: u64,
}

/// The files that hold the leases of the database `name`, oldest lines first.
pub(super) fn files(name: &Path) -> Result<Vec<LeaseFile>, ImportError> {
    let cleaned = match look(with_suffix(name, ".completed"))? {
        Some(completed) => vec![Some(completed)],
        None => vec![look(with_suffix(name, ".2"))?, look(with_suffix(name, ".1"))?],
    };
    let files: Vec<LeaseFile> = cleaned.into_iter().chain([look(name.to_owned())?]).flatten().collect();
    if files.is_empty() { Err(ImportError::NoLeaseFile(name.to_owned())) } else { Ok(files) }
}

/// Whether a clean-up was under way: then a file may have changed its name between two looks at the
/// directory.
pub(super) fn clean_up_under_way(name: &Path) -> Result<bool, ImportError> {
    Ok(look(with_suffix(name, ".pid"))?.is_some())
}

fn with_suffix(name: &Path, suffix: &str) -> PathBuf {
    let mut path = OsString::from(name);
    path.push(suffix);
    path.into()
}

fn look(path: PathBuf) -> Result<Option<LeaseFile>, ImportError> {
    match path.metadata() {
        Ok(metadata) => Ok(Some(LeaseFile { path, octets: metadata.len() })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ImportError::Read { path, error }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_order(present: &[&str]) -> Vec<String> {
        let directory = tempfile::tempdir().unwrap();
        for name in present {
            std::fs::write(directory.path().join(name), "").unwrap();
        }
        let files = files(&directory.path().join("leases6.csv")).unwrap_or_default();
        files.iter().map(|file| file.path.file_name().unwrap().to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn what_a_crash_leaves_behind_is_read_as_kea_reads_it() {
        let (name, copy, previous) = ("leases6.csv", "leases6.csv.1", "leases6.csv.2");
        let (output, completed) = ("leases6.csv.output", "leases6.csv.completed");
        for (present, expected) in [
            (&[name][..], &[name][..]),
            (&[name, previous], &[previous, name]),
            (&[name, copy, previous], &[previous, copy, name]),
            (&[name, copy], &[copy, name]),
            (&[copy], &[copy]),
            (&[name, copy, previous, output], &[previous, copy, name]),
            (&[name, copy, previous, completed], &[completed, name]),
            (&[name, completed], &[completed, name]),
            (&[output], &[]),
        ] {
            assert_eq!(read_order(present), expected, "{present:?}");
        }
    }
}
