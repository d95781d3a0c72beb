//! Every bound of the engine, in one place, with its unit.
//!
//! A bound here is part of the replicated rules: changing one changes what a log means, so it is done
//! with a new command version, never by editing the number under a running deployment.

/// Bookings that a refused removal names.
pub const NAMED_BOOKINGS_MAX: usize = 20;
/// The last instant of the log's clock, in milliseconds: where the last night begins that a date can name.
pub const LOG_TIME_MS_MAX: u64 = 65_535 * 24 * 3_600 * 1_000;
/// Rooms one cell can count: the width of its 12-bit fields.
pub const ROOMS_PER_CELL_MAX: u32 = 4_095;
/// Overbooking rooms one cell can grant: the width of its 8-bit field.
pub const OVERBOOK_MAX: u32 = 255;
/// Nights a deployment may look ahead when its operator asks for nothing else.
pub const HORIZON_NIGHTS_DEFAULT: u16 = 730;
/// Nights a deployment may look ahead at most.
pub const HORIZON_NIGHTS_MAX: u16 = 1_100;
/// Nights a deployment must look ahead at least.
pub const HORIZON_NIGHTS_MIN: u16 = 30;
/// Zeroed nights between the end of the horizon and the slot that is reused next.
pub const SPARE_NIGHTS: u16 = 16;
/// Words of the calendars that one step zeroes for nights behind today, a row counting as eight more.
pub const RETIRE_WORDS_MAX: u32 = 32_768;
/// Longest stay of a hotel that says nothing else, in nights.
pub const MAX_STAY_DEFAULT: u16 = 30;
/// Longest stay a hotel may allow, in nights.
pub const MAX_STAY_MAX: u16 = 365;
/// A stay limit in nights: six bits of the rate word, of which one value means "lifted".
pub const STAY_LIMIT_MAX: u8 = 62;
/// Days of an advance rule or a cut-off: no night lies further ahead.
pub const ADVANCE_DAYS_MAX: u16 = HORIZON_NIGHTS_MAX;
/// Occupancies that one plan-night may name a price for.
pub const OCCUPANCY_PRICES_MAX: usize = 12;
/// Plan-nights of one deployment that may have dated rules beyond their rate word.
pub const OVERLAY_NIGHTS_MAX: usize = 16_000_000;
/// Price of one night in minor units: 32 bits.
pub const PRICE_MAX: i64 = u32::MAX as i64;
/// Lines of one hold.
pub const HOLD_LINES_MAX: usize = 16;
/// Rooms of one line of a hold.
pub const LINE_QUANTITY_MAX: u16 = 1_000;
/// Children of one room.
pub const CHILDREN_MAX: usize = 16;
/// Age from which a guest is an adult, in years.
pub const ADULT_AGE: u8 = 18;
/// Life of a hold that asks for nothing else, in seconds.
pub const HOLD_TTL_S_DEFAULT: u32 = 15 * 60;
/// Longest life a hold may ask for, new or extended, in seconds from the asking.
pub const HOLD_TTL_S_MAX: u32 = HOLD_TTL_S_DEFAULT;
/// Shortest life a hold may ask for, in seconds.
pub const HOLD_TTL_S_MIN: u32 = 1;
/// Latest expiry of a hold, in seconds after it was made.
pub const HOLD_LIFE_S_MAX: u32 = 45 * 60;
/// Times a hold may be extended.
pub const HOLD_EXTENSIONS_MAX: u8 = 2;
/// How long a hold's expiry stands still for a payment, in milliseconds.
pub const PAYMENT_MS_MAX: u64 = 2 * 60 * 1_000;
/// Active holds of one guest.
pub const QUOTA_HOLDS: u32 = 10;
/// Rooms in active holds of one guest.
pub const QUOTA_ROOMS: u32 = 20;
/// Room-nights in active holds of one guest.
pub const QUOTA_ROOM_NIGHTS: u32 = 300;
/// Where the share of a cell is capped, one guest may hold one in so many of the rooms that would be free
/// without that guest's holds, and always one.
pub const QUOTA_SHARE_OF_FREE: u32 = 4;
/// Holds expired by one sweep.
pub const SWEEP_MAX: u32 = 4_096;
/// Entries of the expiry index, standing or not, that one sweep looks at.
pub const SWEEP_LOOKS_MAX: u32 = 16_384;
/// How long the answer to an idempotency key is kept, in milliseconds, while there is room.
pub const KEY_MS_KEPT: u64 = 24 * 3_600 * 1_000;
/// How long it is kept whatever comes, in milliseconds.
pub const KEY_MS_SURE: u64 = 3_600 * 1_000;
/// Idempotency keys kept at once. Past it the oldest makes room once it is [`KEY_MS_SURE`] old; until
/// then a new key is refused.
pub const KEYS_MAX: usize = 16_000_000;
/// Keys, ended holds and references forgotten by one tick.
pub const FORGET_MAX: u32 = 16_384;
/// How long an ended hold can still be read, in milliseconds, while there is room.
pub const ENDED_HOLD_MS_KEPT: u64 = 24 * 3_600 * 1_000;
/// How long it can be read whatever comes, in milliseconds.
pub const ENDED_HOLD_MS_SURE: u64 = 3_600 * 1_000;
/// Holds in memory, live and ended. Past it the hold that ended first makes room once that is
/// [`ENDED_HOLD_MS_SURE`] ago; until then a new hold is refused.
pub const HOLDS_MAX: usize = 16_000_000;
/// Bookings in memory; past it a confirmation is refused.
pub const BOOKINGS_MAX: usize = 64_000_000;
/// Days after check-out when a booking leaves memory, where nothing else is configured.
pub const ARCHIVE_DAYS_DEFAULT: u16 = 30;
/// Fewest of them: until then a guest can be said not to have come, in every zone.
pub const ARCHIVE_DAYS_MIN: u16 = 3;
/// Most of them.
pub const ARCHIVE_DAYS_MAX: u16 = 1_095;
/// Bookings that one step archives; the next tick goes on.
pub const ARCHIVE_MAX: u32 = 256;
/// Entries of bookings that have left memory that one more of its list drops.
pub const GAPS_DROPPED_MAX: usize = 64;
/// Entries of a list of bookings that one page looks at; the next page goes on.
pub const LISTING_LOOKS_MAX: usize = 1_024;
/// A hotel's newest bookings that wait to be sorted into its list by arrival.
pub const ARRIVALS_NEW_MAX: usize = 128;
/// Bookings of a hotel looked at while its list is locked: the writer waits for no more.
pub const ARRIVALS_LOOKS_MAX: usize = 256;
/// How long after the check-out day began a guest can still be said not to have come, in milliseconds.
pub const NO_SHOW_MS_MAX: u64 = 48 * 3_600 * 1_000;
/// Days after check-out for which a client reference stays taken.
pub const REFERENCE_DAYS_KEPT: u16 = 400;
/// Client references kept at once, of live holds and of bookings. Past it a hold that has one is refused;
/// none is forgotten before its time.
pub const REFERENCES_MAX: usize = 64_000_000;
/// Blocks of one hotel, those that are over included. Past it the oldest that is over makes room; where
/// none is, a new block is refused.
pub const BLOCKS_PER_HOTEL_MAX: usize = 256;
/// Room types of one block.
pub const BLOCK_LINES_MAX: usize = 16;
/// Nights of one block.
pub const BLOCK_NIGHTS_MAX: u16 = 366;
/// Blocks released by themselves at the beginning of one log entry; the next goes on.
pub const BLOCKS_RELEASED_MAX: u32 = 64;
/// Longest life of an offer to somebody who waited, in seconds; the life where nothing else is asked for.
pub const WAITLIST_OFFER_S_MAX: u32 = 2 * 3_600;
/// Entries of one guest that wait.
pub const WAITLIST_PER_GUEST_MAX: usize = 10;
/// Entries of one hotel that wait.
pub const WAITLIST_PER_HOTEL_MAX: usize = 256;
/// Offers made after one command; the next goes on.
pub const WAITLIST_OFFERS_MAX: u32 = 64;
/// Promotions of one partner, those that are removed included. Past it the first made that is removed, held by
/// nobody and behind the calendar with all its stays makes room; where none is, a new one is refused.
pub const PROMOS_PER_PARTNER_MAX: usize = 10_000;
/// Bytes of a promotion's code.
pub const PROMO_CODE_BYTES_MAX: usize = 32;
/// Hotels that one promotion names.
pub const PROMO_HOTELS_MAX: usize = 256;
/// Bytes of a client reference.
pub const REFERENCE_BYTES_MAX: usize = 128;
/// Bytes of the sealed personal data of one booking.
pub const SEALED_BYTES_MAX: usize = 16 * 1_024;
/// Bytes of a wrapped guest key.
pub const WRAPPED_KEY_BYTES_MAX: usize = 256;
/// Bytes of the name of a payment method.
pub const PAYMENT_METHOD_BYTES_MAX: usize = 64;
/// Bytes of a payment provider's own reference.
pub const PROVIDER_REFERENCE_BYTES_MAX: usize = 256;
/// Hotels of one deployment.
pub const HOTELS_MAX: u32 = 1 << 20;
/// Room types of one deployment.
pub const ROOM_TYPES_MAX: u32 = 1 << 22;
/// Rate plans of one deployment.
pub const RATE_PLANS_MAX: u32 = 1 << 23;
/// Room types of one hotel.
pub const ROOM_TYPES_PER_HOTEL_MAX: usize = 256;
/// Rate plans of one room type.
pub const RATE_PLANS_PER_ROOM_TYPE_MAX: usize = 64;
/// Age bands of a hotel.
pub const AGE_BANDS_MAX: usize = 8;
/// Numbers of adults that a plan has prices for.
pub const OCCUPANCIES_MAX: usize = 16;
/// The largest rise of a price that is made from another, in basis points.
pub const ADJUSTMENT_BP_MAX: i32 = 100_000;
/// Derivations between a plan and the plan whose prices are written.
pub const DERIVATION_DEPTH_MAX: usize = 3;
/// Plans whose prices come from one plan, at any depth: a price that is written rewrites them all.
pub const DERIVED_PLANS_MAX: usize = 16;
/// Tiers of a cancellation policy.
pub const POLICY_TIERS_MAX: usize = 8;
/// Service charge, basis points of the room.
pub const SERVICE_BP_MAX: u16 = 3_000;
/// VAT, basis points of the lines it covers.
pub const VAT_BP_MAX: u16 = 3_000;
/// Provincial fee, basis points of the room.
pub const FEE_BP_MAX: u16 = 300;
/// Entries of the table of taxes.
pub const TAX_ENTRIES_MAX: usize = 1_024;
/// Bytes of one text field of the catalogue.
pub const TEXT_BYTES_MAX: usize = 16 * 1_024;
/// Lines of one replicated ARI command.
pub const ARI_LINES_MAX: usize = 4_096;
/// Nights that one replicated ARI command may write, over all its lines.
pub const ARI_NIGHTS_MAX: usize = 1_048_576;
/// Bytes of the name of an ARI source.
pub const SOURCE_BYTES_MAX: usize = 64;
/// ARI sources of one deployment.
pub const SOURCES_MAX: usize = 1_000_000;
/// Nights by which the dates of a stay are moved, earlier and later, to find one that works.
pub const NEAREST_SHIFT_NIGHTS: u16 = 14;
/// Nights by which a stay is made longer or shorter to find one that works.
pub const NEAREST_OTHER_NIGHTS: u16 = 7;
/// Stays named as the nearest that work.
pub const NEAREST_MAX: usize = 5;
/// Days of one calendar.
pub const CALENDAR_DAYS_MAX: u16 = 366;
/// Bytes of one encoded batch of commands.
pub const BATCH_BYTES_MAX: usize = 64 * 1_024 * 1_024;
/// Findings of one verification that are kept; more are counted.
pub const FINDINGS_MAX: usize = 1_000;
