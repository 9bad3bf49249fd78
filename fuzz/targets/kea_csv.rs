//! A lease file of Kea: every line is a lease, the end of one, or reported as bad, and is counted as one of
//! them. The clients that come of it hold nothing that another one holds, and are what is read again when
//! they have been written down.

#![no_main]

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use lease::{Client, ClientView, Link, LinkId, Table};
use libfuzzer_sys::fuzz_target;
use store::import::kea::leases::{Strictness, read_from};
use store::import::kea::{Imported, Links, Request, Summary, import};
use tempfile::TempDir;

/// In the midst of the leases of the samples.
const NOW: u64 = 1_795_424_000;
static FOLDER: LazyLock<TempDir> = LazyLock::new(|| TempDir::new().expect("a folder to write to"));

fuzz_target!(|octets: &[u8]| {
    let mut summary = Summary::default();
    let Ok(leases) = read_from("fuzz", octets, Strictness::LeaveOut, &mut summary) else { return };
    let leases_once = summary.lines - summary.bad_lines - summary.deletions;
    assert_eq!(leases_once, leases.len() as u64 + summary.superseded);
    if read_from("fuzz", octets, Strictness::Stop, &mut Summary::default()).is_ok() {
        assert_eq!(summary.bad_lines, 0, "the first bad line should have ended the reading");
    }
    let path = FOLDER.path().join("leases.csv");
    fs::write(&path, octets).expect("a file in the folder");
    hold_each_what_nobody_else_does(&imported(path, NOW));
});

fn imported(leases: PathBuf, now: u64) -> Imported {
    let mut links = Links::default();
    for id in 1..=2 {
        links.add(Link { id: LinkId(id), name: format!("link {id}"), ..Link::default() }, [id]);
    }
    let strictness = Strictness::LeaveOut;
    let request = Request { leases, strictness, now, file_now: None, remember_secs: 86_400 };
    import(&request, links, &mut |_| {}).expect("what is bad is left out")
}

fn hold_each_what_nobody_else_does(imported: &Imported) {
    let mut table = Table::default();
    for client in &imported.clients {
        table.put(client).expect("nobody else holds it");
        let image = lease::image::encode(client);
        assert_eq!(
            as_kept(ClientView::decode(&image).expect("what we write can be read").to_client()),
            as_kept(client.clone())
        );
        assert!(imported.links.iter().any(|link| link.id == client.key.link));
    }
    assert_eq!(imported.summary.clients, imported.clients.len() as u64);
    assert_eq!(table.len(), imported.clients.len());
}

/// Times before 2000 and after 2136 are kept as the nearest that there is.
fn as_kept(mut client: Client) -> Client {
    const KEPT: std::ops::RangeInclusive<u64> = 946_684_800..=946_684_800 + u32::MAX as u64;
    let kept = |unix_secs: u64| unix_secs.clamp(*KEPT.start(), *KEPT.end());
    client.heard.at_unix_secs = kept(client.heard.at_unix_secs);
    for lease in client.bindings.iter_mut().flat_map(|binding| &mut binding.leases) {
        lease.granted_unix_secs = kept(lease.granted_unix_secs);
    }
    client
}
