//! The relay, killed under load: while it forwards, while it writes down, and, started again, while it starts, while
//! it asks the server, and while it gives the kernel its routes.
//!
//! Everybody is in network namespaces of the test; the server lives throughout, and knows what is delegated. Sometimes the
//! relay's routes are taken away as well, as by a reboot of its host, and sometimes what it has written down. When it has
//! recovered:
//!
//! - the kernel has a route for every delegation through it, to the client that has it, and no other one of ours;
//! - strangers' routes are as they were;
//! - and all the time since, no route went away whose prefix was promised to somebody, unless all of them were taken away.
//!
//! What the relay writes down is some moments behind what it knows. So one thing is not asked of it: that it keeps a route,
//! until it has recovered, whose lease was so short that it had run out in the meantime as far as was written down.

mod site;
mod watch;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use requestor::Resource;
use wire::Prefix;
use world::Chance;

use crate::PATIENCE;
use crate::customer::{ROUNDING_SECS, unix_secs};
use crate::judge::judge;
use crate::load::{Answers, Load};
use crate::namespace::Far;
use crate::program::Program;
use crate::report::Run;
use crate::told::Told;
use site::{Site, Way};
use watch::Removal;

/// Replies between two kills, at the most.
const MOST_REPLIES: u64 = 800;
/// A kill comes so long after the last Reply that was waited for, at the most: time to route it and to write it down.
const LATEST: Duration = Duration::from_millis(20);
/// A relay that is killed while it starts has had so long at the most.
const STARTING: Duration = Duration::from_millis(40);
/// How long a route may be on its way out, while its prefix is delegated anew.
const LEAVING: Duration = Duration::from_secs(2);
/// How often a folder is looked into.
const LOOK: Duration = Duration::from_millis(1);

/// In the middle of what the relay is killed.
#[derive(Debug, Clone, Copy)]
enum Moment {
    Starting,
    Recovering,
    Routing,
    Forwarding,
    Writing,
}

/// Runs it.
pub(crate) fn kill_often(far: &Far) {
    let mut run = Run::of("relay");
    let mut chance = Chance::from_seed(run.seed);
    let mut site = Site::new(far);
    let mut load = site.load(&mut chance);
    let (mut relay, mut restart) = recover(&mut site);
    while !run.is_over() {
        let moment = if chance.below(4) == 0 { Moment::Writing } else { Moment::Forwarding };
        load.during(|answers| kill_at_work(moment, &site, relay, answers, &mut chance));
        site.killed = Instant::now();
        run.note_kill(moment);
        let mut is_bare = strike(&mut site, &mut chance);
        while chance.below(2) == 0 && !run.is_over() {
            let moment = match chance.below(3) {
                _ if is_bare && chance.below(2) == 0 => Moment::Routing,
                0 => Moment::Starting,
                _ => Moment::Recovering,
            };
            load.during(|_| kill_early(moment, &mut site, restart, &mut chance));
            run.note_kill(moment);
            is_bare = strike(&mut site, &mut chance);
        }
        (relay, restart) = recover(&mut site);
        let told = site.ask_all();
        let judged = judge(load.customers(), &told)
            .and_then(|kept| see_that_none_was_missing(&mut site, &load).map(|()| kept));
        run.note_restart(restart, judged, told.len() as u64, load.acknowledged());
    }
    run.conclude(load.acknowledged(), load.customers().count());
}

/// Kills a relay that has recovered, in the middle of its work.
fn kill_at_work(moment: Moment, site: &Site, relay: Program, answers: &Answers, chance: &mut Chance) {
    answers.wait_for(1 + chance.below(MOST_REPLIES), PATIENCE);
    match moment {
        Moment::Writing => {
            wait_for_writing(&site.notebook());
            relay.kill();
        }
        _ => kill_after(relay, LATEST, chance),
    }
}

/// Kills a relay before it has recovered, or soon after.
fn kill_early(moment: Moment, site: &mut Site, restart: Duration, chance: &mut Chance) {
    let relay = site.start_relay();
    match moment {
        Moment::Routing => {
            // There are fewer if it is killed before it had asked for all.
            site.watch.wait_for_additions(1 + chance.below(site.routes_before), restart);
            relay.kill();
        }
        Moment::Starting => kill_after(relay, STARTING, chance),
        _ => kill_after(relay, restart, chance),
    }
}

/// Kills it at any time up to then.
fn kill_after(relay: Program, latest: Duration, chance: &mut Chance) {
    // Nothing is waited for: this is the moment itself.
    thread::sleep(Duration::from_micros(chance.below(latest.as_micros() as u64)));
    relay.kill();
}

/// What else may happen to a relay's host; whether its routes are gone.
fn strike(site: &mut Site, chance: &mut Chance) -> bool {
    let reboots = chance.below(3) == 0;
    if reboots {
        site.flush();
    }
    if chance.below(8) == 0 {
        let _ = fs::remove_dir_all(site.notebook());
    }
    reboots
}

/// Waits until something is being written into the files of a folder.
fn wait_for_writing(folder: &Path) {
    let (begun, before) = (Instant::now(), last_write(folder));
    while last_write(folder) == before {
        assert!(begun.elapsed() < PATIENCE, "nothing is written into {}", folder.display());
        thread::sleep(LOOK);
    }
}

fn last_write(folder: &Path) -> Option<SystemTime> {
    let entries = fs::read_dir(folder.join("engine")).ok()?.flatten();
    entries.filter_map(|entry| entry.metadata().ok()?.modified().ok()).max()
}

/// Starts the relay and waits until it says that it has recovered, and the kernel's routes are those that the server wants;
/// how long that took.
fn recover(site: &mut Site) -> (Program, Duration) {
    let mut ends = Ends::default();
    ends.note(&site.ask_all());
    let mut relay = site.start_relay();
    relay.wait_until_it_says("recovered: in sync");
    site.in_sync = Instant::now();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let told = site.ask_all();
        ends.note(&told);
        let (wanted, mut there) = (wanted(&told, site), site.routes());
        there.retain(|prefix, _| wanted.contains_key(prefix) || !ends.are_just_over(*prefix));
        if wanted == there {
            site.routes_before = there.len().max(1) as u64;
            let restart = relay.age();
            site.see_strangers();
            return (relay, restart);
        }
        assert!(Instant::now() < deadline, "{}\n{:#?}", difference(&wanted, &there), relay.last_words());
        site.watch.wait_for_news();
    }
}

/// When leases end, as Unix time. Server and relay count in whole seconds, each from when it was told: one of them is behind.
#[derive(Default)]
struct Ends(BTreeMap<Resource, u64>);

impl Ends {
    fn note(&mut self, told: &Told) {
        self.0.extend(told.values().flatten().map(|(resource, lease)| (*resource, lease.until_secs)));
    }

    fn are_just_over(&self, prefix: Prefix) -> bool {
        let end = self.0.get(&Resource::Prefix(prefix));
        end.is_some_and(|end| end.abs_diff(unix_secs()) <= ROUNDING_SECS)
    }
}

/// The routes that follow from what is delegated.
fn wanted(told: &Told, site: &Site) -> BTreeMap<Prefix, Way> {
    let leases = told.values().flatten();
    let wanted = leases.filter_map(|(resource, lease)| match resource {
        Resource::Prefix(prefix) => Some((*prefix, site.way(lease))),
        Resource::Address(_) => None,
    });
    wanted.collect()
}

fn difference(wanted: &BTreeMap<Prefix, Way>, there: &BTreeMap<Prefix, Way>) -> String {
    let lacking: Vec<_> =
        wanted.iter().filter(|(prefix, way)| there.get(prefix) != Some(way)).take(5).collect();
    let surplus: Vec<_> = there.iter().filter(|(prefix, _)| !wanted.contains_key(prefix)).take(5).collect();
    format!("{} wanted, {} there; lacking {lacking:?}, too many {surplus:?}", wanted.len(), there.len())
}

/// Nobody who has a promise has been without a route since the relay had it.
fn see_that_none_was_missing(site: &mut Site, load: &Load) -> Result<(), String> {
    let (removals, routes) = (site.removals(), site.routes());
    let now_secs = unix_secs();
    let mut holders = BTreeMap::new();
    for customer in load.customers() {
        holders.extend(customer.promised.iter().map(|(resource, promise)| (*resource, promise)));
    }
    for Removal { prefix, way, added, removed } in removals {
        let Some(promise) = holders.get(&Resource::Prefix(prefix)) else { continue };
        let is_theirs = routes.get(&prefix) == Some(&way);
        let holds = is_theirs && promise.until_secs > now_secs + ROUNDING_SECS;
        let had_it = promise.since < added || promise.since + LEAVING < removed;
        let has_run_out = site::is_brief(prefix) && (site.killed..site.in_sync).contains(&removed);
        if holds && had_it && !has_run_out {
            let [since, added, removed] = [promise.since, added, removed].map(|at| at.elapsed().as_millis());
            let left = promise.until_secs - now_secs;
            return Err(format!(
                "{prefix} is promised since {since} ms and for {left} s more, and its route by {way:?}, made {added} ms ago, \
                 went away {removed} ms ago"
            ));
        }
    }
    Ok(())
}
