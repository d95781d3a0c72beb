//! A first-in-first-out queue in blocks: what is large is never copied to grow.
//!
//! **Invariant**: adding one item moves at most the list of blocks, 1/4,096 of the items.

use std::collections::VecDeque;

/// Items of one block.
const BLOCK: usize = 4_096;

/// The queue.
#[derive(Debug)]
pub struct Queue<T> {
    /// The oldest items. Most queues have a few, and nothing behind them.
    first: VecDeque<T>,
    /// Those behind, in blocks that are full but for the last.
    blocks: VecDeque<VecDeque<T>>,
    len: usize,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { first: VecDeque::new(), blocks: VecDeque::new(), len: 0 }
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
        if self.first.capacity() == 0 {
            self.first.reserve_exact(1);
        }
        match self.blocks.back_mut() {
            None if self.first.len() < BLOCK => self.first.push_back(item),
            Some(block) if block.len() < BLOCK => block.push_back(item),
            _ => {
                let mut block = VecDeque::with_capacity(BLOCK);
                block.push_back(item);
                self.blocks.push_back(block);
            }
        }
    }

    pub fn first(&self) -> Option<&T> {
        self.first.front()
    }

    pub fn pop(&mut self) -> Option<T> {
        let item = self.first.pop_front()?;
        self.len -= 1;
        if self.first.is_empty()
            && let Some(next) = self.blocks.pop_front()
        {
            self.first = next;
        }
        Some(item)
    }

    /// The item at a position, counted from the oldest on.
    pub fn get(&self, at: usize) -> Option<&T> {
        match at.checked_sub(self.first.len()) {
            None => self.first.get(at),
            // Every block but the last is full.
            Some(at) => self.blocks.get(at / BLOCK)?.get(at % BLOCK),
        }
    }

    /// From the oldest on.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.first.iter().chain(self.blocks.iter().flatten())
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
        let mut blocks = std::iter::once(&queue.first).chain(&queue.blocks);
        assert!(blocks.all(|block| block.capacity() <= BLOCK));
        assert_eq!((queue.blocks.len(), queue.len()), (2, 3 * BLOCK));
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
