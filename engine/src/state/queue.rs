//! A first-in-first-out queue in blocks: what is large is never copied to grow.
//!
//! **Invariant**: adding one item moves at most the list of blocks, 1/4,096 of the items.

use std::collections::VecDeque;

/// Items of one block.
const BLOCK: usize = 4_096;
/// Items that the first block begins with.
const FIRST: usize = 4;

/// The queue.
#[derive(Debug)]
pub struct Queue<T> {
    blocks: VecDeque<VecDeque<T>>,
    len: usize,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { blocks: VecDeque::new(), len: 0 }
    }
}

impl<T> Queue<T> {
    pub const fn len(&self) -> usize {
        self.len
    }

    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn push(&mut self, item: T) {
        self.len += 1;
        match self.blocks.back_mut() {
            Some(block) if block.len() < BLOCK => block.push_back(item),
            last => {
                let items = if last.is_some() { BLOCK } else { FIRST };
                let mut block = VecDeque::with_capacity(items);
                block.push_back(item);
                self.blocks.push_back(block);
            }
        }
    }

    pub fn first(&self) -> Option<&T> {
        self.blocks.front()?.front()
    }

    pub fn pop(&mut self) -> Option<T> {
        let block = self.blocks.front_mut()?;
        let item = block.pop_front()?;
        self.len -= 1;
        if block.is_empty() && self.blocks.len() > 1 {
            self.blocks.pop_front();
        }
        Some(item)
    }

    /// The item at a position, counted from the oldest on.
    pub fn get(&self, at: usize) -> Option<&T> {
        let first = self.blocks.front()?;
        match at.checked_sub(first.len()) {
            None => first.get(at),
            // Every block but the first and the last is full.
            Some(at) => self.blocks.get(1 + at / BLOCK)?.get(at % BLOCK),
        }
    }

    /// From the oldest on.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.blocks.iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn no_block_ever_grows_past_its_bound() {
        let mut queue = Queue::default();
        for item in 0..3 * BLOCK {
            queue.push(item);
        }
        assert!(queue.blocks.iter().all(|block| block.capacity() <= BLOCK));
        assert_eq!((queue.blocks.len(), queue.len()), (3, 3 * BLOCK));
    }

    proptest! {
        #[test]
        fn it_agrees_with_a_plain_queue(
            rounds in proptest::collection::vec((0usize..6_000, 0usize..6_000), 0..12),
        ) {
            let (mut queue, mut model) = (Queue::default(), VecDeque::new());
            for (pushes, pops) in rounds {
                for item in 0..pushes {
                    queue.push(item);
                    model.push_back(item);
                }
                for _ in 0..pops {
                    prop_assert_eq!(queue.first(), model.front());
                    prop_assert_eq!(queue.pop(), model.pop_front());
                }
                prop_assert_eq!(queue.len(), model.len());
                prop_assert_eq!(queue.is_empty(), model.is_empty());
                prop_assert!(queue.iter().eq(model.iter()));
                let at = |at| queue.get(at) == model.get(at);
                prop_assert!((0..=model.len()).all(at));
            }
        }
    }
}
