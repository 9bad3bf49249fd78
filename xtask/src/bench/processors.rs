//! Who computes where: the server on its processors, the generator on the others.
//!
//! With more than two processors the server has two and the generator the rest. With fewer they share, and then the generator's
//! work is a part of what limits the server: the figures say so.

use anyhow::Result;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// How many the server has: as many as the machine on which the bars count.
const OF_SERVER: usize = 2;

/// The processors of this process, by number.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Processors {
    pub(super) server: Vec<usize>,
    pub(super) generator: Vec<usize>,
}

impl Processors {
    /// Divides those that this process may use.
    pub(super) fn divide() -> Result<Self> {
        let allowed = sched_getaffinity(this_thread())?;
        let all = (0..CpuSet::count()).filter(|number| allowed.is_set(*number).unwrap_or(false));
        Ok(Self::of(all.collect()))
    }

    fn of(all: Vec<usize>) -> Self {
        match all.split_at_checked(OF_SERVER) {
            Some((server, rest)) if !rest.is_empty() => {
                Self { server: server.to_vec(), generator: rest.to_vec() }
            }
            _ => Self { server: all.clone(), generator: all },
        }
    }

    /// All there are.
    pub(super) fn count(&self) -> usize {
        if self.shared() { self.server.len() } else { self.server.len() + self.generator.len() }
    }

    /// Whether server and generator take them from each other.
    pub(super) fn shared(&self) -> bool {
        self.server == self.generator
    }

    /// Threads that send: one for each processor of the generator's own, or one beside a server.
    pub(super) fn senders(&self) -> u16 {
        let most = usize::from(super::exchange::MAX_SENDERS);
        if self.shared() { 1 } else { self.generator.len().min(most) as u16 }
    }
}

/// Lets this thread, and what it starts, compute on these alone.
pub(super) fn pin(processors: &[usize]) -> Result<()> {
    let mut set = CpuSet::new();
    for number in processors {
        set.set(*number)?;
    }
    Ok(sched_setaffinity(this_thread(), &set)?)
}

fn this_thread() -> Pid {
    Pid::from_raw(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_has_two_and_the_generator_the_rest_if_there_is_a_rest() {
        let of = |count: usize| Processors::of((0..count).collect());
        assert_eq!(of(4), Processors { server: vec![0, 1], generator: vec![2, 3] });
        assert_eq!((of(3).generator, of(3).count()), (vec![2], 3));
        assert_eq!((of(2).shared(), of(2).senders(), of(2).count()), (true, 1, 2));
        assert_eq!((of(1).shared(), of(1).count()), (true, 1));
    }
}
