//! Images in slots.

use crate::{ClientView, ImageError, Seq};

/// Where a client lives. It stays there until it is forgotten.
pub(crate) type Slot = u32;

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

    pub(crate) fn changed(&self, slot: Slot) -> Seq {
        self.record(slot).changed
    }

    #[inline]
    fn record(&self, slot: Slot) -> &Record {
        self.images[slot as usize].as_ref().expect("indexes name only slots in use")
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Slot, ClientView<'_>)> {
        let used = self.images.iter().enumerate();
        used.filter_map(|(slot, record)| {
            Some((slot as Slot, ClientView::of_checked(&record.as_ref()?.image)))
        })
    }
}
