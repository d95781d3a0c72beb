//! The HTTP side: listeners, the envelope around every door, and the doors by audience.
//!
//! A door parses, authorises, asks the engine's reader or submits one command, and dresses the
//! answer. **Invariant:** whatever leaves here has passed the envelope, so every reply carries
//! `Engine-Index` and `traceparent`, and every refusal is a problem document.

pub mod admin;
pub mod api;
pub mod ari;
pub mod body;
pub mod docs;
pub mod envelope;
pub mod etag;
pub mod guest;
pub mod identity;
pub mod listen;
pub mod ops;
pub mod partner;
pub mod query;
pub mod refusal;
pub mod reply;
pub mod trace;
