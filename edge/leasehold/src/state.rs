//! The state folder: the embedded store, and the identifier that the server was given once.

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
/// Where, in the state folder, the store is.
const STORE_FOLDER: &str = "store";

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
    if let Some(configured) = configured {
        return Ok(configured);
    }
    let file = folder.join(SERVER_ID_FILE);
    match fs::read_to_string(&file) {
        Ok(text) => text.trim().parse().with_context(|| format!("{} does not hold a DUID", file.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => make_server_id(&file),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
    }
}

/// A DUID-UUID (RFC 6355), on disk before anybody sees it.
fn make_server_id(file: &Path) -> anyhow::Result<Duid> {
    let mut octets = [0; 18];
    octets[1] = 4;
    if let Err(error) = getrandom::fill(&mut octets[2..]) {
        bail!("the system gives no random octets: {error}");
    }
    octets[8] = octets[8] & 0x0f | 0x40;
    octets[10] = octets[10] & 0x3f | 0x80;
    let duid = Duid::new(&octets).expect("18 octets are a DUID");
    write_durably(file, format!("{duid}\n").as_bytes())
        .with_context(|| format!("cannot keep the server's DUID in {}", file.display()))?;
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
