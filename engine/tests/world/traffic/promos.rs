//! Random traffic of promotions: codes are added, changed and removed, and named by holds.

use holdfast_engine::command::{AddPromo, ChangePromo, RemovePromo};
use holdfast_engine::ids::{HotelIx, PartnerId, PromoId};
use holdfast_engine::money::Currency;
use holdfast_engine::promo::{Asked, Period, PromoCode, PromoDraft};
use holdfast_engine::quote::Discount;
use holdfast_engine::{Night, Principal, Reader, Verb};

use super::super::{DAY, PARTNER, RIVAL, drafts};
use super::{Dice, Traffic};

const CODES: [&str; 3] = ["A", "B", "C"];

fn code(dice: &mut Dice) -> PromoCode {
    PromoCode::new(dice.of(&CODES)).expect("it is a code")
}

impl Traffic {
    /// A code for each partner that the random worlds begin with.
    pub(super) fn first_promos(&mut self, verbs: &mut Vec<Verb>) {
        for partner in [PARTNER, RIVAL] {
            let draft = PromoDraft { uses_max: Some(9), ..drafts::promo() };
            verbs.push(Verb::AddPromo(AddPromo {
                id: PromoId(self.mint()),
                partner,
                principal: Principal::Partner(partner.0),
                code: PromoCode::new("A").expect("it is a code"),
                draft,
            }));
        }
    }

    pub(super) fn promos(&mut self, dice: &mut Dice, now: u64) -> Verb {
        let principal = Self::asker(dice);
        let partner = match dice.below(30) {
            0 => PartnerId(77),
            1..10 => RIVAL,
            _ => PARTNER,
        };
        let code = code(dice);
        let version = dice.of(&[None, None, None, Some(1), Some(2)]);
        match dice.below(8) {
            0..4 => {
                let id = PromoId(if dice.one_in(12) { self.next } else { self.mint() });
                let draft = some_draft(dice, now);
                Verb::AddPromo(AddPromo { id, partner, principal, code, draft })
            }
            4..7 => {
                let draft = some_draft(dice, now);
                Verb::ChangePromo(ChangePromo { partner, code, principal, version, draft })
            }
            _ => Verb::RemovePromo(RemovePromo { partner, code, principal, version }),
        }
    }

    /// Now and then a code, and what of it the door's quotes were made with: as it stands, or nothing.
    pub(super) fn some_promo(
        dice: &mut Dice,
        reader: &Reader,
        hotel: HotelIx,
    ) -> Option<Box<Asked>> {
        if !dice.one_in(3) {
            return None;
        }
        let asked = Asked::of(&code(dice));
        let known = reader.hotel(hotel).and_then(|it| reader.promo_named(it.partner, &asked.code));
        let quoted = known.filter(|_| dice.one_in(2)).map(|promo| (promo.id, promo.version));
        Some(Box::new(Asked { quoted, ..*asked }))
    }
}

/// The discount that a door's quotes are made with.
pub fn quoted(reader: &Reader, asked: Option<&Asked>) -> Option<Discount> {
    let (id, _) = asked?.quoted?;
    reader.promo(id).map(|promo| promo.draft.discount)
}

/// The discount that a guest is told of.
pub fn named(reader: &Reader, hotel: HotelIx, asked: Option<&Asked>) -> Option<Discount> {
    let partner = reader.hotel(hotel)?.partner;
    reader.promo_named(partner, &asked?.code).map(|promo| promo.draft.discount)
}

fn some_draft(dice: &mut Dice, now: u64) -> PromoDraft {
    let today = Night((now / DAY) as u16);
    let discount = dice.of(&[
        Discount::PercentBp(1_000),
        Discount::PercentBp(3_333),
        Discount::PercentBp(10_000),
        Discount::Fixed(50_001),
        Discount::Fixed(300_000),
        Discount::PercentBp(0),
    ]);
    let period = |first, last| Period { first, last };
    let open = Period::default();
    PromoDraft {
        discount,
        currency: if dice.one_in(12) { Currency(*b"USD") } else { Currency::THB },
        booking: dice.of(&[
            open,
            open,
            open,
            period(Some(today.plus(1)), None),
            period(None, Some(today.minus(1))),
            period(Some(today), Some(today.plus(2))),
        ]),
        stay: dice.of(&[
            open,
            open,
            open,
            period(Some(today.plus(2)), Some(today.plus(6))),
            period(Some(today.plus(3)), Some(today.plus(2))),
        ]),
        min_nights: dice.of(&[1, 1, 1, 1, 2, 3, 0]),
        hotels: dice.of(&[
            vec![],
            vec![],
            vec![HotelIx(0)],
            vec![HotelIx(0), HotelIx(1)],
            vec![HotelIx(2)],
            vec![HotelIx(1), HotelIx(0)],
        ]),
        uses_max: dice.of(&[None, None, Some(1), Some(2), Some(3), Some(0)]),
        money_max: dice.of(&[None, None, Some(20_000), Some(100_000), Some(500_000)]),
    }
}
