//! The state folder: the embedded store, and the identifier that the server or relay was given once.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::thread;

use anyhow::{Context, bail};
use lease::{Join, Link, Links, Records, Table, Together};
use server::Holdings;
use store::{EmbeddedStore, Store};
use wire::Duid;

/// Where, in the state folder, the server's own DUID is kept.
const SERVER_ID_FILE: &str = "server-id";
/// Where, in the state folder, the relay's own DUID is kept.
const RELAY_ID_FILE: &str = "relay-id";
/// Where, in the state folder, the store is.
const STORE_FOLDER: &str = "store";

/// Makes a state folder where there is none.
pub fn make(folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}

/// Whether there is a store in a state folder.
pub fn is_there(folder: &Path) -> bool {
    folder.join(STORE_FOLDER).exists()
}

/// Opens the store in a state folder; makes both where there is nothing.
pub fn open(folder: &Path) -> anyhow::Result<EmbeddedStore> {
    EmbeddedStore::open(&folder.join(STORE_FOLDER))
        .with_context(|| format!("cannot open the store in {}", folder.display()))
}

/// Loads everything a store holds, and builds the indexes side by side.
pub fn load(store: &EmbeddedStore, links: Vec<Link>) -> anyhow::Result<Holdings> {
    let mut records = Records::default();
    store.load(&mut |_, image| records.push(image).map_err(Into::into)).context("cannot load the store")?;
    let table = Table::load(records, &Threads).context("the store holds a resource twice")?;
    Ok(Holdings { table, links: Links::new(links) })
}

/// The server's DUID: the configured one, else the one made at the first start.
pub fn server_id(configured: Option<Duid>, folder: &Path) -> anyhow::Result<Duid> {
    identifier(configured, folder, SERVER_ID_FILE)
}

/// The relay's DUID, likewise (RFC 5460 §5.4.1).
pub fn relay_id(configured: Option<Duid>, folder: &Path) -> anyhow::Result<Duid> {
    identifier(configured, folder, RELAY_ID_FILE)
}

/// Whether there is a DUID of a relay in a state folder.
pub fn has_relay_id(folder: &Path) -> bool {
    folder.join(RELAY_ID_FILE).exists()
}

fn identifier(configured: Option<Duid>, folder: &Path, name: &str) -> anyhow::Result<Duid> {
    if let Some(configured) = configured {
        return Ok(configured);
    }
    let file = folder.join(name);
    match fs::read_to_string(&file) {
        Ok(text) => text.trim().parse().with_context(|| {
            format!(
                "{} does not hold a DUID: restore it, or configure the DUID that was in use; only if that is lost \
                 for good, remove the file, and another one is made",
                file.display()
            )
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => make_identifier(folder, &file),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
    }
}

/// A DUID-UUID (RFC 6355), on disk before anybody sees it.
fn make_identifier(folder: &Path, file: &Path) -> anyhow::Result<Duid> {
    let mut octets = [0; 18];
    octets[1] = 4;
    if let Err(error) = getrandom::fill(&mut octets[2..]) {
        bail!("the system gives no random octets: {error}");
    }
    octets[8] = octets[8] & 0x0f | 0x40;
    octets[10] = octets[10] & 0x3f | 0x80;
    let duid = Duid::new(&octets).expect("18 octets are a DUID");
    fs::create_dir_all(folder)
        .and_then(|()| write_durably(file, format!("{duid}\n").as_bytes()))
        .with_context(|| format!("cannot keep the DUID in {}", file.display()))?;
    Ok(duid)
}

fn write_durably(file: &Path, octets: &[u8]) -> std::io::Result<()> {
    let unfinished = file.with_extension("new");
    let mut writing = File::create(&unfinished)?;
    writing.write_all(octets)?;
    writing.sync_all()?;
    fs::rename(&unfinished, file)?;
    file.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// Runs the second piece of work on a thread of its own.
struct Threads;

impl Join for Threads {
    fn join<A: Send, B: Send>(
        &self,
        a: impl FnOnce() -> A + Send,
        b: impl FnOnce() -> B + Send,
    ) -> Together<A, B> {
        thread::scope(|scope| {
            let beside = scope.spawn(b);
            let a = a();
            (a, beside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // REL-31
    #[test]
    fn a_relay_that_is_started_again_has_the_duid_that_it_made() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("made").join("here");
        let made = relay_id(None, &state).unwrap();
        let kept = fs::read_to_string(state.join("relay-id")).unwrap();
        assert_eq!(kept.trim().parse(), Ok(made.clone()), "it is on disk when it is given out");
        assert_eq!(relay_id(None, &state).unwrap(), made);
        assert_ne!(server_id(None, &state).unwrap(), made, "a server in the same folder is somebody else");
        assert_eq!(relay_id(None, &state).unwrap(), made);
    }

    // REL-31
    #[test]
    fn what_was_not_written_to_its_end_is_not_taken_for_a_duid() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("relay-id.new"), "00:04:1").unwrap();
        let made = relay_id(None, folder.path()).unwrap();
        assert_eq!(relay_id(None, folder.path()).unwrap(), made);
    }

    // REL-32
    #[test]
    fn a_relay_that_replaces_another_has_the_duid_that_it_is_given() {
        let folder = tempfile::tempdir().unwrap();
        let made = relay_id(None, folder.path()).unwrap();
        let given: Duid = "00:02:00:00:7e:d9:01".parse().unwrap();
        assert_eq!(relay_id(Some(given.clone()), folder.path()).unwrap(), given);
        assert_eq!(relay_id(None, folder.path()).unwrap(), made, "what was made is still there");
    }

    #[test]
    fn a_damaged_file_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("relay-id");
        for damaged in ["", "00:04:zz", "00:04"] {
            fs::write(&file, damaged).unwrap();
            let said = format!("{:#}", relay_id(None, folder.path()).unwrap_err());
            assert!(said.contains("relay-id does not hold a DUID: restore it"), "{said}");
            assert_eq!(fs::read_to_string(&file).unwrap(), damaged);
        }
    }
}
