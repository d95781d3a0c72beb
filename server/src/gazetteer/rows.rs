//! Reading the tables that are compiled in: separated fields, one header line, no quoting.
//!
//! Owns nothing but the splitting. The tables are part of the binary and its tests read every row,
//! so a malformed row is a defect of the build and stops the process, naming the row.

use std::fmt::Display;
use std::str::FromStr;

/// The rows of `text` without its header, `N` fields each. The text lives as long as the program,
/// so names are borrowed.
pub(crate) fn rows<const N: usize>(text: &'static str) -> impl Iterator<Item = [&'static str; N]> {
    rows_apart(text, ',')
}

/// As [`rows`], for sentences, in which commas are no separators.
pub(crate) fn rows_apart<const N: usize>(
    text: &'static str,
    separator: char,
) -> impl Iterator<Item = [&'static str; N]> {
    text.lines().skip(1).filter(|line| !line.is_empty()).map(move |line| {
        let mut fields = line.split(separator);
        let row = std::array::from_fn(|_| {
            fields.next().unwrap_or_else(|| panic!("an embedded row lacks a field: {line}"))
        });
        assert!(fields.next().is_none(), "an embedded row has too many fields: {line}");
        row
    })
}

/// A field as a number.
pub(crate) fn number<T: FromStr<Err: Display>>(field: &str) -> T {
    match field.parse() {
        Ok(number) => number,
        Err(error) => panic!("an embedded table has {field:?} for a number: {error}"),
    }
}
