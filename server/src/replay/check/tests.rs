//! Each way a cell can differ, in words.

use super::*;

fn cell(allotment: u32, blocked: u32, held: u32, sold: u32, overbook: u32) -> Cell {
    let night = jiff::civil::date(2026, 12, 1);
    Cell { room_type_id: "rt_1".into(), night, allotment, blocked, held, sold, overbook }
}

#[test]
fn a_cell_that_agrees_is_no_difference() {
    assert_eq!(difference(Some(&cell(5, 0, 0, 3, 0)), 3, 5), None);
    assert_eq!(difference(Some(&cell(5, 0, 0, 5, 0)), 5, 5), None);
}

#[test]
fn every_kind_of_difference_is_named() {
    let cases = [
        (None, 0, "leaves it out"),
        (Some(cell(5, 0, 0, 3, 0)), 4, "has 3 sold, rows and replies add up to 4"),
        (Some(cell(5, 0, 1, 3, 0)), 3, "1 rooms are held"),
        (Some(cell(5, 1, 0, 5, 0)), 5, "6 rooms are taken of 5"),
        (Some(cell(4, 0, 0, 3, 2)), 3, "the allotment is 4, 5 were given"),
    ];
    for (cell, own, words) in cases {
        let said = difference(cell.as_ref(), own, 5).unwrap();
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn the_first_difference_is_kept_and_all_are_counted() {
    let mut verdict = Verdict::default();
    verdict.enter(1, None, || "never asked".into());
    verdict.enter(2, Some("first".into()), || "here".into());
    verdict.enter(3, Some("second".into()), || "there".into());
    assert_eq!((verdict.cells, verdict.room_nights_sold, verdict.differing), (3, 6, 2));
    assert_eq!(verdict.first_difference.as_deref(), Some("night here: first"));
    assert!(!verdict.adds_up());
}
