//! A first-in-first-out queue in blocks: what is large is never copied, neither to grow nor to be kept.
//!
//! Full blocks are shared with whoever keeps the queue as it stood at some moment. **Invariant**: adding,
//! taking or keeping moves at most the list of blocks, 1/4,096 of the items, and a shared block never
//! changes.

use std::collections::VecDeque;
use std::sync::Arc;

/// Items of one block.
const BLOCK: usize = 4_096;

/// The queue.
#[derive(Debug, Clone)]
pub struct Queue<T> {
    /// The oldest items; none only where there are none at all. Most queues have a few, and nothing behind
    /// them.
    front: Block<T>,
    behind: VecDeque<Block<T>>,
    /// Items that were ever taken.
    taken: usize,
    len: usize,
}

#[derive(Debug, Clone)]
struct Block<T> {
    /// Items that were ever added before the first one here.
    start: usize,
    items: Items<T>,
}

#[derive(Debug, Clone)]
enum Items<T> {
    Own(VecDeque<T>),
    Shared(Arc<VecDeque<T>>),
}

/// A queue as it stood, while the queue goes on.
#[derive(Debug)]
pub struct Kept<T> {
    /// The first items of the first block that had been taken by then.
    skipped: usize,
    blocks: Vec<Arc<VecDeque<T>>>,
}

impl<T> Kept<T> {
    /// From the oldest on.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.blocks.iter().flat_map(|block| block.iter()).skip(self.skipped)
    }
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { front: Block::after(0), behind: VecDeque::new(), taken: 0, len: 0 }
    }
}

impl<T> Block<T> {
    const fn after(start: usize) -> Self {
        Self { start, items: Items::Own(VecDeque::new()) }
    }

    fn items(&self) -> &VecDeque<T> {
        match &self.items {
            Items::Own(items) => items,
            Items::Shared(items) => items,
        }
    }

    /// The items, from now on shared and unchanging.
    fn share(&mut self) -> Arc<VecDeque<T>> {
        let items = match &mut self.items {
            Items::Own(items) => Arc::new(std::mem::take(items)),
            Items::Shared(items) => return Arc::clone(items),
        };
        self.items = Items::Shared(Arc::clone(&items));
        items
    }

    /// One past the last item's place.
    fn end(&self) -> usize {
        self.start + self.items().len()
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
        let mut capacity = 1;
        let last = self.behind.back_mut().unwrap_or(&mut self.front);
        match &mut last.items {
            Items::Own(own) if own.len() < BLOCK => {
                if own.capacity() == 0 {
                    own.reserve_exact(1);
                }
                return own.push_back(item);
            }
            // Full: from now on it may be shared.
            Items::Own(_) => {
                capacity = BLOCK;
                last.share();
            }
            Items::Shared(_) => {}
        }
        let mut own = VecDeque::with_capacity(capacity);
        own.push_back(item);
        let start = self.taken + self.len - 1;
        self.behind.push_back(Block { start, items: Items::Own(own) });
    }

    pub fn first(&self) -> Option<&T> {
        self.front.items().get(self.taken - self.front.start)
    }

    pub fn pop(&mut self) -> Option<T>
    where
        T: Clone,
    {
        let front = &mut self.front;
        let item = match &mut front.items {
            Items::Own(items) => {
                let item = items.pop_front()?;
                front.start += 1;
                item
            }
            Items::Shared(items) => items.get(self.taken - front.start)?.clone(),
        };
        self.taken += 1;
        self.len -= 1;
        if front.end() <= self.taken {
            match (self.behind.pop_front(), &front.items) {
                (Some(next), _) => *front = next,
                // Nothing can be added to one that is shared.
                (None, Items::Shared(_)) => *front = Block::after(self.taken),
                (None, Items::Own(_)) => {}
            }
        }
        Some(item)
    }

    /// The item at a position, counted from the oldest on.
    pub fn get(&self, at: usize) -> Option<&T> {
        let place = self.taken.checked_add(at)?;
        let block = match place < self.front.end() {
            true => &self.front,
            false => {
                let after = self.behind.partition_point(|block| block.start <= place);
                self.behind.get(after.checked_sub(1)?)?
            }
        };
        block.items().get(place.checked_sub(block.start)?)
    }

    /// From the oldest on.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        let front = self.front.items().iter().skip(self.taken - self.front.start);
        front.chain(self.behind.iter().flat_map(Block::items))
    }

    /// The queue as it stands, to keep.
    pub fn keep(&mut self) -> Kept<T> {
        if self.is_empty() {
            return Kept { skipped: 0, blocks: Vec::new() };
        }
        let skipped = self.taken - self.front.start;
        let blocks = std::iter::once(&mut self.front).chain(&mut self.behind);
        Kept { skipped, blocks: blocks.map(Block::share).collect() }
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
        let mut blocks = std::iter::once(&queue.front).chain(&queue.behind);
        assert!(blocks.all(|block| block.items().capacity() <= BLOCK));
        assert_eq!((queue.behind.len(), queue.len()), (2, 3 * BLOCK));
    }

    #[test]
    fn an_empty_queue_goes_on_after_it_was_kept() {
        let mut queue = Queue::default();
        queue.push(1);
        assert_eq!(queue.pop(), Some(1));
        assert_eq!(queue.keep().iter().count(), 0);
        queue.push(2);
        assert_eq!((queue.first(), queue.len()), (Some(&2), 1));
        assert_eq!((queue.pop(), queue.pop()), (Some(2), None));
    }

    #[test]
    fn what_is_kept_stays_as_it_was() {
        let mut queue = Queue::default();
        (0..10_000).for_each(|item| queue.push(item));
        (0..100).for_each(|item| assert_eq!(queue.pop(), Some(item)));
        let kept = queue.keep();
        (10_000..20_000).for_each(|item| queue.push(item));
        (100..15_100).for_each(|item| assert_eq!(queue.pop(), Some(item)));
        assert!(kept.iter().copied().eq(100..10_000));
        assert!(queue.iter().copied().eq(15_100..20_000));
    }

    proptest! {
        #[test]
        fn it_agrees_with_a_plain_queue(
            rounds in proptest::collection::vec((0usize..6_000, 0usize..6_000, 0u8..3), 0..12),
        ) {
            let (mut queue, mut model) = (Queue::default(), VecDeque::new());
            let mut kept = Vec::new();
            for (pushes, pops, keeps) in rounds {
                for item in 0..pushes {
                    queue.push(item);
                    model.push_back(item);
                }
                if keeps == 1 {
                    kept.push((queue.keep(), model.clone()));
                } else if keeps == 2 {
                    queue = queue.clone();
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
            for (kept, model) in kept {
                prop_assert!(kept.iter().eq(model.iter()));
            }
        }
    }
}
