//! Measures the embedded store: how fast it commits, opens and loads. The figures in `DECISIONS.md` come from here.
//!
//! `cargo run --release -p store --example measure -- <folder> [records] [image octets]`

use std::path::PathBuf;
use std::time::Instant;

use store::{Change, EmbeddedStore, Store};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("usage: measure <folder> [records] [image octets]")?);
    let records: u64 = arguments.next().map_or(Ok(1_000_000), |text| text.parse())?;
    let octets: usize = arguments.next().map_or(Ok(250), |text| text.parse())?;

    for batch in [64, 512, 8192] {
        let folder = folder.join(batch.to_string());
        let keys: Vec<Vec<u8>> = (0..records).map(key).collect();
        commit_all("new records", &folder, &keys, batch, octets, 0)?;
        load("after new records", &folder)?;
        commit_all("renewed records", &folder, &keys, batch, octets, 1)?;
        load("after renewed records", &folder)?;
    }
    Ok(())
}

/// Keys as clients have them: one link, DUID-LLTs, in no order.
fn key(number: u64) -> Vec<u8> {
    let scattered = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    [&[0, 0, 0, 1, 0, 1, 0, 1][..], &scattered.to_be_bytes(), &[0, 0]].concat()
}

fn commit_all(
    what: &str,
    folder: &std::path::Path,
    keys: &[Vec<u8>],
    batch: usize,
    octets: usize,
    turn: u8,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut store = EmbeddedStore::open(folder)?;
    let start = Instant::now();
    for keys in keys.chunks(batch) {
        let images: Vec<Vec<u8>> = keys.iter().map(|key| image(key, octets, turn)).collect();
        let changes: Vec<Change<'_>> =
            keys.iter().zip(&images).map(|(key, image)| Change { key, image: Some(image) }).collect();
        store.commit(&changes)?;
    }
    let spent = start.elapsed();
    let rate = keys.len() as f64 / spent.as_secs_f64();
    println!("batches of {batch:5}, {what:16}: {:6.2} s, {rate:8.0} records/s", spent.as_secs_f64());
    Ok(())
}

/// An image that does not compress to nothing.
fn image(key: &[u8], octets: usize, turn: u8) -> Vec<u8> {
    key.iter()
        .cycle()
        .take(octets)
        .enumerate()
        .map(|(at, octet)| octet.wrapping_mul(at as u8) ^ turn)
        .collect()
}

fn load(what: &str, folder: &std::path::Path) -> Result<(), Box<dyn std::error::Error>> {
    let start = Instant::now();
    let store = EmbeddedStore::open(folder)?;
    let opened = start.elapsed();
    let mut octets = 0;
    let loaded = store.load(&mut |key, image| {
        octets += key.len() + image.len();
        Ok(())
    })?;
    let (opened, all) = (opened.as_secs_f64(), start.elapsed().as_secs_f64());
    println!(
        "    {what}: opened in {opened:.2} s, {} records loaded in {:.2} s",
        loaded.records,
        all - opened
    );
    Ok(())
}
