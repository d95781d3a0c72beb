//! Inventory: how many rooms of each type there are, held, sold and left, night by night.

mod arena;
pub mod cell;
pub mod rows;

pub use cell::Cell;
pub use rows::{Page, Row, Rows, Span};
