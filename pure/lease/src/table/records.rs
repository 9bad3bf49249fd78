//! Images in slots.

use crate::{ClientView, ImageError, Seq};

/// Where a client lives. It stays there until it is forgotten.
pub(crate) type Slot = u32;

/// How many images are fetched together: about as many as a processor can wait for at once.
const FETCHED_AHEAD: usize = 16;
/// And how much of each: all of an image of the usual size, and not all of a very large one.
const LINES_FETCHED_AHEAD: usize = 8;
/// What a processor fetches at once.
const CACHE_LINE_OCTETS: usize = 64;

/// The images of all clients.
#[derive(Debug, Default)]
pub struct Records {
    images: Vec<Option<Record>>,
    free: Vec<Slot>,
}

#[derive(Debug)]
struct Record {
    image: Box<[u8]>,
    changed: Seq,
}

impl Records {
    /// Takes one image as the store gave it back.
    pub fn push(&mut self, image: &[u8]) -> Result<(), ImageError> {
        ClientView::decode(image)?;
        let changed = Seq(self.images.len() as u64 + 1);
        self.images.push(Some(Record { image: image.into(), changed }));
        Ok(())
    }

    /// How many clients there are.
    pub fn len(&self) -> usize {
        self.images.len() - self.free.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn last_seq(&self) -> Seq {
        Seq(self.images.len() as u64)
    }

    /// Keeps an image, in its old slot if it has one.
    pub(crate) fn keep(&mut self, old_slot: Option<Slot>, image: Box<[u8]>, changed: Seq) -> Slot {
        let slot = old_slot.or_else(|| self.free.pop()).unwrap_or_else(|| {
            self.images.push(None);
            Slot::try_from(self.images.len() - 1).expect("fewer clients than 2^32")
        });
        self.images[slot as usize] = Some(Record { image, changed });
        slot
    }

    pub(crate) fn forget(&mut self, slot: Slot) {
        assert!(self.images[slot as usize].take().is_some(), "only what is here can be forgotten");
        self.free.push(slot);
    }

    #[inline]
    pub(crate) fn view(&self, slot: Slot) -> ClientView<'_> {
        ClientView::of_checked(&self.record(slot).image)
    }

    /// The same slots. Their images lie all over the memory, and one that is read when it is needed
    /// is waited for; so a few are touched at once, and waited for together.
    pub(crate) fn fetched_ahead<'a>(
        &'a self,
        mut slots: impl Iterator<Item = Slot> + 'a,
    ) -> impl Iterator<Item = Slot> + 'a {
        let mut few = [0; FETCHED_AHEAD];
        let (mut next, mut end) = (0, 0);
        std::iter::from_fn(move || {
            if next == end {
                (next, end) = (0, 0);
                for slot in slots.by_ref().take(FETCHED_AHEAD) {
                    few[end] = slot;
                    end += 1;
                }
                std::hint::black_box(few[..end].iter().fold(0, |sum, slot| sum ^ self.touch(*slot)));
            }
            let slot = few[..end].get(next).copied();
            next += usize::from(slot.is_some());
            slot
        })
    }

    /// Reads an octet of each of the first cache lines.
    #[inline]
    fn touch(&self, slot: Slot) -> u8 {
        let image = &self.record(slot).image;
        let lines = image.iter().step_by(CACHE_LINE_OCTETS).take(LINES_FETCHED_AHEAD);
        lines.fold(0, |sum, octet| sum ^ octet)
    }

    pub(crate) fn changed(&self, slot: Slot) -> Seq {
        self.record(slot).changed
    }

    #[inline]
    fn record(&self, slot: Slot) -> &Record {
        self.images[slot as usize].as_ref().expect("indexes name only slots in use")
    }

    /// The slots in use, from one on.
    pub(crate) fn used_from(&self, first: Slot) -> impl Iterator<Item = Slot> {
        let rest = self.images.get(first as usize..).unwrap_or_default();
        rest.iter().zip(first..).filter(|(record, _)| record.is_some()).map(|(_, slot)| slot)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Slot, ClientView<'_>)> {
        let used = self.images.iter().enumerate();
        used.filter_map(|(slot, record)| {
            Some((slot as Slot, ClientView::of_checked(&record.as_ref()?.image)))
        })
    }
}
