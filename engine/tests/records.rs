//! Records of the archive never change their bytes.

use holdfast_engine::archive::{self, Archived};
use holdfast_engine::booking::{Booking, Payment, Sealed, Settlement, Status};
use holdfast_engine::catalogue::{Deposit, Penalty, Policy, Tier};
use holdfast_engine::hold::{Line, Terms};
use holdfast_engine::ids::{
    BlockId, BookingId, HoldId, HotelIx, PromoId, RatePlanIx, RoomTypeIx, WaitId,
};
use holdfast_engine::money::Currency;
use holdfast_engine::promo::{PromoCode, Taken};
use holdfast_engine::quote::RoomQuote;
use holdfast_engine::{Night, Principal, codec};

const GOLDEN: &str = include_str!("fixtures/record.hex");

fn booking() -> Booking {
    let quote = RoomQuote {
        prices: vec![100_000, 200_000].into(),
        extras: vec![0, 5_000].into(),
        inclusive: false,
        discount: 4_999,
        discounts: vec![4_998, 1].into(),
        room: 300_001,
        service: 30_000,
        vat: 23_100,
        fee: 1,
        total: 353_102,
    };
    let tier = Tier { until_days: 7, until_minute: 1_080, penalty: Penalty::Nights(1) };
    let line = Line {
        room_type: RoomTypeIx(4),
        rate_plan: RatePlanIx(5),
        quantity: 2,
        adults: 2,
        children: vec![3, 11].into(),
        quote,
        policy: Policy { tiers: vec![tier] }.into(),
        deposit: Deposit::Fixed(0x0A0B),
    };
    let terms = Terms {
        id: HoldId(0x0102_0304_0506_0708_090A_0B0C_0D0E_0F10),
        hotel: HotelIx(3),
        principal: Principal::Guest(17),
        check_in: Night(20_779),
        check_out: Night(20_781),
        lines: vec![line].into(),
        total: 706_204,
        currency: Currency::THB,
        tax_version: 6,
        client_reference: Some("my-1".to_owned()),
        block: Some(BlockId(7)),
        waitlist: Some(WaitId(8)),
        promo: Some(Box::new(Taken {
            promo: PromoId(9),
            code: PromoCode::new("SAVE").unwrap(),
            off: 9_998,
            min_nights: 2,
        })),
        created_ms: 1_795_315_200_000,
    };
    Booking {
        id: BookingId(0x1112_1314_1516_1718_191A_1B1C_1D1E_1F20),
        principal: Principal::Partner(18),
        terms: terms.into(),
        status: Status::Cancelled(Settlement {
            at_ms: 1_795_315_300_000,
            fee: 9,
            refund: 10,
            owed: 0,
        }),
        guest: Sealed { guest: 4, key: 5, bytes: vec![1, 2, 3] }.into(),
        payment: Payment {
            intent: 3,
            method: "mock".to_owned(),
            provider_reference: "p-1".to_owned(),
            amount: 19,
        }
        .into(),
        version: 2,
        fee_floor: 1,
        created_ms: 1_795_315_250_000,
        changed_ms: 1_795_315_300_000,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_record_is_written_as_it_always_was_and_reads_back() {
    let record = archive::record(&booking());
    assert_eq!(hex(&record), GOLDEN.trim(), "the file as this build would write it");
    assert_eq!(archive::read(&record).unwrap(), booking());
    assert!(matches!(archive::read(&record[..9]), Err(codec::Error::Malformed(_))));
}

#[test]
fn the_order_of_records_does_not_matter_to_their_digest_and_each_does() {
    let other = Booking { version: 3, ..booking() };
    let records = [archive::record(&booking()), archive::record(&other)];
    let of = |records: &[&Vec<u8>]| {
        let mut archived = Archived::default();
        records.iter().for_each(|record| archived.add(record));
        archived
    };
    let [one, two] = &records;
    assert_eq!(of(&[one, two]), of(&[two, one]));
    assert_eq!(of(&[one, two]).since(of(&[one])), of(&[two]));
    assert_ne!(of(&[one]), of(&[two]));
}
