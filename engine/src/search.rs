//! Search: which hotels of an area can take a stay, and at what price. Pure reads; no lock a writer holds
//! while it works, no disk.

pub mod page;
pub mod places;
pub mod query;

pub use page::Page;
pub use places::{Area, Places};
pub use query::{Filters, Found, Query, Sort};
