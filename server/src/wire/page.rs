//! Lists: `limit` and an opaque `cursor` in, `items` and `next_cursor` out.
//!
//! A cursor is the key of the last item shown, so what did not change between two pages is
//! neither repeated nor skipped.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::limits::{PAGE_DEFAULT, PAGE_MAX};
use crate::problem::Problem;

/// Which page.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// Items wanted, 1 to 200; 50 when not said.
    pub limit: Option<usize>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
    /// Taken everywhere; lists carry every language anyway.
    #[param(inline)]
    pub lang: Option<super::language::Language>,
}

/// One page of a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// `null` on the last page.
    pub next_cursor: Option<String>,
}

/// Items a page holds, from what the caller asked.
pub fn limit(asked: Option<usize>) -> Result<usize, Problem> {
    match asked {
        None => Ok(PAGE_DEFAULT),
        Some(asked) if (1..=PAGE_MAX).contains(&asked) => Ok(asked),
        Some(_) => Err(Problem::field(
            "?limit",
            "field.range",
            format!("must be between 1 and {PAGE_MAX}"),
        )),
    }
}

/// A key as an opaque text.
pub fn encode_cursor(key: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(key)
}

/// The key of a cursor made by [`encode_cursor`].
pub fn decode_cursor<const N: usize>(cursor: &str) -> Result<[u8; N], Problem> {
    let key = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|key| key.try_into().ok());
    key.ok_or_else(bad_cursor)
}

/// The text of a cursor made by [`encode_cursor`] of its bytes.
pub fn decode_text(cursor: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()
}

/// 422: no cursor of ours.
pub fn bad_cursor() -> Problem {
    Problem::field("?cursor", "cursor.invalid", "must be the `next_cursor` of an earlier page")
}

/// Cuts a sorted walk of positions into a page: `walk` yields what comes after the cursor.
pub fn of_positions<T>(
    paging: &Paging,
    walk: impl Iterator<Item = (u32, T)>,
) -> Result<Page<T>, Problem> {
    let most = limit(paging.limit)?;
    let after = match &paging.cursor {
        None => None,
        Some(cursor) => Some(u32::from_be_bytes(decode_cursor::<4>(cursor)?)),
    };
    let mut items = Vec::new();
    let mut last = None;
    for (position, item) in walk.filter(|(position, _)| after.is_none_or(|after| *position > after))
    {
        if items.len() == most {
            let next_cursor = last.map(|last: u32| encode_cursor(&last.to_be_bytes()));
            return Ok(Page { items, next_cursor });
        }
        items.push(item);
        last = Some(position);
    }
    Ok(Page { items, next_cursor: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_without_gap_or_repeat() {
        let mut paging = Paging { limit: Some(3), ..Paging::default() };
        let mut seen = Vec::new();
        loop {
            let page = of_positions(&paging, (0..7).map(|at| (at, at))).unwrap();
            seen.extend(page.items);
            match page.next_cursor {
                Some(cursor) => paging.cursor = Some(cursor),
                None => break,
            }
        }
        assert_eq!(seen, (0..7).collect::<Vec<_>>());
    }

    #[test]
    fn limits_are_refused_one_past_their_bounds() {
        assert!(limit(Some(0)).is_err() && limit(Some(PAGE_MAX + 1)).is_err());
        assert_eq!(limit(Some(PAGE_MAX)).unwrap(), PAGE_MAX);
        assert!(decode_cursor::<4>("!").is_err());
    }
}
