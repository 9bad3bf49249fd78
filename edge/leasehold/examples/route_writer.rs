//! How fast the kernel takes routes: puts so many in, from a network namespace of its own, by this project's
//! writer, and the same by `ip -6 -batch`.
//!
//! `cargo run --release --example route_writer -- 64000`, as root.
//!
//! With `-` for a number, it puts in the routes that standard input tells of, a line for each in `ip`'s words, in the
//! namespace where it is, and says how many seconds that took.

use std::error::Error;
use std::io::{Write, stdin};
use std::net::Ipv6Addr;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use leasehold::kernel::{BATCH, Notifications, RouteSettings, RouteWriter, dump};
use nix::net::if_::if_nametoindex;
use nix::sched::{CloneFlags, unshare};
use relay::{Change, Route, Target};
use wire::Prefix;

fn main() -> Result<(), Box<dyn Error>> {
    let count = std::env::args().nth(1);
    if count.as_deref() == Some("-") {
        return write_told();
    }
    let count = count.map_or(Ok(64_000), |count| count.parse())?;
    unshare(CloneFlags::CLONE_NEWNET)?;
    ip("link add near type veth peer name far", None)?;
    ip("link set far up", None)?;
    ip("link set near up", None)?;
    let interface_index = if_nametoindex("near")?;
    let routes = (0..count).map(|number| route(number, interface_index));
    let routes: Vec<Route> = routes.collect::<Result<_, _>>()?;

    let settings = RouteSettings::default();
    let mut writer = RouteWriter::open(settings)?;
    let mut notifications = Notifications::open(settings, Some(writer.port()))?;
    let adding: Vec<Change> = routes.iter().map(|route| Change::Add(*route)).collect();
    let deleting: Vec<Change> = routes.iter().map(|route| Change::Delete(*route)).collect();
    let add = timed(|| apply(&mut writer, &adding))?;
    let read = timed(|| check(dump(&settings)?.len(), count))?;
    let taken = timed(|| writer.apply(&adding).map(drop).map_err(Into::into))?;
    let delete = timed(|| apply(&mut writer, &deleting))?;
    let news = notifications.drain()?;
    assert!(!news.lost && news.routes.is_empty(), "our own changes are no news: {}", news.routes.len());
    let lines: String = routes.iter().map(line).collect();
    let batch = timed(|| ip("-6 -batch -", Some(&lines)))?;
    check(dump(&settings)?.len(), count)?;

    println!("routes {count}");
    for (what, took) in
        [("add", add), ("dump", read), ("add, all taken", taken), ("delete", delete), ("ip -6 -batch", batch)]
    {
        println!(
            "{what:<16}{:>8.3} s{:>12.0} routes/s",
            took.as_secs_f64(),
            count as f64 / took.as_secs_f64()
        );
    }
    Ok(())
}

/// Puts in what standard input tells of.
fn write_told() -> Result<(), Box<dyn Error>> {
    let lines: Vec<String> = stdin().lines().collect::<Result<_, _>>()?;
    let adding: Vec<Change> =
        lines.iter().map(|line| Ok(Change::Add(told(line)?))).collect::<Result<_, Box<dyn Error>>>()?;
    let mut writer = RouteWriter::open(RouteSettings::default())?;
    let took = timed(|| apply(&mut writer, &adding))?;
    println!("{}", took.as_secs_f64());
    Ok(())
}

/// The route in a line: `3fff::/56 via fe80::1 dev eth0 ...`.
fn told(line: &str) -> Result<Route, Box<dyn Error>> {
    let [destination, "via", next_hop, "dev", interface, ..] = line.split(' ').collect::<Vec<_>>()[..] else {
        return Err(format!("{line} is no route").into());
    };
    let (address, length) = destination.split_once('/').ok_or("a prefix has a length")?;
    let destination = Prefix::new(address.parse()?, length.parse()?)?;
    let target = Target::Via { next_hop: next_hop.parse()?, interface_index: if_nametoindex(interface)? };
    Ok(Route { destination, target })
}

/// The route to the /56 of this number.
fn route(number: usize, interface_index: u32) -> Result<Route, Box<dyn Error>> {
    let base = u128::from(0x2001_0db8_u32) << 96;
    let destination = Prefix::new(Ipv6Addr::from_bits(base | (u128::try_from(number)? << 72)), 56)?;
    let next_hop = Ipv6Addr::from_bits((0xfe80 << 112) | u128::try_from(number % 1000 + 1)?);
    Ok(Route { destination, target: Target::Via { next_hop, interface_index } })
}

fn apply(writer: &mut RouteWriter, changes: &[Change]) -> Result<(), Box<dyn Error>> {
    for changes in changes.chunks(BATCH) {
        if let Some(Err(failure)) = writer.apply(changes)?.into_iter().find(Result::is_err) {
            return Err(format!("{failure:?}").into());
        }
    }
    Ok(())
}

fn check(found: usize, count: usize) -> Result<(), Box<dyn Error>> {
    if found == count { Ok(()) } else { Err(format!("{found} routes are there, not {count}").into()) }
}

/// The route as a line for `ip -6 -batch`.
fn line(route: &Route) -> String {
    let Target::Via { next_hop, .. } = route.target else { unreachable!("all of these lead somewhere") };
    format!("route add {} via {next_hop} dev near proto 220 metric 512\n", route.destination)
}

fn timed(what: impl FnOnce() -> Result<(), Box<dyn Error>>) -> Result<Duration, Box<dyn Error>> {
    let begin = Instant::now();
    what()?;
    Ok(begin.elapsed())
}

fn ip(arguments: &str, input: Option<&str>) -> Result<(), Box<dyn Error>> {
    let mut child = Command::new("ip").args(arguments.split(' ')).stdin(Stdio::piped()).spawn()?;
    let mut stdin = child.stdin.take().expect("it is a pipe");
    stdin.write_all(input.unwrap_or_default().as_bytes())?;
    drop(stdin);
    let status = child.wait()?;
    if status.success() { Ok(()) } else { Err(format!("ip {arguments}: {status}").into()) }
}
