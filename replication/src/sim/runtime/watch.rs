//! The twin of tokio's watch channel: whoever waits is woken in the order of waiting.
//!
//! tokio spreads its waiters over several lists by a random number, so that two runs of one seed would
//! differ. It owns nothing else.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Poll, Waker};

use parking_lot::{Mutex, RwLock, RwLockReadGuard};

struct Shared<T> {
    value: RwLock<Versioned<T>>,
    waiting: Mutex<Waiting>,
}

struct Versioned<T> {
    value: T,
    version: u64,
}

#[derive(Default)]
struct Waiting {
    wakers: VecDeque<Waker>,
    senders: usize,
}

impl<T> Shared<T> {
    fn wake(&self) {
        let wakers = std::mem::take(&mut self.waiting.lock().wakers);
        wakers.into_iter().for_each(Waker::wake);
    }
}

#[derive(Debug)]
pub(crate) struct RecvError;

pub(crate) struct Sender<T>(Arc<Shared<T>>);

pub(crate) struct Receiver<T> {
    shared: Arc<Shared<T>>,
    seen: u64,
}

pub(crate) struct Ref<'a, T>(RwLockReadGuard<'a, Versioned<T>>);

impl<T> std::ops::Deref for Ref<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.value
    }
}

pub(crate) fn channel<T>(value: T) -> (Sender<T>, Receiver<T>) {
    let sender = Sender::new(value);
    let receiver = sender.subscribe();
    (sender, receiver)
}

impl<T> std::fmt::Debug for Sender<T> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Sender")
    }
}

impl<T> Sender<T> {
    pub fn new(value: T) -> Self {
        let value = RwLock::new(Versioned { value, version: 0 });
        let waiting = Mutex::new(Waiting { wakers: VecDeque::new(), senders: 1 });
        Self(Arc::new(Shared { value, waiting }))
    }

    pub fn subscribe(&self) -> Receiver<T> {
        let seen = self.0.value.read().version;
        Receiver { shared: self.0.clone(), seen }
    }

    pub fn borrow(&self) -> Ref<'_, T> {
        Ref(self.0.value.read())
    }

    pub fn send_replace(&self, value: T) -> T {
        let mut before = value;
        self.send_modify(|value| std::mem::swap(value, &mut before));
        before
    }

    pub fn send_modify(&self, modify: impl FnOnce(&mut T)) {
        self.send_if_modified(|value| {
            modify(value);
            true
        });
    }

    pub fn send_if_modified(&self, modify: impl FnOnce(&mut T) -> bool) -> bool {
        let modified = {
            let mut current = self.0.value.write();
            let modified = modify(&mut current.value);
            current.version += u64::from(modified);
            modified
        };
        if modified {
            self.0.wake();
        }
        modified
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.0.waiting.lock().senders -= 1;
        self.0.wake();
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone(), seen: self.seen }
    }
}

impl<T> Receiver<T> {
    pub fn borrow(&self) -> Ref<'_, T> {
        Ref(self.shared.value.read())
    }

    pub fn borrow_and_update(&mut self) -> Ref<'_, T> {
        let value = self.shared.value.read();
        self.seen = value.version;
        Ref(value)
    }

    pub fn mark_unchanged(&mut self) {
        self.seen = self.shared.value.read().version;
    }

    pub async fn changed(&mut self) -> Result<(), RecvError> {
        std::future::poll_fn(|context| {
            let version = self.shared.value.read().version;
            if version != self.seen {
                self.seen = version;
                return Poll::Ready(Ok(()));
            }
            let mut waiting = self.shared.waiting.lock();
            if waiting.senders == 0 {
                return Poll::Ready(Err(RecvError));
            }
            if !waiting.wakers.iter().any(|waker| waker.will_wake(context.waker())) {
                waiting.wakers.push_back(context.waker().clone());
            }
            Poll::Pending
        })
        .await
    }

    pub async fn wait_for(
        &mut self,
        mut holds: impl FnMut(&T) -> bool,
    ) -> Result<Ref<'_, T>, RecvError> {
        loop {
            let (met, version) = {
                let current = self.shared.value.read();
                (holds(&current.value), current.version)
            };
            self.seen = version;
            if met {
                return Ok(Ref(self.shared.value.read()));
            }
            self.changed().await?;
        }
    }
}
