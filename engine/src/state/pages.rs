//! A growing array that never moves what it holds: pages behind a directory of two levels.
//!
//! Owns memory alone; what lies in a page looks after itself. **Invariant**: growth takes at most one
//! page and copies nothing, and whoever holds a reference into a page keeps it.

use std::sync::OnceLock;

/// Items of one page.
pub const PAGE: usize = if crate::sync::SCHEDULED { 16 } else { 512 };
/// Pages of one chapter, and chapters.
const CHAPTER: usize = 512;
const CHAPTERS: usize = 256;

type Page<T> = OnceLock<Box<[T; PAGE]>>;
type Chapter<T> = OnceLock<Box<[Page<T>]>>;

/// The array. Items from 0 on exist where [`Self::reach`] said so.
pub struct Pages<T> {
    chapters: Box<[Chapter<T>]>,
}

impl<T> Default for Pages<T> {
    fn default() -> Self {
        Self { chapters: (0..CHAPTERS).map(|_| OnceLock::new()).collect() }
    }
}

impl<T> Pages<T> {
    /// The item, where its page exists.
    #[inline]
    pub fn get(&self, at: usize) -> Option<&T> {
        let chapter = self.chapters.get(at / (CHAPTER * PAGE))?.get()?;
        chapter.get(at / PAGE % CHAPTER)?.get()?.get(at % PAGE)
    }
}

impl<T: Default> Pages<T> {
    /// The item, whose page is made where it does not exist yet; `None` past the last chapter.
    pub fn reach(&self, at: usize) -> Option<&T> {
        let chapter = self.chapters.get(at / (CHAPTER * PAGE))?;
        let pages = chapter.get_or_init(|| (0..CHAPTER).map(|_| OnceLock::new()).collect());
        let page = pages.get(at / PAGE % CHAPTER)?;
        let made = match page.get() {
            Some(made) => made,
            None => {
                let items: Box<[T]> = (0..PAGE).map(|_| T::default()).collect();
                let items = items.try_into().ok()?;
                page.get_or_init(|| items)
            }
        };
        made.get(at % PAGE)
    }
}

impl<T> std::fmt::Debug for Pages<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let chapters = self.chapters.iter().filter(|chapter| chapter.get().is_some()).count();
        f.debug_struct("Pages").field("chapters", &chapters).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ITEMS_MAX: usize = CHAPTERS * CHAPTER * PAGE;

    #[test]
    fn items_stay_where_they_are() {
        let pages = Pages::<u64>::default();
        assert!(pages.get(0).is_none());
        let first: *const u64 = pages.reach(3).unwrap();
        for at in (0..ITEMS_MAX).step_by(CHAPTER * PAGE / 3) {
            assert!(pages.reach(at).is_some());
        }
        assert_eq!(first, std::ptr::from_ref(pages.get(3).unwrap()));
        assert!(pages.get(PAGE).is_none(), "only what was asked for");
        assert!(pages.reach(ITEMS_MAX).is_none(), "past the bound");
    }
}
