//! The collector of field errors: a request is looked at to its end, and every fault is named.

use crate::problem::{FieldError, Problem};

/// Gathers faults; [`Check::finish`] turns them into one problem.
#[derive(Debug, Default)]
pub struct Check {
    errors: Vec<FieldError>,
}

impl Check {
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes a fault.
    pub fn fault(&mut self, pointer: &str, code: &str, detail: impl Into<String>) {
        self.errors.push(FieldError {
            pointer: pointer.to_owned(),
            code: code.to_owned(),
            detail: detail.into(),
        });
    }

    /// `value` where it lies within `bounds`; otherwise a fault and the lower bound, so that
    /// checking can go on.
    pub fn range<T>(&mut self, pointer: &str, value: T, bounds: std::ops::RangeInclusive<T>) -> T
    where
        T: PartialOrd + Copy + std::fmt::Display,
    {
        if bounds.contains(&value) {
            return value;
        }
        let (low, high) = bounds.into_inner();
        self.fault(pointer, "field.range", format!("must be between {low} and {high}"));
        low
    }

    /// Degrees in millionths.
    pub fn degrees(&mut self, pointer: &str, value: f64, bound: f64) -> i32 {
        if !value.is_finite() || value.abs() > bound {
            self.fault(pointer, "field.range", format!("must be between -{bound} and {bound}"));
            return 0;
        }
        #[expect(clippy::cast_possible_truncation, reason = "at most 180 million, checked above")]
        let millionths = (value * 1e6).round() as i32;
        millionths
    }

    /// Minutes of the day of a text like `14:00`.
    pub fn minute_of_day(&mut self, pointer: &str, text: &str) -> u16 {
        if let Some(minute) = parse_minute(text) {
            return minute;
        }
        self.fault(pointer, "field.time", "must be a time of day like `14:00`");
        0
    }

    /// The first fault decides the problem's own code where it is the only one.
    pub fn finish(self) -> Result<(), Problem> {
        if self.errors.is_empty() { Ok(()) } else { Err(Problem::invalid(self.errors)) }
    }
}

pub fn parse_minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let two = |part: &str| {
        (part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| part.parse::<u16>().ok())
            .flatten()
    };
    let (hour, minute) = (two(hour)?, two(minute)?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

/// A minute of the day as `14:00`.
pub fn minute_text(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_day_round_trip_and_others_are_refused() {
        for minute in 0..1_440 {
            assert_eq!(parse_minute(&minute_text(minute)), Some(minute));
        }
        for text in ["24:00", "12:60", "1:00", "12", "12:00:00", "+1:00"] {
            assert_eq!(parse_minute(text), None, "{text}");
        }
    }

    #[test]
    fn every_fault_is_named() {
        let mut check = Check::new();
        check.range("/stars", 9u8, 0..=5);
        check.degrees("/lat", f64::NAN, 90.0);
        let problem = check.finish().unwrap_err();
        let pointers: Vec<_> = problem.errors.iter().map(|error| &error.pointer).collect();
        assert_eq!(pointers, ["/stars", "/lat"]);
    }
}
