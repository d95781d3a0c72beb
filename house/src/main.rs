//! Writes the pages that are made from the code. `./dev fix` runs it; the test beside it only
//! compares. Writes nothing else.

use std::io;

use holdfast_house::{bounds, limits, root};

fn main() -> io::Result<()> {
    std::fs::write(root().join("docs/LIMITS.md"), bounds::page(&limits(&root())?))
}
