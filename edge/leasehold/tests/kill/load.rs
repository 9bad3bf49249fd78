//! Many customers who go on asking, whatever becomes of those they ask.
//!
//! A worker has a line and customers of its own, and has one of them speak at a time; workers work side by side while
//! something else happens ([`Load::during`]). What is sent to a customer is read to the end before a worker rests: all
//! that a program has said before it was killed counts.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use wire::{ClientMessage, Duid, IaKind, TransactionId};
use world::Chance;

use crate::customer::{Customer, Heard};
use crate::line::Line;

/// After so long without an answer it is said again.
const AGAIN: Duration = Duration::from_millis(200);
/// Of customers who were not answered when a program died, one in so many never comes back to it.
const ONE_LEAVES_IN: u64 = 16;
/// While there is room for more customers, one turn in so many is a new one's.
const ONE_IS_NEW_IN: u64 = 2;
/// How often a worker looks for a customer who is idle.
const LOOKS: usize = 8;

/// What the customers of a worker are like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Habits {
    pub(crate) kinds: &'static [&'static [IaKind]],
    /// Whether they may find that an address is taken.
    pub(crate) declines: bool,
    /// How many there are in the end.
    pub(crate) customers: usize,
}

/// What Replies have come to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Acknowledged {
    pub(crate) replies: u64,
    /// Leases granted or extended.
    pub(crate) promised: u64,
    /// Leases given back.
    pub(crate) returned: u64,
}

/// All workers.
#[derive(Debug)]
pub(crate) struct Load(Vec<Worker>);

/// A line and those who speak on it.
#[derive(Debug)]
pub(crate) struct Worker {
    number: u16,
    line: Line,
    habits: Habits,
    chance: Chance,
    pub(crate) customers: Vec<Customer>,
    current: Option<usize>,
    said: u32,
    acknowledged: Acknowledged,
    faults: Vec<String>,
}

/// How many Replies have come since the workers began.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    count: Mutex<u64>,
    more: Condvar,
}

impl Answers {
    fn add(&self) {
        *self.count.lock().unwrap() += 1;
        self.more.notify_all();
    }

    /// Waits for so many, but not for ever.
    pub(crate) fn wait_for(&self, count: u64, patience: Duration) {
        let waiting =
            self.more.wait_timeout_while(self.count.lock().unwrap(), patience, |have| *have < count);
        let (have, late) = waiting.unwrap();
        assert!(!late.timed_out(), "{} of {count} answers have come in {patience:?}", *have);
    }
}

impl Load {
    pub(crate) fn new(workers: Vec<Worker>) -> Self {
        Self(workers)
    }

    /// Has everybody work while something happens.
    pub(crate) fn during<T>(&mut self, happens: impl FnOnce(&Answers) -> T) -> T {
        let (answers, is_over) = (Answers::default(), AtomicBool::new(false));
        let result = thread::scope(|scope| {
            for worker in &mut self.0 {
                scope.spawn(|| worker.work(&answers, &is_over));
            }
            // Workers are to end even if what happens is a failure.
            let over = SetWhenGone(&is_over);
            let result = happens(&answers);
            drop(over);
            result
        });
        let faults: Vec<&String> = self.0.iter().flat_map(|worker| &worker.faults).collect();
        assert!(faults.is_empty(), "promises were broken:\n{faults:#?}");
        result
    }

    pub(crate) fn customers(&self) -> impl Iterator<Item = &Customer> {
        self.0.iter().flat_map(|worker| &worker.customers)
    }

    pub(crate) fn acknowledged(&self) -> Acknowledged {
        self.0.iter().map(|worker| worker.acknowledged).fold(Acknowledged::default(), |all, one| {
            Acknowledged {
                replies: all.replies + one.replies,
                promised: all.promised + one.promised,
                returned: all.returned + one.returned,
            }
        })
    }
}

struct SetWhenGone<'a>(&'a AtomicBool);

impl Drop for SetWhenGone<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

impl Worker {
    /// One whose number is its own.
    pub(crate) fn new(number: u16, line: Line, habits: Habits, chance: Chance) -> Self {
        Self {
            number,
            line,
            habits,
            chance,
            customers: Vec::new(),
            current: None,
            said: 0,
            acknowledged: Acknowledged::default(),
            faults: Vec::new(),
        }
    }

    fn work(&mut self, answers: &Answers, is_over: &AtomicBool) {
        self.go_on_with_current();
        while !is_over.load(Ordering::Acquire) {
            self.current = self.current.or_else(|| self.choose());
            if let Some(words) = self.current.and_then(|current| self.customers[current].words()) {
                self.line.say(&words);
                self.listen(answers, is_over);
            } else {
                self.hear_one(answers);
            }
        }
        while self.hear_one(answers) {}
    }

    /// Whom a kill has left without an answer says the same again, or leaves.
    fn go_on_with_current(&mut self) {
        let Some(current) = self.current else { return };
        if self.chance.below(ONE_LEAVES_IN) == 0 {
            self.customers[current].leave();
            self.current = None;
        } else {
            self.customers[current].ask_anew();
        }
    }

    /// Listens until the current customer has its answer, or must say it again.
    fn listen(&mut self, answers: &Answers, is_over: &AtomicBool) {
        let until = Instant::now() + AGAIN;
        while self.current.is_some() && Instant::now() < until && !is_over.load(Ordering::Acquire) {
            self.hear_one(answers);
        }
    }

    /// Hears one message; false if none comes.
    fn hear_one(&mut self, answers: &Answers) -> bool {
        let Some(octets) = self.line.hear() else { return false };
        let (Some(current), Ok(message)) = (self.current, ClientMessage::decode(&octets)) else {
            return true;
        };
        let id = self.next_id();
        match self.customers[current].hear(&message, id) {
            Ok(Heard::Nothing) => {}
            Ok(Heard::GoOn) => {
                let words = self.customers[current].words();
                words.iter().for_each(|words| self.line.say(words));
            }
            Ok(Heard::Done { promised, returned }) => {
                self.acknowledged.replies += 1;
                self.acknowledged.promised += promised;
                self.acknowledged.returned += returned;
                self.current = None;
                answers.add();
            }
            Err(fault) => {
                self.faults.push(fault);
                self.current = None;
            }
        }
        true
    }

    /// Has somebody want something.
    fn choose(&mut self) -> Option<usize> {
        let has_room = self.customers.len() < self.habits.customers;
        let index = if has_room && (self.customers.is_empty() || self.chance.below(ONE_IS_NEW_IN) == 0) {
            let kinds = self.habits.kinds[self.chance.below(self.habits.kinds.len() as u64) as usize];
            self.customers.push(Customer::new(self.duid(), kinds));
            self.customers.len() - 1
        } else {
            let count = self.customers.len() as u64;
            let drawn = (0..LOOKS).map(|_| self.chance.below(count) as usize).collect::<Vec<_>>();
            drawn.into_iter().find(|index| self.customers[*index].is_idle())?
        };
        let id = self.next_id();
        self.customers[index].begin(&mut self.chance, self.habits.declines, id);
        self.customers[index].is_asking().then_some(index)
    }

    fn duid(&self) -> Duid {
        let [a, b] = self.number.to_be_bytes();
        let [_, c, d, e] = (self.customers.len() as u32).to_be_bytes();
        Duid::new(&[0, 3, 0, 1, 2, a, b, c, d, e]).expect("ten octets are a DUID")
    }

    fn next_id(&mut self) -> TransactionId {
        self.said += 1;
        TransactionId::from_number(self.said)
    }
}
