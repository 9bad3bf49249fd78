//! What becomes of the kernel's routes while nobody looks: every addition and removal, in their order.

use std::collections::BTreeMap;
use std::os::fd::AsFd;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use leasehold::kernel::{Notifications, RouteNews, RouteSettings};
use leasehold::net::{Poller, Waker};
use wire::Prefix;

use super::site::{Way, way_of};
use crate::PATIENCE;
use crate::namespace::ip;

/// A network that comes and goes so that it is known that all before has been heard.
const MARK: &str = "2001:db8:aaaa::/64";
/// After so long without news one looks by oneself.
const LOOK_ANYWAY: Duration = Duration::from_millis(100);

/// Hears it, on a thread of its own.
pub(crate) struct Watch {
    heard: Arc<Heard>,
    waker: Waker,
    listening: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Heard {
    so_far: Mutex<SoFar>,
    more: Condvar,
}

#[derive(Default)]
struct SoFar {
    /// When what is there was added.
    there: BTreeMap<Prefix, (Way, Instant)>,
    removals: Vec<Removal>,
    additions: u64,
    marks: u64,
    is_over: bool,
}

/// A route that has gone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Removal {
    pub(crate) prefix: Prefix,
    pub(crate) way: Way,
    pub(crate) added: Instant,
    pub(crate) removed: Instant,
}

impl Watch {
    /// Watches this thread's host.
    pub(crate) fn start() -> Self {
        let mut notifications = Notifications::open(RouteSettings::default(), None).unwrap();
        let (poller, heard) = (Poller::new().unwrap(), Arc::new(Heard::default()));
        let (waker, shared) = (poller.waker(), Arc::clone(&heard));
        let listening = thread::spawn(move || {
            while !shared.so_far().is_over {
                poller.wait(&[notifications.as_fd()], None).unwrap();
                let news = notifications.drain().unwrap();
                assert!(!news.lost, "the kernel has told of more than could be heard");
                shared.take(news.routes);
            }
        });
        Self { heard, waker, listening: Some(listening) }
    }

    /// Waits until so many routes were added from now on, for so long at the most.
    pub(crate) fn wait_for_additions(&self, count: u64, at_most: Duration) {
        let so_far = self.heard.so_far();
        let enough = so_far.additions + count;
        let waiting = self.heard.more.wait_timeout_while(so_far, at_most, |so_far| so_far.additions < enough);
        drop(waiting.unwrap());
    }

    /// Waits until something happens, or it is time to look by oneself.
    pub(crate) fn wait_for_news(&self) {
        drop(self.heard.more.wait_timeout(self.heard.so_far(), LOOK_ANYWAY).unwrap());
    }

    /// Waits until everything is known that has happened before.
    pub(crate) fn catch_up(&self) {
        let marks = self.heard.so_far().marks;
        ip(&format!("-6 route add {MARK} dev up0 proto static"));
        ip(&format!("-6 route del {MARK} dev up0 proto static"));
        let so_far = self.heard.so_far();
        let waiting = self.heard.more.wait_timeout_while(so_far, PATIENCE, |so_far| so_far.marks == marks);
        assert!(!waiting.unwrap().1.timed_out(), "the kernel does not tell what has become of routes");
    }

    /// What has gone until now was to go.
    pub(crate) fn forget(&self) {
        let mut so_far = self.heard.so_far();
        assert!(so_far.there.is_empty(), "{} routes are still there", so_far.there.len());
        so_far.removals.clear();
    }

    pub(crate) fn take_removals(&self) -> Vec<Removal> {
        std::mem::take(&mut self.heard.so_far().removals)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.heard.so_far().is_over = true;
        self.waker.wake();
        let _ = self.listening.take().map(JoinHandle::join);
    }
}

impl Heard {
    fn so_far(&self) -> MutexGuard<'_, SoFar> {
        self.so_far.lock().unwrap()
    }

    fn take(&self, news: Vec<RouteNews>) {
        let mut so_far = self.so_far();
        news.into_iter().for_each(|news| so_far.take(news));
        self.more.notify_all();
    }
}

impl SoFar {
    fn take(&mut self, news: RouteNews) {
        let now = Instant::now();
        match news {
            RouteNews::Added(seen) => {
                // In the place of another, that is not missed: the prefix has another holder.
                self.there.extend(way_of(&seen).map(|way| (seen.destination, (way, now))));
                self.additions += 1;
            }
            RouteNews::Removed(seen) => {
                self.marks += u64::from(seen.destination == MARK.parse().expect("a prefix"));
                if way_of(&seen).is_some()
                    && let Some((way, added)) = self.there.remove(&seen.destination)
                {
                    self.removals.push(Removal { prefix: seen.destination, way, added, removed: now });
                }
            }
        }
    }
}
