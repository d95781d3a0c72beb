//! openraft's runtime of a simulation: its own simulated one, with tasks that belong to lives.
//!
//! It owns nothing but the way through.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use openraft::{AsyncRuntime, OptionalSend};
use openraft_rt_sim::{Elapsed, SimInstant, SimRuntime, SimSleep, SimTimeout, SimWatch};

use super::join::{self, JoinError};

#[derive(Debug)]
pub(crate) struct RaftRuntime(SimRuntime);

type Sim = SimRuntime;

/// A join handle of ours, whatever it gives.
pub(crate) struct Joined<T>(join::JoinHandle<T>);

impl<T> Future for Joined<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context)
    }
}

impl AsyncRuntime for RaftRuntime {
    type JoinError = JoinError;
    type JoinHandle<T: OptionalSend + 'static> = Joined<T>;
    type Sleep = SimSleep;
    type Instant = SimInstant;
    type TimeoutError = Elapsed;
    type Timeout<R, T: Future<Output = R> + OptionalSend> = SimTimeout<T>;
    type ThreadLocalRng = <Sim as AsyncRuntime>::ThreadLocalRng;
    type Mpsc = <Sim as AsyncRuntime>::Mpsc;
    type Watch = SimWatch;
    type Oneshot = <Sim as AsyncRuntime>::Oneshot;
    type Mutex<T: OptionalSend + 'static> = <Sim as AsyncRuntime>::Mutex<T>;

    fn spawn<T>(future: T) -> Self::JoinHandle<T::Output>
    where
        T: Future + OptionalSend + 'static,
        T::Output: OptionalSend + 'static,
    {
        Joined(join::spawn(future))
    }

    fn sleep(duration: Duration) -> SimSleep {
        Sim::sleep(duration)
    }

    fn sleep_until(deadline: SimInstant) -> SimSleep {
        Sim::sleep_until(deadline)
    }

    fn timeout<R, F: Future<Output = R> + OptionalSend>(
        duration: Duration,
        future: F,
    ) -> SimTimeout<F> {
        Sim::timeout(duration, future)
    }

    fn timeout_at<R, F: Future<Output = R> + OptionalSend>(
        deadline: SimInstant,
        future: F,
    ) -> SimTimeout<F> {
        Sim::timeout_at(deadline, future)
    }

    fn is_panic(error: &JoinError) -> bool {
        matches!(error, JoinError::Panicked(_))
    }

    fn thread_rng() -> Self::ThreadLocalRng {
        Sim::thread_rng()
    }

    fn new(threads: usize) -> Self {
        Self(Sim::new(threads))
    }

    fn block_on<F, T>(&mut self, future: F) -> T
    where
        F: Future<Output = T>,
    {
        self.0.block_on(future)
    }
}
