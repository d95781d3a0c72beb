//! How far loading is: a bar on a terminal, a line for every tenth of the way otherwise.
//!
//! Owns what is shown and nothing else; losing it loses no work.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use indicatif::{ProgressBar, ProgressStyle};

/// Lines shown where there is no terminal.
const STEPS: usize = 10;

/// Clones count together.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    done: AtomicUsize,
    total: usize,
    shown: Shown,
}

#[derive(Debug)]
enum Shown {
    Bar(ProgressBar),
    Lines,
    Nothing,
}

impl Progress {
    pub fn start(total: usize, done: usize, quiet: bool) -> Self {
        let shown = match (quiet, std::io::stderr().is_terminal()) {
            (true, _) => Shown::Nothing,
            (false, true) => Shown::Bar(bar(total, done)),
            (false, false) => Shown::Lines,
        };
        Self { inner: Arc::new(Inner { done: AtomicUsize::new(done), total, shown }) }
    }

    /// One more hotel is there.
    pub fn one_more(&self) {
        let Inner { done, total, shown } = &*self.inner;
        // Relaxed: a counter for people; nothing is ordered by it.
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        match shown {
            Shown::Bar(bar) => bar.set_position(done as u64),
            Shown::Lines if done * STEPS / total != (done - 1) * STEPS / total => {
                // A closed pipe is no reason to stop loading.
                let _ = writeln!(std::io::stderr(), "demo data: {done} of {total} hotels");
            }
            Shown::Lines | Shown::Nothing => {}
        }
    }

    pub fn finish(&self) {
        if let Shown::Bar(bar) = &self.inner.shown {
            bar.finish_and_clear();
        }
    }
}

fn bar(total: usize, done: usize) -> ProgressBar {
    let bar = ProgressBar::new(total as u64).with_position(done as u64);
    let style = ProgressStyle::with_template("demo data {bar:40} {pos}/{len} hotels, {eta} left");
    // The template is fixed and tested by use; the plain bar is as good.
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}
