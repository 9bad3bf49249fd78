//! Routes and interfaces over rtnetlink, in network namespaces of their own.

mod filter;
mod interfaces;
mod keeping;
mod notifications;
mod relaying;
mod writing;

use std::os::fd::AsFd;
use std::time::Instant;

use leasehold::kernel::{self, News, Notifications, RouteSettings, dump};
use leasehold::net::Poller;
use relay::{Change, Owner, Route, Seen, Target};
use wire::Prefix;

use crate::PATIENCE;

fn prefix(text: &str) -> Prefix {
    text.parse().unwrap()
}

fn via(next_hop: &str, interface_index: u32) -> Target {
    Target::Via { next_hop: next_hop.parse().unwrap(), interface_index }
}

fn route(destination: &str, target: Target) -> Route {
    Route { destination: prefix(destination), target }
}

fn add(destination: &str, target: Target) -> Change {
    Change::Add(route(destination, target))
}

fn delete(destination: &str, target: Target) -> Change {
    Change::Delete(route(destination, target))
}

/// The routes of the kernel that are ours.
fn ours(settings: &RouteSettings) -> Vec<Route> {
    let all = dump(settings).unwrap();
    all.iter().filter_map(own).collect()
}

/// Others' routes in our places, as they are shown.
fn shown_strangers(settings: &RouteSettings) -> Vec<(Prefix, String)> {
    let strangers = kernel::strangers(settings).unwrap().into_iter();
    strangers.map(|stranger| (stranger.destination, stranger.to_string())).collect()
}

/// The destinations of others' routes in our places.
fn strangers(settings: &RouteSettings) -> Vec<Prefix> {
    let is_strange = |seen: &&Seen| seen.in_our_place && seen.owner == Owner::Stranger;
    dump(settings).unwrap().iter().filter(is_strange).map(|seen| seen.destination).collect()
}

/// The prefixes that the host is connected to.
fn connected(settings: &RouteSettings) -> Vec<Prefix> {
    dump(settings).unwrap().iter().filter(|seen| seen.on_link).map(|seen| seen.destination).collect()
}

fn own(seen: &Seen) -> Option<Route> {
    match seen.owner {
        Owner::Ours(target) => Some(Route { destination: seen.destination, target }),
        Owner::Stranger => None,
    }
}

/// What is told until it is enough.
fn hear(notifications: &mut Notifications, is_enough: impl Fn(&News) -> bool) -> News {
    let poller = Poller::new().unwrap();
    let until = Instant::now() + PATIENCE;
    let mut heard = News::default();
    while !is_enough(&heard) {
        let last = heard.routes.iter().rev().take(5).collect::<Vec<_>>();
        assert!(Instant::now() < until, "{} were told, the last {last:?}", heard.routes.len());
        poller.wait(&[notifications.as_fd()], Some(until)).unwrap();
        let News { routes, interfaces, lost } = notifications.drain().unwrap();
        heard.routes.extend(routes);
        heard.interfaces.extend(interfaces);
        heard.lost |= lost;
    }
    heard
}
