//! Between what has changed and what may be said of it: nothing leaves before it is durable.
//!
//! Whoever changes the table puts the after-images and the answers that speak of them here together
//! ([`Journal::put`]), in the order in which the table changed. Whoever has a store takes everything that
//! has gathered ([`Journal::take`]), commits its images, says so ([`Journal::committed`]), and only from that
//! call are the answers to be had. One batch is under way at a time; while it is, the next one gathers.

use lease::{AfterImage, Seq};

/// Changes and answers that gather between two commits.
#[derive(Debug)]
pub struct Journal<Held> {
    images: Vec<AfterImage>,
    held: Vec<Held>,
    latest: Seq,
    durable: Seq,
}

/// What one commit makes durable, and what waits for it.
#[derive(Debug)]
pub struct Batch<Held> {
    images: Vec<AfterImage>,
    held: Vec<Held>,
    latest: Seq,
}

impl<Held> Journal<Held> {
    /// A journal of a table whose latest change, durable already, is `seq`.
    pub fn new(seq: Seq) -> Self {
        Self { images: Vec::new(), held: Vec::new(), latest: seq, durable: seq }
    }

    /// Takes what a change leaves to be done, and the number of the latest change. Calls have to come in the
    /// order of the changes.
    pub fn put(&mut self, images: Vec<AfterImage>, latest: Seq, held: Vec<Held>) {
        self.images.extend(images);
        self.held.extend(held);
        self.latest = latest;
    }

    /// Answers that wait for the next commit.
    pub fn waiting(&self) -> usize {
        self.held.len()
    }

    /// Whether there is nothing to commit and nothing to release.
    pub fn is_empty(&self) -> bool {
        self.images.is_empty() && self.held.is_empty()
    }

    /// All that has gathered.
    pub fn take(&mut self) -> Batch<Held> {
        let (images, held) = (std::mem::take(&mut self.images), std::mem::take(&mut self.held));
        Batch { images, held, latest: self.latest }
    }

    /// The images of this batch are durable: gives what may leave now.
    pub fn committed(&mut self, batch: Batch<Held>) -> Vec<Held> {
        self.durable = batch.latest;
        batch.held
    }

    /// The latest change that is durable, with all before it.
    pub fn durable(&self) -> Seq {
        self.durable
    }
}

impl<Held> Batch<Held> {
    /// What has to become durable; nothing if only answers wait, which speak of what was.
    pub fn images(&self) -> &[AfterImage] {
        &self.images
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(octet: u8) -> AfterImage {
        AfterImage { key: vec![0, 0, 0, 1, octet], image: Some([octet].into()) }
    }

    #[test]
    fn what_waits_leaves_with_the_batch_that_it_was_put_into() {
        let mut journal = Journal::new(Seq(3));
        assert!(journal.is_empty());
        journal.put(vec![image(1)], Seq(4), vec!["first"]);
        assert!(!journal.is_empty());
        let first = journal.take();
        journal.put(vec![image(2)], Seq(5), vec!["second"]);
        assert_eq!((first.images().len(), journal.waiting(), journal.durable()), (1, 1, Seq(3)));
        assert_eq!(journal.committed(first), ["first"]);
        assert_eq!(journal.durable(), Seq(4));
        let second = journal.take();
        assert_eq!((journal.committed(second), journal.durable()), (vec!["second"], Seq(5)));
    }

    #[test]
    fn an_answer_that_changes_nothing_waits_for_what_is_before_it() {
        let mut journal = Journal::new(Seq(0));
        journal.put(vec![image(1)], Seq(1), vec![]);
        assert!(!journal.is_empty());
        journal.put(vec![], Seq(1), vec!["speaks of it"]);
        let batch = journal.take();
        assert_eq!(batch.images().len(), 1);
        assert_eq!(journal.committed(batch), ["speaks of it"]);
        journal.put(vec![], Seq(1), vec!["of what was"]);
        assert!(!journal.is_empty());
    }
}
