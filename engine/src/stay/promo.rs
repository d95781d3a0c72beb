//! Promotions of a stay: whether the code that was named is good for it.
//!
//! It refuses to count: what is left of a promotion is judged where its discount is known.

use super::Moment;
use crate::catalogue::Hotel;
use crate::promo::{Promo, PromoCode};
use crate::refusal::{Blocker, Layer, Reason};
use crate::state::Shared;

/// The promotion that a code names at a hotel, with all that stands in its way on a stay that is booked
/// at this moment; `None` where the hotel's partner has no such code, which stands in the way too.
pub fn judge_promo(
    shared: &Shared,
    hotel: &Hotel,
    (code, moment): (&PromoCode, &Moment<'_>),
    blockers: &mut Vec<Blocker>,
) -> Option<Promo> {
    let promo = shared.promo_named(hotel.partner, code);
    match &promo {
        Some(promo) => promo.find_blockers(hotel, moment.stay, moment.today(), blockers),
        None => {
            let (reason, layer) = (Reason::PromoUnknown, Layer::Promo);
            blockers.push(Blocker { reason, layer, night: moment.stay.check_in });
        }
    }
    promo
}
