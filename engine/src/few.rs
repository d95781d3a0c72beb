//! A list whose first items lie in the value itself: what is mostly short needs no memory of its own.
//!
//! Owns nothing but the shape; its bytes in the log and in digests are those of any list. **Invariant**:
//! equal lists are equal wherever their items lie.

use std::ops::{Deref, DerefMut};

use smallvec::SmallVec;

/// A list of which the first `N` items need no memory of their own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Few<T, const N: usize>(SmallVec<[T; N]>);

impl<T, const N: usize> Default for Few<T, N> {
    fn default() -> Self {
        Self(SmallVec::new())
    }
}

impl<T, const N: usize> Deref for Few<T, N> {
    type Target = SmallVec<[T; N]>;

    #[inline]
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<T, const N: usize> DerefMut for Few<T, N> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl<T, const N: usize> FromIterator<T> for Few<T, N> {
    #[inline]
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self(SmallVec::from_iter(items))
    }
}

impl<T, const N: usize> From<Vec<T>> for Few<T, N> {
    fn from(items: Vec<T>) -> Self {
        // What fits is moved in, so that the list's own memory goes.
        items.into_iter().collect()
    }
}

impl<'a, T, const N: usize> IntoIterator for &'a Few<T, N> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    #[inline]
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T, const N: usize> IntoIterator for Few<T, N> {
    type Item = T;
    type IntoIter = smallvec::IntoIter<[T; N]>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<T: PartialEq, const N: usize, const M: usize> PartialEq<[T; M]> for Few<T, N> {
    fn eq(&self, other: &[T; M]) -> bool {
        self.0.as_slice() == other
    }
}

impl<T: PartialEq, const N: usize> PartialEq<Vec<T>> for Few<T, N> {
    fn eq(&self, other: &Vec<T>) -> bool {
        self.0.as_slice() == other.as_slice()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{decode, encode};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_a_list_in_all_but_where_it_lies(items in proptest::collection::vec(any::<i64>(), 0..9)) {
            let few = Few::<i64, 4>::from(items.clone());
            prop_assert_eq!(&few, &items);
            prop_assert_eq!(few.spilled(), items.len() > 4);
            prop_assert_eq!(encode(&few), encode(&items));
            prop_assert_eq!(decode::<Few<i64, 4>>(&encode(&items)).unwrap(), few);
        }
    }
}
