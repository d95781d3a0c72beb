//! Personal data of a booking: sealed before it enters a command, opened for those who may read it.
//!
//! Every guest, told by the e-mail address, has keys of their own; who they are is a digest only this
//! deployment can make. **Invariant:** nothing here is logged.

use holdfast_engine::Reader;
use holdfast_engine::booking::{Booking, Sealed, WrappedKey};
use holdfast_engine::ids::BookingId;

use crate::seal::Sealer;
use crate::state::AppState;
use crate::wire::booking::Personal;

/// A sealed field, and its key where the state may not have it yet.
pub struct SealedGuest {
    pub sealed: Sealed,
    pub key: Option<WrappedKey>,
}

/// Seals for one booking.
pub fn seal(state: &AppState, booking: BookingId, personal: &Personal) -> SealedGuest {
    let (reader, sealer) = (state.reader(), state.sealer());
    let guest = sealer.guest_digest(&personal.guest.email);
    let known = reader
        .guest_key_newest(guest)
        .and_then(|wrapped| sealer.unwrap_guest_key(guest, &wrapped.bytes).ok());
    let (key, fresh) = match known {
        Some(key) => (key, None),
        None => {
            let (key, wrapped) = sealer.new_guest_key(guest);
            let fresh = WrappedKey { key: key.id(), bytes: wrapped };
            (key, Some(fresh))
        }
    };
    let bytes = key.seal(booking.0, &personal.to_json());
    SealedGuest { sealed: Sealed { guest, key: key.id(), bytes }, key: fresh }
}

/// Opens a booking's. `None` where its key was destroyed.
pub fn open(state: &AppState, booking: &Booking) -> Option<Personal> {
    open_with(state.reader(), state.sealer(), booking)
}

fn open_with(reader: &Reader, sealer: &Sealer, booking: &Booking) -> Option<Personal> {
    let sealed = &booking.guest;
    let wrapped = reader.guest_key(sealed.guest, sealed.key)?;
    let opened = sealer
        .unwrap_guest_key(sealed.guest, &wrapped.bytes)
        .and_then(|key| key.open(booking.id.0, &sealed.bytes));
    match opened {
        Ok(plain) => serde_json::from_slice(&plain).ok(),
        Err(error) => {
            // Not erased but unreadable: the deployment's key is not the one it was sealed under.
            tracing::error!(%error, booking = %booking.id, "a guest's data does not open");
            None
        }
    }
}
