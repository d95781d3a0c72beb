//! Lives: one run of a node's process, from its start to its end or crash.
//!
//! It owns the tasks of that run. **Invariant**: after its end no task of it is polled again, and what the
//! tasks held was dropped while the life was already over.

use std::cell::RefCell;
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;

use crate::sim::world::{Ended, How, world};

/// Tasks among which the ended ones are looked for again.
const TASKS_BEFORE_SWEEP: usize = 512;

pub(crate) struct Life {
    pub node: u64,
    pub number: u64,
    over: AtomicBool,
    /// It was told to stop in order.
    stopping: AtomicBool,
    /// The machine lost power: it says good-bye to nobody.
    silent: AtomicBool,
    tasks: Mutex<Vec<Weak<Slot>>>,
}

thread_local! {
    static CURRENT: RefCell<Option<Arc<Life>>> = const { RefCell::new(None) };
}

impl Life {
    pub fn new(node: u64, number: u64) -> Arc<Self> {
        let [over, stopping, silent] = [false; 3].map(AtomicBool::new);
        Arc::new(Self { node, number, over, stopping, silent, tasks: Mutex::default() })
    }

    /// The life of the task that runs now.
    pub fn current() -> Option<Arc<Self>> {
        CURRENT.with(|current| current.borrow().clone())
    }

    /// Runs `work` as a part of `life`.
    pub fn within<T>(life: Option<Arc<Self>>, work: impl FnOnce() -> T) -> T {
        struct Back(Option<Arc<Life>>);
        impl Drop for Back {
            fn drop(&mut self) {
                CURRENT.with(|current| *current.borrow_mut() = self.0.take());
            }
        }
        let before = CURRENT.with(|current| current.replace(life));
        let _back = Back(before);
        work()
    }

    pub fn is_over(&self) -> bool {
        // Relaxed: one thread.
        self.over.load(Ordering::Relaxed)
    }

    pub fn note_stopping(&self) {
        // Relaxed: one thread.
        self.stopping.store(true, Ordering::Relaxed);
    }

    pub fn is_stopping(&self) -> bool {
        // Relaxed: one thread.
        self.stopping.load(Ordering::Relaxed)
    }

    pub fn is_silent(&self) -> bool {
        // Relaxed: one thread.
        self.silent.load(Ordering::Relaxed)
    }

    /// The process is about to end.
    pub fn end_by_itself(&self, how: How) {
        // Nobody listens any more at the end.
        let _ = world().ended.send(Ended { node: self.node, life: self.number, how });
    }

    /// Ends the life here and now: every task is dropped where it stands.
    pub fn end(self: &Arc<Self>, silent: bool) {
        // Relaxed, both: one thread.
        self.silent.store(silent, Ordering::Relaxed);
        self.over.store(true, Ordering::Relaxed);
        loop {
            let tasks = std::mem::take(&mut *self.tasks.lock());
            if tasks.is_empty() {
                return;
            }
            for slot in tasks.iter().filter_map(Weak::upgrade) {
                slot.drop_future();
            }
        }
    }
}

impl fmt::Debug for Life {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Life({}.{})", self.node, self.number)
    }
}

type Boxed = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A task's future, where the executor and its life both reach it.
pub(super) struct Slot {
    life: Option<Arc<Life>>,
    future: Mutex<Option<Boxed>>,
    waker: Mutex<Option<Waker>>,
    cancelled: AtomicBool,
}

impl Slot {
    pub fn new(future: Boxed) -> Arc<Self> {
        let life = Life::current();
        let slot = Arc::new(Self {
            life: life.clone(),
            future: Mutex::new(Some(future)),
            waker: Mutex::default(),
            cancelled: AtomicBool::new(false),
        });
        if let Some(life) = life {
            let mut tasks = life.tasks.lock();
            if tasks.len() >= TASKS_BEFORE_SWEEP && tasks.len().is_power_of_two() {
                tasks.retain(|task| task.strong_count() > 0);
            }
            tasks.push(Arc::downgrade(&slot));
        }
        slot
    }

    /// The task ends before it runs again.
    pub fn cancel(&self) {
        // Relaxed: one thread.
        self.cancelled.store(true, Ordering::Relaxed);
        self.wake();
    }

    fn wake(&self) {
        let waker = self.waker.lock().take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn is_over(&self) -> bool {
        // Relaxed: one thread.
        self.cancelled.load(Ordering::Relaxed)
            || self.life.as_ref().is_some_and(|life| life.is_over())
    }

    fn drop_future(&self) {
        let future = self.future.lock().take();
        Life::within(self.life.clone(), || drop(future));
        self.wake();
    }
}

/// What the executor polls.
pub(super) struct Poller(pub Arc<Slot>);

impl Future for Poller {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let slot = &self.0;
        if slot.is_over() {
            slot.drop_future();
            return Poll::Ready(());
        }
        // A busy machine runs its tasks in another order.
        if world().schedule.lock().one_in(24) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let Some(mut future) = slot.future.lock().take() else { return Poll::Ready(()) };
        *slot.waker.lock() = Some(context.waker().clone());
        let polled = Life::within(slot.life.clone(), || future.as_mut().poll(context));
        let ends = polled.is_ready() || slot.is_over();
        if ends {
            Life::within(slot.life.clone(), || drop(future));
            return Poll::Ready(());
        }
        *slot.future.lock() = Some(future);
        Poll::Pending
    }
}
