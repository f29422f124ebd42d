//! Bytes in memory that is used again.

use std::ops::Deref;
use std::sync::{Mutex, PoisonError};

use memmap2::MmapMut;

use crate::{Error, memory};

/// Blocks that are kept, at most.
const KEPT: usize = 16;

/// And the bytes that they have together.
const KEPT_BYTES: usize = 1 << 30;

/// Bytes that are sooner set to zero than mapped.
const FEW: usize = 1 << 17;

/// Blocks whose bytes nobody needs any more. A fresh one costs page faults, which take about as long as inflating into it.
static FREE: Mutex<Vec<MmapMut>> = Mutex::new(vec![]);

/// Some bytes of a block of memory.
#[derive(Debug)]
pub struct Bytes {
    memory: Memory,
    start: usize,
    end: usize,
}

#[derive(Debug)]
enum Memory {
    Heap(Vec<u8>),
    /// Goes back where others find it. `None` only while it does.
    Block(Option<MmapMut>),
}

impl Bytes {
    /// So many bytes, of any value.
    pub(crate) fn of_length(length: usize) -> Result<Self, Error> {
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        // The smallest that will do.
        let fitting = free.iter().enumerate().filter(|(_, block)| block.len() >= length).min_by_key(|(_, b)| b.len());
        let block = fitting.map(|(index, _)| index).map(|index| free.swap_remove(index));
        drop(free);
        block.map_or_else(|| Self::fresh(length), |block| Ok(Self::of_block(block, length)))
    }

    /// So many zeros: many take memory once they are written, few are not worth a block.
    pub(crate) fn zeroed(length: usize) -> Result<Self, Error> {
        if length > FEW {
            return Self::fresh(length);
        }
        let mut zeros = memory::room(length)?;
        zeros.resize(length, 0);
        Ok(zeros.into())
    }

    fn fresh(length: usize) -> Result<Self, Error> {
        let block = new_block(length).or_else(|| {
            // What is kept may be what is missing.
            FREE.lock().unwrap_or_else(PoisonError::into_inner).clear();
            new_block(length)
        });
        block.map(|block| Self::of_block(block, length)).ok_or_else(|| memory::none_for::<u8>(length))
    }

    fn of_block(block: MmapMut, length: usize) -> Self {
        Self { memory: Memory::Block(Some(block)), start: 0, end: length }
    }

    /// To be written.
    pub(crate) fn as_mut(&mut self) -> &mut [u8] {
        let memory = match &mut self.memory {
            Memory::Heap(bytes) => &mut bytes[..],
            Memory::Block(block) => block.as_deref_mut().unwrap_or_default(),
        };
        &mut memory[self.start..self.end]
    }

    /// Takes in more of them.
    pub(crate) fn append(&mut self, more: &[u8]) -> Result<(), Error> {
        if let Memory::Block(_) = self.memory {
            let mut bytes = memory::room(self.len().saturating_add(more.len()))?;
            bytes.extend_from_slice(self);
            *self = bytes.into();
        }
        if let Memory::Heap(bytes) = &mut self.memory {
            bytes.truncate(self.end);
            memory::extend(bytes, more.iter().copied())?;
            self.end = bytes.len();
        }
        Ok(())
    }

    /// Without the first ones.
    pub(crate) fn skip(mut self, count: usize) -> Self {
        self.start = (self.start + count).min(self.end);
        self
    }
}

/// Large pages, where there are any: a fault for each 2 MiB in place of one for each 4 KiB.
fn new_block(length: usize) -> Option<MmapMut> {
    let block = MmapMut::map_anon(length.max(1)).ok()?;
    #[cfg(target_os = "linux")]
    // Where the kernel does not follow the advice, it is only slower.
    let _ = block.advise(memmap2::Advice::HugePage);
    Some(block)
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self { start: 0, end: bytes.len(), memory: Memory::Heap(bytes) }
    }
}

impl Default for Bytes {
    fn default() -> Self {
        vec![].into()
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        let memory = match &self.memory {
            Memory::Heap(bytes) => &bytes[..],
            Memory::Block(block) => block.as_deref().unwrap_or_default(),
        };
        &memory[self.start..self.end]
    }
}

impl Drop for Bytes {
    fn drop(&mut self) {
        let Memory::Block(block) = &mut self.memory else { return };
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        let kept: usize = free.iter().map(|block| block.len()).sum();
        let fits = |block: &MmapMut| free.len() < KEPT && kept.saturating_add(block.len()) <= KEPT_BYTES;
        if block.as_ref().is_some_and(fits) {
            free.extend(block.take());
        }
    }
}

impl Clone for Bytes {
    fn clone(&self) -> Self {
        self.to_vec().into()
    }
}

impl PartialEq for Bytes {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Bytes {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_a_part_of_their_memory() {
        let mut bytes = Bytes::of_length(5).unwrap();
        bytes.as_mut().copy_from_slice(&[1, 2, 3, 4, 5]);
        assert_eq!(*bytes.clone().skip(2), [3, 4, 5]);
        assert_eq!(bytes.skip(9).len(), 0);
        assert_eq!((Bytes::of_length(3).unwrap().len(), Bytes::of_length(0).unwrap().len()), (3, 0));
        assert_eq!(*Bytes::from(vec![7, 8]), [7, 8]);
        let mut more = Bytes::of_length(2).unwrap();
        more.as_mut().copy_from_slice(&[1, 2]);
        (0..3).for_each(|_| more.append(&[3]).unwrap());
        assert_eq!(*more, [1, 2, 3, 3, 3]);
        assert_eq!(*Bytes::zeroed(3).unwrap(), [0; 3]);
        assert!(Bytes::zeroed(FEW + 1).unwrap().iter().all(|&byte| byte == 0));
        assert!(matches!(Bytes::of_length(usize::MAX / 2), Err(Error::OutOfMemory { .. })));
    }
}
