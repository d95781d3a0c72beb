//! Instants as shown outside: RFC 3339 with the offset of the place they are about.

use holdfast_engine::zone::Zone;
use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use jiff::tz::Offset;

/// `2027-04-13T14:00:00+07:00`, in the hotel's zone.
pub fn local(at_ms: u64, zone: &Zone) -> String {
    let offset = Offset::from_seconds(zone.offset_s(at_ms)).unwrap_or(Offset::UTC);
    print(at_ms, offset)
}

/// `2027-04-13T07:00:00+00:00`.
pub fn utc(at_ms: u64) -> String {
    print(at_ms, Offset::UTC)
}

fn print(at_ms: u64, offset: Offset) -> String {
    // Whole seconds without a fraction, all else with exactly three digits: two widths, not four.
    static SECONDS: DateTimePrinter = DateTimePrinter::new().precision(Some(0));
    static MILLIS: DateTimePrinter = DateTimePrinter::new().precision(Some(3));
    let printer = if at_ms.is_multiple_of(1_000) { &SECONDS } else { &MILLIS };
    let instant = i64::try_from(at_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    printer.timestamp_with_offset_to_string(&instant.unwrap_or(Timestamp::MAX), offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_carry_their_offset() {
        let bangkok = Zone::find("Asia/Bangkok").unwrap();
        assert_eq!(local(1_000, &bangkok), "1970-01-01T07:00:01+07:00");
        assert_eq!(utc(1_500), "1970-01-01T00:00:01.500+00:00");
    }
}
